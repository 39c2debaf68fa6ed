"""Receiving a stream: objects are made, written and freed as its records say, then a snapshot of that guid is taken.

The stream is received as it arrives, in many transaction groups, of which each holds a few MiB. A new dataset is marked
as inconsistent until its snapshot is there; what exists already is received into a hidden clone beside it (`%snapshot`)
which changes places with it at the end. So whatever is wrong with the stream, the target is as it was: what was begun
is destroyed, by the next import if not before.

Left out: deduplicated and big-endian streams. Follows `dmu_recv_begin`, `dmu_recv_stream` and
`dmu_recv_end` of `dmu_send.c` of illumos as of 12 August 2011.
"""

from io import BytesIO
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.dmu.dnode import MAX_BONUS
from smartos.zfs.errors import Busy, CorruptPool, Exists, NoSuchName, Unsupported
from smartos.zfs.format import types as dmu
from smartos.zfs.live import dsl_destroy, dsl_snapshot
from smartos.zfs.live.dmu_objset import LiveObjset
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.live.dsl_dir import LiveDir, QuotaExceeded
from smartos.zfs.live.dsl_pool import SyncTask
from smartos.zfs.read.dsl import FLAG_INCONSISTENT
from smartos.zfs.stream import replay
from smartos.zfs.stream.replay import Begin, Incoming, Read, Record

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

RECV_BEGIN = declare("fbt:zfs:dmu_recv_begin:entry", "char *", "char *", "char *", "struct drr_begin *")
RESTORE_OBJECT = declare("fbt:zfs:restore_object:entry", "struct restorearg *", "objset_t *", "struct drr_object *")
RESTORE_WRITE = declare("fbt:zfs:restore_write:entry", "struct restorearg *", "objset_t *", "struct drr_write *")
RESTORE_SPILL = declare("fbt:zfs:restore_spill:entry", "struct restorearg *", "objset_t *", "struct drr_spill *")
RESTORE_FREE = declare("fbt:zfs:restore_free:entry", "struct restorearg *", "objset_t *", "struct drr_free *")
FREEOBJECTS = declare(
    "fbt:zfs:restore_freeobjects:entry", "struct restorearg *", "objset_t *", "struct drr_freeobjects *"
)
BATCH = 4 << 20  # bytes of a stream after which a transaction group is let through


def receive(spa: "SpaCore", stream: bytes | Read, name: str, force: bool = False) -> LiveDataset:
    """`zfs receive [-F]`: make the snapshot that a stream describes; `name` is a dataset, or with an @ the snapshot.

    `stream` is its bytes, or a function that reads so many of them. Raises what :func:`receive_next` does.
    """
    incoming = Incoming(BytesIO(stream).read if isinstance(stream, (bytes, bytearray)) else stream)
    begin, kind = incoming.begin()
    if kind != replay.SUBSTREAM:
        raise Unsupported("several streams in one are received by the command, one after the other")
    return receive_next(spa, incoming, begin, name, force)


def receive_next(spa: "SpaCore", incoming: Incoming, begin: Begin, name: str, force: bool = False) -> LiveDataset:
    """Receive a stream whose first record was taken already. Whatever is raised, the target is as it was.

    Raises :class:`ChecksumError`, :class:`CorruptPool` or :class:`Unsupported` for the stream, :class:`Exists`,
    :class:`NoSuchName` when the latest snapshot is not the one that it builds on, :class:`Busy` when the dataset was
    changed since (and not `force`), :class:`NoSpace`.
    """
    path, _, snapname = name.partition("@")
    snapname = snapname or begin.toname.rpartition("@")[2]
    if RECV_BEGIN.listeners:
        RECV_BEGIN.fire(path, snapname, path, begin)
    if begin.features & replay.SA_SPILL and spa.version < 24:
        raise Unsupported(f"cannot receive: the stream has system attributes, and pool version {spa.version} has none")
    head, into = _begin(spa, begin, path, snapname, force)
    if not head.phys.bp.hole:
        head.objset.zil.suspend()
    try:
        _records(spa, into, incoming)
        return _end(spa, begin, head, into, snapname)
    except BaseException:
        _abort(spa, into)
        raise


