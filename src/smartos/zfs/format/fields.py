"""The on-disk structures as tables: which bytes, and which bits of them, are which field, and what each means.

The readers in this package do not use these tables; they are for showing bytes to people, and the tests hold them
against the readers. Names are those of the C structures. Within a packed word, `shift` counts bits from the lowest, as
the macros of `spa.h` do.

Left out: dnodes, object sets, everything above the block pointer. Follows `vdev_impl.h`, `uberblock_impl.h`, `spa.h`,
`zio.h` and `nvpair.c` of illumos as of 12 August 2011, and chapters 1 and 2 of Sun's "ZFS On-Disk Specification".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from smartos.zfs.format import checksum, compress
from smartos.zfs.format.blkptr import BLKPTR_SIZE, SHIFT
from smartos.zfs.format.label import LABEL_SIZE, PAD_SIZE, PHYS_OFFSET, PHYS_SIZE, RING_OFFSET
from smartos.zfs.format.nvlist import NVLIST, STRING, UINT64
from smartos.zfs.format.types import type_name
from smartos.zfs.format.uberblock import RING_SIZE

Value = int | str | bytes | tuple[int, ...]


@dataclass(frozen=True)
class Field:
    """A field: `size` bytes from `start` on; with `width`, that many bits from `shift` on of the word that they are.

    `form` is how its value is read and shown, a key of FORMS.
    """

    name: str
    start: int
    size: int
    meaning: str
    source: str
    form: str = "number"
    shift: int = 0
    width: int = 0

    @property
    def bits(self) -> range:
        """The bits that it takes, counted from the structure's start, in little-endian order."""
        first = 8 * self.start + self.shift
        return range(first, first + (self.width or 8 * self.size))

    def bytes(self, order: str = "<") -> range:
        """The bytes that it takes, in whole or in part."""
        if not self.width:
            return range(self.start, self.start + self.size)
        low, high = self.shift // 8, (self.shift + self.width - 1) // 8
        return range(self.start + low, self.start + high + 1) if order == "<" else range(
            self.start + self.size - 1 - high, self.start + self.size - low
        )  # fmt: skip

    def decode(self, data: bytes, order: str = "<") -> Value:
        """Its value in the structure's bytes: a number, four words, a string, or bytes. An nvlist's order is ">"."""
        own = data[self.start : self.start + self.size]
        endian = "little" if order == "<" else "big"
        if self.form in ("bytes", "zeros"):
            return own
        if self.form == "words":
            return tuple(int.from_bytes(own[at : at + 8], endian) for at in range(0, self.size, 8))
        if self.form == "string":
            return own[4 : 4 + int.from_bytes(own[:4], "big")].decode()
        value = int.from_bytes(own, endian)
        if self.width:
            value = value >> self.shift & (1 << self.width) - 1
        return {"sectors": value << SHIFT, "sectors+1": value + 1 << SHIFT}.get(self.form, value)

    def shown(self, data: bytes, order: str = "<") -> str:
        """Its value in words."""
        return FORMS[self.form](self.decode(data, order))


def _when(value: int) -> str:
    return f"{value} = {datetime.fromtimestamp(value, UTC):%d %b %Y, %H:%M:%S} UTC"


def _raw(value: bytes) -> str:
    return f"{len(value):,} bytes{', all zero' if not any(value) else ''}"


NV_TYPES = {UINT64: "uint64", STRING: "string", NVLIST: "nvlist"}

FORMS: dict[str, Callable[[Value], str]] = {
    "number": str, "hex": hex, "time": _when, "string": lambda value: f"“{value}”", "bytes": _raw, "zeros": _raw,
    "bytes of size": lambda value: f"{value:,} bytes",
    "sectors": lambda value: f"{value:#x} = {value:,} bytes", "sectors+1": lambda value: f"{value:,} bytes",
    "words": lambda value: ":".join(f"{word:x}" for word in value),
    "checksum": lambda value: f"{value} = {checksum.name_of(value)}",
    "compress": lambda value: f"{value} = {compress.name_of(value)}",
    "type": lambda value: f"{value} = {type_name(value)}",
    "order": lambda value: f"{value} = {'little' if value else 'big'}-endian",
    "encoding": lambda value: f"{value} = {'XDR' if value == 1 else 'native'}",
    "nvtype": lambda value: f"{value} = {NV_TYPES.get(value, 'another type')}",
    "flag": lambda value: f"{value} = {'yes' if value else 'no'}",
}  # fmt: skip

