"""LZJB: ZFS's first compression, a byte of flags before each eight items, which are bytes or references backwards.

A reference is two bytes, six bits of length (3 to 66) and ten bits of distance (up to 1,023). Jeff Bonwick made it for
crash dumps: very fast, in little memory, with modest results.

Left out: nothing; the same input gives the same output as the real encoder. Follows `lzjb.c` of OpenZFS.
"""

from smartos.zfs.errors import CorruptPool

_MATCH_BITS, _MATCH_MIN = 6, 3
_MATCH_MAX = (1 << _MATCH_BITS) + _MATCH_MIN - 1
_WINDOW = (1 << 16 - _MATCH_BITS) - 1
_LEMPEL = 1024


def again(out: bytearray, offset: int, length: int) -> None:
    """Append `length` bytes that begin `offset` before the end and may run into themselves."""
    start = len(out) - offset
    if offset >= length:
        out += out[start : start + length]
    else:
        run = bytes(out[start:])
        out += (run * (length // offset + 1))[:length]


def lzjb_compress(data: bytes, room: int) -> bytes | None:
    """Compress with lzjb; None when the result would not fit into `room` bytes."""
    size, at = len(data), 0
    out, seen = bytearray(), [0] * _LEMPEL
    append, last, room = out.append, size - _MATCH_MAX, room - 17
    mask, copymap, flags = 0x80, 0, 0
    while at <= last:
        mask <<= 1
        if mask == 0x100:
            if len(out) >= room:
                return None
            if out:
                out[copymap] = flags
            mask, copymap, flags = 1, len(out), 0
            append(0)
        first = data[at]
        key = first << 16 | data[at + 1] << 8 | data[at + 2]
        key += key >> 9
        key = key + (key >> 5) & _LEMPEL - 1
        offset = at - seen[key] & _WINDOW
        seen[key] = at
        before = at - offset
        if (
            offset and before >= 0
            and data[before] == first and data[before + 1] == data[at + 1] and data[before + 2] == data[at + 2]
        ):  # fmt: skip
            if data[at : at + _MATCH_MAX] == data[before : before + _MATCH_MAX]:  # the rule in runs of zeros
                length = _MATCH_MAX
            else:
                length = _MATCH_MIN
                while data[at + length] == data[before + length]:
                    length += 1
            flags |= mask
            append((length - _MATCH_MIN) << 8 - _MATCH_BITS | offset >> 8)
            append(offset & 0xFF)
            at += length
        else:
            append(first)
            at += 1
    if out:
        out[copymap] = flags
    while at < size:  # the end, too near for the longest match, as it is: up to eight bytes behind each byte of flags
        mask <<= 1
        if mask == 0x100:
            if len(out) >= room:
                return None
            mask = 1
            append(0)
        append(data[at])
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
                    again(out, offset, length)
                else:
                    out.append(data[at])
                    at += 1
    except IndexError:
        raise CorruptPool(f"lzjb: the data end after {len(out)} of {size} bytes") from None
    return bytes(out[:size])
