"""The counter-examples: RAID-5 with its fixed stripes, and a mirror, both without checksums.

They do what such arrays do. A write smaller than a stripe reads the old data and the old parity, and writes both anew
in place: two writes, between which the power can fail. Then the parity fits neither the old nor the new data, and
nothing says so until a disk is lost and the parity is used, for a block that nobody had written: the write hole. The
mirror returns the copy that it reads, and has no way to know whether it is the right one.

Left out: what real arrays add against this (battery-backed caches, a journal, a bitmap of dirty stripes with a resync
after a crash), and reading the other disks in place of the old data. Parity rotates as in the left-symmetric layout
that Linux' md uses.
"""

from collections.abc import Sequence

from smartos.zfs.disk.disk import Disk, DiskError
from smartos.zfs.errors import PoolFaulted


class Raid5:
    """Blocks of `chunk` bytes on at least three disks, one parity block in every stripe."""

    def __init__(self, disks: Sequence[Disk], chunk: int = 512) -> None:
        if len(disks) < 3:
            raise ValueError(f"RAID-5 needs at least three disks, not {len(disks)}")
        self.disks, self.chunk = list(disks), chunk

    @property
    def width(self) -> int:
        """The data blocks in a stripe."""
        return len(self.disks) - 1

    def place(self, block: int) -> tuple[int, int]:
        """The disk and the stripe of data block number `block`."""
        stripe, i = divmod(block, self.width)
        return (self.parity(stripe) + 1 + i) % len(self.disks), stripe

    def parity(self, stripe: int) -> int:
        """The disk that holds the parity of a stripe."""
        return self.width - stripe % len(self.disks)

    def read(self, block: int) -> bytes:
        """A block as its disk has it; if the disk cannot give it, as the parity has it. PoolFaulted if neither can."""
        disk, stripe = self.place(block)
        try:
            return self._get(disk, stripe)
        except DiskError:
            others = [d for d in range(len(self.disks)) if d != disk]
        try:
            return xor(*(self._get(d, stripe) for d in others))
        except DiskError as failure:
            raise PoolFaulted(f"stripe {stripe} has lost two disks; RAID-5 stands for one") from failure

    def write(self, block: int, data: bytes) -> None:
        """Read-modify-write: the new data, then the parity that fits them, in place of the old ones."""
        disk, stripe = self.place(block)
        parity = self.parity(stripe)
        changed = xor(self._get(parity, stripe), self._get(disk, stripe), data)
        self.disks[disk].write(stripe * self.chunk, data)
        self.disks[parity].write(stripe * self.chunk, changed)

    def write_stripe(self, stripe: int, blocks: Sequence[bytes]) -> None:
        """All data blocks of a stripe and their parity; nothing needs to be read."""
        for i, data in enumerate(blocks):
            disk, _ = self.place(stripe * self.width + i)
            self.disks[disk].write(stripe * self.chunk, data)
        self.disks[self.parity(stripe)].write(stripe * self.chunk, xor(*blocks))

    def consistent(self, stripe: int) -> bool:
        """Whether data and parity fit. It is all that an array can check, and it does not say which is wrong."""
        return not any(xor(*(self._get(d, stripe) for d in range(len(self.disks)))))

    def _get(self, disk: int, stripe: int) -> bytes:
        return self.disks[disk].read(stripe * self.chunk, self.chunk)


class PlainMirror:
    """The same bytes on every disk; reads take turns by place, two MiB by two MiB."""

    TURN = 2 << 20

    def __init__(self, disks: Sequence[Disk]) -> None:
        self.disks = list(disks)

    def read(self, offset: int, length: int) -> bytes:
        """What one disk has, the next one's only if it reports an error. PoolFaulted when all do."""
        first = offset // self.TURN % len(self.disks)
        for turn in range(len(self.disks)):
            try:
                return self.disks[(first + turn) % len(self.disks)].read(offset, length)
            except DiskError:
                continue
        raise PoolFaulted(f"no disk of the mirror could read {length:#x} bytes at {offset:#x}")

    def write(self, offset: int, data: bytes) -> None:
        for disk in self.disks:
            disk.write(offset, data)


def xor(*blocks: bytes) -> bytes:
    """The bytes of equally long blocks added up without carry."""
    total = 0
    for block in blocks:
        total ^= int.from_bytes(block, "little")
    return total.to_bytes(len(blocks[0]), "little")
