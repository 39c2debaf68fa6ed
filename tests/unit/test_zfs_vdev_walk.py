"""Pools whose vdev tree changes while they are written to: everything that holds a vdev holds the one that is there now.

A short form of the vdev campaign, the cases that it was made for one by one, and the power that fails in the middle of
a change; `make campaign` runs two thousand walks.
"""

import random
from collections.abc import Callable

import pytest

from smartos.zfs.campaign.vdev import vdev_campaign
from smartos.zfs.campaign.workload import on_disk
from smartos.zfs.disk.disk import MemoryDisk, Recorder, Write, replay
from smartos.zfs.disk.faults import FaultyDisk, Gone
from smartos.zfs.errors import PoolFaulted
from smartos.zfs.format.label import DATA_OFFSET, END_SIZE
from smartos.zfs.live.scan import RESILVER, SCRUB
from smartos.zfs.spa.spa import Spa
from tests.unit.zfs_pools import SIZE, devices, pool, sound


def disk(name: str) -> FaultyDisk:
    return FaultyDisk(MemoryDisk(SIZE, name))


@pytest.mark.parametrize("seed", range(6))
def test_a_walk_over_changes_of_the_vdev_tree_loses_nothing(seed: int) -> None:
    tally = vdev_campaign(seed, steps=10)
    assert not tally.failures, tally.describe()


def test_a_mirror_may_lose_the_disk_that_it_was_made_from() -> None:
    for lose in ("offline", "pull"):
        first, second = disk("d1"), disk("d4")
        spa = Spa.create("t", [first])
        spa.attach("d1", second)
        spa.scan.wait()
        if lose == "offline":
            spa.offline("d1")
        else:
            first.add(Gone())
        spa.open("t").write("/f", b"written to the one that is left" * 1000)
        spa.sync()
        assert spa.health() == "DEGRADED" and spa.open("t").read("/f")
        sound(spa)


def test_a_disk_of_a_stripe_may_become_a_mirror_and_a_disk_again() -> None:
    spa = Spa.create("t", [disk("a"), disk("b")])
    spa.attach("b", disk("c"))
    spa.scan.wait()
    assert [group.vdev for group in spa.metaslabs.groups] == spa.root.children
    spa.detach("b")
    assert [group.vdev.name for group in spa.metaslabs.groups] == ["a", "c"]
    spa.open("t").write("/f", bytes(range(256)) * 4000)
    spa.export()
    assert on_disk(devices(spa))[1]["t"]["/f"] == bytes(range(256)) * 4000


def test_a_disk_that_takes_a_mirror_s_place_takes_its_guid() -> None:
    """So that a disk which was detached while it was away belongs to an older version of the same vdev."""
    spa = pool("mirror", 2)
    guid, left = spa.root.children[0].guid, spa.root.children[0].children[0]
    spa.offline("c0t1d0")
    stale = spa.leaf("c0t1d0").disk
    spa.detach("c0t1d0")
    assert spa.root.children == [left] and left.guid == guid
    spa.open("tank").write("/f", b"later")
    spa.export()
    again = Spa.import_([stale, left.disk])
    assert again.open("tank").read("/f") == b"later" and [leaf.disk for leaf in again.root.leaves()] == [left.disk]


def test_what_a_disk_missed_goes_with_it_to_another_guid() -> None:
    spa = pool("mirror", 3)
    spa.offline("c0t0d0")
    spa.open("tank").write("/f", b"missed" * 3000)
    spa.sync()
    spa.scan.limit = 1
    spa.online("c0t0d0")  # a resilver begins, one dataset a transaction group
    assert spa.scan.running and spa.leaf("c0t0d0").dtl
    spa.detach("c0t1d0")
    spa.offline("c0t0d0")
    again = Spa.import_(devices(spa))
    assert list(again.leaf("c0t0d0").dtl) == list(spa.leaf("c0t0d0").dtl) != []


