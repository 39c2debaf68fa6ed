"""How ZFS's ARC makes room: eviction into ghosts, the pass of its reclaim thread, and the throttle on writers.

The cache has a target `c` and shares it by `p`. Every pass trims the lists to these targets; a pass that finds memory
short first makes `c` smaller by a thirty-second, every other time, and forbids growth for a minute. A writer reserves
before it dirties anything, and is sent away while too much is dirty.

Left out: memory pressure from more than free pages (swap, the kernel's heap), the pageout daemon's own writes, eviction
on behalf of one pool. Follows `arc_evict`, `arc_evict_ghost`, `arc_adjust`, `arc_shrink`, `arc_reclaim_thread`,
`arc_tempreserve_space` of `arc.c`, and `lotsfree` and `desfree` of `vm_pageout.c`, in illumos-joyent at c9c7122c5f.
"""

from itertools import chain, pairwise

from smartos.probes import declare
from smartos.zfs.arc.paper import Event
from smartos.zfs.arc.state import (
    ARC_GROW_RETRY,
    ARC_SHRINK_SHIFT,
    HZ,
    MAXBLOCK,
    ArcThrottled,
    ArcTooSmall,
    Header,
    State,
)

EVICT = declare("sdt:zfs:arc_evict:arc-evict", "arc_buf_hdr_t *")
DELETE = declare("sdt:zfs:arc_evict_ghost:arc-delete", "arc_buf_hdr_t *")

STATES = ("anon", "mru", "mru_ghost", "mfu", "mfu_ghost")
COUNTERS = (
    "hits", "misses", "mru_hits", "mru_ghost_hits", "mfu_hits", "mfu_ghost_hits", "deleted", "recycle_miss",
    "memory_throttle_count",
)  # fmt: skip


