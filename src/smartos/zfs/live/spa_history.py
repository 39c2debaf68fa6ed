"""The pool's history: each command that changed it, and what was done inside, in an object of the MOS.

The object is a ring. Its bonus says where the ring begins and ends; records are packed nvlists behind their lengths.
What `zpool create` wrote stands before the ring and is never overwritten; of the rest the oldest goes when room is
needed. A pool gets the object with its first command: one that is made and changed in Python alone has no history.

Left out: who the caller is (root in the global zone, always). Follows `spa_history.c` of illumos as of 12 August 2011.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from smartos.zfs.errors import CorruptPool
from smartos.zfs.format import nvlist, nvlist_native
from smartos.zfs.format import types as dmu
from smartos.zfs.format.nvlist import NVList
from smartos.zfs.live.dsl_pool import SyncTask
from smartos.zfs.live.spa_config import HOSTNAME
from smartos.zfs.read.dsl import HISTORY, POOL_DIRECTORY_OBJECT

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore
    from smartos.zfs.read.pool import Pool

BLOCK = 128 << 10
SMALLEST, LARGEST = 128 << 10, 32 << 20  # bytes of the ring, which else is a hundredth of the pool
TIME, COMMAND, WHO, ZONE, HOST = (f"history {word}" for word in ("time", "command", "who", "zone", "hostname"))
TXG, EVENT, TEXT = "history txg", "history internal event", "history internal str"
EVENTS = (
    "invalid event", "pool create", "vdev add", "pool remove", "pool destroy", "pool export", "pool import",
    "vdev attach", "vdev replace", "vdev detach", "vdev online", "vdev offline", "vdev upgrade", "pool clear",
    "pool scrub", "pool property set", "create", "clone", "destroy", "destroy_begin_sync", "inherit", "property set",
    "quota set", "permission update", "permission remove", "permission who remove", "promote", "receive", "rename",
    "reservation set", "replay_inc_sync", "replay_full_sync", "rollback", "snapshot", "filesystem version upgrade",
    "refquota set", "refreservation set", "pool scrub done", "user hold", "user release", "pool split",
)  # fmt: skip


@dataclass(slots=True)
class HistoryPhys:
    """`spa_history_phys_t`, the bonus: where the first record ends and the ring begins, where the object ends, the
    ring's beginning and end as if it had no end, and how many records were overwritten."""

    create_len: int = 0
    max_off: int = 0
    bof: int = 0
    eof: int = 0
    lost: int = 0

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "HistoryPhys":
        """The offsets in a bonus. Raises :class:`CorruptPool`."""
        if len(data) < 40:
            raise CorruptPool(f"the history's bonus has {len(data)} bytes; it has 40")
        found = cls(*struct.unpack_from(f"{order}5Q", data))
        if not found.create_len < found.max_off <= 1 << 30 or not found.bof <= found.eof:
            raise CorruptPool("the history's offsets make no ring")
        return found

    def pack(self) -> bytes:
        """The bonus's 40 bytes."""
        return struct.pack("<5Q", *astuple(self))

    def place(self, offset: int) -> int:
        """`spa_history_log_to_phys`: where in the object an offset of the endless ring is."""
        return (offset - self.create_len) % (self.max_off - self.create_len) + self.create_len


def records(phys: HistoryPhys, read: Callable[[int, int], bytes]) -> Iterator[NVList]:
    """The records, oldest first; `read(offset, length)` gives the object's bytes. Raises :class:`CorruptPool`."""
    data = read(0, phys.create_len)
    start, length = phys.place(max(phys.bof, phys.create_len)), phys.eof - max(phys.bof, phys.create_len)
    if length > 0:
        first = min(length, phys.max_off - start)
        data += read(start, first) + (read(phys.create_len, length - first) if length > first else b"")
    at = 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        if not 0 < size <= len(data) - at - 8:
            raise CorruptPool(f"the history has a record of {size} bytes at {at} of {len(data)}")
        yield nvlist_native.unpack(data[at + 8 : at + 8 + size])
        at += 8 + size


def stored(pool: "Pool") -> Iterator[NVList]:
    """The history of a pool that was opened for reading, oldest first; nothing when it has none. Raises
    :class:`CorruptPool` where a record cannot be decoded."""
    number = pool.directory.get(HISTORY)
    if isinstance(number, int):
        dnode = pool.mos.dnode(number)
        phys = HistoryPhys.unpack(dnode.bonus, dnode.order)
        yield from records(phys, lambda offset, length: pool.mos.read(dnode, offset, length).ljust(length, b"\0"))


