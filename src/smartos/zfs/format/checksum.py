"""Checksums: the 256 bits that a block pointer holds about the block it points to, as four 64-bit words.

Fletcher's sums are taken word by word: fletcher-2 over pairs of 64-bit words, fletcher-4 over 32-bit words, each sum of
the one before it, modulo 2^64. A loop over words is slow in Python, so the block is cut into rows and a whole row, one
big integer with a lane for each of its words, is added at once; the lanes are put together at the end, as the real
code's vector versions do. NumPy, where it is, does the same with its own arithmetic and gives the same digits.

Left out: skein, edonr and blake3, which the standard library lacks; blocks under them are read unverified when the
caller says so. Follows `zfs_fletcher.c`, `sha2_zfs.c` and `zio_checksum.c` of OpenZFS.
"""

import hashlib
import operator
import struct
from functools import lru_cache

from smartos.zfs.errors import Unsupported

try:
    import numpy
except ImportError:
    numpy = None

Words = tuple[int, int, int, int]

NAMES = (
    "inherit", "on", "off", "label", "gang_header", "zilog", "fletcher2", "fletcher4", "sha256", "zilog2", "noparity",
    "sha512", "skein", "edonr", "blake3",
)  # fmt: skip
INHERIT, ON, OFF, LABEL, GANG_HEADER, ZILOG, FLETCHER_2, FLETCHER_4, SHA256, ZILOG2, NOPARITY, SHA512 = range(12)
SALTED = {12: "skein", 13: "edonr", 14: "blake3"}  # of no use here, but named when met

ECK_MAGIC = 0x210DA7AB10C7A11  # "zio data bloc tail": the trailer of blocks that carry their own checksum
ECK_SIZE = 40

_M64 = (1 << 64) - 1
_ROWS = 512  # at most, so that the fourth sum of 32-bit words stays within its lane of 64 bits
_LANES = 32
_NUMPY_FROM = 4096  # bytes; below it NumPy's calls cost more than they save


