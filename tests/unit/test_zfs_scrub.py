"""Scrub, resilver, replacement, spares: what is bad or missing is made right again, and counted."""

import random

import pytest

from smartos.zfs.campaign.workload import Workload, differences, on_disk
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.disk.faults import FaultyDisk, Gone, rot
from smartos.zfs.errors import Busy, ChecksumError, NoSuchName, PoolFaulted, Unsupported
from smartos.zfs.live.scan import RESILVER, SCRUB
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev.leaf import Leaf
from smartos.zfs.vdev.zio import Flag, Zio
from tests.unit.zfs_pools import SIZE, devices, pool, sound

SHAPES = (("mirror", 2), ("mirror", 3), ("raidz", 3), ("raidz2", 4), ("raidz3", 5))
DATA = 4 << 20


def faulty(kind: str, count: int, seed: int = 1, **options: object) -> tuple[Spa, list[FaultyDisk], Workload]:
    own = [FaultyDisk(MemoryDisk(SIZE, f"c0t{n}d0"), seed=n) for n in range(count)]
    spa = Spa.create("tank", [(kind, *own)], seed=seed, **options)
    work = Workload(spa, seed)
    work.run(60)
    work.sync()
    return spa, own, work


def states(spa: Spa) -> dict[str, str]:
    return {row[1]: row[2] for row in spa.status().rows}


def whole(spa: Spa, work: Workload) -> None:
    """All copies of all blocks are right, and the files are what the model says."""
    work.sync()
    sound(spa)
    assert not differences(work.state(), on_disk(devices(spa))[1])


@pytest.mark.parametrize(("kind", "count"), SHAPES)
def test_a_scrub_repairs_a_rotten_disk(kind: str, count: int) -> None:
    spa, own, work = faulty(kind, count)
    rot(own[1].disk, DATA, 8 << 20, 5000, random.Random(3))
    spa.scan.start()
    spa.scan.wait()
    status = spa.status()
    assert spa.scan.func == SCRUB and spa.scan.repaired > 0 and not status.errors
    assert {row[1]: row[5] > 0 for row in status.rows if row[0] == 2} == {d.name: d is own[1] for d in own}
    assert "with 0 errors" in status.scan
    whole(spa, work)
    repaired = spa.scan.repaired
    spa.scan.start()
    spa.scan.wait()
    assert spa.scan.repaired == 0 and repaired


