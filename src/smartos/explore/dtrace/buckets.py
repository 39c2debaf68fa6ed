"""The same reads through quantize(), lquantize() and llquantize(): every function counts into rows, and each hides something.

The times are made from a seed: reads from memory, from a cache on flash, and from a disk without and with a long seek,
in microseconds. A D program aggregates them, and what is drawn are the rows that it prints, each from where it begins to
where the next one does, on one axis. A hump is seen when a row between it and the next is lower than both.
"""

import math
import random
import re
from dataclasses import dataclass
from functools import cache

from smartos.explore.dtrace.watch import Watch
from smartos.explore.kit.controls import Choice, Range
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group, line, text

PROBE = "book:::read-done"
HUMPS = (("memory", 9, 0.22, 170), ("flash", 70, 0.16, 120), ("disk", 5300, 0.045, 190), ("seek", 7300, 0.04, 120))
ACTIONS = (
    "quantize(arg0)",
    "lquantize(arg0, 0, 10000, 1000)", "lquantize(arg0, 0, 10000, 250)", "lquantize(arg0, 0, 5000, 250)",
    "lquantize(arg0, 0, 200, 10)",
    "llquantize(arg0, 10, 0, 4, 10)", "llquantize(arg0, 10, 0, 4, 20)", "llquantize(arg0, 10, 2, 4, 10)",
)  # fmt: skip
VALUES = (5, 12, 75, 900, 5100, 5600, 7300)
WIDTH, LEFT, RIGHT, FLOOR, HIGH = 440, 8, 432, 228, 150
LAST = 20_000  # right end of the axis
HALO = {"stroke": "paper", "stroke_width": 3, "paint_order": "stroke"}
ROW = re.compile(r"^ *((?:< |>= )?-?\d+) \|(@*) *(\d+)\s*$")


@dataclass(frozen=True)
class Bucket:
    """A printed row: its name, the values that it takes (`high` None: all from `low` on), its count and its signs."""

    name: str
    low: int
    high: int | None
    count: int
    signs: int

    def takes(self, value: int) -> bool:
        """Whether a value belongs here."""
        return self.low <= value and (self.high is None or value < self.high)


@cache
def times() -> tuple[int, ...]:
    """The reads, in the order in which they come."""
    draw = random.Random(1108)
    found = [round(draw.lognormvariate(math.log(middle), spread)) for _, middle, spread, many in HUMPS for _ in range(many)]
    draw.shuffle(found)
    return tuple(found)


@cache
def printed(action: str, values: tuple[int, ...]) -> str:
    """What dtrace prints of the values."""
    watch = Watch(f"{PROBE} {{ @ = {action}; }}", [PROBE])
    for value in values:
        watch.fire(PROBE, value)
    return watch.end()


def buckets(said: str) -> list[Bucket]:
    """The rows of a printed distribution."""
    rows = [(found[1], len(found[2]), int(found[3])) for found in map(ROW.match, said.splitlines()) if found]
    made = []
    for at, (name, signs, count) in enumerate(rows):
        number = int(name.split()[-1])
        following = int(rows[at + 1][0].split()[-1]) if at + 1 < len(rows) else None
        low, high = (-(1 << 63), number) if name[0] == "<" else (number, None if name[0] == ">" else following)
        made.append(Bucket(name, low, high, count, signs))
    return made


def seen(rows: list[Bucket]) -> list[bool]:
    """For each hump but the last, whether a row lower than both parts it from the next."""
    at = [next(n for n, row in enumerate(rows) if row.takes(middle)) for _, middle, _, _ in HUMPS]
    return [
        any(rows[n].count < min(rows[a].count, rows[b].count) for n in range(a + 1, b))
        for a, b in zip(at, at[1:], strict=False)
    ]


def _wider(rows: list[Bucket]) -> str:
    """The row that is higher than the one before it only because it is wider."""
    for last, row in zip(rows, rows[1:], strict=False):
        if row.high is not None and last.high is not None and 0 < last.count < row.count:
            times = (row.high - row.low) // (last.high - last.low)
            if times > 2 and row.count < times * last.count:
                return f", but row {row.name} is {times} times as wide as row {last.name}, which makes it higher"
    return ""


