"""Directories of datasets in motion: the tree of names, and the space that is used, promised and allowed in it.

Each directory keeps what it uses by kind: its head dataset, its snapshots, its children, what children and it itself
have reserved. A change goes up to the root in the same breath; a reservation is used space of the parent's from the
moment that it is made. Quotas are looked at when a write is let in, with what is still in memory counted as well, and
a write that is let in is not stopped: so a dataset may end a little over its quota.

Left out: delegation, holds, and the estimate by worst case (six times the size): what a write will take is estimated
by its size and copies. Follows `dsl_dir.c` of illumos as of 12 August 2011.
"""

from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.errors import NoSpace
from smartos.zfs.format import types as dmu
from smartos.zfs.read.dsl import FLAG_USED_BREAKDOWN, ROOT_DATASET, USED_CHILD, USED_CHILD_RSRV, USED_HEAD, DslDir

if TYPE_CHECKING:
    from smartos.zfs.live.dsl_pool import DslPool

MIN_SLOP = 32 << 20  # SPA_MINDEVSIZE / 2

DIDUSE = declare(
    "fbt:zfs:dsl_dir_diduse_space:entry", "dsl_dir_t *", "dd_used_t", "int64_t", "int64_t", "int64_t", "dmu_tx_t *"
)
TEMPRESERVE = declare("fbt:zfs:dsl_dir_tempreserve_space:entry", "dsl_dir_t *", "uint64_t", "uint64_t")
DIR_CREATE = declare("fbt:zfs:dsl_dir_create_sync:entry", "dsl_pool_t *", "dsl_dir_t *", "char *", "dmu_tx_t *")
DIR_DESTROY = declare("fbt:zfs:dsl_dir_destroy_sync:entry", "void *", "void *", "dmu_tx_t *")


class QuotaExceeded(NoSpace):
    """The dataset, or one above it, has used up its quota (EDQUOT)."""


