"""A pool is made, changed in transaction groups, exported and imported; what is on the disks is always whole."""

import struct
from dataclasses import replace

import pytest

from smartos.probes import subscribe
from smartos.zfs.campaign.workload import Workload, differences, on_disk
from smartos.zfs.disk.disk import MemoryDisk, Recorder
from smartos.zfs.disk.faults import FaultyDisk, Gone
from smartos.zfs.dmu.objset import ZilHeader
from smartos.zfs.dmu.space import RangeTree
from smartos.zfs.errors import NoSuchName, NotAPool, PoolFaulted, Unsupported
from smartos.zfs.format import checksum
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.format.label import read_labels
from smartos.zfs.live.txg import PoolSuspended
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import Spa
from tests.unit.zfs_pools import BOTH, SIZE, devices, disks, files, pool, reread, sound

SHAPES = (("", 1), ("", 3), ("mirror", 2), ("raidz", 3), ("raidz2", 5), ("raidz3", 5))


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("kind", "count"), SHAPES)
def test_a_new_pool_of_any_shape_is_whole_and_holds_what_is_written(kind: str, count: int, version: int) -> None:
    if kind == "raidz3" and version < 17:
        pytest.skip("raidz3 begins with version 17")
    spa = pool(kind, count, version=version)
    home = spa.create("tank/home")
    home.write("/hello", b"world")
    spa.sync()
    assert files(spa, "tank/home") == {"/": None, "/hello": b"world"}
    assert sound(spa).count > 30
    assert reread(spa).version == version


def test_what_is_not_synced_is_seen_in_memory_and_not_on_disk() -> None:
    spa = pool()
    home = spa.create("tank/home")
    home.write("/hello", b"world")
    assert home.read("/hello") == b"world"
    assert files(spa, "tank/home") == {"/": None}


def test_a_synced_txg_leaves_one_uberblock_more_in_every_label() -> None:
    spa = pool()
    before = spa.uberblock.txg
    spa.open("tank").write("/a", b"a")
    spa.sync()
    labels = read_labels(devices(spa)[0])
    assert [label.best.txg for label in labels] == [before + 1] * 4
    assert len(labels[0].uberblocks) == before + 1 - 3  # the first txg is 4


def test_an_idle_txg_writes_nothing() -> None:
    log: list = []
    spa = Spa.create("tank", [Recorder(MemoryDisk(SIZE, "d"), log)])
    spa.sync()
    length, txg = len(log), spa.txg.synced
    spa.sync()
    assert len(log) == length and spa.txg.synced == txg + 1


def test_the_uberblock_comes_last_and_everything_before_it_is_flushed() -> None:
    log: list = []
    spa = Spa.create("tank", [Recorder(MemoryDisk(SIZE, "d"), log)])
    del log[:]
    spa.open("tank").write("/a", b"a" * 5000)
    spa.sync()
    kinds = [
        "flush"
        if not hasattr(entry, "data")
        else "label"
        if entry.offset < 4 << 20 or entry.offset > SIZE - (1 << 19)
        else "data"
        for entry in log
    ]
    assert kinds.index("flush") > max(n for n, kind in enumerate(kinds) if kind == "data")
    assert kinds[kinds.index("flush") :] == ["flush", "label", "label", "label", "label", "flush"]


def test_copy_on_write_never_touches_what_the_last_txg_refers_to() -> None:
    """The addresses of the next group's writes were free, from the leaf to the root; labels apart."""
    log: list = []
    spa = Spa.create("tank", [Recorder(MemoryDisk(SIZE, "d"), log)])
    work = Workload(spa, 7)
    work.run(40)
    work.sync()
    for number in range(5):
        held = RangeTree(list(next(iter(sound(spa).vdevs.values())).referenced))
        del log[:]
        spa.open("tank").write(f"/more{number}", b"x" * 3000)
        spa.sync()
        data = [e for e in log if hasattr(e, "data") and 4 << 20 <= e.offset < SIZE - (1 << 19)]
        assert data
        for entry in data:
            assert not held.overlap(entry.offset - (4 << 20), entry.offset - (4 << 20) + len(entry.data))


