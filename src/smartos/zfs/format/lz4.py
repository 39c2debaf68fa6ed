"""LZ4: literals and matches in turn, each pair begun by a token with both lengths; ZFS puts the total before them.

Left out: the reference encoder's hash table and its choices: ours finds other matches, so its output differs, and any
lz4 decoder reads it. Follows the LZ4 block format and `lz4_zfs.c` of OpenZFS.
"""

from smartos.zfs.errors import CorruptPool
from smartos.zfs.format.lzjb import again


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
            again(out, offset, min(length + 4, size + 1))
    except IndexError:
        raise CorruptPool(f"lz4: the data end after {len(out)} of {size} bytes") from None
    if len(out) != size:
        raise CorruptPool(f"lz4: the data give {len(out)} bytes where {size} were packed")
    return bytes(out)
