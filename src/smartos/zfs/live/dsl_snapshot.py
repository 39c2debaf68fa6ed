"""Snapshots, clones, rollback and promotion: what they change in the MOS, which is always little.

A snapshot is a second dataset object that holds the same root block; the head begins a new dead list, and from then on
its older blocks are not freed. A clone is a head dataset whose previous snapshot is somebody else's. To roll back means
to free what was born since, and to forget the dead list.

Left out: rolling back through a temporary clone, as `zfs rollback` does; here the head is changed itself, with the
same result. Follows `dsl_dataset.c` (`dsl_dataset_snapshot_sync`, `dsl_dataset_clone_swap_sync`,
`dsl_dataset_promote_sync`) of illumos as of 12 August 2011.
"""

from smartos.probes import declare
from smartos.zfs.errors import Exists, Unsupported
from smartos.zfs.format import types as dmu
from smartos.zfs.live import deadlist
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.live.dsl_dir import LiveDir
from smartos.zfs.read.dsl import (
    FLAG_UNIQUE_ACCURATE,
    FLAG_USED_BREAKDOWN,
    ORIGIN_DIR,
    USED_HEAD,
    USED_REFRSRV,
    USED_SNAP,
    DslDataset,
)

SNAPSHOT = declare("fbt:zfs:dsl_dataset_snapshot_sync:entry", "dsl_dataset_t *", "char *", "dmu_tx_t *")
CLONE_SWAP = declare("fbt:zfs:dsl_dataset_clone_swap_sync:entry", "void *", "void *", "dmu_tx_t *")
PROMOTE = declare("fbt:zfs:dsl_dataset_promote_sync:entry", "dsl_dataset_t *", "void *", "dmu_tx_t *")


def snapshot_sync(head: LiveDataset, snapname: str, guid: int = 0) -> LiveDataset:
    """`dsl_dataset_snapshot_sync`: a snapshot of a head dataset. The work does not depend on the dataset's size."""
    if SNAPSHOT.listeners:
        SNAPSHOT.fire(head, snapname, None)
    dp, mine = head.dp, head.phys
    mos, spa = dp.mos, dp.spa
    txg = 1 if snapname == ORIGIN_DIR else spa.syncing_txg
    phys = DslDataset(
        dir_obj=head.dir.number, prev_snap_obj=mine.prev_snap_obj, prev_snap_txg=mine.prev_snap_txg,
        next_snap_obj=head.number, num_children=1, creation_time=spa.now(), creation_txg=txg,
        deadlist_obj=mine.deadlist_obj, referenced_bytes=mine.referenced_bytes, compressed_bytes=mine.compressed_bytes,
        uncompressed_bytes=mine.uncompressed_bytes,
        fsid_guid=spa.random.getrandbits(56), guid=guid or spa.random.getrandbits(64), flags=mine.flags, bp=mine.bp,
    )  # fmt: skip
    node = mos.allocate(dmu.DSL_DATASET, 512, dmu.DSL_DATASET, phys)
    before = head.prev
    if before is not None:
        if before.phys.next_snap_obj == head.number:
            before.phys.next_snap_obj = node.number
            before.node.touch()
        elif before.phys.next_clones_obj:
            dp.zap_remove_int(before.phys.next_clones_obj, head.number)
            dp.zap_add_int(before.phys.next_clones_obj, node.number)
    if head.reserved:
        head.dir.diduse(USED_REFRSRV, min(mine.unique_bytes, head.reserved), 0, 0)
    mine.deadlist_obj = head.deadlist.clone(deadlist.EVER)
    head.deadlist.add_key(mine.prev_snap_txg)
    mine.prev_snap_obj, mine.prev_snap_txg, mine.unique_bytes = node.number, txg, 0
    mine.flags |= FLAG_UNIQUE_ACCURATE if spa.version >= 9 else 0
    head.node.touch()
    mos.zap_put(mine.snapnames_zapobj, snapname, node.number)
    made = dp.known[node.number] = LiveDataset(dp, node.number, head.dir, snapname)
    spa.history.internal("snapshot", f"dataset = {node.number}")
    return made


