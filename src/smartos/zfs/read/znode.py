"""Files: the POSIX layer (ZPL), which makes of an object set a tree of directories and files with owners and times.

Object 1, the master node, names the root directory and the filesystem's version. A directory is a ZAP from names to
object numbers (with the file's type in the top bits). A file's metadata are in its dnode's bonus: a `znode_phys_t` up
to version 4, system attributes from version 5 on.

Left out: access control lists beyond their bytes, extended attributes beyond finding them, case-insensitive lookup,
ephemeral owners. Follows `zfs_znode.h`, `zfs_sa.h`, `zfs_znode.c` and `zfs_dir.c`.
"""

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from smartos.zfs.dmu import sa
from smartos.zfs.dmu.dnode import Dnode
from smartos.zfs.dmu.objset import MAX_READ, ZFS, Objset
from smartos.zfs.errors import CorruptPool, NoSuchName, NoSuchObject
from smartos.zfs.format import types as dmu

MASTER_NODE = 1
ROOT, VERSION, UNLINKED, FSID, SHARES, FUID = "ROOT", "VERSION", "DELETE_QUEUE", "FSID", "SHARES", "FUID"
ZNODE_SIZE = 264
ACL_TRIVIAL, ACL_AUTO_INHERIT, ARCHIVE, AV_MODIFIED = 0x4, 0x40, 0x800000000, 0x40000000000

Time = tuple[int, int]

_EVERY = ("atime", "mtime", "ctime", "crtime", "gen", "mode", "size", "parent", "links", "flags", "uid", "gid")


@dataclass(slots=True)
class Znode:
    """A file's metadata. Times are seconds since 1970 and nanoseconds; `gen` is the txg of creation; `mode` includes
    the file's type; `parent`, `xattr` are object numbers; `symlink` is the target of a symbolic link kept here; `acl`
    are the 88 bytes of a `zfs_acl_phys_t`."""

    atime: Time = (0, 0)
    mtime: Time = (0, 0)
    ctime: Time = (0, 0)
    crtime: Time = (0, 0)
    gen: int = 0
    mode: int = 0
    size: int = 0
    parent: int = 0
    links: int = 0
    xattr: int = 0
    rdev: int = 0
    flags: int = 0
    uid: int = 0
    gid: int = 0
    symlink: bytes | None = None
    acl: bytes = bytes(88)

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "Znode":
        """A `znode_phys_t` in a bonus buffer; what follows its 264 bytes may be a symbolic link's target."""
        if len(data) < ZNODE_SIZE:
            raise CorruptPool(f"a znode in {len(data)} bytes; it has {ZNODE_SIZE}")
        words = struct.unpack_from(order + "18Q", data)
        times = [(words[at], words[at + 1]) for at in range(0, 8, 2)]
        found = cls(*times, *words[8:], acl=data[176:ZNODE_SIZE])
        if found.mode >> 32:
            raise CorruptPool(f"a file with the mode {found.mode:#o}")
        if stat.S_ISLNK(found.mode) and found.size <= len(data) - ZNODE_SIZE:
            found.symlink = data[ZNODE_SIZE : ZNODE_SIZE + found.size]
        return found

    def pack(self) -> bytes:
        """The `znode_phys_t`, little-endian, followed by a symbolic link's target where that fits."""
        words = (
            *self.atime, *self.mtime, *self.ctime, *self.crtime, self.gen, self.mode, self.size, self.parent,
            self.links, self.xattr, self.rdev, self.flags, self.uid, self.gid,
        )  # fmt: skip
        return struct.pack("<18Q", *words) + bytes(32) + self.acl.ljust(88, b"\0")[:88] + (self.symlink or b"")

    @classmethod
    def of_attributes(cls, found: dict[str, sa.Value]) -> "Znode":
        """A znode of system attributes. Raises :class:`CorruptPool` when one that every file has is missing."""
        node = cls()
        for name in _EVERY:
            value = found.get(f"ZPL_{name.upper()}")
            if value is None:
                raise CorruptPool(f"a file without ZPL_{name.upper()}")
            setattr(node, name, value)
        if node.mode >> 32:
            raise CorruptPool(f"a file with the mode {node.mode:#o}")
        node.xattr, node.rdev = found.get("ZPL_XATTR", 0), found.get("ZPL_RDEV", 0)
        if "ZPL_SYMLINK" in found:
            node.symlink = found["ZPL_SYMLINK"]
        return node

    def attributes(self) -> dict[str, sa.Value]:
        """The system attributes of the znode, in the order in which `zfs_mknode` gives them, without an ACL."""
        found = {
            "ZPL_MODE": self.mode, "ZPL_SIZE": self.size, "ZPL_GEN": self.gen, "ZPL_UID": self.uid,
            "ZPL_GID": self.gid, "ZPL_PARENT": self.parent, "ZPL_FLAGS": self.flags, "ZPL_ATIME": self.atime,
            "ZPL_MTIME": self.mtime, "ZPL_CTIME": self.ctime, "ZPL_CRTIME": self.crtime, "ZPL_LINKS": self.links,
        }  # fmt: skip
        if stat.S_ISCHR(self.mode) or stat.S_ISBLK(self.mode):
            found["ZPL_RDEV"] = self.rdev
        if self.symlink is not None:
            found["ZPL_SYMLINK"] = self.symlink
        return found

    @property
    def is_dir(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)


