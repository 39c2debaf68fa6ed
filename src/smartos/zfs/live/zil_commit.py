"""The intent log in motion: what a program was promised goes to disk at once, in a chain of blocks.

Every change of a file is noted in memory as a record (`itx_t`). When its transaction group is on disk the record is
forgotten; that is what becomes of most. But when a program calls fsync, the records are put into log blocks, written
and flushed, and only then is it answered. Each block holds the address of the next, which is allocated before it is
needed, so no tree has to be written to reach it. The header in the dataset's root block points to the chain's first
block; so a dataset's first fsync waits for a transaction group, and all later ones for nothing but the log.

When a transaction group is on disk, so is all that the log's records say; its blocks are freed, but for the one that
comes next. What a power cut leaves is replayed when the pool is imported: see :mod:`~smartos.zfs.live.zil_replay`.

Left out: log devices and `logbias`; several writers who wait for one block. Follows `zil.c`, and `zfs_get_data` of
`zfs_vnops.c`, of illumos as of 12 August 2011.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.dmu.objset import ZilHeader
from smartos.zfs.errors import NoSpace, ZfsError
from smartos.zfs.events import Event
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.read import zil
from smartos.zfs.read.zil import OUT_OF_ORDER

if TYPE_CHECKING:
    from smartos.zfs.live.dmu_objset import LiveObjset

STANDARD, ALWAYS, DISABLED = range(3)  # the property `sync`
SLIM_ZIL = 21  # the pool version from which on a block's chain is at its front
BUCKETS = (4096, 8192 + 4096, (32 << 10) + 4096, 128 << 10)  # zil_block_buckets
PREV_BLKS = 16

COMMIT = declare("fbt:zfs:zil_commit:entry", "zilog_t *", "uint64_t")
COMMITTED = declare("fbt:zfs:zil_commit:return", "int", "int")
ASSIGN = declare("fbt:zfs:zil_itx_assign:entry", "zilog_t *", "itx_t *", "dmu_tx_t *")
CREATE = declare("fbt:zfs:zil_create:entry", "zilog_t *")
WRITE_START = declare("fbt:zfs:zil_lwb_write_start:entry", "zilog_t *", "lwb_t *")
SYNC = declare("fbt:zfs:zil_sync:entry", "zilog_t *", "dmu_tx_t *")
CLEAN = declare("fbt:zfs:zil_clean:entry", "zilog_t *", "uint64_t")
DESTROY = declare("fbt:zfs:zil_destroy:entry", "zilog_t *", "boolean_t")
SUSPEND = declare("fbt:zfs:zil_suspend:entry", "zilog_t *")
CW1 = declare("sdt:zfs:zil_commit_writer:zil-cw1", "zilog_t *")
CW2 = declare("sdt:zfs:zil_commit_writer:zil-cw2", "zilog_t *")

GetData = Callable[[int, int, int], bytes | None]


@dataclass(slots=True, eq=False)
class Itx:
    """`itx_t`: a change that may have to be logged. `body` is its record behind the common header; of a write,
    `get_data` fetches the data at the time of the commit, if there are any by then, unless `data` holds them;
    `indirect`: the record is to point to their block."""

    kind: int
    txg: int
    oid: int
    body: bytes
    length: int = 0
    offset: int = 0
    indirect: bool = False
    data: bytes | None = None
    get_data: GetData | None = None
    sync: bool = False


@dataclass(slots=True, eq=False)
class Lwb:
    """`lwb_t`: a log block with the records that are to be written to it; once it is `written` it takes no more."""

    pointer: Blkptr
    records: bytearray
    written: bool = False
    max_txg: int = 0


class Zilog:
    """A dataset's intent log (`zilog_t`). `itxs` are the changes that are in no log block and not on disk, `lwbs` the
    blocks of the chain, of which the last is the one to be written next. `sync` is the property of that name."""

    def __init__(self, objset: "LiveObjset") -> None:
        self.objset, self.spa = objset, objset.spa
        self.sync = STANDARD
        self.replaying = False
        self.itxs: list[Itx] = []
        self.lwbs: list[Lwb] = []
        self.lr_seq = 0
        self.doomed: list[Blkptr] | None = None
        self._ready = False
        self._sizes = [0] * PREV_BLKS
        self._rotor = 0
        if not self.header.log.hole:
            self.lwbs.append(Lwb(self.header.log, bytearray()))

    @property
    def header(self) -> ZilHeader:
        """The header, which is part of the object set's root block."""
        return self.objset.phys.zil_header

    # ---- what happens

    @property
    def wanted(self) -> bool:
        """Whether changes are to be noted: not while they come from a log, nor with `sync=disabled`."""
        return not self.replaying and self.sync != DISABLED

    def assign(self, itx: Itx) -> None:
        """`zil_itx_assign`: note a change, of the open transaction group."""
        if ASSIGN.listeners:
            ASSIGN.fire(self, itx, None)
        if not self.itxs:
            self.spa.dp.logs[self.objset.dataset] = self
        self.itxs.append(itx)

    def clean(self, txg: int) -> None:
        """`zil_clean`: what was changed up to `txg` is on disk, and needs no log."""
        if CLEAN.listeners:
            CLEAN.fire(self, txg)
        self.itxs = [itx for itx in self.itxs if itx.txg > txg]

    # ---- commit

    def commit(self, foid: int = 0) -> None:
        """`zil_commit`: return when all that was done to the file `foid` is safe (0: to all files).

        Other files' names are safe as well, since they may be what made this one; their data need not be. Raises
        :class:`~smartos.zfs.live.txg.PoolSuspended` when the devices do not take it.
        """
        if COMMIT.listeners:
            COMMIT.fire(self, foid)
        if self.sync != DISABLED:
            self._commit(foid)
        if COMMITTED.listeners:
            COMMITTED.fire(0, 0)

    def _commit(self, foid: int) -> None:
        todo, rest = self._divide(foid)
        if self.spa.suspended or (todo and not self._ready):
            self._create()
            return
        if not todo:
            return
        self.itxs = rest
        if CW1.listeners:
            CW1.fire(self)
        self.objset.mark(self.objset.meta)  # so that :meth:`sync_done` frees what is written now
        touched: set[int] = set()
        try:
            used = 0
            for itx in todo:
                used += self._put(itx, used, touched)
            if self.lwbs[-1].records:
                self._write(used, touched)
        except ZfsError:  # the group has it all, too, if the pool can write at all
            self.lwbs[-1].records.clear()
            self.spa.sync()
            return
        if CW2.listeners:
            CW2.fire(self)
        for vdev in sorted(touched):
            self.spa.root.child(vdev).flush()

    def _divide(self, foid: int) -> tuple[list[Itx], list[Itx]]:
        """What a commit has to log and what it may leave: other files' data, unless they were renamed afterwards."""
        renamed: set[int] = set()
        todo, rest = [], []
        for itx in reversed(self.itxs):
            if itx.kind == zil.TX_RENAME:
                renamed.add(itx.oid)
            pushed = not foid or itx.sync or itx.kind not in OUT_OF_ORDER or itx.oid == foid or itx.oid in renamed
            (todo if pushed else rest).append(itx)
        return todo[::-1], rest[::-1]

    def _create(self) -> None:
        """`zil_create`: a chain's first block, and the wait until the header that points to it is on disk. Then all
        that was to be logged is on disk too."""
        if CREATE.listeners:
            CREATE.fire(self)
        if not self.spa.suspended and self.doomed is None:
            self._begin()
        self.spa.sync()

    def _begin(self) -> None:
        txg, chance = self.spa.txg.open, self.spa.random
        try:
            pointer = self.lwbs[0].pointer if self.lwbs else self._alloc(BUCKETS[0], None)
        except NoSpace:
            return
        # No chain is like another, even when the pool is imported again and draws the same numbers.
        pointer.cksum = (chance.getrandbits(64) ^ txg, chance.getrandbits(64), self.objset.dataset, 1)
        self.objset.phys.zil_header = ZilHeader(log=pointer)
        self.lwbs, self._ready = [Lwb(pointer, bytearray())], True
        self.objset.mark(self.objset.meta)

    def _put(self, itx: Itx, used: int, touched: set[int]) -> int:
        """`zil_lwb_commit`: append a change to the chain; gives the bytes of its record."""
        data = itx.data
        if data is None and itx.get_data is not None:
            data = itx.get_data(itx.oid, itx.offset, itx.length)
            if data is None:  # the file is gone, or cut off before it
                return 0
        pointer = self._ahead(itx, touched) if itx.indirect else None
        if pointer is None:
            body = itx.body + (data or b"")
        else:
            body = itx.body[: -zil.BLKPTR_SIZE] + pointer.pack()
        size = zil.COMMON_SIZE + len(body) + -len(body) % 8
        if len(self.lwbs[-1].records) + size > zil.room(self.lwbs[-1].pointer):
            self._write(used + size, touched)
            if size > zil.room(self.lwbs[-1].pointer):
                raise NoSpace(f"no log block takes a record of {size:,} bytes")
        lwb, self.lr_seq = self.lwbs[-1], self.lr_seq + 1
        lwb.records += zil.pack_record(itx.kind, size, itx.txg, self.lr_seq, body)
        lwb.max_txg = max(lwb.max_txg, itx.txg)
        return size

    def _ahead(self, itx: Itx, touched: set[int]) -> Blkptr | None:
        """The pointer to the block of a large write (WR_INDIRECT), which is written now; None when it has to be copied
        after all, because the file has other blocks by now, or no block could be written."""
        node = self.objset.node(itx.oid)
        number, skip = divmod(itx.offset, node.block_size)
        if number not in node.dirty or skip + itx.length > node.block_size:
            return None
        pointer = self.objset.dmu_sync(node, number)
        if pointer is not None:
            touched.update(dva.vdev for dva in pointer.dvas)
        return pointer

    def _write(self, used: int, touched: set[int]) -> None:
        """`zil_lwb_write_start`: write the last block, with the address of a new one. `used` bytes were logged by this
        commit, from which the new one's size is guessed; it is as large as any of the last sixteen."""
        lwb, spa = self.lwbs[-1], self.spa
        if WRITE_START.listeners:
            WRITE_START.fire(self, lwb)
        self._sizes[self._rotor] = next((size for size in BUCKETS if used + zil.CHAIN_SIZE <= size), BUCKETS[-1])
        self._rotor = (self._rotor + 1) % PREV_BLKS
        before = lwb.pointer
        following = self._alloc(max(self._sizes), before.dvas[0])
        following.cksum = (*before.cksum[: zil.SEQ], before.cksum[zil.SEQ] + 1)
        top = spa.root.child(before.dvas[0].vdev)
        data = zil.pack_block(before, following, bytes(lwb.records), whole=top.type == "raidz")
        lwb.written, lwb.records = True, bytearray()
        self.lwbs.append(Lwb(following, bytearray()))
        if spa.events.wanted:
            what = f"log block {before.cksum[zil.SEQ]} of {self.objset.name}, of {len(data)} bytes"
            spa.events.add(Event(spa.txg.open, 0, "log", what, None, (), before.dvas, "ZIL intent log", before.lsize))
        touched.add(before.dvas[0].vdev)
        spa.root.write_dvas([(dva.vdev, dva.offset) for dva in before.dvas], data, spa.txg.open)

    def _alloc(self, size: int, beside: DVA | None) -> Blkptr:
        """`zio_alloc_zil`: space for a log block, on another vdev than the last one. Raises :class:`NoSpace`."""
        spa = self.spa
        kind = checksum.ZILOG2 if spa.version >= SLIM_ZIL else checksum.ZILOG
        dvas = spa.metaslabs.alloc(size, 1, spa.txg.open, avoid=beside)
        return Blkptr(dvas, size, size, compress.OFF, kind, dmu.INTENT_LOG, birth=spa.txg.open, little=True)

    # ---- syncing

    def sync_log(self, txg: int) -> None:
        """`zil_sync`, in syncing context: free the blocks whose records this group has, and let the header point to
        the next one; or all, when the log goes."""
        if SYNC.listeners:
            SYNC.fire(self, None)
        if self.doomed is not None:
            for pointer in self.doomed:
                self.spa.zio.free(pointer)
            self.doomed, self.objset.phys.zil_header = None, ZilHeader()
            return
        while self.lwbs and self._ready:
            lwb = self.lwbs[0]
            self.header.log = lwb.pointer
            if not lwb.written or lwb.max_txg > txg:
                return
            self.spa.zio.free(self.lwbs.pop(0).pointer)

    def destroy(self, blocks: list[Blkptr] | None = None) -> None:
        """`zil_destroy`: the log goes with the open transaction group, which has all that it holds. Of a log that was
        claimed, `blocks` are what it takes."""
        if DESTROY.listeners:
            DESTROY.fire(self, False)
        if self.header.log.hole and not self.lwbs:
            return
        self.doomed = [lwb.pointer for lwb in self.lwbs] if blocks is None else blocks
        self.lwbs, self._ready = [], False
        self.objset.mark(self.objset.meta)

    def suspend(self) -> None:
        """`zil_suspend`: before a snapshot is taken, or the dataset becomes another one: no log, in the next group."""
        if SUSPEND.listeners:
            SUSPEND.fire(self)
        self.destroy()
