"""RAID-Z's layout is the real one, its parity is that of the formulas, and any loss it promises to stand for comes back."""

import random
from itertools import combinations

import pytest

from smartos.zfs.vdev import galois
from smartos.zfs.vdev.raidz_map import RaidzError, generate, psize_to_asize, raidz_map, reconstruct

SHAPES = [(n, p) for p in (1, 2, 3) for n in range(p + 1, p + 7)]


def times(a: int, b: int) -> int:
    """The product in GF(2^8), by long multiplication and long division of polynomials."""
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11D << bit - 8
    return product


def power(base: int, exponent: int) -> int:
    value = 1
    for _ in range(exponent):
        value = times(value, base)
    return value


def test_the_tables_multiply_as_polynomials_do() -> None:
    """Fact Z4: the polynomial 0x11d."""
    for a in range(256):
        assert [galois.multiply(a, b) for b in range(256)] == [times(a, b) for b in range(256)]
        assert a == 0 or times(a, galois.inverse(a)) == 1
    assert [galois.table(3)[b] for b in range(256)] == [times(3, b) for b in range(256)]
    with pytest.raises(ZeroDivisionError):
        galois.inverse(0)


def test_doubling_is_the_expression_of_the_source() -> None:
    """Fact Z4: (a << 1) ^ ((a & 0x80) ? 0x1d : 0), on every byte of a column at once."""
    column = bytes(range(256)) * 3
    doubled = galois.double(int.from_bytes(column, "little"), len(column)).to_bytes(len(column), "little")
    assert list(doubled) == [((a << 1) & 0xFF) ^ (0x1D if a & 0x80 else 0) for a in column]


