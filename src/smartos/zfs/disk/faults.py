"""Faults: the ways in which disks fail, each declared, and each decided by a seed where chance decides in the world.

Some failures say so: a disk that is gone, a sector that cannot be read. The ones that checksums exist for do not: the
write that the disk reported and never did, or did elsewhere, or did in part, and the bits that changed on the medium.
A power cut is a failure of all disks at once: what no flush had made safe is there or is not, in any order.

Left out: disks that are slow, bad cables and bad memory, reads that go to the wrong place, and how often each fault
happens. On a real system `zinject(1M)` does some of this to a pool; what corruption does to ZFS was studied by Zhang et
al., "End-to-end Data Integrity for File Systems: A ZFS Case Study" (FAST '10).
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from smartos.zfs.disk.disk import Disk, DiskError, DiskGone, Entry, MemoryDisk, OverDisk, Write, survivors

SECTOR = 512


@dataclass(frozen=True)
class LostWrite:
    """The write number `at` (from 0) is reported as done, and does not happen."""

    at: int


@dataclass(frozen=True)
class TornWrite:
    """Only the first `kept` bytes of write number `at` reach the medium; without `kept`, the seed takes some sectors."""

    at: int
    kept: int | None = None


@dataclass(frozen=True)
class MisdirectedWrite:
    """Write number `at` lands at the offset `to` instead; without `to`, the seed takes a sector."""

    at: int
    to: int | None = None


@dataclass(frozen=True)
class BitRot:
    """After `after` writes, `flips` bits between `offset` and `offset + length` are inverted on the medium."""

    offset: int
    length: int
    flips: int = 1
    after: int = 0


@dataclass(frozen=True)
class UnreadableSector:
    """Reads that touch `length` bytes from `offset` on fail with EIO, until something is written there."""

    offset: int
    length: int = SECTOR


@dataclass(frozen=True)
class Gone:
    """After `after` writes the disk answers nothing any more: ENXIO."""

    after: int = 0


Fault = LostWrite | TornWrite | MisdirectedWrite | BitRot | UnreadableSector | Gone


class FaultyDisk(OverDisk):
    """A disk with faults. `happened` says in order what went wrong, in words; `writes` counts what it was sent; `gone`
    is whether it answers nothing."""

    def __init__(self, disk: Disk, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        super().__init__(disk)
        self.writes = 0
        self.happened: list[str] = []
        self._chance = random.Random(seed)
        self._faults: list[Fault] = []
        self._unreadable: set[int] = set()
        self.gone = False
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Let one more thing go wrong; numbers of writes go on counting from the disk's first."""
        if isinstance(fault, UnreadableSector):
            first, last = fault.offset // SECTOR, (fault.offset + fault.length - 1) // SECTOR
            self._unreadable |= set(range(first, last + 1))
            self.happened.append(f"{fault.length:#x} bytes at {fault.offset:#x} cannot be read")
            return
        self._faults.append(fault)
        self._come_due()

    def read(self, offset: int, length: int) -> bytes:
        self._answer()
        bad = self._unreadable.intersection(range(offset // SECTOR, (offset + length - 1) // SECTOR + 1))
        if bad:
            raise DiskError(f"{self.name}: the sector at {min(bad) * SECTOR:#x} cannot be read")
        return self.disk.read(offset, length)

    def write(self, offset: int, data: bytes) -> None:
        self._answer()
        number, self.writes = self.writes, self.writes + 1
        hit = next((f for f in self._faults if getattr(f, "at", None) == number), None)
        if isinstance(hit, LostWrite):
            self.happened.append(f"the write of {len(data):#x} bytes to {offset:#x} was lost")
        elif isinstance(hit, TornWrite):
            kept = self._chance.randrange(0, len(data), SECTOR) if hit.kept is None else hit.kept
            self.happened.append(f"the write of {len(data):#x} bytes to {offset:#x} was torn after {kept:#x}")
            self._put(offset, data[:kept])
        elif isinstance(hit, MisdirectedWrite):
            there = hit.to if hit.to is not None else self._elsewhere(offset, len(data))
            self.happened.append(f"the write of {len(data):#x} bytes to {offset:#x} went to {there:#x}")
            self._put(there, data)
        else:
            self._put(offset, data)
        self._come_due()

    def flush(self) -> None:
        self._answer()
        self.disk.flush()

    def _put(self, offset: int, data: bytes) -> None:
        self.disk.write(offset, data)
        if data:
            self._unreadable.difference_update(range(offset // SECTOR, (offset + len(data) - 1) // SECTOR + 1))

    def _elsewhere(self, offset: int, length: int) -> int:
        """An aligned offset that is not `offset`, within the disk."""
        places = (self.size - length) // SECTOR
        place = self._chance.randrange(places)
        return (place if place != offset // SECTOR else places) * SECTOR

    def _answer(self) -> None:
        if self.gone:
            raise DiskGone(f"{self.name} does not answer")

    def _come_due(self) -> None:
        """Let happen what was to happen after so many writes."""
        for fault in [f for f in self._faults if getattr(f, "after", self.writes + 1) <= self.writes]:
            self._faults.remove(fault)
            if isinstance(fault, Gone):
                self.gone = True
                self.happened.append(f"the disk is gone after {self.writes} writes")
            elif isinstance(fault, BitRot):
                rot(self.disk, fault.offset, fault.length, fault.flips, self._chance)
                end = fault.offset + fault.length
                self.happened.append(f"{fault.flips} bits rotted between {fault.offset:#x} and {end:#x}")

    def back(self) -> None:
        """Plug a disk that was gone in again."""
        self.gone = False


def rot(disk: Disk, offset: int, length: int, flips: int, chance: random.Random) -> None:
    """Invert `flips` different bits of the `length` bytes from `offset` on."""
    data = bytearray(disk.read(offset, length))
    for bit in chance.sample(range(8 * length), flips):
        data[bit // 8] ^= 1 << bit % 8
    disk.write(offset, bytes(data))


class PowerCut(Exception):
    """The machine is off: nothing that ran on it goes on."""


@dataclass
class PowerSupply:
    """The power of several disks with volatile caches: it fails when `cut` writes were sent to all of them together.

    Then every access raises :class:`PowerCut`; what each medium holds is decided by `seed`, see :func:`survivors`.
    `torn` allows a write to arrive in part, by whole sectors. `cut` None never fails. `restore()` gives the power back.
    """

    cut: int | None = None
    seed: int = 0
    torn: bool = False
    writes: int = 0
    on: bool = True
    disks: list["CachedDisk"] = field(default_factory=list, repr=False)

    def plug(self, disk: Disk) -> "CachedDisk":
        """The disk, on this power supply and with a volatile write cache."""
        self.disks.append(CachedDisk(disk, self))
        return self.disks[-1]

    def count(self) -> None:
        """One more write is to be sent; raise :class:`PowerCut` if the power fails instead."""
        if self.cut is not None and self.writes >= self.cut:
            self.fail()
        self.check()
        self.writes += 1

    def check(self) -> None:
        if not self.on:
            raise PowerCut(f"the power failed after {self.writes} writes")

    def fail(self) -> None:
        """Cut the power now."""
        if self.on:
            self.on = False
            for n, disk in enumerate(self.disks):
                disk.settle(self.seed * 1009 + n, SECTOR if self.torn else 0)

    def restore(self) -> None:
        """Power again, and for good: the disks hold what survived, and nothing in their caches."""
        self.on, self.cut = True, None


class CachedDisk(OverDisk):
    """A disk whose writes stay in a volatile cache until it is flushed."""

    def __init__(self, disk: Disk, power: PowerSupply) -> None:
        super().__init__(disk)
        self.power = power
        self._cache: list[Entry] = []

    def read(self, offset: int, length: int) -> bytes:
        """What was last written there, be it in the cache or on the medium."""
        self.power.check()
        data = bytearray(self.disk.read(offset, length))
        for entry in self._cache:
            start, end = max(offset, entry.offset), min(offset + length, entry.offset + len(entry.data))
            if start < end:
                data[start - offset : end - offset] = entry.data[start - entry.offset : end - entry.offset]
        return bytes(data)

    def write(self, offset: int, data: bytes) -> None:
        self.power.count()
        self._cache.append(Write(self.name, offset, bytes(data)))

    def flush(self) -> None:
        self.power.check()
        for entry in self._cache:
            self.disk.write(entry.offset, entry.data)
        self._cache = []
        self.disk.flush()

    def settle(self, seed: int, sector: int = 0) -> None:
        """Lose the cache: some of it reached the medium, as the seed has it."""
        for entry in survivors(self._cache, len(self._cache), seed, sector):
            self.disk.write(entry.offset, entry.data)
        self._cache = []


def after_power_cut(log: Sequence[Entry], disks: Iterable[MemoryDisk], cut: int, seed: int) -> list[MemoryDisk]:
    """Copies of the `disks` as a power cut after `cut` writes of the shared `log` may have left them."""
    copies = {disk.name: disk.copy() for disk in disks}
    for entry in survivors(log, cut, seed):
        copies[entry.disk].write(entry.offset, entry.data)
    return list(copies.values())

