"""Dnodes: what an object is, in 512 bytes (or more): its type, its size, the roots of its tree of blocks, its bonus.

An object of one level has its data blocks in the dnode's pointers; with each further level a pointer leads to an
indirect block full of pointers. The bonus is a small area for whoever owns the object: a znode, a DSL dataset. System
attributes that do not fit there go to a spill block.

Left out: writing trees, which is the business of a transaction group. Follows `dnode.h`, `dnode.c` and `dbuf.c`.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from smartos.zfs.errors import CorruptPool, ZfsError
from smartos.zfs.format.blkptr import BLKPTR_SHIFT, BLKPTR_SIZE, SHIFT, Blkptr
from smartos.zfs.format.types import NONE, type_name

DNODE_SHIFT = 9
DNODE_SIZE = 1 << DNODE_SHIFT
CORE_SIZE = 64
BLOCK_SHIFT = 14  # dnodes come in blocks of 16 KiB
MAX_SLOTS = 32
MAX_LEVELS = 12  # with the smallest indirect blocks, 4 KiB, for 2^64 bytes
MIN_INDIRECT, MAX_INDIRECT = 7, 17  # 2^12 at least is written; 2^7, one pointer, is what could still be read
MAX_BONUS = DNODE_SIZE - CORE_SIZE - BLKPTR_SIZE

USED_BYTES, USERUSED_ACCOUNTED, SPILL_BLKPTR, USEROBJUSED_ACCOUNTED = 1, 2, 4, 8

_HEAD = {order: struct.Struct(order + "8B2HB3xQQ32s") for order in "<>"}

Read = Callable[[Blkptr], bytes]


@dataclass(slots=True)
class Dnode:
    """A dnode; without arguments, a free one.

    `datablkszsec` is the data block's size in sectors of 512 bytes, `maxblkid` the number of the last block, `used`
    what the object takes on disk (in bytes when USED_BYTES is in `flags`, else in sectors). `bonus` is raw, in the
    byte order `order`; `spill` is the spill block's pointer or None.
    """

    type: int = NONE
    indblkshift: int = 14
    nlevels: int = 1
    nblkptr: int = 1
    bonustype: int = NONE
    checksum: int = 0
    compress: int = 0
    flags: int = 0
    datablkszsec: int = 1
    extra_slots: int = 0
    maxblkid: int = 0
    used: int = 0
    blkptrs: list[Blkptr] = field(default_factory=list)
    bonus: bytes = b""
    spill: Blkptr | None = None
    order: str = "<"

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "Dnode":
        """The dnode at the head of `data`, which may go on beyond it. Raises :class:`CorruptPool`."""
        if len(data) < DNODE_SIZE:
            raise CorruptPool(f"a dnode in {len(data)} bytes; it has {DNODE_SIZE}")
        (
            kind, indblkshift, nlevels, nblkptr, bonustype, check, comp, flags, datablkszsec, bonuslen, extra, maxblkid,
            used, _,
        ) = _HEAD[order].unpack_from(data)  # fmt: skip
        if kind == NONE:
            return cls(nlevels=0, nblkptr=0, indblkshift=0, datablkszsec=0, order=order)
        size = DNODE_SIZE * (1 + extra)
        bonus_at = CORE_SIZE + nblkptr * BLKPTR_SIZE
        end = size - BLKPTR_SIZE if flags & SPILL_BLKPTR else size
        what = f"a dnode of type {type_name(kind)}"
        if not 1 <= nblkptr <= 3 or extra >= MAX_SLOTS or len(data) < size or bonus_at + bonuslen > end:
            raise CorruptPool(f"{what} with {nblkptr} pointers and {bonuslen} bytes of bonus in {len(data)} bytes")
        if not 1 <= nlevels <= MAX_LEVELS or not datablkszsec:
            raise CorruptPool(f"{what} has {nlevels} levels and blocks of {datablkszsec} sectors")
        if nlevels > 1 and not MIN_INDIRECT < indblkshift <= 24:
            raise CorruptPool(f"{what} has indirect blocks of 2^{indblkshift} bytes")
        pointers = [Blkptr.unpack(data[at : at + BLKPTR_SIZE], order) for at in range(CORE_SIZE, bonus_at, BLKPTR_SIZE)]
        spill = Blkptr.unpack(data[end:size], order) if flags & SPILL_BLKPTR else None
        return cls(
            kind, indblkshift, nlevels, nblkptr, bonustype, check, comp, flags, datablkszsec, extra, maxblkid, used,
            pointers, data[bonus_at : bonus_at + bonuslen], spill, order,
        )  # fmt: skip

    def pack(self) -> bytes:
        """The dnode's bytes, little-endian; the bonus goes as it is, so it must be little-endian too."""
        if self.type == NONE:
            return bytes(DNODE_SIZE)
        size = self.size
        pointers = self.blkptrs + [Blkptr()] * (self.nblkptr - len(self.blkptrs))
        tail = b"".join(pointer.pack() for pointer in pointers) + self.bonus
        room = size - CORE_SIZE - (BLKPTR_SIZE if self.spill else 0)
        if len(tail) > room:
            raise CorruptPool(f"{len(pointers)} pointers and {len(self.bonus)} bytes of bonus do not fit into a dnode")
        flags = self.flags | SPILL_BLKPTR if self.spill else self.flags & ~SPILL_BLKPTR
        try:
            head = _HEAD["<"].pack(
                self.type, self.indblkshift, self.nlevels, self.nblkptr, self.bonustype, self.checksum, self.compress,
                flags, self.datablkszsec, len(self.bonus), self.extra_slots, self.maxblkid, self.used, b"",
            )  # fmt: skip
        except struct.error as error:
            raise CorruptPool(f"a dnode with a value that does not fit its field: {error}") from None
        return head + tail.ljust(room, b"\0") + (self.spill.pack() if self.spill else b"")

    @property
    def size(self) -> int:
        """The bytes that the dnode itself takes."""
        return DNODE_SIZE * (1 + self.extra_slots)

    @property
    def block_size(self) -> int:
        """A data block's bytes."""
        return self.datablkszsec << SHIFT

    @property
    def used_bytes(self) -> int:
        """What the object takes on disk, in bytes."""
        return self.used if self.flags & USED_BYTES else self.used << SHIFT

    @property
    def length(self) -> int:
        """The bytes that the object can be read for: up to the end of its last block."""
        return (self.maxblkid + 1) * self.block_size

    @property
    def fan_shift(self) -> int:
        """How many pointers an indirect block has, as a power of two."""
        return self.indblkshift - BLKPTR_SHIFT


