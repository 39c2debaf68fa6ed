"""Name-value lists: XDR as RFC 4506 has it, types that survive, damage that is named."""

import random

import pytest

from smartos.zfs import nvlist
from smartos.zfs.errors import CorruptPool, Unsupported, ZfsError
from smartos.zfs.nvlist import NVList

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
