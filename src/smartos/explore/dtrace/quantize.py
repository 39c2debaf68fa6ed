"""DTrace's quantize(): a value falls into the bucket of its highest power of two; a bar is its share of forty signs.

The sample is the one that the README of illumos-kvm prints: nanoseconds that one virtual CPU spent in its guest before
each exit (fact D3). Buckets, bars and rows are those of the D model's own aggregation and printer.

Left out: zero and negative values, weights other than a count, and llquantize()'s linear steps.
"""

from collections.abc import Mapping
from fractions import Fraction

from smartos import post
from smartos.dtrace.consumer import charts
from smartos.dtrace.kernel.aggregate import add, new, quantize_bucket, quantize_value
from smartos.dtrace.program import Act
from smartos.explore.kit.controls import Choice, Range
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group, line, rect

SIGNS = 40
PLAIN = charts.Style()
VALUES = (700, 1023, 1024, 1500, 2047, 2048, 40_000, 300_000, 524_287, 1_048_576)
MANY = {0: "not at all", 1: "once", 10_000: "10,000 times", 50_000: "50,000 times"}
LEFT, UNIT, ROW = 78, 5.5, 24
HEADS = ((68, "end", "value"), (78, "start", "distribution"), (366, "end", "count"))


def bucket(value: int) -> int:
    """The lower bound of the bucket that takes `value`: its highest power of two. ValueError unless positive."""
    if value < 1:
        raise ValueError(f"{value} has no power of two at or below it; give a positive value")
    return quantize_value(quantize_bucket(value))


def ats(count: int, total: int) -> int:
    """The @ signs of a bucket's bar: forty times its share of the total, halves rounded up; none of nothing."""
    return charts.line(count, 1, Fraction(total), True, False, PLAIN).count("@")


def rows(counts: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """The rows that DTrace prints: (bucket, count, signs), with an empty row either side. ValueError when all are 0."""
    if not any(counts.values()):
        raise ValueError("there is nothing to print; give at least one bucket a count")
    lines = printed(counts).splitlines()[1:]
    return [(int(line.split("|")[0]), int(line.split()[-1]), line.count("@")) for line in lines]


def readme() -> dict[int, int]:
    """The README's sample: lower bound in nanoseconds → count."""
    return {int(row["bucket_low_ns"]): int(row["count"]) for row in post.quantize_readme()}


def printed(counts: Mapping[int, int] | None = None) -> str:
    """The distribution as DTrace prints it; without counts, the README's."""
    state = new(Act.QUANTIZE)
    for low, count in (counts or readme()).items():
        add(Act.QUANTIZE, 0, state, low, count)
    return charts.quantize(state, 1, PLAIN).strip("\n")


def drawn(found: list[tuple[int, int, int]], marked: int, label: str) -> str:
    """The distribution as DTrace lays it out, a dash for each @; the row of bucket `marked` is framed."""
    words = [element("text", word, x=x, y=17, text_anchor=anchor) for x, anchor, word in HEADS]
    bars, frames = "", ""
    for i, (low, count, signs) in enumerate(found):
        y = ROW * (i + 1)
        words += [element("text", str(low), x=LEFT - 10, y=y + 18, text_anchor="end")]
        words += [element("text", f"{count:,}", x=366, y=y + 18, text_anchor="end")]
        bars += f"M{LEFT + 1} {y + 13}h{UNIT * signs:g}" if signs else ""
        frames += rect(1, y + 2, 370, ROW - 2, stroke="accent", stroke_width=2) if low == marked else ""
    return drawing(
        372, ROW * (len(found) + 1) + 8, label, frames,
        line(LEFT, ROW + 4, LEFT, ROW * (len(found) + 1) + 4, "rule"),
        element("path", d=bars, stroke="dtrace", stroke_width=12, stroke_dasharray="4.5 1"),
        group(*words, fill="ink", font_size=13),
    )  # fmt: skip


def frame(value: int, many: int) -> Frame:
    """The README's distribution after `many` further stays of `value` nanoseconds."""
    counts = readme()
    low = bucket(value)
    counts[low] = counts.get(low, 0) + many
    found = rows(counts)
    total = sum(counts.values())
    row = next((row for row in found if row[0] == low), (low, 0, 0))
    falls = f"{value:,} ns falls into the row {low}, which takes {low:,} to {2 * low - 1:,}."
    added = f" With {many:,} more of them" if many else " As the README has it"
    says = f"{falls}{added}, that row counts {row[1]:,} of {total:,} and draws {row[2]} of {SIGNS} signs."
    values = [(first, 2 * first - 1, count, signs) for first, count, signs in found]
    table = Table(["From (ns)", "To (ns)", "Count", "@ signs"], values, "The rows as printed")
    return Frame(drawn(found, low, says), says, table)


def explorer() -> Explorer:
    """Which row a value falls into, and what more of it does to every bar."""
    return Explorer(
        "quantize", "Time in the guest before an exit, as quantize() prints it", frame,
        {
            "value": Range("A stay in the guest", VALUES, "ns", between=(1, 100_000_000)),
            "many": Choice("Add it", list(MANY.items())),
        },
        default={"value": 1500}, keys=[{"value": 1500, "many": 50_000}],
    )  # fmt: skip
