"""Making files: an empty filesystem with its master node, root and tables, and the metadata of each new file.

From pool version 24 on a file's metadata are system attributes (ZPL version 5), before that a znode (version 4). A
symbolic link's target is one of the attributes, or follows the znode; where that has no room, it is the link's data.

Left out: Unicode normalization, case folding, extended attributes, ephemeral owners, devices. Follows `zfs_create_fs`
and `zfs_mknode` of `zfs_znode.c` and `sa.c` of illumos as of 12 August 2011.
"""

import stat
import struct
from typing import TYPE_CHECKING

from smartos.zfs.dmu import sa
from smartos.zfs.dmu.dnode import MAX_BONUS
from smartos.zfs.format import types as dmu
from smartos.zfs.live.dmu_objset import LiveObjset
from smartos.zfs.live.dnode_sync import Node
from smartos.zfs.read import acl
from smartos.zfs.read.znode import (
    ACL_TRIVIAL,
    ARCHIVE,
    AV_MODIFIED,
    MASTER_NODE,
    ROOT,
    SHARES,
    UNLINKED,
    VERSION,
    ZNODE_SIZE,
    Time,
    Znode,
)

if TYPE_CHECKING:
    pass

SA_VERSION = 24  # the pool version from which on files have system attributes
ACES, COUNT = "ZPL_DACL_ACES", "ZPL_DACL_COUNT"
_NOT_2011 = "ZPL_DXATTR"


def zpl_version(pool_version: int) -> int:
    """`zfs_zpl_version_map`: the newest filesystem version for a pool version."""
    return 5 if pool_version >= SA_VERSION else 4


def owners(node: Node) -> tuple[int, int] | None:
    """`zfs_space_delta_cb`: the user and group that an object's space is counted for; None when it is no file."""
    phys = node.phys
    if phys.bonustype == dmu.ZNODE:
        return struct.unpack_from("<2Q", phys.bonus, 128)
    if phys.bonustype == dmu.SA and len(phys.bonus) >= 8:
        order = sa.ORDERS.get(phys.bonus[:4])
        if order is None:
            return 0, 0
        header = (struct.unpack_from(order + "H", phys.bonus, 4)[0] >> 10) * 8
        if header and len(phys.bonus) >= header + 40:
            return struct.unpack_from(order + "2Q", phys.bonus, header + 24)
        return 0, 0
    return None


class Metadata:
    """The metadata of an object set's files, as znodes or system attributes, read and written."""

    def __init__(self, objset: LiveObjset) -> None:
        self.objset = objset
        master = objset.zap(MASTER_NODE)
        self.version = master.get(VERSION)
        self.attributes = master.get(sa.MASTER)
        self._layouts: sa.Layouts | None = None

    @property
    def layouts(self) -> sa.Layouts:
        """The system attributes' registry and layouts."""
        if self._layouts is None:
            main = self.objset.zap(self.attributes)
            if main.get(sa.REGISTRY) is None:
                self._layouts = sa.Layouts.zpl()
                known = self._layouts.attributes
                self._layouts.attributes = {n: each for n, each in known.items() if each.name != _NOT_2011}
            else:
                tables = [self.objset.zap(main.get(name)).entries for name in (sa.REGISTRY, sa.LAYOUTS)]
                self._layouts = sa.Layouts.of(*({n: e.value for n, e in table.items()} for table in tables))
        return self._layouts

    def _store_layouts(self) -> None:
        """Write the registry and the layouts, when a layout is new."""
        objset, main = self.objset, self.objset.zap(self.attributes)
        if main.get(sa.REGISTRY) is None:
            for name, kind in ((sa.REGISTRY, dmu.SA_ATTR_REGISTRATION), (sa.LAYOUTS, dmu.SA_ATTR_LAYOUTS)):
                objset.zap_put(self.attributes, name, objset.zap_create(kind))
            for entry in self._layouts.registry():
                objset.zap_put(main.get(sa.REGISTRY), entry.name, entry)
        for entry in self._layouts.layout_entries():
            if objset.zap(main.get(sa.LAYOUTS)).get(entry.name) is None:
                objset.zap_put(main.get(sa.LAYOUTS), entry.name, entry)

    def load(self, node: Node) -> tuple[Znode, dict]:
        """A file's metadata, and its system attributes (empty before ZPL version 5)."""
        phys = node.phys
        if phys.bonustype == dmu.ZNODE:
            return Znode.unpack(phys.bonus, phys.order), {}
        found = self.layouts.unpack(phys.bonus, phys.order)
        spill, order = node.spill()
        if spill:
            found |= self.layouts.unpack(spill, order)
        return Znode.of_attributes(found), found

    def store(self, node: Node, znode: Znode, before: dict | None = None) -> None:
        """Put a file's metadata into its bonus, system attributes that do not fit there into its spill block.

        Attributes that a znode does not know are kept from `before`.
        """
        if node.phys.bonustype == dmu.ZNODE:
            node.set_bonus(znode.pack())
            return
        values = znode.attributes()
        link = values.pop("ZPL_SYMLINK", None)
        if before:
            values = {name: values.get(name, before[name]) for name in before}
        else:
            aces = acl.trivial(znode.mode)
            values |= {COUNT: len(aces), ACES: acl.pack(aces)}
        if link is not None:
            values["ZPL_SYMLINK"] = link
        within, spilled = self.layouts.split(values)
        count = len(self.layouts.layouts)
        bonus, spill = self.layouts.pack(within), self.layouts.pack(spilled) if spilled else b""
        if len(self.layouts.layouts) != count:
            self._store_layouts()
        node.set_spill(spill)
        node.set_bonus(bonus)

    def chmod(self, node: Node, mode: int, ctime: Time) -> None:
        """Change a file's permissions, with the trivial ACL that says the same."""
        znode, before = self.load(node)
        znode.mode = stat.S_IFMT(znode.mode) | mode & 0o7777
        znode.ctime, znode.flags = ctime, znode.flags | ACL_TRIVIAL
        aces = acl.trivial(znode.mode)
        znode.acl = acl.znode_acl(aces)
        if before:
            before |= {COUNT: len(aces), ACES: acl.pack(aces)}
        self.store(node, znode, before)


