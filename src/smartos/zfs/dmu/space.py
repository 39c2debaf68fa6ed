"""Space maps: the log, kept for each metaslab, of what was allocated and freed there, from which free space is known.

A vdev's space is cut into metaslabs of 2^metaslab_shift bytes. Each has an object in the MOS with the log's entries,
64-bit words in units of the vdev's sectors, and a bonus with its length and the sum allocated. Whoever needs to
allocate replays the log into a tree of ranges. Newer pools log changes of all metaslabs in common first and use
entries of two words.

Left out: the histogram's upkeep, and space maps of checkpoints. Follows `space_map.h`, `space_map.c`, `range_tree.c`
and `spa_log_spacemap.c`.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from smartos.zfs.errors import CorruptPool

ALLOC, FREE = 0, 1
SIZE_V0 = 24  # bytes of bonus before the histogram was added
HISTOGRAM = 32
RUN_MAX = 1 << 15
BLOCK_SIZE = 4096  # of a space map object in older pools
NO_VDEV = 1 << 24


@dataclass(slots=True)
class SpaceMapPhys:
    """A space map's bonus: `length` bytes of log, and the bytes that are allocated after them all.

    `histogram` is empty in the older form; else its entry i counts free ranges of 2^(i + ashift) bytes and up.
    """

    object: int = 0
    length: int = 0
    alloc: int = 0
    histogram: list[int] = field(default_factory=list)

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "SpaceMapPhys":
        """The head in a bonus buffer."""
        if len(data) < SIZE_V0:
            raise CorruptPool(f"a space map with {len(data)} bytes of bonus")
        number, length, alloc = struct.unpack_from(order + "2Qq", data)
        full = len(data) >= 64 + 8 * HISTOGRAM
        return cls(number, length, alloc, list(struct.unpack_from(f"{order}{HISTOGRAM}Q", data, 64)) if full else [])

    def pack(self) -> bytes:
        """The head's bytes, 24 or (with a histogram) 320."""
        head = struct.pack("<2Qq", self.object, self.length, self.alloc)
        return head + struct.pack(f"<40x{HISTOGRAM}Q", *self.histogram) if self.histogram else head


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log: `kind` is ALLOC or FREE, `offset` and `run` are in sectors of the vdev.

    `vdev` is NO_VDEV in a metaslab's own map.
    """

    kind: int
    offset: int
    run: int
    vdev: int = NO_VDEV


@dataclass(frozen=True, slots=True)
class Debug:
    """A note in the log, before the entries of a sync pass: what they are, of which pass and transaction group."""

    action: int
    sync_pass: int
    txg: int


def entries(words: list[int], padding: bool = False) -> Iterator[Entry | Debug]:
    """Decode a log. Raises :class:`CorruptPool` when it ends within an entry.

    `padding` gives the words that only fill up a block, too, as notes of txg 0.
    """
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word >> 63:
            yield Entry(word >> 15 & 1, word >> 16, (word & RUN_MAX - 1) + 1)
        elif word >> 62 == 2:
            if word != 1 << 63 or padding:  # all zeros: padding before an entry of two words
                yield Debug(word >> 60 & 3, word >> 50 & 0x3FF, word & (1 << 50) - 1)
        else:
            if at >= len(words):
                raise CorruptPool("a space map ends within an entry of two words")
            second = words[at]
            at += 1
            yield Entry(second >> 63, second & (1 << 63) - 1, (word >> 24 & (1 << 36) - 1) + 1, word & NO_VDEV - 1)


def pack_entries(log: list[Entry | Debug]) -> bytes:
    """Encode a log in one-word entries, little-endian; runs beyond 32,768 sectors become several entries.

    Raises :class:`CorruptPool` for an offset of 2^47 sectors or more, which needs two words.
    """
    words = []
    for entry in log:
        if isinstance(entry, Debug):
            words.append(2 << 62 | entry.action << 60 | (entry.sync_pass & 0x3FF) << 50 | entry.txg & (1 << 50) - 1)
            continue
        offset, run = entry.offset, entry.run
        if offset + run > 1 << 47:
            raise CorruptPool(f"a space map entry of one word cannot say sector {offset}")
        while run > 0:
            part = min(run, RUN_MAX)
            words.append(offset << 16 | entry.kind << 15 | part - 1)
            offset, run = offset + part, run - part
    return struct.pack(f"<{len(words)}Q", *words)


class RangeTree:
    """Disjoint ranges of numbers, kept sorted and merged where they touch; `space` is their sum."""

    def __init__(self, ranges: list[tuple[int, int]] | None = None) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.space = 0
        for start, end in ranges or ():
            self.add(start, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._starts, self._ends, strict=True)))

    def __len__(self) -> int:
        return len(self._starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RangeTree) and (self._starts, self._ends) == (other._starts, other._ends)

    def overlap(self, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of [start, end) that are in the tree."""
        low = bisect_right(self._ends, start)
        found = []
        while low < len(self._starts) and self._starts[low] < end:
            found.append((max(self._starts[low], start), min(self._ends[low], end)))
            low += 1
        return found

    def gaps(self, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of [start, end) that are not in the tree."""
        found, at = [], start
        for low, high in self.overlap(start, end):
            if low > at:
                found.append((at, low))
            at = high
        if at < end:
            found.append((at, end))
        return found

    def difference(self, other: "RangeTree") -> list[tuple[int, int]]:
        """The ranges of this tree that are not in the other one."""
        return [gap for start, end in self for gap in other.gaps(start, end)]

    def covers(self, start: int, end: int) -> bool:
        """Whether all of [start, end) is in the tree."""
        return self.overlap(start, end) == [(start, end)] if end > start else True

    def add(self, start: int, end: int) -> None:
        """Add [start, end). Raises :class:`CorruptPool` when a part of it is there already: space counted twice."""
        if end <= start:
            return
        low = bisect_right(self._ends, start)
        if low < len(self._starts) and self._starts[low] < end:
            raise CorruptPool(f"the range {start:#x} to {end:#x} is there already, in part")
        self.space += end - start
        joins_before = low > 0 and self._ends[low - 1] == start
        joins_after = low < len(self._starts) and self._starts[low] == end
        if joins_before and joins_after:
            self._ends[low - 1] = self._ends.pop(low)
            del self._starts[low]
        elif joins_before:
            self._ends[low - 1] = end
        elif joins_after:
            self._starts[low] = start
        else:
            self._starts.insert(low, start)
            self._ends.insert(low, end)

    def remove(self, start: int, end: int) -> None:
        """Take [start, end) out. Raises :class:`CorruptPool` unless all of it is there."""
        if end <= start:
            return
        low = bisect_right(self._starts, start) - 1
        if low < 0 or self._ends[low] < end:
            raise CorruptPool(f"the range {start:#x} to {end:#x} is not there, or not all of it")
        self.space -= end - start
        first, last = self._starts[low], self._ends[low]
        if first == start and last == end:
            del self._starts[low], self._ends[low]
        elif first == start:
            self._starts[low] = end
        elif last == end:
            self._ends[low] = start
        else:
            self._ends[low] = start
            self._starts.insert(low + 1, end)
            self._ends.insert(low + 1, last)

    def clear(self, start: int, end: int) -> None:
        """Take out what there is of [start, end)."""
        for part in self.overlap(start, end):
            self.remove(*part)

    def first_fit(self, size: int, after: int = 0, align: int = 1) -> int | None:
        """The start of the first range at or behind `after` that has `size` free, aligned; None when there is none."""
        low = max(bisect_left(self._starts, after) - 1, 0)
        for start, end in zip(self._starts[low:], self._ends[low:], strict=True):
            begin = -(-max(start, after) // align) * align
            if begin + size <= end:
                return begin
        return None


def replay(log: Iterator[Entry | Debug], tree: RangeTree, unit: int = 1) -> None:
    """Apply a log to the tree of allocated ranges; `unit` is the bytes of a sector."""
    for entry in log:
        if isinstance(entry, Entry):
            start, end = entry.offset * unit, (entry.offset + entry.run) * unit
            (tree.add if entry.kind == ALLOC else tree.remove)(start, end)


def histogram(tree: RangeTree, start: int, end: int, shift: int) -> list[int]:
    """The counts of free ranges between the allocated ones in [start, end), by size, as the bonus keeps them."""
    counts = [0] * HISTOGRAM
    for low, high in tree.gaps(start, end):
        counts[min(max((high - low).bit_length() - 1 - shift, 0), HISTOGRAM - 1)] += 1
    return counts
