"""Quotas, reservations and properties have the effect that they have in the real system."""

import random

import pytest

from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.errors import Busy, Exists, InvalidName, NoSpace, Unsupported
from smartos.zfs.format import types as dmu
from smartos.zfs.live.dsl_dir import QuotaExceeded
from smartos.zfs.spa.spa import Spa
from tests.unit.zfs_pools import files, pool, reread, sound

MIB = 1 << 20
CHANCE = random.Random(4)


def fill(spa: Spa, name: str, upto: int) -> int:
    """Write files of 256 KiB until an error; how many bytes went in."""
    fs, written = spa.open(name), 0
    for number in range(upto // (256 << 10)):
        fs.write(f"/fill{number}", CHANCE.randbytes(256 << 10))
        written += 256 << 10
    return written


def rows(spa: Spa) -> dict:
    return {row.name: row for row in spa.list()}


def test_a_quota_holds_for_a_dataset_and_all_below_it() -> None:
    spa = pool()
    spa.create("tank/a", quota="2M")
    spa.create("tank/a/b")
    with pytest.raises(QuotaExceeded):
        fill(spa, "tank/a/b", 8 * MIB)
    spa.sync()
    used = rows(spa)["tank/a"].used
    assert 2 * MIB <= used < 2.4 * MIB and rows(spa)["tank/a/b"].available == 0
    spa.open("tank/a/b").unlink("/fill0")  # a net free is let through
    spa.sync()
    assert rows(spa)["tank/a"].available > 0
    with pytest.raises(NoSpace):
        spa.set("tank/a", quota="1M")
    spa.set("tank/a", quota="none")
    fill(spa, "tank/a", MIB)
    sound(spa)


def test_a_refquota_does_not_count_snapshots() -> None:
    spa = pool()
    spa.create("tank/a", refquota="1M")
    with pytest.raises(QuotaExceeded):
        fill(spa, "tank/a", 4 * MIB)
    spa.snapshot("tank/a@s")
    fs = spa.open("tank/a")
    for name in fs.listdir():
        fs.unlink(f"/{name}")
    spa.sync()
    assert rows(spa)["tank/a"].available > 900_000
    fill(spa, "tank/a", MIB // 2)
    sound(spa)


def test_a_reservation_is_taken_from_everybody_else() -> None:
    spa = pool()
    before = rows(spa)["tank"].available
    spa.create("tank/a", reservation="5M")
    spa.create("tank/b")
    assert before - 5.2 * MIB < rows(spa)["tank/b"].available < before - 4.9 * MIB
    assert rows(spa)["tank/a"].available > rows(spa)["tank/b"].available + 4.9 * MIB
    with pytest.raises(NoSpace):
        fill(spa, "tank/b", 64 * MIB)
    spa.sync()
    assert fill(spa, "tank/a", 4 * MIB) == 4 * MIB
    spa.sync()
    sound(spa)
    with pytest.raises(NoSpace):
        spa.set("tank/b", reservation="40M")


def test_a_refreservation_is_charged_anew_when_a_snapshot_takes_the_space() -> None:
    spa = pool()
    spa.create("tank/a", refreservation="4M")
    fill(spa, "tank/a", 2 * MIB)
    spa.sync()
    row = rows(spa)["tank/a"]
    assert abs(row.usedbydataset + row.usedbyrefreservation - 4 * MIB) < 1000 and row.used == rows(spa)["tank/a"].used
    spa.snapshot("tank/a@s")
    row = rows(spa)["tank/a"]
    assert row.usedbyrefreservation == 4 * MIB and row.used > 6 * MIB
    spa.destroy("tank/a@s")
    spa.sync()
    row = rows(spa)["tank/a"]
    assert abs(row.usedbydataset + row.usedbyrefreservation - 4 * MIB) < 1000
    spa.destroy("tank/a")
    spa.sync()
    assert spa.dp.root_dir.phys.used_breakdown[3] == 0
    sound(spa)


def test_a_volume_reserves_its_size_unless_it_is_sparse() -> None:
    spa = pool()
    before = rows(spa)["tank"].available
    spa.create_volume("tank/v", "8M")
    assert before - rows(spa)["tank"].available > 8 * MIB
    spa.create_volume("tank/sparse", "1G", sparse=True)
    with pytest.raises(NoSpace):
        spa.create_volume("tank/w", "100M")


def test_a_full_pool_says_so_and_recovers() -> None:
    spa = pool()
    with pytest.raises(NoSpace) as caught:
        fill(spa, "tank", 64 * MIB)
    assert not isinstance(caught.value, QuotaExceeded)
    spa.sync()
    sound(spa)
    fs = spa.open("tank")
    for name in fs.listdir()[:10]:
        fs.unlink(f"/{name}")
    for _ in range(4):
        spa.sync()
    fs.write("/again", b"x" * 100_000)
    spa.sync()
    assert files(spa, "tank")["/again"] == b"x" * 100_000
    sound(spa)


def test_properties_are_inherited_and_can_be_inherited_again() -> None:
    spa = pool()
    spa.create("tank/a", compression="gzip")
    spa.create("tank/a/b")
    assert spa.get("tank/a/b", "compression") == ("gzip", "inherited from tank/a")
    spa.set("tank/a/b", compression="off", recordsize="4K")
    assert spa.get("tank/a/b", "compression") == ("off", "local")
    spa.inherit("tank/a/b", "compression")
    assert spa.get("tank/a/b", "compression")[1] == "inherited from tank/a"
    assert spa.get("tank", "atime") == ("on", "default")
    assert reread(spa).dataset("tank/a/b").property("recordsize") == (4096, "tank/a/b")
    for wrong in ({"compression": "fast"}, {"copies": 4}, {"recordsize": 1000}, {"quota": "many"}, {"nonsense": 1}):
        with pytest.raises(Unsupported):
            spa.set("tank", **wrong)


def test_datasets_are_renamed_with_all_below_them() -> None:
    spa = pool()
    spa.create("tank/a")
    spa.create("tank/a/b").write("/f", b"f" * 9000)
    spa.create("tank/c", reservation="1M")
    spa.snapshot("tank/a/b@s")
    spa.rename("tank/a/b@s", "t")
    spa.rename("tank/a/b", "tank/c/d")
    assert files(spa, "tank/c/d@t")["/f"] == b"f" * 9000
    for each in spa.dp.dirs.values():
        assert sum(each.phys.used_breakdown) == each.phys.used_bytes and min(each.phys.used_breakdown) >= 0
    with pytest.raises(Busy):
        spa.rename("tank/c", "tank/c/e")
    with pytest.raises(Exists):
        spa.rename("tank/a", "tank/c")
    sound(spa)


def test_what_depends_on_something_keeps_it() -> None:
    spa = pool()
    spa.create("tank/a")
    spa.create("tank/a/b")
    spa.snapshot("tank/a@s", recursive=True)
    spa.clone("tank/a/b@s", "tank/c")
    for name in ("tank", "tank/a", "tank/a/b", "tank/a/b@s"):
        with pytest.raises(Busy):
            spa.destroy(name)
    with pytest.raises(Exists):
        spa.create("tank/a")
    with pytest.raises(Exists):
        spa.snapshot("tank/a@s")
    with pytest.raises(InvalidName):
        spa.create("tank/bad/name@")
    spa.destroy("tank/c")
    spa.destroy("tank/a", recursive=True)
    assert [row.name for row in spa.list()] == ["tank"]
    spa.sync()
    sound(spa)


def test_gang_blocks_are_written_where_no_range_is_long_enough() -> None:
    spa = pool()
    fs = spa.open("tank")
    for _, metaslab in spa.metaslabs.metaslabs():  # nothing longer than 24 KiB is free
        taken = []
        for low, high in metaslab.free:
            taken += [(at, at + 4096) for at in range(low + (24 << 10), high - 4096, 28 << 10)]
        for low, high in taken:
            metaslab.free.remove(low, high)
            metaslab.defer[0].add(low, high)  # as if it had been freed just now
    data = CHANCE.randbytes(500_000)
    fs.write("/f", data)
    spa.sync()
    pointers = [pointer for pointer in fs.objset.blocks() if pointer.gang]
    assert pointers
    assert files(spa, "tank")["/f"] == data
    sound(spa)
    fs.unlink("/f")
    for number in range(4):
        fs.write("/other", bytes([number]) * 100)
        spa.sync()
    sound(spa)


def test_a_new_object_is_found_without_reading_all_others() -> None:
    """In a pool just opened the first free number is looked for by what block pointers say of blocks of dnodes."""
    disk = MemoryDisk(64 << 20)
    pool = Spa.create("tank", [disk])
    for number in range(40):
        pool.create(f"tank/d{number}")
    used = list(pool.dp.mos.objects())
    gap = next(number for number in range(1, used[-1] + 2) if number not in used)
    again = Spa.import_([disk])
    read, nodes = again.read.stats["blocks"], len(again.dp.mos.nodes)
    made = again.dp.mos.allocate(dmu.OBJECT_ARRAY)
    assert made.number == gap and len(used) > 200
    assert again.read.stats["blocks"] - read <= 2 and len(again.dp.mos.nodes) - nodes <= 1
    again.dp.mos.free(made.number)
    again.dp.mos._next = 0
    assert again.dp.mos.allocate(dmu.OBJECT_ARRAY).number == gap