def rollback_sync(head: LiveDataset) -> None:
    """Make a head dataset what its latest snapshot is: free what was born since, revive what died since."""
    if CLONE_SWAP.listeners:
        CLONE_SWAP.fire(head, head.prev, None)
    dp, mine, snap = head.dp, head.phys, head.prev
    for pointer in list(head.objset.blocks(mine.prev_snap_txg)):
        dp.spa.zio.free(pointer)
    theirs, old = snap.phys, head.deadlist
    dead, comp, uncomp = old.space
    own_snap = old.space_range(head.dir.origin_txg)[0] if head.dir.origin_txg else dead
    unused = max(0, head.reserved) - max(0, head.reserved - mine.unique_bytes)
    head.dir.diduse(
        USED_HEAD, theirs.referenced_bytes - (mine.referenced_bytes + dead),
        theirs.compressed_bytes - (mine.compressed_bytes + comp),
        theirs.uncompressed_bytes - (mine.uncompressed_bytes + uncomp),
    )  # fmt: skip
    head.dir.transfer(-own_snap, USED_HEAD, USED_SNAP)
    head.dir.diduse(USED_REFRSRV, unused if head.reserved else 0, 0, 0)
    if theirs.next_snap_obj == head.number:
        theirs.unique_bytes -= old.space_range(theirs.prev_snap_txg)[0]
        snap.node.touch()
    fresh = old.clone(deadlist.EVER)
    deadlist.free(dp.mos, mine.deadlist_obj)
    mine.deadlist_obj, mine.bp, mine.unique_bytes = fresh, theirs.bp, 0
    mine.referenced_bytes = theirs.referenced_bytes
    mine.compressed_bytes, mine.uncompressed_bytes = theirs.compressed_bytes, theirs.uncompressed_bytes
    head.node.touch()
    head.evict()


def clone_swap_sync(clone: LiveDataset, head: LiveDataset) -> None:
    """`dsl_dataset_clone_swap_sync`: a clone of a head's latest snapshot and the head exchange what they hold."""
    if CLONE_SWAP.listeners:
        CLONE_SWAP.fire(clone, head, None)
    ours, theirs, origin = head.phys, clone.phys, clone.prev
    promised = min(head.reserved, ours.unique_bytes) - min(head.reserved, theirs.unique_bytes)
    old, new = head.deadlist, clone.deadlist
    if origin is not None:
        origin.phys.unique_bytes = new.space_range(origin.phys.prev_snap_txg)[0]
        origin.node.touch()
    names = ("referenced_bytes", "compressed_bytes", "uncompressed_bytes")
    delta = [
        getattr(theirs, name) + mine - getattr(ours, name) - other
        for name, mine, other in zip(names, new.space, old.space, strict=True)
    ]
    head.dir.diduse(USED_HEAD, *delta)
    clone.dir.diduse(USED_HEAD, *(-each for each in delta))
    since = head.dir.origin_txg
    head.dir.transfer(new.space_range(since)[0] - old.space_range(since)[0], USED_HEAD, USED_SNAP)
    for name in ("bp", "unique_bytes", "deadlist_obj", *names):
        mine, other = getattr(ours, name), getattr(theirs, name)
        setattr(ours, name, other)
        setattr(theirs, name, mine)
    head.dir.diduse(USED_REFRSRV, promised, 0, 0)
    for each in (head, clone):
        each.node.touch()
        each.evict()


def _chain(dataset: LiveDataset, until: int) -> list[LiveDataset]:
    """`snaplist_make`: a dataset and the snapshots before it, up to, not with, the one that object `until` is."""
    found, number = [], dataset.number
    while number and number != until:
        each = dataset.dp.dataset(number)
        found.append(each)
        number = each.phys.prev_snap_obj
    return found


def promote_check(clone: LiveDataset) -> list[LiveDataset]:
    """Raises :class:`Unsupported` for what is no clone, :class:`Exists` when a snapshot's name is taken. Gives the
    snapshots that will move, youngest first."""
    dp = clone.dp
    number = clone.dir.phys.origin_obj
    if not number or (dp.origin_snap and number == dp.origin_snap.number):
        raise Unsupported(f"cannot promote '{clone.name}': not a cloned filesystem")
    origin = dp.dataset(number)
    shared = [each for each in _chain(origin, 0) if each.dir is origin.dir]
    for snap in shared:
        if snap.snapname in clone.snapshots():
            raise Exists(f"cannot promote '{clone.name}': snapshot '{snap.snapname}' exists there already")
    return shared


