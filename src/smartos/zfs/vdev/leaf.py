"""Leaf vdevs: a disk or a file with its labels around the data, and the two kinds that stand for none.

What a leaf's disk answers it believes; that the data are right is for the block pointer's checksum to say. A disk that
does not answer at all becomes REMOVED at once (in the real system a moment later, by an asynchronous task).

Left out: vdev_probe(), which tries the labels of a failing disk before it gives it up; fault management, which takes
a disk that fails too often out of service (call :meth:`Leaf.fault` for it); whole disks against slices; devids.
Follows `vdev_disk.c`, `vdev_file.c` and `vdev_missing.c` of illumos.
"""

from collections.abc import Callable

from smartos.zfs.disk.disk import Disk, DiskError, DiskGone
from smartos.zfs.errors import Busy, ChecksumError, DeviceError
from smartos.zfs.vdev.base import DTL_MISSING, DTL_SCRUB, LABEL, LABEL_END, LABEL_START, Vdev, dtl_dirty
from smartos.zfs.vdev.dtl import DirtyTimeLog
from smartos.zfs.vdev.zio import (
    B_BUSY,
    B_DONE,
    B_ERROR,
    B_FAILFAST,
    B_NOCACHE,
    B_READ,
    B_WRITE,
    EIO,
    ENXIO,
    IO_DONE,
    IO_START,
    NO_FILE,
    READ,
    Aux,
    BufInfo,
    DevInfo,
    State,
    Verify,
    Zio,
    checked,
    ereport_checksum,
)

MINDEVSIZE = 64 << 20
"""SPA_MINDEVSIZE: a real pool takes no smaller device. Nothing here needs that much, so it is not enforced."""