class LiveDir:
    """A directory (`dsl_dir_t`): `phys` is what is on disk, `towrite` the bytes that wait in memory to be written."""

    def __init__(self, dp: "DslPool", number: int, name: str, parent: "LiveDir | None") -> None:
        self.dp, self.number, self.myname, self.parent = dp, number, name, parent
        self.node = dp.mos.node(number)
        self.phys: DslDir = self.node.struct_of(DslDir)
        self.towrite = 0

    @classmethod
    def create(cls, dp: "DslPool", parent: "LiveDir | None", name: str) -> "LiveDir":
        """`dsl_dir_create_sync`: a directory without a dataset yet."""
        if DIR_CREATE.listeners:
            DIR_CREATE.fire(dp, parent, name, None)
        mos = dp.mos
        phys = DslDir(creation_time=dp.spa.now())
        node = mos.allocate(dmu.DSL_DIR, 512, dmu.DSL_DIR, phys)
        if parent is None:
            mos.zap_put(1, ROOT_DATASET, node.number)
        else:
            mos.zap_put(parent.phys.child_dir_zapobj, name, node.number)
            phys.parent_obj = parent.number
        phys.props_zapobj = mos.zap_create(dmu.DSL_PROPS)
        phys.child_dir_zapobj = mos.zap_create(dmu.DSL_DIR_CHILD_MAP)
        if dp.spa.version >= 13:
            phys.flags |= FLAG_USED_BREAKDOWN
        made = dp.dirs[node.number] = cls(dp, node.number, name, parent)
        return made

    @property
    def name(self) -> str:
        """The full name, from the pool's on."""
        return self.myname if self.parent is None else f"{self.parent.name}/{self.myname}"

    @property
    def origin_txg(self) -> int:
        """`dd_origin_txg`: when the snapshot was taken that this is a clone of; 0 when it is no clone."""
        if not self.phys.origin_obj:
            return 0
        return self.dp.dataset(self.phys.origin_obj).phys.creation_txg

    def children(self) -> dict[str, "LiveDir"]:
        """The directories below, by name."""
        table = self.dp.mos.zap(self.phys.child_dir_zapobj).entries
        return {name: self.dp.dir(entry.value) for name, entry in sorted(table.items())}

    # ---- accounts

    def diduse(self, kind: int, used: int, compressed: int, uncompressed: int) -> None:
        """`dsl_dir_diduse_space`: count space here, and what that means above."""
        if DIDUSE.listeners:
            DIDUSE.fire(self, kind, used, compressed, uncompressed, None)
        phys = self.phys
        accounted = self._parent_delta(phys.used_bytes, used)
        phys.used_bytes += used
        phys.compressed_bytes += compressed
        phys.uncompressed_bytes += uncompressed
        if phys.flags & FLAG_USED_BREAKDOWN:
            phys.used_breakdown[kind] += used
        self.node.touch()
        if self.parent is not None:
            self.parent.diduse(USED_CHILD, accounted, compressed, uncompressed)
            self.parent.transfer(used - accounted, USED_CHILD_RSRV, USED_CHILD)

    def _parent_delta(self, used: int, delta: int) -> int:
        """What a change here is to the parent: nothing, as long as it stays within the reservation."""
        reserved = self.phys.reserved
        return max(used + delta, reserved) - max(used, reserved)

    def transfer(self, delta: int, old: int, new: int) -> None:
        """`dsl_dir_transfer_space`: the same space, of another kind."""
        if delta and self.phys.flags & FLAG_USED_BREAKDOWN:
            self.phys.used_breakdown[old] -= delta
            self.phys.used_breakdown[new] += delta
            self.node.touch()

    def reserve(self, size: int) -> None:
        """`dsl_dir_set_reservation_sync`: promise `size` bytes to this directory and all below it."""
        phys = self.phys
        delta = max(phys.used_bytes, size) - max(phys.used_bytes, phys.reserved)
        phys.reserved = size
        self.node.touch()
        if self.parent is not None:
            self.parent.diduse(USED_CHILD_RSRV, delta, 0, 0)

    def available(self, on_disk: bool = True) -> int:
        """`dsl_dir_space_available`: what could still be written here, by quotas, reservations and the pool's size."""
        phys = self.phys
        used = phys.used_bytes + (0 if on_disk else self.towrite)
        if self.parent is None:
            space = self.dp.adjusted_size()
            quota = min(phys.quota or space, space)
            return max(quota - used, 0)
        space = self.parent.available(on_disk) + max(phys.reserved - used, 0)
        if phys.quota:
            space = min(space, max(phys.quota - used, 0))
        return space

    def tempreserve(
        self, size: int, netfree: bool = False, used: int | None = None, ignore_quota: bool = False
    ) -> bool:
        """Whether a write of about `size` bytes may go in. False: not in this transaction group, perhaps in the next.

        Raises :class:`QuotaExceeded` (EDQUOT) or :class:`NoSpace` (ENOSPC). One that goes in is noted in `towrite`.
        """
        if TEMPRESERVE.listeners:
            TEMPRESERVE.fire(self, size, netfree)
        phys, waiting = self.phys, self.towrite
        used = phys.used_bytes if used is None else used
        quota = phys.quota if phys.quota and not netfree and not ignore_quota else 1 << 64
        error: NoSpace = QuotaExceeded(f"{self.name}: quota of {phys.quota:,} bytes used up")
        deferred = 0
        if self.parent is None:
            space = self.dp.adjusted_size(netfree)
            deferred = self.dp.spa.metaslabs.deferred
            if space - deferred < quota:
                quota = space - deferred
                error = NoSpace(f"{self.name}: {used:,} bytes used of {space:,}")
        if used + waiting >= quota:
            later = not isinstance(error, QuotaExceeded) and used < quota + deferred
            if waiting > 0 or used < quota or later:
                return False
            raise error
        above = self._parent_delta(used + waiting, size)
        if self.parent is not None and above:
            if not self.parent.tempreserve(above, netfree, ignore_quota=not phys.head_dataset_obj):
                return False
        self.towrite += size
        return True

    def destroy(self) -> None:
        """`dsl_dir_destroy_sync`: the directory goes, whose dataset and children are gone."""
        if DIR_DESTROY.listeners:
            DIR_DESTROY.fire(self, None, None)
        mos = self.dp.mos
        self.reserve(0)
        assert not any(self.phys.used_breakdown), f"{self.name} is empty and uses {self.phys.used_breakdown}"
        for number in (self.phys.child_dir_zapobj, self.phys.props_zapobj, self.phys.deleg_zapobj, self.phys.clones):
            if number:
                mos.free(number)
        mos.zap_remove(self.parent.phys.child_dir_zapobj, self.myname)
        mos.free(self.number)
        del self.dp.dirs[self.number]


def used_head(directory: LiveDir) -> int:
    """`usedbydataset`: what the head dataset itself would give back."""
    return directory.phys.used_breakdown[USED_HEAD]
