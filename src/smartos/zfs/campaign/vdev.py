"""The vdev campaign: a pool's devices change at random under a workload, and after every change all must be as it was.

Devices are added, attached, detached, replaced, taken offline and back, pulled out and put back; hot spares come, stand
in and go; the pool is scrubbed, exported, imported, and imported after a power cut. What is refused must change nothing.
After each step a reader that knows nothing of the pool in memory finds every file as it must be, no leak and no bad
block; and at the end, when all devices are back and resilvered, a scrub finds nothing to repair.

Left out: log and cache devices, taking out top-level vdevs, faults of a device that answers (see the fault campaign).
"""

import random
from collections.abc import Callable

from smartos.zfs.campaign.tally import SIZE, Tally
from smartos.zfs.campaign.workload import Workload, contents, differences
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.disk.faults import FaultyDisk, Gone
from smartos.zfs.errors import Busy, PoolFaulted, Unsupported, ZfsError
from smartos.zfs.live import spa_config
from smartos.zfs.live.txg import PoolSuspended
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev.tree import Leaf, State

NAME = "tank"
TOPS = ((None, 1), (None, 2), ("mirror", 2), ("mirror", 3), ("raidz1", 3), ("raidz2", 4))
MOST_DISKS = 14


class Walk:
    """One pool, and all `disks` that it ever had. `done` are the steps in words, `refused` how many were refused.

    `folder` stands in front of the disks' names.
    """

    def __init__(self, seed: int, version: int = 28, folder: str = "", name: str = NAME) -> None:
        self.chance, self.name, self.folder = random.Random(seed), name, folder
        self.disks: list[FaultyDisk] = []
        self.done: list[str] = []
        self.refused = 0
        kind, count = self.chance.choice(TOPS)
        own = [self._new() for _ in range(count)]
        vdevs = [(kind, *own)] if kind else own
        self.pool = Spa.create(name, vdevs, seed=seed, version=version, recordsize=4096)
        self.pool.events.enabled = False
        self.work = Workload(self.pool, seed, heavy=6000, datasets=3)

    # ---- disks

    def _new(self) -> FaultyDisk:
        disk = FaultyDisk(MemoryDisk(SIZE, f"{self.folder}c0t{len(self.disks)}d0"))
        self.disks.append(disk)
        return disk

    def _present(self) -> list[FaultyDisk]:
        return [disk for disk in self.disks if not disk.gone]

    def _free(self) -> FaultyDisk:
        """A disk that the pool does not use: now and then one that it used before."""
        used = {id(leaf.disk) for leaf in (*self.pool.root.leaves(), *self.pool.spares)}
        old = [disk for disk in self._present() if id(disk) not in used]
        return self.chance.choice(old) if old else self._new()

    def _leaf(self, *states: State) -> Leaf | None:
        found = [leaf for leaf in self.pool.root.leaves() if not states or leaf.state in states]
        return self.chance.choice(found) if found else None

    # ---- steps: each says what it does, or gives None when it cannot

    def write(self) -> str:
        """The workload goes on."""
        self.work.run(self.chance.randrange(1, 6))
        return ""

    def add(self) -> str | None:
        """Another top-level vdev."""
        kind, count = self.chance.choice(TOPS)
        if len(self.disks) + count > MOST_DISKS:
            return None
        own = [self._new() for _ in range(count)]
        self.pool.add(*([(kind, *own)] if kind else own))
        return f"{kind} {[disk.name for disk in own]}"

    def add_spare(self) -> str | None:
        """Another hot spare."""
        if len(self.pool.spares) > 1:
            return None
        disk = self._free()
        self.pool.add(spares=[disk])
        return disk.name

    def remove_spare(self) -> str | None:
        """A hot spare goes, if it is not in use."""
        if not self.pool.spares:
            return None
        spare = self.chance.choice(self.pool.spares)
        self.pool.remove_spare(spare)
        return spare.name

    def attach(self) -> str:
        """A disk beside another."""
        leaf, disk = self._leaf(), self._free()
        self.pool.attach(leaf.path, disk)
        return f"{disk.name} to {leaf.name}"

    def detach(self) -> str:
        """A disk out of its mirror."""
        leaf = self._leaf()
        self.pool.detach(leaf.path)
        return leaf.name

    def replace(self) -> str | None:
        """A disk in the place of another, a hot spare for another, or the same disk, empty."""
        leaf, way = self._leaf(), self.chance.randrange(4)
        if leaf.parent.type in ("replacing", "spare"):
            return None
        if way == 0 and self.pool.spares:
            disk = self.chance.choice(self.pool.spares).disk
        elif way == 1 and not leaf.required and leaf.readable:
            leaf.disk.disk._pages.clear()
            self.pool.replace(leaf.path)
            return f"{leaf.name} with itself"
        else:
            disk = self._free()
        self.pool.replace(leaf.path, disk)
        return f"{leaf.name} with {disk.name}"

    def offline(self) -> str:
        """A disk is taken offline."""
        leaf = self._leaf()
        self.pool.offline(leaf.path)
        return leaf.name

    def online(self) -> str | None:
        """A disk that was offline comes back."""
        leaf = self._leaf(State.OFFLINE)
        if leaf is None or leaf.disk is None or leaf.disk.gone:
            return None
        self.pool.online(leaf.path)
        return leaf.name

    def pull(self) -> str | None:
        """A disk goes that the pool can do without."""
        leaf = self._leaf(State.HEALTHY)
        if leaf is None or leaf.required:
            return None
        leaf.disk.add(Gone())
        leaf.set_state(State.REMOVED)  # the bus tells of it
        self.pool.config_dirty = True
        return leaf.name

    def put_back(self) -> str | None:
        """A disk that was pulled answers again, and is used again."""
        leaf = next((each for each in self.pool.root.leaves() if each.disk is not None and each.disk.gone), None)
        if leaf is None:
            return None
        leaf.disk.back()
        self.pool.clear(leaf.path) if self.chance.random() < 0.5 else self.pool.online(leaf.path)
        return leaf.name

    def kick(self) -> str:
        """Hot spares stand in for what cannot be read."""
        return " ".join(self.pool.kick_spares())

    def resilver(self) -> str:
        """Let the scan that is running, or needed, come to its end."""
        self.pool.scan.wait()
        return ""

    def scrub(self) -> str:
        """A scrub begins."""
        self.pool.scan.limit = self.chance.choice((None, 1))
        self.pool.scan.start()
        return ""

    def export(self) -> str:
        """Exported and imported again, from all the disks that answer."""
        self.pool.export()
        return self._import()

    def crash(self) -> str:
        """The power fails after a transaction group, and the pool is imported."""
        self.work.sync()
        return self._import()

    def _import(self) -> str:
        self.pool = self.work.pool = Spa.import_(self._present(), self.name, seed=self.chance.getrandbits(32))
        self.pool.events.enabled = False
        return ""

    # ---- the walk

    @property
    def kinds(self) -> dict[Callable[[], str | None], int]:
        """The kinds of step, and how often each is taken."""
        return {
            self.write: 20, self.add: 4, self.add_spare: 3, self.remove_spare: 2, self.attach: 10, self.detach: 10,
            self.replace: 10, self.offline: 8, self.online: 6, self.pull: 5, self.put_back: 5, self.kick: 4,
            self.resilver: 6, self.scrub: 2, self.export: 3, self.crash: 2,
        }  # fmt: skip

    def step(self) -> str:
        """One step, and what is wrong after it; empty when nothing is."""
        kind = self.chance.choices(list(self.kinds), list(self.kinds.values()))[0]
        before = self._shape()
        try:
            what = kind()
            if what is None:
                return ""
            self.done.append(f"{kind.__name__} {what}".rstrip())
        except (Busy, Unsupported, PoolFaulted) as error:
            self.done.append(f"{kind.__name__} refused: {error}")
            self.refused += 1
            if isinstance(error, PoolSuspended):
                return str(error)
            return "" if self._shape() == before else "a step that was refused changed the pool"
        except ZfsError as error:
            return f"{kind.__name__}: {type(error).__name__}: {error}"
        return self.wrong()

    def _shape(self) -> tuple:
        """The tree and the state of its vdevs, as text and as objects."""
        return (
            str(spa_config.generate(self.pool, None, 0)), self.pool.status().rows, self.pool.status().spares,
            [id(node) for _, node in self.pool.root.walk()],
        )  # fmt: skip

    def wrong(self) -> str:
        """What is wrong with the pool, in words; empty when nothing is."""
        try:
            self.work.sync()
            found = Pool.open(self._present(), self.name)
            report, state = walk(found), {each.name: contents(each) for each in found.datasets()}
        except ZfsError as error:
            return f"{type(error).__name__}: {error}"
        wrong = differences(self.work.state(), state)
        return wrong[0] if wrong else "" if report.sound else report.describe()

    def finish(self) -> str:
        """Bring every disk back, let it resilver, and scrub; what is wrong then."""
        for disk in self.disks:
            if disk.gone:
                disk.back()
        try:
            for leaf in list(self.pool.root.leaves()):
                if not leaf.readable and leaf.disk is not None:
                    self.pool.online(leaf.path)
            self.pool.scan.limit = None
            for _ in range(3):  # one that was running, and one for what came back meanwhile
                self.pool.scan.wait()
            self.pool.scan.start()
            self.pool.scan.wait()
        except ZfsError as error:
            return f"{type(error).__name__}: {error}"
        scan = self.pool.scan
        if scan.repaired or scan.errors:
            return f"a scrub of the resilvered pool repairs {scan.repaired} bytes and finds {scan.errors} blocks lost"
        if self.pool.root.resilver_range():
            return "a device still misses something after its resilver"
        return self.wrong()


def vdev_campaign(seed: int, steps: int = 16) -> Tally:
    """One walk, at pool version 28 or 23; what happened, and the first thing that went wrong."""
    tally, taken = Tally(), Walk(seed, (28, 23)[seed % 2])
    wrong = taken.wrong()
    for _ in range(steps):
        wrong = wrong or taken.step()
    wrong = wrong or taken.finish()
    if wrong:
        tally.failures.append(f"seed {seed}, after {'; '.join(taken.done[-6:])}: {wrong}")
    tally.counts["walks"] += 1
    tally.counts["steps"] += len(taken.done)
    for each in taken.done:
        tally.counts[f"  of these, {'refused' if ' refused: ' in each else each.split()[0]}"] += 1
    return tally
