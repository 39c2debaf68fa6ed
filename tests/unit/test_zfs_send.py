"""Streams: what is sent is received, full and incremental, and whatever is wrong with a stream is found out."""

import random

import pytest

from smartos.zfs.campaign.workload import Workload, differences, on_disk
from smartos.zfs.errors import Busy, ChecksumError, CorruptPool, Exists, NoSuchName, Unsupported, ZfsError
from smartos.zfs.stream import replay
from tests.unit.zfs_pools import BOTH, devices, files, pool, sound

CHANCE = random.Random(6)


@pytest.mark.parametrize("version", BOTH)
def test_a_history_is_sent_snapshot_by_snapshot(version: int) -> None:
    here, there = pool(version=version, seed=1), pool(version=version, seed=2)
    here.create("tank/src")
    work = Workload(here, 5, datasets=1)
    work.model = {"tank/src": work.model.pop("tank")}
    expected, last = {}, ""
    kinds = (work.write, work.overwrite, work.truncate, work.unlink, work.mkdir, work.rename, work.rmdir, work.sync)
    for number in range(6):
        for _ in range(20):
            work.chance.choice(kinds)()
        here.snapshot(f"tank/src@{number}")
        expected[f"tank/dst@{number}"] = dict(work.model["tank/src"].files)
        stream = here.send(f"tank/src@{number}", last)
        snap = there.receive(stream, "tank/dst")
        assert snap.phys.guid == here.dp.find(f"tank/src@{number}").phys.guid
        last = str(number)
    found = on_disk(devices(there))[1]
    assert not differences(expected, {name: each for name, each in found.items() if "@" in name})
    sound(there)
    sent, again = (replay.unpack(spa.send(name, "4")) for spa, name in ((here, "tank/src@5"), (there, "tank/dst@5")))
    assert (sent[0].toguid, sent[0].fromguid) == (again[0].toguid, again[0].fromguid)
    kept = [
        {(each.object, each.offset, each.data) for each in records if each.kind in (replay.OBJECT, replay.WRITE)}
        for _, records in (sent, again)
    ]
    assert kept[0] <= kept[1]


def test_an_incremental_stream_is_as_long_as_the_change_is() -> None:
    spa = pool()
    fs = spa.create("tank/a")
    for number in range(20):
        fs.write(f"/f{number}", CHANCE.randbytes(50_000))
    spa.snapshot("tank/a@1")
    fs.write("/f3", b"changed", 100)
    spa.snapshot("tank/a@2")
    assert len(spa.send("tank/a@2")) > 1_000_000 > 90_000 > len(spa.send("tank/a@2", "1"))


def test_records_say_what_the_snapshot_is() -> None:
    spa = pool()
    spa.create("tank/a").write("/f", b"x" * 700)
    spa.snapshot("tank/a@1")
    begin, records = replay.unpack(spa.send("tank/a@1"))
    assert (begin.toname, begin.fromguid, begin.type, begin.features) == ("tank/a@1", 0, 2, replay.SA_SPILL)
    number = spa.open("tank/a").lookup("/f")
    kinds = [record.kind for record in records if record.object == number]
    assert kinds == [replay.OBJECT, replay.FREE, replay.WRITE]
    assert [r.data for r in records if r.object == number and r.kind == replay.WRITE] == [b"x" * 700 + bytes(324)]


def test_volumes_and_clones_are_sent_too() -> None:
    here, there = pool(seed=1), pool(seed=2)
    here.create_volume("tank/v", "4M").write(8000, b"volume" * 3000)
    here.snapshot("tank/v@1")
    there.receive(here.send("tank/v@1"), "tank/v")
    assert there.open("tank/v").read(8000, 18000) == b"volume" * 3000
    here.create("tank/a").write("/f", b"f" * 5000)
    here.snapshot("tank/a@1")
    here.clone("tank/a@1", "tank/c").write("/g", b"g")
    here.snapshot("tank/c@2")
    there.receive(here.send("tank/a@1"), "tank/a")
    there.receive(here.send("tank/c@2", from_origin=True), "tank/c")
    assert files(there, "tank/c") == {"/": None, "/f": b"f" * 5000, "/g": b"g"}
    assert {row.name: row.origin for row in there.list()}["tank/c"] == "tank/a@1"
    sound(there)


