"""Disks: numbered bytes that can be read and written, a write cache that a flush empties, and a log of what was asked.

A disk promises little. What was written before a flush is there after a power cut; what was written after the last one
may be there, or not, and not in the order in which it was written. :class:`Recorder` keeps that order and the flushes,
so that :func:`replay` can rebuild the disks as they were after any number of writes, and :func:`survivors` as a power
cut may have left them.

Left out: time, queues, and the sector as the smallest unit of a transfer, since the vdev above aligns what it asks
for. Follows the use that illumos' `vdev_disk.c` makes of a disk: strategy(9E) to read and write, DKIOCFLUSHWRITECACHE
to flush.
"""

import errno
import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from smartos.zfs.errors import DeviceError

PAGE = 4096
NO_ROOM = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)}


class DiskError(DeviceError, OSError):
    """EIO: the disk could not do what it was asked to."""

    def __init__(self, message: str, code: int = errno.EIO) -> None:
        OSError.__init__(self, code, message)


class DiskGone(DiskError):
    """ENXIO: nothing answers at the disk's address any more."""

    def __init__(self, message: str) -> None:
        super().__init__(message, errno.ENXIO)


class FileFull(DiskError):
    """ENOSPC and its like: the file system on which the disk's file is has no room for what is written to it."""


class OutOfRange(DiskError):
    """EINVAL: a transfer begins or ends outside the disk."""

    def __init__(self, message: str) -> None:
        super().__init__(message, errno.EINVAL)