def frame(action: str, value: int) -> Frame:
    """The rows of one action, and the row that takes `value`."""
    said = printed(action, times())
    rows = buckets(said)
    name = next(row.name for row in buckets(printed(action, (value,))) if row.count)
    row = next((row for row in rows if row.name == name), None)
    apart = seen(rows)
    one = [f"{HUMPS[n][0]} and {HUMPS[n + 1][0]}" for n, parted in enumerate(apart) if not parted]
    hides = f"It cannot tell {'; '.join(one)} apart." if one else f"It tells all four apart{_wider(rows)}."
    many = row.count if row else 0
    made = f"{action.split('(')[0]}() makes {len(rows)} rows here."
    says = f"{made} {hides} A read of {value:,} µs is counted in row {name}, which has {many}."
    lines = [(row.name, "@" * row.signs, row.count) for row in rows]
    table = Table(["value", "distribution", "count"], lines, "As dtrace prints it")
    return Frame(_draw(rows, name, action, value, says), says, table)


def _x(value: float) -> float:
    """Where a number of microseconds stands: by its logarithm, from 1 on."""
    return LEFT + (RIGHT - LEFT) * math.log10(min(max(value, 1), LAST)) / math.log10(LAST)


def _draw(rows: list[Bucket], marked: str, action: str, value: int, says: str) -> str:
    most = max(row.count for row in rows)
    shapes = {True: "", False: ""}
    notes = []
    for row in rows:
        if not row.count:
            continue
        x, high = _x(row.low), HIGH * row.count / most
        end = RIGHT if row.high is None else _x(row.high)
        shapes[row.name == marked] += f"M{x:.1f} {FLOOR}V{FLOOR - high:.1f}H{end:.1f}V{FLOOR}"
        if row.count == most:
            notes.append(text((x + end) / 2, FLOOR - high - 6, f"{row.count:,}", "ink", "middle", 12, **HALO))
    marks = "".join(f"M{_x(when):.1f} {FLOOR + 3}v9" for when in sorted(set(times())))
    anchors = ("middle", "middle", "end", "start")
    names = [
        text(_x(at), FLOOR + 26, name, "ink-2", anchor, 12) for (name, at, *_), anchor in zip(HUMPS, anchors, strict=True)
    ]
    scale = [element("path", d=f"M{_x(n):.1f} {FLOOR + 34}v5", stroke="ink-2") for n in (1, 10, 100, 1000, 10_000)]
    units = [
        text(_x(n), FLOOR + 53, words, "ink-2", "start" if n == 1 else "middle", 12)
        for n, words in ((1, "1 µs"), (10, "10 µs"), (100, "100 µs"), (1000, "1 ms"), (10_000, "10 ms"))
    ]
    x = _x(value)
    pointer = [
        element("path", d=f"M{x - 5:.1f} 44h10l-5 8z", fill="accent"), line(x, 52, x, FLOOR, "accent", stroke_dasharray="2 3"),
        text(min(max(x, 30), WIDTH - 30), 38, f"{value:,} µs", "accent", "middle", 12, font_weight="bold"),
    ]  # fmt: skip
    return drawing(
        WIDTH, FLOOR + 62, says,
        text(0, 15, f"@ = {action};", "ink", size=13, font_family="var(--mono, monospace)"),
        element("path", d=shapes[False], fill="dtrace", fill_opacity="0.28", stroke="dtrace", stroke_width=1.25),
        element("path", d=shapes[True], fill="dtrace", stroke="dtrace", stroke_width=1.25) if shapes[True] else "",
        line(LEFT, FLOOR, RIGHT, FLOOR, "ink-2"), element("path", d=marks, stroke="ink", stroke_opacity="0.45", stroke_width=0.75),
        line(LEFT, FLOOR + 34, RIGHT, FLOOR + 34, "ink-2"), group(*scale), *names, *units, *pointer, *notes,
    )  # fmt: skip


def explorer() -> Explorer:
    """Which function, and one value to follow."""
    return Explorer(
        "d-buckets", "The same 600 reads in the rows of three functions", frame,
        {"action": Choice("The action", ACTIONS), "value": Range("Follow a read of", VALUES, "µs", between=(1, 19_999))},
        default={"action": "quantize(arg0)", "value": 5600},
        keys=[
            {"action": "lquantize(arg0, 0, 10000, 1000)", "value": 75},
            {"action": "llquantize(arg0, 10, 0, 4, 10)", "value": 5600},
        ],
    )  # fmt: skip
