"""Snapshots and clones: constant time, exact accounts, and every block freed when nobody holds it, not before."""

import random

import pytest

from smartos.zfs.campaign.workload import Workload
from smartos.zfs.disk.disk import MemoryDisk, Recorder
from smartos.zfs.errors import Busy, ReadOnly, Unsupported
from smartos.zfs.spa.spa import Spa
from tests.unit.zfs_pools import BOTH, SIZE, files, pool, sound

CHANCE = random.Random(2)


@pytest.fixture(params=BOTH)
def spa(request: pytest.FixtureRequest) -> Spa:
    return pool(version=request.param)


def rows(spa: Spa) -> dict:
    return {row.name: row for row in spa.list()}


def test_a_snapshot_keeps_what_was_there(spa: Spa) -> None:
    fs = spa.create("tank/a")
    fs.write("/f", b"one" * 5000)
    spa.snapshot("tank/a@one")
    fs.write("/f", b"two" * 5000)
    fs.write("/g", b"g")
    spa.snapshot("tank/a@two")
    fs.unlink("/f")
    spa.sync()
    assert files(spa, "tank/a@one") == {"/": None, "/f": b"one" * 5000}
    assert files(spa, "tank/a@two") == {"/": None, "/f": b"two" * 5000, "/g": b"g"}
    assert files(spa, "tank/a") == {"/": None, "/g": b"g"}
    assert spa.open("tank/a@one").read("/f") == b"one" * 5000
    with pytest.raises(ReadOnly):
        spa.open("tank/a@one").write("/f", b"")


def test_taking_a_snapshot_costs_the_same_however_large_the_dataset_is() -> None:
    def cost(size: int) -> int:
        log: list = []
        spa = Spa.create("tank", [Recorder(MemoryDisk(SIZE, "d"), log)])
        fs = spa.create("tank/a")
        for number in range(size):
            fs.write(f"/f{number}", CHANCE.randbytes(3000))
        spa.sync()
        spa.sync()
        del log[:]
        spa.snapshot("tank/a@s")
        return sum(hasattr(entry, "data") for entry in log)

    assert abs(cost(1) - cost(300)) <= 8


def test_destroying_a_snapshot_frees_exactly_what_only_it_held(spa: Spa) -> None:
    fs = spa.create("tank/a")
    for name in "abc":
        fs.write(f"/{name}", CHANCE.randbytes(100_000))
    spa.snapshot("tank/a@1")
    fs.unlink("/a")
    spa.snapshot("tank/a@2")
    fs.unlink("/b")
    spa.snapshot("tank/a@3")
    spa.sync()
    for name in ("2", "1", "3"):
        before, own = rows(spa)["tank/a"].used, rows(spa)[f"tank/a@{name}"].used
        spa.destroy(f"tank/a@{name}")
        spa.sync()
        assert before - rows(spa)["tank/a"].used == own
        sound(spa)
    assert rows(spa)["tank/a"].used == rows(spa)["tank/a"].referenced
    assert files(spa, "tank/a").keys() == {"/", "/c"}


def test_accounts_agree_with_what_can_be_reached(spa: Spa) -> None:
    """Referenced and unique bytes of every dataset and snapshot, against the sets of blocks themselves."""
    work = Workload(spa, 21, heavy=9000)
    for _ in range(8):
        work.run(20)
        work.sync()
        blocks = {}
        for each in spa.datasets():
            found = {} if each.phys.bp.hole else {(p.dvas[0], p.birth): p for p in each.objset.blocks()}
            blocks[each.number] = found
            assert sum(spa.dsize(p) for p in found.values()) == each.phys.referenced_bytes
        for each in spa.datasets():
            others = set(blocks.get(each.phys.prev_snap_obj, ()))
            others |= set(blocks[each.phys.next_snap_obj]) if each.is_snapshot else set()
            own = sum(spa.dsize(p) for key, p in blocks[each.number].items() if key not in others)
            assert own == each.phys.unique_bytes, each.name


