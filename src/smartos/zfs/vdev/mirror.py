"""Mirrors: every child holds the same, so a copy that is bad can be told by its checksum and mended from another.

A read asks one child. When its copy does not verify, or there is none, the next is asked; as soon as one is good, the
bad ones are rewritten with it. Never a good one: should the power fail there, it may be the last. A block's up to three
DVAs are read in the same way, as if the root were a mirror of them. `replacing` and `spare` are mirrors that prefer
their first child, because the second is the one being filled.

Left out: random choice between DVAs (the first is first here), and the later choice by load. Follows `vdev_mirror.c`
of illumos as of 12 August 2011 (commit c9c7122 of illumos-joyent).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smartos.zfs.errors import ChecksumError, PoolFaulted, ZfsError
from smartos.zfs.vdev.base import Vdev
from smartos.zfs.vdev.zio import (
    ECKSUM,
    ENXIO,
    ESTALE,
    MIRROR_DONE,
    MIRROR_START,
    Aux,
    Flag,
    State,
    Verify,
    Zio,
    error_of,
    unable,
    worst,
)

SHIFT = 21  # vdev_mirror_shift: neighbouring reads go to the same child, each 2 MiB to the next one


@dataclass
class MirrorChild:
    """mirror_child_t: a child, where the block is on it, and how it went."""

    vdev: Vdev
    offset: int
    error: int = 0
    failure: ZfsError | None = None
    tried: bool = False
    skipped: bool = False
    speculative: bool = False


class MirrorMap:
    """mirror_map_t: one read or write of one block on all its copies."""

    def __init__(self, places: Sequence[tuple[Vdev, int]], zio: Zio, preferred: int = 0, replacing: bool = False):
        self.children = [MirrorChild(vdev, offset) for vdev, offset in places]
        self.zio, self.preferred, self.replacing = zio, preferred, replacing

    def read(self, psize: int, verify: Verify | None, repairs: bool) -> bytes:
        """Good data. Raises :class:`ChecksumError` or :class:`PoolFaulted` when no child has them."""
        scrub = self.zio.io_flags & Flag.SCRUB and not self.replacing
        data = self._read_all(psize, verify) if scrub else self._read_one(psize, verify)
        if MIRROR_DONE.listeners:
            MIRROR_DONE.fire(self.zio)
        if data is None:
            self._give_up()
        unexpected = any(c.error and not c.skipped for c in self.children)
        flags = self.zio.io_flags
        if repairs and (unexpected or flags & Flag.RESILVER or (flags & Flag.SCRUB and self.replacing)):
            self._repair(data, unexpected)
        return data

    def write(self, data: bytes, all_must: bool = False) -> None:
        """Write all copies. Raises :class:`PoolFaulted` when none could be written, or not `all_must`."""
        for child in self.children:
            self._ask(child, lambda c: c.vdev.write(c.offset, data, self.zio.io_txg, self.zio.io_flags))
        good = sum(not c.error for c in self.children)
        if good < (len(self.children) if all_must else 1):
            self._give_up()

    def _ask(self, child: MirrorChild, transfer: Callable[[MirrorChild], bytes | None]) -> bytes | None:
        child.tried, child.skipped, child.error, child.failure = True, False, 0, None
        try:
            return transfer(child)
        except ZfsError as failure:
            child.error, child.failure = error_of(failure), failure
            return None

    def _read_child(self, child: MirrorChild, psize: int, verify: Verify | None) -> bytes | None:
        return self._ask(
            child, lambda c: c.vdev.read(c.offset, psize, verify, self.zio.io_txg, self.zio.io_flags)
        )

    def _read_one(self, psize: int, verify: Verify | None) -> bytes | None:
        """Ask one child after the other until one has good data."""
        while (child := self._select()) is not None:
            data = self._read_child(child, psize, verify)
            if data is not None:
                return data
        return None

    def _read_all(self, psize: int, verify: Verify | None) -> bytes | None:
        """A scrub: ask every child, and take any good copy."""
        copies = [self._read_child(child, psize, verify) for child in self.children]
        return next((copy for copy in copies if copy is not None), None)

    def _select(self) -> MirrorChild | None:
        """The next child to ask: one that has the block's txg; without such a one, any that was not asked yet."""
        count = len(self.children)
        for turn in range(count):
            child = self.children[(self.preferred + turn) % count]
            if child.tried or child.skipped:
                continue
            if not child.vdev.readable:
                child.error, child.tried, child.skipped = ENXIO, True, True
            elif not child.vdev.missing(self.zio.io_txg):
                return child
            else:
                child.error, child.skipped, child.speculative = ESTALE, True, True
        return next((child for child in self.children if not child.tried), None)

    def _repair(self, data: bytes, unexpected: bool) -> None:
        """Rewrite the children that were bad, and those that a scrub or their DTL says are."""
        for child in self.children:
            if not child.error:
                if child.tried:
                    continue
                if not self.zio.io_flags & Flag.SCRUB and not child.vdev.partial(self.zio.io_txg):
                    continue
            child.vdev.repair(child.offset, data, self.zio, unexpected)

    def _give_up(self) -> None:
        sure = worst(*(c.error for c in self.children if not c.speculative))
        error = sure or worst(*(c.error for c in self.children))
        where = self.zio.io_vd.name
        if error == ECKSUM:
            raise ChecksumError(f"{where} has no copy of the block at {self.zio.io_offset:#x} that verifies")
        raise unable(
            f"{where} has no child that could do the I/O of {self.zio.io_size:#x} bytes",
            [c.failure for c in self.children if c.failure is not None],
        )


