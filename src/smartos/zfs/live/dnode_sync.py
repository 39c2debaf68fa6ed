"""Objects in motion: a dnode in memory with the blocks that were changed, and the sync that writes its tree anew.

Whoever writes to an object changes blocks in memory only. When the transaction group syncs, each changed block is
written to new space, then each indirect block above it, which now holds other addresses and checksums, up to the
dnode: so a change goes from the leaf to the root, and nothing that was there is overwritten.

Left out: the dbuf cache, holds, prefetch, several transaction groups at once (one that is open and one that syncs is
all there is). Follows `dnode.c`, `dnode_sync.c` and `dbuf.c` (`dbuf_sync_list`) of illumos
as of 12 August 2011.
"""

import struct
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.dmu.dnode import DNODE_SIZE, MAX_BONUS, Dnode, block_pointer, check_level, pointers
from smartos.zfs.errors import ChecksumError, CorruptPool, PoolFaulted
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, SECTOR, Blkptr
from smartos.zfs.live.zap_live import ZapTable

if TYPE_CHECKING:
    from smartos.zfs.live.dmu_objset import LiveObjset

SPILL = -1  # DMU_SPILL_BLKID

DNODE_SYNC = declare("fbt:zfs:dnode_sync:entry", "dnode_t *", "dmu_tx_t *")
DNODE_FREE_RANGE = declare("fbt:zfs:dnode_free_range:entry", "dnode_t *", "uint64_t", "uint64_t", "dmu_tx_t *")


