"""Labels: the four places on each device that say which pool it belongs to, and hold the ring of uberblocks.

A device keeps two labels of 256 KiB at its front and two at its end, so that whoever overwrites one end leaves the
other. They are written two at a time, first the even ones, then the odd ones, and so two are whole at any moment. A
label has 8 KiB left blank, 8 KiB for booting, 112 KiB with the configuration as an nvlist, and the ring.

Left out: hot spares' and cache devices' labels beyond their nvlist. Follows `vdev_impl.h`, `vdev_label.c` and chapter 1
of Sun's "ZFS On-Disk Specification" (2006).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from smartos.zfs.errors import CorruptPool, NotAPool, Unsupported
from smartos.zfs.format import checksum, nvlist
from smartos.zfs.format.nvlist import NVList
from smartos.zfs.format.uberblock import RING_SIZE, Uberblock, ring

LABELS = 4
LABEL_SIZE = 256 << 10
PAD_SIZE = 8 << 10
PHYS_OFFSET, PHYS_SIZE = 2 * PAD_SIZE, 112 << 10
RING_OFFSET = PHYS_OFFSET + PHYS_SIZE
BOOT_OFFSET, BOOT_SIZE = 2 * LABEL_SIZE, 7 << 19
DATA_OFFSET = 4 << 20  # where offset 0 of a DVA lies on the device (VDEV_LABEL_START_SIZE)
END_SIZE = 2 * LABEL_SIZE
MIN_DEVICE = 64 << 20  # SPA_MINDEVSIZE

EXPORTED, ACTIVE, DESTROYED = 1, 0, 2  # what a label's `state` says of the pool
SPARE, L2CACHE = 3, 4
STATES = ("ACTIVE", "EXPORTED", "DESTROYED", "SPARE", "L2CACHE", "UNINITIALIZED", "UNAVAIL", "POTENTIALLY_ACTIVE")


def usable(size: int) -> int:
    """A device's size in bytes, cut to whole labels as the real code does."""
    return size - size % LABEL_SIZE


def label_offset(size: int, number: int) -> int:
    """Where label 0 to 3 begins on a device of `size` bytes."""
    return number * LABEL_SIZE if number < 2 else usable(size) - (LABELS - number) * LABEL_SIZE


def data_size(size: int) -> int:
    """The bytes between the front labels with the boot area, and the end labels: what a leaf gives its vdev."""
    return usable(size) - DATA_OFFSET - END_SIZE


def pack_config(config: Mapping, offset: int) -> bytes:
    """The 112 KiB of a label's configuration, sealed for the label at byte `offset` of its device.

    Raises :class:`Unsupported` when the nvlist does not fit.
    """
    packed = nvlist.pack(config)
    if len(packed) > PHYS_SIZE - checksum.ECK_SIZE:
        raise Unsupported(f"a label has room for {PHYS_SIZE:,} bytes of configuration, not for {len(packed):,}")
    return checksum.seal(packed.ljust(PHYS_SIZE, b"\0"), (offset + PHYS_OFFSET, 0, 0, 0))


@dataclass
class Label:
    """One label of a device: its number, its configuration and its uberblocks by slot.

    `config` is empty when the nvlist's checksum failed; then `trouble` says so.
    """

    number: int
    config: NVList = field(default_factory=NVList)
    uberblocks: list[tuple[int, Uberblock]] = field(default_factory=list)
    trouble: str = ""

    @property
    def ashift(self) -> int:
        """The vdev's sector size as a power of two, 9 when the label does not say."""
        tree = self.config.get("vdev_tree")
        ashift = tree.get("ashift", 9) if isinstance(tree, Mapping) else 9
        return ashift if isinstance(ashift, int) and 9 <= ashift <= 16 else 9

    @property
    def best(self) -> Uberblock | None:
        """The newest uberblock of the ring."""
        return max((found for _, found in self.uberblocks), key=Uberblock.rank, default=None)

    @classmethod
    def unpack(cls, data: bytes, number: int, offset: int) -> "Label":
        """The label in the 256 KiB `data`, which stood at byte `offset` of a device."""
        label = cls(number)
        phys = data[PHYS_OFFSET:RING_OFFSET]
        if len(data) != LABEL_SIZE:
            label.trouble = f"label {number} is cut off"
        elif checksum.sealed(phys, (offset + PHYS_OFFSET, 0, 0, 0)) is None:
            label.trouble = f"label {number} fails its checksum"
        else:
            try:
                label.config = nvlist.unpack(phys)
            except (CorruptPool, Unsupported) as error:
                label.trouble = f"label {number}: {error}"
        if len(data) == LABEL_SIZE:
            for ashift in (label.ashift,) if label.config else (9, 11, 12, 13):
                label.uberblocks = ring(data[RING_OFFSET:], offset + RING_OFFSET, ashift)
                if label.uberblocks:
                    break
        return label


def read_labels(disk: object) -> list[Label]:
    """The four labels of a device, whole or not; `disk` has `size` and `read(offset, length)`.

    Raises :class:`NotAPool` when the device has no room for labels.
    """
    size = disk.size
    if size < DATA_OFFSET + END_SIZE:
        raise NotAPool(f"a device of {size:,} bytes has no room for four labels and a block between them")
    labels = []
    for number in range(LABELS):
        offset = label_offset(size, number)
        try:
            labels.append(Label.unpack(disk.read(offset, LABEL_SIZE), number, offset))
        except OSError as error:
            labels.append(Label(number, trouble=f"label {number} cannot be read: {error}"))
    return labels


def pack_label(config: Mapping, offset: int, ring_data: bytes = b"") -> bytes:
    """A whole label for byte `offset` of a device: blank, boot header, configuration, and the ring as given."""
    boot = checksum.seal(struct.pack(">Q", 1).ljust(PAD_SIZE, b"\0"), (offset + PAD_SIZE, 0, 0, 0))
    return bytes(PAD_SIZE) + boot + pack_config(config, offset) + ring_data.ljust(RING_SIZE, b"\0")
