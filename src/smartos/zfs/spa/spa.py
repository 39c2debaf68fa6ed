"""A storage pool in motion: created or imported on disks, changed in transaction groups, exported.

    pool = Spa.create("tank", [MemoryDisk(64 << 20)])
    home = pool.create("tank/home")
    home.write("/hello", b"world")
    pool.sync()
    pool.snapshot("tank/home@monday")

What is written to the disks is the real format at a version before features (28 unless told otherwise), so that any ZFS
can open it. Administration is in :mod:`~smartos.zfs.spa.admin`, devices in :mod:`~smartos.zfs.spa.devices`.

Left out: locks (commands have them, see :mod:`smartos.commands.turn`), a cache of open pools, log and cache devices,
deduplication, upgrades, and big-endian pools, which are only read. Follows `spa.c` of illumos as of 12 August 2011 (commit
c9c7122).
"""

import random
from collections.abc import Callable, Iterable, Sequence

from smartos.zfs import namecheck
from smartos.zfs.disk.disk import Disk
from smartos.zfs.errors import NoSpace, PoolFaulted, Unsupported, ZfsError
from smartos.zfs.events import EventLog
from smartos.zfs.format import checksum
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.format.label import ACTIVE, DESTROYED, EXPORTED
from smartos.zfs.format.uberblock import Uberblock
from smartos.zfs.live import bpobj, dsl_prop, spa_config, txg
from smartos.zfs.live.bpobj import LiveBpobj
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.live.dsl_pool import DslPool, SyncTask
from smartos.zfs.live.metaslab import MetaslabClass, MetaslabGroup
from smartos.zfs.live.scan import Scan
from smartos.zfs.live.spa_errlog import ErrorLog
from smartos.zfs.live.spa_history import History
from smartos.zfs.live.txg import TXG_INITIAL, TxgState, nvlist_object, txg_sync
from smartos.zfs.live.zil_replay import Replayed, check_logs
from smartos.zfs.live.zio_write import BlockIo
from smartos.zfs.read.dsl import CONFIG, CREATION_VERSION, DEFLATE, POOL_DIRECTORY_OBJECT, PROPS, SYNC_BPOBJ
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.reader import Reader, verifier
from smartos.zfs.spa.admin import Admin
from smartos.zfs.spa.devices import Devices
from smartos.zfs.stream import receive
from smartos.zfs.vdev import tree as vdev
from smartos.zfs.vdev.spec import parse
from smartos.zfs.vdev.tree import Root, State

EPOCH = 1313323200  # 14 August 2011, 12:00 UTC: where a clock begins that nobody gave
TXG_TIMEOUT = 5  # seconds that such a clock goes on with each transaction group
MAX_ASHIFT = 13
TRIES = 6


class LiveReader(Reader):
    """Reads blocks as the pool does: a bad copy at one of a block's addresses is mended from another address."""

    def __init__(self, root: Root) -> None:
        super().__init__(root.children)
        self.root = root

    def __call__(self, pointer: Blkptr) -> bytes:
        """As the reader does; but what a big-endian machine wrote is no block to go on with. Raises
        :class:`Unsupported` for it."""
        if not pointer.hole and pointer.order == ">" and (pointer.level or dmu.has_order(pointer.type)):
            what = f"L{pointer.level} {dmu.type_name(pointer.type)}"
            raise Unsupported(f"the pool has blocks of a big-endian machine ({what}), and is only read here")
        return super().__call__(pointer)

    def raw(self, pointer: Blkptr, depth: int = 0) -> bytes:
        if pointer.gang or len(pointer.dvas) < 2 or pointer.checksum in (checksum.ZILOG, checksum.ZILOG2):
            return super().raw(pointer, depth)
        self.stats["blocks"] += 1
        self.stats["bytes"] += pointer.psize
        self.stats["verified"] += 1
        places = [(dva.vdev, dva.offset) for dva in pointer.dvas]
        return self.root.read_dvas(places, pointer.psize, verifier(pointer), pointer.physical_birth or pointer.birth)


