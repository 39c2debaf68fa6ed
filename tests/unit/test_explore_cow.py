"""The stepper of copy on write shows what one transaction group did to the disk, and each new parent fits its child."""

import re

import pytest

from smartos.explore.zfs import cow
from smartos.explore.zfs.cow_figure import digits, where
from smartos.zfs.disk.disk import Write, replay
from smartos.zfs.format import checksum
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.format.label import DATA_OFFSET, RING_OFFSET, label_offset
from smartos.zfs.format.uberblock import MAGIC
from smartos.zfs.read.pool import Pool

CHANGES = ["byte", "two", "mode"]
CHAIN = [*cow.PARENTS, "L0 2"]  # from the uberblock down; each holds the pointer to the next
STATES = [(what, snapshot) for what in CHANGES for snapshot in ("no", "yes")]


def after(what: str, snapshot: bool):
    """The same transaction group on a pool of our own: (pool, disk, log, txg)."""
    pool, disk, log = cow.before(snapshot)
    cow.change(pool, what)
    return pool, disk, log, pool.sync()


def raw(disk, pointer: Blkptr) -> bytes:
    """A block's bytes as they lie on the medium."""
    return disk.read(DATA_OFFSET + pointer.dvas[0].offset, pointer.psize)


@pytest.mark.parametrize(("what", "snapshot"), STATES)
def test_every_new_parent_holds_the_checksum_of_the_new_child_as_it_lies_on_the_disk(what: str, snapshot: str) -> None:
    told = cow.run(what, snapshot == "yes")
    pool, disk, _, txg = after(what, snapshot == "yes")
    assert told.txg == txg and told.new == cow.tree(disk), "the same change gives the same tree"
    for name, pointer in told.new.items():
        assert checksum.checksum(pointer.checksum, raw(disk, pointer)) == pointer.cksum, name
    for parent, child in zip(CHAIN, CHAIN[1:], strict=False):
        held = pool.read(told.new[parent])
        assert told.new[child].pack() in held, f"the pointer to {child} is in {parent}"
    slot = disk.read(label_offset(disk.size, 0) + RING_OFFSET + 1024 * txg, 1024)
    assert slot[:8] == MAGIC.to_bytes(8, "little") and told.new["mos"].pack() in slot


@pytest.mark.parametrize(("what", "copied"), [("byte", {"L0 2"}), ("two", {"L0 0", "L0 2"}), ("mode", set())])
def test_only_the_path_to_the_change_is_copied_and_only_to_free_space(what: str, copied: set[str]) -> None:
    told = cow.run(what, False)
    changed = {name for name in told.new if told.old[name].dvas != told.new[name].dvas}
    path = set(cow.PARENTS) if copied else set(cow.PARENTS) - {"indirect"}
    assert changed == path | copied
    before = {dva.offset for pointer in told.old.values() for dva in pointer.dvas}
    new = {dva.offset for name in changed for dva in told.new[name].dvas}
    assert not before & new
    assert all(told.new[name] == told.old[name] for name in set(told.new) - changed)


@pytest.mark.parametrize(("what", "snapshot"), STATES)
def test_until_the_uberblock_is_written_the_old_tree_is_whole(what: str, snapshot: str) -> None:
    told = cow.run(what, snapshot == "yes")
    for moment in told.moments:
        assert moment.opens_at == (told.txg if moment.rooted else told.old_txg)
    _, disk, log = cow.before(snapshot == "yes")
    start = disk.copy()
    _, _, log, txg = after(what, snapshot == "yes")
    pristine = cow.tree(start)
    written = [entry for entry in log if isinstance(entry, Write)]
    first = next(n for n, entry in enumerate(written) if entry.data[:8] == MAGIC.to_bytes(8, "little"))
    for n, entry in enumerate(written):
        replay([entry], {disk.name: start})
        found = Pool.open([start]).uberblock.txg
        assert found == (txg if n >= first else told.old_txg), f"power fails after write {n}"
        if n < first:
            assert cow.tree(start) == pristine


def test_the_old_blocks_are_freed_or_a_snapshot_keeps_them() -> None:
    for what in CHANGES:
        free, kept = cow.run(what, False), cow.run(what, True)
        changed = set(free.changed)
        assert free.moments[-1].fate == dict.fromkeys(changed, "free")
        own = {name for name in changed if not name.startswith("mos")}
        assert kept.moments[-1].fate == dict.fromkeys(own, "kept") | dict.fromkeys(changed - own, "free")
        pool, disk, _, _ = after(what, True)
        held = Pool.open([disk]).dataset(cow.SNAPSHOT)
        assert held.phys.bp == kept.old["objset"], "the snapshot's root is the old object set"
        dead = {pointer.dvas for pointer in pool.dp.find(cow.HOME).deadlist.pointers()}
        assert dead == {kept.old[name].dvas for name in own}


@pytest.mark.parametrize(("what", "snapshot"), STATES)
def test_the_frames_show_what_the_moments_say(what: str, snapshot: str) -> None:
    told, frames = cow.run(what, snapshot == "yes"), cow.steps(what, snapshot)
    assert [frame.says for frame in frames] == [moment.says for moment in told.moments]
    for moment, frame in zip(told.moments, frames, strict=True):
        assert f"import finds txg {moment.opens_at}<" in frame.figure
        for name in cow.PARENTS[:-1]:
            below = CHAIN[CHAIN.index(name) + 1]
            assert f"→ {where(told.old[below])} {digits(told.old[below])}<" in frame.figure
            shown = f"→ {where(told.new[below])} {digits(told.new[below])}<" in frame.figure
            if told.old[below].dvas != told.new[below].dvas:
                assert shown == (name in moment.written)
                assert digits(told.old[below]) != digits(told.new[below]), "the change shows in what is shown of the sum"
        rows = {row[0]: row for row in frame.table.rows}
        for name in moment.written:
            assert rows[cow.NAMES[name]][2:4] == (
                f"{where(told.new[name])} ×{len(told.new[name].dvas)}", f"{told.new[name].cksum[0]:x}"
            )  # fmt: skip
        assert len(frame.says.split()) <= 30
        assert float(re.search(r'viewBox="0 0 (\d+)', frame.figure)[1]) <= 440


def test_the_default_step_stands_before_the_uberblock() -> None:
    stepper = cow.stepper()
    moment = cow.run("byte", False).moments[stepper.start()]
    assert len(moment.written) == len(CHAIN) and not moment.rooted
    assert stepper.frames(**stepper.default)[stepper.start()].says == moment.says
    assert len(stepper.html()) < 60_000
