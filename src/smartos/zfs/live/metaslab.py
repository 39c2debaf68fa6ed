"""Metaslabs: where free space comes from, by space maps kept in memory as ranges and on disk as a log of both ways.

A top-level vdev's space is cut into about 200 metaslabs. An allocation takes the vdev on which the rotor stands, in it
the metaslab of the greatest weight (free space, the outer tracks counted double), and in that the first range behind
the cursor that fits. What is freed in a transaction group is not allocated again in that group nor in the two that
follow: until the uberblock is safe that no longer needs it, the older state of the pool has to stay whole.

Left out: loading and unloading of maps (all that were touched stay loaded), log devices, the switch from first fit to
best fit when a metaslab is nearly full, allocation biased by how full each vdev is. Follows `metaslab.c` and
`space_map.c` of illumos as of 12 August 2011 (commit c9c7122 of illumos-joyent).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.dmu.space import (
    ALLOC,
    BLOCK_SIZE,
    FREE,
    Debug,
    Entry,
    RangeTree,
    SpaceMapPhys,
    entries,
    pack_entries,
    replay,
)
from smartos.zfs.errors import CorruptPool, NoSpace
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA
from smartos.zfs.vdev.tree import State, Vdev

if TYPE_CHECKING:
    from smartos.zfs.live.dmu_objset import LiveObjset

DEFER_SIZE = 2  # TXG_DEFER_SIZE
ALIQUOT = 512 << 10
DITTO_SHIFT = 3

ALLOC_ENTRY = declare(
    "fbt:zfs:metaslab_alloc_dva:entry", "vdev_t *", "uint64_t", "int", "uint64_t"
)  # the vdev that the rotor is at, psize, which copy, txg
ALLOC_RETURN = declare("fbt:zfs:metaslab_alloc_dva:return", "int", "int")
FREE_ENTRY = declare("fbt:zfs:metaslab_free_dva:entry", "spa_t *", "dva_t *", "uint64_t", "boolean_t")
SYNC_ENTRY = declare("fbt:zfs:metaslab_sync:entry", "metaslab_t *", "uint64_t")
SYNC_DONE = declare("fbt:zfs:metaslab_sync_done:entry", "metaslab_t *", "uint64_t")


class Metaslab:
    """A slice of a vdev, `size` bytes from `start` on. `map` is its space map object, 0 until something is allocated.

    `free` are the ranges that can be allocated now, `allocs` and `frees` what changed since the last sync pass,
    `freed` the frees of this transaction group, `defer` those of the two before.
    """

    def __init__(self, number: int, start: int, size: int, ashift: int) -> None:
        self.ms_id, self.start, self.size, self.ashift = number, start, size, ashift
        self.map = 0
        self.phys = SpaceMapPhys()
        self.free = RangeTree([(start, start + size)])
        self.allocs, self.frees, self.freed = RangeTree(), RangeTree(), RangeTree()
        self.defer = [RangeTree() for _ in range(DEFER_SIZE)]
        self.cursors: dict[int, int] = {}
        self.active = ""

    @property
    def deferred(self) -> int:
        """The bytes that were freed and cannot be allocated yet."""
        return self.freed.space + sum(tree.space for tree in self.defer)

    def load(self, mos: "LiveObjset", number: int) -> None:
        """Read the space map object and find what is free."""
        node = mos.node(number)
        self.map, self.phys = number, node.struct_of(SpaceMapPhys)
        words = node.words(self.phys.length // 8)
        taken = RangeTree()
        replay(entries(words), taken, 1 << self.ashift)
        if taken.space != self.phys.alloc:
            raise CorruptPool(
                f"metaslab {self.ms_id} has {taken.space:,} bytes allocated, and says {self.phys.alloc:,}"
            )
        self.free = RangeTree()
        at = 0
        for low, high in [*taken, (self.size, self.size)]:
            self.free.add(self.start + at, self.start + low)
            at = high

    def alloc(self, size: int) -> int | None:
        """Take `size` bytes, first fit behind the cursor for their alignment; None when there is no such range."""
        align = size & -size
        cursor = self.cursors.get(align, 0)
        found = self.free.first_fit(size, cursor, align)
        if found is None and cursor:
            found = self.free.first_fit(size, 0, align)
        if found is None:
            self.cursors[align] = 0
            return None
        self.cursors[align] = found + size
        self.free.remove(found, found + size)
        self.allocs.add(found, found + size)
        return found

    def claim(self, offset: int, size: int) -> None:
        """`metaslab_claim_dva`: take this very range. Raises :class:`CorruptPool` unless all of it is free."""
        self.free.remove(offset, offset + size)
        self.allocs.add(offset, offset + size)

    def release(self, offset: int, size: int) -> None:
        """Note a free; the range can be allocated again when the transaction groups that still see it are past."""
        if self.free.overlap(offset, offset + size):
            raise CorruptPool(f"the range {offset:#x} to {offset + size:#x} is freed, and it is free")
        self.frees.add(offset, offset + size)

    @property
    def dirty(self) -> bool:
        """Whether there is something to write to the space map."""
        return bool(self.allocs) or bool(self.frees)

    def sync(self, mos: "LiveObjset", array: int, txg: int, sync_pass: int) -> None:
        """Append what changed to the space map; condense it first when it is twice as long as it need be."""
        if not self.dirty:
            return
        if SYNC_ENTRY.listeners:
            SYNC_ENTRY.fire(self, txg)
        if not self.map:
            node = mos.allocate(dmu.SPACE_MAP, BLOCK_SIZE, dmu.SPACE_MAP_HEADER, SpaceMapPhys())
            self.map, self.phys = node.number, node.struct
            self.phys.object = node.number
            mos.node(array).write(8 * self.ms_id, node.number.to_bytes(8, "little"))
        node = mos.node(self.map)
        for low, high in self.frees:
            self.freed.add(low, high)
        if sync_pass == 1 and self.phys.length >= 16 * max(len(self.free), 1):
            self.allocs, self.frees = self._condensed(), RangeTree()
            node.free_range(0, None)
            self.phys.length = self.phys.alloc = 0
        data = self._log(ALLOC, self.allocs, txg, sync_pass) + self._log(FREE, self.frees, txg, sync_pass)
        node.write(self.phys.length, data)
        self.phys.length += len(data)
        self.phys.alloc += self.allocs.space - self.frees.space
        self.allocs, self.frees = RangeTree(), RangeTree()
        node.touch()

    def _condensed(self) -> RangeTree:
        """All that is allocated as the disk should say it: everything but what is free or was freed."""
        tree = RangeTree([(self.start, self.start + self.size)])
        for free in (self.free, self.freed, *self.defer):
            for low, high in free:
                tree.remove(low, high)
        return tree

    def _log(self, kind: int, tree: RangeTree, txg: int, sync_pass: int) -> bytes:
        if not tree:
            return b""
        log: list = [Debug(kind, sync_pass, txg)]
        for low, high in tree:
            log.append(Entry(kind, low - self.start >> self.ashift, high - low >> self.ashift))
        return pack_entries(log)

    def sync_done(self, txg: int) -> None:
        """The transaction group is on disk: its frees wait two more groups, those that waited so long are free."""
        if SYNC_DONE.listeners:
            SYNC_DONE.fire(self, txg)
        for low, high in self.defer.pop(0):
            self.free.add(low, high)
        self.defer.append(self.freed)
        self.freed = RangeTree()

    def weight(self, count: int) -> int:
        """The more, the rather it is chosen: free space, which counts double on the outer tracks."""
        space = self.free.space
        return 2 * space - self.ms_id * space // count


class MetaslabGroup:
    """The metaslabs of one top-level vdev; `array` is the object that lists their space maps.

    The vdev is known by its place below the root: a mirror that is made there, or goes, is another vdev at that place,
    and the metaslabs are its (`vdev_top_transfer`).
    """

    def __init__(self, vdev: Vdev, shift: int, array: int = 0, asize: int = 0) -> None:
        self.root, self.id, self.shift, self.array = vdev.parent, vdev.id, shift, array
        self.asize, self.ashift = asize or vdev.asize, vdev.ashift
        self.metaslabs = [
            Metaslab(number, number << shift, 1 << shift, self.ashift) for number in range(self.asize >> shift)
        ]
        self.ratio = (1 << 17) // (vdev.psize_to_asize(1 << 17) >> 9)  # vdev_deflate_ratio

    @property
    def vdev(self) -> Vdev:
        """The top-level vdev that is there now."""
        return self.root.children[self.id]

    @property
    def space(self) -> int:
        """The bytes that the metaslabs cover."""
        return len(self.metaslabs) << self.shift

    @property
    def allocated(self) -> int:
        """The bytes that are allocated, those included that were freed and wait."""
        return self.space - sum(ms.free.space for ms in self.metaslabs)

    @property
    def deferred(self) -> int:
        """The bytes that were freed and wait."""
        return sum(ms.deferred for ms in self.metaslabs)

    def metaslab(self, offset: int) -> Metaslab:
        """The metaslab that an offset is in."""
        number = offset >> self.shift
        if number >= len(self.metaslabs):
            raise CorruptPool(f"offset {offset:#x} of vdev {self.id} is behind its last metaslab")
        return self.metaslabs[number]

    def alloc(self, asize: int, min_distance: int, others: list[DVA]) -> int | None:
        """`metaslab_group_alloc`: an offset, at least `min_distance` from the copies that are on this vdev already."""
        here = [dva.offset for dva in others if dva.vdev == self.id]
        role, rival = ("secondary", "primary") if here else ("primary", "secondary")
        for ms in self._by_weight(role):
            if ms.free.space < asize or (not here and ms.active == rival and self._others(ms, asize)):
                continue
            if any(abs((offset >> self.shift) - ms.ms_id) << self.shift < min_distance for offset in here):
                continue
            offset = ms.alloc(asize)
            if offset is not None:
                ms.active = role
                return offset
            ms.active = ""
        return None

    def _by_weight(self, role: str) -> Iterator[Metaslab]:
        """The active metaslabs of the role first, then all others, the greatest weight first."""
        yield from [ms for ms in self.metaslabs if ms.active == role]
        count = len(self.metaslabs)
        rest = [ms for ms in self.metaslabs if ms.active != role]
        yield from sorted(rest, key=lambda ms: ms.weight(count), reverse=True)

    def _others(self, busy: Metaslab, asize: int) -> bool:
        return any(ms is not busy and ms.active != "secondary" and ms.free.space >= asize for ms in self.metaslabs)


class MetaslabClass:
    """All groups, and the rotor that goes from one to the next after each aliquot of 512 KiB."""

    def __init__(self, groups: list[MetaslabGroup]) -> None:
        self.groups = groups
        self.rotor = 0
        self.aliquot = 0

    @property
    def space(self) -> int:
        """All bytes that can be allocated."""
        return sum(group.space for group in self.groups)

    @property
    def allocated(self) -> int:
        """The bytes that are allocated, with those that wait to be free."""
        return sum(group.allocated for group in self.groups)

    @property
    def deferred(self) -> int:
        """The bytes that wait to be free."""
        return sum(group.deferred for group in self.groups)

    @property
    def dspace(self) -> int:
        """`spa_update_dspace`: the space with parity taken out (deflated)."""
        return sum((group.space >> 9) * group.ratio for group in self.groups)

    def alloc(
        self, psize: int, copies: int, txg: int, gang: bool = False, avoid: DVA | None = None
    ) -> tuple[DVA, ...]:
        """Addresses for the copies of a block, as far apart as can be. Raises :class:`NoSpace` for want of a range.

        `avoid` is an address on whose vdev the block is rather not to be (METASLAB_HINTBP_AVOID).
        """
        dvas: list[DVA] = []
        for _ in range(copies):
            try:
                dvas.append(self._alloc_dva(psize, dvas, txg, gang, avoid))
            except NoSpace:
                for dva in dvas:
                    self._unalloc(dva)
                raise
        return tuple(dvas)

    def _alloc_dva(self, psize: int, before: list[DVA], txg: int, gang: bool, avoid: DVA | None = None) -> DVA:
        count, beside = len(self.groups), before[-1] if before else avoid
        start = (self._index(beside.vdev) + 1) % count if beside else self.rotor
        shift, patience = DITTO_SHIFT, True
        while True:
            all_zero = True
            for turn in range(count):
                group = self.groups[(start + turn) % count]
                if ALLOC_ENTRY.listeners:
                    ALLOC_ENTRY.fire(group.vdev, psize, len(before), txg)
                if patience and not before and group.vdev.state < State.HEALTHY and count > 1:
                    continue
                distance = group.asize >> shift
                distance = 0 if distance <= 1 << group.shift else distance
                all_zero &= not distance
                asize = group.vdev.psize_to_asize(psize)
                offset = group.alloc(asize, distance, before) if group.vdev.writeable else None
                if offset is not None:
                    self._turn(start + turn, asize, not before)
                    if ALLOC_RETURN.listeners:
                        ALLOC_RETURN.fire(0, 0)
                    return DVA(group.id, offset, asize, gang)
            if all_zero and not patience:
                raise NoSpace(f"no vdev has a free range for a block of {psize:,} bytes")
            patience = False
            shift += 1

    def _turn(self, index: int, asize: int, first: bool) -> None:
        """Move the rotor on when enough was allocated where it stands."""
        self.aliquot += asize
        if self.aliquot >= ALIQUOT * max(len(self.groups[self.rotor].vdev.children), 1):
            self.rotor = (index + 1 if first else self.rotor + 1) % len(self.groups)
            self.aliquot = 0

    def _index(self, vdev: int) -> int:
        return next((n for n, group in enumerate(self.groups) if group.id == vdev), 0)

    def group(self, vdev: int) -> MetaslabGroup:
        """A top-level vdev's group. Raises :class:`CorruptPool` when there is no such vdev."""
        for group in self.groups:
            if group.id == vdev:
                return group
        raise CorruptPool(f"the pool has no vdev {vdev} with metaslabs")

    def _unalloc(self, dva: DVA) -> None:
        ms = self.group(dva.vdev).metaslab(dva.offset)
        ms.allocs.remove(dva.offset, dva.offset + dva.asize)
        ms.free.add(dva.offset, dva.offset + dva.asize)

    def claim(self, dvas: tuple[DVA, ...]) -> None:
        """`metaslab_claim`: take what a log from before a crash holds. Raises :class:`CorruptPool` unless it is free."""
        places = [(self.group(dva.vdev).metaslab(dva.offset), dva) for dva in dvas]
        if not all(ms.free.covers(dva.offset, dva.offset + dva.asize) for ms, dva in places):
            raise CorruptPool("a block of an intent log is not free to be claimed")
        for ms, dva in places:
            ms.claim(dva.offset, dva.asize)

    def free(self, dva: DVA, txg: int) -> None:
        """`metaslab_free_dva`: give a copy's space back. Raises :class:`CorruptPool` when it is free already."""
        if FREE_ENTRY.listeners:
            FREE_ENTRY.fire(None, dva, txg, False)
        self.group(dva.vdev).metaslab(dva.offset).release(dva.offset, dva.asize)

    def dsize(self, dvas: tuple[DVA, ...]) -> int:
        """`bp_get_dsize`: what the copies take, deflated: as if there were no parity."""
        return sum((dva.asize >> 9) * self.group(dva.vdev).ratio for dva in dvas)

    def metaslabs(self) -> Iterator[tuple[MetaslabGroup, Metaslab]]:
        """Every metaslab with its group."""
        for group in self.groups:
            for ms in group.metaslabs:
                yield group, ms
