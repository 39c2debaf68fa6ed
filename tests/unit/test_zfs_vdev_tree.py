"""The vdev tree: states, what a disk missed and a resilver copies, changes of the tree, and what can be watched."""

import random

import pytest

from smartos import probes
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.disk.faults import Gone, UnreadableSector, rot
from smartos.zfs.errors import Busy, CorruptPool, Unsupported
from smartos.zfs.vdev.dtl import DirtyTimeLog
from smartos.zfs.vdev.tree import (
    LABEL_START,
    Aux,
    FileLeaf,
    Flag,
    Hole,
    Leaf,
    Mirror,
    Missing,
    Raidz,
    Replacing,
    Root,
    State,
    attach,
    build,
    config,
    detach,
    state_name,
)
from smartos.zfs.vdev.zio import ECKSUM, WRITE, Zio
from tests.unit.zfs_blocks import SHAPES, SIZE, Block, disks, errors, mirror, raidz

# Dirty time logs, resilver, states


@pytest.mark.parametrize("seed", range(5))
def test_a_dirty_time_log_is_a_set_of_txgs_in_as_few_ranges_as_can_be(seed: int) -> None:
    chance, log, model = random.Random(seed), DirtyTimeLog(), set()
    for _ in range(200):
        start, size = chance.randrange(60), chance.randrange(8)
        if chance.random() < 0.6:
            log.add(start, size)
            model |= set(range(start, start + size))
        else:
            log.remove(start, start + size)
            model -= set(range(start, start + size))
        assert [txg for txg in range(80) if txg in log] == sorted(model)
        assert all(a[1] < b[0] for a, b in zip(list(log), list(log)[1:], strict=False))
        assert bool(log) == bool(model) and (not model or (log.first, log.last) == (min(model), max(model)))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_disk_that_was_away_misses_txgs_and_a_resilver_copies_just_those(shape: str) -> None:
    vdev, own = SHAPES[shape]()
    chance, at, blocks = random.Random(4), 0, []
    leaf = vdev.children[1]
    for txg in range(10, 40):
        if txg == 20:
            leaf.offline()
            assert vdev.status()[2][2] == "OFFLINE" and vdev.state == State.DEGRADED
        if txg == 30:
            leaf.online()
        blocks.append(Block(chance, chance.choice((512, 4096, 20_000)), at, txg).put(vdev))
        at += vdev.psize_to_asize(len(blocks[-1].data))
    assert list(leaf.dtl) == [(20, 30)] or (vdev.type == "raidz" and all(20 <= a < b <= 30 for a, b in leaf.dtl))
    assert vdev.resilver_range() == (leaf.dtl.first, leaf.dtl.last)
    assert [block.get(vdev) for block in blocks] == [block.data for block in blocks]
    assert errors(vdev) == [(0, 0, 0)] * len(own), "that it is behind is no error"
    before, copied = leaf.stat.vs_ops[WRITE], 0
    for block in blocks:
        if vdev.need_resilver(block.offset, len(block.data), block.txg):
            assert block.get(vdev, Flag.RESILVER | Flag.SCAN_THREAD) == block.data
            copied += 1
    vdev.dtl_reassess(40)
    assert not leaf.dtl and vdev.resilver_range() is None
    assert 0 < copied <= 10 and leaf.stat.vs_ops[WRITE] - before <= copied
    assert [b.get(vdev, Flag.SCRUB) for b in blocks] == [b.data for b in blocks]
    assert errors(vdev) == [(0, 0, 0)] * len(own)


def test_a_write_that_fails_is_remembered_and_what_a_scan_cannot_mend_stays() -> None:
    vdev, own = mirror()
    own[1].add(Gone())
    Block(random.Random(1), 512, 0, txg=7).put(vdev)
    leaf = vdev.children[1]
    assert list(leaf.dtl) == [(7, 8)] and leaf.state == State.REMOVED
    leaf.dtl_scrub.add(7)
    own[1].back()
    leaf.online()
    vdev.dtl_reassess(50)
    assert list(leaf.dtl) == [(7, 8)]
    vdev.dtl_reassess(50)
    assert not leaf.dtl


