"""Block pointers: 128 bytes that say where a block lies, up to three times, how it was made, and its checksum.

A pointer with no address is a hole, a stretch of zeros that takes no room. A pointer whose block became very small may
hold the block itself, as payload, instead of addresses ("embedded", a feature of later pools).

Left out: what an encrypted block's pointer means (its bits are kept, its block is refused elsewhere). Follows `spa.h`
and `blkptr.c` of OpenZFS; the notation of :meth:`Blkptr.describe` is that of `zdb`.
"""

import struct
from dataclasses import dataclass

from smartos.zfs.errors import CorruptPool
from smartos.zfs.format import checksum, compress
from smartos.zfs.format.types import is_encrypted, type_name

BLKPTR_SHIFT = 7
BLKPTR_SIZE = 1 << BLKPTR_SHIFT
DVAS = 3
SECTOR = 512  # SPA_MINBLOCKSIZE: sizes and offsets are stored in units of it
SHIFT = 9
MAX_BLOCK = 1 << 24  # SPA_MAXBLOCKSIZE
EMBEDDED_DATA, EMBEDDED_RESERVED, EMBEDDED_REDACTED = range(3)
PAYLOAD_SIZE = 112

_EMPTY = bytes(BLKPTR_SIZE)
_WORDS = {order: struct.Struct(order + "16Q") for order in "<>"}
_PAYLOAD = struct.Struct("<14Q")
_COPIES = ("zero", "single", "double", "triple")


@dataclass(frozen=True, slots=True)
class DVA:
    """A data virtual address: top-level vdev, byte offset behind its front labels, allocated bytes, gang or not.

    `asize` counts parity and padding too. `grid` was meant for RAID-Z and is always 0.
    """

    vdev: int = 0
    offset: int = 0
    asize: int = 0
    gang: bool = False
    grid: int = 0

    @classmethod
    def of(cls, first: int, second: int) -> "DVA":
        """The address in two 64-bit words."""
        return cls(
            first >> 32, (second & (1 << 63) - 1) << SHIFT, (first & 0xFFFFFF) << SHIFT, bool(second >> 63),
            first >> 24 & 0xFF,
        )  # fmt: skip

    def words(self) -> tuple[int, int]:
        """The address as its two words. Raises :class:`CorruptPool` unless both sizes are whole sectors."""
        if self.offset % SECTOR or self.asize % SECTOR:
            raise CorruptPool(f"the address {self.describe()} is not in whole sectors of {SECTOR} bytes")
        first = self.vdev << 32 | self.grid << 24 | self.asize >> SHIFT
        return first, int(self.gang) << 63 | self.offset >> SHIFT

    def describe(self) -> str:
        """<vdev:offset:size> in hexadecimal, as `zdb` writes and `zdb -R` takes it."""
        return f"<{self.vdev}:{self.offset:x}:{self.asize:x}>"


_NOWHERE = DVA()