@lru_cache(maxsize=64)
def _mask(bits: int, lanes: int) -> int:
    """`bits` ones at the bottom of each lane of twice that width."""
    return int.from_bytes((b"\xff" * (bits // 8) + b"\0" * (bits // 8)) * lanes, "little")


def _lane_sums(data: bytes, bits: int, pairs: int, sums: int, order: str) -> list[list[int]]:
    """Running sums, `sums` deep, down the rows of `data`: for each depth a list over the row's words.

    A row has `pairs` pairs of words of `bits` bits; each word has a lane of twice its width, the even words in one big
    integer and the odd words in another. The length of `data` must be a whole number of rows.
    """
    width, endian = pairs * bits // 4, "little" if order == "<" else "big"
    mask, shift, depth = _mask(bits, pairs), bits, range(sums)
    even, odd = [0] * sums, [0] * sums
    for start in range(0, len(data), width):
        row = int.from_bytes(data[start : start + width], endian)
        low, high = row & mask, row >> shift & mask
        for deep in depth:
            even[deep] = low = even[deep] + low
            odd[deep] = high = odd[deep] + high
    if endian == "big":
        even, odd = odd, even
    unpack = struct.Struct(f"{order}{pairs * bits // 32}Q").unpack
    total = []
    for first, second in zip(even, odd, strict=True):
        a, b = unpack(first.to_bytes(width, endian)), unpack(second.to_bytes(width, endian))
        if bits == 64:  # a lane is two 64-bit words
            low, high = (0, 1) if order == "<" else (1, 0)
            a = [x + (y << 64) for x, y in zip(a[low::2], a[high::2], strict=True)]
            b = [x + (y << 64) for x, y in zip(b[low::2], b[high::2], strict=True)]
        total.append([word for pair in zip(a, b, strict=True) for word in pair])
    return total


def _weighted(lanes: list[int], weights: list[int]) -> int:
    return sum(map(operator.mul, lanes, weights))


@lru_cache(maxsize=16)
def _powers(lanes: int) -> tuple[list[int], list[int], list[int]]:
    steps = range(lanes)
    return list(steps), [j * j for j in steps], [j**3 for j in steps]


def _chunk4(data: bytes, order: str, pairs: int) -> Words:
    """The four sums of up to 512 rows, exact. Word j of row k (counted from the last, at 1) is m = Lk - j from the end.

    Its weights in the four sums are 1, m, m(m+1)/2 and m(m+1)(m+2)/6; the lanes hold the same polynomials of k, in
    which the powers of k are written: k^2 = 2S - k and k^3 = 6T - 6S + k.
    """
    first, second, third, fourth = _lane_sums(data, 32, pairs, 4, order)
    n = 2 * pairs
    j1, j2, j3 = _powers(n)
    a, ja, jja, jjja = sum(first), _weighted(first, j1), _weighted(first, j2), _weighted(first, j3)
    k, jk, jjk = sum(second), _weighted(second, j1), _weighted(second, j2)
    s, js, t = sum(third), _weighted(third, j1), sum(fourth)
    kk, jkk, kkk = 2 * s - k, 2 * js - jk, 6 * t - 6 * s + k
    m = n * k - ja
    mm = n * n * kk - 2 * n * jk + jja
    mmm = n**3 * kkk - 3 * n * n * jkk + 3 * n * jjk - jjja
    return a, m, (mm + m) // 2, (mmm + 3 * mm + 2 * m) // 6


def _joined4(sums: Words, later: Words, n: int) -> Words:
    """The sums of two pieces put together, the second of which has `n` words."""
    a, b, c, d = sums
    two, three = n * (n + 1) // 2, n * (n + 1) * (n + 2) // 6
    return (
        a + later[0] & _M64,
        b + n * a + later[1] & _M64,
        c + n * b + two * a + later[2] & _M64,
        d + n * c + two * b + three * a + later[3] & _M64,
    )


def _plain4(data: bytes, order: str) -> Words:
    a = b = c = d = 0
    for (word,) in struct.iter_unpack(order + "I", data):
        a += word
        b += a
        c += b
        d += c
    return a & _M64, b & _M64, c & _M64, d & _M64


def _pieces(size: int, width: int) -> list[tuple[int, int, int]]:
    """Cut `size` bytes into (start, end, pairs): chunks of whole rows, and a rest with no rows (pairs 0).

    `width` is the bytes of a pair of words.
    """
    pieces, start = [], 0
    while size - start > width * 64:  # below, the plain loop is as fast
        pairs = min(_LANES, max(4, (size - start) // width // 16))
        rows = min(_ROWS, (size - start) // (width * pairs))
        pieces.append((start, start + rows * width * pairs, pairs))
        start = pieces[-1][1]
    if start < size:
        pieces.append((start, size, 0))
    return pieces


def _fletcher_4_lanes(data: bytes, order: str) -> Words:
    total = (0, 0, 0, 0)
    for start, end, pairs in _pieces(len(data), 8):
        piece = data[start:end]
        sums = _chunk4(piece, order, pairs) if pairs else _plain4(piece, order)
        total = _joined4(total, sums, len(piece) // 4)
    return total


@lru_cache(maxsize=8)
def _weights(n: int, sums: int) -> list:
    """NumPy's arrays of the weights that n words have in the sums after the first, modulo 2^64."""
    m = numpy.arange(n, 0, -1, dtype=numpy.uint64)
    weights = [m]
    for _ in range(sums - 2):  # each sum's weights are running sums of the one before, from the end
        weights.append(numpy.cumsum(weights[-1][::-1], dtype=numpy.uint64)[::-1])
    return weights


def _fletcher_4_numpy(data: bytes, order: str) -> Words:
    words = numpy.frombuffer(data, dtype=order + "u4").astype(numpy.uint64)
    return (int(words.sum()), *(int(numpy.dot(words, weight)) for weight in _weights(len(words), 4)))


def _fletcher_2_numpy(data: bytes, order: str) -> Words:
    words = numpy.frombuffer(data, dtype=order + "u8").astype(numpy.uint64)
    even, odd = words[::2], words[1::2]
    (weight,) = _weights(len(even), 2)
    return int(even.sum()), int(odd.sum()), int(numpy.dot(even, weight)), int(numpy.dot(odd, weight))


def fletcher_4(data: bytes, order: str = "<", fast: bool = True) -> Words:
    """Fletcher's sums over 32-bit words in byte order `order` ("<" or ">"); a length that is no multiple of 4 is cut.

    `fast` lets NumPy do it where it is installed; the digits are the same.
    """
    data = data[: len(data) & ~3]
    if fast and numpy is not None and len(data) >= _NUMPY_FROM:
        return _fletcher_4_numpy(data, order)
    return _fletcher_4_lanes(data, order)


class Fletcher4:
    """Fletcher-4 of what comes piece by piece; each piece has whole 32-bit words. `words` are the sums so far."""

    def __init__(self, order: str = "<") -> None:
        self.order, self.words = order, (0, 0, 0, 0)

    def update(self, piece: bytes) -> None:
        """Go on with the next piece."""
        self.words = _joined4(self.words, fletcher_4(piece, self.order), len(piece) // 4)


def _fletcher_2_lanes(data: bytes, order: str) -> Words:
    a0 = a1 = b0 = b1 = 0
    for start, end, pairs in _pieces(len(data), 16):
        piece, n = data[start:end], (end - start) // 16
        if pairs:
            first, second = _lane_sums(piece, 64, pairs, 2, order)
            steps = _powers(pairs)[0]
            sums = []
            for odd in (0, 1):
                sums.append(sum(first[odd::2]))
                sums.append(pairs * sum(second[odd::2]) - _weighted(first[odd::2], steps))
            s0, t0, s1, t1 = sums
        else:
            s0 = s1 = t0 = t1 = 0
            for even, odd in struct.iter_unpack(order + "2Q", piece):
                s0 += even
                s1 += odd
                t0 += s0
                t1 += s1
        b0, b1 = b0 + n * a0 + t0, b1 + n * a1 + t1
        a0, a1 = a0 + s0, a1 + s1
    return a0 & _M64, a1 & _M64, b0 & _M64, b1 & _M64


def fletcher_2(data: bytes, order: str = "<", fast: bool = True) -> Words:
    """Fletcher's sums over pairs of 64-bit words; a length that is no multiple of 16 is cut. See :func:`fletcher_4`."""
    data = data[: len(data) & ~15]
    if fast and numpy is not None and len(data) >= _NUMPY_FROM:
        return _fletcher_2_numpy(data, order)
    return _fletcher_2_lanes(data, order)


def sha256(data: bytes, order: str = "<") -> Words:
    """SHA-256, its digest as four big-endian words, whatever the order of the block."""
    return struct.unpack(">4Q", hashlib.sha256(data).digest())


def sha512(data: bytes, order: str = "<") -> Words:
    """SHA-512/256, its digest as words in the order of the block. Raises :class:`Unsupported` where Python lacks it."""
    try:
        return struct.unpack(order + "4Q", hashlib.new("sha512_256", data).digest())
    except ValueError:
        raise Unsupported("checksum sha512 needs SHA-512/256, which this Python's hashlib does not have") from None


def _off(data: bytes, order: str = "<") -> Words:
    return 0, 0, 0, 0


FUNCTIONS = {
    ON: fletcher_4, OFF: _off, NOPARITY: _off, FLETCHER_2: fletcher_2, FLETCHER_4: fletcher_4, SHA256: sha256,
    SHA512: sha512, ZILOG: fletcher_2, ZILOG2: fletcher_4, LABEL: sha256, GANG_HEADER: sha256,
}  # fmt: skip


def name_of(kind: int) -> str:
    """A checksum's name, or its number when there is none."""
    return NAMES[kind] if 0 <= kind < len(NAMES) else str(kind)


def checksum(kind: int, data: bytes, order: str = "<") -> Words:
    """The four words of checksum `kind` over `data`, whose words are in byte order `order`.

    Raises :class:`Unsupported` for a checksum that this package cannot compute.
    """
    function = FUNCTIONS.get(kind)
    if function is None:
        raise Unsupported(f"checksum {name_of(kind)} is not among those that can be computed here")
    return function(data, order)


def seal(data: bytes, verifier: Words, kind: int = LABEL, order: str = "<") -> bytes:
    """`data` with its last 40 bytes made into a trailer (`zio_eck_t`): the magic, then the checksum of the block.

    While the sum is taken, the trailer holds `verifier`, which says where the block belongs, so that a block written
    to the wrong place does not verify: a label's offset, a gang block's address, a log block's number.
    """
    body = data[:-ECK_SIZE] + struct.pack(order + "Q", ECK_MAGIC)
    words = checksum(kind, body + struct.pack(order + "4Q", *verifier), order)
    return body + struct.pack(order + "4Q", *words)


def sealed(data: bytes, verifier: Words, kind: int = LABEL, half: bool = False) -> str | None:
    """The byte order in which `data` was sealed for `verifier`; None when its trailer or its checksum is wrong.

    With `half`, as in encrypted datasets, the second half of the checksum is folded into the first, which alone counts.
    """
    if len(data) < ECK_SIZE:
        return None
    for order in "<>":
        if data[-ECK_SIZE:-32] == struct.pack(order + "Q", ECK_MAGIC):
            again = seal(data, verifier, kind, order)
            if not half:
                return order if again == data else None
            words, stored = (struct.unpack(order + "4Q", each[-32:]) for each in (again, data))
            return order if folded(words)[:2] == stored[:2] else None
    return None


def folded(words: Words) -> Words:
    """A checksum's words where only half of them are kept: the first two with the last two added, without carry."""
    return words[0] ^ words[2], words[1] ^ words[3], 0, 0
