"""Buckets from a seed: in which row of an lquantize() or llquantize() a value is counted, and how wide that row is.

The rows and the keys are what a D program printed for the value. Left out: quantize(), which the first practice of
distributions has, and values outside of the range.
"""

import random

from smartos.explore.dtrace.buckets import Bucket, buckets, printed
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Number


def row(action: str, value: int) -> Bucket:
    """The printed row that counts a value."""
    return next(bucket for bucket in buckets(printed(action, (value,))) if bucket.count)


def problem(seed: int) -> Problem:
    """A value to place, or the width of its row."""
    draw = random.Random(seed)
    return _linear(draw) if seed % 3 == 1 else _width(draw) if seed % 3 == 2 else _place(draw)


def _parameters(draw: random.Random) -> tuple[str, int, int, int]:
    """An llquantize() of base 10, and the steps, lowest and highest magnitude."""
    steps, low, high = draw.choice((10, 20)), draw.choice((0, 1, 2)), draw.choice((4, 5))
    low = max(low, 1) if steps == 20 else low
    return f"llquantize(arg0, 10, {low}, {high}, {steps})", steps, low, high


def _value(draw: random.Random, low: int, high: int) -> int:
    order = draw.randrange(low, high + 1)
    value = draw.randrange(10**order, 10 ** (order + 1))
    return draw.choice((value, value, value - value % 10**order))


def _place(draw: random.Random) -> Problem:
    action, steps, low, high = _parameters(draw)
    value = _value(draw, low, high)
    found = row(action, value)
    key, power = found.low, 10 ** (len(str(value)) - 1)
    width = (found.high or 0) - found.low
    slips = {
        value: "That is the value itself. A row is named by where it begins.",
        power: f"{power:,} is only the power of ten at or below it; between powers there are steps.",
        key + width: f"That row begins above {value:,}.",
        1 << value.bit_length() - 1: "That is quantize()'s row: it knows powers of two only.",
    }
    return Problem(
        f"`@ = {action};` and arg0 is {value:,}. Which row counts it?", Number(), key, _solution(value, power, steps, found),
        f"Row {key:,} takes {key:,} to {key + width - 1:,}.",
        f"Find the power of ten at or below the value; from there to the next power, rows are {steps} to 10 times the power.",
        slips=unlike(key, slips),
    )  # fmt: skip


def _solution(value: int, power: int, steps: int, found: Bucket) -> list[str]:
    width = (found.high or 0) - found.low
    return [
        f"{value:,} lies between {power:,} and {10 * power:,}.",
        f"The way from 0 to {10 * power:,} is cut into {steps} steps, if it has as many whole numbers: a row is {width:,} wide.",
        f"Counted from {power:,} in steps of {width:,}, {value:,} is in the row that begins at {found.low:,}.",
    ]


def _width(draw: random.Random) -> Problem:
    action, steps, low, high = _parameters(draw)
    value = _value(draw, low, high)
    found = row(action, value)
    power = 10 ** (len(str(value)) - 1)
    key = (found.high or 0) - found.low
    slips = {
        power // steps: f"The steps divide the way up to {10 * power:,}, not the way up to {power:,}.",
        9 * power // steps: f"The steps are counted from 0, not from {power:,}.",
        steps: "That is how many steps there are, not how wide one is.",
        9 * power: "That is the whole order of magnitude; it has several rows.",
    }
    return Problem(
        f"`@ = {action};` How many different values share the row that counts {value:,}?", Number(), key,
        _solution(value, power, steps, found),
        f"Row {found.low:,} takes {found.low:,} to {found.low + key - 1:,}: {key:,} values.",
        f"Find the order of magnitude of {value:,}. Its highest value divided by the steps is the width of a row.",
        slips=unlike(key, slips),
    )  # fmt: skip


def _linear(draw: random.Random) -> Problem:
    step = draw.choice((5, 20, 25, 40, 250))
    base = draw.choice((0, 0, step // 5, 100))
    action = f"lquantize(arg0, {base}, {base + 40 * step}, {step})"
    value = base + draw.randrange(1, 40 * step)
    key = row(action, value).low
    slips = {
        value: "That is the value itself. A row is named by where it begins.",
        value - value % step: f"Rows are counted from the base, {base}, and not from 0.",
        key + step: f"That row begins above {value:,}.",
        (value - base) // step: "That is the row's number. It is named by the value at which it begins.",
    }
    return Problem(
        f"`@ = {action};` and arg0 is {value:,}. Which row counts it?", Number(), key,
        [
            f"The rows begin at {base} and every {step} from there.",
            f"{value:,} is {value - base:,} above the base, which is {(value - base) // step} whole steps: row {key:,}.",
        ],
        f"Row {key:,} takes {key:,} to {key + step - 1:,}.",
        f"Count in steps of {step} from {base}, and stop before you pass {value:,}.",
        slips=unlike(key, slips),
    )  # fmt: skip


def practice() -> Practice:
    """Values to place, as many as there are seeds."""
    return Practice("d-buckets-practice", "Practice: which row counts it?", problem)
