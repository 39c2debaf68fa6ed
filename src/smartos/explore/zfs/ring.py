"""The uberblock ring under a power cut: where the cut falls decides which root wins, and both roots are whole trees.

The steps are the writes of one transaction group, the power cut, and the import; what each shows is on the disk of
:mod:`smartos.explore.zfs.ring_crash`, and the winner is the one that :meth:`smartos.zfs.read.pool.Pool.open` picks.
"""

from dataclasses import dataclass

from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.zfs.ring_crash import (
    ASHIFT,
    LAST,
    SIZE,
    SLOT,
    SLOTS,
    Found,
    Log,
    Rings,
    candidates,
    imported,
    kept,
    place,
    recorded,
    told,
)
from smartos.explore.zfs.ring_figure import draw
from smartos.zfs.format.label import label_offset
from smartos.zfs.format.uberblock import slot_of, slot_shift

CUTS = [
    ("start", "before the group’s first write"), ("blocks", "among its blocks"), ("flush", "after its blocks"),
    ("uberblock", "after the flush"), ("torn", "in the middle of its uberblock"),
    ("labels", "after two of the four labels"), ("end", "after the last flush"),
]  # fmt: skip
DISKS = [("order", "writes in order"), ("any", "writes in any order"), ("lies", "ignores flushes")]


@dataclass(frozen=True)
class Moment:
    """A step: what is said, the slots of the four labels, how many of the last group's blocks are on the disk.

    `phase` is "write", "cut", "read", "pick" or "found"; `read` is what the reader has found so far.
    """

    says: str
    labels: Rings
    landed: int
    blocks: int
    phase: str = "write"
    read: Found | None = None


def story(cut: str, disk: str) -> list[Moment]:
    """The moments of one run: what the disk is sent, the power cut, and the import."""
    end = place(cut)
    slot = slot_of(LAST - 1, ASHIFT)
    begin = f"Txg {LAST - 1} is on disk: slot {slot} of all four labels holds its uberblock. The ring is full."
    found = [Moment(begin, *told(0))]
    found += [Moment(says, *told(stop)) for stop, says in _groups(recorded(), disk) if stop <= end]
    state, read = imported(kept(cut, disk))
    best = candidates(state[0])[0]
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


def _cut(cut: str, disk: str, labels: Rings, there: int, blocks: int) -> str:
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


def _reads(labels: Rings) -> str:
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
