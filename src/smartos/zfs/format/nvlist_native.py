"""Name-value lists in the native encoding: the structures as a machine has them in memory, one pair after the other.

Later pools keep the records of their history so. A pair has its size, its name's and its value, each from a multiple
of 8 bytes on; the pairs of a list within the list stand behind the pair that holds it.

Left out: writing it. Follows `nvpair_impl.h` and the native part of `nvpair.c`.
"""

import struct

from smartos.zfs.errors import CorruptPool, Unsupported
from smartos.zfs.format import nvlist
from smartos.zfs.format.nvlist import MAX_DEPTH, NVList

_HEAD, _POINTER, _LIST = 16, 8, 24
_LETTERS = {
    nvlist.BYTE: "B", nvlist.INT8: "b", nvlist.UINT8: "B", nvlist.INT16: "h", nvlist.UINT16: "H", nvlist.INT32: "i",
    nvlist.UINT32: "I", nvlist.INT64: "q", nvlist.UINT64: "Q", nvlist.HRTIME: "q", nvlist.BOOLEAN_VALUE: "i",
    nvlist.INT8_ARRAY: "b", nvlist.UINT8_ARRAY: "B", nvlist.INT16_ARRAY: "h", nvlist.UINT16_ARRAY: "H",
    nvlist.INT32_ARRAY: "i", nvlist.UINT32_ARRAY: "I", nvlist.INT64_ARRAY: "q", nvlist.UINT64_ARRAY: "Q",
    nvlist.BOOLEAN_ARRAY: "i",
}  # fmt: skip
_SINGLE = frozenset((*range(nvlist.BYTE, nvlist.UINT64 + 1), nvlist.HRTIME, nvlist.BOOLEAN_VALUE, nvlist.INT8, nvlist.UINT8))


def unpack(data: bytes) -> NVList:
    """The list that begins `data`, in either encoding. Raises :class:`CorruptPool`, :class:`Unsupported`."""
    if data[:1] != b"\0" or len(data) < 12:
        return nvlist.unpack(data)
    try:
        order = "<" if data[1] else ">"
        version, flags = struct.unpack_from(order + "iI", data, 4)
        if version:
            raise CorruptPool(f"nvlist: version {version} is unknown")
        return _pairs(data, 12, order, flags, 0)[0]
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise CorruptPool(f"nvlist: the native encoding ends too early: {error}") from None


def _pairs(data: bytes, at: int, order: str, flags: int, depth: int) -> tuple[NVList, int]:
    """The pairs from `at` on, and where they end."""
    if depth > MAX_DEPTH:
        raise CorruptPool(f"nvlist: lists nest more than {MAX_DEPTH} deep")
    found = NVList(flags=flags)
    while True:
        (size,) = struct.unpack_from(order + "i", data, at)
        if not size:
            return found, at + 4
        _, length, _, count, kind = struct.unpack_from(order + "ihhii", data, at)
        if size < _HEAD or length < 1 or count < 0 or at + size > len(data):
            raise CorruptPool(f"nvlist: a pair of {size} bytes with a name of {length} at {at} of {len(data)}")
        name = _string(data, at + _HEAD)
        value = data[at + (_HEAD + length + 7 & ~7) : at + size]
        at += size
        if kind in (nvlist.NVLIST, nvlist.NVLIST_ARRAY):
            lists = []
            for index in range(count if kind == nvlist.NVLIST_ARRAY else 1):
                start = index * _LIST + (count * _POINTER if kind == nvlist.NVLIST_ARRAY else 0)
                inner, at = _pairs(data, at, order, struct.unpack_from(order + "I", value, start + 4)[0], depth + 1)
                lists.append(inner)
            found[name] = lists if kind == nvlist.NVLIST_ARRAY else lists[0]
        else:
            found[name] = _value(kind, count, value, order)
        found.types[name] = kind


def _string(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode("utf-8", "surrogateescape")


def _value(kind: int, count: int, value: bytes, order: str) -> object:
    if kind == nvlist.BOOLEAN:
        return None
    if kind == nvlist.STRING:
        return _string(value, 0)
    if kind == nvlist.BYTE_ARRAY:
        return value[:count]
    if kind == nvlist.STRING_ARRAY:
        parts = value[count * _POINTER :].split(b"\0")[:count]
        return [part.decode("utf-8", "surrogateescape") for part in parts]
    if kind not in _LETTERS:
        raise Unsupported(f"nvlist: values of type {kind} are not read here")
    words = list(struct.unpack_from(f"{order}{1 if kind in _SINGLE else count}{_LETTERS[kind]}", value))
    if kind in (nvlist.BOOLEAN_VALUE, nvlist.BOOLEAN_ARRAY):
        words = [bool(word) for word in words]
    return words[0] if kind in _SINGLE else words
