"""Space maps and range trees: the log as it is on disk, and free space as a plain set of numbers has it."""

import random

import pytest

from smartos.zfs.dmu.space import (
    ALLOC,
    FREE,
    Debug,
    Entry,
    RangeTree,
    SpaceMapPhys,
    entries,
    histogram,
    pack_entries,
    replay,
)
from smartos.zfs.errors import CorruptPool


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]


def test_the_log_survives() -> None:
    log = [Debug(ALLOC, 1, 42), Entry(ALLOC, 0, 5), Entry(ALLOC, 100, 1), Debug(FREE, 2, 42), Entry(FREE, 2, 1)]
    data = pack_entries(log)
    assert list(entries(words(data))) == log
    assert words(data)[1] == 4 and words(data)[4] == 2 << 16 | 1 << 15


def test_long_runs_are_cut() -> None:
    found = list(entries(words(pack_entries([Entry(ALLOC, 10, 70000)]))))
    assert [(entry.offset, entry.run) for entry in found] == [(10, 32768), (32778, 32768), (65546, 4464)]
    with pytest.raises(CorruptPool, match="one word"):
        pack_entries([Entry(ALLOC, 1 << 47, 1)])


def test_entries_of_two_words() -> None:
    word = [3 << 62 | (1000 - 1) << 24 | 2, FREE << 63 | 1 << 50]
    assert list(entries([1 << 63, *word])) == [Entry(FREE, 1 << 50, 1000, 2)]
    with pytest.raises(CorruptPool, match="ends within"):
        list(entries(word[:1]))


def test_heads_survive() -> None:
    old, new = SpaceMapPhys(30, 64, 5 << 20), SpaceMapPhys(30, 64, 5 << 20, list(range(1, 33)))
    assert (len(old.pack()), len(new.pack())) == (24, 320)
    assert SpaceMapPhys.unpack(old.pack()) == old and SpaceMapPhys.unpack(new.pack()) == new
    with pytest.raises(CorruptPool):
        SpaceMapPhys.unpack(bytes(8))


def test_a_range_tree_is_a_set() -> None:
    chance, tree, plain = random.Random(1), RangeTree(), set()
    for _ in range(3000):
        start = chance.randrange(200)
        span = range(start, start + chance.randrange(1, 12))
        if plain.isdisjoint(span):
            tree.add(span.start, span.stop)
            plain |= set(span)
        elif plain.issuperset(span):
            assert tree.covers(span.start, span.stop)
            tree.remove(span.start, span.stop)
            plain -= set(span)
        else:
            with pytest.raises(CorruptPool):
                tree.add(span.start, span.stop)
            with pytest.raises(CorruptPool):
                tree.remove(span.start, span.stop)
            parts = {n for low, high in tree.overlap(span.start, span.stop) for n in range(low, high)}
            assert parts == plain & set(span)
        assert tree.space == len(plain)
        assert {n for low, high in tree for n in range(low, high)} == plain
        ends = [high for _, high in tree]
        assert all(low not in ends for low, _ in tree), "ranges that touch are one"


def test_first_fit() -> None:
    tree = RangeTree([(0, 4), (10, 30), (40, 100)])
    assert [tree.first_fit(5), tree.first_fit(5, after=20), tree.first_fit(5, after=27), tree.first_fit(61)] == [
        10,
        20,
        40,
        None,
    ]
    assert tree.first_fit(8, align=8) == 16
    assert tree.first_fit(4, after=50) == 50
    tree.clear(0, 45)
    assert list(tree) == [(45, 100)]


def test_replaying_a_log() -> None:
    tree = RangeTree()
    replay(iter([Entry(ALLOC, 0, 8), Debug(0, 1, 1), Entry(FREE, 2, 2)]), tree, 512)
    assert list(tree) == [(0, 1024), (2048, 4096)]
    assert histogram(tree, 0, 1 << 16, 9)[:8] == [0, 1, 0, 0, 0, 0, 1, 0]
    with pytest.raises(CorruptPool):
        replay(iter([Entry(FREE, 2, 2)]), tree, 512)
