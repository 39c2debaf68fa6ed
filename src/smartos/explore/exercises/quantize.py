"""Distributions from a seed: into which row a value falls, and how many signs a row draws.

The rules are those of :mod:`smartos.explore.dtrace.quantize`, which also makes the keys. Left out: the empty rows that DTrace
prints at either end.
"""

import random

from smartos.explore.dtrace.quantize import SIGNS, ats, bucket
from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Number


def problem(seed: int) -> Problem:
    """A value to place, or a row to draw."""
    return (_draw, _place)[seed % 2](random.Random(seed))


def _place(draw: random.Random) -> Problem:
    low = 1 << draw.randrange(6, 18)
    value = draw.choice([low, low - 1, low + 1, draw.randrange(low, 2 * low)])
    key = bucket(value)
    slips = {
        2 * key: f"That row begins at {2 * key:,}, above the value.",
        key // 2: f"That row ends at {key - 1:,}, and does not take the number that names the next.",
        value: "That is the value itself; a row is named by a power of two.",
    }
    return Problem(
        f"A guest runs for {value:,} ns before it exits. Which row of `quantize()` counts it?", Number(), key,
        [
            f"The powers of two around {value:,} are {key:,} and {2 * key:,}.",
            f"A row takes its own number and all below the next, so {value:,} is counted in row {key}.",
        ],
        f"Row {key} takes {key:,} to {2 * key - 1:,}.",
        "A row is named by a power of two, the highest that is not above the value.",
        slips=unlike(key, slips),
    )  # fmt: skip


def _draw(draw: random.Random) -> Problem:
    first = draw.randrange(8, 14)
    counts = {1 << (first + i): draw.randrange(20, 900) for i in range(draw.randrange(3, 6))}
    asked, total = draw.choice(list(counts)), sum(counts.values())
    key, share = ats(counts[asked], total), SIGNS * counts[asked] / total
    slips = {
        int(share): f"{share:.2f} is nearer to {key}: the rule rounds.",
        int(share) + 1: f"{share:.2f} is nearer to {key}: the rule rounds, and not always up.",
        round(100 * counts[asked] / total): f"That is the share in per cent; a full bar has {SIGNS} signs, not 100.",
    }
    return Problem(
        f"A full bar has {SIGNS} signs. How many does row {asked} draw?", Number(), key,
        [
            f"The rows count {total:,} in all, and row {asked} has {counts[asked]:,} of them.",
            f"{SIGNS} × {counts[asked]} ∕ {total} is {share:.2f}, which rounds to {key}.",
        ],
        f"{SIGNS} × {counts[asked]} ∕ {total} is {share:.2f}, and rounds to {key}.",
        f"Take the row's share of all {total:,}, times {SIGNS}, and round.",
        Table(["Row", "Count"], list(counts.items()), "A distribution to draw", plain=["Row"]).html(),
        unlike(key, slips),
    )  # fmt: skip


def practice() -> Practice:
    """Values to place and rows to draw, as many as there are seeds."""
    return Practice("quantize-practice", "Practice: read a distribution", problem)
