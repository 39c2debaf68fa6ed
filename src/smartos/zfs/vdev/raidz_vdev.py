"""RAID-Z as a vdev: reads that need no parity until something is wrong, and then try what the parity allows.

A read has up to three phases, each dearer and rarer. First the data columns alone; parity comes in when a column is
known to be lost. If the checksum does not match, every column is read. If it still does not, some disk has silently
returned wrong bytes, and every combination of columns that could be the liars is reconstructed from the others until
the checksum matches: only because the checksum is kept apart from the data can that be decided. What was wrong is
rewritten, its disk's checksum errors are counted.

Left out: the write of nothing to skipped sectors (it lets neighbouring I/O be joined, and there are no queues here).
Follows `vdev_raidz_io_start`, `_io_done` and `_combrec` in `vdev_raidz.c` of illumos as of 12 August 2011 (commit
c9c7122 of illumos-joyent).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from smartos.zfs.errors import ChecksumError, PoolFaulted, ZfsError
from smartos.zfs.vdev import raidz_map as raidz
from smartos.zfs.vdev.base import Vdev
from smartos.zfs.vdev.raidz_map import Column, RaidzMap, generate, reconstruct
from smartos.zfs.vdev.zio import (
    ECKSUM,
    ENXIO,
    ESTALE,
    RAIDZ_CHECKSUM,
    RAIDZ_COMBREC,
    RAIDZ_DONE,
    RAIDZ_RECONSTRUCT,
    RAIDZ_START,
    Flag,
    Verify,
    Zio,
    checked,
    ereport_checksum,
    error_of,
    unable,
    worst,
)


@dataclass
class Read:
    """raidz_col_t in the middle of a read: a column, what came of it, and whether it was asked for at all."""

    column: Column
    data: bytes | None = None
    error: int = 0
    tried: bool = False
    skipped: bool = False


class Raidz(Vdev):
    """Children of which any `nparity` may be lost."""

    type = "raidz"

    def __init__(self, children: Sequence[Vdev], nparity: int = 1, id: int = 0, guid: int = 0, ashift: int | None = None):
        raidz.check(len(children), nparity)
        self.nparity = nparity
        super().__init__(children, id, guid, ashift)

    @property
    def name(self) -> str:
        return f"raidz{self.nparity}-{self.id}"

    @property
    def tolerated(self) -> int:
        return self.nparity

    @property
    def asize(self) -> int:
        """The bytes that can be allocated, parity included: so does the real vdev count them."""
        return super().asize * len(self.children)

    def psize_to_asize(self, psize: int) -> int:
        return raidz.psize_to_asize(psize, self.ashift, len(self.children), self.nparity)

    def map(self, offset: int, psize: int) -> RaidzMap:
        """Where a block lies on the children."""
        sector = 1 << self.ashift
        return raidz.raidz_map(offset, -(-psize // sector) * sector, self.ashift, len(self.children), self.nparity)

    def need_resilver(self, offset: int, psize: int, txg: int) -> bool:
        """Whether a child that holds some of the block misses its txg."""
        if not self.partial(txg):
            return False
        sectors = (psize - 1 >> self.ashift) + 1 + self.nparity
        count = len(self.children)
        first = (offset >> self.ashift) % count
        return sectors >= count or any(self.children[(first + c) % count].partial(txg) for c in range(sectors))

    def _write(self, zio: Zio, data: bytes) -> None:
        if RAIDZ_START.listeners:
            RAIDZ_START.fire(zio)
        where = self.map(zio.io_offset, zio.io_size)
        failures: list[ZfsError] = []
        for column, piece in zip(where.columns, where.stripe(data), strict=True):
            try:
                self.children[column.devidx].write(column.offset, piece, zio.io_txg, zio.io_flags)
            except ZfsError as failure:
                failures.append(failure)
        if RAIDZ_DONE.listeners:
            RAIDZ_DONE.fire(zio)
        if len(failures) > self.nparity:
            raise unable(
                f"{self.name} could not write {len(failures)} of {len(where.columns)} columns of the block at "
                f"{zio.io_offset:#x}; its parity stands for {self.nparity}",
                failures,
            )

    def _read(self, zio: Zio, verify: Verify | None) -> bytes:
        return _RaidzRead(self, zio, verify).run()


class _RaidzRead:
    """One read of one block."""

    def __init__(self, vdev: Raidz, zio: Zio, verify: Verify | None) -> None:
        self.vdev, self.zio, self.verify = vdev, zio, verify
        self.map = vdev.map(zio.io_offset, zio.io_size)
        self.nparity = vdev.nparity
        self.reads = [Read(column) for column in self.map.columns]
        self.unexpected = 0
        self.scan = zio.io_flags & (Flag.SCRUB | Flag.RESILVER)

    def run(self) -> bytes:
        self._start()
        if RAIDZ_DONE.listeners:
            RAIDZ_DONE.fire(self.zio)
        block = self._simple()
        if block is None:
            self.unexpected = 1
            rest = [read for read in self.reads if not read.tried]
            for read in rest:
                self._ask(read)
            block = self._simple() if rest else None
        if block is None:
            block = self._combine()
        if self.vdev.repairs and (self.unexpected or self.zio.io_flags & Flag.RESILVER):
            self._repair(block)
        return block

    def _start(self) -> None:
        """Read the data columns; from the last to the first, so that the parity is read when one was missing."""
        if RAIDZ_START.listeners:
            RAIDZ_START.fire(self.zio)
        missing = False
        for c in range(len(self.reads) - 1, -1, -1):
            read = self.reads[c]
            child = self.vdev.children[read.column.devidx]
            if not child.readable:
                read.error, read.tried, read.skipped = ENXIO, True, True
            elif child.missing(self.zio.io_txg):
                read.error, read.skipped = ESTALE, True
            else:
                if c >= self.nparity or missing or self.scan:
                    self._ask(read)
                continue
            missing = missing or c >= self.nparity

    def _ask(self, read: Read) -> None:
        column = read.column
        read.tried, read.skipped, read.error = True, False, 0
        try:
            read.data = self.vdev.children[column.devidx].read(
                column.offset, column.size, None, self.zio.io_txg, self.zio.io_flags
            )
        except ZfsError as failure:
            read.error = error_of(failure)

    def _errors(self) -> list[int]:
        return [c for c, read in enumerate(self.reads) if read.error]

    def _simple(self) -> bytes | None:
        """The block from the columns that say nothing against themselves; None when that does not verify."""
        bad = self._errors()
        self.unexpected += sum(not self.reads[c].skipped for c in bad)
        untried = sum(not read.tried and not read.error for read in self.reads[: self.nparity])
        if len(bad) > self.nparity - untried:
            return None
        block = self._rebuilt([c for c in bad if c >= self.nparity])
        if not checked(self.zio, block, self.verify):
            return None
        if any(read.tried and not read.error for read in self.reads[: self.nparity]):
            self._check_parity(block)
        return block

    def _rebuilt(self, targets: Sequence[int], spoiled: Sequence[int] = ()) -> bytes:
        """The block with the `targets`, and what had errors, reconstructed; `spoiled` parity is not believed."""
        out = {*targets, *spoiled, *self._errors()}
        columns = [None if c in out else read.data for c, read in enumerate(self.reads)]
        if not any(c >= self.nparity for c in out):
            return b"".join(columns[self.nparity :])
        if RAIDZ_RECONSTRUCT.listeners:
            RAIDZ_RECONSTRUCT.fire(self.map, tuple(targets), len(targets))
        sizes = [read.column.size for read in self.reads]
        return b"".join(reconstruct(columns, sizes, self.nparity)[self.nparity :])

    def _combine(self) -> bytes:
        """Take every set of columns that may have lied, and believe the one without which the checksum matches."""
        bad = self._errors()
        if len(bad) < self.nparity:
            data_errors = sum(c >= self.nparity for c in bad)
            if RAIDZ_COMBREC.listeners:
                RAIDZ_COMBREC.fire(self.zio, len(bad), data_errors)
            fine = [c for c in range(len(self.reads)) if c not in bad]
            for count in range(1, self.nparity - len(bad) + 1):
                for suspects in combinations(fine, count):
                    if not data_errors and suspects[-1] < self.nparity:
                        continue  # without a data column among them, the data stay as they are
                    block = self._rebuilt(suspects)
                    if checked(self.zio, block, self.verify):
                        for c in suspects:
                            self._lied(self.reads[c])
                        self._check_parity(block)
                        return block
        where = f"{self.vdev.name}: the block at {self.zio.io_offset:#x}"
        error = worst(*(self.reads[c].error for c in bad))
        if len(bad) > self.nparity and error != ECKSUM:
            raise PoolFaulted(
                f"{where} misses {len(bad)} of {len(self.reads)} columns; the parity stands for {self.nparity}"
            )
        for read in self.reads:
            if not read.error:
                ereport_checksum(self.zio, self.vdev.children[read.column.devidx])
        raise ChecksumError(f"{where} does not verify, whichever columns are reconstructed")

    def _lied(self, read: Read) -> None:
        """A column turned out to be wrong: count it against its disk."""
        if RAIDZ_CHECKSUM.listeners:
            RAIDZ_CHECKSUM.fire(self.zio, read.column, read.data)
        if not self.zio.io_flags & Flag.SPECULATIVE:
            self.vdev.children[read.column.devidx].stat.vs_checksum_errors += 1
        read.error = ECKSUM

    def _check_parity(self, block: bytes) -> None:
        """Compare the parity that was read with what the data give."""
        if self.verify is None:
            return  # ZIO_CHECKSUM_NOPARITY: nothing says that the data are the ones to believe
        made = generate(self.map.split(block), self.nparity)
        for read, right in zip(self.reads, made, strict=False):
            if read.tried and not read.error and read.data != right:
                self._lied(read)
                self.unexpected += 1

    def _repair(self, block: bytes) -> None:
        """Rewrite the columns that were wrong or missing."""
        for read, right in zip(self.reads, self.map.stripe(block), strict=True):
            if read.error:
                child = self.vdev.children[read.column.devidx]
                child.repair(read.column.offset, right, self.zio, bool(self.unexpected))
