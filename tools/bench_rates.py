"""Rates of the checksums and of lz4, in MB/s: measured where this file runs, be it CPython or the Python of a page.

The page is sent this file as it is, so it imports nothing but the standard library and the package, and it prints what
it found as JSON. Beside the package's functions stand the plain loops that their definitions are, for the ratio.

Left out: the write side of the other compressions, which are not on a page's way.
"""

import json
import random
import struct
import time
from collections.abc import Callable

from smartos.zfs.format import checksum, lz4

SIZE = 131072  # bytes of a full record
MASK = (1 << 64) - 1
BATCH, BATCHES = 0.03, 7  # seconds that a batch of calls takes at least, and how many of them are timed


def plain_fletcher_4(data: bytes) -> tuple[int, int, int, int]:
    """Fletcher-4 as its definition says, a word at a time."""
    a = b = c = d = 0
    for (word,) in struct.iter_unpack("<I", data):
        a = a + word & MASK
        b = b + a & MASK
        c = c + b & MASK
        d = d + c & MASK
    return a, b, c, d


def plain_lz4(data: bytes) -> bytes:
    """LZ4's decoder as its format says, a byte at a time. Checks nothing."""
    out, at, end = bytearray(), 4, 4 + int.from_bytes(data[:4], "big")

    def length(first: int) -> int:
        nonlocal at
        while first >= 15 and data[at] == 255:
            first, at = first + 255, at + 1
        if first >= 15:
            first, at = first + data[at], at + 1
        return first

    while at < end:
        token, at = data[at], at + 1
        for _ in range(length(token >> 4)):
            out.append(data[at])
            at += 1
        if at < end:
            offset, at = data[at] + 256 * data[at + 1], at + 2
            for _ in range(length(token & 15) + 4):
                out.append(out[-offset])
    return bytes(out)


def text(size: int) -> bytes:
    """Lines as a log has them, the same each time: lz4 makes them about half as long."""
    chance = random.Random(5)
    words = "zpool zfs dtrace zone kvm vnic pool snapshot scrub resilver mirror checksum error repaired online".split()
    lines = []
    while sum(map(len, lines)) < size:
        stamp = f"2011-08-{chance.randrange(1, 32):02} {chance.randrange(24):02}:{chance.randrange(60):02}"
        lines.append(f"{stamp} {' '.join(chance.choices(words, k=6))} {chance.randrange(1 << 30):x}\n")
    return "".join(lines).encode()[:size]


def rate(function: Callable[[], object], size: int) -> float:
    """MB/s of a function that goes through `size` bytes: the best of several batches, since a page's clock is coarse."""

    def batch(times: int) -> float:
        started = time.perf_counter()
        for _ in range(times):
            function()
        return time.perf_counter() - started

    times = 1
    while batch(times) < BATCH:
        times *= 2
    return size * times / min(batch(times) for _ in range(BATCHES)) / 1e6


def rates(fast: bool = False) -> dict[str, float]:
    """MB/s by name. With `fast` only what NumPy does. Raises AssertionError if two ways differ in a single digit."""
    block, lines = random.Random(3).randbytes(SIZE), text(SIZE)
    assert checksum.fletcher_4(block, fast=fast) == plain_fletcher_4(block)
    found = {"fletcher-4": rate(lambda: checksum.fletcher_4(block, fast=fast), SIZE)}
    if fast:
        return found
    packed = lz4.lz4_compress(lines, SIZE)
    assert lz4.lz4_decompress(packed, SIZE) == plain_lz4(packed) == lines
    return found | {
        "fletcher-4, word by word": rate(lambda: plain_fletcher_4(block), SIZE),
        "sha256": rate(lambda: checksum.sha256(block), SIZE),
        "lz4, compress": rate(lambda: lz4.lz4_compress(lines, SIZE), SIZE),
        "lz4, decompress": rate(lambda: lz4.lz4_decompress(packed, SIZE), SIZE),
        "lz4, decompress, byte by byte": rate(lambda: plain_lz4(packed), SIZE),
        "lz4, packed to": len(packed) / SIZE,
    }


if __name__ == "__main__":
    print(json.dumps(rates()))