class Room:
    """The five states, their targets and the memory around them, in bytes; `arc_zfs.ZfsArc` fills it.

    `c_max` and `c_min` bound the target `c`, which begins at `c_max`, with `p` at half of it. `memory` is the
    machine's, of which `taken` is in use by others; without `memory` it is never short. Raises ValueError when `c_min`
    is under two of the largest blocks or above `c_max`.
    """

    def __init__(self, c_max: int, c_min: int = 0, memory: int | None = None) -> None:
        self.c_max = c_max
        self.c_min = c_min or max(c_max // 8, 2 * MAXBLOCK)
        if not 2 * MAXBLOCK <= self.c_min <= c_max:
            raise ValueError(f"c_min is {self.c_min:,} bytes; it lies between {2 * MAXBLOCK:,} and c_max, {c_max:,}")
        self.c, self.p, self.size = c_max, c_max >> 1, 0
        self.memory, self.taken, self.no_grow = memory, 0, False
        self.now = self.requests = 0
        self.log: list[Event] = []
        self.counts = dict.fromkeys(COUNTERS, 0)
        self.anon, self.mru, self.mru_ghost, self.mfu, self.mfu_ghost = (State(name) for name in STATES)
        self.headers: dict[int, Header] = {}
        self._aggressive, self._grow_at, self._second = False, 0, 0

    @property
    def free(self) -> int:
        """The free memory of the machine, in bytes; less than nothing when it is overcommitted."""
        return (self.memory or 0) - self.taken - self.size

    def memory_is_short(self) -> bool:
        """arc_reclaim_needed: free memory is under lotsfree + desfree, which are 1/64 and 1/128 of the machine's."""
        return self.memory is not None and self.free < self.memory // 64 + self.memory // 128

    def evict(self, state: State, size: int, recycle: bool = False) -> bool:
        """arc_evict: turn the lowest evictable blocks into ghosts until `size` bytes are free, or no more can be.

        With `recycle` a block of another size is passed over when the next one is of `size`. True when one was, so that
        its memory can serve the new block as it is.
        """
        ghost = self.mru_ghost if state is self.mru else self.mfu_ghost
        victims: list[Header] = []
        freed, fits = 0, False
        for header, above in pairwise(chain(state.blocks.values(), [None])):
            if recycle and not fits and header.b_size != size and above and above.b_size == size:
                continue
            victims.append(header)
            fits = fits or header.b_size == size
            freed += header.b_size
            if freed >= size:
                break
        for header in victims:
            self.size -= header.b_size
            header.change(ghost)
            self.note("evict", header.b_dva, state.name, ghost.name)
            if EVICT.listeners:
                EVICT.fire(header)
        if self.no_grow:
            self._trim_ghosts()
        return recycle and fits

    def _trim_ghosts(self) -> None:
        """While the cache may not grow, the ghosts together are kept within c."""
        ghosts = self.mru_ghost.size + self.mfu_ghost.size
        over = self.anon.size + self.mru.size + self.mru_ghost.size - self.c
        if ghosts <= self.c:
            return
        if over > 0 and self.mru_ghost.lsize:
            self._forget(self.mru_ghost, min(self.mru_ghost.lsize, over))
        elif self.mfu_ghost.lsize:
            self._forget(self.mfu_ghost, min(self.mfu_ghost.lsize, ghosts - self.c))

    def _forget(self, ghost: State, size: int) -> None:
        """arc_evict_ghost: drop the oldest ghosts until `size` bytes' worth of them are gone."""
        freed = 0
        while freed < size and ghost.blocks:
            header = next(iter(ghost.blocks.values()))
            freed += header.b_size
            header.unlink()
            ghost.size -= header.b_size
            header.b_state = self.anon
            del self.headers[header.b_dva]
            self.counts["deleted"] += 1
            self.note("delete", header.b_dva, ghost.name)
            if DELETE.listeners:
                DELETE.fire(header)

    def adjust(self) -> None:
        """arc_adjust: bring mru, mfu and the ghosts back to their targets, as far as holds allow."""
        over = min(self.size - self.c, self.anon.size + self.mru.size - self.p)
        if over > 0 and self.mru.lsize:
            self.evict(self.mru, min(self.mru.lsize, over))
        over = self.size - self.c
        if over > 0 and self.mfu.lsize:
            self.evict(self.mfu, min(self.mfu.lsize, over))
        over = self.mru.size + self.mru_ghost.size - self.c
        if over > 0 and self.mru_ghost.size:
            self._forget(self.mru_ghost, min(self.mru_ghost.size, over))
        over = self.mru_ghost.size + self.mfu_ghost.size - self.c
        if over > 0 and self.mfu_ghost.size:
            self._forget(self.mfu_ghost, min(self.mfu_ghost.size, over))

    def shrink(self) -> None:
        """arc_shrink: c and p smaller by a thirty-second, c not below c_min, and the lists adjusted."""
        if self.c > self.c_min:
            self.c = max(self.c - (self.c >> ARC_SHRINK_SHIFT), self.c_min)
            self.p -= self.p >> ARC_SHRINK_SHIFT
            if self.c > self.size:
                self.c = max(self.size, self.c_min)
            if self.p > self.c:
                self.p = self.c >> 1
            self.note("shrink")
        if self.size > self.c:
            self.adjust()

    def reclaim(self) -> None:
        """One pass of arc_reclaim_thread: under pressure shrink, every other time; a calm minute later grow again."""
        self._second = self.now // HZ
        if self.memory_is_short():
            self._aggressive = not self._aggressive if self.no_grow else True
            self.no_grow = True
            self._grow_at = self.now + ARC_GROW_RETRY
            if self._aggressive:
                self.shrink()
        elif self.no_grow and self.now >= self._grow_at:
            self.no_grow = False
        self.adjust()

    def reserve(self, size: int) -> None:
        """arc_tempreserve_space: may a writer dirty `size` bytes more?

        Raises :class:`ArcTooSmall` when they are more than c, and :class:`ArcThrottled` when memory is short for what
        is dirty already, or half of the cache would be dirty.
        """
        if size > self.c // 4 and not self.no_grow:
            self.c = min(self.c_max, size * 4)
            self.note("grow")
        if size > self.c:
            raise ArcTooSmall(f"ENOMEM: {size:,} bytes are more than the whole cache, {self.c:,}")
        dirty = self.anon.size
        if self.memory is not None and self.free < self.memory >> 3:
            held_back = min(self.mru.lsize + self.mfu.lsize, max(self.size - self.c_min, 0))
            if dirty > (self.free + held_back) // 4:
                self.counts["memory_throttle_count"] += 1
                self._throttle(f"{dirty:,} dirty bytes are more than a quarter of what memory can give")
        if size + dirty > self.c // 2 and dirty > self.c // 4:
            self._throttle(f"with {size:,} bytes more, over half of the cache's {self.c:,} would be dirty")

    def _throttle(self, why: str) -> None:
        self.note("throttle")
        raise ArcThrottled(f"ERESTART: {why}; wait until a transaction group is synced")

    def note(self, what: str, page: int | None = None, old: str = "", new: str = "") -> None:
        """Append an event to the log."""
        self.log.append(Event(self.requests, what, page, old, new, self.p, self.c))
