"""Vdevs give good data or none, mend what was bad, and count it as `zpool status` does."""

import random
from itertools import combinations

import pytest

from smartos.zfs.disk.disk import MemoryDisk, Recorder
from smartos.zfs.disk.faults import BitRot, FaultyDisk, Gone, LostWrite, UnreadableSector, rot
from smartos.zfs.errors import ChecksumError, PoolFaulted
from smartos.zfs.vdev.tree import LABEL_START, Aux, Flag, Leaf, Mirror, Raidz, Replacing, Root, State
from smartos.zfs.vdev.zio import READ
from tests.unit.zfs_blocks import MIB, SHAPES, SIZE, Block, disks, errors, mirror, raidz


def spoil(disk: FaultyDisk, column: object, chance: random.Random) -> None:
    rot(disk.disk, LABEL_START + column.offset, column.size, 5, chance)


# Sizes and shapes


def test_a_leaf_s_data_begin_behind_four_mebibytes_of_labels() -> None:
    disk = MemoryDisk(SIZE)
    leaf = Leaf(disk)
    leaf.write(0x200, b"x" * 512)
    assert disk.read(4 * MIB + 0x200, 512) == b"x" * 512
    assert leaf.asize == SIZE - 4 * MIB - 512 * 1024
    assert Leaf(MemoryDisk(SIZE + 1000)).asize == leaf.asize, "only whole labels count"


def test_sizes_of_mirror_and_raidz() -> None:
    small, large = Leaf(MemoryDisk(SIZE)), Leaf(MemoryDisk(2 * SIZE))
    assert Mirror([large, small]).asize == small.asize
    own, _ = raidz(5, 1)
    assert own.asize == 5 * small.asize
    assert (own.psize_to_asize(131072), mirror()[0].psize_to_asize(131072)) == (320 * 512, 131072)
    assert raidz(5, 1, ashift=12)[0].psize_to_asize(512) == 8192
    assert Mirror([Leaf(None, ashift=9), Leaf(MemoryDisk(SIZE), ashift=12)]).ashift == 12


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_of_any_size_come_back(shape: str) -> None:
    vdev, _ = SHAPES[shape]()
    chance, at, blocks = random.Random(1), 0, []
    for psize in (512, 1000, 1536, 4096, 5120, 131072, 70_000):
        blocks.append(Block(chance, psize, at).put(vdev))
        at += vdev.psize_to_asize(psize)
    assert [block.get(vdev) for block in blocks] == [block.data for block in blocks]
    assert all(count == (0, 0, 0) for count in errors(vdev))


def test_a_block_that_is_no_whole_sector_is_filled_up_with_zeros() -> None:
    vdev, own = raidz(4, 1, ashift=12)
    Block(random.Random(1), 1000, 0).put(vdev)
    assert own[1].disk.read(LABEL_START + 1000, 4096 - 1000) == bytes(4096 - 1000)


# Self-healing


@pytest.mark.parametrize("rotten", [0, 1])
def test_a_mirror_mends_the_copy_that_does_not_verify(rotten: int) -> None:
    vdev, own = mirror()
    block = Block(random.Random(1), 8192, 2 * MIB * rotten).put(vdev)
    own[rotten].add(BitRot(LABEL_START + block.offset, 8192, after=0))
    assert block.get(vdev) == block.data
    assert errors(vdev)[rotten] == (0, 0, 1)
    assert errors(vdev)[1 - rotten] == (0, 0, 0)
    assert vdev.children[rotten].stat.vs_self_healed == 8192
    assert own[rotten].disk.read(LABEL_START + block.offset, 8192) == block.data
    assert block.get(vdev) == block.data and errors(vdev)[rotten] == (0, 0, 1), "mended, so not counted again"


def test_a_good_copy_is_never_rewritten() -> None:
    """Were the power to fail there, it may be the last."""
    log: list = []
    media = [MemoryDisk(SIZE, f"d{n}") for n in range(3)]
    vdev = Mirror([Leaf(Recorder(disk, log)) for disk in media])
    block = Block(random.Random(1), 4096, 0).put(vdev)
    log.clear()
    for n in (0, 1):
        rot(media[n], LABEL_START, 4096, 1, random.Random(n))
    assert block.get(vdev) == block.data
    assert [entry.disk for entry in log] == ["d0", "d1"]


