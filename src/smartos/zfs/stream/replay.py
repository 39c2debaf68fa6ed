"""Send streams as bytes: the records (`dmu_replay_record_t`) that tell how to make one snapshot, or the next one.

Each record has 312 bytes; object records are followed by the bonus, writes by the data. The first record names the
snapshot, the last one holds the fletcher-4 checksum of all that came before. A stream is read record by record: what a
record says of its length, its object and its offset is judged before anything behind it is read.

Left out: compound streams (`zfs send -R`), deduplicated ones, the per-record checksums of later versions, big-endian
streams. Follows `zfs_ioctl.h` of illumos as of 12 August 2011.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO

from smartos.zfs.dmu import sa
from smartos.zfs.dmu.dnode import MAX_BONUS
from smartos.zfs.dmu.objset import MAX_OBJECT, ZFS, ZVOL
from smartos.zfs.errors import ChecksumError, CorruptPool, Unsupported
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.read.znode import ZNODE_SIZE

SIZE = 312
MAGIC = 0x2F5BACBAC
BEGIN, OBJECT, FREEOBJECTS, WRITE, FREE, END, WRITE_BYREF, SPILL = range(8)
NAMES = ("BEGIN", "OBJECT", "FREEOBJECTS", "WRITE", "FREE", "END", "WRITE_BYREF", "SPILL")
SUBSTREAM, COMPOUND = 1, 2
SA_SPILL = 4  # a feature flag: the stream has system attributes
FLAG_CLONE = 1
TO_THE_END = (1 << 64) - 1
MAX_OFFSET = 1 << 63  # of a byte in an object
MAX_BLOCK = 128 << 10  # SPA_MAXBLOCKSIZE of 2011

Read = Callable[[int], bytes]  # gives so many bytes; fewer only where the input ends


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


def pack_spill(number: int, data: bytes, guid: int) -> bytes:
    """A SPILL record with an object's spill block."""
    return struct.pack("<II3Q", SPILL, 0, number, len(data), guid).ljust(SIZE, b"\0") + data


def pack_free(number: int, offset: int, length: int, guid: int) -> bytes:
    """A FREE record: a range of an object."""
    return struct.pack("<II4Q", FREE, 0, number, offset, length, guid).ljust(SIZE, b"\0")


def pack_freeobjects(first: int, count: int, guid: int) -> bytes:
    """A FREEOBJECTS record: a range of numbers that stand for no object."""
    return struct.pack("<II3Q", FREEOBJECTS, 0, first, count, guid).ljust(SIZE, b"\0")


def pack_end(sums: checksum.Words, guid: int) -> bytes:
    """The END record of a stream whose bytes so far have these sums."""
    return struct.pack("<II5Q", END, 0, *sums, guid).ljust(SIZE, b"\0")


def pack_package(name: str, features: int) -> bytes:
    """What goes before several streams in one: a first record that says so, and its END."""
    head = bytearray(Begin(name, 0, type=0, features=features).pack())
    struct.pack_into("<Q", head, 16, COMPOUND | features << 2)
    return bytes(head) + pack_end(checksum.fletcher_4(head), 0)


def pack_last() -> bytes:
    """What goes behind several streams in one."""
    return struct.pack("<II", END, 0).ljust(SIZE, b"\0")


class Incoming:
    """A stream on its way in: `count` bytes of it were taken, with the sums of all since :meth:`begin` took the first
    record."""

    def __init__(self, read: Read) -> None:
        self.read, self.count, self.sums = read, 0, checksum.Fletcher4()

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Raises :class:`CorruptPool` where the input ends before."""
        data = self.read(size) if size else b""
        while 0 < len(data) < size and (more := self.read(size - len(data))):
            data += more
        if len(data) < size:
            raise CorruptPool("failed to read from stream")
        self.count += size
        return data

    def begin(self, more: bool = False) -> tuple[Begin, int]:
        """The first record, and what kind of stream it begins (SUBSTREAM, COMPOUND). Nothing behind it is read.

        With `more`, within a compound stream, it may be the END of that.

        Raises :class:`CorruptPool` for what is no stream, :class:`Unsupported` for one that is not received here.
        """
        head = self.take(SIZE)
        if more and struct.unpack_from("<I", head)[0] == END:
            return Begin("", 0), END
        begin, kind = unpack_begin(head)
        self.sums = checksum.Fletcher4()
        self.sums.update(head)
        if kind == COMPOUND:
            self.take(SIZE)
        return begin, kind

    def records(self) -> Iterator[Record]:
        """The records behind the first, up to the last, which is judged and not given.

        Raises :class:`CorruptPool` for a record that makes no sense, :class:`Unsupported`, :class:`ChecksumError` when
        the sums are not those that the last record says.
        """
        while True:
            try:
                head = self.take(SIZE)
                record, size = unpack_record(head)
                if record.kind == END:
                    if record.words != self.sums.words:
                        raise ChecksumError("invalid stream (checksum mismatch)")
                    return
                data = self.take(size + -size % 8)
            except CorruptPool as error:
                what = "it ends before its last record" if "failed to read" in str(error) else error
                raise CorruptPool(f"invalid stream: {what}") from None
            self.sums.update(head)
            self.sums.update(data)
            yield replace(record, data=data[:size]) if size else record


def unpack(stream: bytes) -> tuple[Begin, list[Record]]:
    """A whole stream's first record and the others, but for the last. Raises as :class:`Incoming` does."""
    incoming = Incoming(BytesIO(stream).read)
    begin, _ = incoming.begin()
    return begin, list(incoming.records())


