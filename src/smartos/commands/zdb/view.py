"""What zdb -dddd says of an object beyond its numbers: its bonus and its contents, by type.

Left out: owners that come from another domain (FUIDs are shown as plain numbers), and deduplication tables' contents.
Follows the object viewers of `zdb.c`.
"""

import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress

from smartos.commands.text import ctime
from smartos.commands.zdb import zap as zdb_zap
from smartos.commands.zdb.text import Dump, blkptr_text, nvlist_lines
from smartos.zfs.dmu import sa
from smartos.zfs.dmu.dnode import Dnode
from smartos.zfs.dmu.objset import ZFS, Objset
from smartos.zfs.errors import ZfsError
from smartos.zfs.format import nvlist
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr
from smartos.zfs.read.dsl import DslDataset, DslDir
from smartos.zfs.read.znode import UNLINKED, Filesystem

XATTR_FLAG, PROJID_FLAG = 0x1, 0x2000000000  # ZFS_XATTR and ZFS_PROJID of a file's flags
BONUS_SIZE = 320  # what a bonus buffer holds in a dnode of 512 bytes; beyond its length it is zeros
_UNDER = {0: "HEAD", 1: "SNAP", 2: "CHILD", 3: "CHILD_RSRV", 4: "REFRSRV"}


class View:
    """An object set on its way to the reader's screen. `filesystem` is None unless it is one that can be read."""

    def __init__(self, dump: Dump, objset: Objset, encrypted: bool = False) -> None:
        self.dump, self.objset, self.encrypted = dump, objset, encrypted
        self.leaked = 0
        self.filesystem: Filesystem | None = None
        if objset.phys.type == ZFS and not encrypted:
            with suppress(ZfsError):  # a pool's own filesystem may never have been mounted, and so be empty
                self.filesystem = Filesystem(objset)

    def bonus(self, number: int, dnode: Dnode) -> Iterator[str]:
        """The lines on an object's bonus."""
        viewer = BONUSES.get(dnode.bonustype)
        if viewer is not None:
            yield from viewer(self, number, dnode)
        elif dnode.bonustype & dmu.NEWTYPE and not _known(dnode.bonustype):
            yield "\tUNKNOWN OBJECT TYPE"

    def contents(self, number: int, dnode: Dnode) -> Iterator[str]:
        """The lines on what an object holds."""
        viewer = CONTENTS.get(_plain_type(dnode.type))
        if viewer is not None:
            yield from viewer(self, number, dnode)
        elif dnode.type & dmu.NEWTYPE and not _known(dnode.type):
            yield "\tUNKNOWN OBJECT TYPE"

    def table(self, number: int) -> zdb_zap.Table:
        """The object as a ZAP."""
        return zdb_zap.Table(self.objset, number)

    def path(self, number: int) -> str:
        """A file's path from the root of its filesystem, found upwards, as `zfs_obj_to_path` finds it."""
        fs, parts, at = self.filesystem, "", number
        queue = fs.master.get(UNLINKED)
        if isinstance(queue, int) and any(value == number for value in self.objset.zap(queue).values()):
            return "on delete queue"
        try:
            while (node := fs.znode(at)).parent != at:
                if node.flags & XATTR_FLAG and node.is_dir:
                    parts = "/<xattrdir>" + parts
                else:
                    parts = "/" + self._name(node.parent, at) + parts
                at = node.parent
                if len(parts) > 4096:
                    raise LookupError
        except (ZfsError, LookupError):
            self.leaked += 1
            return "path not found, possibly leaked"
        return parts or "/"

    def _name(self, directory: int, number: int) -> str:
        for entry in self.table(directory).entries:
            if len(entry.ints) and entry.ints[0] & (1 << 48) - 1 == number:
                return zdb_zap.name_text(entry)
        raise LookupError(number)


def _known(kind: int) -> bool:
    return kind & dmu.BYTESWAP_MASK in (3, 4)


def _plain_type(kind: int) -> int:
    """Newer types that are a ZAP or words are shown as the old ones of that kind."""
    if kind & dmu.NEWTYPE:
        return {4: dmu.ZAP_OTHER, 3: dmu.UINT64_OTHER}.get(kind & dmu.BYTESWAP_MASK, kind)
    return kind


def _words(dnode: Dnode, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"{dnode.order}{count}Q", dnode.bonus.ljust(BONUS_SIZE, b"\0"))


