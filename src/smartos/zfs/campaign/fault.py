"""The fault campaign: one thing goes wrong with one disk of a redundant pool, and no byte read afterwards is wrong.

Bits rot, a sector cannot be read, the disk is gone, a write is lost, torn or goes elsewhere. Then everything is read by
a reader that mends nothing, the pool is imported and scrubbed, and every copy of every block must be right again. A
fault that was to befall a write which the pool never made did not happen, and is not counted among the faults.

Left out: faults of two disks at once, of memory, and of software. The question is that of Zhang et al., "End-to-end
Data Integrity for File Systems: A ZFS Case Study" (FAST '10).
"""

import random
from collections import Counter
from dataclasses import dataclass

from smartos.zfs.campaign.crash import held
from smartos.zfs.campaign.tally import REDUNDANT, SHAPES, SIZE, Tally, build, exercise
from smartos.zfs.campaign.workload import State, Workload, differences, on_disk
from smartos.zfs.disk.disk import Entry, MemoryDisk, Recorder, Write
from smartos.zfs.disk.faults import FaultyDisk, Gone, LostWrite, MisdirectedWrite, TornWrite, UnreadableSector, rot
from smartos.zfs.errors import ZfsError
from smartos.zfs.format.label import DATA_OFFSET, END_SIZE
from smartos.zfs.spa.spa import Spa, verify

LEAST = 50_000  # bytes in the files that a fault may befall


@dataclass
class Trial:
    """One fault to come: copies of a pool's disks, which of them it befalls, that disk's writes in the past, and what
    the pool must hold. `mended` says afterwards whether the pool counted an error, which it then had to mend."""

    disks: list
    victim: int
    own: list[Write]
    chance: random.Random
    state: State
    mended: bool = False

    @property
    def faulty(self) -> FaultyDisk:
        """The disk that it befalls."""
        return self.disks[self.victim]

    def compare(self) -> str:
        """Read everything without mending anything; what is wrong, in words."""
        try:
            wrong = differences(self.state, on_disk(self.disks)[1])
        except ZfsError as error:
            return f"{type(error).__name__}: {error}"
        return wrong[0] if wrong else ""

    def scrubbed(self) -> str:
        """Import and scrub; then every copy of every block must be right again."""
        try:
            pool = Spa.import_(self.disks)
            pool.events.enabled = False
            pool.scan.start()
            pool.scan.wait()
            self.mended = any(sum(row[3:]) for row in pool.root.status())
            if pool.scan.errors:
                return f"a scrub finds {pool.scan.errors} blocks lost"
            report = verify(pool)
            return self.compare() or ("" if report.sound else report.describe())
        except ZfsError as error:
            return f"{type(error).__name__}: {error}"


def fault_campaign(seed: int, faults: int = 100, shape: str = "", steps: int = 40) -> Tally:
    """One pool, and `faults` faults, each of one disk of it as it was; three in four happen to blocks in use."""
    shape = shape or REDUNDANT[seed % len(REDUNDANT)]
    log: list[Entry] = []
    disks = [Recorder(MemoryDisk(SIZE, f"c0t{n}d0"), log) for n in range(SHAPES[shape][1])]
    work = Workload(build(shape, disks, seed), seed, heavy=20_000, datasets=3)
    exercise(work, steps, LEAST)
    places = [entry for entry in log if isinstance(entry, Write)]
    taken = held([disk.disk for disk in disks])
    in_use = [entry for entry in places if taken[entry.disk].overlap(entry.offset, entry.offset + len(entry.data))]
    tally, kinds, mended, chance = Tally(), Counter(), 0, random.Random(seed)
    for number in range(faults):
        copies: list = [disk.disk.copy() for disk in disks]
        victim = chance.randrange(len(copies))
        name = copies[victim].name
        copies[victim] = FaultyDisk(copies[victim], seed=chance.getrandbits(32))
        own = [entry for entry in (in_use if chance.random() < 0.75 else places) if entry.disk == name]
        trial = Trial(copies, victim, own, chance, work.state())
        what, happened, wrong = (_rot, _unreadable, _gone, _while_writing, _while_writing)[number % 5](trial)
        kinds[what] += happened
        mended += trial.mended
        if wrong:
            tally.failures.append(f"seed {seed}, {shape}, fault {number} ({what}): {wrong}")
    tally.counts["faults"] = kinds.total()
    tally.counts |= {f"  of these, {what}": kinds[what] for what in sorted(kinds)}
    tally.counts["faults that the pool counted as errors, and mended"] = mended
    tally.counts["faults of a write that was never made"] = faults - kinds.total()
    return tally


def _rot(trial: Trial) -> tuple[str, bool, str]:
    """Bits rot where something was written once. As of the others: what it is, whether it happened, what is wrong."""
    place, chance = trial.chance.choice(trial.own), trial.chance
    length = min(len(place.data), chance.choice((512, 4096, 1 << 20)))
    rot(trial.faulty.disk, place.offset, length, min(chance.choice((1, 8, 500)), 8 * length), chance)
    return "bits rotted", True, trial.compare() or trial.scrubbed()


def _unreadable(trial: Trial) -> tuple[str, bool, str]:
    place = trial.chance.choice([entry for entry in trial.own if DATA_OFFSET <= entry.offset < SIZE - END_SIZE])
    trial.faulty.add(UnreadableSector(place.offset, len(place.data)))
    return "sectors unreadable", True, trial.compare() or trial.scrubbed()


def _gone(trial: Trial) -> tuple[str, bool, str]:
    trial.faulty.add(Gone())
    return "disk gone", True, trial.compare()


def _while_writing(trial: Trial) -> tuple[str, bool, str]:
    """The pool is in use, and one of its next writes to the disk does not do what it should."""
    chance = trial.chance
    kind = chance.choice((LostWrite, TornWrite, MisdirectedWrite))
    trial.faulty.add(kind(chance.randrange(60)))
    what = {LostWrite: "write lost", TornWrite: "write torn", MisdirectedWrite: "write misdirected"}[kind]
    wrong = _use(trial) or trial.compare() or trial.scrubbed()
    return what, bool(trial.faulty.happened), wrong


def _use(trial: Trial) -> str:
    """Import the pool, write for some transaction groups, and say what the pool must hold after that."""
    chance = trial.chance
    try:
        pool = Spa.import_(trial.disks)
        pool.events.enabled = False
        data = chance.randbytes(chance.randrange(1, 60_000))
        pool.open("tank").write("/new", data)
        pool.sync()
        trial.state["tank"] = trial.state["tank"] | {"/new": data}
        for _ in range(2):
            pool.open("tank").write("/other", chance.randbytes(3000))
            pool.sync()
        pool.open("tank").unlink("/other")
        pool.sync()
    except ZfsError as error:
        return f"{type(error).__name__}: {error}"
    return ""
