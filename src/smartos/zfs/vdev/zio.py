"""I/O to a vdev: what is asked (the zio), how it ended, what is counted, and the probes that show all of it.

Every I/O, of an interior vdev or of a disk, is one :class:`Zio` with the member names of `zio_t`, so a D program says
`args[0]->io_vd->vdev_path` here as it does there. A disk's I/O fires `io:::start` and `io:::done` too.

Left out: the pipeline's other stages, queues, priorities, aggregation, the vdev cache, and the retry: the real code
asks a second time before it counts an EIO, here the first one counts. Follows `zio.h`, `vdev_stat_update` and
`libdtrace/common/io.d` of illumos as of 12 August 2011 (commit c9c7122 of illumos-joyent).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.disk.disk import DiskGone, FileFull
from smartos.zfs.errors import ChecksumError, DeviceError, HostFull, PoolFaulted, ZfsError

if TYPE_CHECKING:
    from smartos.zfs.vdev.base import Vdev

Verify = Callable[[bytes], bool]

EIO, ENXIO, ECKSUM, ESTALE = 5, 6, 50, 151  # illumos' numbers; ECKSUM is EBADE under another name
_RANK = {0: 0, ENXIO: 1, ECKSUM: 2, EIO: 3}

READ, WRITE = 1, 2  # ZIO_TYPE_READ, ZIO_TYPE_WRITE


class Flag(IntFlag):
    """The zio flags that matter here, with the values of 2011."""

    NONE = 0
    IO_REPAIR = 1 << 1
    SELF_HEAL = 1 << 2
    RESILVER = 1 << 3
    SCRUB = 1 << 4
    SCAN_THREAD = 1 << 5
    CANFAIL = 1 << 6
    SPECULATIVE = 1 << 7


class State(IntEnum):
    """vdev_state_t: the lower, the worse."""

    UNKNOWN = 0
    CLOSED = 1
    OFFLINE = 2
    REMOVED = 3
    CANT_OPEN = 4
    FAULTED = 5
    DEGRADED = 6
    HEALTHY = 7


class Aux(IntEnum):
    """vdev_aux_t: why a vdev is in its state."""

    NONE = 0
    OPEN_FAILED = 1
    CORRUPT_DATA = 2
    NO_REPLICAS = 3
    BAD_GUID_SUM = 4
    TOO_SMALL = 5
    BAD_LABEL = 6
    VERSION_NEWER = 7
    VERSION_OLDER = 8
    SPARED = 9
    ERR_EXCEEDED = 10
    IO_FAILURE = 11
    BAD_LOG = 12


def state_name(state: State, aux: Aux = Aux.NONE) -> str:
    """The state as `zpool status` prints it."""
    if state == State.CANT_OPEN:
        return "FAULTED" if aux in (Aux.CORRUPT_DATA, Aux.BAD_LOG) else "UNAVAIL"
    return {State.HEALTHY: "ONLINE", State.CLOSED: "OFFLINE"}.get(state, state.name)


@dataclass
class Stat:
    """vdev_stat_t: what a vdev did and how often it failed. Bytes and operations are by type, [READ] and [WRITE]."""

    vs_ops: list[int] = field(default_factory=lambda: [0, 0, 0])
    vs_bytes: list[int] = field(default_factory=lambda: [0, 0, 0])
    vs_read_errors: int = 0
    vs_write_errors: int = 0
    vs_checksum_errors: int = 0
    vs_self_healed: int = 0
    vs_scan_processed: int = 0


@dataclass(slots=True, eq=False)
class Zio:
    """One I/O. For a leaf `io_offset` is the offset on the device, behind the labels; else the vdev's own."""

    io_type: int
    io_vd: "Vdev"
    io_offset: int
    io_size: int
    io_txg: int = 0
    io_flags: Flag = Flag.NONE
    io_error: int = 0

    def describe(self) -> str:
        """The I/O in a line: `read mirror-0 0x1000 bytes at 0x2000: ECKSUM`."""
        what = "repair" if self.io_flags & Flag.IO_REPAIR else ("", "read", "write")[self.io_type]
        end = {0: "ok", EIO: "EIO", ENXIO: "ENXIO", ECKSUM: "ECKSUM", ESTALE: "ESTALE"}[self.io_error]
        return f"{what} {self.io_vd.name} {self.io_size:#x} bytes at {self.io_offset:#x}: {end}"


@dataclass(frozen=True, slots=True)
class BufInfo:
    """bufinfo_t of the io provider: block numbers are in units of 512 bytes."""

    b_flags: int
    b_bcount: int
    b_blkno: int
    b_error: int = 0
    b_resid: int = 0

    @property
    def b_lblkno(self) -> int:
        return self.b_blkno

    @property
    def b_bufsize(self) -> int:
        return self.b_bcount