def test_clones_share_and_go_their_own_way(spa: Spa) -> None:
    fs = spa.create("tank/a")
    fs.write("/f", CHANCE.randbytes(200_000))
    spa.snapshot("tank/a@s")
    clone = spa.clone("tank/a@s", "tank/c")
    assert rows(spa)["tank/c"].used == 0 and rows(spa)["tank/c"].origin == "tank/a@s"
    clone.write("/g", b"clone")
    fs.unlink("/f")
    spa.sync()
    assert clone.read("/f") == spa.open("tank/a@s").read("/f")
    assert files(spa, "tank/c").keys() == {"/", "/f", "/g"} and files(spa, "tank/a").keys() == {"/"}
    with pytest.raises(Busy):
        spa.destroy("tank/a@s")
    spa.destroy("tank/c")
    spa.destroy("tank/a@s")
    spa.sync()
    assert rows(spa)["tank/a"].used < 30_000
    sound(spa)


def test_promotion_turns_origin_and_clone_round(spa: Spa) -> None:
    fs = spa.create("tank/a")
    fs.write("/f", CHANCE.randbytes(50_000))
    spa.snapshot("tank/a@1")
    fs.write("/g", CHANCE.randbytes(50_000))
    spa.snapshot("tank/a@2")
    spa.clone("tank/a@2", "tank/c").write("/h", b"h")
    fs.unlink("/f")
    spa.snapshot("tank/a@3")
    total = rows(spa)["tank"].used
    spa.promote("tank/c")
    spa.sync()
    assert [row.name for row in spa.list("tank/c")] == ["tank/c", "tank/c@1", "tank/c@2"]
    assert rows(spa)["tank/a"].origin == "tank/c@2" and not rows(spa)["tank/c"].origin
    assert abs(rows(spa)["tank"].used - total) < 40_000
    with pytest.raises(Unsupported):
        spa.promote("tank/c")
    spa.destroy("tank/a", recursive=True)
    spa.sync()
    assert files(spa, "tank/c").keys() == {"/", "/f", "/g", "/h"}
    sound(spa)


def test_rolling_back_revives_and_frees(spa: Spa) -> None:
    fs = spa.create("tank/a")
    fs.write("/f", b"f" * 60_000)
    spa.snapshot("tank/a@1")
    referenced = rows(spa)["tank/a"].referenced
    fs.unlink("/f")
    fs.write("/g", b"g" * 90_000)
    spa.snapshot("tank/a@2")
    fs.write("/g", b"h")
    with pytest.raises(Busy):
        spa.rollback("tank/a@1")
    spa.rollback("tank/a@1", destroy_later=True)
    spa.sync()
    assert files(spa, "tank/a") == {"/": None, "/f": b"f" * 60_000}
    row = rows(spa)["tank/a"]
    assert row.referenced == row.used == referenced and row.usedbysnapshots == 0
    fs.write("/again", b"x")
    spa.sync()
    sound(spa)


def test_dead_lists_of_both_ages_are_on_disk_as_their_version_has_them() -> None:
    for version, old in ((23, True), (28, False)):
        spa = pool(version=version)
        fs = spa.create("tank/a")
        for number in range(3):
            fs.write("/f", CHANCE.randbytes(9000))
            spa.snapshot(f"tank/a@{number}")
        head = spa.dp.find("tank/a")
        assert head.deadlist.old is old
        if not old:
            assert len(head.deadlist.keys()) == 4  # one for each snapshot, and one for $ORIGIN
        fs.write("/f", b"")
        spa.sync()
        dead = head.deadlist.pointers()
        assert dead and all(pointer.birth <= head.phys.prev_snap_txg for pointer in dead)
        assert sum(spa.dsize(pointer) for pointer in dead) == head.deadlist.space[0]


def test_a_hundred_snapshots_destroyed_in_any_order_leave_nothing(spa: Spa) -> None:
    spa.events.enabled = False
    fs = spa.create("tank/a")
    for number in range(40):
        fs.write(f"/f{number % 7}", CHANCE.randbytes(CHANCE.randrange(6000)))
        spa.snapshot(f"tank/a@{number}")
    order = list(range(40))
    CHANCE.shuffle(order)
    for count, number in enumerate(order):
        spa.destroy(f"tank/a@{number}")
        if count % 8 == 0:
            sound(spa)
    spa.sync()
    row = rows(spa)["tank/a"]
    assert row.used == row.referenced and row.usedbysnapshots == 0
    sound(spa)