class Node:
    """An object that can be changed (`dnode_t`). `phys` is the dnode as it will be written, `dirty` the changed blocks
    by number (None: made a hole), `struct` what the bonus holds once it was unpacked, `doomed` the trees to be freed,
    `overridden` blocks that were written ahead of the sync for the intent log, by number, with what they held.
    """

    def __init__(self, objset: "LiveObjset", number: int, phys: Dnode) -> None:
        self.objset, self.number, self.phys = objset, number, phys
        self.dirty: dict[int, bytearray | bytes | None] = {}
        self.struct: object = None
        self.doomed: list[Dnode] = []
        self.table: ZapTable | None = None
        self.overridden: dict[int, list[tuple[Blkptr, bytes]]] = {}
        self._spill: bytes | None = None  # what the spill block is to hold; b"" when it is to go
        self.accounted = self._account()

    def _account(self) -> tuple[int, int, int] | None:
        """Owner, group and bytes, as they are counted for the owner's space; None when they are not counted."""
        counted = self.phys.type != dmu.NONE and self.phys.flags & 2 and self.objset.account
        owners = self.objset.account(self) if counted else None
        return None if owners is None else (*owners, DNODE_SIZE + self.phys.used_bytes)

    @property
    def free(self) -> bool:
        """Whether the number stands for no object."""
        return self.phys.type == dmu.NONE

    @property
    def block_size(self) -> int:
        return self.phys.block_size

    def touch(self) -> None:
        """Note that the dnode or its bonus changed (`dmu_buf_will_dirty`)."""
        self.objset.mark(self)

    # ---- the bonus

    def struct_of(self, kind: type) -> object:
        """The structure in the bonus, unpacked once; change it and :meth:`touch`."""
        if self.struct is None:
            self.struct = kind.unpack(self.phys.bonus, self.phys.order)
        return self.struct

    def set_bonus(self, data: bytes) -> None:
        """Replace the bonus buffer. Raises :class:`CorruptPool` when it is too long for the dnode."""
        spill = self._spill if self._spill is not None else self.phys.spill
        room = MAX_BONUS + BLKPTR_SIZE - (self.phys.nblkptr + bool(spill)) * BLKPTR_SIZE
        if len(data) > room:
            raise CorruptPool(f"{len(data)} bytes of bonus do not fit into a dnode that has {room}")
        self.phys.bonus = data
        self.touch()

    def set_spill(self, data: bytes) -> None:
        """`dmu_spill_hold_by_bonus`, `dmu_rm_spill`: replace what is in the spill block; without data, it goes."""
        data = data.ljust(-(-len(data) // SECTOR) * SECTOR, b"\0")
        if data != self.spill()[0]:
            self._spill = data
            self.touch()

    def spill(self) -> tuple[bytes, str]:
        """What is in the spill block, nothing when there is none, and in which byte order."""
        pointer = self.phys.spill
        if self._spill is not None:
            return self._spill, "<"
        return (self.objset.read_block(pointer), pointer.order) if pointer and not pointer.hole else (b"", "<")

    # ---- data

    def block(self, number: int) -> bytes | bytearray:
        """A data block as it is now, zeros for a hole."""
        if number in self.dirty:
            return self.dirty[number] or bytes(self.block_size)
        try:
            pointer = block_pointer(self.phys, number, self.objset.read_block)
            if pointer.hole:
                return bytes(self.block_size)
            data = self.objset.read_block(pointer)
        except (ChecksumError, PoolFaulted):
            self.objset.spa.errlog.note(self.objset.dataset, self.number, 0, number)
            raise
        return data.ljust(self.block_size, b"\0")

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from `offset` on; zeros where nothing was written."""
        size, out, end = self.block_size, [], offset + length
        for number in range(offset // size, -(-end // size)):
            start = number * size
            out.append(bytes(self.block(number)[max(offset - start, 0) : end - start]))
        return b"".join(out)

    def words(self, count: int) -> list[int]:
        """The first `count` 64-bit words."""
        return list(struct.unpack(f"<{count}Q", self.read(0, 8 * count)))

    def write(self, offset: int, data: bytes) -> None:
        """`dmu_write`: change bytes; the object grows as needed."""
        size, at = self.block_size, 0
        while at < len(data):
            number, skip = divmod(offset + at, size)
            piece = data[at : at + size - skip]
            if len(piece) == size:
                self.dirty[number] = bytes(piece)
            else:
                held = self.dirty.get(number)
                if not isinstance(held, bytearray):
                    held = self.dirty[number] = bytearray(self.block(number))
                held[skip : skip + len(piece)] = piece
            self.phys.maxblkid = max(self.phys.maxblkid, number)
            at += len(piece)
        self.touch()

    def put(self, number: int, data: bytes) -> None:
        """Replace a whole block, unless it holds these bytes already."""
        if number <= self.phys.maxblkid and bytes(self.block(number)) == data:
            return
        self.write(number * self.block_size, data)

    def free_range(self, first: int, end: int | None = None) -> None:
        """`dnode_free_range`: make holes of the blocks from `first` up to, not with, `end`; without it, truncate."""
        if DNODE_FREE_RANGE.listeners:
            DNODE_FREE_RANGE.fire(self, first, (self.phys.maxblkid + 1 if end is None else end) - first, None)
        if first > self.phys.maxblkid:
            return
        for number in [n for n in self.dirty if n >= first and (end is None or n < end)]:
            del self.dirty[number]
        for number in self._written(first, end):
            self.dirty[number] = None
        if end is None:
            self.phys.maxblkid = max(first - 1, 0)
        self.touch()

    def _written(self, first: int, end: int | None) -> list[int]:
        """The data blocks in a range that are on disk."""
        fan = self.phys.fan_shift if self.phys.nlevels > 1 else 0
        found, stack = [], [(self.phys.nlevels - 1, n, p) for n, p in enumerate(self.phys.blkptrs)]
        while stack:
            level, number, pointer = stack.pop()
            low, high = number << level * fan, number + 1 << level * fan
            if pointer.hole or high <= first or (end is not None and low >= end):
                continue
            if level == 0:
                found.append(number)
                continue
            check_level(pointer, level)
            data = self.objset.read_block(pointer)
            for index in range(len(data) // BLKPTR_SIZE):
                slot = data[index * BLKPTR_SIZE : (index + 1) * BLKPTR_SIZE]
                if any(slot):
                    stack.append((level - 1, (number << fan) + index, Blkptr.unpack(slot)))
        return found

    def set_block_size(self, size: int) -> None:
        """`dmu_object_set_blocksize`: only an object of one block can change it. CorruptPool for any other."""
        size = max(-(-size // SECTOR) * SECTOR, SECTOR)
        if size == self.block_size:
            return
        if self.phys.maxblkid or any(self.dirty) or self.phys.nlevels > 1:
            raise CorruptPool("the block size of an object with several blocks cannot be changed")
        known = self.dirty.get(0) is not None or not block_pointer(self.phys, 0, self.objset.read_block).hole
        if known and not (0 in self.dirty and self.dirty[0] is None):
            self.dirty[0] = bytearray(bytes(self.block(0))[:size].ljust(size, b"\0"))
        self.phys.datablkszsec = size // SECTOR
        self.touch()

    def destroy(self) -> None:
        """`dmu_object_free`: the number is free at once, the blocks when the transaction group syncs."""
        self.phys.maxblkid = max([self.phys.maxblkid, *self.dirty])  # what was cut off is still in the tree on disk
        self.doomed.append(self.phys)
        if self.overridden:
            self.overridden = {-1: [each for found in self.overridden.values() for each in found]}
        self.phys, self.dirty, self.struct, self.table = Dnode(nlevels=0, nblkptr=0), {}, None, None
        self._spill = None
        self.touch()

    # ---- sync

    @property
    def pending(self) -> bool:
        """Whether blocks have to be written or freed."""
        changed = self.dirty or self.doomed or self._spill is not None
        return bool(changed) or (self.table is not None and self.table.dirty)

    def sync(self) -> None:
        """Write what is dirty, from the leaves to the dnode, which is then to be packed into its block."""
        if DNODE_SYNC.listeners:
            DNODE_SYNC.fire(self, None)
        for phys in self.doomed:
            for _, _, pointer in list(pointers(phys, self.objset.read_block)):
                self.objset.kill(pointer)
        self.doomed = []
        if self.free:
            self._unoverride()
            return
        if self.table is not None and self.table.dirty:
            self.table.store(self)
        if self.struct is not None:
            self.phys.bonus = self.struct.pack()
        self._sync_tree()
        self._sync_spill()
        self._unoverride()

    def _unoverride(self) -> None:
        """`dbuf_unoverride`: what was written ahead of the sync, and changed or went since, is free again."""
        if self.overridden:
            for pointer, _ in (each for found in self.overridden.values() for each in found):
                self.objset.spa.zio.free(pointer)
            self.overridden = {}

    def _sync_spill(self) -> None:
        """Write the spill block, or free the one that is not needed any more."""
        if self._spill is None:
            return
        old, data, self._spill = self.phys.spill or Blkptr(), self._spill, None
        new = self.objset.write_block(self, 0, SPILL, data, old, 1) if data else Blkptr()
        self._exchange(old, new)
        self.phys.spill = None if new.hole else new

    def _sync_tree(self) -> None:
        phys = self.phys
        if not self.dirty:
            return
        phys.blkptrs += [Blkptr() for _ in range(phys.nblkptr - len(phys.blkptrs))]
        seed = self._grow()
        fan, top = phys.fan_shift, phys.nlevels - 1
        changed = [set(self.dirty)]
        for level in range(1, top + 1):
            changed.append({number >> fan for number in changed[-1]} | ({0} if level in seed else set()))
        below: list[dict[int, list[int]]] = [{}]
        for level in range(1, top + 1):
            groups: dict[int, list[int]] = {number: [] for number in changed[level]}
            for number in sorted(changed[level - 1]):
                groups[number >> fan].append(number)
            below.append(groups)
        for number in sorted(changed[top]):
            phys.blkptrs[number] = self._sync_block(top, number, phys.blkptrs[number], below, seed)
        self.dirty = {}

    def _grow(self) -> dict[int, bytes]:
        """Add levels until the last block can be reached: what the dnode pointed to moves into a new indirect block."""
        phys, levels, reach = self.phys, 1, self.phys.nblkptr
        last = max([phys.maxblkid, *self.dirty])
        while reach <= last:
            reach <<= phys.indblkshift - 7
            levels += 1
        if levels <= phys.nlevels:
            return {}
        seed = {}
        if any(not pointer.hole for pointer in phys.blkptrs):
            packed = b"".join(pointer.pack() for pointer in phys.blkptrs)
            seed[phys.nlevels] = packed.ljust(1 << phys.indblkshift, b"\0")
            for level in range(phys.nlevels + 1, levels):
                seed[level] = bytes(1 << phys.indblkshift)
        phys.blkptrs = [Blkptr() for _ in range(phys.nblkptr)]
        phys.nlevels = levels
        return seed

    def _sync_block(self, level: int, number: int, old: Blkptr, below: list, seed: dict[int, bytes]) -> Blkptr:
        """Write a block of the tree, after those below it that changed; give its new pointer."""
        if level == 0:
            data = self.dirty[number]
            if data is None:
                self._exchange(old, Blkptr())
                return Blkptr()
            ahead = self.overridden.get(number)
            if ahead and ahead[-1][1] == data:
                new = ahead.pop()[0]
                self._exchange(old, new)
                return new
            return self._store(0, number, bytes(data), old, self.objset.fill_of(self, bytes(data)))
        if number == 0 and level in seed:
            content = bytearray(seed[level])
        elif old.hole:
            content = bytearray(1 << self.phys.indblkshift)
        else:
            check_level(old, level)
            content = bytearray(self.objset.read_block(old))
        mask = (1 << self.phys.fan_shift) - 1
        for child in below[level][number]:
            at = (child & mask) * BLKPTR_SIZE
            before = Blkptr.unpack(bytes(content[at : at + BLKPTR_SIZE]))
            after = self._sync_block(level - 1, child, before, below, seed)
            content[at : at + BLKPTR_SIZE] = bytes(BLKPTR_SIZE) if after.hole else after.pack()
        if not any(content):
            self._exchange(old, Blkptr())
            return Blkptr()
        fill = sum(struct.unpack_from("<Q", content, at + 88)[0] for at in range(0, len(content), BLKPTR_SIZE))
        return self._store(level, number, bytes(content), old, fill)

    def _store(self, level: int, number: int, data: bytes, old: Blkptr, fill: int) -> Blkptr:
        new = self.objset.write_block(self, level, number, data, old, fill)
        self._exchange(old, new)
        return new

    def _exchange(self, old: Blkptr, new: Blkptr) -> None:
        """Account for a pointer that takes another's place: the old block dies, the new one is born."""
        self.phys.flags |= 1
        if not new.hole and new.dvas == old.dvas:
            return
        if not old.hole:
            self.phys.used -= self.objset.kill(old)
        if not new.hole:
            self.phys.used += self.objset.born(new)

    def pack(self) -> bytes:
        """The dnode for its block, zeros when it is free."""
        return bytes(DNODE_SIZE) if self.free else self.phys.pack()
