"""Volumes: an object set whose object 1 is a disk, block by block, for whoever wants a disk out of a pool.

Left out: the dump device, whose blocks lie outside the usual order. Follows `zvol.c` of illumos.
"""

from smartos.zfs.dmu.objset import ZVOL, Objset
from smartos.zfs.errors import CorruptPool

OBJECT, PROPERTIES = 1, 2


class Zvol:
    """A volume: `size` and `block_size` in bytes. Raises :class:`CorruptPool` for an object set of another type."""

    def __init__(self, objset: Objset) -> None:
        if objset.phys.type != ZVOL:
            raise CorruptPool(f"{objset.name} is no volume")
        self.objset, self.dnode = objset, objset.dnode(OBJECT)
        self.size = objset.zap(PROPERTIES).get("size")
        if not isinstance(self.size, int):
            raise CorruptPool(f"the volume {objset.name} does not say its size")
        self.block_size = self.dnode.block_size

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes of the volume, zeros where nothing was written, cut at its end."""
        length = max(min(length, self.size - offset), 0)
        return self.objset.read(self.dnode, offset, length).ljust(length, b"\0")