def _directory(view: View, number: int, dnode: Dnode) -> Iterator[str]:
    phys, nice = DslDir.unpack(dnode.bonus, dnode.order), view.dump.nice
    yield f"\t\tcreation_time = {ctime(phys.creation_time)}"
    yield f"\t\thead_dataset_obj = {phys.head_dataset_obj}"
    yield f"\t\tparent_dir_obj = {phys.parent_obj}"
    yield f"\t\torigin_obj = {phys.origin_obj}"
    yield f"\t\tchild_dir_zapobj = {phys.child_dir_zapobj}"
    yield f"\t\tused_bytes = {nice(phys.used_bytes)}"
    yield f"\t\tcompressed_bytes = {nice(phys.compressed_bytes)}"
    yield f"\t\tuncompressed_bytes = {nice(phys.uncompressed_bytes)}"
    yield f"\t\tquota = {nice(phys.quota)}"
    yield f"\t\treserved = {nice(phys.reserved)}"
    yield f"\t\tprops_zapobj = {phys.props_zapobj}"
    yield f"\t\tdeleg_zapobj = {phys.deleg_zapobj}"
    yield f"\t\tflags = {phys.flags:x}"
    for index, name in _UNDER.items():
        yield f"\t\tused_breakdown[{name}] = {nice(phys.used_breakdown[index])}"
    yield f"\t\tclones = {phys.clones}"


def _dataset(view: View, number: int, dnode: Dnode) -> Iterator[str]:
    phys, nice = DslDataset.unpack(dnode.bonus, dnode.order), view.dump.nice
    yield f"\t\tdir_obj = {phys.dir_obj}"
    yield f"\t\tprev_snap_obj = {phys.prev_snap_obj}"
    yield f"\t\tprev_snap_txg = {phys.prev_snap_txg}"
    yield f"\t\tnext_snap_obj = {phys.next_snap_obj}"
    yield f"\t\tsnapnames_zapobj = {phys.snapnames_zapobj}"
    yield f"\t\tnum_children = {phys.num_children}"
    yield f"\t\tuserrefs_obj = {phys.userrefs_obj}"
    yield f"\t\tcreation_time = {ctime(phys.creation_time)}"
    yield f"\t\tcreation_txg = {phys.creation_txg}"
    yield f"\t\tdeadlist_obj = {phys.deadlist_obj}"
    yield f"\t\tused_bytes = {nice(phys.referenced_bytes)}"
    yield f"\t\tcompressed_bytes = {nice(phys.compressed_bytes)}"
    yield f"\t\tuncompressed_bytes = {nice(phys.uncompressed_bytes)}"
    yield f"\t\tunique = {nice(phys.unique_bytes)}"
    yield f"\t\tfsid_guid = {phys.fsid_guid}"
    yield f"\t\tguid = {phys.guid}"
    yield f"\t\tflags = {phys.flags:x}"
    yield f"\t\tnext_clones_obj = {phys.next_clones_obj}"
    yield f"\t\tprops_obj = {phys.props_obj}"
    yield f"\t\tbp = {blkptr_text(phys.bp)}"


def _bpobj(view: View, number: int, dnode: Dnode) -> Iterator[str]:
    nice = view.dump.nice
    count, size, comp, uncomp, subobjs, num_subobjs, freed = _words(dnode, 7)
    yield f"\t\tnum_blkptrs = {count}"
    yield f"\t\tbytes = {nice(size)}"
    yield f"\t\tcomp = {nice(comp)}"
    yield f"\t\tuncomp = {nice(uncomp)}"
    yield f"\t\tsubobjs = {subobjs}"
    yield f"\t\tnum_subobjs = {num_subobjs}"
    yield f"\t\tnum_freed = {freed}"
    if view.dump.opt["d"] >= 5:
        data, order = view.objset.read(dnode, 0, count * BLKPTR_SIZE), view.objset.order(dnode)
        for at in range(0, len(data) - BLKPTR_SIZE + 1, BLKPTR_SIZE):
            pointer = Blkptr.unpack(data[at : at + BLKPTR_SIZE], order)
            yield f"\t{view.dump.compact(pointer, bool(pointer.fill & 1))}"


def _packed(view: View, number: int, dnode: Dnode) -> Iterator[str]:
    (size,) = _words(dnode, 1)
    yield from nvlist_lines(nvlist.unpack(view.objset.read(dnode, 0, size)), 8)


def _history(view: View, number: int, dnode: Dnode) -> Iterator[str]:
    created, most, first, end, lost = _words(dnode, 5)
    yield f"\t\tpool_create_len = {created}"
    yield f"\t\tphys_max_off = {most}"
    yield f"\t\tbof = {first}"
    yield f"\t\teof = {end}"
    yield f"\t\trecords_lost = {lost}"


