"""A heat map of a guest's writes: a column a second, a row a range of values, the darker the more often.

One D program with an aggregation for each state, keyed by the second, watches a guest that makes a file and removes it
(:mod:`~smartos.explore.dtrace.guest_disk`); what is drawn are the rows that it prints. It is page 28's picture at a
fraction of the size, and beside it the same seconds on the disk of the pool. Left out: times that writes take, which
the disks of this model do not have.
"""

import math
import re
from dataclasses import dataclass
from functools import cache

from smartos.explore.dtrace.buckets import buckets
from smartos.explore.dtrace.guest_disk import DISK, GROUP, JOURNAL, KB, MADE, REMOVED, SECONDS, VOLUME, traced
from smartos.explore.kit.controls import Choice, Range
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, line, rect, text

ROWS = (8, 16, 32)
WIDTH, LEFT, RIGHT, TOP, HIGH = 440, 58, 436, 12, 256
SHADES = (0.16, 0.36, 0.6, 1.0)


@dataclass(frozen=True)
class Metric:
    """What is counted: the probe and predicate, the aggregating function for so many rows, the axis with its marks."""

    label: str
    probe: str
    function: str
    low: int
    high: int
    marks: tuple[tuple[int, str], ...]
    unit: str
    log: bool = False

    def call(self, rows: int) -> str:
        """The function, as D has it."""
        return self.function.format(step=(self.high - self.low) // rows, steps=rows // 2)


METRICS = {
    "offset": Metric(
        "where in the volume", "zvol-uio-start", "lquantize(args[1]->uio_loffset / 1024, 0, 12288, {step})", 0, VOLUME // KB,
        tuple((n * 3072, f"{n * 3} MB") for n in range(5)), "KB",
    ),
    "disk": Metric(
        "where on the disk of the pool", "io:::start /args[0]->b_flags & B_WRITE/",
        "lquantize(args[0]->b_blkno / 2, 0, 65536, {step})", 0, DISK // KB, tuple((n * 16384, f"{n * 16} MB") for n in range(5)), "KB",
    ),
    "size": Metric(
        "how large", "zvol-uio-start", "llquantize(args[1]->uio_resid, 2, 12, 15, {steps})", 4096, 65536,
        tuple((4096 << n, f"{4 << n} KB") for n in range(5)), "bytes", log=True,
    ),
}  # fmt: skip
Cell = tuple[int, int, int, int]  # second, from, to, count


def program() -> str:
    """The D program: an aggregation for each metric and number of rows."""
    clauses = ["BEGIN { start = timestamp; }"]
    prints = []
    for name, metric in METRICS.items():
        sums = " ".join(f"@{name}{rows}[(timestamp - start) / 1000000000] = {metric.call(rows)};" for rows in ROWS)
        clauses.append(f"{metric.probe} {{ {sums} }}")
        prints += [f'printf("= {name} {rows}\\n"); printa(@{name}{rows});' for rows in ROWS]
    return "\n".join([*clauses, f"END {{ {' '.join(prints)} }}"])


@cache
def said() -> dict[tuple[str, int], str]:
    """What it prints of the guest, by metric and rows."""
    parts = re.split(r"^= (\w+) (\d+)$", traced(program()), flags=re.MULTILINE)
    return {(name, int(rows)): text for name, rows, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)}


@cache
def cells(name: str, rows: int) -> tuple[Cell, ...]:
    """The rows that are not empty, second by second."""
    found = []
    for block in re.split(r"\n(?= +\d+ *\n +value)", said()[name, rows]):
        head = re.match(r"\s*(\d+) *\n", block)
        if head:
            found += [(int(head[1]), b.low, b.high or b.low, b.count) for b in buckets(block) if b.count]
    return tuple(sorted(found))


def frame(metric: str, rows: int) -> Frame:
    """One metric with so many rows."""
    known, what = cells(metric, rows), METRICS[metric]
    says = _says(metric, known)
    heads = ["Second", f"From ({what.unit})", f"To ({what.unit})", "Writes"]
    table = Table(heads, known, f"@[second] = {what.call(rows)}", plain=["Second"])
    return Frame(_draw(what, known, rows, says), says, table)


