"""Reading a block: from the pointer to the vdevs that hold it, past its checksum, through decompression, to its bytes.

Each of a pointer's addresses is tried until one gives what the checksum says; the vdev below may have mended a copy by
then. A gang block, one that no free range was long enough for, is put together from the blocks that its header points
to. Blocks of a vdev that was removed are looked up in the mapping that the removal left behind.

Left out: decryption: an encrypted block is verified as far as its half checksum goes, and its contents are refused.
Follows the reading half of `zio.c`, `zio_checksum.c` and `vdev_indirect.c`.
"""

import struct
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from smartos.zfs.errors import ChecksumError, CorruptPool, PoolFaulted, Unsupported, ZfsError
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, DVA, EMBEDDED_DATA, MAX_BLOCK, Blkptr
from smartos.zfs.vdev.tree import Vdev

GANG_SIZE = 512
ECK_OFFSET = 144  # of the trailer within the head of a log block: zc_pad, zc_next_blk, zc_nused stand before it
MAX_GANG_DEPTH = 8
CACHE = 16 << 20


@dataclass
class Mapping:
    """What a removed vdev's blocks became: sorted offsets, and for each the length and the address it moved to."""

    starts: list[int] = field(default_factory=list)
    moved: list[tuple[int, DVA]] = field(default_factory=list)

    def pieces(self, offset: int, size: int) -> list[tuple[DVA, int]]:
        """The addresses, with their lengths in bytes, of `size` bytes at `offset` of the removed vdev."""
        found = []
        while size > 0:
            at = bisect_right(self.starts, offset) - 1
            if at < 0 or offset >= self.starts[at] + self.moved[at][0]:
                raise CorruptPool(f"offset {offset:#x} of a removed vdev is not in its mapping")
            length, dva = self.moved[at]
            skip = offset - self.starts[at]
            part = min(length - skip, size)
            found.append((DVA(dva.vdev, dva.offset + skip, part), part))
            offset, size = offset + part, size - part
        return found


class Reader:
    """Reads blocks from top-level vdevs, `tops[i]` being vdev i (None where there is none).

    `verify` False skips the checksums. With `trust`, blocks whose kind of checksum cannot be computed here are read
    unverified instead of refused. `stats` counts blocks read, bytes read and checksums verified.
    """

    def __init__(self, tops: list[Vdev | None], verify: bool = True, cache: int = CACHE) -> None:
        self.tops, self.verify, self.trust = tops, verify, False
        self.mappings: dict[int, Mapping] = {}
        self.stats = {"blocks": 0, "bytes": 0, "verified": 0}
        self._cache: OrderedDict[tuple, bytes] = OrderedDict()
        self._cached, self._room = 0, cache

    def __call__(self, pointer: Blkptr) -> bytes:
        """The block's bytes as they were before compression, in the byte order `pointer.order`; a hole is zeros.

        Raises :class:`ChecksumError`, :class:`CorruptPool`, :class:`PoolFaulted`, :class:`Unsupported`.
        """
        if pointer.hole:
            return bytes(pointer.lsize)
        if pointer.lsize > MAX_BLOCK:
            raise CorruptPool(f"a block of {pointer.lsize:,} bytes; the largest there can be has {MAX_BLOCK:,}")
        if pointer.embedded:
            return embedded(pointer)
        if pointer.crypt and not pointer.level and dmu.is_encrypted(pointer.type) and pointer.type != dmu.DNODE:
            raise Unsupported(f"the block {pointer.describe(openzfs=True)} is encrypted; no keys are handled here")
        key = (pointer.dvas[0], pointer.cksum, pointer.birth)
        found = self._cache.get(key)
        if found is None:
            found = compress.decompress(pointer.compress, self.raw(pointer), pointer.lsize)
            self._keep(key, found)
        else:
            self._cache.move_to_end(key)
        return found

    def remember(self, pointer: Blkptr, data: bytes) -> None:
        """Keep the bytes of a block that was just written: whoever goes on with it need not read and unpack it."""
        self._keep((pointer.dvas[0], pointer.cksum, pointer.birth), data)

    def trusting(self) -> "Reader":
        """A second reader of the same vdevs, with `trust`."""
        twin = Reader(self.tops, self.verify, self._room)
        twin.mappings, twin.stats, twin.trust = self.mappings, self.stats, True
        return twin

    def _keep(self, key: tuple, data: bytes) -> None:
        if len(data) > self._room // 4:
            return
        self._cached -= len(self._cache.pop(key, b""))
        self._cache[key] = data
        self._cached += len(data)
        while self._cached > self._room:
            self._cached -= len(self._cache.popitem(last=False)[1])

    def raw(self, pointer: Blkptr, depth: int = 0) -> bytes:
        """The block's bytes as they are on the disk, verified: `pointer.psize` of them, from the first good copy."""
        if pointer.psize > MAX_BLOCK:
            raise CorruptPool(f"a block of {pointer.psize:,} bytes on the disk")
        failure: ZfsError | None = None
        for dva in pointer.copies:
            try:
                data = self._gang(pointer, dva, depth) if dva.gang else self.copy(pointer, dva)
                self.stats["blocks"] += 1
                self.stats["bytes"] += len(data)
                return data
            except ZfsError as error:
                failure = failure or error
        if failure is None:
            raise CorruptPool(f"the pointer {pointer.describe()} has no address to read")
        raise failure

    def copy(self, pointer: Blkptr, dva: DVA) -> bytes:
        """The block as it is at one of its addresses."""
        unknown = self.trust and pointer.checksum in checksum.SALTED
        test = verifier(pointer) if self.verify and not unknown else None
        if test is not None:
            self.stats["verified"] += 1
        try:
            return self._at(dva, pointer.psize, test, pointer.physical_birth or pointer.birth)
        except ChecksumError as error:
            where = f"the block {pointer.describe()} does not verify at {dva.describe()}"
            raise ChecksumError(f"{where}: {error}") from None

    def _at(self, dva: DVA, size: int, test: Callable[[bytes], bool] | None, txg: int = 0, depth: int = 0) -> bytes:
        if dva.vdev in self.mappings:
            if depth > MAX_GANG_DEPTH:
                raise CorruptPool("removed vdevs map to each other in a circle")
            pieces = self.mappings[dva.vdev].pieces(dva.offset, size)
            data = b"".join(self._at(piece, length, None, txg, depth + 1) for piece, length in pieces)
            if test is not None and not test(data):
                raise ChecksumError("on the vdevs to which it was moved, something else is there")
            return data
        vdev = self.tops[dva.vdev] if dva.vdev < len(self.tops) else None
        if vdev is None:
            raise CorruptPool(f"the address {dva.describe()} is on vdev {dva.vdev}, which the pool does not have")
        if dva.offset + size > vdev.asize and vdev.readable:
            raise CorruptPool(f"the address {dva.describe()} lies beyond the end of vdev {dva.vdev}")
        try:
            return vdev.read(dva.offset, size, test, txg)
        except OSError as error:
            raise PoolFaulted(f"vdev {dva.vdev} cannot be read at {dva.describe()}: {error}") from None

    def gang_header(self, pointer: Blkptr, dva: DVA) -> list[Blkptr]:
        """The pointers in the gang header at `dva`, verified against where and when it says that it was written."""
        expected = (dva.vdev, dva.offset, pointer.physical_birth or pointer.birth, 0)
        own = (pointer.dvas[0].vdev, pointer.dvas[0].offset, *expected[2:])
        good: dict[str, str] = {}

        def test(data: bytes) -> bool:
            for wanted in (own, expected):
                order = checksum.sealed(data, wanted, checksum.GANG_HEADER, half=pointer.crypt)
                if order:
                    good["order"] = order
                    return True
            return False

        data = self._at(dva, GANG_SIZE, test, expected[2])
        return [
            Blkptr.unpack(data[at : at + BLKPTR_SIZE], good["order"]) for at in range(0, 3 * BLKPTR_SIZE, BLKPTR_SIZE)
        ]

    def _gang(self, pointer: Blkptr, dva: DVA, depth: int) -> bytes:
        if depth >= MAX_GANG_DEPTH:
            raise CorruptPool(f"gang blocks nest more than {MAX_GANG_DEPTH} deep")
        pieces, size = [], 0
        for member in self.gang_header(pointer, dva):
            if not member.hole:
                size += member.psize
                if size > pointer.psize:
                    raise CorruptPool(f"the pieces of the gang block {dva.describe()} are larger than the block")
                pieces.append(self.raw(member, depth + 1))
        if size != pointer.psize:
            raise CorruptPool(f"the gang block {dva.describe()} has {size} bytes where {pointer.psize} are wanted")
        return b"".join(pieces)


