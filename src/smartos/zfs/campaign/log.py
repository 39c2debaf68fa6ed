"""The crash campaign of the intent log: the power fails after every write, and what was promised must be there.

A seeded user (see :mod:`~smartos.zfs.campaign.promises`) changes two filesystems and a volume, and asks for promises. After a
power cut the pool is imported. Then each filesystem must have the names that it had at some moment not before the last
promise; the one with `sync=always` must be, as a whole, what it was at such a moment; and each file of the other must
hold, byte by byte, what it held at one, and exactly what was promised when nothing came after it.

Cut are writes in the order in which they were made, at random points with the unflushed ones lost, torn and reordered,
and the writes of the import that replays.

Left out: disks that lie about a flush (such a log fails, as it must).
"""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from smartos.zfs.campaign.promises import ALWAYS, ASKED, DISK, RECORDS, VOLUME, History, Names, Promising
from smartos.zfs.campaign.tally import SHAPES, SIZE, Tally, build
from smartos.zfs.disk.disk import Entry, MemoryDisk, Recorder, Write, survivors, writes
from smartos.zfs.errors import ZfsError
from smartos.zfs.format import checksum
from smartos.zfs.format.label import DATA_OFFSET, END_SIZE
from smartos.zfs.read.reader import ECK_OFFSET
from smartos.zfs.spa.spa import Spa, verify


def _between(found: list[tuple[int, object]], first: int, cut: int) -> list:
    """What may be there after `cut` writes: from the promised one on, up to the last that could be on a disk."""
    return [each for n, (at, each) in enumerate(found) if n >= first and (n == first or at < cut)]


def _mixed(data: bytes, versions: list[bytes]) -> bool:
    """Whether each byte is that of one of the versions, zero where a version has ended, and the size one's size."""
    if data in versions:
        return True
    if len(data) not in {len(each) for each in versions}:
        return False
    padded = [each[: len(data)].ljust(len(data), b"\0") for each in versions]
    return all(byte in column for byte, *column in zip(data, *padded, strict=True))


def judge(pool: Spa, histories: dict[str, History], cut: int) -> str:
    """What is wrong with a pool that was imported after `cut` writes; empty when nothing is."""
    for each in pool.replayed:
        if each.trouble:
            return f"{each.name}: {each.trouble}"
    for name, history in histories.items():
        _, first, state, files = max(each for each in history.promises if each[0] <= cut)[:4]
        if name == DISK:
            if not _mixed(pool.open(DISK).read(0, VOLUME), _between(history.contents[1], files[1], cut)):
                return f"{name}: not what it was at any moment since the promise"
            continue
        fs = pool.open(name)
        found: Names = {path: None if node.is_dir else fs.lookup(path) for path, node in fs.walk()}
        if found not in _between(history.names, first, cut):
            return f"{name}: {len(found)} names that it had at no moment since the promise"
        held = {path: None if number is None else fs.read(path) for path, number in found.items()}
        if name == ALWAYS and held not in _between(history.states, state, cut):
            return f"{name}: not what it was at any moment since the promise"
        for path, number in found.items():
            if number and not _mixed(held[path], _between(history.contents[number], files.get(number, 0), cut)):
                return f"{name}{path}: {len(held[path])} bytes that it held at no moment since the promise"
    return ""


@dataclass
class Promised:
    """A workload that was logged: its disks as they were when it began, and what was promised."""

    disks: list[MemoryDisk]
    log: list[Entry]
    histories: dict[str, History]


def record(shape: str, seed: int, steps: int, version: int = 28) -> Promised:
    """Run a workload, and log every write and flush."""
    log: list[Entry] = []
    disks = [MemoryDisk(SIZE, f"c0t{n}d0") for n in range(SHAPES[shape][1])]
    pool = build(shape, [Recorder(disk, log) for disk in disks], seed, version)
    pool.create(ALWAYS, sync="always", recordsize=RECORDS[ALWAYS])
    pool.create(ASKED, recordsize=RECORDS[ASKED])
    pool.create_volume(DISK, VOLUME)
    base = [disk.copy() for disk in disks]
    log.clear()
    user = Promising(pool, log, seed)
    user.run(steps)
    return Promised(base, log, user.histories)


