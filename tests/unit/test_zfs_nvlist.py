"""Name-value lists: XDR as RFC 4506 has it, types that survive, damage that is named."""

import random
import struct

import pytest

from smartos.zfs.errors import CorruptPool, Unsupported, ZfsError
from smartos.zfs.format import nvlist, nvlist_native
from smartos.zfs.format.nvlist import NVList

EVERYTHING = NVList(
    {
        "version": 28, "name": "tank", "flag": None, "on": True, "bytes": b"\1\2\3", "many": [1, 2, 1 << 63],
        "names": ["a", "bcd", ""], "tree": NVList({"type": "root", "children": [NVList({"id": 0}), NVList({"id": 1})]}),
        "small": -3, "time": 5, "int32s": [-1, 2], "bools": [True, False], "int64": -(1 << 62),
    },
    {"small": nvlist.INT8, "time": nvlist.HRTIME, "int32s": nvlist.INT32_ARRAY, "int64": nvlist.INT64},
)  # fmt: skip


def test_everything_survives() -> None:
    packed = nvlist.pack(EVERYTHING)
    found = nvlist.unpack(packed + b"what follows does not matter")
    assert found == EVERYTHING
    assert [found.kind(name) for name in found] == [EVERYTHING.kind(name) for name in EVERYTHING]
    assert nvlist.pack(found) == packed


def test_bytes_of_one_pair() -> None:
    """A header, a version and flags, a pair (sizes, name, type, one element, value), an end."""
    assert nvlist.pack({"txg": 4}).hex() == (
        "01010000" "00000000" "00000001"
        "00000020" "00000020" "00000003" "74786700" "00000008" "00000001" "0000000000000004"
        "0000000000000000"
    )  # fmt: skip


def test_what_has_no_type_is_named() -> None:
    for value in (1.5, object(), [1.5]):
        with pytest.raises(Unsupported):
            nvlist.pack({"x": value})
    with pytest.raises(Unsupported):
        nvlist.pack({"x": -1})


def test_native_encoding_is_refused() -> None:
    with pytest.raises(Unsupported, match="native"):
        nvlist.unpack(b"\0\1\0\0" + bytes(100))


def test_nesting_has_an_end() -> None:
    deep = NVList()
    for _ in range(40):
        deep = NVList({"in": deep})
    with pytest.raises(CorruptPool, match="nest"):
        nvlist.unpack(nvlist.pack(deep))


def test_damage_gives_a_named_error() -> None:
    packed, chance, failed = nvlist.pack(EVERYTHING), random.Random(3), 0
    for _ in range(3000):
        bad = bytearray(packed)
        for _ in range(chance.choice((1, 2, 5))):
            bad[chance.randrange(len(bad))] = chance.choice((0, 255, chance.randrange(256)))
        try:
            nvlist.unpack(bytes(bad[: chance.choice((len(bad), chance.randrange(len(bad))))]))
        except ZfsError:
            failed += 1
    assert failed > 1000


def _pair(name: str, kind: int, count: int, value: bytes) -> bytes:
    """A pair as a little-endian machine has it in memory."""
    head = struct.pack("<hhii", len(name) + 1, 0, count, kind) + name.encode() + b"\0"
    head += bytes(-(len(head) + 4) % 8)
    value += bytes(-len(value) % 8)
    return struct.pack("<i", 4 + len(head) + len(value)) + head + value


def test_the_native_encoding() -> None:
    """Scalars, strings, arrays, and lists within it, whose pairs stand behind the pair that holds them."""
    inner = _pair("number", nvlist.UINT64, 1, struct.pack("<Q", 1 << 40)) + bytes(4)
    data = bytes((0, 1, 0, 0)) + struct.pack("<iI", 0, 1)
    data += _pair("text", nvlist.STRING, 1, b"hello\0") + _pair("flag", nvlist.BOOLEAN_VALUE, 1, struct.pack("<i", 1))
    data += _pair("bare", nvlist.BOOLEAN, 0, b"") + _pair("few", nvlist.INT32_ARRAY, 2, struct.pack("<2i", -1, 7))
    data += _pair("words", nvlist.STRING_ARRAY, 2, bytes(16) + b"a\0bc\0")
    data += _pair("list", nvlist.NVLIST, 1, struct.pack("<iI16x", 0, 1)) + inner
    data += _pair("lists", nvlist.NVLIST_ARRAY, 2, bytes(16) + struct.pack("<iI16x", 0, 1) * 2) + inner * 2 + bytes(4)
    found = nvlist_native.unpack(data)
    number = {"number": 1 << 40}
    assert found == {
        "text": "hello", "flag": True, "bare": None, "few": [-1, 7], "words": ["a", "bc"], "list": number,
        "lists": [number, number],
    }  # fmt: skip
    assert nvlist_native.unpack(nvlist.pack(found)) == found, "XDR is read, too"
    for cut in range(12, len(data) - 4):
        with pytest.raises(CorruptPool):
            nvlist_native.unpack(data[:cut])
