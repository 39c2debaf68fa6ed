"""ZFS's ARC, the "DVA-based Adjustable Replacement Cache": the paper's idea, changed in three ways.

A block that somebody holds cannot be evicted, so the cache takes the evictable blocks lowest in the list, may find too
few, and slows writers down when too much is dirty. The target size `c` varies: memory pressure shrinks it, use lets it
grow back. Blocks have from 512 bytes to 128 KiB, so sizes and targets are in bytes. The lists have other names: T1 is
mru, T2 is mfu, B1 and B2 are their ghosts. And a second access within a sixteenth of a second makes no block frequent.

Requests come at a time, `now`, in ticks of 1/100 s. The reclaim thread makes its pass once a second of that time, and
after a request that found memory short.

Left out: L2ARC, metadata and its limit, prefetch, the copy that a second holder gets, a request for a block that is
still being read, locks, the floor of 64 MB that the real c_min has. Follows `arc.c` of illumos-joyent at c9c7122c5f
(12 August 2011), function by function; probes are named as they were there (`arc_read_nolock` later became `arc_read`;
the description `arc-hit` finds it under either name).
"""

from collections.abc import Iterable

from smartos.probes import declare
from smartos.zfs.arc.room import STATES, Room
from smartos.zfs.arc.state import (
    ARC_MINTIME,
    ARC_P_MIN_SHIFT,
    HZ,
    MAXBLOCK,
    ArcThrottled,
    ArcTooSmall,
    Header,
    State,
    check_size,
)

__all__ = ["STATES", "ArcThrottled", "ArcTooSmall", "Header", "State", "ZfsArc"]

HDR = "arc_buf_hdr_t *"
HIT = declare("sdt:zfs:arc_read_nolock:arc-hit", HDR)
MISS = declare("sdt:zfs:arc_read_nolock:arc-miss", HDR, "blkptr_t *", "uint64_t", "zbookmark_t *")
NEW_MRU = declare("sdt:zfs:arc_access:new_state-mru", HDR)
NEW_MFU = declare("sdt:zfs:arc_access:new_state-mfu", HDR)