def verifier(pointer: Blkptr) -> Callable[[bytes], bool] | None:
    """The test for a block's bytes; None when it has no checksum. Raises :class:`Unsupported` for unknown ones."""
    kind, order, expected = pointer.checksum, pointer.order, pointer.cksum
    if kind in (checksum.OFF, checksum.NOPARITY):
        return None
    if kind in (checksum.ZILOG, checksum.ZILOG2):
        return lambda data: zilog_order(data, pointer) is not None
    if kind not in checksum.FUNCTIONS:
        raise Unsupported(f"checksum {checksum.name_of(kind)} of {pointer.describe()} cannot be computed here")
    if pointer.crypt and pointer.type != dmu.OBJSET:  # the other half of the words is a message authentication code

        def half(data: bytes) -> bool:
            words = checksum.checksum(kind, data, order)
            if kind not in (checksum.SHA256, checksum.SHA512):
                words = checksum.folded(words)
            return words[:2] == expected[:2]

        return half
    return lambda data: checksum.checksum(kind, data, order) == expected


def zilog_order(data: bytes, pointer: Blkptr) -> str | None:
    """The byte order of an intent log block when its own checksum and its number are right, else None."""
    if pointer.checksum == checksum.ZILOG:
        return checksum.sealed(data, pointer.cksum, checksum.ZILOG, half=pointer.crypt)
    for order in "<>":
        magic, *stored = struct.unpack_from(order + "5Q", data, ECK_OFFSET) if len(data) >= 184 else (0,)
        if magic != checksum.ECK_MAGIC:
            continue
        (used,) = struct.unpack_from(order + "Q", data, ECK_OFFSET - 8)
        used += -used % 4096
        if used > len(data):
            return None
        head = data[: ECK_OFFSET + 8] + struct.pack(order + "4Q", *pointer.cksum)
        words = checksum.fletcher_4(head + data[184:used], order)
        if pointer.crypt:  # the other half of the stored words is a message authentication code
            words, stored = checksum.folded(words)[:2], stored[:2]
        return order if words == tuple(stored) else None
    return None


def embedded(pointer: Blkptr) -> bytes:
    """The block that a pointer holds itself."""
    if pointer.etype != EMBEDDED_DATA:
        raise Unsupported(f"the pointer {pointer.describe()} holds no block but something of type {pointer.etype}")
    return compress.decompress(pointer.compress, pointer.payload, pointer.lsize)