@pytest.mark.parametrize(("kind", "count"), SHAPES)
def test_a_scrub_counts_each_repaired_byte_once(kind: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As vdev_stat_update() does, which adds to scn_processed what a scan's repairs write to a leaf."""
    spa, own, _ = faulty(kind, count)
    rot(own[1].disk, DATA, 8 << 20, 5000, random.Random(3))
    written, repair = [], Leaf.repair

    def counted(leaf: Leaf, offset: int, data: bytes, zio: Zio, unexpected: bool) -> None:
        if zio.io_flags & Flag.SCAN_THREAD:  # not what the way to a block heals by an ordinary read
            written.append(len(data))
        repair(leaf, offset, data, zio, unexpected)

    monkeypatch.setattr(Leaf, "repair", counted)
    spa.scan.start()
    spa.scan.wait()
    assert written and spa.scan.repaired == sum(written)


@pytest.mark.parametrize(("kind", "count"), SHAPES)
def test_a_disk_that_comes_back_gets_what_it_missed_and_no_more(kind: str, count: int) -> None:
    spa, own, work = faulty(kind, count)
    spa.offline("c0t0d0")
    assert states(spa)["c0t0d0"] == "OFFLINE" and states(spa)["tank"] == "DEGRADED"
    work.run(15)
    work.sync()
    leaf = spa.leaf("c0t0d0")
    assert leaf.dtl.first > 4 and leaf.dtl.last == spa.uberblock.txg
    spa.online("c0t0d0")
    spa.scan.wait()
    assert spa.scan.func == RESILVER and not leaf.dtl
    assert 0 < spa.scan.examined < spa.metaslabs.allocated  # pruned by txg
    assert states(spa)["tank"] == "ONLINE"
    whole(spa, work)


def test_what_a_disk_missed_is_remembered_over_an_import() -> None:
    spa, own, work = faulty("mirror", 2)
    spa.offline("c0t1d0")
    work.run(10)
    work.sync()
    again = Spa.import_(own)
    assert again.leaf("c0t1d0").dtl.last >= spa.leaf("c0t1d0").dtl.first
    work.pool = again
    again.online("c0t1d0")
    again.scan.wait()
    assert not again.leaf("c0t1d0").dtl
    whole(again, work)


@pytest.mark.parametrize(("kind", "count"), SHAPES)
def test_a_replaced_disk_leaves_when_the_new_one_is_full(kind: str, count: int) -> None:
    spa, own, work = faulty(kind, count)
    spa.scan.limit = 1  # one dataset each txg, so that the replacement can be seen
    new = MemoryDisk(SIZE, "c1t0d0")
    spa.replace("c0t1d0", new)
    assert "replacing-1" in states(spa) and spa.scan.running
    with pytest.raises(Busy):
        spa.scan.start()
    work.run(20)
    while spa.scan.running:
        work.sync()
        spa.open("tank").write("/busy", b"x")
        work.model["tank"].files["/busy"] = b"x"
    assert "replacing-1" not in states(spa) and "c0t1d0" not in states(spa)
    assert devices(spa)[1] is new
    whole(spa, work)
    with pytest.raises(NoSuchName):
        spa.leaf("c0t1d0")


def test_a_hot_spare_stands_in_and_goes_back() -> None:
    spare = MemoryDisk(SIZE, "c9t0d0")
    own = [FaultyDisk(MemoryDisk(SIZE, f"c0t{n}d0"), seed=n) for n in range(3)]
    spa = Spa.create("tank", [("raidz", *own)], spares=[spare])
    work = Workload(spa, 2)
    work.run(30)
    assert spa.status().spares == [("c9t0d0", "AVAIL")]
    own[2].add(Gone())
    work.run(10)
    work.sync()
    assert states(spa)["c0t2d0"] == "REMOVED"
    assert spa.kick_spares() == ["c9t0d0"]
    spa.scan.wait()
    assert spa.status().spares == [("c9t0d0", "INUSE")] and states(spa)["spare-2"] == "DEGRADED"
    whole(spa, work)
    own[2].back()
    spa.online("c0t2d0")
    spa.scan.wait()
    spa.detach("c9t0d0")
    assert spa.status().spares == [("c9t0d0", "AVAIL")] and states(spa)["tank"] == "ONLINE"
    whole(spa, work)
    again = Spa.import_([*own, spare])
    assert again.status().spares == [("c9t0d0", "AVAIL")]


def test_a_spare_stays_when_the_disk_is_given_up() -> None:
    spare = MemoryDisk(SIZE, "c9t0d0")
    spa, own, work = faulty("mirror", 2)
    spa.add(spares=[spare])
    own[0].add(Gone())
    work.run(10)
    work.sync()
    spa.kick_spares()
    spa.scan.wait()
    spa.detach("c0t0d0")
    assert not spa.status().spares and states(spa) == {
        "tank": "ONLINE",
        "mirror-0": "ONLINE",
        "c9t0d0": "ONLINE",
        "c0t1d0": "ONLINE",
    }
    whole(spa, work)


def test_attach_makes_a_mirror_and_detach_unmakes_it() -> None:
    spa = pool()
    work = Workload(spa, 4)
    work.run(30)
    second = MemoryDisk(SIZE, "c1t0d0")
    spa.attach("c0t0d0", second)
    spa.scan.wait()
    assert states(spa)["mirror-0"] == "ONLINE"
    spa.detach("c0t0d0")
    work.run(20)
    whole(spa, work)
    assert devices(spa) == [second]
    with pytest.raises(Unsupported):
        spa.detach("c1t0d0")
    with pytest.raises(Busy):
        spa.attach("c1t0d0", MemoryDisk(SIZE // 2, "small"))


def test_an_added_vdev_takes_its_share() -> None:
    spa = pool("mirror", 2)
    before = spa.metaslabs.space
    spa.add(("mirror", MemoryDisk(SIZE, "c1t0d0"), MemoryDisk(SIZE, "c1t1d0")))
    work = Workload(spa, 4)
    work.run(60)
    whole(spa, work)
    assert spa.metaslabs.space == 2 * before and spa.metaslabs.groups[1].allocated > 10_000
    again = Spa.import_(devices(spa))
    assert len(again.metaslabs.groups) == 2


def test_reading_heals_on_the_way() -> None:
    spa, own, work = faulty("mirror", 2)
    data = random.Random(8).randbytes(60_000)
    spa.open("tank").write("/f", data)
    spa.sync()
    for disk in own[:1]:
        rot(disk.disk, DATA, 10 << 20, 20_000, random.Random(5))
    spa.read._cache.clear()
    spa.read._cached = 0
    assert spa.open("tank").read("/f") == data
    assert (
        sum(leaf.stat.vs_self_healed for leaf in spa.root.leaves()) > 0
        or spa.leaf("c0t0d0").stat.vs_checksum_errors == 0
    )
    spa.scan.start()
    spa.scan.wait()
    assert spa.scan.errors == 0


def test_a_bad_copy_of_metadata_on_a_single_disk_is_mended_from_its_ditto() -> None:
    own = MemoryDisk(SIZE, "d")
    spa = Spa.create("tank", [own])
    work = Workload(spa, 6)
    work.run(40)
    work.sync()
    pointer = spa.dp.mos.root
    rot(own, DATA + pointer.dvas[0].offset, pointer.psize, 20, random.Random(1))
    again = Spa.import_([own])
    again.scan.start()
    again.scan.wait()
    assert again.scan.errors == 0
    work.pool = again
    whole(again, work)


def test_data_without_a_second_copy_are_lost_and_said_to_be() -> None:
    own = MemoryDisk(SIZE, "d")
    spa = Spa.create("tank", [own])
    spa.open("tank").write("/f", random.Random(7).randbytes(3000))
    spa.sync()
    pointer = next(e for e in reversed(spa.events.events) if e.type == "ZFS plain file").new[0]
    rot(own, DATA + pointer.offset, 3072, 9, random.Random(1))
    again = Spa.import_([own])
    with pytest.raises(ChecksumError):
        again.open("tank").read("/f")
    again.scan.start()
    again.scan.wait()
    number = again.open("tank").lookup("/f")
    assert again.scan.errors == 1 and again.status().errors == [f"tank:{number}:0:0"]


def test_what_would_lose_data_is_refused() -> None:
    spa, own, _ = faulty("raidz", 3)
    spa.offline("c0t0d0")
    with pytest.raises(Busy):
        spa.offline("c0t1d0")
    with pytest.raises(Unsupported):
        spa.detach("c0t1d0")
    with pytest.raises(PoolFaulted):
        Spa.import_(own[:1])