class ZfsArc(Room):
    """A cache of blocks by address (DVA). Its sizes and the memory around it are described in :class:`Room`."""

    def read(self, dva: int, size: int, hold: bool = False, now: int | None = None, zb: object = None) -> bool:
        """Ask for the block of `size` bytes at `dva`; True for a hit. With `hold` it stays until :meth:`release`.

        Without `now` the request comes just late enough after the last for a second access to count. Raises ValueError
        for a size that no block has, another size than before, a clock that runs back, or a block that is dirty.
        """
        check_size(size)
        header = self.headers.get(dva)
        if header and header.b_size != size:
            raise ValueError(f"the block at {dva:#x} has {header.b_size:,} bytes, not {size:,}")
        if header and header.b_state is self.anon:
            raise ValueError(f"the block at {dva:#x} is dirty: its writer has it, and the ARC does not know it yet")
        self._begin(now)
        header = self.headers.get(dva)  # the reclaim thread may just have forgotten it
        hit = header is not None and not header.b_state.ghost
        if header is None:
            header = self.headers[dva] = Header(dva, size, self.anon, 1)
            self.note("miss", dva)
            self._get_data(header)
        elif hit:
            header.hold()
        else:
            self.note("ghost hit", dva, header.b_state.name)
            header.hold()
            self._get_data(header)
            self._access(header)
        self._count(header, hit, zb)
        if hit or header.b_state is self.anon:
            self._access(header)
        if not hold:
            header.release()
        self._end()
        return hit

    def run(self, trace: Iterable[tuple[int, int]]) -> list[bool]:
        """Read every (dva, size) of a trace in order, holding nothing; whether each was a hit."""
        return [self.read(dva, size) for dva, size in trace]

    def release(self, dva: int) -> None:
        """Give up one hold (arc_buf_remove_ref). ValueError when nobody holds the block."""
        if dva not in self.headers:
            raise ValueError(f"the ARC knows no block at {dva:#x}")
        self.headers[dva].release()

    def write(self, dva: int, size: int, now: int | None = None) -> None:
        """Make a dirty block that is going to `dva`; it is anonymous, and held, until :meth:`sync`.

        Raises :class:`ArcThrottled` or :class:`ArcTooSmall` as :meth:`reserve` does, and ValueError when there is a
        block at `dva` already: ZFS never writes over one.
        """
        check_size(size)
        if dva in self.headers:
            raise ValueError(f"there is a block at {dva:#x}; copy-on-write puts a new one elsewhere")
        self._begin(now)
        self.reserve(size)
        header = self.headers[dva] = Header(dva, size, self.anon, 1)
        self.note("dirty", dva, "", "anon")
        self._get_data(header)
        self._end()

    def sync(self) -> None:
        """The transaction group is on disk: every dirty block has its address, joins mru and may be evicted."""
        for header in [h for h in self.headers.values() if h.b_state is self.anon]:
            self._access(header)
            header.release()

    def _begin(self, now: int | None) -> None:
        now = self.now + ARC_MINTIME + 1 if now is None else now
        if now < self.now:
            raise ValueError(f"the clock ran back from {self.now} to {now} ticks")
        self.now = now
        self.requests += 1
        if now // HZ > self._second:
            self.reclaim()

    def _end(self) -> None:
        """Memory was short: the reclaim thread is woken."""
        if self.memory_is_short():
            self.reclaim()

    def _count(self, header: Header, hit: bool, zb: object) -> None:
        """The counters and the probes of a hit and a miss; as in arc.c, a ghost hit is a miss."""
        self.counts["hits" if hit else "misses"] += 1
        if hit and HIT.listeners:
            HIT.fire(header)
        if not hit and MISS.listeners:
            MISS.fire(header, header.b_dva, header.b_size, zb)

    def _get_data(self, header: Header) -> None:
        """arc_get_data_buf: memory for a block's data; in a full cache it comes from a list that is over its share."""
        state, size = header.b_state, header.b_size
        self._adapt(size, state)
        if self.memory_is_short() or self.size > self.c:
            if state is self.mfu_ghost:
                take_mru = self.mru.lsize >= size and self.c - self.p > self.mfu.size
            else:
                take_mru = not (self.mfu.lsize >= size and self.p > self.anon.size + self.mru.size)
            if not self.evict(self.mru if take_mru else self.mfu, size, recycle=True):
                self.counts["recycle_miss"] += 1
        self.size += size
        if state is self.anon:
            state.size += size
            if self.size < self.c and self.anon.size + self.mru.size > self.p:
                self.p = min(self.c, self.p + size)
                self.note("adapt")

    def _adapt(self, size: int, state: State) -> None:
        """arc_adapt: a ghost hit moves p by the block's size, times how much longer the other list is; c may grow."""
        floor = self.c >> ARC_P_MIN_SHIFT
        recent, frequent = self.mru_ghost.size, self.mfu_ghost.size
        p = self.p
        if state is self.mru_ghost:
            times = 1 if recent >= frequent else min(frequent // recent, 10)
            self.p = min(self.c - floor, p + size * times)
        elif state is self.mfu_ghost:
            times = 1 if frequent >= recent else min(recent // frequent, 10)
            self.p = max(floor, p - min(size * times, p))
        if self.p != p:
            self.note("adapt")
        if self.memory_is_short() or self.no_grow or self.c >= self.c_max or self.size <= self.c - 2 * MAXBLOCK:
            return
        self.c += size
        if self.c > self.c_max:
            self.c = self.c_max
        elif state is self.anon:
            self.p += size
        self.p = min(self.p, self.c)
        self.note("grow")

    def _access(self, header: Header) -> None:
        """arc_access: a new block joins mru; any other joins mfu, unless it was asked for just now."""
        old = header.b_state
        soon = old is self.mru and self.now <= header.b_arc_access + ARC_MINTIME
        new = self.mru if old is self.anon or soon else self.mfu
        if old is not self.anon:
            self.counts[f"{old.name}_hits"] += 1
        if not soon:
            header.b_arc_access = self.now
        if new is not old:
            probe = NEW_MFU if new is self.mfu else NEW_MRU
            if probe.listeners:
                probe.fire(header)
            header.change(new)
        self.note("hit" if old in (self.mru, self.mfu) else "insert", header.b_dva, old.name, new.name)

    @property
    def ratio(self) -> float:
        """The share of the reads that were hits, from 0 to 1."""
        reads = self.counts["hits"] + self.counts["misses"]
        return self.counts["hits"] / reads if reads else 0.0

    def lists(self) -> dict[str, list[int]]:
        """The evictable blocks of each state by address, from the next to go to the latest."""
        return {name: list(getattr(self, name).blocks) for name in STATES[1:]}

    def kstat(self) -> dict[str, int]:
        """What `kstat -n arcstats` has of it, by the kernel's names."""
        return {**self.counts, "p": self.p, "c": self.c, "c_min": self.c_min, "c_max": self.c_max, "size": self.size}

    def describe(self) -> str:
        """The cache in one sentence."""
        shares = ", ".join(f"{name} {getattr(self, name).size:,}" for name in STATES)
        return (
            f"The ARC holds {self.size:,} of {self.c:,} bytes ({shares}) with p = {self.p:,}; "
            f"{self.counts['hits']} of {self.counts['hits'] + self.counts['misses']} reads were hits."
        )
