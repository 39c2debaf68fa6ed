"""One object as zdb -dd lists it, and what -dddd and -ddddd add: bonus, contents, tree of blocks, segments.

Left out: nothing of an object that can be read; what is encrypted is said to be. Follows `dump_object` of `zdb.c` and
`dnode_next_offset` of `dnode.c`.
"""

import struct
from collections.abc import Iterator

from smartos.commands.zdb.text import fill_of, type_text
from smartos.commands.zdb.view import View
from smartos.zfs.dmu.dnode import (
    DNODE_SHIFT,
    DNODE_SIZE,
    SPILL_BLKPTR,
    USED_BYTES,
    USEROBJUSED_ACCOUNTED,
    USERUSED_ACCOUNTED,
    Dnode,
)
from smartos.zfs.errors import ZfsError
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SHIFT, BLKPTR_SIZE, Blkptr, blkptrs

PER_BLOCK = 32  # dnodes in a block of them
HEADING = f"{'Object':>10}  lvl   iblk   dblk  dsize  dnsize  lsize   %full  type"
_FLAGS = (
    (USED_BYTES, "USED_BYTES "), (USERUSED_ACCOUNTED, "USERUSED_ACCOUNTED "),
    (USEROBJUSED_ACCOUNTED, "USEROBJUSED_ACCOUNTED "), (SPILL_BLKPTR, "SPILL_BLKPTR"),
)  # fmt: skip


def object_lines(view: View, number: int, dnode: Dnode, compression: str) -> Iterator[str]:
    """An object's line in the table, and the details that the verbosity asks for.

    `compression` is what the object set compresses with, which an object inherits unless it says otherwise.
    """
    nice, depth = view.dump.nice, view.dump.opt["d"]
    fill = sum(fill_of(pointer) for pointer in dnode.blkptrs)
    full = 100.0 * fill * dnode.block_size / (PER_BLOCK if number == 0 else 1) / dnode.length
    used = (dnode.used_bytes + 256) // 512 * 512
    iblk = 1 << dnode.indblkshift if dnode.indblkshift else 0
    yield (
        f"{number:10}  {dnode.nlevels:3}  {nice(iblk):>5}  {nice(dnode.block_size):>5}  {nice(used):>5}"
        f"  {nice(dnode.size):>6}  {nice(dnode.length):>5}  {full:6.2f}  {type_text(dnode.type)}"
        f"{_aux(dnode, depth, compression)}"
    )
    if dnode.bonustype and depth > 3:
        yield f"{'':40}{nice(len(dnode.bonus)):>10}   bonus  {type_text(dnode.bonustype)}"
    if depth >= 4:
        yield "\tdnode flags: " + "".join(name for flag, name in _FLAGS if dnode.flags & flag)
        yield f"\tdnode maxblkid: {dnode.maxblkid}"
        if view.encrypted and dmu.is_encrypted(dnode.bonustype):
            yield "\t\t(bonus encrypted)"
        else:
            yield from view.bonus(number, dnode)
        if view.encrypted and dmu.is_encrypted(dnode.type):
            yield "\t\t(object encrypted)"
        else:
            yield from view.contents(number, dnode)
    if depth >= 5:
        yield "Indirect blocks:"
        for place, pointer in enumerate(dnode.blkptrs):
            yield from _indirect(view, dnode, pointer, dnode.nlevels - 1, place)
        yield ""
        for start, end in Segments(view, dnode).found():
            yield f"\t\tsegment [{start:016x}, {end:016x}) size {nice(end - start):>5}"


def _aux(dnode: Dnode, depth: int, compression: str) -> str:
    text = f" (K={checksum.name_of(dnode.checksum)})" if dnode.checksum or depth >= 6 else ""
    if dnode.compress:
        return text + f" (Z={compress.name_of(dnode.compress)})"
    return text + (f" (Z=inherit={compression})" if depth >= 6 else "")


def _indirect(view: View, dnode: Dnode, pointer: Blkptr, level: int, number: int) -> Iterator[str]:
    """The lines of a tree of blocks; where a block cannot be read, the tree ends."""
    if not pointer.birth:
        return
    offset = (number << level * (dnode.indblkshift - BLKPTR_SHIFT)) * dnode.block_size
    place = "".join(f"L{level:x}" if each == level else " " for each in range(dnode.nlevels - 1, -2, -1))
    yield f"{offset:16x} {place}{view.dump.compact(pointer)}"
    if pointer.level and not pointer.hole:
        try:
            below = blkptrs(view.objset.read_block(pointer), pointer.order)
        except ZfsError as error:
            view.dump.errors.append(f"zdb: {view.objset.name}: {error}")
            return
        for index, child in enumerate(below):
            yield from _indirect(view, dnode, child, level - 1, number * len(below) + index)


