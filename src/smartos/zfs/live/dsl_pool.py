"""The pool as a tree of datasets: the MOS and what its directory names, and one sync pass over all that is dirty.

A pass writes the datasets that have changed, runs the sync tasks (whoever wants a snapshot or a new dataset waits for
the transaction group in which it happens), and then the MOS, which holds the roots of all the others. The MOS's own
blocks are counted to the directory `$MOS`, blocks of destroyed snapshots that wait to be freed to `$FREE`.

Left out: the write throttle, and freeing large datasets over several transaction groups. Follows `dsl_pool.c` and
`dsl_synctask.c` of illumos as of 12 August 2011.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.dmu import objset
from smartos.zfs.errors import NoSuchName, ZfsError
from smartos.zfs.events import Event
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.live import bpobj, dsl_prop
from smartos.zfs.live.bpobj import LiveBpobj, sizes
from smartos.zfs.live.dmu_objset import LiveObjset
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.live.dsl_dir import MIN_SLOP, LiveDir
from smartos.zfs.live.zil_commit import Zilog
from smartos.zfs.read.dsl import (
    FREE_BPOBJ,
    FREE_DIR,
    MOS_DIR,
    ORIGIN_DIR,
    POOL_DIRECTORY_OBJECT,
    ROOT_DATASET,
    USED_HEAD,
    DslDataset,
)

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

POOL_SYNC = declare("fbt:zfs:dsl_pool_sync:entry", "dsl_pool_t *", "uint64_t")
SETUP = declare("sdt:zfs:dsl_pool_sync:pool_sync-1setup")
ROOTZIO = declare("sdt:zfs:dsl_pool_sync:pool_sync-2rootzio")
TASKS = declare("sdt:zfs:dsl_pool_sync:pool_sync-3task")
IO = declare("sdt:zfs:dsl_pool_sync:pool_sync-4io", "hrtime_t", "hrtime_t")
SMALL_POOL = 48 << 20  # a disk of 64 MiB, the smallest that a real pool takes, gives more

TASK_SYNC = declare("fbt:zfs:dsl_sync_task_group_sync:entry", "dsl_sync_task_group_t *", "dmu_tx_t *")


@dataclass
class SyncTask:
    """Something to be done in syncing context. `check` raises when it cannot be; `error` is what it raised then."""

    name: str
    sync: Callable[[], object]
    check: Callable[[], None] | None = None
    result: object = None
    error: ZfsError | None = None


class DslPool:
    """The datasets of a pool. `dirs` and `known` are those directories and datasets that are in memory, by object;
    `logs` the intent logs that have noted something that is not on disk, by their datasets' objects."""

    def __init__(self, spa: "SpaCore", root: Blkptr) -> None:
        self.spa = spa
        self.dirs: dict[int, LiveDir] = {}
        self.known: dict[int, LiveDataset] = {}
        self.dirty_datasets: dict[int, LiveDataset] = {}
        self.tasks: list[SyncTask] = []
        self.logs: dict[int, Zilog] = {}
        self.mos_delta = (0, 0, 0)
        self.origin_snap: LiveDataset | None = None
        self.free_dir: LiveDir | None = None
        self.free_list: LiveBpobj | None = None
        if root.hole:
            self.mos = LiveObjset.create(spa, self, "MOS", objset.META)
        else:
            self.mos = LiveObjset(spa, root, self, "MOS")
        self.mos.copies = 3
        self.is_dirty = False

    def create(self) -> None:
        """`dsl_pool_create`: the directory, the special directories, the empty origin of all datasets."""
        mos = self.mos
        mos.zap_create(dmu.OBJECT_DIRECTORY, number=POOL_DIRECTORY_OBJECT)
        self.root_dir = LiveDir.create(self, None, self.spa.name)
        self.mos_dir = LiveDir.create(self, self.root_dir, MOS_DIR)
        if self.spa.version >= 26:
            self.free_dir = LiveDir.create(self, self.root_dir, FREE_DIR)
            self.free_list = LiveBpobj(mos, bpobj.allocate(mos))
            mos.zap_put(POOL_DIRECTORY_OBJECT, FREE_BPOBJ, self.free_list.number)
        if self.spa.version >= 11:
            from smartos.zfs.live.dsl_snapshot import snapshot_sync

            head = LiveDataset.create(self, LiveDir.create(self, self.root_dir, ORIGIN_DIR))
            self.origin_snap = snapshot_sync(head, ORIGIN_DIR)

    def load(self) -> None:
        """Find what the directory names. Raises :class:`CorruptPool`, :class:`NoSuchName`."""
        directory = self.mos.zap(POOL_DIRECTORY_OBJECT)
        self.root_dir = LiveDir(self, directory.get(ROOT_DATASET), self.spa.name, None)
        self.dirs[self.root_dir.number] = self.root_dir
        special = self.root_dir.children()
        self.mos_dir, self.free_dir = special[MOS_DIR], special.get(FREE_DIR)
        if directory.get(FREE_BPOBJ):
            self.free_list = LiveBpobj(self.mos, directory.get(FREE_BPOBJ))
        if ORIGIN_DIR in special:
            head = self.dataset(special[ORIGIN_DIR].phys.head_dataset_obj)
            self.origin_snap = self.dataset(head.phys.prev_snap_obj)

    # ---- finding

    def dir(self, number: int) -> LiveDir:
        """The directory with this object number."""
        if number not in self.dirs:
            phys = LiveDir(self, number, "", None).phys
            parent = self.dir(phys.parent_obj)
            table = self.mos.zap(parent.phys.child_dir_zapobj).entries
            name = next((name for name, entry in table.items() if entry.value == number), "")
            self.dirs[number] = LiveDir(self, number, name, parent)
        return self.dirs[number]

    def dataset(self, number: int) -> LiveDataset:
        """The dataset or snapshot with this object number."""
        if number not in self.known:
            phys: DslDataset = self.mos.node(number).struct_of(DslDataset)
            directory = self.dir(phys.dir_obj)
            name = ""
            if phys.num_children:
                head: DslDataset = self.mos.node(directory.phys.head_dataset_obj).struct_of(DslDataset)
                table = self.mos.zap(head.snapnames_zapobj).entries
                name = next((name for name, entry in table.items() if entry.value == number), "")
            made = self.known[number] = LiveDataset(self, number, directory, name)
            if not phys.num_children and directory.phys.props_zapobj:
                props = self.mos.zap(directory.phys.props_zapobj)
                made.quota, made.reserved = props.get("refquota") or 0, props.get("refreservation") or 0
        return self.known[number]

    def find_dir(self, name: str) -> LiveDir:
        """A directory by its full name. Raises :class:`NoSuchName`."""
        parts = name.split("/")
        if parts[0] != self.spa.name:
            raise NoSuchName(f"cannot open '{name}': the pool is {self.spa.name}")
        found = self.root_dir
        for part in parts[1:]:
            number = self.mos.zap(found.phys.child_dir_zapobj).get(part)
            if number is None:
                raise NoSuchName(f"cannot open '{name}': dataset does not exist")
            found = self.dir(number)
        return found

    def find(self, name: str) -> LiveDataset:
        """A dataset or snapshot by its full name. Raises :class:`NoSuchName`."""
        path, _, snapname = name.partition("@")
        found = self.dataset(self.find_dir(path).phys.head_dataset_obj)
        if not snapname:
            return found
        number = self.mos.zap(found.phys.snapnames_zapobj).get(snapname)
        if number is None:
            raise NoSuchName(f"cannot open '{name}': dataset does not exist")
        return self.dataset(number)

    def zap_add_int(self, table: int, value: int) -> None:
        """`zap_add_int`: a set of numbers, each under its own hexadecimal name."""
        self.mos.zap_put(table, f"{value:x}", value)

    def zap_remove_int(self, table: int, value: int) -> None:
        """`zap_remove_int`."""
        self.mos.zap_remove(table, f"{value:x}")

    # ---- properties

    def prop_get(self, directory: LiveDir, name: str) -> tuple[int | str, str]:
        """`dsl_prop_get`: a property as stored, and the dataset it comes from ("default" when nobody set it)."""
        at: LiveDir | None = directory
        while at is not None:
            found = self.mos.zap(at.phys.props_zapobj).get(name) if at.phys.props_zapobj else None
            if found is not None:
                if isinstance(found, bytes):
                    found = found.rstrip(b"\0").decode("utf-8", "surrogateescape")
                return found, at.name
            at = None if name in dsl_prop.ALONE else at.parent
        return dsl_prop.encode(name, dsl_prop.DEFAULTS[name]) if name in dsl_prop.DEFAULTS else "", "default"

    def inherit(self, dataset: LiveDataset) -> None:
        """Let a dataset's object set follow its properties (the callbacks of `dsl_prop_register`)."""
        made = dataset._objset
        if made is not None:
            made.checksum = self.prop_get(dataset.dir, "checksum")[0]
            made.compress = self.prop_get(dataset.dir, "compression")[0]
            made.copies = self.prop_get(dataset.dir, "copies")[0]
            made.zil.sync = self.prop_get(dataset.dir, "sync")[0]
            if made.phys.type == objset.ZFS:
                from smartos.zfs.live.zpl_create import owners

                made.account = owners

    # ---- space

    def adjusted_size(self, netfree: bool = False) -> int:
        """`dsl_pool_adjustedsize`: the space but for what is kept back, a 64th and at least 32 MiB.

        Of a pool on disks smaller than a real one takes, half is kept back.
        """
        space = self.spa.metaslabs.dspace
        slop = max(space >> 6, MIN_SLOP) if space >= SMALL_POOL else space >> 1
        return space - (slop >> 1 if netfree else slop)

    def block_born(self, pointer: Blkptr) -> None:
        """A block of the MOS was written."""
        self.mos_delta = tuple(a + b for a, b in zip(self.mos_delta, sizes(self.spa, pointer), strict=True))

    def block_kill(self, pointer: Blkptr) -> None:
        """A block of the MOS is not needed any more; nothing but the MOS ever held it."""
        self.spa.zio.free(pointer)
        self.mos_delta = tuple(a - b for a, b in zip(self.mos_delta, sizes(self.spa, pointer), strict=True))

    def dirty(self) -> None:
        """Something in the MOS changed."""
        self.is_dirty = True

    # ---- sync

    @property
    def anything(self) -> bool:
        """Whether there is something to sync."""
        return bool(self.dirty_datasets or self.tasks or self.is_dirty)

    def sync(self, txg: int) -> None:
        """`dsl_pool_sync`: one pass. What tasks make dirty is written in the next one."""
        if POOL_SYNC.listeners:
            POOL_SYNC.fire(self, txg)
        datasets, self.dirty_datasets = self.dirty_datasets, {}
        if SETUP.listeners:
            SETUP.fire()
        for number in sorted(datasets):
            datasets[number].sync()
        if ROOTZIO.listeners:
            ROOTZIO.fire()
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            self._run(task)
        if TASKS.listeners:
            TASKS.fire()
        if self.mos.changed:
            self.is_dirty = False
            self.mos.sync()
            self.spa.uberblock.rootbp = self.mos.root
            delta, self.mos_delta = self.mos_delta, (0, 0, 0)
            if any(delta):
                self.mos_dir.diduse(USED_HEAD, *delta)
        if IO.listeners:
            IO.fire(0, 0)

    def zil_clean(self, txg: int) -> None:
        """`dsl_pool_zil_clean`: the transaction group is on disk, so the intent logs can forget it."""
        for number, log in list(self.logs.items()):
            log.clean(txg)
            if not log.itxs:
                del self.logs[number]

    def _run(self, task: SyncTask) -> None:
        if TASK_SYNC.listeners:
            TASK_SYNC.fire(task, None)
        try:
            if task.check is not None:
                task.check()
        except ZfsError as error:
            task.error = error
            return
        task.result = task.sync()
        if self.spa.events.wanted:
            self.spa.events.add(Event(self.spa.syncing_txg, self.spa.sync_pass, "task", task.name))

    def free_some(self) -> None:
        """`dsl_scan_sync`'s first part: free the blocks that destroyed snapshots left, and take them off `$FREE`."""
        if self.free_list is None or not self.free_list.space[0]:
            return
        total = [0, 0, 0]

        def take(pointer: Blkptr) -> None:
            for n, amount in enumerate(sizes(self.spa, pointer)):
                total[n] += amount
            self.spa.zio.free_sync(pointer)

        self.free_list.drain(take)
        self.free_dir.diduse(USED_HEAD, *(-amount for amount in total))