def promote_sync(clone: LiveDataset) -> None:
    """`dsl_dataset_promote_sync`: the origin snapshot and all before it move to the clone, which then is the elder."""
    if PROMOTE.listeners:
        PROMOTE.fire(clone, None, None)
    dp, shared = clone.dp, promote_check(clone)
    mos, origin, ours, theirs = dp.mos, shared[0], clone.dir, shared[0].dir
    head = dp.dataset(theirs.phys.head_dataset_obj)
    older = dp.dataset(theirs.phys.origin_obj) if theirs.phys.origin_obj else None
    clone_snaps, origin_snaps = _chain(clone, origin.number), _chain(head, origin.number)
    unique = clone_snaps[-1].deadlist.space_range(origin.phys.prev_snap_txg)[0]
    moved = [origin.phys.referenced_bytes, origin.phys.compressed_bytes, origin.phys.uncompressed_bytes]
    for snap in shared:
        if snap.phys.prev_snap_obj:
            moved = [a + b for a, b in zip(moved, snap.deadlist.space, strict=True)]
    if older is not None:
        was = (older.phys.referenced_bytes, older.phys.compressed_bytes, older.phys.uncompressed_bytes)
        moved = [a - b for a, b in zip(moved, was, strict=True)]
    since = theirs.origin_txg
    clone_used = sum(each.deadlist.space_range(since)[0] for each in shared + clone_snaps)
    origin_used = sum(each.deadlist.space_range(origin.phys.creation_txg)[0] for each in origin_snaps)

    next_before = origin.phys.next_snap_obj
    origin.phys.next_snap_obj = clone_snaps[-1].number
    if origin.phys.next_clones_obj:
        dp.zap_remove_int(origin.phys.next_clones_obj, clone_snaps[-1].number)
        dp.zap_add_int(origin.phys.next_clones_obj, next_before)
    ours.phys.origin_obj, theirs.phys.origin_obj = theirs.phys.origin_obj, origin.number
    if dp.spa.version >= 26:
        dp.zap_remove_int(theirs.phys.clones, clone.number)
        dp.zap_add_int(older.dir.phys.clones, clone.number)
        dp.zap_remove_int(older.dir.phys.clones, head.number)
        if not ours.phys.clones:
            ours.phys.clones = mos.zap_create(dmu.DSL_CLONES)
        dp.zap_add_int(ours.phys.clones, head.number)
    for snap in shared:
        _move(snap, head, clone, theirs, ours, next_before)
    _move_space(ours, theirs, moved, clone_used, origin_used)
    origin.phys.unique_bytes = unique
    for each in (origin, ours, theirs):
        each.node.touch()
    dp.spa.history.internal("promote", f"dataset = {clone.number}")


def _move(snap: LiveDataset, head: LiveDataset, clone: LiveDataset, old: LiveDir, new: LiveDir, moved: int) -> None:
    """Put a snapshot, and the references to its clones, below another directory."""
    dp, mos = snap.dp, snap.dp.mos
    mos.zap_remove(head.phys.snapnames_zapobj, snap.snapname)
    mos.zap_put(clone.phys.snapnames_zapobj, snap.snapname, snap.number)
    snap.phys.dir_obj, snap.dir = new.number, new
    snap.evict()
    snap.node.touch()
    if snap.phys.next_clones_obj and dp.spa.version >= 26:
        for entry in list(mos.zap(snap.phys.next_clones_obj).entries.values()):
            if entry.value != moved:
                their_head = dp.dataset(entry.value).dir.phys.head_dataset_obj
                dp.zap_remove_int(old.phys.clones, their_head)
                dp.zap_add_int(new.phys.clones, their_head)


def _move_space(ours: LiveDir, theirs: LiveDir, moved: list[int], clone_used: int, origin_used: int) -> None:
    """Count the space of the moved snapshots on the other side."""
    counts = ours.phys.flags & FLAG_USED_BREAKDOWN
    delta = clone_used - ours.phys.used_breakdown[USED_SNAP] if counts else 0
    ours.diduse(USED_SNAP, delta, 0, 0)
    ours.diduse(USED_HEAD, moved[0] - delta, moved[1], moved[2])
    delta = origin_used - theirs.phys.used_breakdown[USED_SNAP] if counts else 0
    theirs.diduse(USED_SNAP, delta, 0, 0)
    theirs.diduse(USED_HEAD, -moved[0] - delta, -moved[1], -moved[2])