CHANGES: dict[str, tuple[str, int, Callable[[Spa, list], None]]] = {
    "attach": ("", 1, lambda spa, new: spa.attach("c0t0d0", new[0])),
    "attach in a mirror": ("mirror", 2, lambda spa, new: spa.attach("c0t0d0", new[0])),
    "detach to a disk": ("mirror", 2, lambda spa, new: spa.detach("c0t0d0")),
    "detach": ("mirror", 3, lambda spa, new: spa.detach("c0t0d0")),
    "replace": ("raidz", 3, lambda spa, new: (spa.replace("c0t0d0", new[0]), spa.scan.wait())),
    "offline": ("mirror", 2, lambda spa, new: spa.offline("c0t1d0")),
    "add": ("", 1, lambda spa, new: spa.add(new[0])),
    "add a spare": ("mirror", 2, lambda spa, new: spa.add(spares=[new[0]])),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_power_cut_in_a_change_of_devices_leaves_the_pool_before_or_after_it(change: str) -> None:
    kind, count, do = CHANGES[change]
    chance, log = random.Random(1), []
    own = [Recorder(MemoryDisk(SIZE, f"c0t{n}d0"), log) for n in range(count)]
    new = [Recorder(MemoryDisk(SIZE, "c1t0d0"), log)]
    spa = Spa.create("tank", [(kind, *own)] if kind else own)
    spa.open("tank").write("/f", b"there" * 2000)
    spa.sync()
    disks = {each.name: MemoryDisk(SIZE, each.name) for each in (*own, *new)}
    replay(log, disks)
    begun = len(log)
    do(spa, new)
    for entry in [entry for entry in log[begun:] if isinstance(entry, Write)]:
        replay([entry], disks)
        if DATA_OFFSET <= entry.offset < SIZE - END_SIZE and chance.random() < 0.9:
            continue  # labels and uberblocks are what matters: of the rest, one in ten
        again = Spa.import_([each.copy() for each in disks.values()])
        assert again.open("tank").read("/f") == b"there" * 2000, entry
        assert again.status().state in ("ONLINE", "DEGRADED")
        if chance.random() < 0.25:
            again.open("tank").write("/g", b"and goes on")
            again.sync()
            sound(again)


@pytest.mark.parametrize("change", ["attach", "replace", "add", "spare"])
def test_a_disk_that_does_not_answer_is_refused_before_anything_has_changed(change: str) -> None:
    spa, dead = pool("mirror", 2), disk("dead")
    dead.add(Gone())
    before = (spa.status(), [id(node) for _, node in spa.root.walk()], spa.uberblock.txg)
    with pytest.raises(PoolFaulted, match="cannot open 'dead': dead does not answer"):
        {
            "attach": lambda: spa.attach("c0t0d0", dead), "replace": lambda: spa.replace("c0t0d0", dead),
            "add": lambda: spa.add(disk("well"), dead), "spare": lambda: spa.add(spares=[dead]),
        }[change]()  # fmt: skip
    assert (spa.status(), [id(node) for _, node in spa.root.walk()], spa.uberblock.txg) == before
    spa.open("tank").write("/f", b"on")
    spa.sync()
    sound(spa)


def test_a_resilver_begins_anew_for_a_disk_that_comes_back_in_the_middle_of_it() -> None:
    """What had been visited by then would else be taken for mended."""
    spa = pool("raidz", 3)
    spa.offline("c0t0d0")
    for number in range(4):
        spa.open("tank").write(f"/f{number}", bytes([number]) * 20_000)
        spa.sync()
    spa.scan.limit = 1
    spa.replace("c0t2d0", MemoryDisk(SIZE, "c1t0d0"))
    assert spa.scan.running and spa.scan.func == RESILVER
    spa.online("c0t0d0")
    spa.scan.limit = None
    spa.scan.wait()
    assert not spa.leaf("c0t0d0").dtl
    spa.scan.start()
    spa.scan.wait()
    assert (spa.scan.func, spa.scan.repaired, spa.scan.errors) == (SCRUB, 0, 0)


def test_what_a_scrub_could_not_write_is_no_failure_of_the_next_resilver() -> None:
    spa = pool("mirror", 2)
    spa.open("tank").write("/f", b"x" * 9000)
    spa.offline("c0t0d0")
    spa.scan.limit = 1
    spa.scan.start()
    spa.sync()
    spa.scan.limit = None
    spa.online("c0t0d0")
    assert spa.scan.func == RESILVER and not spa.scan.running
    assert not spa.leaf("c0t0d0").dtl and not spa.root.resilver_range()
