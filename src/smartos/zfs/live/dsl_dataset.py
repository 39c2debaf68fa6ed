"""Datasets in motion: which blocks are a dataset's own, and what becomes of a block that it gives up.

The rule on which snapshots stand: a block that was born after the previous snapshot is nobody else's, so it is freed;
one that was there before goes to the dead list, because the snapshot still holds it. To tell them apart takes nothing
but the txg in the block pointer. No counts of references, no maps of blocks: so a snapshot costs the same, however
large the dataset is.

Left out: user holds, deferred destruction, bookmarks. Follows `dsl_dataset.c` of illumos as of 12 August 2011.
"""

from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.errors import ReadOnly
from smartos.zfs.events import Event
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.live import deadlist
from smartos.zfs.live.bpobj import sizes
from smartos.zfs.live.deadlist import LiveDeadlist
from smartos.zfs.live.dmu_objset import LiveObjset
from smartos.zfs.live.dsl_dir import LiveDir, QuotaExceeded
from smartos.zfs.read.dsl import FLAG_UNIQUE_ACCURATE, USED_HEAD, USED_REFRSRV, USED_SNAP, DslDataset

if TYPE_CHECKING:
    from smartos.zfs.live.dsl_pool import DslPool

BORN = declare("fbt:zfs:dsl_dataset_block_born:entry", "dsl_dataset_t *", "blkptr_t *", "dmu_tx_t *")
KILL = declare("fbt:zfs:dsl_dataset_block_kill:entry", "dsl_dataset_t *", "blkptr_t *", "dmu_tx_t *", "boolean_t")
DATASET_SYNC = declare("fbt:zfs:dsl_dataset_sync:entry", "dsl_dataset_t *", "zio_t *", "dmu_tx_t *")
CREATE = declare("fbt:zfs:dsl_dataset_create_sync_dd:entry", "dsl_dir_t *", "dsl_dataset_t *", "uint64_t", "dmu_tx_t *")


