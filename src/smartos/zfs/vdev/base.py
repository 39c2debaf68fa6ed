"""A vdev: a node in the tree of virtual devices of which a pool is made, with its state, its counters and its I/O.

The base of all kinds. It rounds an I/O up to whole sectors, suppresses repairs of what was never missed, counts what
happens, remembers which transaction groups a leaf missed, and passes a change of state up the tree.

Left out: guids' sums, expansion, removal of top-level vdevs, spares' and caches' bookkeeping. Follows `vdev.c` and the
vdev part of `zio.c` of illumos as of 12 August 2011 (commit c9c7122 of illumos-joyent).
"""

from collections.abc import Iterator, Sequence

from smartos.zfs.errors import ZfsError
from smartos.zfs.vdev.zio import (
    DTL_DIRTY,
    ECKSUM,
    READ,
    SET_STATE,
    STAT_UPDATE,
    WRITE,
    Aux,
    Flag,
    Stat,
    State,
    Verify,
    Zio,
    error_of,
    state_name,
)

LABEL = 256 << 10
LABEL_START = 2 * LABEL + (7 << 19)
"""VDEV_LABEL_START_SIZE: two labels and the boot area, 4 MiB; offset 0 of a leaf's data lies behind it."""
LABEL_END = 2 * LABEL
DTL_MISSING, DTL_PARTIAL, DTL_SCRUB, DTL_OUTAGE = range(4)
MINBLOCK = 9  # SPA_MINBLOCKSHIFT: 512 bytes


