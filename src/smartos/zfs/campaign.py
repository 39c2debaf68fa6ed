"""Two campaigns against a pool: the power fails after every single write, and every kind of disk fault happens.

The crash campaign runs a seeded workload on disks whose writes are logged. For every number of writes it rebuilds the
disks as they were then, and for many of them as a power cut may have left them: writes that no flush had made safe are
there or not, in any order, in whole sectors. Each time the pool must open, hold exactly the state of a transaction
group that was committed, and none older than the last one that was on disk.

The fault campaign does one thing to one disk of a redundant pool: bits rot, a sector cannot be read, the disk is gone,
a write is lost, torn or goes elsewhere. Every byte that is read afterwards must be right.

    python -m smartos.zfs.campaign --seeds 10

Left out: faults of two disks at once, of memory, and of software. The question is that of Zhang et al., "End-to-end
Data Integrity for File Systems: A ZFS Case Study" (FAST '10).
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from smartos.zfs.disk import Entry, MemoryDisk, Recorder, Write, survivors, writes
from smartos.zfs.errors import ZfsError
from smartos.zfs.faults import FaultyDisk, Gone, LostWrite, MisdirectedWrite, TornWrite, UnreadableSector, rot
from smartos.zfs.label import DATA_OFFSET, END_SIZE
from smartos.zfs.pool import Pool
from smartos.zfs.spa import Spa, verify
from smartos.zfs.space import RangeTree
from smartos.zfs.walk import Walker
from smartos.zfs.workload import State, Workload, differences, on_disk

SIZE = 64 << 20
SHAPES = {
    "stripe": (None, 2), "mirror": ("mirror", 2), "mirror-3": ("mirror", 3), "raidz1": ("raidz1", 3),
    "raidz2": ("raidz2", 4), "raidz3": ("raidz3", 5),
}  # fmt: skip
REDUNDANT = tuple(name for name in SHAPES if name != "stripe")


@dataclass
class Tally:
    """What a campaign counted, and what went wrong, in words; `failures` must be empty."""

    counts: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take another tally in."""
        self.counts += other.counts
        self.failures += other.failures

    def describe(self) -> str:
        """The counts, one a line."""
        lines = [f"{count:>9,} {name}" for name, count in sorted(self.counts.items())]
        return "\n".join([*lines, f"{len(self.failures):>9,} failures", *self.failures[:10]])


def build(shape: str, disks: list, seed: int, version: int = 28) -> Spa:
    """A pool of a shape on the disks, without an event log."""
    kind = SHAPES[shape][0]
    pool = Spa.create("tank", [(kind, *disks)] if kind else disks, seed=seed, version=version)
    pool.events.enabled = False
    return pool


# ---- crashes


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
    work.run(steps)
    work.sync()
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
    held: dict[str, RangeTree] = {}
    cut = 0
    for entry in crashed.log:
        if not isinstance(entry, Write):
            continue
        disks[entry.disk].write(entry.offset, entry.data)
        cut += 1
        label = entry.offset < DATA_OFFSET or entry.offset >= SIZE - END_SIZE
        tally.counts["crashes after a write"] += 1
        if not label and cut % every and held:
            if held[entry.disk].overlap(entry.offset, entry.offset + len(entry.data)):
                tally.failures.append(f"cut {cut}: a block of the committed state is overwritten")
            continue
        tally.counts["pools opened and compared"] += 1
        wrong = _open(disks.values(), crashed, cut)
        if wrong:
            tally.failures.append(f"cut {cut}: {wrong}")
        if label and crashed.oldest(cut):
            held = _held(disks.values())
    return tally


def _held(disks: Iterable[MemoryDisk]) -> dict[str, RangeTree]:
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
        tally.counts["crashes with writes lost and reordered"] += 1
        wrong = _open(disks.values(), crashed, cut)
        if not wrong and number % 8 == 0 and crashed.oldest(cut):
            wrong = _go_on(list(disks.values()), number)
            tally.counts["pools imported and written to"] += 1
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


def crash_campaign(seed: int, steps: int = 30, cuts: int = 60, shape: str = "") -> Tally:
    """One workload, its power cut everywhere."""
    shape = shape or list(SHAPES)[seed % len(SHAPES)]
    crashed = record(shape, seed, steps, 28 if seed % 3 else 23)
    tally = prefixes(crashed)
    tally.add(reorderings(crashed, cuts, seed))
    tally.failures = [f"seed {seed}, {shape}, {failure}" for failure in tally.failures]
    tally.counts["workloads"] += 1
    return tally


# ---- faults


