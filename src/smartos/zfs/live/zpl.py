"""Files in motion: directories, files and links of a filesystem that is written to, by their paths.

Every operation is a change to the open transaction group: it is seen at once, and it is on disk, wholly, when that
group is; or before, in the intent log, when somebody asks for it by `fsync` or the property `sync`. A file of at most
one record has one block that grows with it; a longer one has blocks of `recordsize`.

Left out: open files, permissions, extended attributes, and times of access. Follows `zfs_vnops.c`, `zfs_dir.c` and
`zfs_znode.c` of illumos as of 12 August 2011.
"""

import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.dmu import objset as objsets
from smartos.zfs.errors import Busy, CorruptPool, Exists, NameTooLong, NoSuchName, ReadOnly
from smartos.zfs.live import zfs_log, zil_commit
from smartos.zfs.live.dnode_sync import Node
from smartos.zfs.live.zpl_create import Metadata, mknode
from smartos.zfs.namecheck import MAX_TARGET, check_file
from smartos.zfs.read.znode import MASTER_NODE, ROOT, Znode, dirent

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore
    from smartos.zfs.live.dmu_objset import LiveObjset
    from smartos.zfs.live.dsl_dataset import LiveDataset

OBJECT = (1 << 48) - 1
DOTS = (".", "..")  # in a directory they are no entries
META_ESTIMATE = 2048  # what a change of metadata is guessed to take

ZFS_WRITE = declare("fbt:zfs:zfs_write:entry", "vnode_t *", "uio_t *", "int", "cred_t *", "caller_context_t *")
ZFS_READ = declare("fbt:zfs:zfs_read:entry", "vnode_t *", "uio_t *", "int", "cred_t *", "caller_context_t *")
ZFS_CREATE = declare(
    "fbt:zfs:zfs_create:entry", "vnode_t *", "char *", "vattr_t *", "int", "int", "vnode_t **", "cred_t *"
)
ZFS_MKDIR = declare("fbt:zfs:zfs_mkdir:entry", "vnode_t *", "char *", "vattr_t *", "vnode_t **", "cred_t *")
ZFS_REMOVE = declare("fbt:zfs:zfs_remove:entry", "vnode_t *", "char *", "cred_t *")
ZFS_RMDIR = declare("fbt:zfs:zfs_rmdir:entry", "vnode_t *", "char *", "vnode_t *", "cred_t *")
ZFS_RENAME = declare("fbt:zfs:zfs_rename:entry", "vnode_t *", "char *", "vnode_t *", "char *", "cred_t *")
ZFS_FSYNC = declare("fbt:zfs:zfs_fsync:entry", "vnode_t *", "int", "cred_t *", "caller_context_t *")
FREESP = declare("fbt:zfs:zfs_freesp:entry", "znode_t *", "uint64_t", "uint64_t", "int", "boolean_t")


