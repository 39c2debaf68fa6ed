"""The crash campaign: the power fails after every single write of a workload, and the pool is opened.

A seeded workload runs on disks whose writes are logged. For every number of writes the disks are rebuilt as they were
then, and for many of them as a power cut may have left them: writes that no flush had made safe are there or not, in
any order, in whole sectors. Each time the pool must open, hold exactly the state of a transaction group that was
committed, and none older than the last one that was on disk.

Left out: disks that lie about a flush (such a log fails, as it must), and power that fails during the import.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from smartos.zfs.campaign.tally import SHAPES, SIZE, Tally, build, exercise
from smartos.zfs.campaign.workload import State, Workload, differences, on_disk
from smartos.zfs.disk.disk import Entry, MemoryDisk, Recorder, Write, survivors, writes
from smartos.zfs.dmu.space import RangeTree
from smartos.zfs.errors import ZfsError
from smartos.zfs.format.label import DATA_OFFSET, END_SIZE
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import Walker
from smartos.zfs.spa.spa import Spa, verify

LEAST = 10_000  # bytes in the files of a workload's end


@dataclass
class Crashed:
    """A workload that was logged: the state at each txg, and after how many writes each txg was safe."""

    disks: list[str]
    log: list[Entry]
    history: dict[int, State]
    safe: dict[int, int]

    def oldest(self, cut: int) -> int:
        """The txg that a pool must not be older than when the power failed after `cut` writes; 0 when none."""
        return max((txg for txg, at in self.safe.items() if at <= cut), default=0)


def record(shape: str, seed: int, steps: int, version: int = 28) -> Crashed:
    """Run a workload from an empty disk on, and log every write and flush."""
    log: list[Entry] = []
    disks = [Recorder(MemoryDisk(SIZE, f"c0t{n}d0"), log) for n in range(SHAPES[shape][1])]
    pool = build(shape, disks, seed, version)
    work = Workload(pool, seed, heavy=6000, datasets=4)
    safe = {pool.uberblock.txg: writes(log)}
    work.listeners.append(lambda txg: safe.setdefault(txg, writes(log)))
    exercise(work, steps, LEAST)
    return Crashed([disk.name for disk in disks], log, work.history, safe)


def _judge(found: tuple[int, State], crashed: Crashed, cut: int) -> str:
    """What is wrong with what was found after `cut` writes; empty when nothing is."""
    txg, state = found
    if txg not in crashed.history:
        return f"txg {txg} was never committed as a state"
    if txg < crashed.oldest(cut):
        return f"txg {txg}, though {crashed.oldest(cut)} was safe"
    wrong = differences(crashed.history[txg], state)
    return f"txg {txg}: {wrong[0]}" if wrong else ""


def _open(disks: Iterable[MemoryDisk], crashed: Crashed, cut: int) -> str:
    disks = list(disks)
    try:
        return _judge(on_disk(disks), crashed, cut)
    except ZfsError as error:
        return f"{type(error).__name__}: {error}" if crashed.oldest(cut) else ""


def prefixes(crashed: Crashed, every: int = 32) -> Tally:
    """Cut the power after every write, all earlier ones being on the medium.

    The pool is opened and compared after each write to a label or uberblock and after every `every`-th other write; of
    the rest it is checked that they change nothing that the committed state refers to, so that it must read the same.
    """
    tally, disks = Tally(), {name: MemoryDisk(SIZE, name) for name in crashed.disks}
    in_use: dict[str, RangeTree] = {}
    cut = 0
    for entry in crashed.log:
        if not isinstance(entry, Write):
            continue
        disks[entry.disk].write(entry.offset, entry.data)
        cut += 1
        label = entry.offset < DATA_OFFSET or entry.offset >= SIZE - END_SIZE
        tally.counts["crashes"] += 1
        tally.counts["crashes after a write, all earlier ones on the medium"] += 1
        if not label and in_use:
            if in_use[entry.disk].overlap(entry.offset, entry.offset + len(entry.data)):
                tally.failures.append(f"cut {cut}: a block of the committed state is overwritten")
            if cut % every:
                tally.counts["  of these, seen to touch nothing in use"] += 1
                continue
        tally.counts["  of these, pools opened and compared"] += 1
        wrong = _open(disks.values(), crashed, cut)
        if wrong:
            tally.failures.append(f"cut {cut}: {wrong}")
        if label and crashed.oldest(cut):
            in_use = held(disks.values())
    return tally


def held(disks: Iterable[MemoryDisk]) -> dict[str, RangeTree]:
    """The bytes of each disk that the pool on it refers to."""
    disks = list(disks)
    pool = Pool.open(disks)
    walker = Walker(pool, data=False)
    found = {disk.name: RangeTree() for disk in disks}
    for visit in walker.visits():
        pointer = visit.pointer
        for dva in () if visit.level == -3 else pointer.copies:
            for name, start, size in places(pool.tops[dva.vdev], dva.offset, pointer.psize):
                if not found[name].overlap(start, start + size):
                    found[name].add(start, start + size)
    return found


def places(top: object, offset: int, psize: int) -> list[tuple[str, int, int]]:
    """Where a block lies: (disk, byte offset on it, bytes)."""
    if top.leaf:
        return [(top.disk.name, offset + DATA_OFFSET, -(-psize // 512) * 512)]
    if top.type == "raidz":
        columns = top.map(offset, psize).columns
        return [place for c in columns for place in places(top.children[c.devidx], c.offset, c.size)]
    return [place for child in top.children for place in places(child, offset, psize)]


def reorderings(crashed: Crashed, count: int, seed: int) -> Tally:
    """Cut the power at `count` random points, with the unflushed writes there or not, in any order, some torn.

    Every eighth pool is then imported, written to and walked.
    """
    tally, chance, total = Tally(), random.Random(seed), writes(crashed.log)
    for number in range(count):
        cut = chance.randrange(total + 1)
        disks = {name: MemoryDisk(SIZE, name) for name in crashed.disks}
        for entry in survivors(crashed.log, cut, chance.getrandbits(32), 512 if number % 2 else 0):
            disks[entry.disk].write(entry.offset, entry.data)
        tally.counts["crashes"] += 1
        tally.counts["crashes with writes lost and reordered, opened and compared"] += 1
        wrong = _open(disks.values(), crashed, cut)
        if not wrong and number % 8 == 0 and crashed.oldest(cut):
            wrong = _go_on(list(disks.values()), number)
            tally.counts["  of these, imported, written to and walked"] += 1
        if wrong:
            tally.failures.append(f"cut {cut}, reordered: {wrong}")
    return tally


def _go_on(disks: list[MemoryDisk], seed: int) -> str:
    """Import a pool after a crash and use it; what is wrong then."""
    try:
        before = on_disk(disks)[1]
        pool = Spa.import_(disks)
        pool.events.enabled = False
        pool.open("tank").write(f"/after{seed}", b"alive" * 100)
        pool.sync()
        report, (_, state) = verify(pool), on_disk(disks)
        del state["tank"][f"/after{seed}"]
        wrong = differences(before, state)
        return wrong[0] if wrong else "" if report.sound else report.describe()
    except ZfsError as error:
        return f"{type(error).__name__}: {error}"


def crash_campaign(seed: int, steps: int = 30, cuts: int = 60, shape: str = "", every: int = 32) -> Tally:
    """One workload, its power cut everywhere. Twelve seeds in a row see every shape at pool versions 28 and 23."""
    shape = shape or list(SHAPES)[seed % len(SHAPES)]
    crashed = record(shape, seed, steps, (28, 23)[(seed + seed // len(SHAPES)) % 2])
    tally = prefixes(crashed, every)
    tally.add(reorderings(crashed, cuts, seed))
    tally.failures = [f"seed {seed}, {shape}, {failure}" for failure in tally.failures]
    tally.counts["workloads"] += 1
    return tally