def test_reads_take_turns_every_two_mebibytes() -> None:
    vdev, own = mirror(3)
    for n in range(6):
        vdev.read(n * 2 * MIB % (10 * MIB), 512)
    assert [leaf.stat.vs_ops[READ] for leaf in vdev.children] == [3, 2, 1]


def test_a_mirror_without_a_good_copy_says_so_and_leaves_the_bad_ones_alone() -> None:
    vdev, own = mirror()
    block = Block(random.Random(1), 4096, 0).put(vdev)
    for n, disk in enumerate(own):
        rot(disk.disk, LABEL_START, 4096, 1, random.Random(n))
    before = [disk.disk.read(LABEL_START, 4096) for disk in own]
    with pytest.raises(ChecksumError, match="no copy"):
        block.get(vdev)
    assert [disk.disk.read(LABEL_START, 4096) for disk in own] == before
    assert [row[5] for row in vdev.status()] == [1, 1, 1]


def test_an_unreadable_sector_is_counted_and_mended() -> None:
    for vdev, own in (mirror(), raidz(4, 1)):
        block = Block(random.Random(1), 8192, 0).put(vdev)
        bad = 0 if vdev.type == "mirror" else 1
        own[bad].add(UnreadableSector(LABEL_START + 512))
        assert block.get(vdev) == block.data
        assert errors(vdev)[bad] == (1, 0, 0)
        assert own[bad].read(LABEL_START, 4096 if vdev.type == "mirror" else 2560)
        assert block.get(vdev) == block.data and errors(vdev)[bad] == (1, 0, 0)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "raidz" in shape])
def test_raidz_finds_every_set_of_liars(shape: str) -> None:
    """Any columns up to the parity's number return wrong bytes, and do not say so."""
    for sectors in (1, 3, 13):
        vdev, own = SHAPES[shape]()
        chance = random.Random(sectors)
        block = Block(chance, sectors * 512, 0x1E00).put(vdev)
        where = vdev.map(block.offset, len(block.data))
        for count in range(1, vdev.nparity + 1):
            for liars in combinations(range(len(where.columns)), count):
                vdev.clear()
                for c in liars:
                    spoil(own[where.columns[c].devidx], where.columns[c], chance)
                assert block.get(vdev, Flag.SCRUB) == block.data
                lied = {where.columns[c].devidx for c in liars}
                assert [n for n, (_, _, checksum) in enumerate(errors(vdev)) if checksum] == sorted(lied)
                stripe = zip(where.columns, where.stripe(block.data), strict=True)
                for column, right in stripe:
                    disk = own[column.devidx].disk
                    assert disk.read(LABEL_START + column.offset, column.size) == right, "everything is mended"


def test_liars_beside_a_disk_that_is_gone() -> None:
    """raidz3 with one disk away and two that lie; and one more liar is one too many."""
    for liars, survives in (((2, 4), True), ((2, 4, 5), False)):
        vdev, own = raidz(7, 3)
        block = Block(random.Random(5), 40 * 512, 0).put(vdev)
        own[3].add(Gone())
        for n in liars:
            rot(own[n].disk, LABEL_START, 5 * 512, 4, random.Random(n))
        if survives:
            assert block.get(vdev) == block.data
            assert [row[2] for row in vdev.status()] == ["DEGRADED"] + ["ONLINE"] * 3 + ["REMOVED"] + ["ONLINE"] * 3
        else:
            with pytest.raises(ChecksumError, match="whichever columns"):
                block.get(vdev)


def test_too_many_disks_away_is_said_too() -> None:
    for vdev, own, lost in (*((*mirror(), 2),), (*raidz(5, 2), 3)):
        block = Block(random.Random(5), 30 * 512, 0).put(vdev)
        for n in range(lost):
            own[n].add(Gone())
        with pytest.raises(PoolFaulted):
            block.get(vdev)
        assert (vdev.state, vdev.aux) == (State.CANT_OPEN, Aux.NO_REPLICAS)
        assert vdev.status()[0][2] == "UNAVAIL"
        with pytest.raises(PoolFaulted):
            block.put(vdev)


