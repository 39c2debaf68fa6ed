"""The dataset and snapshot layer: directories of datasets, the datasets in them, and their lists of dead blocks.

A DSL directory is a name's place in the tree, with its space accounts, properties and children; its head dataset is the
filesystem or volume itself, and the snapshots hang behind that in a chain, youngest first. A dead list names the
blocks that a dataset has given up but that its previous snapshot may still hold; in newer pools it is split by the
snapshots' transaction groups, and each part may borrow whole lists ("subobjects").

Left out: bookmarks, holds, delegation beyond their object numbers, and the live lists of clones. Follows `dsl_dir.h`,
`dsl_dataset.h`, `bpobj.h`, `dsl_deadlist.h` and their sources.
"""

import struct
from dataclasses import dataclass, field, fields

from smartos.zfs.errors import CorruptPool
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr

DIR_SIZE, DATASET_SIZE = 256, 320
USED_HEAD, USED_SNAP, USED_CHILD, USED_CHILD_RSRV, USED_REFRSRV = range(5)
FLAG_USED_BREAKDOWN = 1  # of a directory
FLAG_INCONSISTENT, FLAG_NOPROMOTE, FLAG_UNIQUE_ACCURATE, FLAG_DEFER_DESTROY, FLAG_CI_DATASET = 1, 2, 4, 8, 1 << 16

# Names in the MOS's object directory (object 1), and of the datasets that every pool has.
POOL_DIRECTORY_OBJECT = 1
CONFIG, ROOT_DATASET, SYNC_BPOBJ, FREE_BPOBJ = "config", "root_dataset", "sync_bplist", "free_bpobj"
DEFLATE, HISTORY, PROPS, SPARES, L2CACHE = "deflate", "history", "pool_props", "spares", "l2cache"
ERRLOG_LAST, ERRLOG_SCRUB, EMPTY_BPOBJ = "errlog_last", "errlog_scrub", "empty_bpobj"
CREATION_VERSION = "creation_version"
SCAN, TMP_USERREFS, BPTREE_OBJ, DDT_STATS = "scan", "tmp_userrefs", "bptree_obj", "DDT-statistics"
FEATURES_FOR_READ, FEATURES_FOR_WRITE = "features_for_read", "features_for_write"
FEATURE_DESCRIPTIONS, FEATURE_ENABLED_TXG = "feature_descriptions", "feature_enabled_txg"
DELETED_CLONES = "com.delphix:deleted_clones"
LOG_SPACEMAP_ZAP, CHECKPOINT, CHECKSUM_SALT = (
    "com.delphix:log_spacemap_zap", "com.delphix:zpool_checkpoint", "org.illumos:checksum_salt"
)  # fmt: skip
MOS_DIR, ORIGIN_DIR, FREE_DIR, LEAK_DIR = "$MOS", "$ORIGIN", "$FREE", "$LEAK"


def _numbers(data: bytes, order: str, count: int, what: str) -> tuple[int, ...]:
    if len(data) < 8 * count:
        raise CorruptPool(f"{what} in {len(data)} bytes; it has {8 * count}")
    return struct.unpack_from(f"{order}{count}Q", data)


@dataclass(slots=True)
class DslDir:
    """A DSL directory (`dsl_dir_phys_t`), 256 bytes of bonus. Sizes are in bytes, `…_obj` are objects of the MOS."""

    creation_time: int = 0
    head_dataset_obj: int = 0
    parent_obj: int = 0
    origin_obj: int = 0
    child_dir_zapobj: int = 0
    used_bytes: int = 0
    compressed_bytes: int = 0
    uncompressed_bytes: int = 0
    quota: int = 0
    reserved: int = 0
    props_zapobj: int = 0
    deleg_zapobj: int = 0
    flags: int = 0
    used_breakdown: list[int] = field(default_factory=lambda: [0] * 5)
    clones: int = 0

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "DslDir":
        """The directory in a bonus buffer."""
        words = _numbers(data, order, 19, "a DSL directory")
        return cls(*words[:13], list(words[13:18]), words[18])

    def pack(self) -> bytes:
        """The directory's 256 bytes, little-endian."""
        head = [getattr(self, each.name) for each in fields(self)[:13]]
        return struct.pack("<19Q", *head, *self.used_breakdown, self.clones).ljust(DIR_SIZE, b"\0")


@dataclass(slots=True)
class DslDataset:
    """A dataset or snapshot (`dsl_dataset_phys_t`), 320 bytes of bonus. A snapshot has no `snapnames_zapobj`."""

    dir_obj: int = 0
    prev_snap_obj: int = 0
    prev_snap_txg: int = 0
    next_snap_obj: int = 0
    snapnames_zapobj: int = 0
    num_children: int = 0
    creation_time: int = 0
    creation_txg: int = 0
    deadlist_obj: int = 0
    referenced_bytes: int = 0
    compressed_bytes: int = 0
    uncompressed_bytes: int = 0
    unique_bytes: int = 0
    fsid_guid: int = 0
    guid: int = 0
    flags: int = 0
    bp: Blkptr = field(default_factory=Blkptr)
    next_clones_obj: int = 0
    props_obj: int = 0
    userrefs_obj: int = 0

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "DslDataset":
        """The dataset in a bonus buffer."""
        words = _numbers(data, order, 35, "a DSL dataset")
        return cls(*words[:16], Blkptr.unpack(data[128 : 128 + BLKPTR_SIZE], order), *words[32:35])

    def pack(self) -> bytes:
        """The dataset's 320 bytes, little-endian."""
        head = [getattr(self, each.name) for each in fields(self)[:16]]
        tail = (self.next_clones_obj, self.props_obj, self.userrefs_obj)
        return (struct.pack("<16Q", *head) + self.bp.pack() + struct.pack("<3Q", *tail)).ljust(DATASET_SIZE, b"\0")


@dataclass(slots=True)
class Bpobj:
    """A list of block pointers (`bpobj_phys_t`): the object's data are `num_blkptrs` pointers of 128 bytes.

    `size` is the bonus's length, by age 16, 32, 48 or 56 bytes: counts and bytes; compressed and uncompressed bytes;
    an object (`subobjs`) that lists `num_subobjs` further lists; the number of pointers that are frees.
    """

    num_blkptrs: int = 0
    bytes: int = 0
    comp: int = 0
    uncomp: int = 0
    subobjs: int = 0
    num_subobjs: int = 0
    num_freed: int = 0
    size: int = 48

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "Bpobj":
        """The list's head in a bonus buffer."""
        if len(data) not in (16, 32, 48, 56):
            raise CorruptPool(f"a list of block pointers with {len(data)} bytes of bonus")
        words = struct.unpack(f"{order}{len(data) // 8}Q", data)
        return cls(*words, *(0,) * (7 - len(words)), size=len(data))

    def pack(self) -> bytes:
        """The head's bytes, as many as `size` says."""
        words = [getattr(self, each.name) for each in fields(self)[:7]]
        return struct.pack("<7Q", *words)[: self.size]


@dataclass(slots=True)
class Deadlist:
    """A dead list's head (`dsl_deadlist_phys_t`, pool version 26 on): the object is a ZAP from txg to lists."""

    used: int = 0
    comp: int = 0
    uncomp: int = 0

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "Deadlist":
        """The head in a bonus buffer."""
        return cls(*_numbers(data, order, 3, "a dead list"))

    def pack(self) -> bytes:
        """The head's 320 bytes."""
        return struct.pack("<3Q", self.used, self.comp, self.uncomp).ljust(320, b"\0")
