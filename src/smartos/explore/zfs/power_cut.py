"""Power cuts to place in the writes of one transaction group: at which txg is the pool afterwards?

The writes are those of a real pool of one disk or a mirror, in their order, with the flushes between them. The answer
is what importing finds on disks to which they were replayed up to the cut. With write caches the cut leaves anything
between what was flushed and everything that was sent; both ends are imported.

Left out: writes that are torn, of which :mod:`smartos.explore.exercises.uberblock` has some.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Problem, unlike
from smartos.explore.kit.reply import Number, Pick
from smartos.zfs.disk.disk import Entry, Flush, MemoryDisk, Recorder, Write, replay
from smartos.zfs.format.label import DATA_OFFSET, END_SIZE, LABELS, RING_OFFSET, label_offset
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import Spa

UBERBLOCK, CONFIG, FLUSH = "the uberblock", "the configuration", "flush"
EMPTIED = "the disks’ write caches are emptied"


@dataclass(frozen=True)
class Group:
    """A transaction group `txg`: the disks before it, and the log of what it wrote to them."""

    txg: int
    disks: tuple[MemoryDisk, ...]
    log: tuple[Entry, ...]

    @property
    def writes(self) -> list[int]:
        """Where in the log its writes are."""
        return [at for at, entry in enumerate(self.log) if isinstance(entry, Write)]


@cache
def group(mirror: bool, labels: bool, extra: int) -> Group:
    """A group that overwrites a file, after `extra` others; with `labels`, one that changes the configuration too."""
    media, log = [MemoryDisk(64 << 20, f"c0t{n}d0") for n in range(1 + mirror)], []
    disks = [Recorder(disk, log) for disk in media]
    pool = Spa.create("tank", [("mirror", *disks)] if mirror else disks)
    for n in range(extra + 1):
        pool.open("tank").write("/file", bytes([n + 1]) * 512)
        pool.sync()
    log.clear()
    before = tuple(disk.copy() for disk in media)
    pool.open("tank").write("/file", b"new" * 100)
    pool.config_dirty = pool.config_dirty or labels
    return Group(pool.sync(), before, tuple(log))


def imported(disks: Sequence[MemoryDisk], entries: Sequence[Entry]) -> int:
    """The txg at which the pool is imported after these writes."""
    copies = {disk.name: disk.copy() for disk in disks}
    replay(entries, copies)
    return Pool.open(copies.values()).uberblock.txg


def flushed(entries: Sequence[Entry]) -> list[Entry]:
    """Of what was sent, that which no cut can take back: each disk's writes before its last flush."""
    last = {entry.disk: at for at, entry in enumerate(entries) if isinstance(entry, Flush)}
    return [entry for at, entry in enumerate(entries) if at < last.get(entry.disk, 0)]


def kind(entry: Entry, size: int) -> tuple[str, str]:
    """What an entry of the log is, and of what: ("the uberblock", its disk), ("", "") for blocks of the tree."""
    if isinstance(entry, Flush):
        return FLUSH, ""
    if DATA_OFFSET <= entry.offset < size - END_SIZE:
        return "", ""
    return UBERBLOCK if entry.offset - label_offset(size, label(entry, size)) >= RING_OFFSET else CONFIG, entry.disk


def label(entry: Write, size: int) -> int:
    """The number of the label that a write goes to."""
    return max(n for n in range(LABELS) if label_offset(size, n) <= entry.offset)


def phases(made: Group) -> list[tuple[int, int, str]]:
    """The log as rows: the numbers of the first and the last write, and what they are. A flush has the number of the
    write before it."""
    rows, number, size = [], 0, made.disks[0].size
    for (what, disk), entries in groupby(made.log, lambda entry: kind(entry, size)):
        run = list(entries)
        if what == FLUSH:
            rows.append((number, number, FLUSH))
            continue
        first, number = number + 1, number + len(run)
        labels = " and ".join(str(label(entry, size)) for entry in run) if len(run) == 2 else "0 to 3"
        rows.append((first, number, f"{what}, labels {labels} of {disk}" if what else "blocks of the new tree"))
    return rows


def span(first: int, last: int, what: str) -> str:
    """The numbers of a row, or that it is a flush."""
    return FLUSH if what == FLUSH else f"{first} to {last}" if last > first else str(first)


@dataclass(frozen=True)
class Cut:
    """The power fails after write number `after`; `sent` is the log until then, `first` the first uberblock's write."""

    made: Group
    after: int
    sent: tuple[Entry, ...]
    first: int

    @property
    def next(self) -> tuple[Entry, ...]:
        """The flush that follows at once, of all disks, if one does."""
        size = len(self.sent)
        found = self.made.log[size : size + len(self.made.disks)]
        return found if all(isinstance(entry, Flush) for entry in found) else ()


