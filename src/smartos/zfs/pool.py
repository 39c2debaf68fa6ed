"""Opening a pool for reading: from labels to the best uberblock, to the vdev tree, to the MOS, to every dataset in it.

The labels of all devices are read; the newest uberblock among them that verifies is the pool as it last was. Its block
pointer leads to the MOS, whose object directory names everything else. Nothing is written, not even repairs.

Left out: replaying an intent log (a dataset with one is shown as it was before), decryption, checkpoints as a place to
open at. Follows `spa.c` (`spa_load`), `vdev_label.c`, `dsl_pool.c` and `dsl_dataset.c`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from smartos.zfs import dmu, dsl, nvlist, objset, zil
from smartos.zfs.blkptr import DVA, SHIFT, Blkptr
from smartos.zfs.dnode import block_pointer
from smartos.zfs.dsl import Bpobj, DslDataset, DslDir
from smartos.zfs.errors import ChecksumError, CorruptPool, NoSuchName, NotAPool, PoolFaulted, Unsupported, ZfsError
from smartos.zfs.label import Label, read_labels
from smartos.zfs.objset import Objset
from smartos.zfs.reader import Mapping as VdevMapping
from smartos.zfs.reader import Reader
from smartos.zfs.uberblock import Uberblock
from smartos.zfs.vdev import Vdev, build
from smartos.zfs.znode import Filesystem
from smartos.zfs.zvol import Zvol

OLDEST, NEWEST, FEATURES = 1, 28, 5000  # pool versions; from 5000 on features say what is used
MAX_VDEVS = 4096
MAX_DEPTH = 100  # of the tree of datasets; a name has fewer than 256 characters
MAX_SNAPSHOTS = 1 << 20

# The features that change how a pool is read, among them all that a current OpenZFS uses by default.
READABLE = frozenset(
    (
        "org.illumos:lz4_compress", "com.delphix:hole_birth", "com.delphix:extensible_dataset",
        "com.delphix:embedded_data", "org.open-zfs:large_blocks", "org.zfsonlinux:large_dnode", "org.illumos:sha512",
        "org.freebsd:zstd_compress", "com.delphix:device_removal", "com.delphix:obsolete_counts",
        "com.delphix:bookmarks", "com.delphix:bookmark_v2", "com.delphix:bookmark_written", "com.datto:encryption",
        "com.datto:bookmark_v2", "com.delphix:head_errlog", "com.joyent:multi_vdev_crash_dump",
        "com.delphix:redaction_bookmarks", "com.delphix:redacted_datasets", "com.delphix:zpool_checkpoint",
        "org.openzfs:blake3", "org.illumos:skein", "org.illumos:edonr", "com.klarasystems:large_microzap",
        "com.delphix:redaction_list_spill", "com.fudosecurity:block_cloning_endian",
    )
)  # fmt: skip


@dataclass
class Device:
    """A device that was looked at: the disk, its labels, and the configuration of the newest whole one."""

    disk: object
    labels: list[Label]

    @property
    def config(self) -> Mapping:
        """The configuration with the highest txg; empty when no label is whole."""
        configs = [label.config for label in self.labels if label.config]
        return max(configs, key=lambda config: _number(config, "txg"), default={})


def _number(config: Mapping, name: str, default: int = 0) -> int:
    value = config.get(name, default)
    if not isinstance(value, int):
        raise CorruptPool(f"the configuration has {value!r} as its {name}")
    return value


class Pool:
    """A pool, open for reading. `uberblock` is the one it was opened at, `config` the labels' account of the pool,
    `tops` its top-level vdevs by number, `mos` the meta object set, `directory` the MOS's object directory."""

    def __init__(
        self, devices: list[Device], uberblock: Uberblock, config: Mapping, tops: list[Vdev | None], verify: bool = True
    ) -> None:
        self.devices, self.uberblock, self.config, self.tops = devices, uberblock, config, tops
        self.read = Reader(tops, verify)
        self.mos = Objset(uberblock.rootbp, self.read)
        self.directory = self.mos.zap(dsl.POOL_DIRECTORY_OBJECT)
        self.mos_config = self._nvlist(self._object(dsl.CONFIG)) if dsl.CONFIG in self.directory else nvlist.NVList()

    @classmethod
    def open(
        cls, disks: Iterable[object], name: str | int | None = None, txg: int | None = None, verify: bool = True
    ) -> "Pool":
        """Open the pool that is on the disks; `name` (or guid) picks one of several, `txg` goes back to that group.

        `verify` False reads blocks without regard to their checksums, to look at what is damaged.

        Raises :class:`NotAPool` when there is none, :class:`PoolFaulted` when too much of it is missing,
        :class:`Unsupported` for versions and features that cannot be read here, :class:`CorruptPool`,
        :class:`ChecksumError`.
        """
        devices = [Device(disk, labels) for disk in disks for labels in [_labels(disk)] if labels]
        devices = _of_one_pool(devices, name)
        config = max((device.config for device in devices), key=lambda config: _number(config, "txg"))
        _check_version(config)
        tops = _tops(devices, config)
        found = [each for device in devices for label in device.labels for _, each in label.uberblocks]
        found = [each for each in found if txg is None or each.txg <= txg]
        failure: ZfsError | None = None
        tried: set[int] = set()
        for uberblock in sorted(found, key=Uberblock.rank, reverse=True):
            if uberblock.txg in tried:
                continue
            tried.add(uberblock.txg)
            if len(tried) > 3:
                break
            try:
                pool = cls(devices, uberblock, config, tops, verify)
            except (ChecksumError, CorruptPool, PoolFaulted) as error:
                failure = failure or error
                continue
            pool._check()
            return pool
        raise failure or NotAPool("no uberblock of the pool verifies")

    def _check(self) -> None:
        """Refuse what cannot be read: versions, features; then attach what a removed vdev left behind."""
        _check_version({"version": self.uberblock.version})
        for feature, uses in self.features.items():
            if uses and feature not in READABLE:
                raise Unsupported(f"the pool uses the feature {feature}, which cannot be read here")
        for number, top in enumerate(self._vdev_configs()):
            if top.get("type") == "indirect":
                self.read.mappings[number] = self._mapping(_number(top, "com.delphix:indirect_object"))

    @property
    def name(self) -> str:
        """The pool's name."""
        return str(self.config.get("name", ""))

    @property
    def guid(self) -> int:
        """The pool's number."""
        return _number(self.config, "pool_guid")

    @property
    def version(self) -> int:
        """The pool's version; 5000 where features count instead."""
        return self.uberblock.version

    @cached_property
    def features(self) -> dict[str, int]:
        """The features that change how the pool is read, with how often each is in use."""
        return self._features(dsl.FEATURES_FOR_READ)

    @cached_property
    def write_features(self) -> dict[str, int]:
        """The features that change only how the pool is written, with how often each is in use."""
        return self._features(dsl.FEATURES_FOR_WRITE)

    def _features(self, which: str) -> dict[str, int]:
        uses = self.mos.zap(self._object(which)) if which in self.directory else {}
        return {name: value for name, value in uses.items() if isinstance(value, int)}

    def _object(self, name: str) -> int:
        value = self.directory.get(name)
        if not isinstance(value, int):
            raise CorruptPool(f"the object directory has no {name}")
        return value

    def _nvlist(self, number: int) -> nvlist.NVList:
        dnode = self.mos.dnode(number)
        data = self.mos.read(dnode, 0, 1 << 24)
        return nvlist.unpack(data)

    def _vdev_configs(self) -> list[Mapping]:
        """The top-level vdevs' configurations as the MOS has them, which also know the removed ones."""
        tree = self.mos_config.get("vdev_tree", {})
        children = tree.get("children", []) if isinstance(tree, Mapping) else []
        if not isinstance(children, list) or not all(isinstance(child, Mapping) for child in children):
            raise CorruptPool("the pool's configuration has no list of vdevs")
        return children

    def top_config(self, number: int) -> Mapping:
        """A top-level vdev's configuration: metaslab array, shifts, size. Raises :class:`NoSuchName`."""
        for child in (*self._vdev_configs(), *_top_trees(self.devices).values()):
            if child.get("id") == number:
                return child
        raise NoSuchName(f"the pool has no vdev {number}")

    def _mapping(self, number: int) -> VdevMapping:
        dnode = self.mos.dnode(number)
        words = self.mos.words(dnode)
        mapping = VdevMapping()
        count = int.from_bytes(dnode.bonus[16:24], "little" if dnode.order == "<" else "big")
        for at in range(0, min(3 * count, len(words) - 2), 3):
            dva = DVA.of(words[at + 1], words[at + 2])
            mapping.starts.append((words[at] & (1 << 63) - 1) << SHIFT)
            mapping.moved.append((dva.asize, dva))
        if mapping.starts != sorted(mapping.starts):
            raise CorruptPool("a removed vdev's mapping is not in order")
        return mapping

    # ---- datasets

    def dsl_dir(self, number: int) -> DslDir:
        """The DSL directory with this object number."""
        dnode = self.mos.dnode(number)
        if dnode.bonustype != dmu.DSL_DIR:
            raise CorruptPool(f"object {number} of the MOS is no DSL directory")
        return DslDir.unpack(dnode.bonus, dnode.order)

    def dsl_dataset(self, number: int) -> DslDataset:
        """The DSL dataset with this object number."""
        dnode = self.mos.dnode(number)
        if dnode.bonustype != dmu.DSL_DATASET:
            raise CorruptPool(f"object {number} of the MOS is no DSL dataset")
        return DslDataset.unpack(dnode.bonus, dnode.order)

    @property
    def root(self) -> "Dataset":
        """The pool's own filesystem."""
        number = self._object(dsl.ROOT_DATASET)
        return Dataset(self, self.name, self.dsl_dir(number).head_dataset_obj, number)

    def datasets(self, snapshots: bool = True, internal: bool = False) -> Iterator["Dataset"]:
        """Every filesystem and volume, parents first, each followed by its snapshots, oldest first.

        `internal` adds those that only the pool itself uses, whose names begin with a dollar sign.
        """
        waiting, seen = [(self._object(dsl.ROOT_DATASET), self.name)], set()
        while waiting:
            number, name = waiting.pop()
            if number in seen or name.count("/") > MAX_DEPTH:
                raise CorruptPool(f"the tree of datasets leads back to {name}")
            seen.add(number)
            directory = self.dsl_dir(number)
            if directory.head_dataset_obj:
                head = Dataset(self, name, directory.head_dataset_obj, number)
                yield head
                if snapshots:
                    yield from head.snapshots()
            if directory.child_dir_zapobj:
                children = self.mos.zap(directory.child_dir_zapobj)
                for child in sorted(children, reverse=True):
                    if internal or not child.startswith("$"):
                        if not isinstance(children[child], int):
                            raise CorruptPool(f"the dataset {name}/{child} has no object number")
                        waiting.append((children[child], f"{name}/{child}"))

    def dataset(self, name: str) -> "Dataset":
        """A dataset or (with an @) a snapshot by its name. Raises :class:`NoSuchName`."""
        path, _, snapshot = name.partition("@")
        parts = path.split("/")
        if parts[0] != self.name:
            raise NoSuchName(f"{name} is not in the pool {self.name}")
        number = self._object(dsl.ROOT_DATASET)
        for depth, part in enumerate(parts[1:], 1):
            children = self.dsl_dir(number).child_dir_zapobj
            number = self.mos.zap(children).get(part) if children else None
            if not isinstance(number, int):
                raise NoSuchName(f"there is no dataset {'/'.join(parts[: depth + 1])}")
        found = Dataset(self, path, self.dsl_dir(number).head_dataset_obj, number)
        if not snapshot:
            return found
        for each in found.snapshots():
            if each.name == name:
                return each
        raise NoSuchName(f"there is no snapshot {name}")

    # ---- lists of blocks

    def bpobj(self, number: int, depth: int = 0) -> Iterator[Blkptr]:
        """The pointers in a list of blocks and in the lists that it borrows."""
        dnode = self.mos.dnode(number)
        if dnode.bonustype != dmu.BPOBJ_HDR:
            raise CorruptPool(f"object {number} of the MOS is no list of block pointers")
        if depth > MAX_DEPTH:
            raise CorruptPool("lists of block pointers borrow each other in a circle")
        head = Bpobj.unpack(dnode.bonus, dnode.order)
        left = head.num_blkptrs
        size = dnode.block_size
        for block in range(min(dnode.maxblkid + 1, -(-left * 128 // size))):
            pointer = block_pointer(dnode, block, self.read)
            if pointer.hole:
                raise CorruptPool(f"the list of block pointers in object {number} has a hole")
            data = self.read(pointer)
            for at in range(0, min(size, left * 128), 128):
                yield Blkptr.unpack(data[at : at + 128], pointer.order)
            left -= size // 128
        if head.num_subobjs and head.subobjs:
            for each in self.mos.words(self.mos.dnode(head.subobjs), head.num_subobjs):
                yield from self.bpobj(each, depth + 1)


@dataclass
class Dataset:
    """A filesystem, volume or snapshot: its full name, and the MOS's objects of the dataset and its directory."""

    pool: Pool
    name: str
    object: int
    dir_object: int

    @cached_property
    def phys(self) -> DslDataset:
        """The dataset's structure in the MOS."""
        return self.pool.dsl_dataset(self.object)

    @property
    def is_snapshot(self) -> bool:
        """Whether it is a snapshot."""
        return "@" in self.name

    @cached_property
    def objset(self) -> Objset:
        """The dataset's objects; of an encrypted one, the contents are refused."""
        return Objset(self.phys.bp, self.pool.read, self.name)

    @property
    def type(self) -> str:
        """ZPL or ZVOL, or another of the object sets' types; NONE when there are no objects yet."""
        return "NONE" if self.phys.bp.hole else objset.TYPES[self.objset.phys.type]

    @property
    def encrypted(self) -> bool:
        """Whether the dataset's blocks are encrypted."""
        return self.phys.bp.crypt

    def filesystem(self) -> Filesystem:
        """The dataset as a tree of files. Raises :class:`CorruptPool` when it is none, :class:`Unsupported` when it is
        encrypted."""
        return Filesystem(self._plain())

    def zvol(self) -> Zvol:
        """The dataset as a disk. Raises as :meth:`filesystem`."""
        return Zvol(self._plain())

    def _plain(self) -> Objset:
        if self.encrypted:
            raise Unsupported(f"{self.name} is encrypted, and no keys are handled here; its blocks can be walked all the same")
        return self.objset

    def intent_log(self) -> list[zil.LogBlock]:
        """The blocks of an intent log that nobody replayed; usually none."""
        return zil.chain(self.objset.phys.zil_header, self.pool.read.raw)

    def unreplayed(self) -> int:
        """How many records wait in the intent log; what they say is missing from what is read here."""
        return sum(block.records for block in self.intent_log())

    def snapshots(self) -> list["Dataset"]:
        """The dataset's snapshots, oldest first."""
        if self.is_snapshot or not self.phys.snapnames_zapobj:
            return []
        found = []
        for name, number in self.pool.mos.zap(self.phys.snapnames_zapobj).items():
            if not isinstance(number, int):
                raise CorruptPool(f"the snapshot {self.name}@{name} has no object number")
            found.append(Dataset(self.pool, f"{self.name}@{name}", number, self.dir_object))
        return sorted(found, key=lambda each: each.phys.creation_txg)

    @property
    def dsl_dir(self) -> DslDir:
        """The structure of the directory that the dataset is in."""
        return self.pool.dsl_dir(self.dir_object)

    def properties(self) -> dict[str, int | str]:
        """The properties set on this very dataset or snapshot, numbers and strings."""
        number = self.phys.props_obj if self.is_snapshot else self.dsl_dir.props_zapobj
        found = self.pool.mos.zap(number) if number else {}
        return {name: text(value) for name, value in found.items()}

    def property(self, name: str) -> tuple[int | str | None, str]:
        """A property's value and where it comes from: the dataset's own name, an ancestor's, or "default" (None)."""
        number, path = self.dir_object, self.name.split("@")[0]
        if self.is_snapshot and name in self.properties():
            return self.properties()[name], self.name
        for _ in range(MAX_DEPTH):
            directory = self.pool.dsl_dir(number)
            found = self.pool.mos.zap(directory.props_zapobj) if directory.props_zapobj else {}
            if name in found:
                return text(found[name]), path
            if not directory.parent_obj:
                break
            number, path = directory.parent_obj, path.rpartition("/")[0]
        return None, "default"


def text(value: object) -> int | str:
    """A property's value: bytes are a string that ends with a NUL."""
    return value.split(b"\0")[0].decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


# ---- devices and vdevs


def _labels(disk: object) -> list[Label]:
    try:
        return read_labels(disk)
    except NotAPool:
        return []


def _of_one_pool(devices: list[Device], name: str | int | None) -> list[Device]:
    """Those devices that belong to the pool asked for. Raises :class:`NotAPool` when none does, or several pools do."""
    known = [device for device in devices if "pool_guid" in device.config]
    if not known:
        trouble = [label.trouble for device in devices for label in device.labels if label.trouble]
        raise NotAPool("no device has a whole label of a pool" + (f": {trouble[0]}" if trouble else ""))
    if name is not None:
        known = [device for device in known if name in (device.config.get("name"), device.config["pool_guid"])]
        if not known:
            raise NotAPool(f"no device belongs to the pool {name}")
    pools = {device.config["pool_guid"]: device.config.get("name") for device in known}
    if len(pools) > 1:
        raise NotAPool(f"the devices belong to several pools, {', '.join(map(str, pools.values()))}; say which")
    return known


def _check_version(config: Mapping) -> None:
    version = _number(config, "version")
    if not (OLDEST <= version <= NEWEST or version == FEATURES):
        raise Unsupported(f"the pool has version {version}; {OLDEST} to {NEWEST} and {FEATURES} can be read here")
    features = config.get("features_for_read", {})
    for feature in features if isinstance(features, Mapping) else ():
        if feature not in READABLE:
            raise Unsupported(f"the pool uses the feature {feature}, which cannot be read here")


def _top_trees(devices: list[Device]) -> dict[int, Mapping]:
    """Each top-level vdev's tree as the newest of its devices' labels has it."""
    newest: dict[int, tuple[int, Mapping]] = {}
    for device in devices:
        tree = device.config.get("vdev_tree")
        if not isinstance(tree, Mapping):
            continue
        number, txg = _number(tree, "id"), _number(device.config, "txg")
        if number < MAX_VDEVS and (number not in newest or txg > newest[number][0]):
            newest[number] = (txg, tree)
    return {number: tree for number, (_, tree) in newest.items()}


def _tops(devices: list[Device], config: Mapping) -> list[Vdev | None]:
    """The top-level vdevs, built from the labels; None where a number is not taken or its devices are all missing."""
    by_guid = {device.config.get("guid"): device.disk for device in devices}
    trees = _top_trees(devices)
    if not trees:
        raise CorruptPool("no label describes a vdev")
    count = max(_number(config, "vdev_children"), max(trees) + 1)
    tops: list[Vdev | None] = [None] * min(count, MAX_VDEVS)
    for number, tree in trees.items():
        try:
            top = build(tree, lambda leaf: by_guid.get(leaf.get("guid")))
        except (TypeError, ValueError, AttributeError) as error:
            raise CorruptPool(f"the configuration of vdev {number} makes no tree: {error}") from None
        top.readonly = True
        tops[number] = top
    return tops
