"""GF(2^8): the bytes as a field, in which RAID-Z computes its parity.

Addition is XOR. Multiplication by 2 shifts left and folds the bit that falls out back in as 0x1d, after the polynomial
x^8 + x^4 + x^3 + x^2 + 1 (0x11d). A column of bytes is one large integer here, its first byte the lowest: then a
shorter column is one that ends in zeros, as RAID-Z takes it, and doubling or adding whole columns is integer
arithmetic. Times any other constant is a table of 256 products, for `bytes.translate`.

Left out: the vector code of `vdev_raidz_math.c`. Follows `vdev_raidz.c` of illumos (fact Z4).
"""

from functools import cache

POLYNOMIAL = 0x11D
ORDER = 255  # of the multiplicative group; 2 generates it


def _powers() -> tuple[int, ...]:
    found, value = [], 1
    for _ in range(ORDER):
        found.append(value)
        value <<= 1
        if value & 0x100:
            value ^= POLYNOMIAL
    return tuple(found)


POW2 = _powers()
"""POW2[i] is 2 to the power of i, for i below 255."""

LOG2 = {value: exponent for exponent, value in enumerate(POW2)}
"""The inverse of POW2; 0 has no logarithm."""


def exp2(exponent: int) -> int:
    """2 to any power, negative ones too."""
    return POW2[exponent % ORDER]


def multiply(a: int, b: int) -> int:
    """The product of two bytes."""
    return exp2(LOG2[a] + LOG2[b]) if a and b else 0


def inverse(a: int) -> int:
    """The byte that times `a` is 1. ZeroDivisionError for 0."""
    if not a:
        raise ZeroDivisionError("0 has no inverse in GF(2^8)")
    return exp2(-LOG2[a])


@cache
def table(factor: int) -> bytes:
    """The products of `factor` with every byte: `column.translate(table(factor))` multiplies a whole column."""
    return bytes(multiply(factor, byte) for byte in range(256))


@cache
def _mask(length: int) -> int:
    """0x80 in each of `length` bytes."""
    return int.from_bytes(b"\x80" * length, "little")


def double(column: int, length: int) -> int:
    """Each of a column's `length` bytes times 2."""
    top = column & _mask(length)
    return ((column ^ top) << 1) ^ ((top >> 7) * (POLYNOMIAL & 0xFF))


def invert(matrix: list[list[int]]) -> list[list[int]]:
    """The inverse of a square matrix of bytes, by Gauss and Jordan. ZeroDivisionError when there is none."""
    n = len(matrix)
    rows = [[*row, *(int(i == j) for j in range(n))] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = next((r for r in range(i, n) if rows[r][i]), None)
        if pivot is None:
            raise ZeroDivisionError(f"the matrix {matrix} has no inverse")
        rows[i], rows[pivot] = rows[pivot], rows[i]
        scale = inverse(rows[i][i])
        rows[i] = [multiply(scale, value) for value in rows[i]]
        for r in range(n):
            if r != i and rows[r][i]:
                factor = rows[r][i]
                rows[r] = [value ^ multiply(factor, own) for value, own in zip(rows[r], rows[i], strict=True)]
    return [row[n:] for row in rows]
