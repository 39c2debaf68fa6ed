"""Sending a snapshot: what it takes to make it from nothing, or from an earlier one, as a stream of records.

An incremental stream needs no comparison of files: whatever has a block pointer born after the earlier snapshot has
changed, and below an older pointer nothing has. So the work is in proportion to what changed. The stream comes in
pieces, as the blocks are read; none of it is kept.

Left out: compound, deduplicated, compressed and resumable streams. Follows `dmu_sendbackup` of `dmu_send.c` of illumos
as of 12 August 2011.
"""

from collections.abc import Iterator

from smartos.probes import declare
from smartos.zfs.dmu import objset
from smartos.zfs.dmu.dnode import DNODE_SHIFT, DNODE_SIZE, Dnode
from smartos.zfs.dmu.objset import ObjsetPhys
from smartos.zfs.errors import Unsupported
from smartos.zfs.format import checksum
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.read.znode import MASTER_NODE, VERSION
from smartos.zfs.stream import replay

SENDBACKUP = declare("fbt:zfs:dmu_sendbackup:entry", "objset_t *", "objset_t *", "boolean_t", "vnode_t *", "offset_t *")
DUMP_BYTES = declare("fbt:zfs:dump_bytes:entry", "struct backuparg *", "void *", "int")


class Sender:
    """One stream in the making. Frees that follow each other become one record."""

    def __init__(self, snap: LiveDataset, since: int) -> None:
        self.snap, self.since, self.guid = snap, since, snap.phys.guid
        self.read = snap.dp.spa.read
        self.sums = checksum.Fletcher4()
        self._pending: tuple[int, int, int, int] | None = None  # record type, object, offset, length

    def stream(self, begin: replay.Begin) -> Iterator[bytes]:
        """The whole stream, piece by piece."""
        yield self._dump(begin.pack())
        yield from self._objset()
        yield from self._flush()
        yield self._dump(replay.pack_end(self.sums.words, self.guid))

    def _dump(self, data: bytes) -> bytes:
        """`dump_bytes`: count a piece that goes out."""
        if DUMP_BYTES.listeners:
            DUMP_BYTES.fire(self, data, len(data))
        self.sums.update(data)
        return data

    def _bytes(self, data: bytes) -> Iterator[bytes]:
        """A record, after the free that waits."""
        yield from self._flush()
        yield self._dump(data)

    def _flush(self) -> Iterator[bytes]:
        if self._pending is not None:
            kind, number, offset, length = self._pending
            self._pending = None
            if kind == replay.FREE:
                yield self._dump(replay.pack_free(number, offset, length, self.guid))
            else:
                yield self._dump(replay.pack_freeobjects(offset, length, self.guid))

    def _free(self, kind: int, number: int, offset: int, length: int) -> Iterator[bytes]:
        """`dump_free`, `dump_freeobjects`: join a free to the one before where they touch."""
        if self._pending is not None:
            before = self._pending
            if before[:2] == (kind, number) and before[2] + before[3] == offset:
                self._pending = (kind, number, before[2], before[3] + length)
                return
            yield from self._flush()
        self._pending = (kind, number, offset, length)

    def _objset(self) -> Iterator[bytes]:
        """Everything in the snapshot that was born after the earlier one."""
        root = self.snap.phys.bp
        if not root.hole and root.birth > self.since:
            phys = ObjsetPhys.unpack(self.read(root), root.order)
            yield from self._dnode(0, phys.meta_dnode)

    def _dnode(self, number: int, dnode: Dnode) -> Iterator[bytes]:
        for blkid, pointer in enumerate(dnode.blkptrs):
            yield from self._block(number, dnode, dnode.nlevels - 1, blkid, pointer)
        if number and dnode.spill is not None and not dnode.spill.hole:
            # with every object that is sent, changed or not: a receiver drops it when the bonus has another length
            yield from self._bytes(replay.pack_spill(number, self.read(dnode.spill), self.guid))

    def _block(self, number: int, dnode: Dnode, level: int, blkid: int, pointer: Blkptr) -> Iterator[bytes]:
        """`backup_cb` over `traverse_visitbp`: a hole is a free; an older block and all below it are passed by."""
        if pointer.hole:
            span = dnode.block_size << level * dnode.fan_shift
            if number == 0:
                yield from self._free(replay.FREEOBJECTS, 0, blkid * span >> DNODE_SHIFT, span >> DNODE_SHIFT)
            else:
                yield from self._free(replay.FREE, number, blkid * span, span)
            return
        if pointer.birth <= self.since:
            return
        data = self.read(pointer)
        if level:
            for index in range(len(data) // BLKPTR_SIZE):
                child = Blkptr.unpack(data[index * BLKPTR_SIZE : (index + 1) * BLKPTR_SIZE], pointer.order)
                yield from self._block(number, dnode, level - 1, (blkid << dnode.fan_shift) + index, child)
        elif number == 0:
            yield from self._dnodes(data, pointer, blkid)
        else:
            yield from self._data(number, pointer, blkid * dnode.block_size, data)

    def _dnodes(self, data: bytes, pointer: Blkptr, blkid: int) -> Iterator[bytes]:
        first = blkid * (len(data) >> DNODE_SHIFT)
        dnodes = [Dnode.unpack(data[at:], pointer.order) for at in range(0, len(data), DNODE_SIZE)]
        for index, dnode in enumerate(dnodes):
            yield from self._object(first + index, dnode)
        for index, dnode in enumerate(dnodes):
            if dnode.type != dmu.NONE:
                yield from self._dnode(first + index, dnode)

    def _object(self, number: int, dnode: Dnode) -> Iterator[bytes]:
        """`dump_dnode`: an object as it is, and that nothing is behind its end."""
        if dnode.type == dmu.NONE:
            yield from self._free(replay.FREEOBJECTS, 0, number, 1)
            return
        sums = (dnode.checksum, dnode.compress)
        yield from self._bytes(
            replay.pack_object(number, dnode.type, dnode.bonustype, dnode.block_size, dnode.bonus, sums, self.guid)
        )
        yield self._dump(replay.pack_free(number, dnode.length, replay.TO_THE_END, self.guid))

    def _data(self, number: int, pointer: Blkptr, offset: int, data: bytes) -> Iterator[bytes]:
        flags = 1 if pointer.checksum in (checksum.SHA256, checksum.SHA512) else 0
        key = pointer.lsize // 512 - 1 | pointer.psize // 512 - 1 << 16 | pointer.compress << 32
        sums = (pointer.checksum, flags, pointer.cksum)
        yield from self._bytes(replay.pack_write(number, pointer.type, offset, data, self.guid, sums, key))


def send(snap: LiveDataset, earlier: LiveDataset | None = None, from_origin: bool = False) -> Iterator[bytes]:
    """`dmu_sendbackup`: the stream of a snapshot, incremental from an `earlier` one of the same dataset, or from the
    snapshot that the dataset is a clone of. Raises :class:`Unsupported` for what cannot be sent so, at once."""
    if SENDBACKUP.listeners:
        SENDBACKUP.fire(snap, earlier, from_origin, None, None)
    if not snap.is_snapshot:
        raise Unsupported(f"cannot send '{snap.name}': not a snapshot")
    flags = 0
    if from_origin and snap.dir.phys.origin_obj and earlier is None:
        origin = snap.dp.dataset(snap.dir.phys.origin_obj)
        if origin is not snap.dp.origin_snap:
            earlier, flags = origin, replay.FLAG_CLONE
    elif earlier is not None:
        if earlier.dir is not snap.dir or earlier.phys.creation_txg >= snap.phys.creation_txg:
            raise Unsupported(f"incremental source ({earlier.name}) is not earlier than it, or of another dataset")
    kind = snap.objset.phys.type
    sa = kind == objset.ZFS and snap.objset.zap(MASTER_NODE).get(VERSION) >= 5
    begin = replay.Begin(
        snap.name, snap.phys.guid, earlier.phys.guid if earlier else 0, kind, snap.phys.creation_time, flags,
        replay.SA_SPILL if sa else 0,
    )  # fmt: skip
    return Sender(snap, earlier.phys.creation_txg if earlier else 0).stream(begin)
