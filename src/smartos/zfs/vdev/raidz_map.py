"""RAID-Z: one block across several disks, with as many parity columns as disks may be lost, and never a partial stripe.

A block takes as many rows as it needs and no more: the stripe is as wide as the block, so a write never has to read
what is there. The first one to three columns are parity, P, Q and R; the data fill the others column by column, and
the columns that hold the remainder are one sector longer. The sum is rounded up to a multiple of parity + 1 sectors,
so that no gap stays behind that is too small for any block; the sectors that this skips belong to the block::

    P = D0 + D1 + …                          Q = 2^(n-1) D0 + … + 2 D(n-2) + D(n-1)
    R = 4^(n-1) D0 + … + 4 D(n-2) + D(n-1)   in GF(2^8), byte by byte

Reconstruction is one method for every loss: what the parity would be with the missing columns as zeros, minus what it
is, leaves as many equations as there are missing columns.

Left out: RAID-Z expansion, dRAID and the two gaps of dumps, all younger. Follows `vdev_raidz_map_alloc`,
`vdev_raidz_asize` and the `vdev_raidz_generate_parity_*` of illumos' `vdev_raidz.c` (fact Z4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smartos.zfs.vdev.galois import double, exp2, invert, table

MAXPARITY = 3
SWAP = 1 << 20  # single parity only: P and the first data column change places in every second MiB


class RaidzError(ValueError):
    """No RAID-Z has this shape, or more columns are missing than its parity can stand for."""


@dataclass(frozen=True)
class Column:
    """A column of a block: `size` bytes at `offset` of the child number `devidx`, both without the label area."""

    devidx: int
    offset: int
    size: int


@dataclass(frozen=True)
class RaidzMap:
    """Where a block lies. The first `nparity` columns are P, Q, R; the data follow.

    `skips` are the sectors that round the block up, as columns of one sector. `asize` is what it all takes, in bytes.
    """

    offset: int
    size: int
    ashift: int
    dcols: int
    nparity: int
    columns: tuple[Column, ...]
    skips: tuple[Column, ...]
    asize: int

    @property
    def parity(self) -> tuple[Column, ...]:
        return self.columns[: self.nparity]

    @property
    def data(self) -> tuple[Column, ...]:
        return self.columns[self.nparity :]

    def split(self, block: bytes) -> list[bytes]:
        """The block's data columns, in order."""
        columns, at = [], 0
        for column in self.data:
            columns.append(block[at : at + column.size])
            at += column.size
        return columns

    def stripe(self, block: bytes) -> list[bytes]:
        """All columns with their parity: what a write puts on the disks."""
        data = self.split(block)
        return generate(data, self.nparity) + data

    def sectors(self) -> dict[tuple[int, int], str]:
        """What is in each sector of the block: (child, byte offset) → `P0`, `Q1`, `D7`, `skip` …

        The number after P, Q or R is the row that it protects, the one after D is the sector's place in the block.
        """
        sector, found, number = 1 << self.ashift, {}, 0
        for letter, column in zip("PQR", self.parity, strict=False):
            for row in range(column.size // sector):
                found[column.devidx, column.offset + row * sector] = f"{letter}{row}"
        for column in self.data:
            for row in range(column.size // sector):
                found[column.devidx, column.offset + row * sector] = f"D{number}"
                number += 1
        return found | {(skip.devidx, skip.offset): "skip" for skip in self.skips}


def check(dcols: int, nparity: int) -> None:
    """Raise :class:`RaidzError` unless a RAID-Z can have so many children with so much parity."""
    if not 1 <= nparity <= MAXPARITY:
        raise RaidzError(f"RAID-Z has 1, 2 or 3 parity columns, not {nparity}")
    if not nparity < dcols <= 255:
        raise RaidzError(f"raidz{nparity} needs at least {nparity + 1} children and at most 255, not {dcols}")


def psize_to_asize(psize: int, ashift: int, dcols: int, nparity: int) -> int:
    """The bytes that a block of `psize` bytes takes on a RAID-Z: its data, parity and skipped sectors."""
    check(dcols, nparity)
    sectors = ((psize - 1) >> ashift) + 1
    sectors += nparity * -(-sectors // (dcols - nparity))
    return _roundup(sectors, nparity + 1) << ashift


def raidz_map(offset: int, size: int, ashift: int, dcols: int, nparity: int) -> RaidzMap:
    """Where a block of `size` bytes at `offset` of the RAID-Z lies on its `dcols` children.

    Offset and size are in bytes and whole sectors of 2^`ashift`. Raises :class:`RaidzError` when they are not.
    """
    check(dcols, nparity)
    sector = 1 << ashift
    if size < sector or size % sector or offset % sector:
        raise RaidzError(f"a block of {size:#x} bytes at {offset:#x} is not in whole sectors of {sector} bytes")
    first, row = offset >> ashift, offset // sector // dcols
    start = first % dcols
    rows, rest = divmod(size >> ashift, dcols - nparity)
    big = rest + nparity if rest else 0  # the columns that hold a sector of the last, partial row
    used = dcols if rows else big
    touched = dcols if rows else min(dcols, _roundup(big, nparity + 1))
    columns = []
    for c in range(touched):
        turn, devidx = divmod(start + c, dcols)
        length = 0 if c >= used else rows + 1 if c < big else rows
        columns.append(Column(devidx, (row + turn) << ashift, length << ashift))
    skip_from = big
    if nparity == 1 and offset & SWAP:
        one, two = columns[:2]
        columns[0], columns[1] = Column(two.devidx, two.offset, one.size), Column(one.devidx, one.offset, two.size)
        skip_from = skip_from or 1
    taken = sum(column.size for column in columns)
    asize = _roundup(taken, (nparity + 1) << ashift)
    skips = []
    for i in range((asize - taken) >> ashift):
        column = columns[(skip_from + i) % touched]
        skips.append(Column(column.devidx, column.offset + column.size, sector))
    return RaidzMap(offset, size, ashift, dcols, nparity, tuple(columns[:used]), tuple(skips), asize)


def generate(data: Sequence[bytes], nparity: int) -> list[bytes]:
    """The parity columns P, Q, R of the data columns, each as long as the first, which is the longest."""
    return _parity(data, nparity, len(data[0]))


def _parity(data: Sequence[bytes], nparity: int, length: int) -> list[bytes]:
    sums = [0] * nparity
    for column in data:
        value = int.from_bytes(column, "little")
        for power in range(nparity):
            for _ in range(power):
                sums[power] = double(sums[power], length)
            sums[power] ^= value
    return [total.to_bytes(length, "little") for total in sums]


def reconstruct(columns: Sequence[bytes | None], sizes: Sequence[int], nparity: int) -> list[bytes]:
    """All columns, with those that are None computed from the others; `sizes` are their lengths in bytes.

    Parity that is not needed is taken as it is, right or wrong. Raises :class:`RaidzError` when more than `nparity`
    columns are missing.
    """
    missing = [i for i, column in enumerate(columns) if column is None]
    if len(missing) > nparity:
        raise RaidzError(f"{len(missing)} columns are missing, and raidz{nparity} can stand for {nparity}")
    lost = [i - nparity for i in missing if i >= nparity]
    count, length = len(columns) - nparity, sizes[0]
    data = [b"" if column is None else column for column in columns[nparity:]]
    if lost:
        rows = [p for p in range(nparity) if columns[p] is not None][: len(lost)]
        found = _parity(data, rows[-1] + 1, length)
        syndromes = [_xor(found[p], columns[p]) for p in rows]
        solution = invert([[exp2(p * (count - 1 - i)) for i in lost] for p in rows])
        for i, factors in zip(lost, solution, strict=True):
            total = 0
            for factor, syndrome in zip(factors, syndromes, strict=True):
                total ^= int.from_bytes(syndrome.translate(table(factor)), "little")
            data[i] = total.to_bytes(length, "little")[: sizes[nparity + i]]
    parity = list(columns[:nparity])
    if any(column is None for column in parity):
        made = _parity(data, nparity, length)
        parity = [made[p] if column is None else column for p, column in enumerate(parity)]
    return [*parity, *data]


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "little") ^ int.from_bytes(b, "little")).to_bytes(len(a), "little")


def _roundup(value: int, step: int) -> int:
    return -(-value // step) * step