class Mirror(Vdev):
    """All children hold the same; one of them is enough."""

    type = "mirror"
    prefers_first = False

    def _map(self, zio: Zio) -> MirrorMap:
        if MIRROR_START.listeners:
            MIRROR_START.fire(zio)
        preferred = 0 if self.prefers_first else (zio.io_offset >> SHIFT) % len(self.children)
        return MirrorMap([(child, zio.io_offset) for child in self.children], zio, preferred, self.prefers_first)

    def _read(self, zio: Zio, verify: Verify | None) -> bytes:
        return self._map(zio).read(zio.io_size, verify, self.repairs)

    def _write(self, zio: Zio, data: bytes) -> None:
        self._map(zio).write(data)

    def _judge(self, faulted: int, degraded: int) -> tuple[State, Aux]:
        if faulted == len(self.children) and all(child.state == State.OFFLINE for child in self.children):
            return State.OFFLINE, Aux.NONE
        return super()._judge(faulted, degraded)


class Replacing(Mirror):
    """A disk and the one that is to take its place."""

    type = "replacing"
    prefers_first = True


class Spare(Mirror):
    """A disk and the hot spare that stands in for it."""

    type = "spare"
    prefers_first = True


class Root(Vdev):
    """The pool's root: its children are the top-level vdevs, over which blocks are spread."""

    type = "root"

    @property
    def name(self) -> str:
        return "root"

    @property
    def tolerated(self) -> int:
        return 0

    def read_dvas(
        self,
        dvas: Sequence[tuple[int, int]],
        psize: int,
        verify: Verify | None = None,
        txg: int = 0,
        flags: Flag = Flag.NONE,
    ) -> bytes:
        """A block from any of its DVAs, pairs of top-level vdev and offset; a bad copy is mended from a good one.

        Raises :class:`ChecksumError`, or :class:`PoolFaulted` when no DVA's vdev can be read.
        """
        zio = Zio(1, self, dvas[0][1], psize, txg, flags)
        try:
            places = [(self.child(vdev), offset) for vdev, offset in dvas]
            data = MirrorMap(places, zio).read(psize, verify, self.repairs)
        except ZfsError as failure:
            self._failed(zio, failure)
            raise
        return data

    def write_dvas(self, dvas: Sequence[tuple[int, int]], data: bytes, txg: int = 0) -> None:
        """A block to all of its DVAs, every one of which must take it; else :class:`PoolFaulted`."""
        zio = Zio(2, self, dvas[0][1], len(data), txg)
        try:
            MirrorMap([(self.child(vdev), offset) for vdev, offset in dvas], zio).write(data, all_must=True)
        except ZfsError as failure:
            self._failed(zio, failure)
            raise

    def child(self, id: int) -> Vdev:
        """The top-level vdev of that number. Raises :class:`PoolFaulted` when the pool has none."""
        if not 0 <= id < len(self.children):
            raise PoolFaulted(f"the pool has no top-level vdev {id}; it has {len(self.children)}")
        return self.children[id]

    def _judge(self, faulted: int, degraded: int) -> tuple[State, Aux]:
        if faulted:
            return State.CANT_OPEN, Aux.NO_REPLICAS
        return (State.DEGRADED if degraded else State.HEALTHY), Aux.NONE
