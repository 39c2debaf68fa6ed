"""Doing again what a record of an intent log says, with the functions that did it the first time.

A file is known by its object number here, not by its path. Writes, cuts and attributes are logged out of order, so that
their file may be gone; that is no error.

Left out: ACLs, extended attributes, owners from other domains, names without regard to case. Follows `zfs_replay.c`, and
`zvol_replay_write` of `zvol.c`, of illumos as of 12 August 2011.
"""

from collections.abc import Callable

from smartos.probes import declare
from smartos.zfs.errors import Exists, NoSuchName
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.live import zfs_log
from smartos.zfs.live.dnode_sync import Node
from smartos.zfs.live.zpl import OBJECT, Zpl
from smartos.zfs.live.zvol_live import LiveZvol
from smartos.zfs.read import zil
from smartos.zfs.read.zil import Record

EPHEMERAL = 1 << 32  # owners from here on are of another domain

CREATE = declare("fbt:zfs:zfs_replay_create:entry", "zfsvfs_t *", "lr_create_t *", "boolean_t")
REMOVE = declare("fbt:zfs:zfs_replay_remove:entry", "zfsvfs_t *", "lr_remove_t *", "boolean_t")
LINK = declare("fbt:zfs:zfs_replay_link:entry", "zfsvfs_t *", "lr_link_t *", "boolean_t")
RENAME = declare("fbt:zfs:zfs_replay_rename:entry", "zfsvfs_t *", "lr_rename_t *", "boolean_t")
WRITE = declare("fbt:zfs:zfs_replay_write:entry", "zfsvfs_t *", "lr_write_t *", "boolean_t")
TRUNCATE = declare("fbt:zfs:zfs_replay_truncate:entry", "zfsvfs_t *", "lr_truncate_t *", "boolean_t")
SETATTR = declare("fbt:zfs:zfs_replay_setattr:entry", "zfsvfs_t *", "lr_setattr_t *", "boolean_t")
ZVOL_WRITE = declare("fbt:zfs:zvol_replay_write:entry", "zvol_state_t *", "lr_write_t *", "boolean_t")

Replay = Callable[[Zpl, Record], None]


def known(record: Record, vector: dict[int, Replay]) -> bool:
    """Whether a record can be done again here."""
    if record.type in (zil.TX_CREATE, zil.TX_MKDIR, zil.TX_SYMLINK):
        return max(record.words(2, 56)) < EPHEMERAL
    return record.type in vector


def _names(record: Record, at: int) -> list[str]:
    return [part.decode("utf-8", "surrogateescape") for part in record.data[at:].split(b"\0")] + ["", ""]


def _directory(fs: Zpl, number: int) -> Node:
    if not fs.objset.exists(number):
        raise NoSuchName(f"there is no directory with object number {number}")
    return fs.objset.node(number)


def _inside(fs: Zpl, directory: Node, name: str) -> Node:
    number = fs.objset.zap(directory.number).get(name)
    if number is None:
        raise NoSuchName(f"{name}: no such file or directory")
    return fs.objset.node(number & OBJECT)


def _create(fs: Zpl, record: Record) -> None:
    if CREATE.listeners:
        CREATE.fire(fs, record, False)
    parent, number, mode, uid, gid, gen, seconds, nanos, _ = record.words(9)
    name, link, *_ = _names(record, 104)
    directory, number = _directory(fs, parent), number & OBJECT
    if fs.objset.exists(number) or fs.objset.zap(directory.number).get(name) is not None:
        raise Exists(f"{name}: file exists, or its object number {number} is taken")
    fs._begin()
    target = link.encode("utf-8", "surrogateescape") if record.type == zil.TX_SYMLINK else None
    fs.make(directory, name, mode, target, (uid, gid), number, (seconds, nanos), gen)


def _remove(fs: Zpl, record: Record) -> None:
    if REMOVE.listeners:
        REMOVE.fire(fs, record, False)
    directory, name = _directory(fs, record.words(1)[0]), _names(record, 40)[0]
    node = _inside(fs, directory, name)
    if record.type == zil.TX_RMDIR and fs.objset.zap(node.number).entries:
        raise Exists(f"{name}: directory not empty")
    fs._begin(netfree=True)
    fs.remove_name(directory, name, node)


