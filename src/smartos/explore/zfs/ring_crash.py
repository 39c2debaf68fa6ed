"""A pool on one disk whose power fails within a transaction group, and what an import finds then.

The pool syncs groups until its ring of uberblocks has gone round once; the writes of one more group are logged. What the
medium has of them when the power fails depends on the disk: one writes in order, one in any order between two flushes (a
seed decides), and one ignores flushes, which no file system can stand on.

Left out: several disks, and the intent log, which keeps what was written with O_DSYNC in the group that was lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from smartos.zfs.disk.disk import Entry, Flush, MemoryDisk, Recorder, Write, survivors, writes
from smartos.zfs.errors import ZfsError
from smartos.zfs.format.label import DATA_OFFSET, RING_OFFSET, label_offset, read_labels
from smartos.zfs.format.uberblock import MAGIC, slot_of, slot_shift, slots
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk
from smartos.zfs.spa.spa import Spa

ASHIFT, SIZE, LAST, SEED, SECTOR = 12, 64 << 20, 40, 3, 512
SLOTS, SLOT = slots(ASHIFT), slot_of(LAST, ASHIFT)
LUCK = 3  # of the disks that do not write in order
TRIES = 3  # uberblocks that Pool.open tries
Rings = tuple[tuple[tuple[str, int], ...], ...]


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
class Found:
    """What an import found: the groups that it could not open, the one that it did, the file there, blocks in error."""

    failed: tuple[int, ...] = ()
    txg: int = 0
    words: str = ""
    errors: int = 0
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


def slots_of(disk: MemoryDisk) -> Rings:
    """The slots of the four labels: ("valid", txg), ("bad", the txg that its head claims), ("empty", 0)."""
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


def opened(disk: MemoryDisk, best: Sequence[int]) -> Found:
    """What an import finds: :meth:`Pool.open` chooses, and every block below its choice is read.

    `best` are the groups whose uberblocks verify, the highest first; those above the choice could not be opened.
    """
    try:
        pool = Pool.open([disk])
    except ZfsError:
        return Found(tuple(best[:TRIES]))
    txg = pool.uberblock.txg
    failed = tuple(other for other in best if other > txg)
    report = walk(pool)
    try:
        files = pool.dataset("tank").filesystem()
        words = files.read(files.lookup("/state")).decode()
    except ZfsError as error:
        words = type(error).__name__
    return Found(failed, txg, words, len(report.errors), report.count)


def candidates(labels: Rings) -> list[int]:
    """The groups of all uberblocks that verify, the highest first."""
    return sorted({txg for row in labels for kind, txg in row if kind == "valid"}, reverse=True)


def place(cut: str) -> int:
    """How many entries of the log the disk was sent when the power failed."""
    log = recorded()
    flush, uberblock = log.first("flush"), log.first("uberblock")
    return {
        "start": 0, "blocks": log.first("mos"), "flush": flush, "uberblock": flush + 1, "torn": uberblock + 1,
        "labels": uberblock + 2, "end": len(log.entries),
    }[cut]  # fmt: skip


def kept(cut: str, disk: str) -> tuple[Write, ...]:
    """What the medium has of what the disk was sent, in the order in which it got there."""
    sent: Sequence[Entry] = recorded().entries[: place(cut)]
    if disk != "order":
        sent = [entry for entry in sent if disk == "any" or isinstance(entry, Write)]
        return tuple(survivors(sent, writes(sent), LUCK, SECTOR))
    found = [entry for entry in sent if isinstance(entry, Write)]
    if cut == "torn":
        found[-1] = replace(found[-1], data=found[-1].data[: len(found[-1].data) // 2])
    return tuple(found)


def medium(cut: str, disk: str) -> MemoryDisk:
    """The disk after the power cut."""
    return _with(kept(cut, disk))


def _with(entries: Sequence[Write]) -> MemoryDisk:
    after = recorded().before.copy()
    for entry in entries:
        after.write(entry.offset, entry.data)
    return after


@cache
def told(count: int) -> tuple[Rings, int, int]:
    """What a disk shows that was sent so many entries and lost none: its slots, the blocks that are there, of how many."""
    disk = _with([entry for entry in recorded().entries[:count] if isinstance(entry, Write)])
    return slots_of(disk), *landed(disk)


@cache
def imported(entries: tuple[Write, ...]) -> tuple[tuple[Rings, int, int], Found]:
    """The same of a disk that the power failed on, and what an import finds there."""
    disk = _with(entries)
    labels = slots_of(disk)
    return (labels, *landed(disk)), opened(disk, candidates(labels))