def block_pointer(dnode: Dnode, number: int, read: Read) -> Blkptr:
    """The pointer to data block `number` of an object: a hole where nothing was written.

    `read` gives the bytes of the block under a pointer.
    """
    levels, fan = dnode.nlevels, dnode.fan_shift
    top = number >> (levels - 1) * fan if levels > 1 else number
    if number > dnode.maxblkid or top >= len(dnode.blkptrs):
        return Blkptr()
    pointer = dnode.blkptrs[top]
    for level in range(levels - 1, 0, -1):
        if pointer.hole:
            return Blkptr()
        check_level(pointer, level)
        data = read(pointer)
        index = number >> (level - 1) * fan & (1 << fan) - 1
        pointer = Blkptr.unpack(data[index * BLKPTR_SIZE : (index + 1) * BLKPTR_SIZE], pointer.order)
    return pointer


def check_level(pointer: Blkptr, level: int) -> None:
    """Raise :class:`CorruptPool` unless the pointer is of the level at which it was found."""
    if not pointer.hole and pointer.level != level:
        raise CorruptPool(f"a pointer of level {pointer.level} where one of level {level} belongs")


def pointers(dnode: Dnode, read: Read, failed: Callable | None = None) -> Iterator[tuple[int, int, Blkptr]]:
    """Every pointer of an object's tree that is no hole, as (level, block number at that level, pointer).

    Indirect blocks come before what is below them, the spill block last with level -2. Where `read` raises, `failed`
    (when given) is called with the pointer and the error, and the walk goes on beside it.
    """
    fan, seen = dnode.fan_shift if dnode.nlevels > 1 else 0, set()
    stack = [(dnode.nlevels - 1, number, pointer) for number, pointer in enumerate(dnode.blkptrs)][::-1]
    while stack:
        level, number, pointer = stack.pop()
        if pointer.hole:
            continue
        try:
            check_level(pointer, level)
            if level and (pointer.embedded or pointer.dvas[0] in seen):
                raise CorruptPool(f"the tree leads to the block {pointer.describe()} twice")
            if not level and number > dnode.maxblkid:
                raise CorruptPool(f"the tree has a block {number} and says that it ends at {dnode.maxblkid}")
            yield level, number, pointer
            if not level:
                continue
            seen.add(pointer.dvas[0])
            data = read(pointer)
            if len(data) != BLKPTR_SIZE << fan:
                raise CorruptPool(f"an indirect block has {len(data)} bytes where the dnode says {BLKPTR_SIZE << fan}")
            below = []
            for index, at in enumerate(range(0, len(data), BLKPTR_SIZE)):
                if any(data[at : at + BLKPTR_SIZE]):
                    child = Blkptr.unpack(data[at : at + BLKPTR_SIZE], pointer.order)
                    below.append((level - 1, (number << fan) + index, child))
            stack += below[::-1]
        except ZfsError as error:
            if failed is None:
                raise
            failed(pointer, error)
    if dnode.spill is not None and not dnode.spill.hole:
        yield -2, 0, dnode.spill
