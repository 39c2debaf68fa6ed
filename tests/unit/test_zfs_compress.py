"""Compression: what goes in comes out; what does not pay is left; damaged data give a named error and nothing else."""

import random

import pytest

from smartos.zfs.errors import CorruptPool, Unsupported, ZfsError
from smartos.zfs.format import compress

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


def lzjb_as_the_real_one(data: bytes, room: int) -> bytes | None:
    """`lzjb_compress` of `lzjb.c`, line for line: a byte at a time, the hash by its formula."""
    size, at, mask, copymap = len(data), 0, 0x80, 0
    out, seen = bytearray(), [0] * 1024
    while at < size:
        mask <<= 1
        if mask == 0x100:
            if len(out) >= room - 17:
                return None
            mask, copymap = 1, len(out)
            out.append(0)
        if at > size - 66:
            out.append(data[at])
            at += 1
            continue
        key = (data[at] << 16) + (data[at + 1] << 8) + data[at + 2]
        key += key >> 9
        key += key >> 5
        offset = at - seen[key & 1023] & 1023
        seen[key & 1023] = at
        before = at - offset
        if offset and before >= 0 and data[at : at + 3] == data[before : before + 3]:
            length = 3
            while length < 66 and data[at + length] == data[before + length]:
                length += 1
            out[copymap] |= mask
            out.append((length - 3) << 2 | offset >> 8)
            out.append(offset & 0xFF)
            at += length
        else:
            out.append(data[at])
            at += 1
    return bytes(out)


def drawn(chance: random.Random) -> bytes:
    """A block of one of several kinds: noise, few letters, sparse bytes, a unit again and again, structures."""
    size = chance.choice((0, 1, 3, 64, 65, 66, 67, 68, 74, 75, 512, chance.randrange(1500)))
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(size)
    if kind == 1:
        return bytes(chance.choice(b"ab\0") for _ in range(size))
    if kind == 2:
        sparse = bytearray(size)
        for _ in range(size // 30):
            sparse[chance.randrange(size)] = chance.randrange(256)
        return bytes(sparse)
    unit = chance.randbytes(chance.randrange(1, 200)) + bytes(chance.randrange(100) * (kind == 4))
    return (unit * (size // len(unit) + 1))[:size]


@pytest.mark.parametrize("seed", range(4))
def test_lzjb_gives_the_bytes_of_the_real_one(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(150):
        data = drawn(chance)
        for room in (len(data) - (len(data) >> 3), 2 * len(data) + 20, chance.randrange(len(data) + 30)):
            assert compress.lzjb_compress(data, room) == lzjb_as_the_real_one(data, room)
