"""What a cache is asked for: traces of page numbers, each with one habit, made anew from a seed.

A trace is a list of integers, one a request, in order. The same arguments give the same trace on every machine: only
`random.Random.random` is used, whose sequence Python promises to keep. The habits are those that the literature on
replacement names: skewed popularity, a scan past a working set, a loop, a change of habit, correlated references.

Left out: real traces. The paper's own (P1 to P14, ConCat, Merge, SPC1-like and others) cannot be had, and nothing here
stands for them. Follows the vocabulary of Megiddo and Modha, FAST 2003, for scan, loop and correlated references.
"""

import random
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate

SECTOR, MAXBLOCK = 512, 128 * 1024
MOVING, LOOPING, SCANNED = 2_000, 5_000, 1_000_000  # the first page numbers of the habits that a trace joins


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{name} is {value}; a trace needs at least 1")


def zipf(n: int, pages: int = 1000, skew: float = 0.8, seed: int = 1) -> list[int]:
    """`n` independent requests over `pages` pages, page k with weight 1 / (k + 1) ** skew. ValueError below 1 page."""
    _positive(pages=pages)
    rng = random.Random(seed)
    edges = list(accumulate((k + 1) ** -skew for k in range(pages)))
    return [min(bisect(edges, rng.random() * edges[-1]), pages - 1) for _ in range(n)]


def loop(n: int, length: int = 300) -> list[int]:
    """`n` requests for pages 0, 1 … length - 1 in turn, again and again. ValueError when `length` is below 1."""
    _positive(length=length)
    return [i % length for i in range(n)]


def scan(n: int, pages: int = 200, between: int = 800, length: int = 400, seed: int = 1) -> list[int]:
    """A working set of `pages` pages, asked for evenly, and past it a scan: after every `between` requests, `length`
    pages in sequence that nobody asks for again, as a backup reads. ValueError when a length is below 1."""
    _positive(pages=pages, between=between, length=length)
    rng = random.Random(seed)
    trace: list[int] = []
    fresh = SCANNED
    while len(trace) < n:
        trace += [int(rng.random() * pages) for _ in range(between)]
        trace += range(fresh, fresh + length)
        fresh += length
    return trace[:n]


def correlated(n: int, pages: int = 2000, again: int = 3, within: int = 8, seed: int = 1) -> list[int]:
    """Bursts: each page of an even choice is asked for `again` times within about `again * within` requests, then left.

    A page of a burst looks frequent and is not. ValueError when a number is below 1.
    """
    _positive(pages=pages, again=again, within=within)
    rng = random.Random(seed)
    open_: list[list[int]] = []
    trace: list[int] = []
    while len(trace) < n:
        while len(open_) < within:
            open_.append([int(rng.random() * pages), again])
        burst = open_[int(rng.random() * len(open_))]
        trace.append(burst[0])
        burst[1] -= 1
        if not burst[1]:
            open_.remove(burst)
    return trace


def mixed(n: int, seed: int = 1) -> list[int]:
    """Four phases of n / 4: a Zipf habit, a working set that moves on, a loop of 300 pages, the Zipf habit again."""
    quarter = n // 4
    first = zipf(quarter, seed=seed)
    rng = random.Random(seed + 1)
    moving = [MOVING + i // 8 + int(rng.random() * 150) for i in range(quarter)]
    looping = [LOOPING + page for page in loop(quarter)]
    last = zipf(n - 3 * quarter, seed=seed + 2)
    return first + moving + looping + last


TRACES: dict[str, tuple[str, Callable[[int], list[int]]]] = {
    "scan": ("a working set and scans", scan),
    "zipf": ("Zipf", zipf),
    "loop": ("a loop of 300 pages", loop),
    "correlated": ("bursts", correlated),
    "mixed": ("four phases", mixed),
}


def habits(trace: Sequence[int]) -> list[tuple[int, int, str]]:
    """The stretches of a trace of this module by habit: (first request, the one after its last, name), from 0."""
    edges = ((SCANNED, "scan"), (LOOPING, "loop"), (MOVING, "moving set"), (0, "popular pages"))
    found: list[tuple[int, int, str]] = []
    for i, page in enumerate(trace):
        name = next(name for edge, name in edges if page >= edge)
        start = found.pop()[0] if found and found[-1][2] == name else i
        found.append((start, i + 1, name))
    return found


def sized(trace: Sequence[int], seed: int = 1) -> list[tuple[int, int]]:
    """The trace with a size in bytes for each page, a power of two from 512 to 131,072, the same whenever it comes."""
    sizes: dict[int, int] = {}
    rng = random.Random(seed)
    steps = (MAXBLOCK // SECTOR).bit_length()
    for page in trace:
        if page not in sizes:
            sizes[page] = SECTOR << int(rng.random() * steps)
    return [(page, sizes[page]) for page in trace]
