"""Volumes in motion: a disk of a given size, block by block, in a dataset of its own.

Left out: the device node, changing the size. Follows `zvol.c` of illumos as of 12 August 2011.
"""

from typing import TYPE_CHECKING, NamedTuple

from smartos.probes import declare
from smartos.zfs.dmu import objset as objsets
from smartos.zfs.errors import CorruptPool, ReadOnly
from smartos.zfs.format import types as dmu
from smartos.zfs.live import zfs_log, zil_commit
from smartos.zfs.live.dmu_objset import LiveObjset
from smartos.zfs.read.zvol import OBJECT, PROPERTIES

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore
    from smartos.zfs.live.dsl_dataset import LiveDataset

BLOCK = 8 << 10
START = declare("sdt:zfs:zvol_write:zvol-uio-start", "dev_t", "uio_t *", "int")
DONE = declare("sdt:zfs:zvol_write:zvol-uio-done", "dev_t", "uio_t *", "int", "int")


class Uio(NamedTuple):
    """What the probes show of a transfer, by the names that `uio_t` has: where in the volume, and how many bytes."""

    uio_loffset: int
    uio_resid: int


def create_vol(objset: LiveObjset, size: int, block: int) -> None:
    """`zvol_create_cb`: object 1 is the disk, object 2 says its size."""
    objset.allocate(dmu.ZVOL, block, number=OBJECT)
    objset._next = PROPERTIES
    objset.zap_create(dmu.ZVOL_PROP, {"size": size}, number=PROPERTIES)


class LiveZvol:
    """A volume of an open pool, or a snapshot of one. `size` and `block_size` are in bytes."""

    def __init__(self, spa: "SpaCore", dataset: "LiveDataset") -> None:
        self.spa, self.dataset = spa, dataset
        if dataset.objset.phys.type != objsets.ZVOL:
            raise CorruptPool(f"{dataset.name} is no volume")

    @property
    def name(self) -> str:
        """The dataset's full name."""
        return self.dataset.name

    @property
    def size(self) -> int:
        """The volume's bytes."""
        return self.dataset.objset.zap(PROPERTIES).get("size")

    @property
    def block_size(self) -> int:
        """The bytes of a block, the smallest unit that is written."""
        return self.dataset.objset.node(OBJECT).block_size

    def _check(self, offset: int, length: int) -> None:
        if offset < 0 or offset + length > self.size:
            raise CorruptPool(f"{self.name} has {self.size:,} bytes; {length:,} at {offset:,} are not among them")

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the volume; zeros where nothing was written."""
        self._check(offset, length)
        return self.dataset.objset.node(OBJECT).read(offset, length)

    def write(self, offset: int, data: bytes, sync: bool = False) -> None:
        """Write to the volume, in blocks; with `sync` (no write cache, WCE) they are safe when this returns.

        Raises :class:`NoSpace`, :class:`ReadOnly` for a snapshot.
        """
        self._check(offset, len(data))
        if self.dataset.is_snapshot:
            raise ReadOnly(f"{self.name} is a snapshot")
        if START.listeners:
            START.fire(0, Uio(offset, len(data)), 1)
        at, block, log = 0, self.block_size, self.dataset.objset.zil
        sync = sync or log.sync == zil_commit.ALWAYS
        while at < len(data):
            length = min(block - (offset + at) % block, len(data) - at)
            self.spa.assign(self.dataset, block)
            piece = data[at : at + length]
            with self.spa.txg.hold(self.spa) as txg:
                self.dataset.objset.node(OBJECT).write(offset + at, piece)
                zfs_log.log_write(log, txg, OBJECT, offset + at, piece, self.get_data, sync, block)
            at += length
        if sync:
            log.commit(OBJECT)
        if DONE.listeners:
            DONE.fire(0, Uio(offset, len(data)), 1, 0)

    def get_data(self, number: int, offset: int, length: int) -> bytes:
        """`zvol_get_data`: what a write that is to be logged wrote."""
        return self.dataset.objset.node(number).read(offset, length)

    def flush(self) -> None:
        """DKIOCFLUSHWRITECACHE: return when all that was written is safe. Raises
        :class:`~smartos.zfs.live.txg.PoolSuspended`."""
        self.dataset.objset.zil.commit(OBJECT)
