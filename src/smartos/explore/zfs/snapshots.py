"""What a snapshot and a clone cost, beside a plain copy: what the operation writes, and what it holds later.

A filesystem with one file of a given number of blocks is snapshotted, cloned or copied; what that writes is counted in
the pool's events. Then a part of it is overwritten, and the trees of both sides are walked and compared, address by
address. The space is that of the pool's own accounting, as `zfs list` shows it.

Blocks have 512 bytes, which changes no count. The pool is so large that everything lies in the first metaslabs: how
many space maps a transaction group writes depends on the metaslabs that it meets, whatever it does. Left out: time,
which the counts stand for; the ARC.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import log10

from smartos.explore.kit.controls import Choice, Range
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group, line, rect, text
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.dmu.dnode import pointers
from smartos.zfs.events import Event
from smartos.zfs.format.blkptr import DVA
from smartos.zfs.spa.admin import Listed
from smartos.zfs.spa.spa import Spa

HOME, SNAPSHOT, CLONE, FILE, COPY = "tank/home", "tank/home@now", "tank/clone", "/file", "/copy"
RECORD = 512
SIZES = (10, 100, 1000)
WHATS = [("snapshot", "a snapshot"), ("clone", "a clone of a snapshot"), ("copy", "a plain copy of the file")]
SHARES = (0, 10, 50, 100)
SIDES = {  # the side that stays as it was, and the side that is written to
    "snapshot": ((SNAPSHOT, FILE), (HOME, FILE)), "clone": ((HOME, FILE), (CLONE, FILE)),
    "copy": ((HOME, FILE), (HOME, COPY)),
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """What an operation wrote: blocks of the MOS and blocks of datasets, and the bytes that all of them take."""

    mos: int
    own: int
    allocated: int

    @property
    def blocks(self) -> int:
        return self.mos + self.own


@dataclass(frozen=True)
class Held:
    """Data blocks after overwriting: only on the side that stayed, on both, only on the side that was written to."""

    stayed: int
    both: int
    written: int
    space: tuple[Listed, ...]


@cache
def base(blocks: int) -> MemoryDisk:
    """A pool's disk, with the file on it."""
    disk = MemoryDisk(1 << 30)
    pool = Spa.create("tank", [disk])
    home = pool.create(HOME, recordsize=RECORD, compression="off")
    home.write(FILE, data(blocks, 0))
    pool.sync()
    return disk


def data(blocks: int, seed: int) -> bytes:
    """So many blocks, none like another."""
    return random.Random(seed).randbytes(blocks * RECORD)


@cache
def measured(what: str, blocks: int) -> tuple[Cost, dict[int, Held]]:
    """The operation's cost, and for each share in per cent what is held after that much was overwritten."""
    pool = Spa.import_([base(blocks).copy()])
    pool.open(HOME).chmod(FILE, 0o600)  # the first transaction group after an import also writes the configuration
    pool.sync()
    if what == "clone":
        pool.snapshot(SNAPSHOT)
    start = len(pool.events)
    operate(pool, what)
    cost = cost_of(list(pool.events)[start:])
    held, done = {}, 0
    fresh = data(blocks, 1)
    for share in SHARES:
        upto = blocks * share // 100
        if upto > done:
            name, path = SIDES[what][1]
            pool.open(name).write(path, fresh[done * RECORD : upto * RECORD], done * RECORD)
            pool.sync()
            done = upto
        held[share] = compare(pool, what)
    return cost, held


def cost_of(events: Iterable[Event]) -> Cost:
    """What was written, each block once: a later sync pass may write it again, elsewhere if its size changed."""
    last = {event.where: event for event in events if event.kind in ("write", "rewrite")}
    mos = sum(where.dataset == "MOS" for where in last)
    return Cost(mos, len(last) - mos, sum(dva.asize for event in last.values() for dva in event.new))


def operate(pool: Spa, what: str) -> None:
    """The operation; returns when it is on disk."""
    if what == "snapshot":
        pool.snapshot(SNAPSHOT)
    elif what == "clone":
        pool.clone(SNAPSHOT, CLONE)
    else:
        home = pool.open(HOME)
        home.write(COPY, home.read(FILE))
        pool.sync()