class _NoMore(Exception):
    """Nothing of the kind at or behind the offset, below one block (ESRCH)."""


class Segments:
    """An object's ranges with data, found as `dnode_next_offset` finds them: up the tree, then down again.

    The search keeps the real one's quirks, since its answers are printed: it moves the offset while it fails, and in
    the object of dnodes it stops at the end of the block where it began.
    """

    def __init__(self, view: View, dnode: Dnode) -> None:
        self.view, self.dnode = view, dnode
        self.meta = dnode.type == dmu.DNODE
        size = dnode.block_size
        self.shift = size.bit_length() - 1 if size & size - 1 == 0 else 0
        self.fan = max(dnode.indblkshift - BLKPTR_SHIFT, 0)
        self.lowest, self.per = (0, PER_BLOCK) if self.meta else (1, 1)
        self.offset = 0

    def found(self) -> Iterator[tuple[int, int]]:
        """The segments as (start, end) in bytes."""
        while not self._next(False):
            start = self.offset
            failed = self._next(True)
            yield start, self.offset
            if failed or self.offset <= start:
                return

    def _next(self, hole: bool) -> bool:
        """Move to the next data (or hole); True when there is none."""
        if not self.shift:
            if self.offset >= self.dnode.block_size:
                return True
            if hole:
                self.offset = self.dnode.block_size
            return False
        before, failed, level = self.offset, True, self.lowest
        for level in range(self.lowest, self.dnode.nlevels + 1):
            try:
                self._at_level(level, hole)
                failed = False
                break
            except _NoMore:
                continue
            except ZfsError:
                return True
        while not failed and level > self.lowest:
            level -= 1
            try:
                self._at_level(level, hole)
            except (_NoMore, ZfsError):
                failed = True
        if hole and failed and not self.meta:
            failed = False
        return failed or before > self.offset

    def _block(self, level: int) -> tuple[bytes, str] | None:
        """The block of the level that the offset lies in; None where there is a hole."""
        number = self.offset >> self.shift + level * self.fan
        top = number >> (self.dnode.nlevels - 1 - level) * self.fan
        if top >= len(self.dnode.blkptrs):
            return None
        pointer = self.dnode.blkptrs[top]
        for each in range(self.dnode.nlevels - 1, level, -1):
            if pointer.hole:
                return None
            data = self.view.objset.read_block(pointer)
            index = number >> (each - 1 - level) * self.fan & (1 << self.fan) - 1
            pointer = Blkptr.unpack(data[index * BLKPTR_SIZE : (index + 1) * BLKPTR_SIZE], pointer.order)
        return None if pointer.hole else (self.view.objset.read_block(pointer), pointer.order)

    def _at_level(self, level: int, hole: bool) -> None:
        if level == self.dnode.nlevels:
            pointers = self.dnode.blkptrs
        else:
            block = self._block(level)
            if block is None:
                if hole:
                    return
                raise _NoMore
            if level == 0:
                self._in_dnodes(*block, hole)
                return
            pointers = blkptrs(*block)
        span, start = (level - 1) * self.fan + self.shift, self.offset
        most = (self.per << (level - 1) * self.fan) - hole
        least = 0 if hole else 1
        position = start >> span
        index = position & (1 << self.fan) - 1
        while index < len(pointers) and not least <= fill_of(pointers[index]) <= most:
            index, position = index + 1, position + 1
        self.offset = max(position << span, start)
        if index >= len(pointers):
            raise _NoMore

    def _in_dnodes(self, data: bytes, order: str, hole: bool) -> None:
        index = self.offset >> DNODE_SHIFT & self.per - 1
        while index < self.per:
            kind, extra = struct.unpack_from("B11xB", data, index * DNODE_SIZE)
            if (kind == dmu.NONE) == hole:
                break
            index += extra + 1
        self.offset = (self.offset & ~((PER_BLOCK << DNODE_SHIFT) - 1)) + (index << DNODE_SHIFT)
        if index >= self.per:
            raise _NoMore