@dataclass(frozen=True, slots=True)
class DevInfo:
    """devinfo_t of the io provider."""

    dev_name: str
    dev_statname: str
    dev_pathname: str
    dev_major: int = 0
    dev_minor: int = 0
    dev_instance: int = 0


@dataclass(frozen=True, slots=True)
class FileInfo:
    """fileinfo_t of the io provider; ZFS's own I/O belongs to no file."""

    fi_name: str = "<none>"
    fi_dirname: str = "<none>"
    fi_pathname: str = "<none>"
    fi_fs: str = "<none>"
    fi_mount: str = "<none>"
    fi_offset: int = 0
    fi_oflags: int = 0


B_BUSY, B_DONE, B_ERROR, B_READ, B_WRITE, B_NOCACHE, B_FAILFAST = 0x1, 0x2, 0x4, 0x40, 0x100, 0x80000, 0x1000000
NO_FILE = FileInfo()

_IO = ("bufinfo_t *", "devinfo_t *", "fileinfo_t *")
IO_START = declare("io:genunix:bdev_strategy:start", *_IO)
IO_DONE = declare("io:genunix:biodone:done", *_IO)
STAT_UPDATE = declare("fbt:zfs:vdev_stat_update:entry", "zio_t *", "uint64_t")
CHECKSUM_ENTRY = declare("fbt:zfs:zio_checksum_error:entry", "zio_t *", "zio_bad_cksum_t *")
CHECKSUM_RETURN = declare("fbt:zfs:zio_checksum_error:return", "int", "int")
SET_STATE = declare("fbt:zfs:vdev_set_state:entry", "vdev_t *", "boolean_t", "vdev_state_t", "vdev_aux_t")
DTL_DIRTY = declare("fbt:zfs:vdev_dtl_dirty:entry", "vdev_t *", "vdev_dtl_type_t", "uint64_t", "uint64_t")
MIRROR_START = declare("fbt:zfs:vdev_mirror_io_start:entry", "zio_t *")
MIRROR_DONE = declare("fbt:zfs:vdev_mirror_io_done:entry", "zio_t *")
RAIDZ_START = declare("fbt:zfs:vdev_raidz_io_start:entry", "zio_t *")
RAIDZ_DONE = declare("fbt:zfs:vdev_raidz_io_done:entry", "zio_t *")
RAIDZ_RECONSTRUCT = declare("fbt:zfs:vdev_raidz_reconstruct:entry", "raidz_map_t *", "int *", "int")
RAIDZ_COMBREC = declare("fbt:zfs:vdev_raidz_combrec:entry", "zio_t *", "int", "int")
RAIDZ_CHECKSUM = declare("fbt:zfs:raidz_checksum_error:entry", "zio_t *", "raidz_col_t *", "void *")
EREPORT_CHECKSUM = declare(
    "fbt:zfs:zfs_ereport_start_checksum:entry",
    "spa_t *", "vdev_t *", "zio_t *", "uint64_t", "uint64_t", "void *", "zio_bad_cksum_t *",
)  # fmt: skip


def checked(zio: Zio, data: bytes, verify: Verify | None) -> bool:
    """Whether the data are what the block pointer says; shown as `zio_checksum_error`, which returns 0 or ECKSUM."""
    if verify is None:
        return True
    if CHECKSUM_ENTRY.listeners:
        CHECKSUM_ENTRY.fire(zio, None)
    good = verify(data)
    if CHECKSUM_RETURN.listeners:
        CHECKSUM_RETURN.fire(0, 0 if good else ECKSUM)
    return good


def ereport_checksum(zio: Zio, vdev: "Vdev") -> None:
    """Report a checksum error of `vdev` to fault management, unless the I/O was speculative."""
    if EREPORT_CHECKSUM.listeners and not zio.io_flags & Flag.SPECULATIVE:
        EREPORT_CHECKSUM.fire(None, vdev, zio, zio.io_offset, zio.io_size, None, None)


def error_of(failure: Exception) -> int:
    """The errno that an exception stands for."""
    if isinstance(failure, ChecksumError):
        return ECKSUM
    return ENXIO if isinstance(failure, DiskGone | PoolFaulted) else EIO


def unable(what: str, failures: Sequence[ZfsError]) -> PoolFaulted:
    """That too few could do an I/O, with the first device's reason; the host's want of room by itself."""
    full = next((each for each in failures if isinstance(each, FileFull | HostFull)), None)
    if full is not None:
        return HostFull(full.strerror if isinstance(full, FileFull) else str(full))
    cause = next((f": {each}" for each in failures if isinstance(each, DeviceError)), "")
    return PoolFaulted(what + cause)


def worst(*errors: int) -> int:
    """The error that says most: an unknown one over EIO over ECKSUM over ENXIO over none."""
    return max(errors, key=lambda error: _RANK.get(error, 4), default=0)
