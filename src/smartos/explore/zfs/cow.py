"""Copy on write as it happened: one transaction group of a real pool, from the changed leaf to the uberblock.

The steps are the pool's own events, with the disk as it was after each: what a power cut then would leave is found by
replaying the disk's writes up to there and importing the result. Addresses and checksums are read back from the disk,
out of the block pointers of the tree before and of the tree after.

The file has four blocks of 512 bytes, so that it needs an indirect block and can still be drawn. Left out: most of the
MOS, of which the object set and the block of dnodes with the filesystem's pointer are shown and the rest is counted; a
pointer's second and third address, of which only the number is shown; the intent log.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.zfs.cow_figure import draw, where
from smartos.zfs.disk.disk import Entry, MemoryDisk, Recorder, replay
from smartos.zfs.dmu.dnode import DNODE_SHIFT, block_pointer
from smartos.zfs.dmu.objset import Objset
from smartos.zfs.events import Event
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.format.uberblock import slot_of
from smartos.zfs.live.metaslab import DEFER_SIZE
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import Walker
from smartos.zfs.spa.spa import Spa

HOME, FILE, SNAPSHOT = "tank/home", "/file", "tank/home@old"
RECORD, BLOCKS = 512, 4
CHANGES = [
    ("byte", "one byte of block 2"), ("two", "a byte of block 0 and one of block 2"), ("mode", "only the file’s mode"),
]  # fmt: skip
HOLDS = [("no", "no"), ("yes", "yes")]
PARENTS = ("mos", "mos dnodes", "objset", "dnodes", "indirect")  # below the uberblock, in the order of their levels
NAMES = {
    "mos": "MOS: object set", "mos dnodes": "MOS: block of dnodes", "objset": "tank/home: object set",
    "dnodes": "tank/home: block of dnodes", "indirect": "file: indirect block",
    **{f"L0 {n}": f"file: block {n}" for n in range(BLOCKS)},
}  # fmt: skip

Tree = dict[str, Blkptr]


@dataclass(frozen=True)
class Moment:
    """A step: what happened in words, which blocks of the new tree are on the disk, whether its uberblock is, and the
    transaction group at which the pool would be imported if the power failed now. `fate` is known at the end: for each
    block of the old tree "free" or "kept"."""

    says: str
    written: frozenset[str]
    rooted: bool
    opens_at: int
    fate: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A transaction group `txg`: the trees before and after it, the txg of the uberblock before, how many blocks the
    MOS had and how many of them are new, whether a snapshot holds the old tree, and the moments."""

    txg: int
    old_txg: int
    old: Tree
    new: Tree
    mos_blocks: int
    mos_new: int
    snapshot: bool
    moments: tuple[Moment, ...]

    @property
    def changed(self) -> list[str]:
        """The blocks that have a new address, by name."""
        return [name for name in self.new if self.old[name].dvas != self.new[name].dvas]


def tree(disk: object, txg: int | None = None) -> Tree:
    """The block pointers from the uberblock down to the file's blocks, as they are on the disk, by name."""
    pool = Pool.open([disk], txg=txg)
    home = pool.dataset(HOME)
    number = home.filesystem().lookup(FILE)
    dnode = home.objset.dnode(number)
    found = {
        "mos": pool.uberblock.rootbp, "mos dnodes": dnode_block(pool.mos, home.object), "objset": home.phys.bp,
        "dnodes": dnode_block(home.objset, number), "indirect": dnode.blkptrs[0],
    }  # fmt: skip
    return found | {f"L0 {n}": block_pointer(dnode, n, pool.read) for n in range(BLOCKS)}


