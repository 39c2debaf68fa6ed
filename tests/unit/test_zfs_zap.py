"""ZAPs: micro and fat, the hash, splitting leaves, a pointer table of its own; damage that is named."""

import random
import struct

import pytest

from smartos.zfs.dmu import zap
from smartos.zfs.dmu.zap_leaf import leaf_shape
from smartos.zfs.errors import CorruptPool, NoSpace, NoSuchName, ZfsError


def blocks(data: bytes, size: int):  # noqa: ANN201 - a function from number to block
    return lambda number: (data[number * size : (number + 1) * size], "<")


def as_dict(data: bytes, size: int) -> dict:
    return {entry.name: entry.value for entry in zap.read(blocks(data, size))}


def test_micro() -> None:
    values = {f"name {n}": n**3 for n in range(100)}
    data, size = zap.pack(values)
    assert size == len(data) == 512 * -(-101 // 8)
    assert as_dict(data, size) == values
    assert zap.lookup(blocks(data, size), "name 7").value == 343
    with pytest.raises(NoSuchName):
        zap.lookup(blocks(data, size), "name 100")


def test_what_a_micro_zap_cannot_hold_becomes_fat() -> None:
    for values in ({"x" * 50: 1}, {"text": "value"}, {"many": (1, 2)}, {str(n): n for n in range(2048)}):
        data, size = zap.pack(values)
        assert size == 16384
        assert set(as_dict(data, size)) == set(values)
        with pytest.raises(NoSpace):
            zap.pack_micro(values)


@pytest.mark.parametrize("count", [0, 1, 200, 5000])
def test_fat(count: int) -> None:
    chance = random.Random(count)
    values = {f"file-{n}-{'é' * chance.randrange(40)}": chance.getrandbits(64) for n in range(count)}
    values |= {"text": b"lzjb\0", "array": (1, 2, 1 << 63)}
    data = zap.pack_fat(values)
    assert as_dict(data, 16384) == values
    header = zap.FatHeader.unpack(data[:16384], "<")
    assert header.entries == len(values)
    assert header.leafs == len(header.leaves(blocks(data, 16384)))
    for name in chance.sample(sorted(values), min(len(values), 20)):
        assert zap.lookup(blocks(data, 16384), name).value == values[name]


def test_a_pointer_table_of_its_own() -> None:
    values = {f"n{n}": n for n in range(600)}
    data = zap.pack_fat(values, shift=9)
    header = zap.FatHeader.unpack(data[:512], "<")
    assert header.table_blocks and header.table_shift > 5
    assert len(data) == header.free_block * 512
    assert as_dict(data, 512) == values
    assert zap.lookup(blocks(data, 512), "n599").value == 599


def test_names_of_the_same_hash_are_told_apart() -> None:
    seen: dict[int, str] = {}
    pair, chance = None, random.Random(1)
    while pair is None:  # 28 bits collide among some twenty thousand names
        name = chance.randbytes(8).hex()
        digest = zap.hash_of(name, zap.SALT)
        pair = (seen[digest], name) if digest in seen else None
        seen[digest] = name
    data = zap.pack_fat({pair[0]: 1, pair[1]: 2})
    assert [entry.cd for entry in zap.read(blocks(data, 16384))] == [0, 1]
    assert zap.lookup(blocks(data, 16384), pair[1]).value == 2
    micro = zap.pack_micro({pair[0]: 1, pair[1]: 2})
    assert sorted(entry.cd for entry in zap.read(blocks(micro, 512))) == [0, 1]


def test_the_hash_is_crc_64_of_the_name() -> None:
    """The polynomial's own value is the table's entry for 128, as the source asserts."""
    assert zap.hash_of("", 1 << 63) == 1 << 63
    assert zap.hash_of("\x80", 0, zap.FLAG_HASH64) != zap.hash_of("\x80", 0)
    from smartos.zfs.dmu.zap_leaf import _crc_table

    assert _crc_table()[128] == 0xC96C5795D7870F42
    assert zap.hash_of("name", 5) & (1 << 36) - 1 == 0, "28 bits are kept"


def test_leaves_are_shaped_as_in_the_source() -> None:
    assert leaf_shape(16384) == (512, 48 + 1024, 638)


def test_both_byte_orders() -> None:
    data = bytearray(zap.pack_micro({"a": 258}))
    swapped = struct.pack(">8Q", *struct.unpack("<8Q", data[:64]))
    for at in range(64, len(data), 64):
        value, cd = struct.unpack_from("<QI", data, at)
        swapped += struct.pack(">QI", value, cd) + data[at + 12 : at + 64]
    assert {entry.name: entry.value for entry in zap.read(lambda n: (swapped, ">"))} == {"a": 258}


def test_damage_gives_a_named_error() -> None:
    data = zap.pack_fat({f"name-{n}": n for n in range(300)} | {"s": "text"}, shift=12)
    chance, failed = random.Random(5), 0
    for _ in range(400):
        bad = bytearray(data)
        for _ in range(chance.choice((1, 3, 20))):
            bad[chance.randrange(len(bad))] = chance.choice((0, 255, chance.randrange(256)))
        try:
            zap.read(blocks(bytes(bad), 4096))
        except ZfsError:
            failed += 1
    assert failed
    with pytest.raises(CorruptPool, match="no ZAP"):
        zap.read(lambda number: (bytes(512), "<"))
    with pytest.raises(CorruptPool):
        zap.read(lambda number: (data[:4096] if not number else b"", "<"))