def _import(disks: list, judged: Callable[[Spa], str]) -> str:
    try:
        pool = Spa.import_(disks)
        pool.events.enabled = False
        return judged(pool)
    except (ZfsError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"


def _further(pool: Spa, seed: int) -> str:
    """Use a pool after a replay, have the power fail again, and walk it; what is wrong then."""
    pool.open(ASKED).write(f"/after{seed}", b"alive" * 100, sync=True)
    again = Spa.import_([leaf.disk.copy() for leaf in pool.root.leaves()])
    if again.open(ASKED).read(f"/after{seed}") != b"alive" * 100:
        return "what was promised after the replay is lost"
    again.sync()
    report = verify(again)
    return "" if report.sound else report.describe()


def telling(entry: Write) -> bool:
    """Whether a write can change what an import finds: to a label or uberblock, or of a block that seals itself, as
    those of a log do. All others go to space that nothing refers to, as the crash campaign sees to."""
    label = entry.offset < DATA_OFFSET or entry.offset >= SIZE - END_SIZE
    magic = checksum.ECK_MAGIC.to_bytes(8, "little")
    return label or magic in (entry.data[ECK_OFFSET : ECK_OFFSET + 8], entry.data[-checksum.ECK_SIZE :][:8])


def cuts(promised: Promised, every: int = 32) -> Tally:
    """Cut the power after every write that can tell, every `every`-th other one and the last, all earlier ones being on
    the medium, and import."""
    tally, now = Tally(), {disk.name: disk.copy() for disk in promised.disks}
    cut, total = 0, writes(promised.log)
    for entry in promised.log:
        if not isinstance(entry, Write):
            continue
        now[entry.disk].write(entry.offset, entry.data)
        cut += 1
        tally.counts["crashes"] += 1
        if cut % every and cut < total and not telling(entry):
            tally.counts["crashes after a write to space that nothing refers to"] += 1
            continue
        tally.counts["crashes of a pool with an intent log, imported and compared with what was promised"] += 1
        wrong = _try(tally, [disk.copy() for disk in now.values()], promised, cut, cut % 16 == 0)
        if wrong:
            tally.failures.append(f"cut {cut}: {wrong}")
    return tally


def _try(tally: Tally, disks: list[MemoryDisk], promised: Promised, cut: int, further: bool) -> str:
    def judged(pool: Spa) -> str:
        tally.counts["  of these, with records to replay"] += any(each.records for each in pool.replayed)
        wrong = judge(pool, promised.histories, cut)
        if not wrong and further:
            tally.counts["  of these, used again, cut again and walked"] += 1
            wrong = _further(pool, cut)
        return wrong

    return _import(disks, judged)


def reordered(promised: Promised, count: int, seed: int) -> Tally:
    """Cut the power at `count` random points, with the unflushed writes there or not, in any order, some torn; and
    every fourth time cut it again in the middle of the import."""
    tally, chance, total = Tally(), random.Random(seed), writes(promised.log)
    for number in range(count):
        cut, now = chance.randrange(total + 1), {disk.name: disk.copy() for disk in promised.disks}
        for entry in survivors(promised.log, cut, chance.getrandbits(32), 512 if number % 2 else 0):
            now[entry.disk].write(entry.offset, entry.data)
        tally.counts["crashes"] += 1
        tally.counts["crashes of a pool with an intent log, with writes lost and reordered"] += 1
        if number % 4 == 0:
            tally.counts["  of these, cut again in the import"] += 1
            now = _cut_import(now, chance)
        wrong = _try(tally, list(now.values()), promised, cut, number % 8 == 0)
        if wrong:
            tally.failures.append(f"cut {cut}, reordered: {wrong}")
    return tally


def _cut_import(now: dict[str, MemoryDisk], chance: random.Random) -> dict[str, MemoryDisk]:
    """The disks as a power cut at some write of the import leaves them. (An import that fails is judged later.)"""
    log: list[Entry] = []
    with suppress(ZfsError):
        Spa.import_([Recorder(disk.copy(), log) for disk in now.values()])
    for entry in survivors(log, chance.randrange(writes(log) + 1), chance.getrandbits(32), 512):
        now[entry.disk].write(entry.offset, entry.data)
    return now


def log_campaign(seed: int, steps: int = 30, count: int = 40, shape: str = "", every: int = 32) -> Tally:
    """One workload, its power cut everywhere. Twelve seeds in a row see every shape at pool versions 28 and 20."""
    shape = shape or list(SHAPES)[seed % len(SHAPES)]
    promised = record(shape, seed, steps, (28, 20)[(seed + seed // len(SHAPES)) % 2])
    tally = cuts(promised, every)
    tally.add(reordered(promised, count, seed))
    tally.failures = [f"intent log, seed {seed}, {shape}, {failure}" for failure in tally.failures]
    tally.counts["workloads"] += 1
    return tally
