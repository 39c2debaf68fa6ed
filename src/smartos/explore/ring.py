"""The uberblock ring under a power cut: where the cut falls decides which root wins, and both roots are whole trees.

A pool on one disk syncs transaction groups until its ring of 32 slots has gone round once. Then the writes of the last
group are logged, the power is cut at one of several places, and what the medium has is opened by
:meth:`smartos.zfs.pool.Pool.open`. The slots shown are those that :mod:`smartos.zfs.label` verifies.

Three disks differ in what they do before a flush: one writes in order, one in any order (a seed decides), and one
ignores flushes, which no file system can stand on. Left out: several disks, and the intent log, which keeps what was
written with O_DSYNC in the group that was lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from smartos.explore.controls import Choice
from smartos.explore.explorer import Stepper
from smartos.explore.frame import Frame, Table
from smartos.explore.ring_figure import draw
from smartos.zfs import checksum
from smartos.zfs.disk import Entry, Flush, MemoryDisk, Recorder, Write, survivors, writes
from smartos.zfs.errors import ZfsError
from smartos.zfs.label import DATA_OFFSET, LABELS, RING_OFFSET, label_offset, read_labels
from smartos.zfs.pool import Pool
from smartos.zfs.spa import Spa
from smartos.zfs.uberblock import MAGIC, Uberblock, slot_of, slot_shift, slots
from smartos.zfs.walk import walk

ASHIFT, SIZE, LAST, SEED, SECTOR = 12, 64 << 20, 40, 3, 512
SLOTS, SLOT = slots(ASHIFT), slot_of(LAST, ASHIFT)
CUTS = [
    ("start", "before the group’s first write"), ("blocks", "among its blocks"), ("flush", "after its blocks"),
    ("uberblock", "after the flush"), ("torn", "in the middle of its uberblock"),
    ("labels", "after two of the four labels"), ("end", "after the last flush"),
]  # fmt: skip
DISKS = [("order", "writes in order"), ("any", "writes in any order"), ("lies", "ignores flushes")]
LUCK = 3  # of the disks that do not write in order


@dataclass(frozen=True)
class Log:
    """The pool before its last group, and what that group did: entries, and for each write what kind of block."""

    before: MemoryDisk
    entries: tuple[Entry, ...]
    kinds: tuple[str, ...]

    def first(self, kind: str) -> int:
        """The place of the first entry of a kind."""
        return self.kinds.index(kind)


@dataclass(frozen=True)
class Moment:
    """A step: what is said, the slots of the four labels, how many of the last group's blocks are on the disk.

    A slot is ("valid", txg), ("bad", the txg that its head claims) or ("empty", 0). `read` is what the reader has
    found so far: the txg, what the file says, whether every block verified.
    """

    says: str
    labels: tuple[tuple[tuple[str, int], ...], ...]
    landed: int
    blocks: int
    phase: str = "write"
    read: "Found | None" = None


@dataclass(frozen=True)
class Found:
    """What an import found: the groups that it could not open, the one that it did, the file there, blocks in error."""

    failed: tuple[int, ...] = ()
    txg: int = 0
    words: str = ""
    errors: int = 0
    copies: int = 0
    blocks: int = 0


@cache
def recorded() -> Log:
    """Sync groups until the ring has gone round, and log the last one."""
    media, log = MemoryDisk(SIZE, "c0t0d0"), []
    disk = Recorder(media, log)
    pool = Spa.create("tank", [disk], seed=SEED, ashift=ASHIFT)
    pool.events.enabled = False
    while pool.txg.open <= LAST:
        if pool.txg.open == LAST:
            before, start, pool.events.enabled = media.copy(), len(log), True
        pool.open("tank").write("/state", f"txg {pool.txg.open}".encode())
        pool.sync()
    names = {
        dva.offset + DATA_OFFSET: "file" if event.type == "ZFS plain file" else "mos" if "MOS" in event.what else "tree"
        for event in pool.events if event.kind in ("write", "rewrite") for dva in event.new
    }  # fmt: skip
    entries = tuple(log[start:])
    kinds = ("flush" if isinstance(entry, Flush) else names.get(entry.offset, "uberblock") for entry in entries)
    return Log(before, entries, tuple(kinds))


# What is on the disk


def slots_of(disk: MemoryDisk) -> tuple[tuple[tuple[str, int], ...], ...]:
    """The slots of the four labels: those that verify, those that do not, those never written."""
    found = []
    for label in read_labels(disk):
        valid = {slot: uberblock.txg for slot, uberblock in label.uberblocks}
        base = label_offset(disk.size, label.number) + RING_OFFSET
        row = []
        for slot in range(SLOTS):
            head = disk.read(base + (slot << slot_shift(ASHIFT)), 24)
            claim = int.from_bytes(head[16:], "little")
            written = head[:8] == MAGIC.to_bytes(8, "little")
            row.append(("valid", valid[slot]) if slot in valid else ("bad", claim) if written else ("empty", 0))
        found.append(tuple(row))
    return tuple(found)


def landed(disk: MemoryDisk) -> tuple[int, int]:
    """How many of the places that the last group fills hold what it wrote there in the end, and how many there are."""
    final = {entry.offset: entry.data for entry in recorded().entries if isinstance(entry, Write)}
    blocks = {at: data for at, data in final.items() if DATA_OFFSET <= at < label_offset(SIZE, 2)}
    return sum(disk.read(at, len(data)) == data for at, data in blocks.items()), len(blocks)


def opened(disk: MemoryDisk) -> Found:
    """What an import finds: :meth:`Pool.open` chooses, and every block below its choice is read."""
    try:
        pool = Pool.open([disk])
    except ZfsError:
        return Found(tuple(candidates(disk)[:3]))
    txg = pool.uberblock.txg
    failed = tuple(other for other in candidates(disk) if other > txg)
    report = walk(pool)
    try:
        files = pool.dataset("tank").filesystem()
        words = files.read(files.lookup("/state")).decode()
    except ZfsError as error:
        words = type(error).__name__
    return Found(failed, txg, words, len(report.errors), report.verified, report.count)


def candidates(disk: MemoryDisk) -> list[int]:
    """The groups of all uberblocks that verify, the best first, as the reader ranks them."""
    every = [uberblock for label in read_labels(disk) for _, uberblock in label.uberblocks]
    return list(dict.fromkeys(each.txg for each in sorted(every, key=Uberblock.rank, reverse=True)))


# A run


def place(cut: str) -> int:
    """How many entries of the log the disk was sent when the power failed."""
    log = recorded()
    flush, uberblock = log.first("flush"), log.first("uberblock")
    return {
        "start": 0, "blocks": log.first("mos"), "flush": flush, "uberblock": flush + 1, "torn": uberblock + 1,
        "labels": uberblock + 2, "end": len(log.entries),
    }[cut]  # fmt: skip


def medium(cut: str, disk: str) -> MemoryDisk:
    """The disk after the power cut."""
    log = recorded()
    sent: Sequence[Entry] = log.entries[: place(cut)]
    after = log.before.copy()
    if disk == "order":
        kept = [entry for entry in sent if isinstance(entry, Write)]
        if cut == "torn":
            kept[-1] = replace(kept[-1], data=kept[-1].data[: len(kept[-1].data) // 2])
    else:
        sent = [entry for entry in sent if disk == "any" or isinstance(entry, Write)]
        kept = survivors(sent, writes(sent), LUCK, SECTOR)
    for entry in kept:
        after.write(entry.offset, entry.data)
    return after


@cache
def told(count: int) -> tuple[tuple, int, int]:
    """What a disk shows that was sent so many entries and lost none: its slots, the blocks that are there, of how many."""
    disk = recorded().before.copy()
    for entry in recorded().entries[:count]:
        if isinstance(entry, Write):
            disk.write(entry.offset, entry.data)
    return slots_of(disk), *landed(disk)


def story(cut: str, disk: str) -> list[Moment]:
    """The moments of one run: what the disk is sent, the power cut, and the import."""
    end = place(cut)
    slot = slot_of(LAST - 1, ASHIFT)
    begin = f"Txg {LAST - 1} is on disk: slot {slot} of all four labels holds its uberblock. The ring is full."
    found = [Moment(begin, *told(0))]
    found += [Moment(says, *told(stop)) for stop, says in _groups(recorded(), disk) if stop <= end]
    after = medium(cut, disk)
    state, read, best = (slots_of(after), *landed(after)), opened(after), candidates(after)[0]
    tried = f"Of the uberblocks that verify, txg {best} is the highest: it is tried first."
    return [
        *found, Moment(_cut(cut, disk, *state), *state, "cut"), Moment(_reads(state[0]), *state, "read"),
        Moment(tried, *state, "pick", Found(txg=best)), Moment(_verdict(cut, read), *state, "found", read),
    ]  # fmt: skip


def _groups(log: Log, disk: str) -> list[tuple[int, str]]:
    """The entries of the last group in a few steps: where each ends, and what it is."""
    tree, mos, flush, uberblock = (log.first(kind) for kind in ("tree", "mos", "flush", "uberblock"))
    flushed = (
        "The disk is told to flush its cache. It says that it did, and did not."
        if disk == "lies"
        else "The disk flushes its cache: every block of the new tree is on the medium. Only now may a root point to it."
    )
    over = f"slot {LAST} mod {SLOTS} = {SLOT} of L0, over that of txg {LAST - SLOTS}"
    return [
        (tree, f"Txg {LAST} syncs. The file’s new block goes to free space; the old one stays where it is."),
        (mos, "Copy-on-write climbs: the dataset’s dnodes and object set get new blocks too, two copies of each."),
        (flush, "The MOS and the space maps follow in three copies, over four passes. No uberblock points here yet."),
        (uberblock, flushed),
        (uberblock + 1, f"The uberblock of txg {LAST} goes into {over}."),
        (uberblock + 2, "The same uberblock goes into L1."),
        (len(log.entries) - 1, "And into the two labels at the disk’s end, L2 and L3."),
        (len(log.entries), f"A last flush: txg {LAST} is on disk, and whoever waited for it is told so."),
    ]


def _cut(cut: str, disk: str, labels: tuple, there: int, blocks: int) -> str:
    if cut == "end" and disk != "lies":
        return f"The power fails. Both flushes were answered truly, so all {blocks} blocks and four uberblocks are there."
    states = [row[SLOT] for row in labels]
    new, torn = sum(s == ("valid", LAST) for s in states), sum(s[0] == "bad" for s in states)
    if disk == "order" and cut == "torn":
        half = f"{(1 << slot_shift(ASHIFT)) // 2 >> 10} KiB"
        return f"The power fails while L0’s slot is written: {half} are new, {half} are those of txg {LAST - SLOTS}."
    roots = f"{_count(new, 'new uberblock')}{f', {torn} torn' if torn else ''}"
    return f"The power fails. On the medium are {there} of the new tree’s {blocks} blocks and {roots}."


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _reads(labels: tuple) -> str:
    total = sum(map(len, labels))
    bad = [(n, slot, state[1]) for n, row in enumerate(labels) for slot, state in enumerate(row) if state[0] == "bad"]
    if not bad:
        return f"Import reads all {total} slots and computes the checksum of each. Every uberblock verifies."
    label, slot, txg = bad[0]
    return (
        f"Import reads {total} slots. Slot {slot} of L{label} says txg {txg}, but its SHA-256 is not the one in its "
        f"trailer: rejected{f', and {len(bad) - 1} more' if len(bad) > 1 else ''}."
    )  # fmt: skip


def _verdict(cut: str, found: Found) -> str:
    safe = LAST if cut == "end" else LAST - 1
    back = f"The tree of txg {found.failed[0]} has holes. Going back, as zpool import -F does, " if found.failed else ""
    if not found.txg:
        return f"{back or 'Import '}finds no tree that is whole. The pool cannot be opened."
    if found.errors:
        return f"Txg {found.txg} opens, but {found.errors} of the blocks below it fail their checksums. The flush was a lie."
    if found.txg < safe:
        return f"{back}finds txg {found.txg} whole. Txg {LAST} was reported as synced, and is lost: the disk lied."
    whole = f"{back}finds txg {found.txg} whole" if back else f"All {found.blocks} blocks below txg {found.txg} verify"
    return f"{whole}: the file says “{found.words}”. Nothing that was synced is lost."


def steps(cut: str, disk: str) -> list[Frame]:
    """The frames of one run."""
    return [Frame(draw(moment, SLOT, SLOTS, LAST), moment.says, _table(moment)) for moment in story(cut, disk)]


def _table(moment: Moment) -> Table:
    rows = []
    for n, row in enumerate(moment.labels):
        kind, txg = row[SLOT]
        holds = {"valid": f"txg {txg}", "bad": f"torn: says txg {txg}", "empty": "nothing"}[kind]
        newest = max((t for k, t in row if k == "valid"), default=0)
        rows.append((f"L{n}", f"{label_offset(SIZE, n):#x}", holds, sum(k == "valid" for k, _ in row), newest))
    columns = ["Label", "At byte", f"Slot {SLOT} holds", "Slots that verify", "Newest txg"]
    there = f"{moment.landed} of {moment.blocks} blocks of txg {LAST} are there"
    return Table(columns, rows, f"The labels’ rings; {there}")


def stepper() -> Stepper:
    """Where the power is cut, and what kind of disk it is."""
    return Stepper(
        "uberblock-ring", "A power cut, and which uberblock wins", steps,
        {"cut": Choice("The power fails", CUTS), "disk": Choice("The disk", DISKS)},
        default={"cut": "torn", "disk": "order"},
        keys=[{"cut": "labels", "disk": "order"}, {"cut": "torn", "disk": "lies"}],
        at=-1,
    )  # fmt: skip
