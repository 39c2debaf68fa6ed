"""The dirty time log: the transaction groups that a vdev has missed, so that a resilver copies those and no others.

Left out: its form on disk, a space map. Follows `vdev.c` of illumos ("DTLs"), where it is a set of ranges as here.
"""

from bisect import bisect_right
from collections.abc import Iterator


class DirtyTimeLog:
    """A set of txgs as ranges, half open, apart and in order."""

    def __init__(self, *ranges: tuple[int, int]) -> None:
        self._ranges: list[tuple[int, int]] = []
        for start, end in ranges:
            self.add(start, end - start)

    def add(self, txg: int, size: int = 1) -> None:
        """Note that the txgs from `txg` on, `size` of them, were missed."""
        start, end = txg, txg + size
        if start >= end:
            return
        apart = [(a, b) for a, b in self._ranges if b < start or a > end]
        met = [(a, b) for a, b in self._ranges if not (b < start or a > end)]
        joined = (min([start, *(a for a, _ in met)]), max([end, *(b for _, b in met)]))
        self._ranges = sorted([*apart, joined])

    def remove(self, start: int, end: int) -> None:
        """Note that the txgs from `start` up to, not with, `end` are there."""
        if start >= end:
            return
        pieces = []
        for a, b in self._ranges:
            pieces += [(a, min(b, start)), (max(a, end), b)] if a < end and b > start else [(a, b)]
        self._ranges = [(a, b) for a, b in pieces if a < b]

    def __contains__(self, txg: int) -> bool:
        at = bisect_right(self._ranges, (txg, float("inf")))
        return at > 0 and txg < self._ranges[at - 1][1]

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)

    def __repr__(self) -> str:
        return f"DirtyTimeLog({', '.join(map(str, self._ranges))})"

    @property
    def first(self) -> int:
        """The lowest txg that was missed. ValueError when none was."""
        return min(start for start, _ in self._ranges)

    @property
    def last(self) -> int:
        """The highest txg that was missed. ValueError when none was."""
        return max(end for _, end in self._ranges) - 1