def cut_problem(draw: random.Random, which: int) -> Problem:
    """A cut with disks that keep what they are sent, or with write caches."""
    made = group(bool(draw.randrange(2)), draw.random() < 0.4, draw.randrange(2))
    size, last = made.disks[0].size, len(made.writes)
    ubers = [n for n, at in enumerate(made.writes, 1) if kind(made.log[at], size)[0] == UBERBLOCK]
    after = draw.choice([draw.randrange(1, ubers[0]), *2 * [ubers[0] - 1], ubers[0], draw.choice(ubers), ubers[-1], last])
    cut = Cut(made, after, made.log[: made.writes[after - 1] + 1], ubers[0])
    return _cached(cut, draw) if which % 2 else _certain(cut)


def writes(made: Group) -> Table:
    """What the transaction group wrote."""
    rows = [(span(*row), EMPTIED if row[2] == FLUSH else row[2]) for row in phases(made)]
    return Table(["Write", "What"], rows, f"The writes of txg {made.txg}")


def worked(cut: Cut, safe: int) -> Table:
    """What had become of each write; the first `safe` of them cannot be lost."""
    rows = []
    for first, last, what in phases(cut.made):
        if what == FLUSH:
            continue
        there = [n for n in (safe, cut.after) if n >= first]
        if not there:
            state = "not sent"
        elif safe >= min(last, cut.after):
            state = "on the disks"
        else:
            state = "sent, not flushed"
        part = f", {cut.after - first + 1} of {last - first + 1}" if there and cut.after < last else ""
        rows.append((span(first, last, what), what, state + part))
    return Table(["Write", "What", "Then"], rows, f"The writes of txg {cut.made.txg} when the power fails")


def _certain(cut: Cut) -> Problem:
    made, key, old, new = cut.made, imported(cut.made.disks, cut.sent), cut.made.txg - 1, cut.made.txg
    rule = f"The first uberblock of txg {new} is write {cut.first}; before it nothing points to the new tree."
    said = f"Write {cut.after} is {'before' if key == old else 'not before'} write {cut.first}: the pool is at txg {key}."
    slips = {
        old: "One uberblock in one label is on a disk, and one is enough.",
        new: "Blocks of the new tree are there, but no uberblock that points to them.",
    }  # fmt: skip
    return Problem(
        f"These are the writes of txg {new}, in their order. The power fails after write {cut.after}; all writes up to it "
        "are on the disks, and none after it. At which txg is the pool imported?",
        Number(), key, [rule, worked(cut, cut.after), said], said, rule, writes(made).html(),
        unlike(key, slips),
    )  # fmt: skip


def _cached(cut: Cut, draw: random.Random) -> Problem:
    made, sent, where, old, new = cut.made, cut.sent, "", cut.made.txg - 1, cut.made.txg
    if cut.next and draw.randrange(2):
        where, sent = " and the flush that follows it", (*sent, *cut.next)
    elif cut.next:
        where = ", before the flush that follows it"
    certain = flushed(sent)
    found, safe = {imported(made.disks, certain), imported(made.disks, sent)}, sum(isinstance(e, Write) for e in certain)
    before, either, behind = f"only txg {old}", f"txg {old} or txg {new}", f"only txg {new}"
    key = either if len(found) == 2 else before if found == {old} else behind
    rule = (
        f"What was sent before the last flush is on the disks; of what came after it, anything may be. An uberblock of "
        f"txg {new} is first sent with write {cut.first}."
    )
    said = {
        before: f"No uberblock of txg {new} was sent yet: the pool is at txg {old}, whatever the caches lose.",
        either: f"An uberblock of txg {new} was sent and not flushed: it may be there or not, and either tree is whole.",
        behind: f"The uberblock of txg {new} was sent and flushed: the pool is at txg {new}.",
    }[key]  # fmt: skip
    slips = {
        before: dict.fromkeys((either, behind), f"Was an uberblock of txg {new} sent by then? Look for its first write."),
        either: {before: "An uberblock of the new txg was sent; caches may lose what they hold, and need not.",
                 behind: "No flush came after the uberblock, so it may be lost."},
        behind: dict.fromkeys((before, either), "A flush came after the uberblock: what decides it cannot be lost."),
    }[key]  # fmt: skip
    return Problem(
        f"These are the writes of txg {new}, in their order. The disks have write caches. The power fails after write "
        f"{cut.after}{where}; the caches may lose what is in them. At which txg can the pool be then?",
        Pick((before, either, behind)), key, [rule, worked(cut, safe), said], said, rule, writes(made).html(), slips,
    )  # fmt: skip