def test_the_events_of_a_txg_go_from_the_leaf_to_the_uberblock() -> None:
    spa = pool()
    home = spa.create("tank/home")
    home.write("/a", b"a" * 3000)
    spa.sync()
    home.write("/a", b"b" * 3000)
    txg = spa.sync()
    events = spa.events.of(txg)
    writes = [event for event in events if event.kind == "write" and event.where.dataset == "tank/home"]
    assert [(e.where.object > 0, e.where.level, e.type) for e in writes][:1] == [(True, 0, "ZFS plain file")]
    assert [e.type for e in writes][-2:] == ["DMU dnode", "DMU objset"]
    assert all(event.old and event.new and not set(event.old) & set(event.new) for event in writes)
    order = [event.kind for event in events]
    mos = max(n for n, e in enumerate(events) if e.kind in ("write", "rewrite") and e.where.dataset == "MOS")
    assert mos < order.index("flush") < order.index("uberblock") < order.index("synced")
    assert events[mos].where.level == -1  # the MOS's root
    assert "freed" not in order and order.count("free") >= len(writes)


def test_a_txg_converges_in_few_passes() -> None:
    spa = pool()
    work = Workload(spa, 3)
    passes = []
    for _ in range(100):
        work.step()
        passes.append(spa.passes)
    assert max(passes) <= 8 and max(passes) >= 3


def test_frees_are_not_reused_before_the_uberblock_is_safe() -> None:
    spa = pool()
    home = spa.create("tank/home")
    home.write("/a", bytes(range(256)) * 40)
    spa.sync()
    old = [e.new[0] for e in spa.events if e.kind == "write" and e.type == "ZFS plain file"][-1]
    home.unlink("/a")
    freed = spa.sync()
    metaslab = spa.metaslabs.group(old.vdev).metaslab(old.offset)
    for _ in range(2):
        assert not metaslab.free.overlap(old.offset, old.offset + old.asize)
        home.write("/b", b"b" * 2000)
        spa.sync()
    home.write("/b", b"c" * 2000)
    spa.sync()
    assert metaslab.free.overlap(old.offset, old.offset + old.asize) or spa.uberblock.txg > freed + 2


def test_export_says_so_in_the_labels_and_import_goes_on() -> None:
    spa = pool("mirror", 2)
    spa.create("tank/home").write("/a", b"a" * 100_000)
    spa.export()
    assert read_labels(devices(spa)[0])[0].config["state"] == 1
    again = Spa.import_(devices(spa))
    assert again.uberblock.txg == spa.uberblock.txg and again.guid == spa.guid
    again.open("tank/home").write("/b", b"b")
    again.sync()
    assert set(files(again, "tank/home")) == {"/", "/a", "/b"}
    assert read_labels(devices(again)[0])[0].config["state"] == 0
    sound(again)


@pytest.mark.parametrize("version", BOTH)
def test_a_workload_goes_on_over_imports(version: int) -> None:
    own = disks(3)
    spa = Spa.create("tank", [("raidz", *own)], version=version, seed=11)
    work = Workload(spa, 11)
    for turn in range(5):
        work.run(30)
        work.sync()
        work.pool = Spa.import_(own, seed=turn)
    assert not differences(work.state(), on_disk(own)[1])
    sound(work.pool)


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("seed", range(3))
def test_a_seeded_workload_leaves_no_leak_and_no_wrong_byte(seed: int, version: int) -> None:
    spa = pool(version=version, seed=seed)
    spa.events.enabled = False
    work, last = Workload(spa, seed, heavy=12_000), 0
    for _ in range(90):
        work.step()
        if spa.uberblock.txg != last:
            last = spa.uberblock.txg
            report, root = sound(spa), spa.dp.root_dir.phys
            allocated = sum(space.allocated.space for space in report.vdevs.values())
            assert allocated == root.used_bytes + spa.deferred.space[0]
            for each in spa.dp.dirs.values():
                assert sum(each.phys.used_breakdown) == each.phys.used_bytes and min(each.phys.used_breakdown) >= 0
    work.sync()
    assert not differences(work.state(), on_disk(devices(spa))[1])


def test_the_newest_uberblock_on_any_device_counts() -> None:
    """A device that did not get the last label writes does not lead the pool back."""
    spa = pool("mirror", 2)
    spa.open("tank").write("/a", b"a")
    spa.sync()
    stale = devices(spa)[0].copy()
    spa.open("tank").write("/b", b"b")
    spa.sync()
    again = Spa.import_([stale, devices(spa)[1]])
    assert again.uberblock.txg == spa.uberblock.txg
    assert again.open("tank").listdir() == ["a", "b"]


def test_pools_that_cannot_be_made_or_imported_say_why() -> None:
    with pytest.raises(Unsupported):
        pool(version=29)
    with pytest.raises(Unsupported):
        pool("raidz2", 2)
    with pytest.raises(PoolFaulted):
        Spa.create("tank", disks(1, 1 << 20))
    with pytest.raises(NotAPool):
        Spa.import_(disks(1))
    spa = pool("", 2)
    with pytest.raises(PoolFaulted):
        Spa.import_(devices(spa)[:1])
    with pytest.raises(NoSuchName):
        spa.open("tank/nothing")


