"""The vdev tree: the disks of a pool, and how mirrors and RAID-Z combine them into what blocks are written to.

The kinds are in modules of their own and can be had from here. :func:`build` makes a tree from the configuration that
every label holds, :func:`config` gives the configuration of a tree; :func:`attach` and :func:`detach` change one.

Left out: labels themselves, log, cache and spare devices' part in a pool. Follows `vdev.c` (`vdev_alloc`,
`vdev_add_parent`, `vdev_remove_parent`), `vdev_label.c` (`vdev_config_generate`) and `spa.c` (`spa_vdev_attach`) of
illumos.
"""

from collections.abc import Callable, Mapping

from smartos.zfs.disk.disk import Disk
from smartos.zfs.errors import Busy, CorruptPool, Unsupported
from smartos.zfs.vdev.base import LABEL, LABEL_END, LABEL_START, Vdev
from smartos.zfs.vdev.leaf import MINDEVSIZE, FileLeaf, Hole, Leaf, Missing
from smartos.zfs.vdev.mirror import Mirror, Replacing, Root, Spare
from smartos.zfs.vdev.raidz_vdev import Raidz
from smartos.zfs.vdev.zio import ECKSUM, EIO, ENXIO, ESTALE, Aux, Flag, Stat, State, Zio, state_name

TXG_INITIAL = 4  # the first txg of every pool

MIRRORS = {kind.type: kind for kind in (Mirror, Replacing, Spare)}


def build(config: Mapping, find: Callable[[Mapping], Disk | None]) -> Vdev:
    """A vdev tree from its configuration, as it stands in a label (`vdev_tree`) or for a root, with `children`.

    `find` gives the disk of a leaf's configuration, or None when it is not there. Raises :class:`CorruptPool` when the
    configuration makes no tree, :class:`Unsupported` for kinds that this package does not have.
    """
    kind = config.get("type")
    children = [build(child, find) for child in config.get("children", ())]
    where = {"id": config.get("id", 0), "guid": config.get("guid", 0)}
    if kind in ("disk", "file"):
        leaf = FileLeaf if kind == "file" else Leaf
        made = leaf(find(config), config.get("path", ""), **where)
        if config.get("offline"):
            made.state = State.OFFLINE
    elif kind in ("missing", "hole"):
        made = (Hole if kind == "hole" else Missing)(**where)
    elif kind in ("mirror", "replacing", "spare", "raidz", "root"):
        if not children:
            raise CorruptPool(f"a vdev of type {kind} has no children")
        if kind == "root":
            made = Root(children, **where)
        elif kind == "raidz":
            nparity = config.get("nparity", 1)
            if not 1 <= nparity <= 3 or len(children) <= nparity:
                raise CorruptPool(f"a raidz of {len(children)} children cannot have {nparity} parity columns")
            made = Raidz(children, nparity, **where)
        else:
            made = MIRRORS[kind](children, **where)
    else:
        raise Unsupported(f"vdevs of type {kind!r}")
    made._ashift = config.get("ashift")
    return made


def config(vdev: Vdev) -> dict:
    """The configuration of a tree, as a label holds it: without what only the pool knows (metaslabs, creation)."""
    found: dict[str, object] = {"type": vdev.type, "id": vdev.id, "guid": vdev.guid}
    if vdev.leaf:
        found["path"] = vdev.path
        if vdev.state == State.OFFLINE:
            found["offline"] = 1
    if isinstance(vdev, Raidz):
        found["nparity"] = vdev.nparity
    if vdev.type != "root" and vdev.top is vdev:
        found |= {"ashift": vdev.ashift, "asize": vdev.asize}
    if vdev.children:
        found["children"] = [config(child) for child in vdev.children]
    return found


def attach(old: Vdev, new: Leaf, txg: int, replacing: bool = False, spare: bool = False) -> Vdev:
    """`zpool attach` and `zpool replace`: put `new` beside `old`, in a mirror that is there or made for it.

    Returns the mirror. The new disk has missed every txg from the first up to, not with, `txg`; a resilver gives it
    what it misses. Raises :class:`Busy` when it is smaller than what it is put beside, or has larger sectors.
    """
    if new.asize < old.asize:
        raise Busy(f"cannot attach {new.name}: device is too small, {new.asize:#x} bytes against {old.asize:#x}")
    if (new._ashift or 0) > old.ashift:
        raise Busy(f"cannot attach {new.name}: its sectors of {1 << new.ashift} bytes are larger than the vdev's")
    kind = Spare if spare else Replacing if replacing else Mirror
    parent = old.parent
    if parent is None or type(parent) is not kind:
        place, above, ashift = old.id, old.parent, old.ashift
        parent = kind([old], id=place, ashift=ashift)
        parent.parent = above
        if above is not None:
            above.children[place] = parent
    new.id, new.parent = len(parent.children), parent
    parent.children.append(new)
    new.dtl.add(TXG_INITIAL, txg - TXG_INITIAL)
    parent._assess()
    return parent


def detach(leaf: Leaf) -> Vdev:
    """`zpool detach`: take a leaf out of its mirror; with one child left, that takes the mirror's place.

    As a top-level vdev it takes the mirror's guid, too: a disk that was away meanwhile, and whose labels still tell of
    the mirror, is then one of an older version of this vdev, and of no other one. Returns the vdev that is now in the tree there. Raises :class:`Busy` when the others do not have all the data.
    """
    mirror = leaf.parent
    if not isinstance(mirror, Mirror):
        raise Unsupported(f"cannot detach {leaf.name}: only applicable to mirror and replacing vdevs")
    if leaf.required:
        raise Busy(f"cannot detach {leaf.name}: no valid replicas")
    mirror.children.remove(leaf)
    for place, child in enumerate(mirror.children):
        child.id = place
    leaf.parent = None
    if len(mirror.children) > 1:
        mirror._assess()
        return mirror
    last, above = mirror.children[0], mirror.parent
    if mirror.top is mirror:
        last.guid = mirror.guid
    last.id, last.parent, last._ashift = mirror.id, above, mirror._ashift
    if above is not None:
        above.children[mirror.id] = last
        above._assess()
    return last


__all__ = [
    "ECKSUM", "EIO", "ENXIO", "ESTALE", "LABEL", "LABEL_END", "LABEL_START", "MINDEVSIZE", "TXG_INITIAL", "Aux",
    "FileLeaf", "Flag", "Hole", "Leaf", "Mirror", "Missing", "Raidz", "Replacing", "Root", "Spare", "Stat", "State",
    "Vdev", "Zio", "attach", "build", "config", "detach", "state_name",
]  # fmt: skip