class Zpl:
    """A filesystem of an open pool, or a snapshot of one, which can only be read."""

    def __init__(self, spa: "SpaCore", dataset: "LiveDataset") -> None:
        self.spa, self.dataset = spa, dataset
        self._of: LiveObjset | None = None
        if self.objset.phys.type != objsets.ZFS:
            raise CorruptPool(f"{dataset.name} is no filesystem")

    @property
    def name(self) -> str:
        """The dataset's full name."""
        return self.dataset.name

    @property
    def objset(self) -> "LiveObjset":
        """The objects; another set after a rollback."""
        found = self.dataset.objset
        if found is not self._of:
            self._of, self.files = found, Metadata(found)
            self.root = found.zap(MASTER_NODE).get(ROOT)
        return found

    # ---- looking

    def _node(self, path: str) -> Node:
        check_file(path)
        objset = self.objset
        number = self.root
        for part in path.strip("/").split("/"):
            if not part:
                continue
            above = self._znode(number)
            if not above.is_dir:
                raise NoSuchName(f"{path}: what {part} should be in is no directory")
            if part in DOTS:
                number = above.parent if part == ".." else number
                continue
            found = objset.zap(number).get(part)
            if found is None:
                raise NoSuchName(f"{path}: no such file or directory")
            number = found & OBJECT
        return objset.node(number)

    def _znode(self, number: int) -> Znode:
        return self.files.load(self.objset.node(number))[0]

    def _place(self, path: str) -> tuple[Node, str]:
        """The directory that a path's last part is to be in, and that part."""
        check_file(path)
        above, _, name = path.rstrip("/").rpartition("/")
        if not name or name in DOTS:
            raise Exists(f"{path or '/'}: file exists")
        directory = self._node(above)
        if not self._znode(directory.number).is_dir:
            raise NoSuchName(f"{path}: {above} is no directory")
        return directory, name

    def stat(self, path: str) -> Znode:
        """A file's metadata. Raises :class:`NoSuchName`."""
        return self._znode(self._node(path).number)

    def lookup(self, path: str) -> int:
        """A file's object number. Raises :class:`NoSuchName`."""
        return self._node(path).number

    def exists(self, path: str) -> bool:
        """Whether there is something at the path."""
        try:
            self._node(path)
        except NoSuchName:
            return False
        return True

    def listdir(self, path: str = "/") -> list[str]:
        """The names in a directory, sorted. Raises :class:`NoSuchName`."""
        node = self._node(path)
        if not self._znode(node.number).is_dir:
            raise NoSuchName(f"{path}: not a directory")
        return sorted(self.objset.zap(node.number).entries)

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """A file's bytes. Raises :class:`NoSuchName`, :class:`ChecksumError` when no good copy is left."""
        node = self._node(path)
        size = self._znode(node.number).size
        if ZFS_READ.listeners:
            ZFS_READ.fire(self, (path, offset, length), 0, None, None)
        end = size if length is None else min(size, offset + length)
        return node.read(offset, max(end - offset, 0))

    def readlink(self, path: str) -> str:
        """A symbolic link's target."""
        node = self._node(path)
        znode = self._znode(node.number)
        data = znode.symlink if znode.symlink is not None else node.read(0, znode.size)
        return data.rstrip(b"\0").decode("utf-8", "surrogateescape")

    def walk(self, path: str = "/") -> Iterator[tuple[str, Znode]]:
        """Everything at and below a path, as (path, metadata), in order."""
        znode = self.stat(path)
        yield path, znode
        if znode.is_dir:
            for name in self.listdir(path):
                yield from self.walk(path.rstrip("/") + "/" + name)

    # ---- changing

    def _when(self) -> tuple[int, int]:
        return self.spa.now(), 0

    def _begin(self, size: int = META_ESTIMATE, netfree: bool = False) -> None:
        """Ask for room. Raises :class:`ReadOnly`, :class:`NoSpace`, :class:`QuotaExceeded`."""
        if self.dataset.is_snapshot:
            raise ReadOnly(f"{self.name} is a snapshot")
        if not self.objset.zil.replaying and self.spa.dp.prop_get(self.dataset.dir, "readonly")[0]:
            raise ReadOnly(f"{self.name} has readonly=on")
        self.spa.assign(self.dataset, size * self.objset.copies, netfree)

    def _always(self, foid: int = 0) -> None:
        """With `sync=always`, what was just done is safe before the caller hears of it."""
        if self.objset.zil.sync == zil_commit.ALWAYS:
            self.objset.zil.commit(foid)

    def fsync(self, path: str) -> None:
        """`zfs_fsync`: return when all that was done to the file is safe, and all names. Raises :class:`NoSuchName`,
        :class:`~smartos.zfs.live.txg.PoolSuspended`."""
        number = self.lookup(path)
        if ZFS_FSYNC.listeners:
            ZFS_FSYNC.fire(self, 0, None, None)
        self.objset.zil.commit(number)

    def get_data(self, number: int, offset: int, length: int) -> bytes | None:
        """`zfs_get_data`: what a write that is to be logged wrote; None when the file is gone or ends before it."""
        if not self.objset.exists(number) or offset >= self._znode(number).size:
            return None
        return self.objset.node(number).read(offset, length)

    def _link(self, directory: Node, name: str, node: Node, delta_links: int) -> None:
        """`zfs_link_create`: a name for a file in a directory."""
        znode, before = self.files.load(node)
        znode.links += 1
        znode.parent, znode.ctime = directory.number, self._when()
        self.files.store(node, znode, before)
        self.objset.zap_put(directory.number, name, dirent(node.number, znode.mode))
        self._touch_dir(directory, 1, delta_links)

    def _touch_dir(self, directory: Node, size: int, links: int) -> None:
        znode, before = self.files.load(directory)
        znode.size += size
        znode.links += links
        znode.mtime = znode.ctime = self._when()
        self.files.store(directory, znode, before)

    def _make(self, path: str, mode: int, link: bytes | None = None, uid: int = 0, gid: int = 0) -> Node:
        directory, name = self._place(path)
        if self.objset.zap(directory.number).get(name) is not None:
            raise Exists(f"{path}: file exists")
        self._begin()
        directory = self._place(path)[0]  # a transaction group may have gone by
        node = self.make(directory, name, mode, link, (uid, gid))
        self._always()
        return node

    def make(
        self, directory: Node, name: str, mode: int, link: bytes | None, owner: tuple[int, int], number: int = 0,
        crtime: tuple[int, int] | None = None, gen: int = 0,
    ) -> Node:  # fmt: skip
        """A file in a directory, where there is none of the name; of a number, time and generation that a log says."""
        when = crtime or self._when()
        with self.spa.txg.hold(self.spa) as txg:
            node = mknode(self.files, mode, directory.number, when, gen or txg, *owner, link, number)
            self._link(directory, name, node, 1 if stat.S_ISDIR(mode) else 0)
            log = self.objset.zil
            zfs_log.log_create(log, txg, directory.number, node.number, mode, owner, gen or txg, when, name, link)
        return node

    def create(self, path: str, mode: int = 0o644, uid: int = 0, gid: int = 0) -> int:
        """An empty file; gives its object. Raises :class:`Exists`, :class:`NoSuchName`, :class:`NoSpace`."""
        if ZFS_CREATE.listeners:
            ZFS_CREATE.fire(self, path, None, 0, mode, None, None)
        return self._make(path, stat.S_IFREG | mode, None, uid, gid).number

    def mkdir(self, path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> int:
        """A directory; gives its object. Raises :class:`Exists`, :class:`NoSuchName`, :class:`NoSpace`."""
        if ZFS_MKDIR.listeners:
            ZFS_MKDIR.fire(self, path, None, None, None)
        return self._make(path, stat.S_IFDIR | mode, None, uid, gid).number

    def symlink(self, path: str, target: str) -> int:
        """A symbolic link; gives its object. Raises :class:`NameTooLong`, :class:`Exists`, :class:`NoSuchName`."""
        check_file(path)
        data = target.encode("utf-8", "surrogateescape")
        if not data or b"\0" in data:
            raise NoSuchName(f"{path}: a link's target has at least one character, and no NUL")
        if len(data) > MAX_TARGET:
            raise NameTooLong(f"{path}: a link's target has at most {MAX_TARGET:,} bytes, not {len(data):,}")
        return self._make(path, stat.S_IFLNK | 0o777, data).number

    def link(self, existing: str, path: str) -> None:
        """A second name for a file. Raises :class:`Busy` for a directory."""
        node = self._node(existing)
        if self._znode(node.number).is_dir:
            raise Busy(f"{existing}: a directory has one name only")
        self._begin()
        directory, name = self._place(path)
        if self.objset.zap(directory.number).get(name) is not None:
            raise Exists(f"{path}: file exists")
        self.link_node(directory, name, node)
        self._always()

    def link_node(self, directory: Node, name: str, node: Node) -> None:
        """A name more for a file."""
        with self.spa.txg.hold(self.spa) as txg:
            self._link(directory, name, node, 0)
            zfs_log.log_link(self.objset.zil, txg, directory.number, node.number, name)

    def write(self, path: str, data: bytes, offset: int | None = None, sync: bool = False) -> None:
        """Write to a file, which is made when it is not there; without `offset`, the data are all that it then holds.

        With `sync` (FSYNC, as an open file has it by O_SYNC) they are safe when this returns. Raises :class:`NoSpace`
        (ENOSPC), :class:`QuotaExceeded` (EDQUOT), :class:`ReadOnly`, :class:`NoSuchName`. What was written before the
        error stays.
        """
        if not self.exists(path):
            self.create(path)
        if self.stat(path).is_dir:
            raise Busy(f"{path}: is a directory")
        if ZFS_WRITE.listeners:
            ZFS_WRITE.fire(self, (path, offset, len(data)), 0, None, None)
        if offset is None and self.stat(path).size > len(data):
            self.truncate(path, len(data))
        number = self.lookup(path)
        self.write_node(number, data, offset or 0, sync)
        if sync or self.objset.zil.sync == zil_commit.ALWAYS:
            self.objset.zil.commit(number)

    def write_node(self, number: int, data: bytes, offset: int, sync: bool = False) -> None:
        """Write to a file, record by record, each in a transaction of its own."""
        at, log = 0, self.objset.zil
        sync = sync or log.sync == zil_commit.ALWAYS
        record = self.spa.dp.prop_get(self.dataset.dir, "recordsize")[0]
        while at < len(data):
            here = offset + at
            length = min(record - here % record, len(data) - at)
            self._begin(length + 512)
            piece = data[at : at + length]
            with self.spa.txg.hold(self.spa) as txg:
                node = self.objset.node(number)
                self._write(node, here, piece, record)
                zfs_log.log_write(log, txg, number, here, piece, self.get_data, sync, node.block_size)
            at += length

    def _write(self, node: Node, offset: int, data: bytes, record: int) -> None:
        znode, before = self.files.load(node)
        end = offset + len(data)
        if node.phys.maxblkid == 0 and node.phys.nlevels == 1 and end > node.block_size:
            if node.block_size < record or node.block_size & node.block_size - 1:
                node.set_block_size(max(min(end, record), node.block_size))
        node.write(offset, data)
        znode.size = max(znode.size, end)
        znode.mtime = znode.ctime = self._when()
        self.files.store(node, znode, before)

    def truncate(self, path: str, size: int) -> None:
        """`zfs_freesp`: cut a file, or let it grow by a hole."""
        number = self.lookup(path)
        self.truncate_node(number, size)
        self._always(number)

    def truncate_node(self, number: int, size: int) -> None:
        """A file's new size."""
        node = self.objset.node(number)
        if FREESP.listeners:
            FREESP.fire(node, size, 0, 0, True)
        znode, before = self.files.load(node)
        self._begin(netfree=size < znode.size)
        with self.spa.txg.hold(self.spa) as txg:
            if size < znode.size:
                block = node.block_size
                whole, rest = divmod(size, block)
                if rest and (whole < node.phys.maxblkid or znode.size > size):
                    held = bytes(node.block(whole))
                    if any(held[rest:]):
                        node.write(whole * block + rest, bytes(block - rest))
                node.free_range(whole + bool(rest))
            elif node.phys.maxblkid == 0 and node.phys.nlevels == 1 and size > node.block_size:
                record = self.spa.dp.prop_get(self.dataset.dir, "recordsize")[0]
                node.set_block_size(max(min(size, record), node.block_size))
            znode.size = size
            znode.mtime = znode.ctime = self._when()
            self.files.store(node, znode, before)
            zfs_log.log_truncate(self.objset.zil, txg, number, size)

    def set_size(self, number: int, size: int) -> None:
        """A file's size, where it does not change what the blocks hold."""
        self._set(number, size=size)

    def set_times(self, number: int, accessed: tuple[int, int] | None, modified: tuple[int, int] | None) -> None:
        """When a file was last read and written, if it is to be changed."""
        times = {name: time for name, time in (("atime", accessed), ("mtime", modified)) if time is not None}
        if times:
            self._set(number, **times)

    def _set(self, number: int, **members: object) -> None:
        node = self.objset.node(number)
        with self.spa.txg.hold(self.spa):
            znode, before = self.files.load(node)
            for name, value in members.items():
                setattr(znode, name, value)
            self.files.store(node, znode, before)

    def chmod(self, path: str, mode: int) -> None:
        """Change a file's permissions."""
        self._begin()
        self.chmod_node(self.lookup(path), mode)

    def chmod_node(self, number: int, mode: int) -> None:
        """A file's new permissions."""
        with self.spa.txg.hold(self.spa) as txg:
            self.files.chmod(self.objset.node(number), mode, self._when())
            zfs_log.log_setattr(self.objset.zil, txg, number, zfs_log.AT_MODE, mode & 0o7777)
        self._always(number)

    def chown(self, path: str, uid: int, gid: int) -> None:
        """Change a file's owner, for whom its space is counted from then on."""
        self._begin()
        self.chown_node(self.lookup(path), uid, gid)

    def chown_node(self, number: int, uid: int, gid: int) -> None:
        """A file's new owner."""
        node = self.objset.node(number)
        with self.spa.txg.hold(self.spa) as txg:
            znode, before = self.files.load(node)
            znode.uid, znode.gid, znode.ctime = uid, gid, self._when()
            self.files.store(node, znode, before)
            mask = zfs_log.AT_UID | zfs_log.AT_GID
            zfs_log.log_setattr(self.objset.zil, txg, number, mask, 0, uid, gid)
        self._always(number)

    def unlink(self, path: str) -> None:
        """Take a file's name away; with the last one, the file goes. Raises :class:`Busy` for a directory."""
        if ZFS_REMOVE.listeners:
            ZFS_REMOVE.fire(self, path, None)
        if self.stat(path).is_dir:
            raise Busy(f"{path}: is a directory")
        self._begin(netfree=True)
        self.remove_name(*self._place(path), self._node(path))
        self._always()

    def remove_name(self, directory: Node, name: str, node: Node) -> None:
        """A name of a file goes, or an empty directory."""
        is_dir = self._znode(node.number).is_dir
        with self.spa.txg.hold(self.spa) as txg:
            self._unlink(directory, name, node)
            zfs_log.log_remove(self.objset.zil, txg, directory.number, node.number, name, is_dir)

    def _unlink(self, directory: Node, name: str, node: Node) -> None:
        """`zfs_link_destroy`, and `zfs_rmnode` when it was the last name."""
        znode, before = self.files.load(node)
        self.objset.zap_remove(directory.number, name)
        self._touch_dir(directory, -1, -1 if znode.is_dir else 0)
        znode.links -= 1
        if znode.is_dir or znode.links == 0:
            self.objset.free(node.number)
        else:
            znode.ctime = self._when()
            self.files.store(node, znode, before)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. Raises :class:`Busy` when it is not empty, or no directory."""
        if ZFS_RMDIR.listeners:
            ZFS_RMDIR.fire(self, path, None, None)
        node = self._node(path)
        if path.rstrip("/").rpartition("/")[2] in DOTS:
            raise Busy(f"{path}: a directory is removed by its own name")
        if not self._znode(node.number).is_dir or self.objset.zap(node.number).entries:
            raise Busy(f"{path}: not a directory, or not empty")
        self._begin(netfree=True)
        self.remove_name(*self._place(path), self._node(path))
        self._always()

    def rename(self, old: str, new: str) -> None:
        """Give a file another path; a file that is there goes. Raises :class:`Busy` for a directory into itself."""
        if ZFS_RENAME.listeners:
            ZFS_RENAME.fire(self, old, self, new, None)
        node = self._node(old)
        self._place(new)
        if old.rstrip("/").rpartition("/")[2] in ("", *DOTS):
            raise Busy(f"{old}: a directory is moved by its own name")
        moved = self._znode(node.number)
        if moved.is_dir and (new.strip("/") + "/").startswith(old.strip("/") + "/"):
            raise Busy(f"{old} cannot be moved into itself")
        if self.exists(new):
            there = self._node(new)
            if there.number == node.number:
                return
            target = self._znode(there.number)
            if target.is_dir != moved.is_dir or (target.is_dir and self.objset.zap(there.number).entries):
                raise Exists(f"{new}: file exists")
        self._begin()
        self.rename_node(*self._place(old), *self._place(new), node)
        self._always()

    def rename_node(self, source: Node, before: str, directory: Node, name: str, node: Node) -> None:
        """A name goes from one directory to another, where a file of that name goes."""
        with self.spa.txg.hold(self.spa) as txg:
            there = self.objset.zap(directory.number).get(name)
            if there is not None:
                self._unlink(directory, name, self.objset.node(there & OBJECT))
            links = 1 if self._znode(node.number).is_dir else 0
            self.objset.zap_remove(source.number, before)
            self._touch_dir(source, -1, -links)
            znode, values = self.files.load(node)
            znode.links -= 1
            self.files.store(node, znode, values)
            self._link(directory, name, node, links)
            zfs_log.log_rename(self.objset.zil, txg, source.number, before, directory.number, name, node.number)