def mknode(
    files: Metadata, mode: int, parent: int, when: Time, gen: int, uid: int = 0, gid: int = 0,
    link: bytes | None = None, number: int = 0,
) -> Node:  # fmt: skip
    """`zfs_mknode`: a new file, directory or symbolic link, which nothing refers to yet. Parent 0: it is its own.

    `number` is the object that it must be when it comes from an intent log."""
    objset = files.objset
    directory = stat.S_ISDIR(mode)
    kind = dmu.DIRECTORY_CONTENTS if directory else dmu.PLAIN_FILE_CONTENTS
    flags = ARCHIVE | AV_MODIFIED | ACL_TRIVIAL
    znode = Znode(when, when, when, when, gen, mode, 2 if directory else 0, parent, 1 if directory else 0, flags=flags)
    znode.uid, znode.gid, znode.acl = uid, gid, acl.znode_acl(acl.trivial(mode))
    if link is not None:
        znode.size, znode.symlink = len(link), link
    bonustype = dmu.SA if files.version >= 5 else dmu.ZNODE
    bonus = b"" if bonustype == dmu.SA else bytes(ZNODE_SIZE)
    if directory:
        node = objset.node(objset.zap_create(kind, None, bonustype, bonus, number))
    else:
        node = objset.allocate(kind, 512, bonustype, bonus, number)
    if link and bonustype == dmu.ZNODE and len(link) > MAX_BONUS - ZNODE_SIZE:
        znode.symlink = None
        node.set_block_size(len(link))
        node.write(0, link)
    if not parent:
        znode.parent, znode.links = node.number, 2
    files.store(node, znode)
    return node


def create_fs(objset: LiveObjset, when: Time) -> None:
    """`zfs_create_fs`: the master node, the delete queue, the root directory and the one for shares."""
    version = zpl_version(objset.spa.version)
    objset.zap_create(dmu.MASTER_NODE, {"casesensitivity": 0, "normalization": 0, "utf8only": 0}, number=MASTER_NODE)
    objset._next = MASTER_NODE
    objset.zap_put(MASTER_NODE, VERSION, version)
    if version >= 5:
        objset.zap_put(MASTER_NODE, sa.MASTER, objset.zap_create(dmu.SA_MASTER_NODE))
    objset.zap_put(MASTER_NODE, UNLINKED, objset.zap_create(dmu.UNLINKED_SET))
    files, gen = Metadata(objset), objset.spa.syncing_txg
    for name, mode in ((ROOT, 0o755), (SHARES, 0o555)):
        node = mknode(files, stat.S_IFDIR | mode, 0, when, gen)
        objset.zap_put(MASTER_NODE, name, node.number)
