"""Lists of block pointers in motion: the blocks that wait to be freed, and those that only a snapshot still holds.

A list can take another whole list in ("subobject") without looking at its entries, which is what makes destroying a
snapshot cheap from pool version 26 on.

Left out: nothing of `bpobj.c` of illumos as of 12 August 2011, which this follows, but the size of a list's blocks:
16 KiB here, 128 KiB there.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr
from smartos.zfs.read.dsl import Bpobj

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore
    from smartos.zfs.live.dmu_objset import LiveObjset

BLOCK_SIZE = 1 << 14
ENQUEUE = declare("fbt:zfs:bpobj_enqueue:entry", "bpobj_t *", "blkptr_t *", "dmu_tx_t *")
ENQUEUE_SUBOBJ = declare("fbt:zfs:bpobj_enqueue_subobj:entry", "bpobj_t *", "uint64_t", "dmu_tx_t *")

Space = tuple[int, int, int]  # bytes on disk (deflated), compressed, uncompressed


def sizes(spa: "SpaCore", pointer: Blkptr) -> Space:
    """What a block counts for: deflated bytes of all copies, its physical size, its logical size.

    Of metadata the physical size is given twice (`BP_GET_UCSIZE`), so that they do not change the compression ratio.
    """
    metadata = pointer.level > 0 or dmu.is_metadata(pointer.type)
    return spa.dsize(pointer), pointer.psize, pointer.psize if metadata else pointer.lsize


def allocate(mos: "LiveObjset") -> int:
    """`bpobj_alloc`: a new, empty list, in the form that the pool's version has."""
    version = mos.spa.version
    size = 16 if version < 15 else 32 if version < 26 else 48
    return mos.allocate(dmu.BPOBJ, BLOCK_SIZE, dmu.BPOBJ_HDR, Bpobj(size=size)).number


class LiveBpobj:
    """A list that can be changed."""

    def __init__(self, mos: "LiveObjset", number: int) -> None:
        self.mos, self.number = mos, number
        self.node = mos.node(number)
        self.phys: Bpobj = self.node.struct_of(Bpobj)

    @property
    def space(self) -> Space:
        """The sums over the list and all lists that it took in."""
        if self.phys.size > 16:
            return self.phys.bytes, self.phys.comp, self.phys.uncomp
        return self.space_range(0, 1 << 64)

    def space_range(self, mintxg: int, maxtxg: int) -> Space:
        """The sums over the blocks born after `mintxg`, up to and with `maxtxg`."""
        if mintxg < 4 and maxtxg >= 1 << 63 and self.phys.size > 16:
            return self.phys.bytes, self.phys.comp, self.phys.uncomp
        used = comp = uncomp = 0
        for pointer in self.pointers():
            if mintxg < pointer.birth <= maxtxg:
                a, b, c = sizes(self.mos.spa, pointer)
                used, comp, uncomp = used + a, comp + b, uncomp + c
        return used, comp, uncomp

    def own(self) -> list[Blkptr]:
        """The pointers in this very list."""
        data = self.node.read(0, self.phys.num_blkptrs * BLKPTR_SIZE)
        return [Blkptr.unpack(data[at : at + BLKPTR_SIZE]) for at in range(0, len(data), BLKPTR_SIZE)]

    def subobjs(self) -> list[int]:
        """The lists that it took in."""
        if self.phys.size < 48 or not self.phys.subobjs:
            return []
        return self.mos.node(self.phys.subobjs).words(self.phys.num_subobjs)

    def pointers(self) -> Iterator[Blkptr]:
        """`bpobj_iterate_nofree`: all pointers, youngest first."""
        yield from reversed(self.own())
        for number in reversed(self.subobjs()):
            yield from LiveBpobj(self.mos, number).pointers()

    def enqueue(self, pointer: Blkptr) -> None:
        """Append a pointer, without its checksum, so that the list compresses better."""
        if ENQUEUE.listeners:
            ENQUEUE.fire(self, pointer, None)
        stored = Blkptr.unpack(pointer.pack())
        stored.fill, stored.cksum = 0, (0, 0, 0, 0)
        self.node.write(self.phys.num_blkptrs * BLKPTR_SIZE, stored.pack())
        self.phys.num_blkptrs += 1
        self._add(sizes(self.mos.spa, pointer))

    def _add(self, space: Space, sign: int = 1) -> None:
        self.phys.bytes += sign * space[0]
        if self.phys.size > 16:
            self.phys.comp += sign * space[1]
            self.phys.uncomp += sign * space[2]
        self.node.touch()

    def enqueue_subobj(self, number: int) -> None:
        """Take another list in, whole; an empty one is freed instead. The other must not be used alone any more."""
        if ENQUEUE_SUBOBJ.listeners:
            ENQUEUE_SUBOBJ.fire(self, number, None)
        other = LiveBpobj(self.mos, number)
        if not other.space[0]:
            free(self.mos, number)
            return
        if not self.phys.subobjs:
            self.phys.subobjs = self.mos.allocate(dmu.BPOBJ_SUBOBJ, BLOCK_SIZE).number
        moved, space = [number], other.space
        inner = other.phys.subobjs
        if inner and self.mos.node(inner).phys.maxblkid == 0:  # flatten: fewer nested lists to walk
            for each in other.subobjs():
                moved.append(each)
                other._add(LiveBpobj(self.mos, each).space, -1)
            other.phys.subobjs = other.phys.num_subobjs = 0
            other.node.touch()
            self.mos.free(inner)
        data = b"".join(each.to_bytes(8, "little") for each in moved)
        self.mos.node(self.phys.subobjs).write(8 * self.phys.num_subobjs, data)
        self.phys.num_subobjs += len(moved)
        self._add(space)

    def drain(self, take: Callable[[Blkptr], None]) -> int:
        """`bpobj_iterate`: hand every pointer to `take` and leave the list empty; gives how many there were."""
        count, own = 0, self.own()
        for pointer in reversed(own):
            take(pointer)
            self._add(sizes(self.mos.spa, pointer), -1)
            count += 1
        if own:
            self.phys.num_blkptrs = 0
            self.node.free_range(0)
        subobjs = self.subobjs()
        for number in reversed(subobjs):
            inner = LiveBpobj(self.mos, number)
            before = inner.space
            count += inner.drain(take)
            self._add(tuple(a - b for a, b in zip(before, inner.space, strict=True)), -1)
            free(self.mos, number)
        if subobjs:
            self.phys.num_subobjs = 0
            self.mos.node(self.phys.subobjs).free_range(0)
        return count


def free(mos: "LiveObjset", number: int) -> None:
    """`bpobj_free`: the list and those that it took in go; the blocks they name are not freed."""
    phys: Bpobj = mos.node(number).struct_of(Bpobj)
    if phys.size >= 48 and phys.subobjs:
        for each in LiveBpobj(mos, number).subobjs():
            free(mos, each)
        mos.free(phys.subobjs)
    mos.free(number)
