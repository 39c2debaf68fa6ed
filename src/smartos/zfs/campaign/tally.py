"""What the two campaigns share: pools of six shapes to put to the test, and the count of what happened to them.

Left out: pools of several top-level vdevs of different kinds. The campaigns are in :mod:`smartos.zfs.campaign`.
"""

from collections import Counter
from dataclasses import dataclass, field

from smartos.zfs.campaign.workload import Workload
from smartos.zfs.spa.spa import Spa

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
        """The counts, one a line, in the order in which they began."""
        lines = [f"{count:>9,} {name}" for name, count in self.counts.items()]
        return "\n".join([*lines, f"{len(self.failures):>9,} failures", *self.failures[:10]])


def build(shape: str, disks: list, seed: int, version: int = 28) -> Spa:
    """A pool of a shape on the disks, without an event log; its records are small, so that files have several."""
    kind = SHAPES[shape][0]
    pool = Spa.create("tank", [(kind, *disks)] if kind else disks, seed=seed, version=version, recordsize=4096)
    pool.events.enabled = False
    return pool


def exercise(work: Workload, steps: int, least: int) -> None:
    """Run a workload for so many steps, and on until its files hold `least` bytes, so that there is what can break."""
    work.run(steps)
    while sum(len(data) for files in work.state().values() for data in files.values() if data) < least:
        work.run(1)
    work.sync()
