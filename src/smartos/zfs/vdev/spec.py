"""How a vdev is asked for: a disk, or a kind and disks, as on the command line of `zpool create`.

Left out: log, cache and nested specifications. Follows `zpool_vdev.c` of illumos.
"""

from smartos.zfs.disk.disk import Disk
from smartos.zfs.errors import Unsupported
from smartos.zfs.vdev.tree import FileLeaf, Leaf, Mirror, Raidz, Vdev


def leaf(disk: Disk) -> Leaf:
    """A leaf for a disk: a file's, when its name is a path outside of /dev."""
    kind = FileLeaf if disk.name.startswith("/") and not disk.name.startswith("/dev/") else Leaf
    return kind(disk, disk.name)


def parse(spec: object, version: int = 28) -> Vdev:
    """A top-level vdev of a disk, or of a tuple of its kind ("mirror", "raidz", "raidz2", "raidz3") and disks.

    Raises :class:`Unsupported` for kinds that there are none of, at that version.
    """
    if not isinstance(spec, (tuple, list)):
        return leaf(spec)
    kind, *disks = spec
    if kind == "mirror" and len(disks) > 1:
        return Mirror([leaf(disk) for disk in disks])
    if kind in ("raidz", "raidz1", "raidz2", "raidz3"):
        parity = int(kind[5:] or 1)
        if parity == 3 and version < 17 or len(disks) <= parity:
            raise Unsupported(f"{kind} of {len(disks)} disks at pool version {version}")
        return Raidz([leaf(disk) for disk in disks], parity)
    raise Unsupported(f"invalid vdev specification: {kind} of {len(disks)} disks")