def test_a_read_without_trouble_does_not_touch_the_parity() -> None:
    vdev, own = raidz(5, 2)
    block = Block(random.Random(1), 6 * 512, 0).put(vdev)
    block.get(vdev)
    assert [leaf.stat.vs_ops[READ] for leaf in vdev.children] == [0, 0, 1, 1, 1]
    block.get(vdev, Flag.SCRUB)
    assert [leaf.stat.vs_ops[READ] for leaf in vdev.children] == [1, 1, 2, 2, 2]


def test_a_scrub_finds_what_reads_do_not_see() -> None:
    vdev, own = raidz(5, 1)
    block = Block(random.Random(1), 8 * 512, 0).put(vdev)
    rot(own[0].disk, LABEL_START, 1024, 1, random.Random(1))
    assert block.get(vdev) == block.data and errors(vdev)[0] == (0, 0, 0)
    assert block.get(vdev, Flag.SCRUB) == block.data and errors(vdev)[0] == (0, 0, 1)
    assert block.get(vdev, Flag.SCRUB) == block.data and errors(vdev)[0] == (0, 0, 1)


def test_nothing_is_mended_in_a_pool_open_for_reading_only() -> None:
    for vdev, own in (mirror(), raidz(4, 1)):
        vdev.readonly = True
        block = Block(random.Random(1), 8192, 0).put(vdev)
        rot(own[1].disk, LABEL_START, 2048, 1, random.Random(1))
        before = own[1].disk.read(LABEL_START, 8192)
        for _ in range(2):
            assert block.get(vdev, Flag.SCRUB) == block.data
        assert own[1].disk.read(LABEL_START, 8192) == before
        assert errors(vdev)[1] == (0, 0, 2)


def test_without_a_checksum_a_vdev_believes_its_disks() -> None:
    vdev, own = mirror()
    block = Block(random.Random(1), 4096, 0).put(vdev)
    rot(own[0].disk, LABEL_START, 4096, 1, random.Random(1))
    assert vdev.read(0, 4096) != block.data
    assert errors(vdev) == [(0, 0, 0)] * 2


# Nested vdevs, several DVAs


def test_a_mirror_within_a_raidz_hides_a_disk_that_missed_something() -> None:
    own = disks(4)
    pair = Replacing([Leaf(own[2]), Leaf(own[3])])
    vdev = Raidz([Leaf(own[0]), Leaf(own[1]), pair], 1)
    chance = random.Random(3)
    own[2].add(LostWrite(0))
    block = Block(chance, 4096, 0).put(vdev)
    assert block.get(vdev) == block.data, "the parity stands for the pair"
    pair.children[0].dtl.add(block.txg)
    rot(own[0].disk, LABEL_START, 2048, 1, chance)
    assert block.get(vdev) == block.data, "the pair's second disk has it"


def test_a_block_is_read_from_any_of_its_dvas_and_the_bad_one_mended() -> None:
    own = disks(2)
    root = Root([Leaf(own[0]), Leaf(own[1])])
    block = Block(random.Random(1), 2048, 0)
    dvas = [(0, 0x400), (1, 0x1000), (0, 0x8000)]
    root.write_dvas(dvas, block.data, 10)
    rot(own[0].disk, LABEL_START + 0x400, 2048, 1, random.Random(1))
    assert root.read_dvas(dvas, 2048, block.good, 10) == block.data
    assert own[0].disk.read(LABEL_START + 0x400, 2048) == block.data
    assert errors(root) == [(0, 0, 1), (0, 0, 0)]
    with pytest.raises(PoolFaulted, match="no top-level vdev 7"):
        root.read_dvas([(7, 0)], 512)
    own[1].add(Gone())
    with pytest.raises(PoolFaulted):
        root.write_dvas(dvas, block.data, 11)
    assert root.state == State.CANT_OPEN