class Spa(Admin, Devices):
    """An open pool. Make one with :meth:`create` or :meth:`import_`.

    `root` is the vdev tree, `dp` the datasets, `txg` the transaction groups, `uberblock` the latest, `events` the log,
    `scan` the scrub or resilver, `replayed` what the import did with intent logs, `passes` how many passes the last group took. `suspended` says why no more is written.
    """

    def __init__(
        self, name: str, root: Root, guid: int, version: int, clock: Callable[[], int] | None = None, seed: int = 0
    ) -> None:
        self.name, self.root, self.guid, self.version = name, root, guid, version
        self.state = ACTIVE
        self.random = random.Random(seed)
        self._clock, self._now = clock, EPOCH
        self.events = EventLog()
        self.uberblock = Uberblock(version=version)
        self.read = LiveReader(root)
        self.zio = BlockIo(self)
        self.metaslabs = MetaslabClass([])
        self.syncing_txg = self.sync_pass = self.passes = 0
        self.config_dirty, self.suspended = True, ""
        self.config_object = self.props_object = 0
        self.history = History(self)
        self.errlog = ErrorLog(self)
        self.dtl_objects: dict[int, int] = {}
        self.create_txgs: dict[int, int] = {}
        self.replayed: list[Replayed] = []
        self._dtl_written: dict[int, tuple] = {}
        self._open_init()
        self.txg = TxgState(TXG_INITIAL - 1)
        self.dp: DslPool
        self.deferred: LiveBpobj
        self.scan: Scan

    # ---- making one

    @classmethod
    def _create(
        cls, name: str, vdevs: Sequence[object], *, version: int = 28, ashift: int = 9, spares: Iterable[Disk] = (),
        clock: Callable[[], int] | None = None, seed: int = 0, **properties: int | str,
    ) -> "Spa":  # fmt: skip
        """`zpool create`: a new pool on `vdevs`: disks, or tuples of a kind ("mirror", "raidz", "raidz2" …) and disks.

        `properties` are set on the pool's own filesystem. Raises :class:`Unsupported` for versions and shapes that
        there are none of, :class:`InvalidName`, :class:`PoolFaulted` when a disk is too small.
        """
        if not 15 <= version <= 28:
            raise Unsupported(f"pools are made at versions 15 to 28 here, not {version}")
        namecheck.check(f"cannot create '{name}'", namecheck.pool_name(name))
        encoded = {key: dsl_prop.encode(key, value) for key, value in properties.items()}
        chance = random.Random(seed)
        root = Root([parse(each, version) for each in vdevs])
        for _, node in root.walk():
            node.guid = chance.getrandbits(64)
        for top in root.children:
            top._ashift = min(max(ashift, 9), MAX_ASHIFT)
        spa = cls(name, root, root.guid, version, clock, seed)  # the root vdev's guid is the pool's
        spa.random = chance
        if root.state < State.HEALTHY:
            raise PoolFaulted(f"cannot create '{name}': one or more devices is too small or does not answer")
        groups = []
        for top in root.children:
            shift = max((top.asize // 200).bit_length(), 17)
            groups.append(MetaslabGroup(top, shift))
        spa.metaslabs = MetaslabClass(groups)
        for leaf in root.leaves():
            spa.create_txgs[leaf.guid] = TXG_INITIAL
        for leaf in root.leaves():
            spa_config.init_labels(spa, leaf, 0)
        spa.syncing_txg, spa.sync_pass = TXG_INITIAL, 1
        spa.dp = DslPool(spa, Blkptr())
        spa.dp.create()
        spa._first_objects()
        spa._new_filesystem(spa.dp.root_dir, encoded)
        for spare in spares:
            spa._add_spare(spare)
        txg_sync(spa)
        return spa

    def _first_objects(self) -> None:
        """The rest of what every pool's directory names."""
        mos, directory = self.dp.mos, POOL_DIRECTORY_OBJECT
        for group in self.metaslabs.groups:
            group.array = mos.allocate(dmu.OBJECT_ARRAY, 4096).number
        self.config_object = nvlist_object(self)
        self.deferred = LiveBpobj(mos, bpobj.allocate(mos))
        mos.zap_put(directory, CONFIG, self.config_object)
        mos.zap_put(directory, CREATION_VERSION, self.version)
        mos.zap_put(directory, DEFLATE, 1)
        mos.zap_put(directory, SYNC_BPOBJ, self.deferred.number)
        self.scan = Scan(self)

    @classmethod
    def import_(
        cls, disks: Iterable[Disk], name: str | None = None, *, clock: Callable[[], int] | None = None, seed: int = 1,
        new_name: str = "",
    ) -> "Spa":  # fmt: skip
        """`zpool import -f`: open the pool on the disks as its best uberblock has it, and write to it from now on.

        What a power cut left in the intent logs is done again (`replayed` says what). Raises what
        :meth:`smartos.zfs.read.pool.Pool.open` does, and :class:`Unsupported` for a pool with features, of a big-endian
        machine, or with records in an intent log that are not replayed here.
        """
        if new_name:
            namecheck.check(f"cannot import '{name or new_name}'", namecheck.pool_name(new_name))
        disks = list(disks)
        found = Pool.open(disks, name)
        if found.version > 28 or found.uberblock.rootbp.order == ">":
            raise Unsupported("a pool with features, or of a big-endian machine, is only read here")
        # by every label: one of the two pairs may be newer than the uberblock, and call a disk otherwise
        by_guid = {label.config.get("guid"): each.disk for each in found.devices for label in each.labels}
        root = vdev.build(found.mos_config["vdev_tree"], lambda leaf: by_guid.get(leaf.get("guid")))
        spa = cls(new_name or found.name, root, found.guid, found.version, clock, seed)
        if root.state < State.DEGRADED:
            raise PoolFaulted(f"cannot import '{spa.name}': one or more devices are missing")
        spa.uberblock = found.uberblock
        spa._now = max(EPOCH, found.uberblock.timestamp)
        spa.txg = TxgState(found.uberblock.txg)
        spa.dp = DslPool(spa, found.uberblock.rootbp)
        spa._load(found, disks)
        return spa

    def _load(self, found: Pool, disks: list[Disk]) -> None:
        """The second half of an import: metaslabs, lists, logs, what the devices missed."""
        mos, directory = self.dp.mos, self.dp.mos.zap(POOL_DIRECTORY_OBJECT)
        groups = []
        for top, config in zip(self.root.children, found.mos_config["vdev_tree"]["children"], strict=True):
            group = MetaslabGroup(top, config["metaslab_shift"], config["metaslab_array"], config["asize"])
            array = mos.node(group.array).words(len(group.metaslabs)) if group.array else []
            for ms, number in zip(group.metaslabs, array, strict=False):
                if number:
                    ms.load(mos, number)
            groups.append(group)
        self.metaslabs = MetaslabClass(groups)
        self.dp.load()
        self.config_object = directory.get(CONFIG)
        self.deferred = LiveBpobj(mos, directory.get(SYNC_BPOBJ))
        self.props_object = directory.get(PROPS) or 0
        self.history.load()
        self._load_devices(found, disks)
        self.scan = Scan(self)
        self.scan.load()
        self.errlog.load()
        self.replayed = check_logs(self, found.read)
        receive.forget_unfinished(self)

    def export(self, destroyed: bool = False) -> None:
        """`zpool export`: write everything, and say in the labels that nobody uses the pool; or `zpool destroy`, which
        does the same but for the word in the labels."""
        self.state, self.config_dirty = DESTROYED if destroyed else EXPORTED, True
        self.sync()
        for leaf in self.root.leaves():
            leaf.flush()

    # ---- time and space

    def now(self) -> int:
        """Seconds since 1970, by the clock that was given, or by the pool's own."""
        return self._clock() if self._clock else self._now

    def dsize(self, pointer: Blkptr) -> int:
        """`bp_get_dsize`: what a block takes in all its copies, as if there were no parity."""
        return self.metaslabs.dsize(pointer.dvas)

    # ---- transaction groups

    def sync(self) -> int:
        """`txg_wait_synced`: write the open transaction group; gives its number.

        Raises :class:`~smartos.zfs.live.txg.PoolSuspended` when the devices do not take it.
        """
        if self._clock is None:
            self._now += TXG_TIMEOUT
        return txg_sync(self)

    @property
    def waiting(self) -> bool:
        """Whether there is anything that the open transaction group would write."""
        return self.dp.anything or self.config_dirty or self.scan.wanted or bool(self.zio.frees)

    def task(self, name: str, work: Callable[[], object], check: Callable[[], None] | None = None) -> object:
        """`dsl_sync_task_do`: have something done in the open group's syncing context, and wait for it.

        Raises what `check` raises, which is asked here already and once more there; then nothing was done.
        """
        if check is not None:
            check()
        waiting = SyncTask(name, work, check)
        self.dp.tasks.append(waiting)
        self.history.follow(waiting)
        self.sync()
        if waiting.error is not None:
            raise waiting.error
        return waiting.result

    def assign(self, dataset: LiveDataset, size: int, netfree: bool = False) -> None:
        """`dmu_tx_assign`: let a change of about `size` bytes in, after a transaction group or two if need be.

        Raises :class:`NoSpace` (ENOSPC), :class:`~smartos.zfs.live.dsl_dir.QuotaExceeded` (EDQUOT).
        """
        if self.suspended:
            raise txg.PoolSuspended(f"pool '{self.name}' is suspended: {self.suspended}")
        for _ in range(TRIES):
            good, used = dataset.check_quota(size) if not netfree else (True, None)
            if good and dataset.dir.tempreserve(size, netfree, used):
                return
            self.sync()
        raise NoSpace(f"{dataset.name}: no space for {size:,} bytes")


def verify(pool: "Spa") -> "object":
    """Walk what is on the pool's disks, as somebody who knows nothing of the pool in memory: see `walk.Report`."""
    from smartos.zfs.read.walk import walk

    return walk(Pool.open([leaf.disk for leaf in pool.root.leaves() if leaf.disk is not None and leaf.readable]))


__all__ = ["LiveReader", "Spa", "ZfsError", "verify"]