def _znode(view: View, number: int, dnode: Dnode) -> Iterator[str]:
    fs = view.filesystem
    if fs is None:
        yield "\tFailed to get handle for SA znode"
        return
    more: dict[str, sa.Value] = {}
    try:
        node = fs.znode_of(dnode)
        if dnode.bonustype == dmu.SA:
            more = fs.attributes(dnode)
        else:
            more = {"ZPL_XATTR": node.xattr, "ZPL_RDEV": node.rdev}
    except ZfsError as error:
        view.dump.errors.append(f"zdb: {view.objset.name} object {number}: {error}")
        return
    if view.dump.opt["d"] > 4:
        yield f"\tpath\t{view.path(number)}"
    if stat.S_ISLNK(node.mode) and more.get("ZPL_SYMLINK"):
        yield f"\ttarget\t{zdb_zap.text(more['ZPL_SYMLINK'])}"
    yield f"\tuid     {node.uid}"
    yield f"\tgid     {node.gid}"
    for name in ("atime", "mtime", "ctime", "crtime"):
        yield f"\t{name}\t{ctime(getattr(node, name)[0])}"
    yield f"\tgen\t{node.gen}"
    yield f"\tmode\t{node.mode:o}"
    yield f"\tsize\t{node.size}"
    yield f"\tparent\t{node.parent}"
    yield f"\tlinks\t{node.links}"
    yield f"\tpflags\t{node.flags:x}"
    if node.flags & PROJID_FLAG and "ZPL_PROJID" in more:
        yield f"\tprojid\t{more['ZPL_PROJID']}"
    if "ZPL_XATTR" in more:
        yield f"\txattr\t{more['ZPL_XATTR']}"
    if "ZPL_RDEV" in more:
        yield f"\trdev\t0x{more['ZPL_RDEV']:016x}"
    if more.get("ZPL_DXATTR"):
        yield from _xattrs(view, number, more["ZPL_DXATTR"])


def _xattrs(view: View, number: int, packed: bytes) -> Iterator[str]:
    try:
        found = nvlist.unpack(packed)
    except ZfsError as error:
        view.dump.errors.append(f"zdb: {view.objset.name} object {number}: {error}")
        return
    yield f"\tSA xattrs: {len(packed)} bytes, {len(found)} entries"
    yield ""
    for name, value in found.items():
        shown = "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in value or b"")
        yield f"\t\t{name} = {shown}"


def _uint64(view: View, number: int, dnode: Dnode) -> Iterator[str]:
    if view.dump.opt["d"] < 6:
        return
    most = 1 << 20
    words = view.objset.words(dnode, min(dnode.length, most) // 8)
    lines = [", ".join(f"{word:x}" for word in words[at : at + 4]) for at in range(0, len(words), 4)]
    more = ", ... ]" if dnode.length > most else "]"
    for place, line in enumerate(lines):
        yield "\t\t" + ("" if place else "[") + line + ("," if place < len(lines) - 1 else more)


def _subobjs(view: View, number: int, dnode: Dnode) -> Iterator[str]:
    words = view.objset.words(dnode)
    while words and not words[-1]:
        words.pop()
    yield from (f"\t{word}" for word in words)


def _zap(how: Callable[[zdb_zap.Table], Iterator[str]]) -> Callable[[View, int, Dnode], Iterator[str]]:
    return lambda view, number, dnode: how(view.table(number))


Viewer = Callable[[View, int, Dnode], Iterator[str]]
BONUSES: dict[int, Viewer] = {
    dmu.DSL_DIR: _directory, dmu.DSL_DATASET: _dataset, dmu.BPOBJ_HDR: _bpobj, dmu.PACKED_NVLIST_SIZE: _packed,
    dmu.FUID_SIZE: _packed, dmu.SPA_HISTORY_OFFSETS: _history, dmu.ZNODE: _znode, dmu.SA: _znode,
}  # fmt: skip
CONTENTS: dict[int, Viewer] = {
    **{kind: _zap(zdb_zap.plain) for kind in dmu.ZAPS}, dmu.DIRECTORY_CONTENTS: _zap(zdb_zap.directory),
    dmu.SA_ATTR_REGISTRATION: _zap(zdb_zap.sa_attributes), dmu.SA_ATTR_LAYOUTS: _zap(zdb_zap.sa_layouts),
    dmu.DDT_ZAP: _zap(zdb_zap.Table.stats), dmu.OBJECT_ARRAY: _uint64, dmu.UINT64_OTHER: _uint64,
    dmu.BPOBJ_SUBOBJ: _subobjs,
}  # fmt: skip