@pytest.mark.parametrize(("count", "nparity"), [(c, p) for c in (1, 2, 3, 5, 9) for p in (1, 2, 3)])
def test_parity_is_the_sum_of_the_formula(count: int, nparity: int) -> None:
    """Fact Z4: P, Q, R with the generators 1, 2, 4, the first column with the highest power; short columns as zeros."""
    chance = random.Random(count * 10 + nparity)
    data = [chance.randbytes(64 if c < (count + 1) // 2 else 48) for c in range(count)]
    for generator, parity in zip((1, 2, 4), generate(data, nparity), strict=False):
        for i in range(64):
            total = 0
            for c, column in enumerate(data):
                total ^= times(power(generator, count - 1 - c), column[i] if i < len(column) else 0)
            assert parity[i] == total


def test_a_known_answer() -> None:
    """Two data columns, worked by hand: Q = 2·80 + 01 = 1d + 01, R = 4·80 + 01 = 3a + 01."""
    assert generate([b"\x80", b"\x01"], 3) == [b"\x81", b"\x1c", b"\x3b"]


def rows(maps: list, dcols: int) -> list[str]:
    """The sectors that several blocks occupy, as rows over the disks; a block's letters as the map names them."""
    cells = {place: what for m in maps for place, what in m.sectors().items()}
    height = max(offset for _, offset in cells) // 512 + 1
    return [" ".join(cells.get((d, r * 512), "·") for d in range(dcols)) for r in range(height)]


def test_blocks_of_several_sizes_one_after_the_other() -> None:
    """Five disks, single parity, worked by hand from `vdev_raidz_map_alloc`: each block begins where the last ended."""
    maps, at = [], 0
    for sectors in (8, 3, 3, 1, 14, 4, 2):
        maps.append(raidz_map(at, sectors * 512, 9, 5, 1))
        at += maps[-1].asize
    assert rows(maps, 5) == [
        "P0 D0 D2 D4 D6",
        "P1 D1 D3 D5 D7",
        "P0 D0 D1 D2 P0",
        "D0 D1 D2 P0 D0",
        "P0 D0 D4 D8 D11",
        "P1 D1 D5 D9 D12",
        "P2 D2 D6 D10 D13",
        "P3 D3 D7 P0 D0",
        "D1 D2 D3 skip P0",
        "D0 D1 skip · ·",
    ]


def test_double_and_triple_parity_by_hand() -> None:
    """Six disks, double parity: five sectors take 5 + 2·2, rounded up to a multiple of three."""
    assert rows([raidz_map(0, 5 * 512, 9, 6, 2)], 6) == ["P0 Q0 D0 D2 D3 D4", "P1 Q1 D1 · · ·"]
    assert rows([raidz_map(0, 2 * 512, 9, 6, 2)], 6) == ["P0 Q0 D0 D1 skip skip"]
    assert rows([raidz_map(0, 512, 9, 5, 3)], 5) == ["P0 Q0 R0 D0 ·"]
    assert rows([raidz_map(0, 3 * 512, 9, 5, 3)], 5) == ["P0 Q0 R0 D0 D2", "P1 Q1 R1 D1 skip", "skip skip · · ·"]


def test_parity_and_data_change_places_in_odd_mebibytes_only_with_single_parity() -> None:
    one = raidz_map(1 << 20, 512, 9, 3, 1)
    assert one.sectors() == {(0, 683 * 512): "P0", (2, 682 * 512): "D0"}
    full = raidz_map(1 << 20, 4 * 512, 9, 5, 1)
    assert full.sectors() == {
        (4, 409 * 512): "P0", (3, 409 * 512): "D0", (0, 410 * 512): "D1", (1, 410 * 512): "D2", (2, 410 * 512): "D3",
        (3, 410 * 512): "skip",
    }  # fmt: skip
    assert raidz_map(2 << 20, 512, 9, 3, 1).parity[0].devidx == (2 << 20) // 512 % 3
    assert raidz_map(1 << 20, 512, 9, 4, 2).parity[0].devidx == (1 << 20) // 512 % 4


@pytest.mark.parametrize(("dcols", "nparity"), SHAPES)
def test_a_block_takes_exactly_the_sectors_from_its_offset_on(dcols: int, nparity: int) -> None:
    """Whatever its size and place: asize sectors in a row, dealt out over the disks; no two things in one."""
    chance = random.Random(dcols * 10 + nparity)
    for ashift in (9, 12):
        for _ in range(60):
            size, offset = chance.randint(1, 40) << ashift, chance.randrange(1 << 14) << ashift
            where = raidz_map(offset, size, ashift, dcols, nparity)
            first, count = offset >> ashift, where.asize >> ashift
            assert set(where.sectors()) == {(n % dcols, n // dcols << ashift) for n in range(first, first + count)}
            assert where.asize == psize_to_asize(size, ashift, dcols, nparity)
            assert count % (nparity + 1) == 0
            assert sum(c.size for c in where.data) == size
            assert len(where.sectors()) == count
            assert len({c.devidx for c in where.columns}) == len(where.columns)


@pytest.mark.parametrize(
    ("psize", "ashift", "dcols", "nparity", "sectors"),
    [
        (512, 9, 3, 1, 2), (512, 9, 10, 1, 2), (512, 9, 10, 3, 4), (131072, 9, 3, 1, 384), (131072, 9, 5, 1, 320),
        (131072, 12, 5, 1, 40), (131072, 12, 6, 2, 48), (4096, 12, 6, 2, 3), (8192, 12, 6, 2, 6), (513, 9, 3, 1, 4),
    ],
)  # fmt: skip
def test_allocated_sizes(psize: int, ashift: int, dcols: int, nparity: int, sectors: int) -> None:
    assert psize_to_asize(psize, ashift, dcols, nparity) == sectors << ashift


@pytest.mark.parametrize(("dcols", "nparity"), SHAPES)
def test_every_loss_of_as_many_columns_as_there_is_parity_comes_back(dcols: int, nparity: int) -> None:
    chance = random.Random(dcols * 100 + nparity)
    tried = 0
    for sectors in (1, 2, 3, dcols - nparity, dcols, 2 * dcols + 1, 17):
        where = raidz_map(chance.randrange(4096) * 512, sectors * 512, 9, dcols, nparity)
        stripe = where.stripe(chance.randbytes(sectors * 512))
        sizes = [column.size for column in where.columns]
        assert [len(column) for column in stripe] == sizes
        for lost in range(nparity + 1):
            for missing in combinations(range(len(stripe)), lost):
                left = [None if c in missing else column for c, column in enumerate(stripe)]
                assert reconstruct(left, sizes, nparity) == stripe
                tried += 1
    assert tried > 7


def test_the_widest_stripes_come_back_too() -> None:
    """255 children: the coefficients of Q and R are still apart from one another."""
    chance = random.Random(7)
    data = [chance.randbytes(8) for _ in range(252)]
    stripe = generate(data, 3) + data
    for _ in range(200):
        missing = chance.sample(range(255), 3)
        left = [None if c in missing else column for c, column in enumerate(stripe)]
        assert reconstruct(left, [8] * 255, 3) == stripe


def test_one_loss_too_many_and_shapes_that_cannot_be() -> None:
    with pytest.raises(RaidzError, match="2 columns are missing"):
        reconstruct([None, b"x", None], [1, 1, 1], 1)
    for dcols, nparity in ((1, 1), (2, 2), (4, 0), (9, 4), (256, 1)):
        with pytest.raises(RaidzError):
            raidz_map(0, 512, 9, dcols, nparity)
    for offset, size in ((1, 512), (0, 511), (0, 0)):
        with pytest.raises(RaidzError, match="whole sectors"):
            raidz_map(offset, size, 9, 3, 1)
