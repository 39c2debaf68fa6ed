"""The ring that is shown is the one on the disk, and the winner is the one that the reader picks."""

import re

import pytest

from smartos.explore.zfs import ring, ring_crash
from smartos.explore.zfs.ring_crash import ASHIFT, LAST, SIZE, SLOT, SLOTS
from smartos.zfs.disk.disk import Flush, Write
from smartos.zfs.format import checksum
from smartos.zfs.format.label import RING_OFFSET, label_offset
from smartos.zfs.format.uberblock import slot_of, slots
from smartos.zfs.read.pool import Pool

RUNS = [(cut, disk) for cut, _ in ring.CUTS for disk, _ in ring.DISKS]


@pytest.mark.parametrize(("cut", "disk"), RUNS)
def test_the_winner_is_what_pool_open_picks(cut: str, disk: str) -> None:
    end = ring.story(cut, disk)[-1]
    pool = Pool.open([ring_crash.medium(cut, disk)])
    assert end.read.txg == pool.uberblock.txg
    files = pool.dataset("tank").filesystem()
    assert end.read.words == files.read(files.lookup("/state")).decode() == f"txg {pool.uberblock.txg}"
    assert f"file: {end.read.words}" in ring.steps(cut, disk)[-1].figure


@pytest.mark.parametrize("disk", ["order", "any"])
def test_a_disk_that_keeps_its_word_loses_nothing_that_was_synced(disk: str) -> None:
    for cut, _ in ring.CUTS:
        found = ring.story(cut, disk)[-1].read
        assert found.errors == 0 and not found.failed
        assert found.txg == LAST or (found.txg == LAST - 1 and cut != "end")
    assert ring.story("end", disk)[-1].read.txg == LAST


def test_so_it_does_whatever_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    for luck in range(12):
        monkeypatch.setattr(ring_crash, "LUCK", luck)
        for cut in ("blocks", "torn", "labels", "end"):
            _, found = ring_crash.imported(ring_crash.kept(cut, "any"))
            assert (found.errors, found.failed) == (0, ())
            assert found.txg >= LAST - (cut != "end")


def test_a_disk_that_ignores_flushes_loses_a_group_that_was_reported() -> None:
    found = ring.story("end", "lies")[-1]
    assert found.read.failed == (LAST,) and found.read.txg == LAST - 1
    assert "is lost" in found.says and "✗ has holes" in ring.steps("end", "lies")[-1].figure
    with_root = [row[SLOT] for row in found.labels]
    assert ("valid", LAST) in with_root and found.landed < found.blocks


def test_the_torn_slot_has_a_new_head_and_an_old_trailer() -> None:
    after, before = ring_crash.medium("torn", "order"), ring_crash.recorded().before
    at = label_offset(SIZE, 0) + RING_OFFSET + (SLOT << ASHIFT)
    torn, old = after.read(at, 1 << ASHIFT), before.read(at, 1 << ASHIFT)
    assert int.from_bytes(torn[16:24], "little") == LAST and torn[-40:] == old[-40:]
    assert checksum.sealed(old, (at, 0, 0, 0)) and not checksum.sealed(torn, (at, 0, 0, 0))
    shown = ring_crash.slots_of(after)
    assert [row[SLOT] for row in shown] == [("bad", LAST)] + [("valid", LAST - SLOTS)] * 3
    assert sum(state[0] == "bad" for row in shown for state in row) == 1


def test_the_ring_holds_each_group_in_its_slot_once_round() -> None:
    first = ring_crash.slots_of(ring_crash.recorded().before)
    assert len(first) == 4 and {len(row) for row in first} == {slots(ASHIFT)} == {SLOTS}
    for row in first:
        assert [state[1] % SLOTS for state in row] == list(range(SLOTS))
        assert sorted(state[1] for state in row) == list(range(LAST - SLOTS, LAST))
    assert SLOT == slot_of(LAST, ASHIFT)


def test_the_log_is_blocks_a_flush_four_uberblocks_a_flush() -> None:
    log = ring_crash.recorded()
    flush = log.first("flush")
    assert log.kinds[:flush].count("file") == 1 and set(log.kinds[:flush]) == {"file", "tree", "mos"}
    assert log.kinds[flush:] == ("flush", *["uberblock"] * 4, "flush")
    assert list(log.kinds[:flush]) == sorted(log.kinds[:flush], key=["file", "tree", "mos"].index), "the steps' order"
    assert [isinstance(entry, Flush) for entry in log.entries] == [kind == "flush" for kind in log.kinds]
    heads = [e.offset for e in log.entries[flush:] if isinstance(e, Write)]
    assert heads == [label_offset(SIZE, n) + RING_OFFSET + (SLOT << ASHIFT) for n in range(4)]


def test_the_new_tree_overwrites_nothing_of_the_old_one() -> None:
    """The sentence that the old tree stays in place: at every cut before the uberblock, its blocks all verify."""
    for cut in ("start", "blocks", "flush", "uberblock", "torn"):
        _, found = ring_crash.imported(ring_crash.kept(cut, "order"))
        assert (found.txg, found.errors) == (LAST - 1, 0)
    old = Pool.open([ring_crash.medium("end", "order")], txg=LAST - 1)
    files = old.dataset("tank").filesystem()
    assert files.read(files.lookup("/state")).decode() == f"txg {LAST - 1}"


def test_the_words_about_copies_and_passes_are_the_pool_s() -> None:
    sent = [(e, kind) for e, kind in zip(*_log(), strict=True) if isinstance(e, Write)]
    places = {kind: {entry.offset for entry, own in sent if own == kind} for _, kind in sent}
    assert len(places["file"]) == 1 and len(places["tree"]) == 2 * 2 and len(places["mos"]) % 3 == 0
    root = max(places["mos"], key=lambda at: [entry.offset for entry, _ in sent].count(at))
    assert [entry.offset for entry, _ in sent].count(root) == 4, "the MOS's dnodes, once a pass"


def _log() -> tuple:
    return ring_crash.recorded().entries, ring_crash.recorded().kinds


def test_frames_show_the_slots_and_say_so() -> None:
    for cut, disk in RUNS:
        for moment, frame in zip(ring.story(cut, disk), ring.steps(cut, disk), strict=True):
            assert moment.says == frame.says and len(frame.says.split()) <= 30
            for n, row in enumerate(frame.table.rows):
                kind, txg = moment.labels[n][SLOT]
                assert row[2] == {"valid": f"txg {txg}", "bad": f"torn: says txg {txg}"}[kind]
                assert row[3] == sum(state[0] == "valid" for state in moment.labels[n])
            bad = sum(state[0] == "bad" for row in moment.labels for state in row)
            assert frame.figure.count("l8 8m0-8l-8 8") == bad
            assert f"{moment.landed} of {moment.blocks} blocks" in frame.figure
            assert int(re.search(r'viewBox="0 0 (\d+)', frame.figure)[1]) <= 440


def test_the_stepper_tells_its_story_untouched() -> None:
    stepper = ring.stepper()
    frames = stepper.frames(**stepper.default)
    assert frames[stepper.start()].says.endswith("Nothing that was synced is lost.")
    assert any("rejected" in frame.says for frame in frames)
    assert len(stepper.html()) < 60_000