class Leaf(Vdev):
    """A disk. Without one, or with one too small for the labels, it is UNAVAIL.

    `dtl` is what it missed (DTL_MISSING), `dtl_scrub` what the scan that is running could not mend.
    """

    type = "disk"
    leaf = True

    def __init__(
        self, disk: Disk | None, path: str = "", id: int = 0, guid: int = 0, ashift: int | None = None
    ) -> None:
        super().__init__((), id, guid, ashift)
        self.path = path or (disk.name if disk else "")
        self.disk = disk
        self.dtl, self.dtl_scrub = DirtyTimeLog(), DirtyTimeLog()
        if disk is None:
            self.state, self.aux = State.CANT_OPEN, Aux.OPEN_FAILED
        elif self.asize <= 0:
            self.state, self.aux = State.CANT_OPEN, Aux.TOO_SMALL

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1] or str(self.guid)

    @property
    def vdev_path(self) -> str | None:
        return self.path

    @property
    def asize(self) -> int:
        """The bytes between the labels, which take 4 MiB in front and 512 KiB behind."""
        return self.disk.size // LABEL * LABEL - LABEL_START - LABEL_END if self.disk else 0

    # I/O

    def _read(self, zio: Zio, verify: Verify | None) -> bytes:
        data = self._strategy(zio, B_READ, lambda disk: disk.read(zio.io_offset, zio.io_size))
        if not checked(zio, data, verify):
            ereport_checksum(zio, self)
            raise ChecksumError(f"{self.name} holds something else at {zio.io_offset:#x} than the checksum says")
        return data

    def _write(self, zio: Zio, data: bytes) -> None:
        self._strategy(zio, B_WRITE, lambda disk: disk.write(zio.io_offset, data))

    def flush(self) -> None:
        """DKIOCFLUSHWRITECACHE; errors are counted, none is raised."""
        try:
            if self.disk is not None and self.writeable:
                self.disk.flush()
        except DiskGone:
            self.set_state(State.REMOVED)
        except OSError:
            self.stat.vs_write_errors += 1

    def _strategy(self, zio: Zio, way: int, transfer: Callable[[Disk], bytes | None]) -> bytes | None:
        """Have the disk do it, between `io:::start` and `io:::done`."""
        if self.disk is None or not self.readable:
            raise DiskGone(f"{self.name} is not there to be {'read' if zio.io_type == READ else 'written'}")
        if IO_START.listeners:
            IO_START.fire(*self._buf(zio, B_BUSY | B_NOCACHE | B_FAILFAST | way))
        try:
            result = transfer(self.disk)
        except OSError as failure:
            if IO_DONE.listeners:
                error = ENXIO if isinstance(failure, DiskGone) else EIO
                IO_DONE.fire(*self._buf(zio, B_BUSY | B_NOCACHE | B_FAILFAST | B_DONE | B_ERROR | way, error))
            if isinstance(failure, DiskGone):
                self.set_state(State.REMOVED)
            if isinstance(failure, DeviceError):
                raise
            raise DiskError(f"{self.name}: {failure}") from failure
        if IO_DONE.listeners:
            IO_DONE.fire(*self._buf(zio, B_BUSY | B_NOCACHE | B_FAILFAST | B_DONE | way))
        return result

    def _buf(self, zio: Zio, flags: int, error: int = 0) -> tuple[BufInfo, DevInfo, object]:
        """The io provider's three arguments."""
        buf = BufInfo(flags, zio.io_size, zio.io_offset >> 9, error, zio.io_size if error else 0)
        return buf, DevInfo(self.type, self.name, self.path), NO_FILE

    # What it missed

    def missing(self, txg: int) -> bool:
        return txg in self.dtl

    def partial(self, txg: int) -> bool:
        return txg in self.dtl

    def outage(self, txg: int) -> bool:
        return not self.readable or txg in self.dtl

    def _missed(self, txg: int, scan: bool) -> None:
        if scan:
            dtl_dirty(self, DTL_SCRUB, txg, 1)
            self.dtl_scrub.add(txg)
        if txg not in self.dtl:
            dtl_dirty(self, DTL_MISSING, txg, 1)
            self.dtl.add(txg)

    def excise(self, scrub_txg: int) -> None:
        """Forget what was missed before `scrub_txg`, except what the scan failed to write; and what that was."""
        if scrub_txg:
            self.dtl.remove(0, scrub_txg)
            for start, end in self.dtl_scrub:
                self.dtl.add(start, end - start)
        self.dtl_scrub = DirtyTimeLog()

    @property
    def required(self) -> bool:
        """Whether some transaction group could not be read any more without this leaf."""
        top = self.top
        if top is self:
            return True
        bounds = {0, *(txg for leaf in top.leaves() if leaf.leaf for span in leaf.dtl for txg in span)}
        before, self.state = self.state, State.OFFLINE
        try:
            return any(top.outage(txg) for txg in bounds)
        finally:
            self.state = before

    # What an administrator or fault management does

    def offline(self) -> None:
        """`zpool offline`. Raises :class:`Busy` when some data would have no other copy."""
        if self.required:
            raise Busy(f"cannot offline {self.name}: no valid replicas")
        self.set_state(State.OFFLINE)

    def online(self, disk: Disk | None = None) -> None:
        """`zpool online`: use the disk, or another one in its place, if it answers; else it is UNAVAIL."""
        self.disk = disk or self.disk
        try:
            if self.disk is None:
                raise DiskGone(f"{self.name} has no disk")
            self.disk.read(0, 1 << self.ashift)
        except OSError:
            self.set_state(State.CANT_OPEN, Aux.OPEN_FAILED)
        else:
            small = self.asize <= 0
            self.set_state(State.CANT_OPEN if small else State.HEALTHY, Aux.TOO_SMALL if small else Aux.NONE)

    def fault(self, aux: Aux = Aux.ERR_EXCEEDED) -> None:
        """Take it out of service, as fault management does; only degrade it when it is the last to have some data."""
        self.set_state(State.DEGRADED if self.required else State.FAULTED, aux)

    def degrade(self, aux: Aux = Aux.ERR_EXCEEDED) -> None:
        """Mark it as not to be relied on, but go on using it: what too many checksum errors lead to."""
        self.set_state(State.DEGRADED, aux)

    def clear(self) -> None:
        super().clear()
        if self.state in (State.FAULTED, State.REMOVED, State.CANT_OPEN, State.DEGRADED):
            self.online()


class FileLeaf(Leaf):
    """A file in place of a disk."""

    type = "file"


class Missing(Vdev):
    """A top-level vdev that the pool had and nobody can find."""

    type = "missing"
    asize = 0

    def __init__(self, id: int = 0, guid: int = 0) -> None:
        super().__init__((), id, guid)
        self.state, self.aux = State.CANT_OPEN, Aux.OPEN_FAILED

    def outage(self, txg: int) -> bool:
        return True

    def _read(self, zio: Zio, verify: Verify | None) -> bytes:
        raise DiskGone(f"{self.name} is not there to be read")

    def _write(self, zio: Zio, data: bytes) -> None:
        raise DiskGone(f"{self.name} is not there to be written")


class Hole(Missing):
    """The place of a log device that was removed: nothing points to it."""

    type = "hole"
