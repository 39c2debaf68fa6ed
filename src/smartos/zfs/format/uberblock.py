"""Uberblocks: the roots of the pool, one for each recent transaction group, of which the newest that is whole counts.

A label keeps a ring of them, 128 KiB of slots. A transaction group ends when its uberblock is written into slot
`txg mod slots` of the labels, so a power cut leaves either the old root or the new one.

Left out: multihost (MMP) beyond its fields. Follows `uberblock_impl.h`, `uberblock.c` and `vdev_label.c`.
"""

import struct
from dataclasses import dataclass, field

from smartos.zfs.errors import CorruptPool
from smartos.zfs.format import checksum
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr

MAGIC = 0x00BAB10C  # "oo-ba-bloc!"
MMP_MAGIC = 0xA11CEA11  # "all-see-all"
RING_SIZE = 128 << 10
MIN_SHIFT, MAX_SHIFT = 10, 13
_TAIL = 6  # words after the root block pointer


def slot_shift(ashift: int) -> int:
    """How large a slot is, as a power of two: a sector of the vdev, but at least 1 KiB and at most 8 KiB."""
    return min(max(ashift, MIN_SHIFT), MAX_SHIFT)


def slots(ashift: int) -> int:
    """How many uberblocks the ring holds."""
    return RING_SIZE >> slot_shift(ashift)


def slot_of(txg: int, ashift: int) -> int:
    """The slot in which transaction group `txg` puts its uberblock."""
    return txg % slots(ashift)


@dataclass(slots=True)
class Uberblock:
    """One uberblock. `guid_sum` is the sum of all vdevs' guids, by which a missing device shows; `timestamp` is in
    seconds since 1970; `rootbp` points to the meta object set (MOS)."""

    version: int = 0
    txg: int = 0
    guid_sum: int = 0
    timestamp: int = 0
    rootbp: Blkptr = field(default_factory=Blkptr)
    software_version: int = 0
    mmp_magic: int = 0
    mmp_delay: int = 0
    mmp_config: int = 0
    checkpoint_txg: int = 0
    raidz_reflow_info: int = 0

    @classmethod
    def unpack(cls, data: bytes) -> "Uberblock":
        """The uberblock at the head of `data`, in the byte order that its magic shows. Raises :class:`CorruptPool`."""
        if len(data) < 40 + BLKPTR_SIZE + 8 * _TAIL:
            raise CorruptPool(f"an uberblock in {len(data)} bytes")
        for order in "<>":
            magic, version, txg, guid_sum, timestamp = struct.unpack_from(order + "5Q", data)
            if magic == MAGIC:
                rootbp = Blkptr.unpack(data[40 : 40 + BLKPTR_SIZE], order)
                tail = struct.unpack_from(f"{order}{_TAIL}Q", data, 40 + BLKPTR_SIZE)
                return cls(version, txg, guid_sum, timestamp, rootbp, *tail)
        raise CorruptPool(f"no uberblock: the magic is {data[:8].hex()}, not that of {MAGIC:#010x}")

    def pack(self) -> bytes:
        """The uberblock's 216 bytes, little-endian, without the slot's trailer."""
        head = struct.pack("<5Q", MAGIC, self.version, self.txg, self.guid_sum, self.timestamp)
        tail = struct.pack(
            f"<{_TAIL}Q", self.software_version, self.mmp_magic, self.mmp_delay, self.mmp_config, self.checkpoint_txg,
            self.raidz_reflow_info,
        )  # fmt: skip
        return head + self.rootbp.pack() + tail

    def slot(self, offset: int, ashift: int) -> bytes:
        """The whole slot, sealed for the device's byte `offset` at which it is to be written."""
        return checksum.seal(self.pack().ljust(1 << slot_shift(ashift), b"\0"), (offset, 0, 0, 0))

    def rank(self) -> tuple[int, int, int]:
        """By what the better of two uberblocks is chosen: transaction group, time, then MMP's sequence number."""
        sequence = self.mmp_config >> 32 & 0xFFFF if self.mmp_magic == MMP_MAGIC and self.mmp_config & 2 else 0
        return self.txg, self.timestamp, sequence

    def describe(self) -> str:
        """The uberblock as `zdb -u` lists it, without the heading."""
        return "\n".join(
            (
                f"magic = {MAGIC:016x}", f"version = {self.version}", f"txg = {self.txg}",
                f"guid_sum = {self.guid_sum}", f"timestamp = {self.timestamp}",
                f"rootbp = {self.rootbp.describe()}",
            )
        )  # fmt: skip


def ring(data: bytes, offset: int, ashift: int) -> list[tuple[int, Uberblock]]:
    """The whole uberblocks of a ring, as (slot, uberblock); slots that do not verify are left out.

    `data` are the ring's 128 KiB, `offset` is where on the device it begins.
    """
    shift, found = slot_shift(ashift), []
    for slot in range(len(data) >> shift):
        part = data[slot << shift : slot + 1 << shift]
        known = part[:8] in (MAGIC.to_bytes(8, "little"), MAGIC.to_bytes(8, "big"))
        if known and checksum.sealed(part, (offset + (slot << shift), 0, 0, 0)):
            found.append((slot, Uberblock.unpack(part)))
    return found