def _says(metric: str, known: tuple[Cell, ...]) -> str:
    def touched(seconds: range) -> int:
        return len({low for second, low, _, _ in known if second in seconds})

    total, making = sum(cell[3] for cell in known), touched(MADE)
    if metric == "offset":
        return (
            f"{total} writes of a guest. Making a file touches {making} rows, as its data climb through the volume; removing it "
            f"touches {touched(REMOVED)}: journal, bitmaps and inodes."
        )
    if metric == "disk":
        busy = len({cell[0] for cell in known})
        return (
            f"The same seconds below ZFS: {total} writes in {busy} of {SECONDS} seconds, when a transaction group syncs. Wherever the "
            f"guest wrote, ZFS writes where there is room."
        )
    largest = max(known, key=lambda cell: cell[3])
    share = sum(cell[3] for cell in known if cell[1] == largest[1]) * 100 // total
    row = f"the row from {largest[1]:,} bytes on: {share} % of all"
    return f"{total} writes by size. While the file is made, most are in {row}. The rest is the file system’s own."


def _draw(metric: Metric, known: tuple[Cell, ...], rows: int, says: str) -> str:
    wide, most = (RIGHT - LEFT) / SECONDS, max(cell[3] for cell in known)
    shapes = [""] * len(SHADES)
    for second, low, high, count in known:
        top, bottom = _y(metric, high), _y(metric, low)
        shade = _shade(count, most)
        shapes[shade] += f"M{LEFT + second * wide + 0.5:.1f} {top + 0.5:.1f}h{wide - 1:.1f}V{bottom - 0.5:.1f}h{1 - wide:.1f}z"
    parts = [rect(LEFT, TOP, RIGHT - LEFT, HIGH, stroke="rule")]
    for at, name in metric.marks:
        y = _y(metric, at)
        parts += [line(LEFT - 4, y, LEFT, y, "ink-2"), text(LEFT - 8, y + 4, name, "ink-2", "end", 12)]
    parts += [
        element("path", d=shape, fill="dtrace", fill_opacity=f"{shade:g}")
        for shape, shade in zip(shapes, SHADES, strict=True)
        if shape
    ]
    foot = TOP + HIGH
    for second in range(0, SECONDS + 1, 4):
        x = LEFT + second * wide
        anchor = "end" if second == SECONDS else "middle"
        parts += [line(x, foot, x, foot + 4, "ink-2"), text(x, foot + 17, f"{second} s", "ink-2", anchor, 12)]
    for span, words in ((MADE, "a file is made"), (REMOVED, "and removed")):
        a, b = LEFT + span.start * wide, LEFT + span.stop * wide
        parts.append(element("path", d=f"M{a:.1f} {foot + 26}v4H{b:.1f}v-4", fill="none", stroke="ink"))
        parts.append(text((a + b) / 2, foot + 44, words, "ink", "middle", 12))
    parts += _ramp(most, foot + 62)
    if metric.label == METRICS["offset"].label:
        x = LEFT + REMOVED.stop * wide + 6
        parts.append(text(x, _y(metric, JOURNAL // KB) - 1, "journal", "ink-2", size=12))
        parts += [text(x, _y(metric, n * GROUP // KB) + 1, "bitmaps", "ink-2", size=12) for n in (1, 2)]
    return drawing(WIDTH, foot + 76, says, *parts)


def _shade(count: int, most: int) -> int:
    """Which shade a count has: by its square root, so that single writes are seen beside many."""
    return min(int(len(SHADES) * math.sqrt(count / most)), len(SHADES) - 1)


def _ramp(most: int, y: float) -> list[str]:
    """What the shades stand for."""
    parts, x = [text(LEFT, y + 10, "writes a second:", "ink-2", size=12)], LEFT + 104
    for n, shade in enumerate(SHADES):
        counts = [count for count in range(1, most + 1) if _shade(count, most) == n]
        if counts:
            words = f"{counts[0]}–{counts[-1]}" if len(counts) > 1 else str(counts[0])
            parts.append(rect(x, y, 14, 12, fill="dtrace", stroke="none", fill_opacity=f"{shade:g}"))
            parts.append(text(x + 19, y + 10, words, "ink-2", size=12))
            x += 30 + 7 * len(words) + 8
    return parts


def _y(metric: Metric, value: int) -> float:
    """Where a value stands; high ones above."""
    if metric.log:
        part = math.log(value / metric.low) / math.log(metric.high / metric.low)
    else:
        part = (value - metric.low) / (metric.high - metric.low)
    return TOP + HIGH * (1 - min(max(part, 0.0), 1.0))


def explorer() -> Explorer:
    """What is drawn, and in how many rows."""
    return Explorer(
        "d-heat", "A guest makes a file and removes it", frame,
        {
            "metric": Choice("Writes by", [(name, metric.label) for name, metric in METRICS.items()]),
            "rows": Range("Rows", ROWS),
        },
        default={"metric": "offset", "rows": 32}, keys=[{"metric": "disk", "rows": 32}, {"metric": "size", "rows": 16}],
    )  # fmt: skip
