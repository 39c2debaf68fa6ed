"""Name-value lists: the self-describing tables in which ZFS keeps what is not a fixed structure, in XDR on disk.

A label's account of its vdev, the pool's configuration, the spares: each is an nvlist. In Python it is an
:class:`NVList`, a dict that also remembers each value's type, so that what was read is written back byte for byte.

Left out: the native encoding (for passing lists within a machine) and doubles. Follows `nvpair.c` of illumos, and
RFC 4506 for XDR.
"""

import struct
from collections.abc import Mapping

from smartos.zfs.errors import CorruptPool, Unsupported

(
    UNKNOWN, BOOLEAN, BYTE, INT16, UINT16, INT32, UINT32, INT64, UINT64, STRING, BYTE_ARRAY, INT16_ARRAY, UINT16_ARRAY,
    INT32_ARRAY, UINT32_ARRAY, INT64_ARRAY, UINT64_ARRAY, STRING_ARRAY, HRTIME, NVLIST, NVLIST_ARRAY, BOOLEAN_VALUE,
    INT8, UINT8, BOOLEAN_ARRAY, INT8_ARRAY, UINT8_ARRAY, DOUBLE,
) = range(28)  # fmt: skip

UNIQUE_NAME = 1
XDR = 1  # the encoding's number in the header's first byte
MAX_DEPTH = 20
MAX_PAIRS = 65536

_SCALARS = {  # type: (XDR form, bytes in memory)
    BYTE: (">3xB", 1), INT8: (">i", 1), UINT8: (">I", 1), INT16: (">i", 2), UINT16: (">I", 2),
    INT32: (">i", 4), UINT32: (">I", 4), INT64: (">q", 8), UINT64: (">Q", 8), HRTIME: (">q", 8),
    BOOLEAN_VALUE: (">I", 4),
}  # fmt: skip
_ARRAYS = {
    INT8_ARRAY: ("i", 1), UINT8_ARRAY: ("I", 1), INT16_ARRAY: ("i", 2), UINT16_ARRAY: ("I", 2), INT32_ARRAY: ("i", 4),
    UINT32_ARRAY: ("I", 4), INT64_ARRAY: ("q", 8), UINT64_ARRAY: ("Q", 8), BOOLEAN_ARRAY: ("I", 4),
}  # fmt: skip


class NVList(dict):
    """A name-value list. Values are int, bool, str, bytes, None (a bare name), NVList, or lists of these.

    `types` gives the type of the names for which the usual one of the value's Python type will not do (the usual ones:
    uint64 for int, boolean value for bool, boolean for None, string, byte array, nvlist, and arrays of them).
    """

    def __init__(self, values: Mapping | None = None, types: Mapping[str, int] | None = None, flags: int = UNIQUE_NAME):
        super().__init__(values or {})
        self.types, self.flags = dict(types or {}), flags

    def kind(self, name: str) -> int:
        """The type of the value under `name`. Raises :class:`Unsupported` when no type fits."""
        return self.types.get(name) or _usual(self[name])


