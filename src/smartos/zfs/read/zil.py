"""The intent log: what was promised to be on disk before its transaction group was, in a chain of blocks per dataset.

This finds out what there is, and which blocks it takes; whoever only reads a pool sees it as it was before the log.
:mod:`~smartos.zfs.live.zil_commit` writes a log, :mod:`~smartos.zfs.live.zil_replay` does again what it says. A log that was claimed when the pool was last opened for writing ends where its header
says: what lies behind the last claimed block or record is not part of it, even where it reads well.

Left out: records that an encrypted dataset encrypts, of which only the headers are in the clear. Follows
`zil.h`, and `zil_parse` and `zil_read_log_block` of `zil.c`.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from smartos.zfs.dmu.objset import ZilHeader
from smartos.zfs.errors import ZfsError
from smartos.zfs.format import checksum
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr
from smartos.zfs.read.reader import zilog_order

CHAIN_SIZE = 184  # zil_chain_t, at a block's end or (ZILOG2) front: zc_pad, zc_next_blk, zc_nused, zc_eck
SEQ = 3  # the word of the checksum in which a block's number stands
MAX_BLOCKS = 1 << 16
MIN_BLOCK, MAX_BLOCK = 4 << 10, 128 << 10
TX_CREATE, TX_MKDIR, TX_MKXATTR, TX_SYMLINK, TX_REMOVE, TX_RMDIR, TX_LINK, TX_RENAME = range(1, 9)
TX_WRITE, TX_TRUNCATE, TX_SETATTR, TX_ACL_V0, TX_ACL = range(9, 14)
TX_WRITE2, TX_CI = 20, 1 << 63
OUT_OF_ORDER = frozenset((TX_WRITE, TX_TRUNCATE, TX_SETATTR, TX_ACL_V0, TX_ACL, TX_WRITE2))  # TX_OOO
COMMON_SIZE = 32
WRITE_SIZE = 64 + BLKPTR_SIZE  # a write's record without data
MAX_LOG_DATA = MAX_BLOCK - CHAIN_SIZE - WRITE_SIZE
REPLAY_NEEDED, CLAIM_LR_SEQ_VALID = 1, 2  # of a header's flags
_COMMON = {order: struct.Struct(order + "4Q") for order in "<>"}


@dataclass(frozen=True, slots=True)
class Record:
    """A record: its type (without the bit for names in either case), txg, number, its bytes, and their order.

    The bytes begin with the common header of 32: type, length, txg, number.
    """

    type: int
    txg: int
    seq: int
    data: bytes
    order: str

    @property
    def pointer(self) -> Blkptr | None:
        """The block that a write points to, because its data went straight to their place; None where there is none."""
        if self.type != TX_WRITE or len(self.data) < WRITE_SIZE:
            return None
        found = Blkptr.unpack(self.data[64:WRITE_SIZE], self.order)
        return None if found.hole else found

    def words(self, count: int, at: int = 32) -> tuple[int, ...]:
        """Words of the record, zeros where it is shorter."""
        return struct.unpack_from(f"{self.order}{count}Q", self.data.ljust(at + 8 * count, b"\0"), at)


@dataclass(frozen=True, slots=True)
class LogBlock:
    """A block of the chain: its pointer, its number, whether it could be read and leads on, and its records."""

    pointer: Blkptr
    seq: int
    readable: bool
    entries: tuple[Record, ...] = ()

    @property
    def records(self) -> int:
        """How many records are in it."""
        return len(self.entries)

    @property
    def written(self) -> tuple[Record, ...]:
        """The records that point to blocks. In an encrypted dataset a record with data hides its pointer."""
        hidden = self.pointer.crypt
        found = (each for each in self.entries if not (hidden and len(each.data) != WRITE_SIZE))
        return tuple(each for each in found if each.pointer is not None)


def chain(header: ZilHeader, raw: Callable[[Blkptr], bytes]) -> list[LogBlock]:
    """The blocks of a log, up to the first that is not whole, which is where the log ends.

    `raw` gives a block's bytes as they are on the disk.
    """
    found, pointer = [], header.log
    claimed = bool(header.claim_txg)
    last = header.claim_blk_seq if claimed else None
    last_record = header.claim_lr_seq if claimed and header.flags & CLAIM_LR_SEQ_VALID else None
    record = 0
    while not pointer.hole and len(found) < MAX_BLOCKS:
        seq = pointer.cksum[SEQ]
        if (last is not None and seq > last) or (found and seq <= found[-1].seq):
            break
        if record == last_record and seq == last:
            found.append(LogBlock(pointer, seq, True))
            break
        read = _read(pointer, raw)
        if read is None:
            found.append(LogBlock(pointer, seq, False))
            break
        following, data, order = read
        entries = list(_records(data, order))
        kept = [each for each in entries if last_record is None or each.seq <= last_record]
        found.append(LogBlock(pointer, seq, True, tuple(kept)))
        if len(kept) < len(entries):
            break
        record, pointer = max((each.seq for each in kept), default=record), following
    return found


def _read(pointer: Blkptr, raw: Callable[[Blkptr], bytes]) -> tuple[Blkptr, bytes, str] | None:
    """The pointer to the next block, the records' bytes, and their order; None when the block is not whole.

    A whole block has room for what it says it uses, and leads to a block with the next number.
    """
    try:
        data = raw(pointer)
    except ZfsError:
        return None
    order = zilog_order(data, pointer) if len(data) >= CHAIN_SIZE else None
    if order is None:
        return None
    front = pointer.checksum == checksum.ZILOG2
    at = 0 if front else len(data) - CHAIN_SIZE
    following = Blkptr.unpack(data[at + 8 : at + 8 + BLKPTR_SIZE], order)
    (used,) = struct.unpack_from(order + "Q", data, at + 8 + BLKPTR_SIZE)
    wanted = (*pointer.cksum[:SEQ], pointer.cksum[SEQ] + 1)
    if following.hole or following.cksum != wanted or used > (len(data) if front else at):
        return None
    return following, data[CHAIN_SIZE if front else 0 : used], order


def _records(data: bytes, order: str) -> Iterator[Record]:
    at, form = 0, _COMMON[order]
    while at + form.size <= len(data):
        kind, length, txg, seq = form.unpack_from(data, at)
        if not form.size <= length <= len(data) - at:
            return
        yield Record(kind & ~TX_CI, txg, seq, data[at : at + length], order)
        at += length


def room(pointer: Blkptr) -> int:
    """The bytes of records that fit into a log block."""
    return pointer.lsize - CHAIN_SIZE


def pack_record(kind: int, size: int, txg: int, seq: int, body: bytes) -> bytes:
    """A record of `size` bytes: the common header, then its body."""
    return (_COMMON["<"].pack(kind, size, txg, seq) + body).ljust(size, b"\0")


def pack_block(pointer: Blkptr, following: Blkptr, records: bytes, whole: bool = False) -> bytes:
    """A log block that leads to `following`, sealed with its number. Of a slim one (ZILOG2) only what is used is
    written, in units of 4 KiB, unless it is to be `whole`."""
    chain = bytes(8) + following.pack()
    if pointer.checksum == checksum.ZILOG:
        body = records.ljust(pointer.lsize - CHAIN_SIZE, b"\0") + chain + struct.pack("<Q", len(records))
        return checksum.seal(body + bytes(checksum.ECK_SIZE), pointer.cksum, checksum.ZILOG)
    used = CHAIN_SIZE + len(records)
    front = chain + struct.pack("<2Q", used, checksum.ECK_MAGIC)
    rest = records.ljust(used + -used % MIN_BLOCK - CHAIN_SIZE, b"\0")
    words = checksum.fletcher_4(front + struct.pack("<4Q", *pointer.cksum) + rest)
    data = front + struct.pack("<4Q", *words) + rest
    return data.ljust(pointer.lsize, b"\0") if whole else data
