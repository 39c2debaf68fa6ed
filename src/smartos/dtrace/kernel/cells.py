"""One value of a record as the consumer may want it: as a number, as bytes, as text.

The kernel's side hands over Python objects; the real one hands over bytes whose size is all that trace() and a sort
know of them. A string that takes 8 bytes (`-x strsize=8`) is sorted and traced as a number, here as there.
"""

import struct
from typing import NamedTuple

from smartos.dtrace.kernel.buffer import Value


class Cell(NamedTuple):
    """A value and the bytes that it takes in its record."""

    value: Value
    size: int


def unsigned(value: Value, size: int) -> int:
    """The value's bytes as an unsigned little-endian number."""
    if isinstance(value, int):
        return value & (1 << 8 * size) - 1
    return int.from_bytes(raw(value, size), "little")


def signed(value: Value, size: int) -> int:
    """The value's bytes as a signed little-endian number."""
    number = unsigned(value, size)
    return number - (1 << 8 * size) if size and number >> 8 * size - 1 else number


def wrap(value: int, bits: int = 64) -> int:
    """An integer brought into the range of a signed one of so many bits."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def raw(value: Value, size: int) -> bytes:
    """The value as it lies in a buffer."""
    if isinstance(value, int):
        return (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    if isinstance(value, tuple):
        words = [word if isinstance(word, int) else 0 for word in value]
        value = struct.pack(f"<{len(words)}Q", *(word & (1 << 64) - 1 for word in words))
    return value[:size].ljust(size, b"\0")


def text(value: Value, size: int) -> str:
    """The value as a string, as far as its first NUL; a character is a byte."""
    data = value if isinstance(value, bytes) else raw(value, size)
    return data.partition(b"\0")[0].decode("latin-1")


def quotient(value: int, by: int) -> int:
    """C's division of integers: towards zero."""
    result = abs(value) // abs(by)
    return result if (value < 0) == (by < 0) else -result