def _usual(value: object) -> int:
    sample = value[0] if isinstance(value, (list, tuple)) and value else value
    array = isinstance(value, (list, tuple))
    for python, scalar, many in (
        (bool, BOOLEAN_VALUE, BOOLEAN_ARRAY), (int, UINT64, UINT64_ARRAY), (str, STRING, STRING_ARRAY),
        (Mapping, NVLIST, NVLIST_ARRAY), ((bytes, bytearray), BYTE_ARRAY, None),
    ):  # fmt: skip
        if isinstance(sample, python) and (many or not array):
            return many if array else scalar
    if value is None:
        return BOOLEAN
    if array:
        return UINT64_ARRAY
    raise Unsupported(f"an nvlist has no type for a Python {type(value).__name__}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple:
        try:
            values = struct.unpack_from(form, self.data, self.at)
        except struct.error:
            raise CorruptPool(f"nvlist: the data end at {self.at}") from None
        self.at += struct.calcsize(form)
        return values

    def opaque(self, length: int) -> bytes:
        if length > len(self.data) - self.at:
            raise CorruptPool(f"nvlist: {length} bytes are said to follow at {self.at} of {len(self.data)}")
        value = self.data[self.at : self.at + length]
        self.at += length + -length % 4
        return value

    def string(self) -> str:
        return self.opaque(self.take(">I")[0]).decode("utf-8", "surrogateescape")

    def count(self, number: int, size: int) -> int:
        if number * size > len(self.data) - self.at:
            raise CorruptPool(f"nvlist: an array of {number} elements at {self.at} of {len(self.data)} bytes")
        return number

    def value(self, kind: int, number: int, depth: int) -> object:
        if kind == BOOLEAN:
            return None
        if kind in _SCALARS:
            (value,) = self.take(_SCALARS[kind][0])
            return bool(value) if kind == BOOLEAN_VALUE else value
        if kind == STRING:
            return self.string()
        if kind == NVLIST:
            return self.list(depth + 1)
        if kind == BYTE_ARRAY:
            return self.opaque(number)
        if kind == STRING_ARRAY:
            return [self.string() for _ in range(self.count(number, 4))]
        if kind == NVLIST_ARRAY:
            return [self.list(depth + 1) for _ in range(self.count(number, 16))]
        if kind in _ARRAYS:
            letter, _ = _ARRAYS[kind]
            (length,) = self.take(">I")  # XDR repeats the number before the elements
            if length != number:
                raise CorruptPool(f"nvlist: an array of {number} elements says that it has {length}")
            values = list(self.take(f">{self.count(number, struct.calcsize('>' + letter))}{letter}"))
            return [bool(value) for value in values] if kind == BOOLEAN_ARRAY else values
        raise Unsupported(f"nvlist: values of type {kind} are not read here")

    def list(self, depth: int) -> NVList:
        if depth > MAX_DEPTH:
            raise CorruptPool(f"nvlist: lists nest more than {MAX_DEPTH} deep")
        version, flags = self.take(">iI")
        if version != 0:
            raise CorruptPool(f"nvlist: version {version} is unknown")
        found = NVList(flags=flags)
        for _ in range(MAX_PAIRS):
            start = self.at
            encoded, decoded = self.take(">II")
            if not encoded and not decoded:
                return found
            name = self.string()
            kind, number = self.take(">ii")
            if number < 0:
                raise CorruptPool(f"nvlist: {name} has {number} elements")
            found[name] = self.value(kind, number, depth)
            if _usual(found[name]) != kind:
                found.types[name] = kind
            if self.at != start + encoded:
                raise CorruptPool(f"nvlist: {name} fills {self.at - start} bytes and says {encoded}")
        raise CorruptPool(f"nvlist: more than {MAX_PAIRS} names")


def unpack(data: bytes) -> NVList:
    """The list that begins `data` (what follows it is ignored).

    Raises :class:`CorruptPool` when it is none, :class:`Unsupported` for another encoding than XDR.
    """
    if len(data) < 4 or data[0] != XDR or data[1] > 1:
        if data[:1] == b"\0" and any(data[:4]):
            raise Unsupported("nvlist: the native encoding is not read here")
        raise CorruptPool("nvlist: the header is neither that of XDR nor of the native encoding")
    reader = _Reader(data)
    reader.at = 4
    return reader.list(0)


def _opaque(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _string(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return struct.pack(">I", len(data)) + _opaque(data)


def _encoded(kind: int, value: object) -> tuple[int, bytes, int]:
    """A value's number of elements, its XDR, and its size in memory."""
    try:
        if kind == BOOLEAN:
            return 0, b"", 0
        if kind in _SCALARS:
            form, size = _SCALARS[kind]
            return 1, struct.pack(form, value), size
        if kind == STRING:
            return 1, _string(value), len(value.encode("utf-8", "surrogateescape")) + 1
        if kind == BYTE_ARRAY:
            return len(value), _opaque(bytes(value)), len(value)
        if kind == NVLIST:
            return 1, _list(value), 24
        if kind == NVLIST_ARRAY:
            return len(value), b"".join(map(_list, value)), 32 * len(value)
        if kind == STRING_ARRAY:
            size = sum(8 + len(text.encode("utf-8", "surrogateescape")) + 1 for text in value)
            return len(value), b"".join(map(_string, value)), size
        letter, size = _ARRAYS[kind]
        return len(value), struct.pack(f">I{len(value)}{letter}", len(value), *value), size * len(value)
    except (struct.error, TypeError, AttributeError, KeyError) as error:
        raise Unsupported(f"nvlist: {value!r} is no value of type {kind} ({error})") from None


def _list(values: Mapping) -> bytes:
    values = values if isinstance(values, NVList) else NVList(values)
    out = [struct.pack(">iI", 0, values.flags)]
    for name, value in values.items():
        kind = values.kind(name)
        number, data, size = _encoded(kind, value)
        body = _string(name) + struct.pack(">ii", kind, number) + data
        head = 16 + len(name.encode("utf-8", "surrogateescape")) + 1
        decoded = head + -head % 8 + size + -size % 8  # what the pair takes in memory: nvpair_t, name, value
        out.append(struct.pack(">II", 8 + len(body), decoded) + body)
    out.append(bytes(8))
    return b"".join(out)


def pack(values: Mapping) -> bytes:
    """A list as XDR, as a little-endian machine writes it. Raises :class:`Unsupported` for a value without a type."""
    return bytes((XDR, 1, 0, 0)) + _list(values)