class LiveDataset:
    """A dataset or snapshot (`dsl_dataset_t`). `quota` and `reserved` are refquota and refreservation in bytes."""

    def __init__(self, dp: "DslPool", number: int, directory: LiveDir, snapname: str = "") -> None:
        self.dp, self.number, self.dir, self.snapname = dp, number, directory, snapname
        self.node = dp.mos.node(number)
        self.phys: DslDataset = self.node.struct_of(DslDataset)
        self.quota = self.reserved = 0
        self._objset: LiveObjset | None = None

    @classmethod
    def create(cls, dp: "DslPool", directory: LiveDir, origin: "LiveDataset | None" = None) -> "LiveDataset":
        """`dsl_dataset_create_sync_dd`: a directory's head dataset; a clone of `origin`, or of the empty `$ORIGIN`."""
        if CREATE.listeners:
            CREATE.fire(directory, origin, 0, None)
        mos, spa = dp.mos, dp.spa
        origin = origin or dp.origin_snap
        phys = DslDataset(
            dir_obj=directory.number, fsid_guid=spa.random.getrandbits(56), guid=spa.random.getrandbits(64)
        )
        node = mos.allocate(dmu.DSL_DATASET, 512, dmu.DSL_DATASET, phys)
        phys.snapnames_zapobj = mos.zap_create(dmu.DSL_DS_SNAP_MAP)
        phys.creation_time = spa.now()
        phys.creation_txg = 1 if spa.syncing_txg == 4 else spa.syncing_txg
        if origin is None:
            phys.deadlist_obj = deadlist.allocate(mos)
        else:
            theirs = origin.phys
            phys.prev_snap_obj, phys.prev_snap_txg = origin.number, theirs.creation_txg
            phys.referenced_bytes = theirs.referenced_bytes
            phys.compressed_bytes, phys.uncompressed_bytes = theirs.compressed_bytes, theirs.uncompressed_bytes
            phys.bp, phys.flags = theirs.bp, theirs.flags
            theirs.num_children += 1
            origin.node.touch()
            head = dp.dataset(origin.dir.phys.head_dataset_obj)
            phys.deadlist_obj = head.deadlist.clone(phys.prev_snap_txg)
            if spa.version >= 11:
                if not theirs.next_clones_obj:
                    theirs.next_clones_obj = mos.zap_create(dmu.NEXT_CLONES)
                dp.zap_add_int(theirs.next_clones_obj, node.number)
            directory.phys.origin_obj = origin.number
            if spa.version >= 26:
                if not origin.dir.phys.clones:
                    origin.dir.phys.clones = mos.zap_create(dmu.DSL_CLONES)
                    origin.dir.node.touch()
                dp.zap_add_int(origin.dir.phys.clones, node.number)
        if spa.version >= 9:
            phys.flags |= FLAG_UNIQUE_ACCURATE
        directory.phys.head_dataset_obj = node.number
        directory.node.touch()
        made = dp.known[node.number] = cls(dp, node.number, directory)
        return made

    @property
    def name(self) -> str:
        """The full name; of a snapshot with its part behind the @."""
        return f"{self.dir.name}@{self.snapname}" if self.snapname else self.dir.name

    @property
    def is_snapshot(self) -> bool:
        """Whether it is a snapshot: something comes after it."""
        return self.phys.num_children != 0

    @property
    def deadlist(self) -> LiveDeadlist:
        """What it gave up since its previous snapshot."""
        return LiveDeadlist(self.dp.mos, self.phys.deadlist_obj)

    @property
    def prev(self) -> "LiveDataset | None":
        """The snapshot before it, which for a clone is its origin."""
        return self.dp.dataset(self.phys.prev_snap_obj) if self.phys.prev_snap_obj else None

    @property
    def objset(self) -> LiveObjset:
        """Its objects. A snapshot's are not to be changed."""
        if self._objset is None:
            self._objset = LiveObjset(self.dp.spa, self.phys.bp, self, self.name, self.number)
            self.dp.inherit(self)
        return self._objset

    def evict(self) -> None:
        """Forget the objects in memory, because the root block was replaced."""
        self._objset = None

    def create_objset(self, kind: int) -> LiveObjset:
        """Give a dataset that has no objects an empty object set."""
        self._objset = LiveObjset.create(self.dp.spa, self, self.name, kind, self.number)
        self.dp.inherit(self)
        return self._objset

    # ---- what its object set tells

    def dirty(self) -> None:
        """Something in the object set changed. Raises :class:`ReadOnly` for a snapshot."""
        if self.is_snapshot:
            raise ReadOnly(f"{self.name} is a snapshot")
        self.dp.dirty_datasets[self.number] = self

    def _delta(self, delta: int) -> int:
        """`parent_delta`: what a change of the own space means outside, where a refreservation is counted already."""
        unique = self.phys.unique_bytes
        return max(unique + delta, self.reserved) - max(unique, self.reserved)

    def block_born(self, pointer: Blkptr) -> None:
        """`dsl_dataset_block_born`: count a new block."""
        if BORN.listeners:
            BORN.fire(self, pointer, None)
        used, compressed, uncompressed = sizes(self.dp.spa, pointer)
        delta, phys = self._delta(used), self.phys
        phys.referenced_bytes += used
        phys.compressed_bytes += compressed
        phys.uncompressed_bytes += uncompressed
        phys.unique_bytes += used
        self.node.touch()
        self.dir.diduse(USED_HEAD, delta, compressed, uncompressed)
        self.dir.transfer(used - delta, USED_REFRSRV, USED_HEAD)

    def block_kill(self, pointer: Blkptr) -> None:
        """`dsl_dataset_block_kill`: free a block, or put it on the dead list when a snapshot may hold it."""
        if pointer.hole:
            return
        if KILL.listeners:
            KILL.fire(self, pointer, None, False)
        spa, phys = self.dp.spa, self.phys
        used, compressed, uncompressed = sizes(spa, pointer)
        if pointer.birth > phys.prev_snap_txg:
            spa.zio.free(pointer)
            delta = self._delta(-used)
            phys.unique_bytes -= used
            self.dir.diduse(USED_HEAD, delta, -compressed, -uncompressed)
            self.dir.transfer(-used - delta, USED_REFRSRV, USED_HEAD)
        else:
            self.deadlist.insert(pointer)
            if spa.events.wanted:
                what = f"dead block of {self.name}, born in txg {pointer.birth}, kept by {self.prev.name}"
                spa.events.add(Event(spa.syncing_txg, spa.sync_pass, "dead", what, None, pointer.dvas))
            before = self.prev
            if before.phys.next_snap_obj == self.number and pointer.birth > before.phys.prev_snap_txg:
                before.phys.unique_bytes += used
                before.node.touch()
            if pointer.birth > self.dir.origin_txg:
                self.dir.transfer(used, USED_HEAD, USED_SNAP)
        phys.referenced_bytes -= used
        phys.compressed_bytes -= compressed
        phys.uncompressed_bytes -= uncompressed
        self.node.touch()

    def sync(self) -> None:
        """`dsl_dataset_sync`: write the objects, and keep their new root."""
        if DATASET_SYNC.listeners:
            DATASET_SYNC.fire(self, None, None)
        self.objset.sync()
        self.phys.bp = self.objset.root
        self.node.touch()

    # ---- space

    def check_quota(self, size: int) -> tuple[bool, int]:
        """`dsl_dataset_check_quota`: (whether a write may go in now, the directory's used bytes to judge it by).

        Raises :class:`QuotaExceeded` when the refquota is used up.
        """
        used = self.dir.phys.used_bytes
        waiting = self.dir.towrite
        if self.reserved > self.phys.unique_bytes:
            used -= self.reserved - self.phys.unique_bytes
        if self.quota and self.phys.referenced_bytes + waiting >= self.quota:
            if waiting > 0 or self.phys.referenced_bytes < self.quota:
                return False, used
            raise QuotaExceeded(f"{self.name}: refquota of {self.quota:,} bytes used up")
        return True, used

    def available(self) -> int:
        """`dsl_dataset_space`: what can still be written, as `zfs list` shows it."""
        space = self.dir.available()
        if self.reserved > self.phys.unique_bytes:
            space += self.reserved - self.phys.unique_bytes
        if self.quota:
            space = min(space, max(self.quota - self.phys.referenced_bytes, 0))
        return space

    def set_refreservation(self, size: int) -> None:
        """`dsl_dataset_set_reservation_sync`: promise `size` bytes to this dataset alone, without its snapshots."""
        unique = self.phys.unique_bytes
        delta = max(0, size - unique) - max(0, self.reserved - unique)
        self.reserved = size
        self.dir.diduse(USED_REFRSRV, delta, 0, 0)

    def recalc_unique(self) -> None:
        """`dsl_dataset_recalc_head_uniq`: find the own space from the previous snapshot's and the dead list's."""
        theirs = self.prev.phys.referenced_bytes if self.phys.prev_snap_obj else 0
        self.phys.unique_bytes = self.phys.referenced_bytes - (theirs - self.deadlist.space[0])
        self.phys.flags |= FLAG_UNIQUE_ACCURATE
        self.node.touch()

    def snapshots(self) -> dict[str, "LiveDataset"]:
        """The snapshots by name, oldest first."""
        table = self.dp.mos.zap(self.phys.snapnames_zapobj).entries if self.phys.snapnames_zapobj else {}
        found = {name: self.dp.dataset(entry.value) for name, entry in table.items()}
        return dict(sorted(found.items(), key=lambda each: (each[1].phys.creation_txg, each[1].number)))
