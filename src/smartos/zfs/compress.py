"""Compression: what a block goes through on its way to the disk when that makes it an eighth smaller or more.

The formats are ZFS's own: lzjb, of Jeff Bonwick, with a 1 KiB window; zle, which only squeezes runs of zeros; gzip,
which is zlib's stream; lz4 behind a big-endian length. Each `…_compress` gives None when the result does not fit into
the room that it is told of, each `…_decompress` gives exactly the size asked for or raises :class:`CorruptPool`.

Left out: writing zstd; reading it needs a Python that has it (`compression.zstd`) or the package `zstandard`. Our lz4
finds other matches than the reference encoder, so its output differs, and any lz4 decoder reads it. Follows `lzjb.c`,
`zle.c`, `gzip.c`, `lz4_zfs.c` and `zfs_zstd.c` of OpenZFS.
"""

import zlib

from smartos.zfs.errors import CorruptPool, Unsupported

NAMES = (
    "inherit", "on", "uncompressed", "lzjb", "empty", *(f"gzip-{level}" for level in range(1, 10)), "zle", "lz4", "zstd",
)  # fmt: skip
INHERIT, ON, OFF, LZJB, EMPTY, GZIP_1 = range(6)
GZIP_6, GZIP_9, ZLE, LZ4, ZSTD = 10, 13, 14, 15, 16

_MATCH_BITS, _MATCH_MIN = 6, 3
_MATCH_MAX = (1 << _MATCH_BITS) + _MATCH_MIN - 1
_WINDOW = (1 << 16 - _MATCH_BITS) - 1
_LEMPEL = 1024
_ZLE_RUN = 64


def name_of(kind: int) -> str:
    """A compression's name as zdb prints it, or its number when there is none."""
    return NAMES[kind] if 0 <= kind < len(NAMES) else str(kind)


def _again(out: bytearray, offset: int, length: int) -> None:
    """Append `length` bytes that begin `offset` before the end and may run into themselves."""
    start = len(out) - offset
    if offset >= length:
        out += out[start : start + length]
    else:
        run = bytes(out[start:])
        out += (run * (length // offset + 1))[:length]


def lzjb_compress(data: bytes, room: int) -> bytes | None:
    """Compress with lzjb; None when the result would not fit into `room` bytes."""
    size, at, mask, copymap = len(data), 0, 0x80, 0
    out, seen = bytearray(), [0] * _LEMPEL
    while at < size:
        mask <<= 1
        if mask == 0x100:
            if len(out) >= room - 17:
                return None
            mask, copymap = 1, len(out)
            out.append(0)
        if at > size - _MATCH_MAX:
            out.append(data[at])
            at += 1
            continue
        key = (data[at] << 16) + (data[at + 1] << 8) + data[at + 2]
        key += key >> 9
        key = key + (key >> 5) & _LEMPEL - 1
        offset = at - seen[key] & _WINDOW
        seen[key] = at
        before = at - offset
        if offset and before >= 0 and data[at : at + 3] == data[before : before + 3]:
            length = _MATCH_MIN
            while length < _MATCH_MAX and data[at + length] == data[before + length]:
                length += 1
            out[copymap] |= mask
            out.append((length - _MATCH_MIN) << 8 - _MATCH_BITS | offset >> 8)
            out.append(offset & 0xFF)
            at += length
        else:
            out.append(data[at])
            at += 1
    return bytes(out)


def lzjb_decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes that lzjb packed into the head of `data`."""
    out, at = bytearray(), 0
    try:
        while len(out) < size:
            copymap = data[at]
            at += 1
            if not copymap and at + 8 <= len(data):
                out += data[at : at + 8]
                at += 8
                continue
            for bit in range(8):
                if len(out) >= size:
                    break
                if copymap >> bit & 1:
                    length = (data[at] >> 8 - _MATCH_BITS) + _MATCH_MIN
                    offset = (data[at] << 8 | data[at + 1]) & _WINDOW
                    at += 2
                    if not 0 < offset <= len(out):
                        raise CorruptPool(f"lzjb: a match reaches {offset} bytes back, and there are {len(out)}")
                    _again(out, offset, length)
                else:
                    out.append(data[at])
                    at += 1
    except IndexError:
        raise CorruptPool(f"lzjb: the data end after {len(out)} of {size} bytes") from None
    return bytes(out[:size])


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


def _lz4_sequence(out: bytearray, literals: bytes, offset: int, length: int) -> None:
    """One sequence: literals, then (unless `length` is 0, at the end) a match of at least 4 bytes."""

    def rest(value: int) -> None:
        while value >= 255:
            out.append(255)
            value -= 255
        out.append(value)

    run, match = len(literals), max(length - 4, 0)
    out.append(min(run, 15) << 4 | min(match, 15))
    if run >= 15:
        rest(run - 15)
    out.extend(literals)
    if length:
        out.extend(offset.to_bytes(2, "little"))
        if match >= 15:
            rest(match - 15)


def lz4_compress(data: bytes, room: int) -> bytes | None:
    """Compress with lz4 behind ZFS's length; None when the result would not fit into `room` bytes."""
    out, seen, size = bytearray(4), {}, len(data)
    anchor = at = 0
    while at < size - 12:  # the format wants the last match to begin 12 bytes before the end, and 5 literals after it
        key = data[at : at + 4]
        before = seen.get(key, -65536)
        seen[key] = at
        if at - before > 65535:
            at += 1 + (at - anchor >> 6)
            continue
        length, most = 4, size - 5 - at
        while length < most and data[at + length] == data[before + length]:
            length += 1
        _lz4_sequence(out, data[anchor:at], at - before, length)
        at += length
        anchor = at
        if len(out) > room:
            return None
    _lz4_sequence(out, data[anchor:], 0, 0)
    if len(out) > room:
        return None
    out[:4] = (len(out) - 4).to_bytes(4, "big")
    return bytes(out)


def lz4_decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes that lz4 packed into `data`, behind ZFS's length."""
    end = 4 + int.from_bytes(data[:4], "big")
    if end > len(data) or len(data) < 5:
        raise CorruptPool(f"lz4: the length says {end - 4} bytes, and there are {max(len(data) - 4, 0)}")
    out, at = bytearray(), 4
    try:
        while at < end and len(out) <= size:
            token = data[at]
            at += 1
            length = token >> 4
            if length == 15:
                while data[at] == 255:
                    length += 255
                    at += 1
                length += data[at]
                at += 1
            if at + length > end:
                raise CorruptPool("lz4: the literals run past the end")
            out += data[at : at + length]
            at += length
            if at >= end:
                break
            offset = data[at] | data[at + 1] << 8
            at += 2
            length = token & 15
            if length == 15:
                while data[at] == 255:
                    length += 255
                    at += 1
                length += data[at]
                at += 1
            if not 0 < offset <= len(out):
                raise CorruptPool(f"lz4: a match reaches {offset} bytes back, and there are {len(out)}")
            _again(out, offset, min(length + 4, size + 1))
    except IndexError:
        raise CorruptPool(f"lz4: the data end after {len(out)} of {size} bytes") from None
    if len(out) != size:
        raise CorruptPool(f"lz4: the data give {len(out)} bytes where {size} were packed")
    return bytes(out)


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
    """The `size` bytes of a zstd frame behind ZFS's header of two words. Raises :class:`Unsupported` without a library."""
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
