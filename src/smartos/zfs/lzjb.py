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


def _hashes() -> tuple[list[int], list[int], list[int]]:
    """The hash of three bytes by tables: of what the first, the second give to a sum, and of what a sum gives.

    With k the bytes as a number, the real code takes h = k + (k >> 9) and then h + (h >> 5), of which it keeps ten bits;
    so the lowest 15 bits of h are all that counts.
    """
    first = [a << 7 for a in range(256)]
    second = [(b << 8) + (b >> 1) for b in range(256)]
    last = [(h & 0x7FFF) + ((h & 0x7FFF) >> 5) & _LEMPEL - 1 for h in range(first[-1] + second[-1] + 256)]
    return first, second, last


_FIRST, _SECOND, _HASH = _hashes()


def _alike(data: bytes, at: int, before: int) -> int:
    """How many bytes from `at` on are as those from `before` on, up to the longest match."""
    here, there = data[at : at + _MATCH_MAX], data[before : before + _MATCH_MAX]
    if here == there:  # the rule in runs of zeros
        return _MATCH_MAX
    differs = int.from_bytes(here, "little") ^ int.from_bytes(there, "little")
    return (differs & -differs).bit_length() - 1 >> 3


def lzjb_compress(data: bytes, room: int) -> bytes | None:
    """Compress with lzjb; None when the result would not fit into `room` bytes."""
    data, first, second, hashes = bytes(data), _FIRST, _SECOND, _HASH
    size, at = len(data), 0
    last, out, seen = size - _MATCH_MAX, bytearray(), [0] * _LEMPEL
    add = out.append
    while at < size:
        copymap = len(out)
        if copymap >= room - 17:
            return None
        flags = 0
        add(0)
        for mask in (1, 2, 4, 8, 16, 32, 64, 128):
            if at > last:
                break
            byte = data[at]
            key = hashes[first[byte] + second[data[at + 1]] + data[at + 2]]
            offset = at - seen[key] & _WINDOW
            seen[key] = at
            if offset and byte == data[at - offset] and offset <= at:
                before = at - offset
                if data[at : at + 3] == data[before : before + 3]:
                    length = _alike(data, at, before)
                    flags |= mask
                    add((length - _MATCH_MIN) << 8 - _MATCH_BITS | offset >> 8)
                    add(offset & 0xFF)
                    at += length
                    continue
            add(byte)
            at += 1
        else:
            out[copymap] = flags
            continue
        out[copymap] = flags
        end = at + (8 - mask.bit_length() + 1)  # the rest of these eight items, and all after them, are bytes
        out += data[at:end]
        at = end
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
