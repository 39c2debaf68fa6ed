"""What the vdev tests share: vdevs over disks that can fail, and blocks whose checksum is kept apart."""

import hashlib
import random

from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.disk.faults import FaultyDisk
from smartos.zfs.vdev.tree import Flag, Leaf, Mirror, Raidz, Vdev

MIB = 1 << 20
SIZE = 16 * MIB


def disks(count: int) -> list[FaultyDisk]:
    return [FaultyDisk(MemoryDisk(SIZE, f"c0t{n}d0"), seed=n) for n in range(count)]


def mirror(count: int = 2) -> tuple[Mirror, list[FaultyDisk]]:
    own = disks(count)
    return Mirror([Leaf(disk) for disk in own]), own


def raidz(count: int, nparity: int, ashift: int = 9) -> tuple[Raidz, list[FaultyDisk]]:
    own = disks(count)
    return Raidz([Leaf(disk) for disk in own], nparity, ashift=ashift), own


SHAPES = {
    "mirror-2": lambda: mirror(2), "mirror-3": lambda: mirror(3), "raidz1-3": lambda: raidz(3, 1),
    "raidz1-5": lambda: raidz(5, 1), "raidz2-4": lambda: raidz(4, 2), "raidz2-6": lambda: raidz(6, 2),
    "raidz3-5": lambda: raidz(5, 3), "raidz3-7": lambda: raidz(7, 3),
}  # fmt: skip


class Block:
    """A block of random bytes with its checksum kept apart, as in a block pointer."""

    def __init__(self, chance: random.Random, psize: int, offset: int, txg: int = 10) -> None:
        self.data, self.offset, self.txg = chance.randbytes(psize), offset, txg
        self.checksum = hashlib.sha256(self.data).digest()

    def good(self, data: bytes) -> bool:
        return hashlib.sha256(data).digest() == self.checksum

    def put(self, vdev: Vdev) -> "Block":
        vdev.write(self.offset, self.data, self.txg)
        return self

    def get(self, vdev: Vdev, flags: Flag = Flag.NONE) -> bytes:
        return vdev.read(self.offset, len(self.data), self.good, self.txg, flags)


def errors(vdev: Vdev) -> list[tuple[int, int, int]]:
    """Read, write and checksum errors of each leaf."""
    return [row[3:] for row in vdev.status() if row[0] == max(r[0] for r in vdev.status())]