def compare(pool: Spa, what: str) -> Held:
    """Both sides' data blocks, set against each other."""
    stayed, written = (addresses(pool, *side) for side in SIDES[what])
    both = stayed & written
    rows = tuple(pool.list(HOME)) + (tuple(pool.list(CLONE)) if what == "clone" else ())
    return Held(len(stayed - both), len(both), len(written - both), rows)


def addresses(pool: Spa, name: str, path: str) -> set[DVA]:
    """Where a file's data blocks lie."""
    filesystem = pool.open(name)
    dnode = filesystem.objset.node(filesystem.lookup(path)).phys
    return {pointer.dvas[0] for level, _, pointer in pointers(dnode, pool.read) if level == 0}


def frame(what: str, blocks: int, share: int) -> Frame:
    """One state: the cost beside that of other sizes and operations, and what is held afterwards."""
    cost, held = measured(what, blocks)[0], measured(what, blocks)[1][share]
    says = sentence(what, blocks, share, cost, held)
    return Frame(_draw(what, blocks, share, says), says, _table(held, cost, share))


def sentence(what: str, blocks: int, share: int, cost: Cost, held: Held) -> str:
    """What the state shows."""
    name = {"snapshot": "Snapshotting", "clone": "Cloning", "copy": "Copying"}[what]
    same = [f"{size:,}" for size in SIZES if size != blocks and measured(what, size)[0].blocks == cost.blocks]
    first = f"{name} {blocks:,} blocks writes {cost.blocks:,}{', as it does for ' * bool(same)}{' and '.join(same)}."
    if not share:
        return f"{first} {'All data blocks are shared' if held.both else 'No data block is shared'}."
    where = {"snapshot": "filesystem", "clone": "clone", "copy": "copy"}[what]
    if what == "snapshot":
        used = next(row.used for row in held.space if row.name == SNAPSHOT) / 1024
        end = f"the snapshot alone holds {held.stayed:,} of the old ones: {used:,.1f}K used, with metadata"
    else:
        end = f"{held.both:,} are still shared" if held.both else "none is shared"
    return f"{first} With {share} % of the {where}’s data blocks overwritten, {end}."


def _table(held: Held, cost: Cost, share: int) -> Table:
    rows = [
        (row.name, row.used / 1024, row.referenced / 1024, row.usedbysnapshots / 1024 if row.type == "filesystem" else "-")
        for row in held.space
    ]
    caption = (
        f"Space in KiB, after {share} % was overwritten; the operation itself wrote {cost.blocks:,} blocks, "
        f"{cost.mos} of them of the MOS, {cost.allocated / 1024:,.1f} KiB"
    )
    return Table(["Dataset", "USED", "REFER", "USEDSNAP"], rows, caption)


# The figure

WIDTH, LEFT, RIGHT, DECADE, FOOT = 440, 44, 372, 66, 194
MARKS = {"snapshot": "circle", "clone": "square", "copy": "triangle"}


def _x(blocks: int) -> float:
    return LEFT + 24 + (RIGHT - LEFT - 48) * log10(blocks / SIZES[0]) / log10(SIZES[-1] / SIZES[0])


def _y(blocks: int) -> float:
    return FOOT - 26 - DECADE * (log10(blocks) - 1)


def _draw(what: str, blocks: int, share: int, says: str) -> str:
    parts = [text(0, 14, "blocks that the operation writes", "ink-2")]
    for tick in SIZES:
        parts.append(line(LEFT, _y(tick), RIGHT, _y(tick), "rule"))
        parts.append(text(LEFT - 6, _y(tick) + 4, f"{tick:,}", "ink-2", "end", 12))
        parts.append(text(_x(tick), FOOT + 18, f"{tick:,}", "ink" if tick == blocks else "ink-2", "middle", 12))
    parts.append(text(RIGHT + 8, FOOT + 18, "in the file", "ink-2", size=12))
    for each, _ in sorted(WHATS, key=lambda one: one[0] == what):
        parts.append(_series(each, blocks if each == what else 0))
    return drawing(WIDTH, 328, says, *parts, *_bars(what, blocks, share))


