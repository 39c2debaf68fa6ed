"""Checksums: the digits of a plain loop over the words, those that others published, trailers that know their place."""

import random
import struct
import time
from types import ModuleType

import pytest

from smartos.zfs.errors import Unsupported
from smartos.zfs.format import checksum
from tools.peers import PeerMissing
from tools.wheels import wheel

MASK = (1 << 64) - 1
SIZES = (0, 16, 112, 512, 528, 1024, 1536, 4096, 16384, 131072, 131120, 1 << 20)


def plain_4(data: bytes, order: str) -> checksum.Words:
    """Fletcher-4 as its definition says, a word at a time."""
    a = b = c = d = 0
    for (word,) in struct.iter_unpack(order + "I", data):
        a = a + word & MASK
        b = b + a & MASK
        c = c + b & MASK
        d = d + c & MASK
    return a, b, c, d


def plain_2(data: bytes, order: str) -> checksum.Words:
    """Fletcher-2 as its definition says, a pair of words at a time."""
    a0 = a1 = b0 = b1 = 0
    for even, odd in struct.iter_unpack(order + "2Q", data):
        a0, a1 = a0 + even & MASK, a1 + odd & MASK
        b0, b1 = b0 + a0 & MASK, b1 + a1 & MASK
    return a0, a1, b0, b1


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("size", SIZES)
def test_lanes_give_the_digits_of_the_plain_loop(size: int, order: str) -> None:
    for data in (random.Random(size).randbytes(size), b"\xff" * size):
        assert checksum.fletcher_4(data, order, fast=False) == plain_4(data, order)
        assert checksum.fletcher_2(data, order, fast=False) == plain_2(data, order)


@pytest.fixture(scope="module")
def numpy() -> ModuleType:
    """NumPy, for the tests that ask for it; all others run without, as in the page. Skips where it is not to be had."""
    try:
        return wheel("numpy")
    except PeerMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("size", SIZES)
def test_numpy_gives_the_same_digits(size: int, order: str, numpy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksum, "numpy", numpy)
    used = []
    for name in ("_fletcher_4_numpy", "_fletcher_2_numpy"):
        whole = getattr(checksum, name)
        monkeypatch.setattr(checksum, name, lambda *words, whole=whole: used.append(1) or whole(*words))
    for data in (random.Random(size).randbytes(size), b"\xff" * size):
        assert checksum.fletcher_4(data, order) == plain_4(data, order)
        assert checksum.fletcher_2(data, order) == plain_2(data, order)
    assert len(used) == (4 if size >= 4096 else 0), "small blocks are not worth NumPy's calls"


def test_lanes_are_at_least_four_times_as_fast_as_the_plain_loop() -> None:
    data = random.Random(1).randbytes(131072)

    def best(function, *arguments) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            function(data, "<", *arguments)
            times.append(time.perf_counter() - started)
        return min(times)

    assert best(plain_4) > 4 * best(checksum.fletcher_4, False)


def test_sha256_of_the_published_example() -> None:
    assert checksum.sha256(b"abc") == (0xBA7816BF8F01CFEA, 0x414140DE5DAE2223, 0xB00361A396177A9C, 0xB410FF61F20015AD)
    assert checksum.sha256(b"abc", ">") == checksum.sha256(b"abc", "<"), "its words are big-endian on every machine"


def test_what_cannot_be_computed_is_named() -> None:
    with pytest.raises(Unsupported, match="skein"):
        checksum.checksum(12, bytes(512))
    assert checksum.checksum(checksum.OFF, b"anything") == (0, 0, 0, 0)


@pytest.mark.parametrize("kind", [checksum.LABEL, checksum.ZILOG, checksum.GANG_HEADER])
@pytest.mark.parametrize("order", "<>")
def test_a_sealed_block_verifies_only_in_its_place(kind: int, order: str) -> None:
    data = checksum.seal(b"something" + bytes(503), (0x4000, 0, 0, 0), kind, order)
    assert len(data) == 512
    assert checksum.sealed(data, (0x4000, 0, 0, 0), kind) == order
    assert checksum.sealed(data, (0x4200, 0, 0, 0), kind) is None
    assert checksum.sealed(b"Something" + data[9:], (0x4000, 0, 0, 0), kind) is None
    assert checksum.sealed(b"", (0, 0, 0, 0), kind) is None