def logged(records: int) -> MemoryDisk:
    """A pool whose dataset has an intent log of one block with so many records, and of a next one that nobody wrote
    yet, as a crash leaves it."""
    disk = MemoryDisk(64 << 20, "c0t0d0")
    spa = Spa.create("tank", [disk])
    spa.open("tank").write("/f", b"before")
    place, size, number = 40 << 20, 4096, (7, 9, 21, 1)
    block = b"".join(struct.pack("<4Q", 1, 32, spa.txg.open + 5, seq) for seq in range(1, records + 1))
    pointer = Blkptr(
        dvas=(DVA(0, place, size),), lsize=size, psize=size, compress=2, checksum=checksum.ZILOG, type=dmu.INTENT_LOG,
        birth=spa.txg.open + 5, cksum=number, little=True,
    )  # fmt: skip
    following = replace(pointer, dvas=(DVA(0, place + size, size),), cksum=(*number[:3], number[3] + 1))
    tail = bytes(8) + following.pack() + struct.pack("<Q", len(block))
    block = block.ljust(size - len(tail) - checksum.ECK_SIZE, b"\0") + tail + bytes(checksum.ECK_SIZE)
    head = spa.open("tank").objset
    head.phys.zil_header = ZilHeader(log=pointer)
    head.mark(head.meta)
    spa.sync()
    spa.root.children[0].write(place, checksum.seal(block, number, checksum.ZILOG))
    return disk


def test_an_intent_log_that_waits_is_found_and_what_makes_no_sense_in_it_is_told_of() -> None:
    disk = logged(records=3)
    found = Pool.open([disk]).dataset("tank")
    assert [(block.readable, block.records) for block in found.intent_log()] == [(True, 3), (False, 0)]
    assert found.unreplayed() == 3
    assert found.filesystem().read(found.filesystem().lookup("/f")) == b"before", "the pool is shown as it was"
    spa = Spa.import_([disk])
    assert [each.trouble for each in spa.replayed] == ["record 1: there is no directory with object number 0"]
    assert spa.open("tank").read("/f") == b"before"
    sound(spa)


def test_an_intent_log_with_nothing_in_it_is_given_up() -> None:
    disk = logged(records=0)
    spa = Spa.import_([disk])
    spa.open("tank").write("/g", b"after")
    spa.sync()
    assert Pool.open([disk]).dataset("tank").intent_log() == []
    sound(spa)


def test_a_pool_that_cannot_write_is_suspended() -> None:
    disk = FaultyDisk(MemoryDisk(SIZE, "d"))
    spa = Spa.create("tank", [disk])
    spa.open("tank").write("/a", b"a")
    disk.add(Gone())
    with pytest.raises(PoolSuspended):
        spa.sync()
    assert spa.health() == "SUSPENDED"
    with pytest.raises(PoolSuspended):
        spa.open("tank").write("/b", b"b")


def test_probes_fire_with_the_names_of_the_real_functions() -> None:
    spa, seen = pool(), []
    home = spa.create("tank/home")
    with subscribe(lambda probe, args, context: seen.append((probe.function, args)), "fbt:zfs::entry"):
        home.write("/a", b"a" * 1000)
        txg = spa.sync()
        spa.snapshot("tank/home@one")
    names = [name for name, _ in seen]
    order = ["zfs_write", "txg_quiesce", "spa_sync", "dsl_pool_sync", "dmu_objset_sync", "dnode_sync", "zio_write",
             "metaslab_alloc_dva", "vdev_config_sync", "vdev_uberblock_sync", "dsl_dataset_snapshot_sync"]  # fmt: skip
    assert [names.index(name) for name in order] == sorted(names.index(name) for name in order)
    assert next(args for name, args in seen if name == "spa_sync") == (spa, txg)


def test_time_comes_from_the_clock_that_was_given() -> None:
    ticks = iter(range(1_000_000, 2_000_000))
    spa = pool(clock=lambda: next(ticks))
    spa.open("tank").write("/a", b"a")
    spa.sync()
    assert 1_000_000 <= spa.uberblock.timestamp < 1_000_100
    assert pool(seed=5).uberblock.pack() == pool(seed=5).uberblock.pack()


@pytest.mark.parametrize("version", [14, 29])
def test_a_version_whose_files_are_not_written_here_is_refused(version: int) -> None:
    with pytest.raises(Unsupported, match=f"versions 15 to 28 here, not {version}"):
        pool(version=version)
