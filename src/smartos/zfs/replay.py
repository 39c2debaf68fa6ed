"""Send streams as bytes: the records (`dmu_replay_record_t`) that tell how to make one snapshot, or the next one.

Each record has 312 bytes; object records are followed by the bonus, writes by the data. The first record names the
snapshot, the last one holds the fletcher-4 checksum of all that came before.

Left out: compound streams (`zfs send -R`), deduplicated ones, the per-record checksums of later versions, big-endian
streams. Follows `zfs_ioctl.h` of illumos as of 12 August 2011.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from smartos.zfs import checksum
from smartos.zfs.errors import ChecksumError, CorruptPool, Unsupported

SIZE = 312
MAGIC = 0x2F5BACBAC
BEGIN, OBJECT, FREEOBJECTS, WRITE, FREE, END, WRITE_BYREF, SPILL = range(8)
NAMES = ("BEGIN", "OBJECT", "FREEOBJECTS", "WRITE", "FREE", "END", "WRITE_BYREF", "SPILL")
SUBSTREAM = 1
SA_SPILL = 4  # a feature flag: the stream has system attributes
FLAG_CLONE = 1
TO_THE_END = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Begin:
    """The first record. `type` is the object set's; `fromguid` is 0 for a full stream; `features` are flags."""

    toname: str
    toguid: int
    fromguid: int = 0
    type: int = 2
    creation_time: int = 0
    flags: int = 0
    features: int = 0

    def pack(self) -> bytes:
        name = self.toname.encode("utf-8", "surrogateescape")[:255]
        versioninfo = SUBSTREAM | self.features << 2
        return struct.pack(
            "<II3Q2I2Q256s", BEGIN, 0, MAGIC, versioninfo, self.creation_time, self.type, self.flags, self.toguid,
            self.fromguid, name,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """Any other record: its type's number, the object it is about, and what its type needs of the rest."""

    kind: int
    object: int = 0
    offset: int = 0
    length: int = 0
    type: int = 0
    bonustype: int = 0
    checksum: int = 0
    compress: int = 0
    data: bytes = b""
    words: tuple[int, ...] = ()

    def describe(self) -> str:
        """The record in a line, in the manner of `zstreamdump -v`."""
        rest = f" object = {self.object} offset = {self.offset} length = {self.length}"
        return NAMES[self.kind] + rest


def pack_object(
    number: int, kind: int, bonustype: int, block: int, bonus: bytes, sums: tuple[int, int], guid: int
) -> bytes:
    """An OBJECT record with its bonus, which fills whole words."""
    head = struct.pack("<IIQ4I2B6xQ", OBJECT, 0, number, kind, bonustype, block, len(bonus), *sums, guid)
    return head.ljust(SIZE, b"\0") + bonus + bytes(-len(bonus) % 8)


def pack_write(number: int, kind: int, offset: int, data: bytes, guid: int, sums: tuple, key: int) -> bytes:
    """A WRITE record with its data; `sums` are the checksum's number, its flags and its four words."""
    head = struct.pack("<IIQII3Q2B6x5Q", WRITE, 0, number, kind, 0, offset, len(data), guid, *sums[:2], *sums[2], key)
    return head.ljust(SIZE, b"\0") + data


def pack_free(number: int, offset: int, length: int, guid: int) -> bytes:
    """A FREE record: a range of an object."""
    return struct.pack("<II4Q", FREE, 0, number, offset, length, guid).ljust(SIZE, b"\0")


def pack_freeobjects(first: int, count: int, guid: int) -> bytes:
    """A FREEOBJECTS record: a range of numbers that stand for no object."""
    return struct.pack("<II3Q", FREEOBJECTS, 0, first, count, guid).ljust(SIZE, b"\0")


def pack_end(before: bytes, guid: int) -> bytes:
    """The END record for a stream that says `before`."""
    return struct.pack("<II5Q", END, 0, *checksum.fletcher_4(before), guid).ljust(SIZE, b"\0")


def unpack(stream: bytes) -> tuple[Begin, list[Record]]:
    """A stream's first record and the others, its checksum verified.

    Raises :class:`CorruptPool` for what is no stream, :class:`ChecksumError`, :class:`Unsupported`.
    """
    begin = _begin(stream)
    records = list(_records(stream))
    if not records or records[-1].kind != END:
        raise CorruptPool("invalid stream: it ends before its last record")
    end = records.pop()
    if end.words[:4] != checksum.fletcher_4(stream[: end.offset]):
        raise ChecksumError("invalid stream (checksum mismatch)")
    return begin, records


def _begin(stream: bytes) -> Begin:
    if len(stream) < SIZE:
        raise CorruptPool("invalid stream: too short for a record")
    kind, _, magic, info, created, type_, flags, toguid, fromguid, name = struct.unpack_from("<II3Q2I2Q256s", stream)
    if magic == int.from_bytes(MAGIC.to_bytes(8, "little"), "big"):
        raise Unsupported("a stream of a big-endian machine is not received here")
    if kind != BEGIN or magic != MAGIC:
        raise CorruptPool(f"invalid stream (bad magic number {magic:#x})")
    if info & 3 != SUBSTREAM:
        raise Unsupported("a compound stream (zfs send -R) is not received here")
    features = info >> 2 & 0x3FFFFFFF
    if features & ~SA_SPILL:
        raise Unsupported(f"the stream uses features {features:#x} that are not known here")
    text = name.split(b"\0")[0].decode("utf-8", "surrogateescape")
    return Begin(text, toguid, fromguid, type_, created, flags, features)


def _records(stream: bytes) -> Iterator[Record]:
    at = SIZE
    while at < len(stream):
        if at + SIZE > len(stream):
            raise CorruptPool("invalid stream: it ends within a record")
        (kind,) = struct.unpack_from("<I", stream, at)
        body, start = at + 8, at
        at += SIZE
        if kind == OBJECT:
            number, type_, bonustype, block, length, check, comp = struct.unpack_from("<Q4I2B", stream, body)
            yield Record(kind, number, 0, block, type_, bonustype, check, comp, stream[at : at + length])
            at += length + -length % 8
        elif kind == WRITE:
            number, type_, _, offset, length = struct.unpack_from("<QII2Q", stream, body)
            yield Record(kind, number, offset, length, type_, data=stream[at : at + length])
            at += length
        elif kind == FREE:
            yield Record(kind, *struct.unpack_from("<3Q", stream, body))
        elif kind == FREEOBJECTS:
            first, count = struct.unpack_from("<2Q", stream, body)
            yield Record(kind, first, 0, count)
        elif kind == END:
            yield Record(kind, offset=start, words=struct.unpack_from("<5Q", stream, body))
            return
        else:
            name = NAMES[kind] if kind < len(NAMES) else kind
            raise Unsupported(f"a stream with a record of type {name} is not received here")
        if at > len(stream):
            raise CorruptPool("invalid stream: it ends within a record's data")