def test_the_last_copy_cannot_be_taken_away() -> None:
    vdev, own = mirror()
    vdev.children[0].offline()
    with pytest.raises(Busy, match="no valid replicas"):
        vdev.children[1].offline()
    vdev.children[0].online()
    vdev.children[0].dtl.add(12)
    with pytest.raises(Busy):
        vdev.children[1].offline()
    vdev.children[1].fault()
    assert vdev.children[1].state == State.DEGRADED, "too precious to be faulted"
    vdev.children[0].dtl.remove(0, 100)
    vdev.children[1].fault()
    assert (vdev.children[1].state, vdev.state) == (State.FAULTED, State.DEGRADED)
    vdev.clear()
    assert [row[2] for row in vdev.status()] == ["ONLINE"] * 3
    with pytest.raises(Busy):
        Leaf(MemoryDisk(SIZE)).offline()


def test_two_disks_of_a_raidz2_may_be_offline_and_no_third() -> None:
    vdev, _ = raidz(5, 2)
    vdev.children[0].offline()
    vdev.children[3].offline()
    with pytest.raises(Busy):
        vdev.children[4].offline()


def test_states_rise_up_the_tree() -> None:
    own = disks(4)
    root = Root([Mirror([Leaf(own[0]), Leaf(own[1])]), Mirror([Leaf(own[2]), Leaf(own[3])]), Hole(2)])
    assert root.state == State.HEALTHY
    root.children[0].children[0].set_state(State.FAULTED)
    assert (root.state, root.children[0].state, root.children[1].state) == (6, 6, 7)
    root.children[0].children[1].set_state(State.REMOVED)
    assert (root.state, root.aux) == (State.CANT_OPEN, Aux.NO_REPLICAS)
    names = [state_name(State(n)) for n in range(2, 8)]
    assert names == ["OFFLINE", "REMOVED", "UNAVAIL", "FAULTED", "DEGRADED", "ONLINE"]
    assert state_name(State.CANT_OPEN, Aux.CORRUPT_DATA) == "FAULTED"
    assert Leaf(MemoryDisk(1000)).aux == Aux.TOO_SMALL and Leaf(None).aux == Aux.OPEN_FAILED
    assert Root([Missing(0)]).state == State.CANT_OPEN


# Changing the tree


