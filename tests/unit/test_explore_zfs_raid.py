"""The explorers of mirrors and RAID-Z show what the vdevs did, and nothing that they did not."""

import re

import pytest

from smartos.explore.kit.explorer import Explorer
from smartos.explore.zfs import columns, heal, write_hole
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.disk.raid5 import PlainMirror, Raid5, xor
from smartos.zfs.vdev.raidz_map import psize_to_asize, raidz_map

# Where columns land


@pytest.mark.parametrize(("disks", "parity"), [(d, p) for d in (3, 4, 5, 6) for p in (1, 2, 3) if d > p])
def test_the_columns_shown_are_the_map_s(disks: int, parity: int) -> None:
    for sectors in columns.SECTORS:
        shown = columns.frame(disks, parity, sectors)
        where = raidz_map(0, sectors * 512, 9, disks, parity)
        assert len(shown.table.rows) == len(where.columns) + len(where.skips)
        for row, column in zip(shown.table.rows, where.columns, strict=False):
            assert row[1:] == (f"disk {column.devidx}", column.offset // 512, column.size // 512)
        assert sum(row[3] for row in shown.table.rows) * 512 == psize_to_asize(sectors * 512, 9, disks, parity)
        for what in where.sectors().values():
            assert f">{what}</text>" in shown.figure
        assert re.search(rf"takes {where.asize // 512}: {sectors} of data", shown.says)


def test_blocks_follow_each_other_without_a_gap() -> None:
    laid = columns.blocks(5, 1, 5)
    assert [where.offset for where in laid] == [n * 8 * 512 for n in range(len(laid))]
    assert len({where.columns[0].devidx for where in laid}) == 5, "parity moves from disk to disk by itself"


def test_a_shape_that_cannot_be_says_why() -> None:
    shown = columns.frame(3, 3, 1)
    assert "at least 4 disks" in shown.says and shown.table is None


# The read that heals


def test_zfs_returns_the_right_bytes_and_mends_the_disk() -> None:
    run = heal.zfs("first")
    assert run[-1].returned == heal.BLOCK
    assert run[1].held[0] != heal.BLOCK and run[-1].held == (heal.BLOCK, heal.BLOCK)
    assert [step.flow for step in run[2:]] == [
        ("read", 0), ("read", 0), ("read", 1), ("read", 1), ("repair", 0), ("return", None)
    ]  # fmt: skip
    assert run[-1].errors == (1, 0)


def test_the_plain_mirror_returns_what_it_reads() -> None:
    wrong, lucky = heal.plain("first"), heal.plain("second")
    assert wrong[-1].returned == wrong[-1].held[0] != heal.BLOCK
    assert wrong[-1].held[1] == heal.BLOCK, "the right bytes were there"
    assert lucky[-1].returned == heal.BLOCK and lucky[-1].held[1] != heal.BLOCK


def test_with_both_copies_bad_zfs_returns_nothing() -> None:
    run = heal.zfs("both")
    assert run[-1].refused and run[-1].returned is None
    assert run[-1].held == run[1].held and run[-1].errors == (1, 1)
    assert heal.zfs("second")[-1].held[1] != heal.BLOCK, "what is not read is not mended"


def test_one_bit_rots_and_it_can_be_seen() -> None:
    for step in heal.zfs("both"):
        for held in step.held:
            changed = sum((a ^ b).bit_count() for a, b in zip(held, heal.BLOCK, strict=True))
            assert changed <= 1
            assert (heal.shown(held) == heal.WORDS.decode()) == (changed == 0)


@pytest.mark.parametrize("mirror", ["zfs", "plain"])
@pytest.mark.parametrize("rots", ["first", "second", "both"])
def test_the_frames_say_and_tabulate_the_steps(mirror: str, rots: str) -> None:
    run, frames = getattr(heal, mirror)(rots), heal.steps(mirror, rots)
    assert [frame.says for frame in frames] == [step.says for step in run]
    for step, frame in zip(run, frames, strict=True):
        assert [row[1] for row in frame.table.rows] == [heal.shown(held) for held in step.held]
        if mirror == "zfs":
            assert [row[4] for row in frame.table.rows] == list(step.errors)
            assert heal.checksum(heal.BLOCK) in frame.figure
        assert ("✗ wrong" in frame.figure) == (step.returned not in (None, heal.BLOCK))


# The write hole


def test_raid5_invents_a_block_that_nobody_was_writing() -> None:
    cuts = write_hole.cuts("raid5")
    assert [cut.fits for cut in cuts] == [True, False, True]
    assert [cut.outcomes for cut in cuts] == [("old",) * 4, ("D0 is wrong", "old", "D2 is wrong", "new"), ("new",) * 4]


def test_raidz_is_old_or_new_after_every_write_and_without_any_disk() -> None:
    cuts = write_hole.cuts("raidz")
    assert len(cuts) == 9
    assert {outcome for cut in cuts for outcome in cut.outcomes} == {"old", "new"}
    assert [set(cut.outcomes) for cut in cuts[:5]] == [{"old"}] * 5, "until an uberblock says otherwise"
    assert set(cuts[5].outcomes) == {"old", "new"}
    assert [set(cut.outcomes) for cut in cuts[6:]] == [{"new"}] * 3


def test_neither_does_a_power_cut_that_loses_and_reorders_unflushed_writes() -> None:
    assert write_hole.reordered_outcomes("raidz", 25) == {"old", "new"}
    assert "D0 is wrong" in write_hole.reordered_outcomes("raid5", 25)


def test_the_write_hole_s_frames_show_the_cuts() -> None:
    for layout in ("raid5", "raidz"):
        for cut, frame in zip(write_hole.cuts(layout), write_hole.steps(layout), strict=True):
            assert cut.written in frame.says
            assert tuple(row[2] for row in frame.table.rows) == cut.outcomes
            assert frame.figure.count("✗") == sum("wrong" in o for o in cut.outcomes) + (not cut.fits)
            for what, _ in cut.cells.values():
                assert f">{what}</text>" in frame.figure
    mixed = write_hole.steps("raidz")[5].says
    assert "before the change or as they are after it" in mixed


def test_raid5_s_layout_is_left_symmetric_and_stands_for_one_disk() -> None:
    disks = [MemoryDisk(1 << 16, f"d{n}") for n in range(4)]
    array, blocks = Raid5(disks), [bytes([n]) * 512 for n in range(24)]
    for n, data in enumerate(blocks):
        array.write(n, data)
    assert [array.parity(stripe) for stripe in range(5)] == [3, 2, 1, 0, 3]
    assert [array.place(n) for n in range(6)] == [(0, 0), (1, 0), (2, 0), (3, 1), (0, 1), (1, 1)]
    assert all(array.consistent(stripe) for stripe in range(8))
    assert xor(b"\x0f", b"\xff", b"\x01") == b"\xf1"
    for lost in range(4):
        assert [write_hole.Raid5(_without(disks, lost)).read(n) for n in range(24)] == blocks
    with pytest.raises(ValueError, match="three disks"):
        Raid5(disks[:2])


def test_a_plain_mirror_asks_the_next_disk_only_when_one_says_no() -> None:
    disks = [MemoryDisk(1 << 16, f"d{n}") for n in range(2)]
    PlainMirror(disks).write(0, b"x" * 512)
    assert PlainMirror(_without(disks, 0)).read(0, 512) == b"x" * 512


def _without(disks: list[MemoryDisk], lost: int) -> list:
    return [write_hole.FaultyDisk(disk, [write_hole.Gone()] if n == lost else []) for n, disk in enumerate(disks)]


# All of them


@pytest.mark.parametrize("made", [columns.explorer, heal.stepper, write_hole.stepper])
def test_every_state_has_a_figure_within_the_page_that_says_itself(made) -> None:
    explorer: Explorer = made()
    for state in explorer.states():
        for frame in explorer.frames(**state):
            width = re.search(r'viewBox="0 0 (\d+)', frame.figure)
            assert int(width[1]) <= 440
            assert 'role="img" aria-label="' in frame.figure and frame.says.endswith(".")
    assert len(explorer._repr_html_()) < 300_000