def _records(spa: "SpaCore", into: LiveDataset, incoming: Incoming) -> None:
    """Do what the records say, and let go of what was written from time to time."""
    written = incoming.count
    for record in incoming.records():
        spa.assign(into, len(record.data) or 512, netfree=not record.data)
        with spa.txg.hold(spa):
            _apply(into.objset, record)
        if incoming.count - written > BATCH:
            spa.sync()
            into.evict()
            written = incoming.count
    spa.sync()
    into.evict()


def _begin(spa: "SpaCore", begin: Begin, path: str, snapname: str, force: bool) -> tuple[LiveDataset, LiveDataset]:
    """The dataset that is to have the snapshot, and the one to receive into: itself when it is new, else a clone."""
    try:
        head = spa.dp.find(path)
    except NoSuchName:
        made = _new(spa, begin, path)
        return made, made
    if snapname in head.snapshots():
        raise Exists(f"cannot receive into '{path}': snapshot '{snapname}' exists")
    spa.sync()
    if not begin.fromguid or begin.flags & replay.FLAG_CLONE:
        if not force or head.snapshots() or begin.fromguid:
            raise Exists(f"cannot receive new filesystem stream: destination '{path}' exists")
        origin = None
    else:
        origin = head.prev
        if origin is None or origin.phys.guid != begin.fromguid or origin.dir is not head.dir:
            raise NoSuchName(f"cannot receive incremental stream: most recent snapshot of {path} is not its source")
        if head.phys.bp.birth > origin.phys.creation_txg and not force:
            raise Busy(f"cannot receive incremental stream: destination {path} has been modified")

    def work() -> LiveDataset:
        return _incomplete(begin, head.dir, f"%{snapname}", origin)

    return head, spa.task(f"receive into {path}", work)


def _new(spa: "SpaCore", begin: Begin, path: str) -> LiveDataset:
    check, (parent, _, last) = spa.free_name(path), path.rpartition("/")
    origin = None
    if begin.fromguid:
        origin = next((each for each in spa.datasets() if each.is_snapshot and each.phys.guid == begin.fromguid), None)
        if origin is None or not begin.flags & replay.FLAG_CLONE:
            raise NoSuchName(f"cannot receive incremental stream: destination '{path}' does not exist")
    return spa.task(
        f"receive into {path}", lambda: _incomplete(begin, spa.dp.find_dir(parent), last, origin), check
    )


def _incomplete(begin: Begin, parent: LiveDir, name: str, origin: LiveDataset | None) -> LiveDataset:
    """In syncing context: a dataset that is not to be used yet; without an origin, an empty one."""
    made = LiveDataset.create(parent.dp, LiveDir.create(parent.dp, parent, name), origin)
    made.phys.flags |= FLAG_INCONSISTENT
    if origin is None:
        made.create_objset(begin.type)
    return made


def _end(spa: "SpaCore", begin: Begin, head: LiveDataset, into: LiveDataset, snapname: str) -> LiveDataset:
    """`dmu_recv_end`: let the received take the dataset's place, and take the snapshot."""

    def check() -> None:
        if into is not head and head.quota and into.phys.unique_bytes > head.quota:
            raise QuotaExceeded(f"{head.name}: refquota of {head.quota:,} bytes used up")

    def work() -> LiveDataset:
        into.phys.flags &= ~FLAG_INCONSISTENT
        into.node.touch()
        if into is not head:
            dsl_snapshot.clone_swap_sync(into, head)
            dsl_destroy.destroy_sync(into)
        made = dsl_snapshot.snapshot_sync(head, snapname, begin.toguid)
        made.phys.creation_time = begin.creation_time
        made.node.touch()
        event = "replay_inc_sync" if begin.fromguid else "replay_full_sync"
        spa.history.internal(event, f"dataset = {head.number}")
        return made

    return spa.task(f"receive {head.name}@{snapname}", work, check)