def fault_campaign(seed: int, faults: int = 100, shape: str = "", steps: int = 40) -> Tally:
    """One pool, and `faults` faults, each of one disk of it as it was; most happen to blocks that are in use."""
    shape = shape or REDUNDANT[seed % len(REDUNDANT)]
    log: list[Entry] = []
    disks = [Recorder(MemoryDisk(SIZE, f"c0t{n}d0"), log) for n in range(SHAPES[shape][1])]
    work = Workload(build(shape, disks, seed), seed, heavy=20_000, datasets=3)
    work.run(steps)
    work.sync()
    places = [entry for entry in log if isinstance(entry, Write)]
    tally, chance = Tally(), random.Random(seed)
    for number in range(faults):
        plain = [disk.disk.copy() for disk in disks]
        victim = chance.randrange(len(plain))
        copies: list = list(plain)
        copies[victim] = FaultyDisk(plain[victim], seed=chance.getrandbits(32))
        own = [entry for entry in places if entry.disk == plain[victim].name]
        happen = (_rot, _unreadable, _gone, _while_writing, _while_writing)[number % 5]
        what, wrong = happen(copies, victim, own, chance, work.state())
        tally.counts[f"faults: {what}"] += 1
        tally.counts["faults"] += 1
        if wrong:
            tally.failures.append(f"seed {seed}, {shape}, fault {number} ({what}): {wrong}")
    return tally


def _compare(disks: list, state: State) -> str:
    try:
        wrong = differences(state, on_disk(disks)[1])
    except ZfsError as error:
        return f"{type(error).__name__}: {error}"
    return wrong[0] if wrong else ""


def _scrubbed(disks: list, state: State) -> str:
    """Import, read everything, scrub; then every copy of every block must be right again."""
    try:
        pool = Spa.import_(disks)
        pool.events.enabled = False
        pool.scan.start()
        pool.scan.wait()
        if pool.scan.errors:
            return f"a scrub finds {pool.scan.errors} blocks lost"
        report = verify(pool)
        return _compare(disks, state) or ("" if report.sound else report.describe())
    except ZfsError as error:
        return f"{type(error).__name__}: {error}"


def _rot(disks: list, victim: int, own: list[Write], chance: random.Random, state: State) -> tuple[str, str]:
    place = chance.choice(own)
    length = min(len(place.data), chance.choice((512, 4096, 1 << 20)))
    rot(disks[victim].disk, place.offset, length, min(chance.choice((1, 8, 500)), 8 * length), chance)
    return "bits rotted", _compare(disks, state) or _scrubbed(disks, state)


def _unreadable(disks: list, victim: int, own: list[Write], chance: random.Random, state: State) -> tuple[str, str]:
    place = chance.choice([entry for entry in own if DATA_OFFSET <= entry.offset < SIZE - END_SIZE])
    disks[victim].add(UnreadableSector(place.offset, len(place.data)))
    return "sector unreadable", _compare(disks, state) or _scrubbed(disks, state)


def _gone(disks: list, victim: int, own: list[Write], chance: random.Random, state: State) -> tuple[str, str]:
    disks[victim].add(Gone())
    return "disk gone", _compare(disks, state)


def _while_writing(disks: list, victim: int, own: list[Write], chance: random.Random, state: State) -> tuple[str, str]:
    """The pool is in use, and one of its next writes to the disk does not do what it should."""
    at = chance.randrange(60)
    kind = chance.choice((LostWrite, TornWrite, MisdirectedWrite))
    disks[victim].add(kind(at))
    what = {LostWrite: "write lost", TornWrite: "write torn", MisdirectedWrite: "write misdirected"}[kind]
    try:
        pool = Spa.import_(disks)
        pool.events.enabled = False
        data = chance.randbytes(chance.randrange(1, 60_000))
        pool.open("tank").write("/new", data)
        pool.sync()
        state["tank"] = state["tank"] | {"/new": data}
        for _ in range(2):
            pool.open("tank").write("/other", chance.randbytes(3000))
            pool.sync()
        pool.open("tank").unlink("/other")
        pool.sync()
    except ZfsError as error:
        return what, f"{type(error).__name__}: {error}"
    return what, _compare(disks, state) or _scrubbed(disks, state)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6, help="how many workloads of each campaign")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--faults", type=int, default=200, help="faults for each seed of the fault campaign")
    parser.add_argument("--steps", type=int, default=30, help="steps of each workload of the crash campaign")
    chosen = parser.parse_args()
    crash, fault = Tally(), Tally()
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        crash.add(crash_campaign(seed, chosen.steps))
        fault.add(fault_campaign(seed, chosen.faults))
        crashes, faults = crash.counts["crashes after a write"], fault.counts["faults"]
        print(f"seed {seed}: {crashes:,} crashes, {faults:,} faults so far", flush=True)  # noqa: T201
    print(f"crash campaign\n{crash.describe()}\nfault campaign\n{fault.describe()}")  # noqa: T201 - a program's output


if __name__ == "__main__":
    main()