def test_attach_resilver_detach() -> None:
    own = disks(3)
    root = Root([Leaf(own[0])])
    block = Block(random.Random(1), 4096, 0, txg=8).put(root.children[0])
    pair = attach(root.children[0], Leaf(own[1]), txg=20)
    assert [row[1] for row in root.status()] == ["root", "mirror-0", "c0t0d0", "c0t1d0"]
    assert list(pair.children[1].dtl) == [(4, 20)] and pair.resilver_range() == (4, 19)
    with pytest.raises(Busy):
        detach(pair.children[0])
    assert block.get(pair, Flag.RESILVER | Flag.SCAN_THREAD) == block.data
    pair.dtl_reassess(20)
    assert own[1].disk.read(LABEL_START, 4096) == block.data
    three = attach(pair.children[0], Leaf(own[2]), txg=21, replacing=True)
    assert [row[1] for row in root.status()][1:4] == ["mirror-0", "replacing-0", "c0t0d0"]
    assert block.get(pair, Flag.RESILVER | Flag.SCAN_THREAD) == block.data
    pair.dtl_reassess(21)
    detach(three.children[0])
    assert [row[1] for row in root.status()] == ["root", "mirror-0", "c0t2d0", "c0t1d0"]
    assert own[2].disk.read(LABEL_START, 4096) == block.data
    detach(root.children[0].children[1])
    assert [row[1] for row in root.status()] == ["root", "c0t2d0"]
    with pytest.raises(Busy, match="too small"):
        attach(root.children[0], Leaf(MemoryDisk(SIZE // 2)), txg=22)
    with pytest.raises(Unsupported):
        detach(root.children[0])


def test_a_tree_is_built_from_its_configuration() -> None:
    own = {n: disk for n, disk in enumerate(disks(6))}
    tree = Root([
        Raidz([Leaf(own[0], guid=10), Leaf(own[1], guid=11), Replacing([Leaf(own[2], guid=12), Leaf(own[3], guid=13)])], 1),
        Mirror([FileLeaf(own[4], guid=14), Leaf(own[5], guid=15)], ashift=12),
    ])  # fmt: skip
    tree.children[1].children[1].offline()
    made = config(tree)
    assert made["children"][0]["nparity"] == 1 and made["children"][1]["ashift"] == 12
    again = build(made, lambda leaf: own[leaf["guid"] - 10] if leaf["guid"] != 11 else None)
    assert config(again) == made
    assert again.children[0].children[1].state == State.CANT_OPEN
    for wrong in ({"type": "mirror"}, {"type": "raidz", "nparity": 3, "children": made["children"]}):
        with pytest.raises(CorruptPool):
            build(wrong, lambda _: None)
    with pytest.raises(Unsupported):
        build({"type": "draid", "children": []}, lambda _: None)


# What can be watched


def watched(description: str, act) -> list[tuple]:
    heard = []
    with probes.subscribe(lambda probe, args, context: heard.append((probe.function, probe.name, args)), description):
        act()
    return heard


def test_the_probes_show_a_self_healing_read_in_order() -> None:
    vdev, own = mirror()
    block = Block(random.Random(1), 4096, 0).put(vdev)
    rot(own[0].disk, LABEL_START, 4096, 1, random.Random(1))
    heard = []
    with probes.subscribe(lambda probe, args, context: heard.append((probe, args))):
        block.get(vdev)
    assert [probe.name if probe.provider == "io" else probe.function for probe, _ in heard] == [
        "vdev_mirror_io_start",
        "start", "done", "zio_checksum_error", "zio_checksum_error", "zfs_ereport_start_checksum", "vdev_stat_update",
        "start", "done", "zio_checksum_error", "zio_checksum_error", "vdev_stat_update",
        "vdev_mirror_io_done",
        "start", "done", "vdev_stat_update", "vdev_stat_update",
    ]  # fmt: skip
    zios = [args[0] for probe, args in heard if probe.function == "vdev_stat_update"]
    assert [zio.describe() for zio in zios] == [
        "read c0t0d0 0x1000 bytes at 0x400000: ECKSUM", "read c0t1d0 0x1000 bytes at 0x400000: ok",
        "repair c0t0d0 0x1000 bytes at 0x400000: ok", "read mirror-0 0x1000 bytes at 0x0: ok",
    ]  # fmt: skip
    assert [args[1] for probe, args in heard if (probe.function, probe.name) == ("zio_checksum_error", "return")] == [ECKSUM, 0]
    assert isinstance(zios[0], Zio) and zios[0].io_vd.vdev_path == "c0t0d0"


def test_the_io_provider_has_block_numbers_and_device_names() -> None:
    vdev, own = raidz(3, 1)
    block = Block(random.Random(1), 1024, 0x600)
    heard = watched("io:::start", lambda: block.put(vdev))
    assert [(a[0].b_blkno, a[0].b_bcount, a[0].b_flags & 0x140, a[1].dev_statname, a[2].fi_name) for _, _, a in heard] == [
        (8192 + 1, 512, 0x100, "c0t0d0", "<none>"), (8192 + 1, 512, 0x100, "c0t1d0", "<none>"),
        (8192 + 1, 512, 0x100, "c0t2d0", "<none>"),
    ]  # fmt: skip
    own[2].add(UnreadableSector(LABEL_START + 0x200))
    done = watched("io:::done", lambda: block.get(vdev))
    assert [args[0].b_error for *_, args in done].count(5) == 1


def test_states_and_dirty_time_logs_are_shown_where_they_change() -> None:
    vdev, own = mirror()
    own[1].add(Gone())
    block = Block(random.Random(1), 512, 0)
    heard = []
    with probes.subscribe(lambda probe, args, context: heard.append((probe.function, args)), "fbt:zfs:vdev_*:"):
        block.put(vdev)
    shown = [(name, args[0].name, *args[1:]) for name, args in heard if name in ("vdev_set_state", "vdev_dtl_dirty")]
    assert shown == [
        ("vdev_set_state", "c0t1d0", 0, State.REMOVED, Aux.NONE), ("vdev_set_state", "mirror-0", 0, State.DEGRADED, Aux.NONE),
        ("vdev_dtl_dirty", "c0t1d0", 0, 10, 1),
    ]  # fmt: skip
