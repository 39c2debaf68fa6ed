"""The charts of quantize(), lquantize() and llquantize(), line by line, and the packed ones of `-x aggpack`.

A bar is 40 characters long for all that was counted; with `aggzoom` the highest bar takes 95 % of it. Bars of positive
and of negative counts share a line when both occur. Follows `dt_print_quantize` and its kin in libdtrace's `dt_consume.c`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from smartos.dtrace.kernel.aggregate import BUCKETS, ZERO, State, llquantize_values, lquantize_arg, quantize_value
from smartos.dtrace.kernel.cells import wrap
from smartos.dtrace.program import Act

ZOOM = Fraction(1 / 0.95)
_LENGTH = 40
_HEADER = f"\n{'value':>16} {'------------- Distribution -------------':>41} {'count':<9}\n"


@dataclass(frozen=True)
class Style:
    """`zoom`: scale by the highest bar. `utf8`: bars of blocks; None is the default, ASCII for bars, blocks when packed."""

    zoom: bool = False
    utf8: bool | None = None


def total_of(values: Sequence[int], style: Style) -> Fraction:
    """What a full bar stands for."""
    if style.zoom:
        return max((abs(value) * ZOOM for value in values), default=Fraction(0))
    return Fraction(sum(abs(value) for value in values))


def shown(value: int, normal: int) -> int:
    """A count divided by the normalization as C divides it there: as unsigned numbers, and printed as signed."""
    return wrap((value & (1 << 64) - 1) // normal) if normal else 0


def line(value: int, normal: int, total: Fraction, positives: bool, negatives: bool, style: Style) -> str:
    """One bar with its count, and a newline."""
    count = f"{shown(value, normal):<9}"
    size = abs(value) * _LENGTH / total if total else Fraction(0)
    if not negatives:
        if positives and style.utf8:
            return _blocks(size, count)
        depth = int(size + Fraction(1, 2)) if positives else 0
        return f"|{'@' * depth}{' ' * (_LENGTH - depth)} {count}\n"
    if not positives:
        depth = int(size + Fraction(1, 2))
        return f"{' ' * (_LENGTH - depth)}{'@' * depth}| {count}\n"
    half = _LENGTH // 2
    depth = int(size / 2 + Fraction(1, 2))
    if value <= 0:
        return f"{' ' * (half - depth)}{'@' * depth}|{' ' * half} {count}\n"
    return f"{' ' * half}|{'@' * depth}{' ' * (half - depth)} {count}\n"


def _bytes(code: int) -> str:
    """A character as its UTF-8 bytes, one to a character."""
    return chr(code).encode().decode("latin-1")


def _blocks(size: Fraction, count: str) -> str:
    whole = int(size)
    partial = int((size - whole) * 8)
    bar = _bytes(0x2588) * whole + (_bytes(0x258F - (partial - 1)) if partial else "")
    return f"|{bar}{' ' * (_LENGTH - whole - (partial > 0))} {count}\n"


def _lines(labels: Sequence[str], values: Sequence[int], normal: int, style: Style) -> str:
    positives, negatives = any(value > 0 for value in values), any(value < 0 for value in values)
    total = total_of(values, style)
    return "".join(
        f"{label:>16} " + line(value, normal, total, positives, negatives, style)
        for label, value in zip(labels, values, strict=True)
    )


def _range(values: Sequence[int], otherwise: tuple[int, int]) -> tuple[int, int]:
    """The first and last bucket to show: those with counts and one at each side."""
    used = [at for at, value in enumerate(values) if value]
    return (max(used[0] - 1, 0), min(used[-1] + 1, len(values) - 1)) if used else otherwise


def quantize(state: State, normal: int, style: Style) -> str:
    """The chart of a quantize()."""
    empty = (ZERO - 1, ZERO + 1)
    first, last = _range(state, empty) if any(state[:-1]) else empty
    labels = [str(quantize_value(at)) for at in range(first, last + 1)]
    return _HEADER + _lines(labels, state[first : last + 1], normal, style)


def lquantize(state: State, normal: int, style: Style) -> str:
    """The chart of an lquantize()."""
    base, step, levels = lquantize_arg(state[0])
    first, last = _range(state[1:], (0, 2))
    labels = [f"< {base}", *(str(base + at * step) for at in range(levels)), f">= {wrap(base + levels * step, 32)}"]
    return _HEADER + _lines(labels[first : last + 1], state[1 + first : 2 + last], normal, style)


def llquantize(state: State, normal: int, style: Style) -> str:
    """The chart of an llquantize()."""
    values = llquantize_values(state[0])
    first, last = _range(state[1:], (0, 1))
    labels = [f"< {values[0]}", *map(str, values[:-1]), f">= {values[-1]}"][first : last + 1]
    return _HEADER + _lines(labels, state[1 + first : 1 + first + len(labels)], normal, style)


def header(width: int) -> str:
    """The head of an `agghist` chart whose keys take `width` columns; 0 for a chart of buckets."""
    return f"\n{'key' if width else 'value':>{width or 16}} {'------------- Distribution -------------':>41} {'count':<9}\n"


def _digits(value: int) -> int:
    """Columns for a number, at least 4; a power of ten gets one less than it has, as in libdtrace."""
    negative, value = value < 0, abs(value)
    columns = 1
    while value > 10**columns:
        columns += 1
    return max(columns + negative, 4)


def _packed_range(low: int, high: int) -> tuple[int, int]:
    return (low - 1 if low not in (0, ZERO) else low), min(high + 1, BUCKETS - 1)


def packed_header(act: Act, width: int, low: int, high: int) -> str:
    """The head of an `aggpack` table: `low` and `high` are the outermost buckets of the whole aggregation."""
    if act is Act.QUANTIZE:
        low, high = _packed_range(low, high)
        left, right = _digits(quantize_value(low)), _digits(quantize_value(high))
    else:
        left, right, high = 7, 8, high + 1
    return f"\n{'key' if width > 0 else '':>{width}} {'min':>{left}} .{'-' * (high - low + 1)}. {'max':<{right}} | count\n"


def _cell(value: int, total: Fraction, style: Style) -> str:
    """One bucket as one character."""
    half = Fraction(1, 2)
    if value == 0:
        return " "
    if value < 0:
        return "vvvvVV"[int(abs(value) * 5 / total + half)]
    if style.utf8 is not False:
        return _bytes(0x2581 + int(value * 7 / total + half))
    return "__xxxxXX"[int(value * 7 / total + half)]


def packed_quantize(state: State, low: int, high: int, style: Style) -> str:
    """A quantize() in one line."""
    low, high = _packed_range(low, high)
    left, right = quantize_value(low), quantize_value(high)
    values = state[low : high + 1]
    total = total_of(values, style)
    cells = "".join(_cell(value, total, style) for value in values)
    return f" {left:>{_digits(left)}} :{cells}: {right:<{_digits(right)}} | {sum(values)}\n"


def packed_lquantize(state: State, style: Style) -> str:
    """An lquantize() in one line."""
    base, step, levels = lquantize_arg(state[0])
    values = state[1:]
    total = total_of(values, style)
    cells = "".join(_cell(value, total, style) for value in values)
    return f"{f'< {base}':>8} :{cells}: {f'>= {base + levels * step}':<8} | {sum(values)}\n"
