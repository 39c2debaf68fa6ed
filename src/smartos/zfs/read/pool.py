"""Opening a pool for reading: from labels to the best uberblock, to the vdev tree, to the MOS, to every dataset in it.

The labels of all devices are read; the newest uberblock among them that verifies is the pool as it last was. Its block
pointer leads to the MOS, whose object directory names everything else. Nothing is written, not even repairs.

Left out: replaying an intent log (a dataset with one is shown as it was before), decryption, checkpoints as a place to
open at. Follows `spa.c` (`spa_load`), `vdev_label.c`, `dsl_pool.c` and `dsl_dataset.c`.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from smartos.zfs.dmu.dnode import block_pointer
from smartos.zfs.dmu.objset import Objset
from smartos.zfs.errors import ChecksumError, CorruptPool, NoSuchName, NotAPool, PoolFaulted, ZfsError
from smartos.zfs.format import features, nvlist
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA, SHIFT, Blkptr
from smartos.zfs.format.uberblock import Uberblock
from smartos.zfs.read import dsl
from smartos.zfs.read.dataset import MAX_DEPTH, Dataset
from smartos.zfs.read.devices import Device, check_version, config_number, labels_of, of_one_pool, top_trees, top_vdevs
from smartos.zfs.read.dsl import Bpobj, DslDataset, DslDir
from smartos.zfs.read.reader import Mapping as VdevMapping
from smartos.zfs.read.reader import Reader
from smartos.zfs.vdev.tree import Vdev

__all__ = ["Dataset", "Pool"]


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
        devices = [Device(disk, labels) for disk in disks for labels in [labels_of(disk)] if labels]
        devices = of_one_pool(devices, name)
        config = max((device.config for device in devices), key=lambda config: config_number(config, "txg"))
        check_version(config)
        tops = top_vdevs(devices, config)
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
        check_version({"version": self.uberblock.version})
        features.check(self.features)
        for number, top in enumerate(self._vdev_configs()):
            if top.get("type") == "indirect":
                self.read.mappings[number] = self._mapping(config_number(top, "com.delphix:indirect_object"))

    @property
    def name(self) -> str:
        """The pool's name."""
        return str(self.config.get("name", ""))

    @property
    def guid(self) -> int:
        """The pool's number."""
        return config_number(self.config, "pool_guid")

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
        for child in (*self._vdev_configs(), *top_trees(self.devices).values()):
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
        """The pointers in a list of blocks and in the lists that it borrows, the last first, as they would be freed."""
        dnode = self.mos.dnode(number)
        if dnode.bonustype != dmu.BPOBJ_HDR:
            raise CorruptPool(f"object {number} of the MOS is no list of block pointers")
        if depth > MAX_DEPTH:
            raise CorruptPool("lists of block pointers borrow each other in a circle")
        head = Bpobj.unpack(dnode.bonus, dnode.order)
        size = dnode.block_size
        for block in reversed(range(min(dnode.maxblkid + 1, -(-head.num_blkptrs * 128 // size)))):
            pointer = block_pointer(dnode, block, self.read)
            if pointer.hole:
                raise CorruptPool(f"the list of block pointers in object {number} has a hole")
            data = self.read(pointer)
            for at in reversed(range(0, min(size, head.num_blkptrs * 128 - block * size), 128)):
                yield Blkptr.unpack(data[at : at + 128], pointer.order)
        if head.num_subobjs and head.subobjs:
            for each in reversed(self.mos.words(self.mos.dnode(head.subobjs), head.num_subobjs)):
                yield from self.bpobj(each, depth + 1)

    def livelist(self, number: int) -> Iterator[Blkptr]:
        """The blocks of a destroyed clone that wait to be freed: what its live list says was allocated and not freed.

        The list is a table of lists by transaction group; in each, a block's free stands behind its allocation.
        """
        parts = self.mos.zap(number)
        for key in sorted(parts, key=lambda name: int(name, 16)):
            freed: Counter = Counter()
            for pointer in self.bpobj(parts[key]):
                place = pointer.dvas[0] if pointer.dvas else None, pointer.birth
                if pointer.fill & 1:
                    freed[place] += 1
                elif freed[place]:
                    freed[place] -= 1
                else:
                    yield pointer

    def bptree(self, number: int) -> Iterator[tuple[Blkptr, int, bool]]:
        """Datasets that are being destroyed, as (root, the txg that their blocks are younger than, begun already)."""
        dnode = self.mos.dnode(number)
        words = self.mos.words(dnode)
        first, end = struct.unpack_from(dnode.order + "2Q", dnode.bonus)
        for at in range(first * 21, min(end * 21, len(words) - 20), 21):  # a pointer, a txg, a bookmark of four words
            root = Blkptr.unpack(struct.pack("<16Q", *words[at : at + 16]))
            if words[at + 16] != (1 << 64) - 1:
                yield root, words[at + 16], any(words[at + 17 : at + 21])
