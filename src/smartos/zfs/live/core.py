"""What the parts of a live pool know of the pool: the fields that they share, and the few things that it does for them.

The pool itself (:class:`smartos.zfs.spa.spa.Spa`) is put together from these parts and stands above them, so they name
what they need of it here, and never import it. Follows `spa_impl.h` of illumos as of 12 August 2011, which has the fields
of `struct spa` for the files of ZFS alone.
"""

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from smartos.zfs.events import EventLog
    from smartos.zfs.format.blkptr import Blkptr
    from smartos.zfs.format.uberblock import Uberblock
    from smartos.zfs.live.bpobj import LiveBpobj
    from smartos.zfs.live.dsl_dataset import LiveDataset
    from smartos.zfs.live.dsl_pool import DslPool
    from smartos.zfs.live.metaslab import MetaslabClass
    from smartos.zfs.live.scan import Scan
    from smartos.zfs.live.spa_errlog import ErrorLog
    from smartos.zfs.live.spa_history import History
    from smartos.zfs.live.txg import TxgState
    from smartos.zfs.live.zio_write import BlockIo
    from smartos.zfs.read.reader import Reader
    from smartos.zfs.vdev.leaf import Leaf
    from smartos.zfs.vdev.mirror import Root


class SpaCore(Protocol):
    """A pool as its parts see it."""

    name: str
    guid: int
    version: int
    state: int
    suspended: str
    random: random.Random
    events: "EventLog"
    root: "Root"
    read: "Reader"
    zio: "BlockIo"
    metaslabs: "MetaslabClass"
    uberblock: "Uberblock"
    txg: "TxgState"
    syncing_txg: int
    sync_pass: int
    passes: int
    dp: "DslPool"
    deferred: "LiveBpobj"
    scan: "Scan"
    history: "History"
    errlog: "ErrorLog"
    config_dirty: bool
    config_object: int
    dtl_objects: dict[int, int]
    create_txgs: dict[int, int]

    @property
    def spare_guids(self) -> set[int]:
        """Of the disks that are hot spares."""

    def now(self) -> int:
        """Seconds since 1970."""

    def dsize(self, pointer: "Blkptr") -> int:
        """Bytes that a block takes, without the parity of RAID-Z."""

    def sync(self) -> int:
        """Sync the open transaction group; its number."""

    def task(self, name: str, work: Callable[[], object], check: Callable[[], None] | None = None) -> object:
        """Do `work` while a transaction group syncs; what it gives."""

    def assign(self, dataset: "LiveDataset", size: int, netfree: bool = False) -> None:
        """Reserve room for a change. Raises :class:`~smartos.zfs.errors.NoSpace`."""

    def datasets(self, snapshots: bool = True) -> Iterator["LiveDataset"]:
        """All datasets."""

    def free_name(self, name: str) -> Callable[[], None]:
        """What checks that a name is free, when it is called. Raises for one that there cannot be."""

    def let_go(self, gone: "Leaf") -> None:
        """A disk leaves its mirror."""

    def spares_sync(self) -> None:
        """Write the list of spares, if it has changed."""

    def dtl_sync(self) -> None:
        """Write the dirty time logs that have changed."""