@dataclass(slots=True)
class Blkptr:
    """A block pointer; without arguments, a hole that was never written.

    `lsize` and `psize` are the block's bytes before and after compression; `checksum`, `compress` and `type` are the
    numbers of those modules; `birth` and `physical_birth` are transaction groups (the latter 0 when they are equal);
    `fill` counts the blocks (for dnodes: objects) below; `cksum` is four words. `little` is the byte order of what it
    points to. `payload` is None unless the pointer is embedded; then `psize` counts its bytes and `etype` says what
    they are.
    """

    dvas: tuple[DVA, ...] = ()
    lsize: int = SECTOR
    psize: int = SECTOR
    compress: int = 0
    checksum: int = 0
    type: int = 0
    level: int = 0
    birth: int = 0
    fill: int = 0
    cksum: tuple[int, int, int, int] = (0, 0, 0, 0)
    little: bool = False
    dedup: bool = False
    crypt: bool = False
    physical_birth: int = 0
    payload: bytes | None = None
    etype: int = 0
    pad: tuple[int, int] = (0, 0)

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "Blkptr":
        """The pointer in 128 bytes of byte order `order`."""
        if data == _EMPTY:
            return cls()
        try:
            words = _WORDS[order].unpack(data)
        except struct.error:
            raise CorruptPool(f"a block pointer in {len(data)} bytes; it has {BLKPTR_SIZE}") from None
        prop = words[6]
        kind, level, flags = prop >> 48 & 0xFF, prop >> 56 & 0x1F, prop >> 61
        if prop >> 39 & 1:
            psize = (prop >> 25 & 0x7F) + 1
            payload = _PAYLOAD.pack(*words[:6], *words[7:10], *words[11:])[:psize]
            return cls(
                (), (prop & 0x1FFFFFF) + 1, psize, prop >> 32 & 0x7F, checksum.OFF, kind, level, words[10], 1,
                little=bool(flags & 4), dedup=bool(flags & 2), crypt=bool(flags & 1), payload=payload,
                etype=prop >> 40 & 0xFF,
            )  # fmt: skip
        dvas = ()
        if words[0] or words[1]:
            dvas = (DVA.of(words[0], words[1]),)
            if words[2] or words[3] or words[4] or words[5]:
                dvas += (DVA.of(words[2], words[3]),)
                if words[4] or words[5]:
                    dvas += (DVA.of(words[4], words[5]),)
        return cls(
            dvas, (prop & 0xFFFF) + 1 << SHIFT, (prop >> 16 & 0xFFFF) + 1 << SHIFT, prop >> 32 & 0x7F,
            prop >> 40 & 0xFF, kind, level, words[10], words[11], words[12:], bool(flags & 4), bool(flags & 2),
            bool(flags & 1), words[9], pad=words[7:9],
        )  # fmt: skip

    def pack(self) -> bytes:
        """The pointer's 128 bytes, little-endian. Raises :class:`CorruptPool` when a value does not fit its field."""
        if not self.dvas and self.payload is None and self == _HOLE:
            return _EMPTY
        flags = (self.little << 2 | self.dedup << 1 | self.crypt) << 61
        common = flags | self.level << 56 | self.type << 48 | self.compress << 32
        try:
            if self.payload is not None:
                words = _PAYLOAD.unpack(self.payload.ljust(PAYLOAD_SIZE, b"\0"))
                prop = common | self.etype << 40 | 1 << 39 | self.psize - 1 << 25 | self.lsize - 1
                return _WORDS["<"].pack(*words[:6], prop, *words[6:9], self.birth, *words[9:])
            if self.lsize % SECTOR or self.psize % SECTOR or max(self.lsize, self.psize) > SECTOR << 16:
                raise CorruptPool(f"a block of {self.lsize:#x} bytes in {self.psize:#x} is not in whole sectors")
            prop = common | self.checksum << 40 | (self.psize >> SHIFT) - 1 << 16 | (self.lsize >> SHIFT) - 1
            dvas = [word for dva in self.dvas for word in dva.words()]
            dvas += [0] * (2 * DVAS - len(dvas))
            return _WORDS["<"].pack(*dvas, prop, *self.pad, self.physical_birth, self.birth, self.fill, *self.cksum)
        except struct.error as error:
            raise CorruptPool(f"a block pointer with a value that does not fit its field: {error}") from None

    @property
    def hole(self) -> bool:
        """Whether it points to nothing: zeros that take no room."""
        return not self.dvas and self.payload is None

    @property
    def embedded(self) -> bool:
        """Whether the block itself is in the pointer."""
        return self.payload is not None

    @property
    def gang(self) -> bool:
        """Whether its address is that of a gang header: a block of pointers to the pieces of a scattered block."""
        return bool(self.dvas) and self.dvas[0].gang

    @property
    def order(self) -> str:
        """The byte order of the block it points to, as `struct` writes it."""
        return "<" if self.little else ">"

    @property
    def copies(self) -> tuple[DVA, ...]:
        """The addresses at which the block lies; in an encrypted block's pointer the third is not one."""
        if self.crypt and not self.level and is_encrypted(self.type):
            return tuple(dva for dva in self.dvas[:2] if dva.asize)
        return self.dvas

    @property
    def asize(self) -> int:
        """The bytes that all its copies take on the vdevs."""
        return sum(dva.asize for dva in self.copies)

    @property
    def _crypt(self) -> str:
        if not self.crypt:
            return "unencrypted"
        if self.level:
            return "indirect-MAC"
        return "encrypted" if is_encrypted(self.type) else "authenticated"

    def describe(self, openzfs: bool = False) -> str:
        """The pointer in zdb's notation, that of illumos in 2011 or that of OpenZFS 2, which adds a word and zeros."""
        where = f"[L{self.level} {type_name(self.type)}]"
        if self.hole:
            return f"HOLE {where} size={self.lsize:x}L birth={self.birth}L"
        if self.embedded:
            sizes = f"size={self.lsize:x}L/{self.psize:x}P"
            return f"EMBEDDED {where} et={self.etype} {compress.name_of(self.compress)} {sizes} birth={self.birth}L"
        dvas = " ".join(f"DVA[{n}]={dva.describe()}" for n, dva in enumerate(self.copies))
        copies = len(self.copies)
        if openzfs and self.gang:  # OpenZFS does not count a copy that is only one more of the header
            sizes = [*(dva.asize for dva in self.dvas), 0, 0]
            copies -= sizes[2] <= sizes[1] // 2
        words = [
            checksum.name_of(self.checksum), compress.name_of(self.compress),
            *([self._crypt] if openzfs else []), "LE" if self.little else "BE",
            "gang" if self.gang else "contiguous", "dedup" if self.dedup else "unique", _COPIES[copies],
        ]  # fmt: skip
        births = f"birth={self.birth}L/{self.physical_birth or self.birth}P fill={self.fill}"
        sums = ":".join(f"{word:016x}" if openzfs else f"{word:x}" for word in self.cksum)
        return f"{dvas} {where} {' '.join(words)} size={self.lsize:x}L/{self.psize:x}P {births} cksum={sums}"


_HOLE = Blkptr()


def blkptrs(data: bytes, order: str = "<") -> list[Blkptr]:
    """The pointers of an indirect block, in order."""
    return [Blkptr.unpack(data[at : at + BLKPTR_SIZE], order) for at in range(0, len(data), BLKPTR_SIZE)]
