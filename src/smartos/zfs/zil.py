"""The intent log: what was promised to be on disk before its transaction group was, in a chain of blocks per dataset.

Whoever opens a pool to write must replay what a crash left there. This package does not; it only finds out whether
there is anything, and which blocks the chain takes.

Left out: replay, and the meaning of the records. Follows `zil.h` and `zil_parse` of `zil.c`.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from smartos.zfs import checksum
from smartos.zfs.blkptr import BLKPTR_SIZE, Blkptr
from smartos.zfs.errors import ZfsError
from smartos.zfs.objset import ZilHeader
from smartos.zfs.reader import zilog_order

CHAIN_SIZE = 184  # zc_pad, zc_next_blk, zc_nused, zc_eck
SEQ = 3  # the word of the checksum in which a block's number stands
MAX_BLOCKS = 1 << 16
TX_WRITE = 9


@dataclass(frozen=True, slots=True)
class LogBlock:
    """A block of the chain: its pointer, its number, whether it could be read, how many records are in it, and the
    blocks that these point to because the data of a large write went straight to its place."""

    pointer: Blkptr
    seq: int
    readable: bool
    records: int = 0
    written: tuple[Blkptr, ...] = ()


def chain(header: ZilHeader, raw: Callable[[Blkptr], bytes]) -> list[LogBlock]:
    """The blocks of a log, up to the first that is not whole, which is where the log ends.

    `raw` gives a block's bytes as they are on the disk.
    """
    found, pointer = [], header.log
    last = header.claim_blk_seq if header.claim_txg else None
    while not pointer.hole and len(found) < MAX_BLOCKS:
        seq = pointer.cksum[SEQ]
        if (last is not None and seq > last) or (found and seq <= found[-1].seq):
            break
        try:
            data = raw(pointer)
        except ZfsError:
            data = b""
        order = zilog_order(data, pointer) if len(data) >= CHAIN_SIZE else None
        if order is None:
            found.append(LogBlock(pointer, seq, False))
            break
        at = 0 if pointer.checksum == checksum.ZILOG2 else len(data) - CHAIN_SIZE
        following = Blkptr.unpack(data[at + 8 : at + 8 + BLKPTR_SIZE], order)
        (used,) = struct.unpack_from(order + "Q", data, at + 8 + BLKPTR_SIZE)
        start = CHAIN_SIZE + 8 if at == 0 else 0
        found.append(LogBlock(pointer, seq, True, *_records(data[start : min(used, len(data))], order)))
        pointer = following
    return found


def _records(data: bytes, order: str) -> tuple[int, tuple[Blkptr, ...]]:
    """How many records there are, and the blocks that they point to.

    Each begins with its type, its length, its txg and its number; a write goes on with object, offset, length and a
    block's offset, and the pointer of that block.
    """
    count, at, written = 0, 0, []
    form = struct.Struct(order + "4Q")
    while at + form.size <= len(data):
        kind, length, _, _ = form.unpack_from(data, at)
        if not form.size <= length <= len(data) - at:
            break
        if kind & 0xFFFFFFFF == TX_WRITE and length >= 64 + BLKPTR_SIZE:
            pointer = Blkptr.unpack(data[at + 64 : at + 64 + BLKPTR_SIZE], order)
            if not pointer.hole:
                written.append(pointer)
        count, at = count + 1, at + length
    return count, tuple(written)