def test_a_changed_destination_is_rolled_back_only_by_force() -> None:
    here, there = pool(seed=1), pool(seed=2)
    fs = here.create("tank/a")
    for number in (1, 2, 3):
        fs.write("/f", CHANCE.randbytes(9000))
        here.snapshot(f"tank/a@{number}")
    there.receive(here.send("tank/a@1"), "tank/a")
    with pytest.raises(Exists):
        there.receive(here.send("tank/a@1"), "tank/a")
    with pytest.raises(NoSuchName):
        there.receive(here.send("tank/a@3", "2"), "tank/a")
    with pytest.raises(NoSuchName):
        there.receive(here.send("tank/a@2", "1"), "tank/other")
    there.open("tank/a").write("/mine", b"mine")
    with pytest.raises(Busy):
        there.receive(here.send("tank/a@2", "1"), "tank/a")
    there.receive(here.send("tank/a@2", "1"), "tank/a", force=True)
    assert files(there, "tank/a") == files(here, "tank/a@2")
    there.receive(here.send("tank/a@3", "2"), "tank/a@renamed")
    assert files(there, "tank/a@renamed") == files(here, "tank/a")
    sound(there)


def test_objects_that_are_reused_for_other_things_arrive() -> None:
    """A number that was a file and is a directory, a file whose blocks grew: nothing old shows through."""
    here, there = pool(seed=1), pool(seed=2)
    fs = here.create("tank/a")
    for number in range(60):
        fs.write(f"/f{number}", CHANCE.randbytes(2000))
    here.snapshot("tank/a@1")
    for number in range(0, 60, 2):
        fs.unlink(f"/f{number}")
    here.sync()
    fs.objset._next = 0  # as after an import: free numbers are taken again
    for number in range(30):
        fs.mkdir(f"/d{number}")
    fs.write("/f1", CHANCE.randbytes(300_000))
    fs.truncate("/f3", 10)
    here.snapshot("tank/a@2")
    there.receive(here.send("tank/a@1"), "tank/a")
    there.receive(here.send("tank/a@2", "1"), "tank/a")
    assert files(there, "tank/a") == files(here, "tank/a@2")
    sound(there)


def test_every_damaged_stream_is_refused() -> None:
    spa, there = pool(seed=1), pool(seed=2)
    spa.create("tank/a").write("/f", CHANCE.randbytes(3000))
    spa.snapshot("tank/a@1")
    stream = spa.send("tank/a@1")
    before = [row.name for row in there.list()]
    for _ in range(60):
        damaged = bytearray(stream)
        at = CHANCE.randrange(len(stream) - 272)  # behind that, the last record's padding
        damaged[at] ^= 1 << CHANCE.randrange(8)
        with pytest.raises((ChecksumError, CorruptPool, Unsupported)):
            there.receive(bytes(damaged), "tank/a")
    for length in (0, 100, 312, 1000, len(stream) - 312):
        with pytest.raises(ZfsError):
            there.receive(stream[:length], "tank/a")
    assert [row.name for row in there.list()] == before


def test_what_cannot_be_sent_or_received_says_why() -> None:
    spa, old = pool(), pool(version=23)
    spa.create("tank/a")
    spa.snapshot("tank/a@1")
    for act in (
        lambda: spa.send("tank/a"), lambda: spa.send("tank/a@1", "tank/a@1"),
        lambda: old.receive(spa.send("tank/a@1"), "tank/a"),
    ):  # fmt: skip
        with pytest.raises(Unsupported):
            act()
