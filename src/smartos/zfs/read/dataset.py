"""Datasets: a filesystem, a volume or a snapshot, by its place in the pool's tree, with its properties and its objects.

Left out: quotas and reservations as rules, delegation, holds. Follows `dsl_dataset.c`, `dsl_dir.c` and `dsl_prop.c`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from smartos.zfs.dmu import objset
from smartos.zfs.dmu.objset import Objset
from smartos.zfs.errors import CorruptPool, Unsupported
from smartos.zfs.read import zil
from smartos.zfs.read.dsl import DslDataset, DslDir
from smartos.zfs.read.znode import Filesystem
from smartos.zfs.read.zvol import Zvol

if TYPE_CHECKING:
    from smartos.zfs.read.pool import Pool

MAX_DEPTH = 100  # of the tree of datasets; a name has fewer than 256 characters


@dataclass
class Dataset:
    """A filesystem, volume or snapshot: its full name, and the MOS's objects of the dataset and its directory."""

    pool: "Pool"
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
            raise Unsupported(f"{self.name} is encrypted, and no keys are handled here; its blocks can still be walked")
        return self.objset

    def intent_log(self) -> list[zil.LogBlock]:
        """The blocks of an intent log that nobody replayed; usually none."""
        return zil.chain(self.objset.phys.zil_header, self.pool.read.raw)

    def unreplayed(self) -> int:
        """How many records wait in the intent log; what they say is missing from what is read here.

        A record of a transaction group that reached the disk is no longer waiting, as `zil_replay_log_record` has it.
        """
        header = self.objset.phys.zil_header
        first = header.claim_txg or self.pool.uberblock.txg + 1
        entries = (record for block in self.intent_log() for record in block.entries)
        return sum(record.txg >= first and record.seq > header.replay_seq for record in entries)

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
