"""The kernel's buffers: what fits in them, what is overwritten, what is dropped.

A principal buffer belongs to one CPU. Its policy says what happens when it is full: `switch` and `fill` drop what does
not fit (and `fill` ends the tracing), `ring` overwrites the oldest. An entry is kept as an object, but the bytes that it
would take, its alignment and the padding are counted as the real buffer lays them out, so that the same entry is the
first to be lost. An aggregation buffer is counted likewise: keys and values grow from its start, and an eighth of it is
the hash table at its end.

Left out: the two halves of a buffer that are switched (nobody writes while the consumer reads) and the bytes themselves.
Follows `dtrace_buffer_reserve`, `dtrace_buffer_polish` and `dtrace_aggregate` of illumos.
"""

from smartos.dtrace.kernel.buffer import Entry

SWITCH, FILL, RING = "switch", "fill", "ring"
POLICIES = (RING, FILL, SWITCH)  # as the option numbers them
AGGKEY, AGGBUFFER, SLEW = 24, 24, 17


class Buffer:
    """One CPU's principal buffer, or its part of a speculation. `size` is in bytes."""

    def __init__(self, size: int, policy: str = SWITCH) -> None:
        self.size, self.policy = size, policy
        self.offset = 0
        self.drops = self.errors = 0
        self.inactive = self.full = False
        self.entries: list[Entry] = []  # switch and fill
        self._wrapped, self._oldest = False, 0  # ring: where the oldest entry begins
        self._at: dict[int, tuple[int, Entry]] = {}  # ring: size and entry by offset

    def reserve(self, needed: int, alignment: int, reserve: int = 0, cooldown: bool = False) -> int:
        """Find room for an entry; its offset, or -1. Nothing is taken before :meth:`commit`.

        `reserve` is what a fill buffer keeps for END, where `cooldown` is true.
        """
        if self.inactive:
            return -1
        offset = -(-self.offset // alignment) * alignment
        if self.policy == RING:
            return self._reserve_ring(needed, alignment)
        if self.policy == FILL:
            if self.full and not cooldown:
                return -1
            if offset + needed > self.size - reserve:
                self.full = True
                return -1
            return offset
        if offset + needed > self.size:
            self.drops += 1
            return -1
        return offset

    def commit(self, offset: int, size: int, entry: Entry | None) -> None:
        """Take the room: `size` bytes from `offset` on."""
        self.offset = offset + size
        if entry is None or not size:
            return
        if self.policy == RING:
            self._at[offset] = (size, entry)
        else:
            self.entries.append(entry)

    def scratch(self, offset: int, needed: int) -> int:
        """Bytes of scratch memory that a clause has: what is behind its entry, or the other half of the buffer."""
        return self.size - offset - needed if self.policy == SWITCH else self.size

    def take(self) -> list[Entry]:
        """Read the buffer and leave it empty; a ring's oldest entry comes first."""
        if self.policy == RING:
            offsets = sorted(self._at)
            if self._wrapped:
                offsets = [n for n in offsets if n >= self.offset] + [n for n in offsets if n < self.offset]
            found = [self._at[n][1] for n in offsets]
            self._at.clear()
            self._wrapped, self._oldest = False, 0
        else:
            found, self.entries = self.entries, []
        self.offset = 0
        return found

    def _reserve_ring(self, needed: int, alignment: int) -> int:
        offset = self.offset
        total = needed + offset % alignment
        if self._wrapped or offset + total > self.size:
            oldest = self._oldest
            if offset + total > self.size:
                if total > self.size:
                    self.drops += 1
                    return -1
                if not self._wrapped or oldest >= offset:
                    oldest = 0
                for place in [n for n in self._at if n >= offset]:
                    del self._at[place]
                offset, total, self._wrapped = 0, needed, True
            elif oldest < offset:
                return self._pad(offset, alignment)
            oldest = self._overwrite(offset, total, oldest)
            self._oldest = oldest
        return self._pad(offset, alignment)

    def _overwrite(self, offset: int, total: int, oldest: int) -> int:
        """Give up the oldest entries until there is room; where the oldest is then."""
        while offset + total > oldest:
            size = self._at[oldest][0] if oldest in self._at else 4
            self._at.pop(oldest, None)
            if oldest + size >= self.size:
                if offset == 0:
                    self._wrapped, self.offset = False, 0
                    self._at.clear()
                return 0
            oldest += size
        return oldest

    @staticmethod
    def _pad(offset: int, alignment: int) -> int:
        return -(-offset // alignment) * alignment


class AggregationRoom:
    """The bytes of one CPU's aggregation buffer: how many keys fit. `size` 0 means that there is none."""

    def __init__(self, size: int) -> None:
        self.size, self.drops = size, 0
        self.clear()

    def clear(self) -> None:
        """Begin anew, as after a snapshot."""
        slots = self.size // 8 // 8
        free = self.size - AGGBUFFER - slots * 8
        self._usable = slots > 0 and free >= 0
        if slots > SLEW << 3:
            free += SLEW * 8
        self._free, self._offset = free, 0

    def take(self, key_size: int, value_size: int) -> bool:
        """Make room for a new key of so many bytes and its value; False, and a drop, where there is none."""
        if not self._usable:
            self.drops += 1
            return False
        offset = self._offset
        while offset & 6:  # the real loop tests for a multiple of 8 with a mask of 6
            offset += 4
        if offset + key_size + value_size > self._free - AGGKEY:
            self.drops += 1
            return False
        self._free -= AGGKEY
        self._offset = offset + key_size + value_size
        return True