def unpack_begin(head: bytes) -> tuple[Begin, int]:
    """The first record in 312 bytes, and the kind of stream. Raises as :meth:`Incoming.begin`."""
    kind, payload, magic, info, created, type_, flags, toguid, fromguid, name = struct.unpack_from(
        "<II3Q2I2Q256s", head
    )
    if magic == int.from_bytes(MAGIC.to_bytes(8, "little"), "big"):
        raise Unsupported("a stream of a big-endian machine is not received here")
    if kind != BEGIN or magic != MAGIC:
        raise CorruptPool("invalid stream (bad magic number)")
    header, features = info & 3, info >> 2 & 0x3FFFFFFF
    if header not in (SUBSTREAM, COMPOUND):
        raise CorruptPool(f"invalid stream: its first record is of kind {header}")
    if payload:
        raise Unsupported("a stream of a whole tree (zfs send -R, -p) is not received here")
    if features & ~SA_SPILL:
        raise Unsupported(f"the stream uses features {features:#x} that are not known here")
    if header == SUBSTREAM and type_ not in (ZFS, ZVOL):
        raise CorruptPool(f"invalid stream: it makes an object set of type {type_}")
    text = name.split(b"\0")[0].decode("utf-8", "surrogateescape")
    if header == SUBSTREAM and "@" not in text:
        raise CorruptPool(f"invalid stream: it names {text!r}, which is no snapshot")
    return Begin(text, toguid, fromguid, type_, created, flags, features), header


def unpack_record(head: bytes) -> tuple[Record, int]:
    """A record in 312 bytes, and how many bytes of data are behind it.

    Raises :class:`CorruptPool` for a length, object or offset that there cannot be, :class:`Unsupported`.
    """
    (kind,), body = struct.unpack_from("<I", head), 8
    size = 0
    if kind == OBJECT:
        number, type_, bonustype, block, size, check, comp = struct.unpack_from("<Q4I2B", head, body)
        record = Record(kind, number, 0, block, type_, bonustype, check, comp)
        if size > MAX_BONUS:
            raise CorruptPool(f"{record.describe()} has {size:,} bytes of bonus; there is room for {MAX_BONUS}")
    elif kind == WRITE:
        number, type_, _, offset, size = struct.unpack_from("<QII2Q", head, body)
        record = Record(kind, number, offset, size, type_)
        if not 0 < size <= MAX_BLOCK or size % 8:
            raise CorruptPool(f"{record.describe()}; a block has up to {MAX_BLOCK:,} bytes")
    elif kind == SPILL:
        number, size = struct.unpack_from("<2Q", head, body)
        record = Record(kind, number, 0, size)
        if not 512 <= size <= MAX_BLOCK or size % 512:
            raise CorruptPool(f"{record.describe()}; a spill block has from 512 to {MAX_BLOCK:,} bytes")
    elif kind == FREE:
        record = Record(kind, *struct.unpack_from("<3Q", head, body))
    elif kind == FREEOBJECTS:
        first, count = struct.unpack_from("<2Q", head, body)
        record = Record(kind, first, 0, count)
    elif kind == END:
        return Record(kind, words=struct.unpack_from("<4Q", head, body)), 0
    else:
        what = NAMES[kind] if kind < len(NAMES) else kind
        raise Unsupported(f"a stream with a record of type {what} is not received here")
    end = record.offset + (0 if record.length == TO_THE_END else record.length)
    if kind != FREEOBJECTS and (not 0 < record.object < MAX_OBJECT or end > (MAX_OFFSET if kind == WRITE else 1 << 64)):
        raise CorruptPool(f"{record.describe()}: there is no such place")
    return record, size


def check_object(record: Record) -> None:
    """Raise :class:`CorruptPool` for an OBJECT record that no object can be made of."""
    types = 0 < record.type < len(dmu.TYPES) and record.bonustype < len(dmu.TYPES)
    short = record.bonustype == dmu.ZNODE and len(record.data) < ZNODE_SIZE
    odd = record.bonustype == dmu.SA and any(record.data) and record.data[:4] not in sa.ORDERS
    sums = record.checksum in (checksum.INHERIT, checksum.ON, checksum.FLETCHER_2, checksum.FLETCHER_4, checksum.SHA256)
    blocks = record.length % 512 == 0 and 512 <= record.length <= MAX_BLOCK
    if not (types and blocks and sums and record.compress <= compress.ZLE) or short or odd:
        raise CorruptPool(f"invalid stream: {record.describe()} is no object that there can be")