class Vdev:
    """The common part. Kinds give `_read`, `_write`, `type`, and for interior ones `_judge`.

    `id` is the place among the parent's children; `ashift` counts for the whole top-level vdev, the largest of its
    leaves unless `ashift` says otherwise; `readonly`, set on the topmost vdev, forbids repairs.
    """

    type = ""
    leaf = False

    def __init__(self, children: Sequence["Vdev"] = (), id: int = 0, guid: int = 0, ashift: int | None = None) -> None:
        self.id, self.guid, self.parent = id, guid, None
        self.children: list[Vdev] = list(children)
        self.stat, self.state, self.aux = Stat(), State.HEALTHY, Aux.NONE
        self.readonly = False
        self._ashift = ashift
        for place, child in enumerate(self.children):
            child.id, child.parent = place, self
        if self.children:
            self._assess()

    # The tree

    @property
    def name(self) -> str:
        """As `zpool status` has it: `mirror-0`."""
        return f"{self.type}-{self.id}"

    @property
    def top(self) -> "Vdev":
        """The top-level vdev that this one is part of, itself where it is one."""
        node = self
        while node.parent is not None and node.parent.type != "root":
            node = node.parent
        return node

    @property
    def ashift(self) -> int:
        """The binary logarithm of the smallest I/O, the same for all of a top-level vdev."""
        top = self.top
        return top._ashift or max((leaf._ashift or MINBLOCK for leaf in top.leaves()), default=MINBLOCK)

    def leaves(self) -> Iterator["Vdev"]:
        """All leaves below, in order; a leaf itself is its only one."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, "Vdev"]]:
        """This vdev and all below, with their depths, as `zpool status` lists them."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    def status(self) -> list[tuple[int, str, str, int, int, int]]:
        """A row for each vdev: depth, name, state, and the counts of read, write and checksum errors."""
        return [
            (depth, v.name, state_name(v.state, v.aux), s.vs_read_errors, s.vs_write_errors, s.vs_checksum_errors)
            for depth, v in self.walk()
            for s in (v.stat,)
        ]

    # Sizes

    @property
    def asize(self) -> int:
        """The bytes that can be allocated; an interior vdev offers what the smallest child that is there does."""
        return min((child.asize for child in self.children if child.asize > 0), default=0)

    def psize_to_asize(self, psize: int) -> int:
        """The bytes that a block of `psize` bytes takes when it is allocated here."""
        return max([_roundup(psize, 1 << self.ashift), *(child.psize_to_asize(psize) for child in self.children)])

    # I/O

    def read(
        self, offset: int, psize: int, verify: Verify | None = None, txg: int = 0, flags: Flag = Flag.NONE
    ) -> bytes:
        """The `psize` bytes of the block at `offset`, good ones: `verify` tells them; without it, any will do.

        `txg` is the block's birth, so that no vdev is asked that missed it. On the way, what proves bad is repaired.
        Raises :class:`ChecksumError` when no copy and no reconstruction verifies, :class:`PoolFaulted` when too few
        children can be read, :class:`DeviceError` when this is a leaf that cannot.
        """
        size = _roundup(psize, 1 << self.ashift)
        zio = Zio(READ, self, offset + (LABEL_START if self.leaf else 0), size, txg, flags)
        wanted = verify if verify is None or size == psize else lambda data: verify(data[:psize])
        try:
            data = self._read(zio, wanted)
        except ZfsError as failure:
            self._failed(zio, failure)
            raise
        self._done(zio)
        return data[:psize]

    def write(self, offset: int, data: bytes, txg: int = 0, flags: Flag = Flag.NONE) -> None:
        """Put a block at `offset`, filled up with zeros to whole sectors.

        Children that cannot take it remember `txg` in their dirty time logs. Raises :class:`PoolFaulted` when too few
        could take it for it to be read again, :class:`DeviceError` when this is a leaf that could not.
        """
        repair = flags & Flag.IO_REPAIR and not flags & Flag.SELF_HEAL
        if repair and txg and not self.partial(txg):
            return
        size = _roundup(len(data), 1 << self.ashift)
        zio = Zio(WRITE, self, offset + (LABEL_START if self.leaf else 0), size, txg, flags)
        try:
            self._write(zio, bytes(data) if len(data) == size else bytes(data) + bytes(size - len(data)))
        except ZfsError as failure:
            self._failed(zio, failure)
            raise
        self._done(zio)

    def flush(self) -> None:
        """Empty the write caches of all leaves that can be written; one that fails to is not asked twice."""
        for leaf in self.leaves():
            if leaf.writeable:
                leaf.flush()

    def repair(self, offset: int, data: bytes, zio: Zio, unexpected: bool) -> None:
        """Write good data where they were bad or missing; that this fails is no error of the I/O that found them."""
        flags = zio.io_flags & ~Flag.SPECULATIVE | Flag.IO_REPAIR | (Flag.SELF_HEAL if unexpected else Flag.NONE)
        try:
            self.write(offset, data, zio.io_txg, flags)
        except ZfsError:
            pass  # counted where it happened

    @property
    def repairs(self) -> bool:
        """Whether repairs are allowed: not when the pool is open for reading only."""
        node = self
        while node.parent is not None:
            node = node.parent
        return not node.readonly

    def _read(self, zio: Zio, verify: Verify | None) -> bytes:
        raise NotImplementedError

    def _write(self, zio: Zio, data: bytes) -> None:
        raise NotImplementedError

    def _done(self, zio: Zio) -> None:
        if STAT_UPDATE.listeners:
            STAT_UPDATE.fire(zio, zio.io_size)
        if zio.io_flags & Flag.IO_REPAIR:
            if zio.io_flags & Flag.SCAN_THREAD:
                self.stat.vs_scan_processed += zio.io_size
            if zio.io_flags & Flag.SELF_HEAL:
                self.stat.vs_self_healed += zio.io_size
        self.stat.vs_ops[zio.io_type] += 1
        self.stat.vs_bytes[zio.io_type] += zio.io_size

    def _failed(self, zio: Zio, failure: ZfsError) -> None:
        zio.io_error = error_of(failure)
        if STAT_UPDATE.listeners:
            STAT_UPDATE.fire(zio, zio.io_size)
        if zio.io_flags & Flag.SPECULATIVE:
            return
        if self.readable:
            if zio.io_type == WRITE:
                self.stat.vs_write_errors += 1
            elif zio.io_error == ECKSUM:
                self.stat.vs_checksum_errors += 1
            else:
                self.stat.vs_read_errors += 1
        repair, scan = zio.io_flags & Flag.IO_REPAIR, zio.io_flags & Flag.SCAN_THREAD
        if zio.io_type == WRITE and zio.io_txg and (scan or not repair):
            self._missed(zio.io_txg, bool(scan))

    def _missed(self, txg: int, scan: bool) -> None:
        """A write of `txg` did not get here. Leaves remember it."""

    # Which txgs are missing: for a leaf its dirty time log, for others what follows from their leaves

    def missing(self, txg: int) -> bool:
        """DTL_MISSING: too few children have the blocks of `txg` for them to be read here."""
        return self.outage(txg)

    def partial(self, txg: int) -> bool:
        """DTL_PARTIAL: some leaf below misses `txg`."""
        return any(child.partial(txg) for child in self.children)

    def outage(self, txg: int) -> bool:
        """DTL_OUTAGE: the blocks of `txg` cannot be read here now, because they are missing or nobody answers."""
        return sum(child.outage(txg) for child in self.children) > self.tolerated

    @property
    def tolerated(self) -> int:
        """How many children may be lost: all but one, unless the kind has another rule."""
        return len(self.children) - 1

    def dtl_reassess(self, scrub_txg: int) -> None:
        """A scan is over, or begins anew: forget what it mended, everything up to `scrub_txg`; 0 when it mended nothing.

        What a scan could not write counts for that scan only: no later one is to take it for its own failure.
        """
        for leaf in self.leaves():
            if leaf.leaf:
                leaf.excise(scrub_txg if leaf.readable else 0)

    def resilver_range(self) -> tuple[int, int] | None:
        """The lowest and highest txg that a writeable leaf below misses; None when there is nothing to resilver."""
        logs = [leaf.dtl for leaf in self.leaves() if leaf.writeable and leaf.dtl]
        return (min(log.first for log in logs), max(log.last for log in logs)) if logs else None

    def need_resilver(self, offset: int, psize: int, txg: int) -> bool:
        """Whether a resilver has to look at this block."""
        return self.partial(txg)

    # States

    @property
    def readable(self) -> bool:
        return self.state >= State.DEGRADED

    @property
    def writeable(self) -> bool:
        return self.state >= State.DEGRADED

    def set_state(self, state: State, aux: Aux = Aux.NONE) -> None:
        """Take a state, and let the vdevs above find theirs."""
        if SET_STATE.listeners and state != self.state:
            SET_STATE.fire(self, 0, state, aux)
        self.state, self.aux = state, aux
        if self.parent is not None:
            self.parent._assess()

    def _assess(self) -> None:
        """Find this vdev's state from its children's, and pass it on."""
        real = [child for child in self.children if child.type != "hole"]
        faulted = sum(not child.readable for child in real)
        degraded = sum(child.state == State.DEGRADED for child in real)
        self.set_state(*self._judge(faulted, degraded))

    def _judge(self, faulted: int, degraded: int) -> tuple[State, Aux]:
        """The state of a vdev of which so many children cannot be read and so many are degraded."""
        if faulted > self.tolerated:
            return State.CANT_OPEN, Aux.NO_REPLICAS
        return (State.DEGRADED if faulted + degraded else State.HEALTHY), Aux.NONE

    def clear(self) -> None:
        """`zpool clear`: forget the errors, and give what was faulted another chance."""
        self.stat.vs_read_errors = self.stat.vs_write_errors = self.stat.vs_checksum_errors = 0
        for child in self.children:
            child.clear()

    # The names that D programs know

    @property
    def vdev_path(self) -> str | None:
        return None

    @property
    def vdev_guid(self) -> int:
        return self.guid

    @property
    def vdev_id(self) -> int:
        return self.id

    @property
    def vdev_state(self) -> int:
        return int(self.state)

    @property
    def vdev_stat(self) -> Stat:
        return self.stat


def dtl_dirty(vdev: Vdev, kind: int, txg: int, size: int) -> None:
    """Show that a dirty time log grows: `kind` is DTL_MISSING or DTL_SCRUB."""
    if DTL_DIRTY.listeners:
        DTL_DIRTY.fire(vdev, kind, txg, size)


def _roundup(value: int, step: int) -> int:
    return -(-value // step) * step
