"""Compression: what a block goes through on its way to the disk when that makes it an eighth smaller or more.

The formats are ZFS's own: lzjb, of Jeff Bonwick, with a 1 KiB window; zle, which only squeezes runs of zeros; gzip,
which is zlib's stream; lz4 behind a big-endian length. Each `…_compress` gives None when the result does not fit into
the room that it is told of, each `…_decompress` gives exactly the size asked for or raises :class:`CorruptPool`.

Left out: writing zstd; reading it needs a Python that has it (`compression.zstd`) or the package `zstandard`. Follows
`zio_compress.c`, `zle.c`, `gzip.c` and `zfs_zstd.c` of OpenZFS.
"""

import zlib

from smartos.zfs.errors import CorruptPool, Unsupported
from smartos.zfs.format.lz4 import lz4_compress, lz4_decompress
from smartos.zfs.format.lzjb import lzjb_compress, lzjb_decompress

NAMES = (
    "inherit", "on", "uncompressed", "lzjb", "empty", *(f"gzip-{level}" for level in range(1, 10)), "zle", "lz4",
    "zstd",
)  # fmt: skip
INHERIT, ON, OFF, LZJB, EMPTY, GZIP_1 = range(6)
GZIP_6, GZIP_9, ZLE, LZ4, ZSTD = 10, 13, 14, 15, 16

_ZLE_RUN = 64


def name_of(kind: int) -> str:
    """A compression's name as zdb prints it, or its number when there is none."""
    return NAMES[kind] if 0 <= kind < len(NAMES) else str(kind)


def zle_compress(data: bytes, room: int) -> bytes | None:
    """Squeeze runs of zeros; None when the result would not fit into `room` bytes."""
    out, at, size = bytearray(), 0, len(data)
    while at < size:
        if len(out) >= room - 1:
            return None
        if not data[at]:
            end = at
            last = min(at + 256 - _ZLE_RUN, size)
            while end < last and not data[end]:
                end += 1
            out.append(end - at - 1 + _ZLE_RUN)
        else:
            if room - len(out) - 1 < _ZLE_RUN:
                return None
            end, last = at, min(at + _ZLE_RUN, size)
            while end < last - 1 and (data[end] or data[end + 1]):
                end += 1
            if data[end]:
                end += 1
            out.append(end - at - 1)
            out += data[at:end]
        at = end
    return bytes(out)


def zle_decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes that zle packed into the head of `data`."""
    out, at = bytearray(), 0
    while at < len(data) and len(out) < size:
        length = 1 + data[at]
        at += 1
        if length <= _ZLE_RUN:
            out += data[at : at + length]
            at += length
        else:
            out += bytes(length - _ZLE_RUN)
    if len(out) != size:
        raise CorruptPool(f"zle: the data give {len(out)} bytes where {size} were packed")
    return bytes(out)


def gzip_compress(data: bytes, room: int, level: int = 6) -> bytes | None:
    """Compress with zlib; None when the result would not fit into `room` bytes."""
    packed = zlib.compress(data, level)
    return packed if len(packed) <= room else None


def gzip_decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes that zlib packed into the head of `data`."""
    try:
        out = zlib.decompressobj().decompress(data, size)
    except zlib.error as error:
        raise CorruptPool(f"gzip: {error}") from None
    if len(out) != size:
        raise CorruptPool(f"gzip: the data give {len(out)} bytes where {size} were packed")
    return out


def _zstd_frame(frame: bytes, size: int) -> bytes:
    """A zstd frame, by whichever library this Python has."""
    try:
        from compression import zstd
    except ImportError:
        try:
            import zstandard
        except ImportError:
            raise Unsupported("compression zstd needs Python 3.14 or the package zstandard") from None
        try:
            return zstandard.ZstdDecompressor().decompress(frame, max_output_size=size)
        except zstandard.ZstdError as error:
            raise CorruptPool(f"zstd: {error}") from None
    try:
        return zstd.ZstdDecompressor().decompress(frame, size)
    except zstd.ZstdError as error:
        raise CorruptPool(f"zstd: {error}") from None


def zstd_decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes of a zstd frame behind ZFS's two words. Raises :class:`Unsupported` without a library."""
    length = int.from_bytes(data[:4], "big")
    if length + 8 > len(data):
        raise CorruptPool(f"zstd: the length says {length} bytes, and there are {max(len(data) - 8, 0)}")
    out = _zstd_frame(b"\x28\xb5\x2f\xfd" + data[8 : 8 + length], size)  # ZFS leaves the frame's magic out
    if len(out) != size:
        raise CorruptPool(f"zstd: the data give {len(out)} bytes where {size} were packed")
    return out


def compress(kind: int, data: bytes, unit: int = 512) -> tuple[int, bytes]:
    """What to write of a block: the compression that it got and its bytes, padded with zeros to whole `unit` bytes.

    `kind` may be ON (lzjb). A block that would not become an eighth smaller is left as it is, under OFF; one that is
    nothing but zeros comes back empty, and is to be a hole. Raises :class:`Unsupported` for zstd.
    """
    if kind in (ON, INHERIT):
        kind = LZJB
    if kind in (OFF, EMPTY):
        return OFF, data
    if not any(data):
        return kind, b""
    room = len(data) - (len(data) >> 3)
    if kind == LZJB:
        packed = lzjb_compress(data, room)
    elif kind == ZLE:
        packed = zle_compress(data, room)
    elif kind == LZ4:
        packed = lz4_compress(data, room)
    elif GZIP_1 <= kind <= GZIP_9:
        packed = gzip_compress(data, room, kind - GZIP_1 + 1)
    else:
        raise Unsupported(f"compression {name_of(kind)} is not written here")
    if packed is None or -(-len(packed) // unit) * unit >= len(data):
        return OFF, data
    return kind, packed + bytes(-len(packed) % unit)


def decompress(kind: int, data: bytes, size: int) -> bytes:
    """The `size` bytes of a block that was written under compression `kind`.

    Raises :class:`CorruptPool` when the data cannot have been packed so, :class:`Unsupported` for an unknown kind.
    """
    if kind == OFF:
        if len(data) < size:
            raise CorruptPool(f"an uncompressed block of {size} bytes has {len(data)} on the disk")
        return data[:size]
    if kind == EMPTY:
        return bytes(size)
    if kind in (ON, LZJB):
        return lzjb_decompress(data, size)
    if kind == ZLE:
        return zle_decompress(data, size)
    if kind == LZ4:
        return lz4_decompress(data, size)
    if GZIP_1 <= kind <= GZIP_9:
        return gzip_decompress(data, size)
    if kind == ZSTD:
        return zstd_decompress(data, size)
    raise Unsupported(f"compression {name_of(kind)} is unknown")