_VDEV, _UBER, _SPA, _ZIO, _NV = (
    "vdev_impl.h, vdev_label_t", "uberblock_impl.h", "spa.h, blkptr_t", "zio.h, zio_eck_t", "nvpair.c",
)  # fmt: skip

LABEL = (
    Field("vl_pad1", 0, PAD_SIZE, "Left blank, so that a disk’s own VTOC label can lie here.", _VDEV, "bytes"),
    Field("vl_pad2", PAD_SIZE, PAD_SIZE, "The specification’s boot header. Import does not read it.", _VDEV, "bytes"),
    Field(
        "vl_vdev_phys", PHYS_OFFSET, PHYS_SIZE, "The configuration as an nvlist, and a checksum over all of it.",
        _VDEV, "bytes",
    ),
    Field(
        "vl_uberblock", RING_OFFSET, RING_SIZE,
        "The ring: a slot for each of the last transaction groups.", _VDEV, "bytes",
    ),
)  # fmt: skip
"""The four parts of a label."""


def uberblock(slot: int = 1024) -> tuple[Field, ...]:
    """The fields of a slot of the ring, of `slot` bytes: the uberblock, unused bytes, the trailer."""
    tail = slot - checksum.ECK_SIZE
    return (
        Field("ub_magic", 0, 8, "Says that this is an uberblock, and by its byte order who wrote it.", _UBER, "hex"),
        Field("ub_version", 8, 8, "The pool’s version: what a reader must understand.", _UBER),
        Field("ub_txg", 16, 8, "The transaction group that this uberblock ended. The highest that verifies wins.", _UBER),
        Field("ub_guid_sum", 24, 8, "The sum of all vdevs’ guids: a missing device shows.", _UBER, "hex"),
        Field("ub_timestamp", 32, 8, "When it was written. It decides between two of the same group.", _UBER, "time"),
        Field(
            "ub_rootbp", 40, BLKPTR_SIZE, "The pointer to the meta object set, the root of everything.", _UBER, "bytes",
        ),
        Field("ub_software_version", 168, 8, "The newest version that the software which wrote it knows.", _UBER),
        Field(
            "later fields", 176, 40, "Unused at the launch. OpenZFS has multihost and checkpoints here.",
            "uberblock_impl.h of OpenZFS", "zeros",
        ),
        Field("unused", 216, tail - 216, "Zeros up to the trailer. Larger sectors make larger slots.", _UBER, "zeros"),
        Field("zec_magic", tail, 8, "Says that a checksum follows.", _ZIO, "hex"),
        Field(
            "zec_cksum", tail + 8, 32,
            "SHA-256 of the slot, with its place on the device in the sum’s stead.", _ZIO, "words",
        ),
    )  # fmt: skip


def _dva(n: int) -> tuple[Field, ...]:
    at, name = 16 * n, f"DVA[{n}]"
    copy = "" if not n else f" Copy {n + 1} of the block."
    return (
        Field(
            f"{name} asize", at, 8, f"Bytes allocated, parity and gang headers included, in sectors.{copy}",
            _SPA, "sectors", 0, 24,
        ),
        Field(f"{name} GRID", at, 8, "Reserved for RAID-Z layout. Always 0.", _SPA, "number", 24, 8),
        Field(f"{name} vdev", at, 8, "The number of the top-level vdev.", _SPA, "number", 32, 32),
        Field(
            f"{name} offset", at + 8, 8,
            "Where on that vdev, in sectors behind the front labels.", _SPA, "sectors", 0, 63,
        ),
        Field(f"{name} G", at + 8, 8, "Set when the address is that of a gang header.", _SPA, "flag", 63, 1),
    )  # fmt: skip


