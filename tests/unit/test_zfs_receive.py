"""Receiving as the stream comes: nothing is read ahead or kept, and a bad stream leaves everything as it was."""

import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos.commands import run
from smartos.commands.run import Pipe
from smartos.commands.system import System
from smartos.output import Output
from smartos.zfs.errors import ZfsError
from smartos.zfs.format import checksum
from smartos.zfs.spa.spa import Spa
from smartos.zfs.stream import receive, replay
from tests.unit.zfs_pools import BOTH, devices, files, pool, sound

LIMIT = 1 << 20


class Endless:
    """An input without an end, that counts what was read of it and fails when it is too much."""

    def __init__(self, unit: bytes) -> None:
        self.unit, self.count = unit, 0

    def __call__(self, size: int = -1) -> bytes:
        assert 0 <= size <= LIMIT, f"{size} bytes are asked for at once"
        self.count += size
        assert self.count <= LIMIT, "much of the input was read"
        return (self.unit * (size // len(self.unit) + 1))[:size]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    (tmp_path / "d0").write_bytes(b"")
    (tmp_path / "d0").open("r+b").truncate(64 << 20)
    with System(tmp_path, seed=1, clock=lambda: 1313323200) as found:
        assert not run("zpool create tank d0", found).status
        yield found


@pytest.mark.parametrize("unit", [random.Random(1).randbytes(4096), b"\0" * 64])
def test_an_endless_input_that_is_no_stream_is_refused_at_its_first_record(unit: bytes, system: System) -> None:
    source = Endless(unit)
    done = run("zfs receive tank/x", system, stdin=source)
    assert (done.status, done.err) == (1, "cannot receive: invalid stream (bad magic number)\n")
    assert source.count == replay.SIZE


def test_what_is_piped_is_made_as_it_is_taken(system: System) -> None:
    system.path("big").write_bytes(random.Random(2).randbytes(2_000_000))
    for line in ("zfs create tank/a", "cp big tank/a:/f", "zfs snapshot tank/a@1"):
        assert not run(line, system).status
    spa = system.pools["tank"]
    before = spa.read.stats["bytes"]
    pipe = Pipe(Output(flow=spa.sending("tank/a@1")))
    assert struct.unpack_from("<II2Q", pipe.read(replay.SIZE))[2] == replay.MAGIC
    assert spa.read.stats["bytes"] < before + 20_000, "no file is read before it is wanted"
    taken: list[bytes] = []
    done = run("zfs send tank/a@1", system, terminal=False, stdout=taken.append)
    assert done.data == b"" and max(map(len, taken)) < 200_000 and len(b"".join(taken)) > 2_000_000
    assert b"".join(taken) == run("zfs send tank/a@1", system, terminal=False).data == spa.send("tank/a@1")


def test_what_is_held_does_not_grow_with_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stream of 3 MiB, no more than two batches are ever in memory: blocks that wait, and objects."""
    monkeypatch.setattr(receive, "BATCH", 256 << 10)
    here, there = pool(seed=1), pool(seed=2)
    fs = here.create("tank/a")
    for each in range(200):
        fs.write(f"/f{each}", random.Random(each).randbytes(16 << 10))
    here.snapshot("tank/a@1")
    pipe, held, objects = Pipe(Output(flow=here.sending("tank/a@1"))), [], []

    def read(size: int) -> bytes:
        nodes = [node for each in there.dp.known.values() if each._objset for node in each._objset.nodes.values()]
        held.append(len(pipe.left) + sum(len(block) for node in nodes for block in node.dirty.values() if block))
        objects.append(len(nodes))
        return pipe.read(size)

    there.receive(read, "tank/a")
    assert max(held) < 512 << 10 and max(objects) < 100
    sound(there)


def test_two_commands_of_one_pool_are_joined_by_a_pipe_of_the_shell(system: System) -> None:
    """A stream longer than what a pipe holds, between processes that both want the pool."""
    system.path("big").write_bytes(random.Random(3).randbytes(600_000))
    for line in ("zfs create tank/a", "cp big tank/a:/f", "zfs snapshot tank/a@1"):
        assert not run(line, system).status
    smartos = f"{sys.executable} -m smartos"
    line = f"{smartos} zfs send tank/a@1 | {smartos} zfs receive tank/b"
    done = subprocess.run(["sh", "-c", line], cwd=system.folder, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert run("cat tank/b:/f", system).data == system.path("big").read_bytes()


def test_a_stream_is_read_without_mending(tmp_path: Path) -> None:
    """It is read when the command's turn is over; a bad copy stays as it is until a command comes upon it."""
    for name in ("d0", "d1"):
        (tmp_path / name).touch()
        with (tmp_path / name).open("r+b") as file:
            file.truncate(64 << 20)
    (tmp_path / "big").write_bytes(random.Random(4).randbytes(400_000))
    lines = ("zpool create tank mirror d0 d1", "cp big tank:/f", "zfs snapshot tank@1")
    for line in lines:
        with System(tmp_path, seed=1) as system:
            assert not run(line, system).status
    raw = (tmp_path / "d0").read_bytes()
    at = raw.index((tmp_path / "big").read_bytes()[1000:1100])
    with (tmp_path / "d0").open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 100)
    with System(tmp_path, seed=1) as system:
        done = run("zfs send tank@1", system, terminal=False)
        assert not done.status and (tmp_path / "big").read_bytes()[:131072] in done.data
        assert (tmp_path / "d0").read_bytes()[at : at + 100] == b"\xa5" * 100


# ---- what goes wrong leaves nothing behind


def histories(version: int) -> tuple[Spa, bytes, bytes]:
    """A pool, a full stream of a snapshot in it, and an incremental one to the next."""
    here = pool(version=version, seed=1)
    fs = here.create("tank/a")
    chance = random.Random(version)
    for number in range(40):
        fs.write(f"/f{number}", chance.randbytes(chance.randrange(30_000)))
    here.snapshot("tank/a@1")
    for number in range(0, 40, 3):
        fs.write(f"/f{number}", chance.randbytes(20_000), 500)
        fs.unlink(f"/f{number + 1}") if number + 1 < 40 else None
    here.snapshot("tank/a@2")
    return here, here.send("tank/a@1"), here.send("tank/a@2", "1")


def everything(spa: Spa) -> tuple:
    """All that is to be as it was: names, guids, sizes and contents."""
    rows = [
        (row.name, row.type, row.referenced, *([] if row.name == "tank" else [row.used, row.usedbysnapshots]))
        for row in spa.list()
    ]
    guids = [each.phys.guid for each in spa.datasets()]
    held = {each.name: files(spa, each.name) for each in spa.datasets() if "a" in each.name.partition("/")[2]}
    return rows, guids, held


def broken(stream: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """Streams that are cut, or in which a bit is wrong."""
    for _ in range(count):
        damaged = bytearray(stream)
        damaged[chance.randrange(len(stream) - 272)] ^= 1 << chance.randrange(8)
        yield bytes(damaged)
        yield stream[: chance.randrange(len(stream))]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("case", ["new", "over", "incremental", "changed"])
def test_a_bad_stream_leaves_the_target_as_it_was(case: str, version: int) -> None:
    _, full, more = histories(version)
    there, chance = pool(version=version, seed=2), random.Random(case)
    if case == "over":
        there.create("tank/a", quota="20M").write("/mine", b"mine" * 2000)
    elif case != "new":
        there.receive(full, "tank/a")
    if case == "changed":
        there.open("tank/a").write("/f1", b"changed")
        there.open("tank/a").unlink("/f2")
    there.sync()
    before, stream = everything(there), full if case in ("new", "over") else more
    for bad in broken(stream, chance, 4):
        with pytest.raises(ZfsError):
            there.receive(bad, "tank/a", force=True)
        assert not there.suspended and everything(there) == before
    sound(there)
    there.receive(stream, "tank/a", force=True)
    assert len(files(there, "tank/a")) > 20 and "/mine" not in files(there, "tank/a")
    sound(there)
    again = Spa.import_(devices(there))
    assert everything(again) == everything(there)
    again.sync()
    sound(again)


@pytest.mark.parametrize("case", ["new", "incremental"])
def test_what_was_begun_when_the_machine_stopped_is_gone_after_the_next_import(case: str) -> None:
    _, full, more = histories(28)
    there = pool(seed=2)
    if case == "incremental":
        there.receive(full, "tank/a")
    before, stream, at = everything(there), full if case == "new" else more, 0

    def read(size: int) -> bytes:
        nonlocal at
        if at > len(stream) // 2:
            there.sync()
            there.suspended = "the machine stopped"
            raise OSError("the machine stopped")
        at += size
        return stream[at - size : at]

    with pytest.raises(OSError, match="stopped"):
        there.receive(read, "tank/a")
    again = Spa.import_(devices(there))
    names = [each.name for each in again.datasets()]
    assert ("tank/a" in names) and not any("%" in name for name in names)
    again.sync()
    assert everything(again) == before
    sound(again)
    again.receive(stream, "tank/a")
    sound(again)


# ---- hostile streams


def stream_of(*records: bytes, **begin: object) -> bytes:
    """A stream with right sums."""
    fields = {"toname": "tank/a@1", "toguid": 7, "features": replay.SA_SPILL} | begin
    body = replay.Begin(**fields).pack() + b"".join(records)
    return body + replay.pack_end(checksum.fletcher_4(body), 7)


def made(number: int, kind: int = 19, bonus: bytes = b"", bonustype: int = 0, block: int = 512, **more: int) -> bytes:
    """An OBJECT record."""
    sums = (more.get("sum", 0), more.get("compress", 0))
    return replay.pack_object(number, kind, bonustype, block, bonus, sums, 7)


def with_number(record: bytes, at: int, form: str, value: int) -> bytes:
    changed = bytearray(record)
    struct.pack_into(form, changed, at, value)
    return bytes(changed)


def block(length: int = 512, offset: int = 0, number: int = 4) -> bytes:
    """A WRITE record with 512 bytes behind it, whatever it says."""
    record = with_number(replay.pack_write(4, 19, 0, bytes(512), 7, (7, 0, (0, 0, 0, 0)), 0), 32, "<Q", length)
    return with_number(with_number(record, 24, "<Q", offset), 8, "<Q", number)


FILE = made(4)
HOSTILE = {
    "a bonus of 4 GiB": with_number(FILE, 28, "<I", 0xFFFFFFFF), "a bonus of 400 bytes": made(4, bonus=bytes(400)),
    "a block of 2^62": FILE + block(1 << 62), "a block of 1 MiB": FILE + block(1 << 20),
    "an odd block": FILE + block(511),
    "a block of nothing": FILE + block(0), "object 2^63": made(1 << 63), "object 2^48": made(1 << 48),
    "object 0": made(0), "a write at 2^64 - 512": FILE + block(offset=(1 << 64) - 512),
    "a write to no object": block(number=1 << 40), "a free of no object": replay.pack_free(1 << 40, 0, 512, 7),
    "a free over the end": FILE + replay.pack_free(4, (1 << 64) - 512, 1024, 7), "type 0": made(4, 0),
    "type 200": made(4, 200), "bonus type 200": made(4, bonustype=200), "checksum 99": made(4, sum=99),
    "compression 99": made(4, compress=99), "a block size of 7": made(4, block=7),
    "a block size of 0": made(4, block=0),
    "a block size of 2^31": made(4, block=1 << 31), "a short znode": made(4, bonustype=17, bonus=bytes(16)),
    "attributes of no kind": made(4, bonustype=44, bonus=b"\1" * 64),
    "a record of type 77": struct.pack("<I", 77).ljust(312, b"\0"),
    "a write by reference": struct.pack("<I", replay.WRITE_BYREF).ljust(312, b"\0"),
    "a second first": replay.Begin("a@b", 1).pack(),
}  # fmt: skip
FIRST = {
    "no snapshot": {"toname": "tank/a"}, "set type 0": {"type": 0}, "set type 1": {"type": 1},
    "set type 99": {"type": 99}, "features": {"features": 1 << 20},
}  # fmt: skip
FAR = [(FILE, replay.pack_freeobjects(0, (1 << 64) - 1, 7)), (made((1 << 48) - 1),)]


@pytest.mark.parametrize("name", [*HOSTILE, *FIRST])
def test_a_hostile_stream_is_refused_with_one_line(name: str, system: System) -> None:
    stream = stream_of(FILE, **FIRST[name]) if name in FIRST else stream_of(HOSTILE[name])
    before, left = run("zfs list -H -t all -o name,refer", system).out, bytearray(stream)

    def read(size: int) -> bytes:
        assert size <= LIMIT, f"{size} bytes are asked for at once"
        taken = bytes(left[:size])
        del left[:size]
        return taken

    done = run("zfs receive tank/a", system, stdin=read)
    assert done.status == 1 and done.err.startswith("cannot receive") and done.err.count("\n") == 1, done.err
    assert not system.pools["tank"].suspended
    assert run("zfs list -H -t all -o name,refer", system).out == before
    assert not run("zfs create tank/b", system).status
    sound(system.pools["tank"])


@pytest.mark.parametrize("records", FAR)
def test_what_is_far_away_but_possible_costs_nothing(records: tuple[bytes, ...]) -> None:
    there = pool()
    there.receive(stream_of(*records, type=2), "tank/a")
    sound(there)
    there.sync()
    assert there.dp.find("tank/a@1").phys.guid == 7


def test_a_full_stream_takes_the_place_of_the_pools_own_filesystem_and_of_parents(system: System) -> None:
    for line in (
        "zfs create tank/a", "zfs create tank/a/below", "zfs snapshot tank/a/below@1", "zfs send tank/a/below@1 > s",
        "zfs receive -F tank/a < s", "zfs receive -F tank < s",
    ):  # fmt: skip
        done = run(line, system)
        assert not done.status, done.err
    assert run("zfs list -H -o name -t all", system).out.split() == [
        "tank", "tank@1", "tank/a", "tank/a@1", "tank/a/below", "tank/a/below@1",
    ]  # fmt: skip
    sound(system.pools["tank"])