def dirent(number: int, mode: int) -> int:
    """A directory's entry for an object: its number, and its type in the top four bits."""
    return stat.S_IFMT(mode) >> 12 << 60 | number


class Filesystem:
    """The files of an object set of type ZPL. Raises :class:`CorruptPool` when it is of another type."""

    def __init__(self, objset: Objset) -> None:
        if objset.phys.type != ZFS:
            raise CorruptPool(f"{objset.name} is no filesystem")
        self.objset = objset
        self.master = objset.zap(MASTER_NODE)
        self.version = self._number(VERSION)
        self.root = self._number(ROOT)
        self._layouts: sa.Layouts | None = None

    def _number(self, name: str) -> int:
        value = self.master.get(name)
        if not isinstance(value, int):
            raise CorruptPool(f"the master node of {self.objset.name} has no {name}")
        return value

    @property
    def layouts(self) -> sa.Layouts:
        """The system attributes' registry and layouts."""
        if self._layouts is None:
            main = self.objset.zap(self._number(sa.MASTER))
            both = [main.get(name) for name in (sa.REGISTRY, sa.LAYOUTS)]
            if not all(isinstance(number, int) for number in both):
                raise CorruptPool(f"{self.objset.name} has no registry of system attributes")
            self._layouts = sa.Layouts.of(*(self.objset.zap(number) for number in both))
        return self._layouts

    def attributes(self, dnode: Dnode) -> dict[str, sa.Value]:
        """An object's system attributes, from its bonus and its spill block."""
        found = self.layouts.unpack(dnode.bonus, dnode.order)
        if dnode.spill is not None and not dnode.spill.hole:
            found |= self.layouts.unpack(self.objset.read_block(dnode.spill), dnode.spill.order)
        return found

    def znode(self, number: int) -> Znode:
        """The metadata of the file with this object number. Raises :class:`NoSuchObject`, :class:`CorruptPool`."""
        return self.znode_of(self.objset.dnode(number))

    def znode_of(self, dnode: Dnode) -> Znode:
        """The metadata in a dnode's bonus."""
        if dnode.bonustype == dmu.ZNODE:
            return Znode.unpack(dnode.bonus, dnode.order)
        if dnode.bonustype == dmu.SA:
            return Znode.of_attributes(self.attributes(dnode))
        raise NoSuchObject(f"an object of {self.objset.name} is no file: its bonus is {dmu.type_name(dnode.bonustype)}")

    def listdir(self, number: int) -> dict[str, int]:
        """The names in a directory with the object numbers they stand for."""
        found = {}
        for name, value in self.objset.zap(number).items():
            if isinstance(value, tuple):
                value = value[0]
            if not isinstance(value, int):
                raise CorruptPool(f"the directory entry {name} holds no object number")
            found[name] = value & (1 << 48) - 1
        return found

    def lookup(self, path: str) -> int:
        """The object number of a path from the root. Symbolic links are not followed. Raises :class:`NoSuchName`."""
        number = self.root
        for part in path.strip("/").split("/"):
            if part in ("", "."):
                continue
            if not self.znode(number).is_dir:
                raise NoSuchName(f"{path}: what {part} should be in is no directory")
            names = self.listdir(number)
            if part not in names:
                raise NoSuchName(f"{path}: no {part} there")
            number = names[part]
        return number

    def read(self, number: int, offset: int = 0, length: int | None = None) -> bytes:
        """A file's bytes, up to its size."""
        dnode = self.objset.dnode(number)
        size = self.znode_of(dnode).size
        end = size if length is None else min(size, offset + length)
        if end - offset > MAX_READ:
            raise CorruptPool(f"a file of {size:,} bytes is to be read at once, not in parts")
        return self.objset.read(dnode, offset, max(end - offset, 0)).ljust(max(end - offset, 0), b"\0")

    def readlink(self, number: int) -> str:
        """A symbolic link's target."""
        node = self.znode(number)
        data = node.symlink if node.symlink is not None else self.read(number)
        return data.rstrip(b"\0").decode("utf-8", "surrogateescape")

    def walk(self) -> Iterator[tuple[str, int, Znode]]:
        """Every file that can be reached from the root, as (path, object number, metadata); the root has path "/".

        A directory that is met again, which no sound filesystem has, is not entered again.
        """
        seen, waiting = set(), [("/", self.root)]
        while waiting:
            path, number = waiting.pop()
            node = self.znode(number)
            yield path, number, node
            if node.is_dir and number not in seen:
                seen.add(number)
                inside = path.rstrip("/") + "/"
                names = sorted(self.listdir(number).items(), reverse=True)
                waiting += [(inside + name, child) for name, child in names]