BLKPTR = (
    *_dva(0), *_dva(1), *_dva(2),
    Field("lsize", 48, 8, "The block’s size as its reader sees it, in sectors less one.", _SPA, "sectors+1", 0, 16),
    Field("psize", 48, 8, "Its size after compression, in sectors less one.", _SPA, "sectors+1", 16, 16),
    Field("comp", 48, 8, "The compression function.", _SPA, "compress", 32, 7),
    Field(
        "E", 48, 8, "Set by later pools when the pointer holds the data itself. Part of comp at the launch.",
        "spa.h of OpenZFS", "flag", 39, 1,
    ),
    Field("cksum", 48, 8, "The checksum function.", _SPA, "checksum", 40, 8),
    Field("type", 48, 8, "What kind of object the block belongs to.", _SPA, "type", 48, 8),
    Field("lvl", 48, 8, "How many levels of pointers lie below: 0 is data.", _SPA, "number", 56, 5),
    Field("X", 48, 8, "Unused at the launch. OpenZFS marks encryption here.", _SPA, "flag", 61, 1),
    Field("D", 48, 8, "Set when the block is in the deduplication table.", _SPA, "flag", 62, 1),
    Field("B", 48, 8, "The byte order of the block that it points to.", _SPA, "order", 63, 1),
    Field("blk_pad", 56, 16, "Space for the future.", _SPA, "words"),
    Field("blk_phys_birth", 72, 8, "The group in which the block was allocated; 0 when it is the next field’s.", _SPA),
    Field("blk_birth", 80, 8,
    "The group in which the block was born. Older pointers need not be visited by a send.", _SPA),
    Field("blk_fill", 88, 8, "How many blocks, or for dnodes how many objects, are below.", _SPA),
    Field("blk_cksum", 96, 32, "The checksum of the block, kept apart from it.", _SPA, "words"),
)  # fmt: skip
"""The fields of a block pointer, in the order of their bits."""

PAIRS = {
    "version": "The pool’s version.", "name": "The pool’s name.",
    "state": "Whether the pool is in use: 0 active, 1 exported.",
    "txg": "The transaction group in which this label was written.", "pool_guid": "The pool’s number.",
}  # fmt: skip
"""What the first pairs of a label's nvlist say."""


def nvlist(data: bytes, pairs: int) -> tuple[Field, ...]:
    """The header of a packed nvlist in XDR, and its first `pairs` pairs, which must be of strings and uint64."""
    found = [
        Field("nvh_encoding", 0, 1, "How the list is packed.", _NV, "encoding"),
        Field("nvh_endian", 1, 1,
        "The byte order of the machine that packed it. XDR itself is big-endian.", _NV, "order"),
        Field("nvh_reserved", 2, 2, "Reserved.", _NV, "zeros"),
        Field("nvl_version", 4, 4, "The version of the list’s format.", "nvpair.h, nvlist_t"),
        Field("nvl_nvflag", 8, 4, "1 when every name is there only once.", "nvpair.h, nvlist_t"),
    ]  # fmt: skip
    at = 12
    for _ in range(pairs):
        size = int.from_bytes(data[at : at + 4], "big")
        length = 4 + (int.from_bytes(data[at + 8 : at + 12], "big") + 3) // 4 * 4
        name = Field("", at + 8, length, "", _NV, "string").decode(data)
        kind = at + 8 + length
        string = int.from_bytes(data[kind : kind + 4], "big") == STRING
        found += [
            Field(f"{name}: size", at, 4,
            "The bytes that the pair takes here, from this number on.", _NV, "bytes of size"),
            Field(f"{name}: unpacked", at + 4, 4, "The bytes that it takes in memory, unpacked.", _NV, "bytes of size"),
            Field(
                f"{name}: name", at + 8, length,
                "Its name: a length, the characters, zeros up to four bytes.", _NV, "string",
            ),
            Field(f"{name}: type", kind, 4, "The type of its value.", "nvpair.h, data_type_t", "nvtype"),
            Field(f"{name}: elements", kind + 4, 4, "How many values there are; more than one is an array.", _NV),
            Field(
                f"{name}: value", kind + 8, at + size - kind - 8, PAIRS.get(name, "Its value."), _NV,
                "string" if string else "number",
            ),
        ]  # fmt: skip
        at += size
    return tuple(found)


__all__ = ["BLKPTR", "FORMS", "LABEL", "LABEL_SIZE", "Field", "nvlist", "uberblock"]
