"""What is noted of each change of a file or volume, for the intent log: the records of `zil.h`, without their header.

Every function notes one change of the open transaction group, unless the log does not want it. A write is noted
without its data, which a commit fetches when it comes to one, except a synchronous write, which is sure to be
committed.

Left out: extended attributes, ACLs that the mode does not say, ephemeral owners, names without regard to case. Follows
`zfs_log.c`, and `zvol_log_write` of `zvol.c`, of illumos as of 12 August 2011.
"""

import stat
import struct
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.format.blkptr import BLKPTR_SIZE
from smartos.zfs.live.zil_commit import GetData, Itx, Zilog
from smartos.zfs.read import zil

if TYPE_CHECKING:
    from smartos.zfs.read.znode import Time

AT_MODE, AT_UID, AT_GID, AT_SIZE, AT_ATIME, AT_MTIME = 0x2, 0x4, 0x8, 0x80, 0x100, 0x200
IMMEDIATE = 32 << 10  # zfs_immediate_write_sz
HALF = 64 << 10  # a write that no log block takes is logged in pieces of this size

LOG_CREATE = declare(
    "fbt:zfs:zfs_log_create:entry", "zilog_t *", "dmu_tx_t *", "uint64_t", "znode_t *", "znode_t *", "char *"
)
LOG_SYMLINK = declare(
    "fbt:zfs:zfs_log_symlink:entry", "zilog_t *", "dmu_tx_t *", "uint64_t", "znode_t *", "znode_t *", "char *"
)
LOG_REMOVE = declare("fbt:zfs:zfs_log_remove:entry", "zilog_t *", "dmu_tx_t *", "uint64_t", "znode_t *", "char *")
LOG_LINK = declare(
    "fbt:zfs:zfs_log_link:entry", "zilog_t *", "dmu_tx_t *", "uint64_t", "znode_t *", "znode_t *", "char *"
)
LOG_RENAME = declare(
    "fbt:zfs:zfs_log_rename:entry", "zilog_t *", "dmu_tx_t *", "uint64_t", "znode_t *", "char *", "znode_t *", "char *"
)
LOG_WRITE = declare(
    "fbt:zfs:zfs_log_write:entry", "zilog_t *", "dmu_tx_t *", "int", "znode_t *", "offset_t", "ssize_t", "int"
)
LOG_TRUNCATE = declare(
    "fbt:zfs:zfs_log_truncate:entry", "zilog_t *", "dmu_tx_t *", "int", "znode_t *", "uint64_t", "uint64_t"
)
LOG_SETATTR = declare(
    "fbt:zfs:zfs_log_setattr:entry", "zilog_t *", "dmu_tx_t *", "int", "znode_t *", "vattr_t *", "uint_t"
)

FSYNC = 0x10  # of a write's ioflag


def _name(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape") + b"\0"


def log_create(
    log: Zilog, txg: int, directory: int, number: int, mode: int, owner: tuple[int, int], gen: int, crtime: "Time",
    name: str, link: bytes | None = None,
) -> None:  # fmt: skip
    """TX_CREATE, TX_MKDIR, TX_SYMLINK: object `number` was made in a directory."""
    if not log.wanted:
        return
    kind = zil.TX_SYMLINK if link is not None else zil.TX_MKDIR if stat.S_ISDIR(mode) else zil.TX_CREATE
    probe = LOG_CREATE if link is None else LOG_SYMLINK
    if probe.listeners:
        probe.fire(log, None, kind, directory, number, name)
    body = struct.pack("<9Q", directory, number, mode, *owner, gen, *crtime, 0) + _name(name)
    log.assign(Itx(kind, txg, number, body if link is None else body + link + b"\0"))


def log_remove(log: Zilog, txg: int, directory: int, number: int, name: str, is_dir: bool) -> None:
    """TX_REMOVE, TX_RMDIR: a name of object `number` went."""
    if not log.wanted:
        return
    kind = zil.TX_RMDIR if is_dir else zil.TX_REMOVE
    if LOG_REMOVE.listeners:
        LOG_REMOVE.fire(log, None, kind, directory, name)
    log.assign(Itx(kind, txg, number, struct.pack("<Q", directory) + _name(name)))


def log_link(log: Zilog, txg: int, directory: int, number: int, name: str) -> None:
    """TX_LINK: one name more for object `number`."""
    if not log.wanted:
        return
    if LOG_LINK.listeners:
        LOG_LINK.fire(log, None, zil.TX_LINK, directory, number, name)
    log.assign(Itx(zil.TX_LINK, txg, number, struct.pack("<2Q", directory, number) + _name(name)))


def log_rename(log: Zilog, txg: int, source: int, old: str, target: int, new: str, number: int) -> None:
    """TX_RENAME: a name of object `number` went from one directory to another."""
    if not log.wanted:
        return
    if LOG_RENAME.listeners:
        LOG_RENAME.fire(log, None, zil.TX_RENAME, source, old, target, new)
    log.assign(Itx(zil.TX_RENAME, txg, number, struct.pack("<2Q", source, target) + _name(old) + _name(new)))


def log_write(
    log: Zilog, txg: int, number: int, offset: int, data: bytes, get_data: GetData, sync: bool, blksz: int
) -> None:
    """TX_WRITE: bytes of object `number`, whose blocks have `blksz`. Of a large write the block is written ahead, and
    pointed to (WR_INDIRECT); else with `sync` its data are kept (WR_COPIED), or fetched later (WR_NEED_COPY)."""
    if not log.wanted:
        return
    if LOG_WRITE.listeners:
        LOG_WRITE.fire(log, None, zil.TX_WRITE, number, offset, len(data), FSYNC if sync else 0)
    at, indirect = 0, IMMEDIATE < len(data) <= blksz
    while at < len(data):
        length = len(data) - at
        length = HALF if length > zil.MAX_LOG_DATA and not indirect else length
        body = struct.pack(f"<4Q{BLKPTR_SIZE}x", number, offset + at, length, 0)
        kept = bytes(data[at : at + length]) if sync and not indirect else None
        log.assign(Itx(zil.TX_WRITE, txg, number, body, length, offset + at, indirect, kept, get_data, sync))
        at += length


def log_truncate(log: Zilog, txg: int, number: int, size: int) -> None:
    """TX_TRUNCATE: a file was cut off, or grew by a hole."""
    if not log.wanted:
        return
    if LOG_TRUNCATE.listeners:
        LOG_TRUNCATE.fire(log, None, zil.TX_TRUNCATE, number, size, 0)
    log.assign(Itx(zil.TX_TRUNCATE, txg, number, struct.pack("<3Q", number, size, 0)))


def log_setattr(log: Zilog, txg: int, number: int, mask: int, mode: int = 0, uid: int = 0, gid: int = 0) -> None:
    """TX_SETATTR: a file's permissions or owner; `mask` says which."""
    if not log.wanted:
        return
    if LOG_SETATTR.listeners:
        LOG_SETATTR.fire(log, None, zil.TX_SETATTR, number, None, mask)
    log.assign(Itx(zil.TX_SETATTR, txg, number, struct.pack("<10Q", number, mask, mode, uid, gid, 0, 0, 0, 0, 0)))