def _link(fs: Zpl, record: Record) -> None:
    if LINK.listeners:
        LINK.fire(fs, record, False)
    parent, number = record.words(2)
    directory, name = _directory(fs, parent), _names(record, 48)[0]
    if fs.objset.zap(directory.number).get(name) is not None:
        raise Exists(f"{name}: file exists")
    fs._begin()
    fs.link_node(directory, name, fs.objset.node(number))


def _rename(fs: Zpl, record: Record) -> None:
    if RENAME.listeners:
        RENAME.fire(fs, record, False)
    source, target = (_directory(fs, number) for number in record.words(2))
    old, new, *_ = _names(record, 48)
    node = _inside(fs, source, old)
    fs._begin()
    fs.rename_node(source, old, target, new, node)


def _data(record: Record, read: Callable[[Blkptr], bytes]) -> tuple[int, bytes, int]:
    """Where a write begins, what it writes, and where it ends for the file's size. A record without data points to a
    whole block, of which all is written."""
    _, offset, length = record.words(3)
    if len(record.data) > zil.WRITE_SIZE:
        return offset, record.data[zil.WRITE_SIZE : zil.WRITE_SIZE + length], offset + length
    raw = record.data[64 : zil.WRITE_SIZE]
    pointer = Blkptr.unpack(raw, record.order)
    block = bytes(pointer.lsize) if pointer.hole else read(pointer)
    if length < len(block):
        return offset - offset % len(block), block, offset + length
    return offset, block[:length], offset + length


def _write(fs: Zpl, record: Record) -> None:
    if WRITE.listeners:
        WRITE.fire(fs, record, False)
    number = record.words(1)[0]
    if not fs.objset.exists(number):
        return  # writes are logged out of order, so the file may be gone
    before = fs._znode(number).size
    offset, data, end = _data(record, fs.spa.read)
    fs.write_node(number, data, offset)
    if before < fs._znode(number).size:
        fs.set_size(number, max(before, end))


def _write2(fs: Zpl, record: Record) -> None:
    number, offset, length = record.words(3)
    if fs.objset.exists(number) and fs._znode(number).size < offset + length:
        fs._begin()
        fs.set_size(number, offset + length)


def _truncate(fs: Zpl, record: Record) -> None:
    if TRUNCATE.listeners:
        TRUNCATE.fire(fs, record, False)
    number, offset, length = record.words(3)
    if not fs.objset.exists(number):
        return
    size = fs._znode(number).size
    if not length or offset >= size:
        fs.truncate_node(number, offset + length)
    elif offset + length >= size:
        fs.truncate_node(number, offset)
        fs.truncate_node(number, size)
    else:
        fs.write_node(number, bytes(length), offset)


def _setattr(fs: Zpl, record: Record) -> None:
    if SETATTR.listeners:
        SETATTR.fire(fs, record, False)
    number, mask, mode, uid, gid, size, *times = record.words(10)
    if not fs.objset.exists(number):
        return
    fs._begin()
    if mask & zfs_log.AT_SIZE:
        fs.truncate_node(number, size)
    if mask & zfs_log.AT_MODE:
        fs.chmod_node(number, mode)
    if mask & (zfs_log.AT_UID | zfs_log.AT_GID):
        was = fs._znode(number)
        fs.chown_node(
            number, uid if mask & zfs_log.AT_UID else was.uid, gid if mask & zfs_log.AT_GID else was.gid
        )  # fmt: skip
    accessed, modified = tuple(times[:2]), tuple(times[2:])
    fs.set_times(
        number, accessed if mask & zfs_log.AT_ATIME else None, modified if mask & zfs_log.AT_MTIME else None
    )  # fmt: skip


def _zvol_write(volume: LiveZvol, record: Record) -> None:
    if ZVOL_WRITE.listeners:
        ZVOL_WRITE.fire(volume, record, False)
    offset, data, _ = _data(record, volume.spa.read)
    volume.write(offset, data)


ZFS_VECTOR: dict[int, Replay] = {
    zil.TX_CREATE: _create, zil.TX_MKDIR: _create, zil.TX_SYMLINK: _create, zil.TX_REMOVE: _remove,
    zil.TX_RMDIR: _remove, zil.TX_LINK: _link, zil.TX_RENAME: _rename, zil.TX_WRITE: _write,
    zil.TX_TRUNCATE: _truncate, zil.TX_SETATTR: _setattr, zil.TX_WRITE2: _write2,
}  # fmt: skip
ZVOL_VECTOR: dict[int, Replay] = {zil.TX_WRITE: _zvol_write}