def read_history(pool: "Pool") -> list[NVList]:
    """All of that history."""
    return list(stored(pool))


class History:
    """The history of an open pool. `object` is 0 as long as there is none, `staged` the command that is running."""

    def __init__(self, spa: "SpaCore") -> None:
        self.spa, self.object = spa, 0
        self.staged = self._noted = ""

    def load(self) -> None:
        """Find the object at an import."""
        self.object = self.spa.dp.mos.zap(POOL_DIRECTORY_OBJECT).get(HISTORY) or 0

    def command(self, text: str, create: bool = False) -> None:
        """`spa_history_log`: note a command; it is on disk with the open transaction group, or with one before."""
        noted, self._noted, self.staged = self._noted, "", ""
        if noted != text:
            self._later(self._command(text), create)

    def stage(self, text: str) -> None:
        """A command begins: it is noted in the transaction group in which it first changes something."""
        self.staged, self._noted = text, ""

    def follow(self, task: SyncTask) -> None:
        """Note the command that is running after one of its sync tasks, if that went through."""

        def note() -> None:
            if self.staged and task.error is None:
                self._sync(self._command(self.staged))
                self.staged, self._noted = "", self.staged

        if self.staged:
            self.spa.dp.tasks.append(SyncTask("history", note))

    def _command(self, text: str) -> NVList:
        return NVList({TIME: self.spa.now(), WHO: 0, ZONE: "global", HOST: HOSTNAME, COMMAND: text})

    def internal(self, event: str, text: str) -> None:
        """`spa_history_log_internal`: note what is done inside, if the pool has a history."""
        if not self.object:
            return
        record = NVList({TIME: self.spa.now(), WHO: 0, HOST: HOSTNAME, EVENT: EVENTS.index(event), TXG: 0, TEXT: text})
        if self.spa.sync_pass:
            self._sync(record)
        else:
            self._later(record, False)

    def _later(self, record: NVList, create: bool) -> None:
        self.spa.dp.tasks.append(SyncTask("history", lambda: self._sync(record, create)))

    def _create(self) -> None:
        mos, size = self.spa.dp.mos, self.spa.metaslabs.dspace // 100
        phys = HistoryPhys(max_off=max(min(size, LARGEST), SMALLEST))
        self.object = mos.allocate(dmu.SPA_HISTORY, BLOCK, dmu.SPA_HISTORY_OFFSETS, phys).number
        mos.zap_put(POOL_DIRECTORY_OBJECT, HISTORY, self.object)

    def _sync(self, record: NVList, create: bool = False) -> None:
        """`spa_history_log_sync`, in syncing context."""
        if not self.object:
            self._create()
        if TXG in record:
            record[TXG] = self.spa.syncing_txg
        node = self.spa.dp.mos.node(self.object)
        phys = node.struct_of(HistoryPhys)
        packed = nvlist.pack(record)
        self._write(struct.pack("<Q", len(packed)))
        self._write(packed)
        if create:
            phys.create_len = phys.bof = phys.eof
        node.touch()

    def _write(self, data: bytes) -> None:
        """`spa_history_write`: append to the ring, after the oldest records made room."""
        node = self.spa.dp.mos.node(self.object)
        phys = node.struct_of(HistoryPhys)
        while phys.max_off - phys.create_len - (phys.eof - phys.bof) <= len(data):
            self._advance(phys)
        at = phys.place(phys.eof)
        first = min(len(data), phys.max_off - at)
        node.write(at, data[:first])
        if first < len(data):
            node.write(phys.create_len, data[first:])
        phys.eof += len(data)

    def _advance(self, phys: HistoryPhys) -> None:
        """`spa_history_advance_bof`: give up the oldest record."""
        node, at = self.spa.dp.mos.node(self.object), phys.place(phys.bof)
        head = node.read(at, min(8, phys.max_off - at))
        head += node.read(phys.create_len, 8 - len(head))
        phys.bof += struct.unpack("<Q", head)[0] + 8
        phys.lost += 1

    def records(self) -> list[NVList]:
        """All records, oldest first."""
        if not self.object:
            return []
        node = self.spa.dp.mos.node(self.object)
        return list(records(node.struct_of(HistoryPhys), node.read))
