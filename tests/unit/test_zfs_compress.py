"""Compression: what goes in comes out; what does not pay is left; damaged data give a named error and nothing else."""

import random

import pytest

from smartos.zfs import compress
from smartos.zfs.errors import CorruptPool, Unsupported, ZfsError

WRITTEN = [compress.LZJB, compress.GZIP_1, compress.GZIP_6, compress.GZIP_9, compress.ZLE, compress.LZ4]
NAMES = [compress.name_of(kind) for kind in WRITTEN]
RANDOM = random.Random(7)
SAMPLES = {
    "text": b"a quick brown fox jumps over a lazy dog, and " * 400,
    "one byte": b"x" * 16384,
    "few letters": bytes(RANDOM.choice(b"ab\n ") for _ in range(8192)),
    "zeros and noise": (RANDOM.randbytes(100) + bytes(3000)) * 5,
    "noise": RANDOM.randbytes(4096),
    "a byte among zeros": bytes(511) + b"!",
    "long match at the end": RANDOM.randbytes(50) + b"tail" * 3000,
}


@pytest.mark.parametrize("kind", WRITTEN, ids=NAMES)
@pytest.mark.parametrize("name", SAMPLES)
def test_what_goes_in_comes_out(kind: int, name: str) -> None:
    data = SAMPLES[name]
    got, packed = compress.compress(kind, data)
    assert got in (kind, compress.OFF)
    assert got == compress.OFF or (len(packed) % 512 == 0 and len(packed) < len(data))
    assert compress.decompress(got, packed, len(data)) == data


def test_zeros_become_a_hole_and_noise_stays() -> None:
    assert compress.compress(compress.LZJB, bytes(8192)) == (compress.LZJB, b"")
    assert compress.compress(compress.ON, SAMPLES["noise"]) == (compress.OFF, SAMPLES["noise"])
    assert compress.compress(compress.OFF, b"abc") == (compress.OFF, b"abc")


def test_known_vectors() -> None:
    """Worked out by hand from the formats: a copy map and matches, run lengths, a token with its literals."""
    assert compress.lzjb_decompress(b"\x02" + b"a" + b"\xfc\x01", 67) == b"a" * 67
    assert compress.lzjb_compress(b"a" * 132, 120)[:4] == b"\x02a\xfc\x01"
    assert compress.zle_compress(b"ab" + bytes(100), 90) == b"\x01ab" + bytes([100 - 1 + 64])
    assert compress.zle_decompress(b"\x01ab" + bytes([99 + 64]), 102) == b"ab" + bytes(100)
    assert compress.lz4_decompress(b"\0\0\0\x08" + b"\x14a\x01\0" + b"\x30bcd" + b"", 12) == b"a" * 9 + b"bcd"


@pytest.mark.parametrize("kind", WRITTEN, ids=NAMES)
def test_damaged_data_give_a_named_error(kind: int) -> None:
    chance, failed = random.Random(kind), 0
    for sample in SAMPLES.values():
        got, packed = compress.compress(kind, sample)
        if got == compress.OFF:
            continue
        for _ in range(60):
            bad = bytearray(packed)
            for _ in range(chance.choice((1, 1, 4))):
                bad[chance.randrange(min(len(bad), 200))] = chance.randrange(256)
            bad = bytes(bad[: chance.choice((len(bad), len(bad), chance.randrange(len(bad))))])
            try:
                assert len(compress.decompress(kind, bad, len(sample))) == len(sample)
            except ZfsError:
                failed += 1
    assert failed


def test_unknown_kinds_are_named() -> None:
    with pytest.raises(Unsupported, match="zstd"):
        compress.compress(compress.ZSTD, b"ab" * 300)
    with pytest.raises(Unsupported, match="99"):
        compress.decompress(99, b"", 512)
    with pytest.raises(CorruptPool):
        compress.decompress(compress.OFF, b"short", 512)
    with pytest.raises(CorruptPool):
        compress.decompress(compress.ZSTD, b"\xff" * 20, 512)