def _series(what: str, chosen: int) -> str:
    """An operation's cost over the sizes; of the chosen one the state's dot has its number."""
    costs = {size: measured(what, size)[0].blocks for size in SIZES}
    colour, weight = ("zfs", 2) if chosen else ("ink-2", 1)
    points = "L".join(f"{_x(size):g} {_y(count):.1f}" for size, count in costs.items())
    parts = [element("path", d=f"M{points}", fill="none", stroke=colour, stroke_width=weight)]
    parts += [_mark(MARKS[what], _x(size), _y(count), colour, size == chosen) for size, count in costs.items()]
    end = _y(costs[SIZES[-1]]) + {"snapshot": 10, "clone": -2, "copy": 4}[what]
    parts.append(text(RIGHT - 12, end, what, colour, size=13, font_weight="bold" if chosen else None))
    if chosen:
        x, y, anchor = _x(chosen), _y(costs[chosen]) + (20 if what == "snapshot" else -11), "middle"
        if what == "clone" and chosen == SIZES[0]:  # above it is the copy's mark
            x, y, anchor = x - 11, y + 16, "end"
        parts.append(text(x, y, f"{costs[chosen]:,}", "zfs", anchor, 14, font_weight="bold"))
    return group(*parts)


def _mark(kind: str, x: float, y: float, colour: str, chosen: bool) -> str:
    r = 6 if chosen else 3.5
    fill = colour if chosen else "paper"
    if kind == "circle":
        return element("circle", cx=f"{x:g}", cy=f"{y:.1f}", r=r, fill=fill, stroke=colour)
    if kind == "square":
        return rect(x - r, round(y - r, 1), 2 * r, 2 * r, fill, colour)
    d = f"M{x:g} {y - r - 1:.1f}L{x + r + 1:g} {y + r:.1f}H{x - r - 1:g}z"
    return element("path", d=d, fill=fill, stroke=colour)


def _bars(what: str, blocks: int, share: int) -> Sequence[str]:
    """Both sides as bars, one above the other where they share blocks."""
    held = measured(what, blocks)[1][share]
    left, unit = 92, (WIDTH - 93) / (2 * blocks)
    middle, right = left + held.stayed * unit, left + (held.stayed + held.both) * unit
    end = right + held.written * unit
    done = f"{share} % of {_name(what, 1)} overwritten" if share else "before anything is overwritten"
    parts = [text(0, 240, f"data blocks, {done}", "ink-2")]
    rows = [
        (_name(what, 0), (left, right), (left, middle), held.stayed, "zfs"),
        (_name(what, 1), (middle, end), (right, end), held.written, "ink-2"),
    ]  # fmt: skip
    for row, (side, whole, own, count, colour) in enumerate(rows):
        y = 250 + row * 28
        parts.append(text(0, y + 16, side))
        if own[1] > own[0]:
            parts.append(rect(own[0], y, own[1] - own[0], 22, colour, "none", fill_opacity="0.25"))
        parts.append(rect(whole[0], y, whole[1] - whole[0], 22, stroke=colour, stroke_width=1.5))
        if own[1] - own[0] > 40:
            parts.append(text(sum(own) / 2, y + 16, f"{count:,}", anchor="middle"))
    if held.both:
        parts.append(line(middle, 246, middle, 304, "rule") + line(right, 246, right, 304, "rule"))
    stayed, written = (f"{row[3]:,} only in {row[0]}" for row in rows)
    parts.append(text(0, 322, f"{stayed}, {held.both:,} in both, {written}", size=12))
    return parts


def _name(what: str, side: int) -> str:
    """What a side is called: its file where both are in one filesystem, else its dataset."""
    name, path = SIDES[what][side]
    return path if what == "copy" else name.removeprefix("tank/")


def explorer() -> Explorer:
    """The operation, the file's size, and how much is overwritten afterwards."""
    return Explorer(
        "snapshot-cost", "What a snapshot costs, and what it holds later", frame,
        {
            "what": Choice("Make", WHATS), "blocks": Range("The file has", SIZES, names=[f"{n:,} blocks" for n in SIZES]),
            "share": Range("Then overwritten", SHARES, "%"),
        },
        default={"what": "snapshot", "blocks": 1000, "share": 50},
        keys=[{"what": "copy", "blocks": 1000, "share": 0}, {"what": "clone", "blocks": 100, "share": 10}],
    )  # fmt: skip