def dnode_block(objects: Objset, number: int) -> Blkptr:
    """The pointer to the block of dnodes that has this object's."""
    meta = objects.phys.meta_dnode
    return block_pointer(meta, number // (meta.block_size >> DNODE_SHIFT), objects.read_block)


def before(snapshot: bool) -> tuple[Spa, MemoryDisk, list[Entry]]:
    """A pool with the file in it, the disk below, and the log of what is written to it from now on."""
    disk, log = MemoryDisk(64 << 20), []
    pool = Spa.create("tank", [Recorder(disk, log)])
    home = pool.create(HOME, recordsize=RECORD, compression="off")
    home.write(FILE, random.Random(2011).randbytes(BLOCKS * RECORD))
    pool.sync()
    if snapshot:
        pool.snapshot(SNAPSHOT)
    log.clear()
    return pool, disk, log


def change(pool: Spa, what: str) -> None:
    """The change, in memory."""
    home = pool.open(HOME)
    if what == "mode":
        home.chmod(FILE, 0o600)
    for block in {"byte": (2,), "two": (0, 2), "mode": ()}[what]:
        home.write(FILE, b"!", block * RECORD)


@cache
def run(what: str, snapshot: bool) -> Run:
    """One transaction group, with a moment for each block of the path."""
    pool, disk, log = before(snapshot)
    start, old = disk.copy(), tree(disk)
    old_txg, mos_blocks = pool.uberblock.txg, sum(v.where == "MOS" for v in Walker(Pool.open([disk])).visits())
    marks: list[tuple[Event, int]] = []  # each event, and how long the disk's log was by then
    pool.events.listeners.append(lambda event: marks.append((event, len(log))))
    change(pool, what)
    txg = pool.sync()
    new = tree(disk)
    teller = Teller(old, new, old_txg, txg, start, log)
    teller.walk(marks)
    return Run(txg, old_txg, old, new, mos_blocks, len(teller.mos_new), snapshot, tuple(teller.moments))


class Teller:
    """Turns events into moments."""

    def __init__(self, old: Tree, new: Tree, old_txg: int, txg: int, disk: MemoryDisk, log: Sequence[Entry]) -> None:
        self.old, self.new, self.old_txg, self.txg = old, new, old_txg, txg
        self.disk, self.log, self.done = disk, log, 0
        self.moments: list[Moment] = []
        self.written: set[str] = set()
        self.mos_new: set[tuple[int, int, int]] = set()
        self.rooted = False

    def tell(self, says: str, at: int, fate: dict[str, str] | None = None) -> None:
        """A moment, after `at` entries of the disk's log."""
        replay(self.log[self.done : at], {self.disk.name: self.disk})
        self.done = at
        opens_at = Pool.open([self.disk]).uberblock.txg
        self.moments.append(Moment(says, frozenset(self.written), self.rooted, opens_at, fate or {}))

    def walk(self, marks: Sequence[tuple[Event, int]]) -> None:
        """All moments, from the events of the transaction group and the length of the log at each."""
        self.tell(
            f"The system call has returned: the change is in memory, in txg {self.txg}. On disk is the tree of txg "
            f"{self.old_txg}.", 0,
        )  # fmt: skip
        places = {pointer.dvas: name for name, pointer in self.new.items()}
        flushed = False
        for event, at in marks:
            name = places.get(event.new)
            if event.kind in ("write", "rewrite") and event.where.dataset == "MOS":
                self.mos_new.add((event.where.object, event.where.level, event.where.blkid))
            elif event.kind == "write" and name:
                self.written.add(name)
                self.tell(self._wrote(name, event), at)
            elif event.kind == "flush" and not flushed:
                flushed = True
                self._mos(event, at)
                self.tell(
                    f"The disk’s cache is flushed: all of the new tree is safe, and nothing points to it. The pool is "
                    f"still that of txg {self.old_txg}.", at,
                )  # fmt: skip
            elif event.kind == "uberblock":
                self.rooted = True
                self.tell(
                    f"The uberblock of txg {self.txg} goes into slot {slot_of(self.txg, 9)} of each label, beside the old "
                    f"one. From the first of these writes on, the pool is the new tree.", at,
                )  # fmt: skip
        self._end([event for event, _ in marks], marks[-1][1])

    def _wrote(self, name: str, event: Event) -> str:
        to = where(self.new[name])
        if name.startswith("L0"):
            return f"Block {name[3:]} of the file is written to free space, {to}. The old block stays as it is."
        if name == "indirect":
            one = sum(each.startswith("L0") for each in self.written) == 1
            held = "its address and checksum" if one else "their addresses and checksums"
            return f"The indirect block holds {held}. They changed, so it is written anew, to {to}."
        if name == "dnodes":
            above = "indirect" in self.written
            why = "The pointer in the file’s dnode changed in turn" if above else "The file’s dnode has another mode"
            return f"{why}: its block of dnodes is written anew, to {to}."
        return f"The object set points to its dnodes, so it is written anew: {to} is the filesystem’s new root."

    def _mos(self, event: Event, at: int) -> None:
        """The MOS is written in several passes; it is told when the last one is over."""
        self.written |= {"mos", "mos dnodes"}
        self.tell(
            f"The dataset’s pointer is in the MOS, which also counts space: {len(self.mos_new)} of its blocks are written "
            f"anew, in {event.sync_pass} passes.", at,
        )  # fmt: skip

    def _end(self, events: Sequence[Event], at: int) -> None:
        freed = {event.old for event in events if event.kind == "free" and event.sync_pass}
        dead = {event.old for event in events if event.kind == "dead"}
        later = sum(event.kind == "defer" for event in events)
        fate = {name: "free" for name, pointer in self.old.items() if pointer.dvas in freed}
        fate |= {name: "kept" for name, pointer in self.old.items() if pointer.dvas in dead}
        if dead:
            says = (
                f"The {len(dead)} old blocks of tank/home were born before @old: they go to the dead list. Only the "
                f"MOS’s {len(freed)} are freed."
            )
        else:
            says = (
                f"{len(freed)} blocks of the old tree are freed, {later} more in the next group. Their space waits "
                f"{DEFER_SIZE} groups; until then the old tree can still be read."
            )
        self.tell(says, at, fate)


def steps(what: str, snapshot: str) -> list[Frame]:
    """The frames of one run."""
    told = run(what, snapshot == "yes")
    return [Frame(draw(told, moment), moment.says, _table(told, moment)) for moment in told.moments]


def _table(told: Run, moment: Moment) -> Table:
    rows = []
    for name in (*(f"L0 {n}" for n in range(BLOCKS)), *reversed(PARENTS)):
        old, new = told.old[name], told.new[name]
        same = old.dvas == new.dvas
        there = name in moment.written
        address = "the same" if same else f"{where(new)} ×{len(new.dvas)}" if there else "not yet"
        fate = {"free": "freed", "kept": "on the dead list"}.get(moment.fate.get(name, ""), "in use")
        cksum = f"{new.cksum[0]:x}" if there else f"{old.cksum[0]:x}" if same else "not yet"
        rows.append((NAMES[name], f"{where(old)} ×{len(old.dvas)}", address, cksum, fate))
    slots = [f"slot {slot_of(txg, 9)}" for txg in (told.old_txg, told.txg)]
    rows.append(("uberblock", slots[0], slots[1] if moment.rooted else "not yet", "in the slot itself", "in use"))
    columns = ["Block", "Old address × copies", "New address", "Checksum in the pointer to it", "The old block is"]
    return Table(columns, rows, f"If the power fails now, the pool is imported at txg {moment.opens_at}", plain=columns)


def stepper() -> Stepper:
    """What is changed, and whether a snapshot holds the old tree."""
    return Stepper(
        "cow", "Copy on write, from the leaf to the uberblock", steps,
        {"what": Choice("What changes is", CHANGES), "snapshot": Choice("A snapshot holds the old tree", HOLDS)},
        default={"what": "byte", "snapshot": "no"},
        keys=[{"what": "byte", "snapshot": "yes"}, {"what": "mode", "snapshot": "no"}],
        at=-3,
    )  # fmt: skip