@runtime_checkable
class Disk(Protocol):
    """What a leaf vdev stands on. `size` and offsets are in bytes; each method may raise :class:`DiskError`."""

    name: str
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """The `length` bytes from `offset` on."""

    def write(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset`; it may stay in the disk's cache until the next flush."""

    def flush(self) -> None:
        """Return when everything that was written is on the medium."""


def within(disk: Disk, offset: int, length: int) -> None:
    """Raise :class:`OutOfRange` unless the transfer lies inside the disk."""
    if offset < 0 or length < 0 or offset + length > disk.size:
        raise OutOfRange(
            f"{disk.name} has {disk.size:#x} bytes; a transfer of {length:#x} bytes at {offset:#x} does not fit"
        )


class MemoryDisk:
    """A disk in memory; pages that nobody wrote read as zeros and take no room."""

    def __init__(self, size: int, name: str = "disk") -> None:
        self.size, self.name = size, name
        self._pages: dict[int, bytes] = {}

    def read(self, offset: int, length: int) -> bytes:
        within(self, offset, length)
        first, skip = divmod(offset, PAGE)
        last = (offset + length + PAGE - 1) // PAGE
        empty = bytes(PAGE)
        return b"".join(self._pages.get(n, empty) for n in range(first, last))[skip : skip + length]

    def write(self, offset: int, data: bytes) -> None:
        within(self, offset, len(data))
        taken = 0
        while taken < len(data):
            page, at = divmod(offset + taken, PAGE)
            piece = bytes(data[taken : taken + PAGE - at])
            if len(piece) < PAGE:
                old = self._pages.get(page, bytes(PAGE))
                piece_of_page = old[:at] + piece + old[at + len(piece) :]
            else:
                piece_of_page = piece
            self._pages[page] = piece_of_page
            taken += len(piece)

    def flush(self) -> None:
        """Nothing to do: what is written is there."""

    def copy(self, name: str = "") -> "MemoryDisk":
        """A second disk with the same contents; pages are shared until one of the two writes to them."""
        twin = MemoryDisk(self.size, name or self.name)
        twin._pages = dict(self._pages)
        return twin

    @property
    def held(self) -> int:
        """The bytes of memory that the written pages take."""
        return len(self._pages) * PAGE


class FileDisk:
    """A disk in a file. With `size`, the file is made or extended; without `writable`, every write is EROFS.

    `turn` is called before each write: where several processes share the file, it waits for the right to write.
    """

    def __init__(
        self, path: str | os.PathLike, size: int | None = None, writable: bool = True, name: str = "",
        turn: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.path = Path(path)
        self.name = name or str(path)
        self._turn = turn
        if size is not None and writable and (not self.path.exists() or self.path.stat().st_size < size):
            with self.path.open("ab") as file:
                file.truncate(size)
        self._file = self.path.open("r+b" if writable else "rb", buffering=0)
        self._writable = writable
        self.size = self.path.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        within(self, offset, length)
        self._file.seek(offset)
        data = self._file.read(length)
        while len(data) < length:
            more = self._file.read(length - len(data))
            if not more:
                raise DiskError(f"{self.name} ended after {len(data):#x} of {length:#x} bytes at {offset:#x}")
            data += more
        return data

    def write(self, offset: int, data: bytes) -> None:
        within(self, offset, len(data))
        if not self._writable:
            raise DiskError(f"{self.name} was opened for reading only", errno.EROFS)
        if self._turn is not None:
            self._turn()
        self._file.seek(offset)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise FileFull(
                f"{self.path}: {os.strerror(error.errno)} on the host: make room for this file there, then run 'zpool clear'",
                error.errno,
            ) from error

    def flush(self) -> None:
        if self._writable:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "FileDisk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Write:
    """An entry of the log: `data` was sent to `offset` of the disk of that name."""

    disk: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Flush:
    """An entry of the log: the disk of that name was flushed, so what it was sent before is on its medium."""

    disk: str


Entry = Write | Flush


class OverDisk:
    """A disk that stands on another, and is known by its name and size."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk

    @property
    def name(self) -> str:
        return self.disk.name

    @property
    def size(self) -> int:
        return self.disk.size


class ScratchDisk(OverDisk):
    """A disk whose writes stay in memory: what is below is read, and never changed."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk)
        self._pages: dict[int, bytearray] = {}

    def read(self, offset: int, length: int) -> bytes:
        within(self, offset, length)
        data = self.disk.read(offset, length)
        touched = [n for n in range(offset // PAGE, (offset + length - 1) // PAGE + 1) if n in self._pages]
        if not touched:
            return data
        held = bytearray(data)
        for number in touched:
            start = max(number * PAGE, offset)
            end = min((number + 1) * PAGE, offset + length)
            held[start - offset : end - offset] = self._pages[number][start - number * PAGE : end - number * PAGE]
        return bytes(held)

    def write(self, offset: int, data: bytes) -> None:
        within(self, offset, len(data))
        taken = 0
        while taken < len(data):
            number, at = divmod(offset + taken, PAGE)
            if number not in self._pages:
                start = number * PAGE
                page = self.disk.read(start, min(PAGE, self.size - start))
                self._pages[number] = bytearray(page.ljust(PAGE, b"\0"))
            piece = data[taken : taken + PAGE - at]
            self._pages[number][at : at + len(piece)] = piece
            taken += len(piece)

    def flush(self) -> None:
        """Nothing to do: nothing is kept."""


class Recorder(OverDisk):
    """A disk that keeps a log of its writes and flushes. Disks given the same `log` share one order of events."""

    def __init__(self, disk: Disk, log: list[Entry] | None = None) -> None:
        super().__init__(disk)
        self.log: list[Entry] = [] if log is None else log

    def read(self, offset: int, length: int) -> bytes:
        return self.disk.read(offset, length)

    def write(self, offset: int, data: bytes) -> None:
        self.disk.write(offset, data)
        self.log.append(Write(self.name, offset, bytes(data)))

    def flush(self) -> None:
        self.disk.flush()
        self.log.append(Flush(self.name))

    def replay(self, prefix: int | None = None, onto: Disk | None = None) -> Disk:
        """This disk after the first `prefix` entries of the log (all without one), onto an empty disk or `onto`."""
        target = onto or MemoryDisk(self.size, self.name)
        own = [entry for entry in self.log[:prefix] if entry.disk == self.name]
        replay(own, {self.name: target})
        return target


def replay(entries: Iterable[Entry], disks: Mapping[str, Disk]) -> None:
    """Do to `disks`, by name, what the entries say. KeyError for a disk that is not there."""
    for entry in entries:
        if isinstance(entry, Write):
            disks[entry.disk].write(entry.offset, entry.data)
        else:
            disks[entry.disk].flush()


def writes(log: Sequence[Entry]) -> int:
    """How many writes a log holds: the number of points after which the power can fail, besides before the first."""
    return sum(isinstance(entry, Write) for entry in log)


def survivors(log: Sequence[Entry], cut: int, seed: int, sector: int = 0) -> list[Write]:
    """What is on the media when the power fails after `cut` writes, in the order in which it got there.

    What a disk was sent before its last flush is there, in order. Of the rest, `seed` chooses which got there and in
    what order: everything, nothing, or anything between. With `sector`, in bytes, a write is whole sectors that get
    there one by one, so that it may be torn.
    """
    issued = _until(log, cut)
    last_flush: dict[str, int] = {}
    for at, entry in enumerate(issued):
        if isinstance(entry, Flush):
            last_flush[entry.disk] = at
    safe, cached = [], []
    for at, entry in enumerate(issued):
        if isinstance(entry, Write):
            if at < last_flush.get(entry.disk, -1):
                safe.append(entry)
            else:
                cached += _sectors(entry, sector) if sector else [entry]
    chance = random.Random(seed)
    share = chance.choice((0.0, 0.5, 0.5, 0.9, 1.0))
    kept = [entry for entry in cached if chance.random() < share]
    chance.shuffle(kept)
    return safe + kept


def _sectors(entry: Write, sector: int) -> list[Write]:
    """A write as one write for each sector."""
    starts = range(0, len(entry.data), sector)
    return [Write(entry.disk, entry.offset + at, entry.data[at : at + sector]) for at in starts]


def reordered(log: Sequence[Entry], seed: int) -> list[Entry]:
    """The log with the writes between two flushes of the same disk in another order; no write crosses a flush."""
    chance = random.Random(seed)
    found: list[Entry] = list(log)
    for disk in sorted({entry.disk for entry in log}):
        run: list[int] = []
        for at, entry in enumerate([*log, Flush(disk)]):
            if entry.disk == disk and isinstance(entry, Write):
                run.append(at)
            elif entry.disk == disk:
                mixed = chance.sample(run, len(run))
                for place, source in zip(run, mixed, strict=True):
                    found[place] = log[source]
                run = []
    return found


def _until(log: Sequence[Entry], cut: int) -> Sequence[Entry]:
    """The entries up to the write number `cut`, and the flushes right before it."""
    seen = 0
    for at, entry in enumerate(log):
        if isinstance(entry, Write):
            if seen == cut:
                return log[:at]
            seen += 1
    return log
