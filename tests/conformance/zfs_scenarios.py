"""Pools that ours writes into files, one for each thing that can be done to a pool, for others to judge."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from smartos.zfs.campaign.workload import Files, Workload, on_disk
from smartos.zfs.disk.disk import FileDisk, MemoryDisk
from smartos.zfs.spa.spa import Spa
from tools.peers import Peer, PeerMissing, peer

SIZE, CHUNK = 64 << 20, 1 << 16
NAME = "ours"
CHANCE = random.Random(12)


def tool(name: str) -> Peer:
    """A peer; a test that wants it is skipped, with the reason, where it is not to be had."""
    try:
        return peer(name)
    except PeerMissing as missing:
        pytest.skip(str(missing))


def memory_disks(folder: Path, count: int) -> list[MemoryDisk]:
    """Disks in memory with the names of files in the folder; :func:`save` makes the files."""
    return [MemoryDisk(SIZE, str(folder / f"d{n}")) for n in range(count)]


def save(disks: Iterable[MemoryDisk]) -> None:
    """Write disks into the files that they are named after; what is empty stays a hole."""
    for disk in disks:
        path = Path(disk.name)
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            file.truncate(disk.size)
            for at in range(0, disk.size, CHUNK):
                data = disk.read(at, CHUNK)
                if any(data):
                    file.seek(at)
                    file.write(data)


def contents(folder: Path) -> dict[str, Files]:
    """What our reader finds in the pool in a folder."""
    return on_disk([FileDisk(path, writable=False) for path in sorted(folder.iterdir())])[1]


def _create(spa: Spa, folder: Path) -> None:
    """Nothing but a new pool."""


def _files(spa: Spa, folder: Path) -> None:
    fs = spa.create(f"{NAME}/home", compression="on")
    for number in range(30):
        fs.write(f"/f{number}", CHANCE.randbytes(CHANCE.randrange(100_000)))
    fs.mkdir("/dir")
    fs.symlink("/link", "dir/text")
    fs.write("/dir/text", b"hello, world\n" * 3000)
    fs.write("/large", CHANCE.randbytes(2 << 20))
    fs.write("/sparse", b"end", 40 << 20)
    spa.sync()
    fs.unlink("/f3")
    fs.truncate("/large", 300_000)
    fs.rename("/f4", "/dir/f4")
    small = spa.create(f"{NAME}/small", recordsize=512, checksum="sha256", copies=2)
    small.write("/levels", CHANCE.randbytes(512 * 300))
    for number in range(700):
        small.create(f"/entry-with-a-name-that-takes-some-room-{number}")


def _many_txgs(spa: Spa, folder: Path) -> None:
    fs = spa.create(f"{NAME}/home")
    for number in range(150):
        fs.write(f"/f{number % 9}", CHANCE.randbytes(CHANCE.randrange(30_000)))
        spa.sync()


def _workload(spa: Spa, folder: Path) -> None:
    work = Workload(spa, 77)
    work.run(300)


def _snapshots(spa: Spa, folder: Path) -> None:
    fs = spa.create(f"{NAME}/home")
    for number in range(24):
        fs.write(f"/f{number % 5}", CHANCE.randbytes(20_000))
        spa.snapshot(f"{NAME}/home@{number}")
    for number in CHANCE.sample(range(24), 15):
        spa.destroy(f"{NAME}/home@{number}")
    snap = next(iter(spa.dp.find(f"{NAME}/home").snapshots()))
    spa.clone(f"{NAME}/home@{snap}", f"{NAME}/clone").write("/own", b"own" * 1000)
    spa.promote(f"{NAME}/clone")
    spa.snapshot(f"{NAME}/clone@more")
    fs.write("/f0", b"gone")
    spa.rollback(f"{NAME}/home@{list(spa.dp.find(f'{NAME}/home').snapshots())[-1]}")


def _accounts(spa: Spa, folder: Path) -> None:
    spa.create(f"{NAME}/quota", quota="2M", reservation="1M")
    spa.create_volume(f"{NAME}/vol", "4M").write(5000, CHANCE.randbytes(100_000))
    spa.create(f"{NAME}/ref", refquota="3M", refreservation="2M").write("/f", CHANCE.randbytes(500_000))
    spa.snapshot(f"{NAME}/ref@s")
    spa.open(f"{NAME}/ref").write("/f", b"")
    spa.create(f"{NAME}/gone").write("/f", CHANCE.randbytes(500_000))
    spa.destroy(f"{NAME}/gone")


def _reimported(spa: Spa, folder: Path) -> None:
    spa.create(f"{NAME}/home").write("/f", CHANCE.randbytes(300_000))
    spa.sync()
    again = Spa.import_([leaf.disk for leaf in spa.root.leaves()])
    Workload(again, 3).run(80)
    again.sync()
    spa.suspended = "its disks were taken over"


def _received(spa: Spa, folder: Path) -> None:
    fs = spa.create(f"{NAME}/home")
    last = ""
    for number in range(4):
        for each in range(10):
            fs.write(f"/f{each}", CHANCE.randbytes(CHANCE.randrange(20_000)))
        spa.snapshot(f"{NAME}/home@{number}")
        spa.receive(spa.send(f"{NAME}/home@{number}", last), f"{NAME}/copy")
        last = str(number)


def _scrubbed(spa: Spa, folder: Path) -> None:
    Workload(spa, 9).run(60)
    spa.scan.start()
    spa.scan.wait()


SCENARIOS: dict[str, Callable[[Spa, Path], None]] = {
    "create": _create, "files": _files, "many txgs": _many_txgs, "workload": _workload, "snapshots": _snapshots,
    "accounts": _accounts, "reimported": _reimported, "received": _received, "scrubbed": _scrubbed,
}  # fmt: skip


def make(folder: Path, scenario: str, kind: str = "", count: int = 1, version: int = 28, ashift: int = 9) -> Spa:
    """A pool in files in `folder`, after a scenario; exported unless the scenario leaves it in use."""
    own = memory_disks(folder, count)
    spa = Spa.create(NAME, [(kind, *own)] if kind else own, version=version, ashift=ashift, seed=len(scenario))
    spa.events.enabled = False
    SCENARIOS[scenario](spa, folder)
    if not spa.suspended:
        spa.export()
    save(own)
    return spa