def _abort(spa: "SpaCore", into: LiveDataset) -> None:
    """`dmu_recv_abort_cleanup`: destroy what was begun. A pool that is suspended does it at its next import."""
    spa.dp.dirty_datasets.pop(into.number, None)
    into.evict()
    if not spa.suspended and into.number in spa.dp.known:
        spa.task(f"destroy {into.name}", lambda: dsl_destroy.destroy_sync(into))


def forget_unfinished(spa: "SpaCore") -> None:
    """`dsl_destroy_inconsistent`: when the next transaction group syncs, destroy what receiving left unfinished."""
    waiting, found = [spa.dp.root_dir], []
    while waiting:
        directory = waiting.pop()
        waiting += [each for name, each in directory.children().items() if not name.startswith("$")]
        head = spa.dp.dataset(directory.phys.head_dataset_obj)
        if head.phys.flags & FLAG_INCONSISTENT:
            found.append(head)
    if found:
        work = lambda: [dsl_destroy.destroy_sync(each) for each in reversed(found)]  # noqa: E731 - a sync task's work
        spa.dp.tasks.append(SyncTask("destroy inconsistent datasets", work))


def _apply(objset: LiveObjset, record: Record) -> None:
    """One record. Raises :class:`CorruptPool` for one that makes no sense."""
    if record.kind == replay.OBJECT:
        if RESTORE_OBJECT.listeners:
            RESTORE_OBJECT.fire(None, objset, record)
        _object(objset, record)
    elif record.kind == replay.FREEOBJECTS:
        if FREEOBJECTS.listeners:
            FREEOBJECTS.fire(None, objset, record)
        for number in list(objset.objects(record.object, record.object + record.length)):
            objset.free(number)
    elif not objset.exists(record.object):
        raise CorruptPool(f"invalid stream: {record.describe()}, which is no object")
    elif record.kind == replay.SPILL:
        if RESTORE_SPILL.listeners:
            RESTORE_SPILL.fire(None, objset, record)
        node = objset.node(record.object)
        if node.phys.bonustype != dmu.SA:
            raise CorruptPool(f"invalid stream: {record.describe()}, which has no system attributes")
        node.set_spill(record.data)
    elif record.kind == replay.WRITE:
        if RESTORE_WRITE.listeners:
            RESTORE_WRITE.fire(None, objset, record)
        node = objset.node(record.object)
        node.table = None
        node.write(record.offset, record.data)
    else:
        if RESTORE_FREE.listeners:
            RESTORE_FREE.fire(None, objset, record)
        node = objset.node(record.object)
        node.table = None
        first = -(-record.offset // node.block_size)
        end = None if record.length == replay.TO_THE_END else (record.offset + record.length) // node.block_size
        if first <= node.phys.maxblkid:
            node.free_range(first, end)


def _object(objset: LiveObjset, record: Record) -> None:
    """`restore_object`: claim the number, or reclaim it when what is there is another kind of object."""
    replay.check_object(record)
    if objset.exists(record.object):
        node = objset.node(record.object)
        nblkptr = 1 if record.bonustype == dmu.SA else 1 + (MAX_BONUS - len(record.data)) // 128
        if node.block_size != record.length or node.phys.nblkptr > nblkptr or node.phys.nblkptr < nblkptr:
            node.destroy()
    if not objset.exists(record.object):
        objset.allocate(record.type, record.length, record.bonustype, record.data, record.object)
    node = objset.node(record.object)
    if len(node.phys.bonus) != len(record.data):
        node.set_spill(b"")  # as dnode_reallocate() does
    node.phys.type, node.phys.bonustype, node.table = record.type, record.bonustype, None
    node.phys.checksum, node.phys.compress = record.checksum, record.compress
    node.set_bonus(record.data)
