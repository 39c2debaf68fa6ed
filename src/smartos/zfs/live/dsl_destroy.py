"""Destroying datasets and snapshots: which blocks nobody needs any more, found without looking for references.

A snapshot that goes leaves to the next one what only it held: the blocks on the next one's dead list that were born
after the snapshot before it. From version 26 on these lie on lists of their own, which are moved as they are; the other
entries of the two dead lists are joined. A head that goes frees what was born after its last snapshot.

Left out: freeing a head's blocks ahead of it in open context, deferred destruction, holds. Follows
`dsl_dataset_destroy_sync` and `process_old_deadlist` of `dsl_dataset.c` of illumos as of 12 August 2011.
"""

from smartos.probes import declare
from smartos.zfs.errors import Busy
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.live import deadlist
from smartos.zfs.live.bpobj import sizes
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.read.dsl import USED_HEAD, USED_REFRSRV, USED_SNAP

DESTROY = declare("fbt:zfs:dsl_dataset_destroy_sync:entry", "dsl_dataset_t *", "void *", "dmu_tx_t *")


def check(dataset: LiveDataset) -> None:
    """Raises :class:`Busy` for a snapshot with clones, a dataset with snapshots or children, and the pool's own."""
    if dataset.is_snapshot:
        if dataset.phys.num_children > 1:
            raise Busy(f"cannot destroy '{dataset.name}': snapshot has dependent clones")
        return
    if dataset.dir.parent is None:
        raise Busy(f"cannot destroy '{dataset.name}': operation does not apply to pools")
    if dataset.snapshots():
        raise Busy(f"cannot destroy '{dataset.name}': filesystem has snapshots")
    if dataset.dir.children():
        raise Busy(f"cannot destroy '{dataset.name}': filesystem has children")


def destroy_sync(dataset: LiveDataset) -> None:
    """`dsl_dataset_destroy_sync`: a snapshot, or a head dataset with its directory, goes."""
    if DESTROY.listeners:
        DESTROY.fire(dataset, None, None)
    log = dataset.dp.spa.history.internal
    if not dataset.is_snapshot:
        log("destroy_begin_sync", f"dataset = {dataset.number}")
    log("destroy", f"dataset = {dataset.number}")
    if dataset.is_snapshot:
        dataset.dp.spa.scan.destroyed(dataset.number, dataset.phys.next_snap_obj)
        _snapshot(dataset)
    else:
        _head(dataset)
    phys, dp = dataset.phys, dataset.dp
    for number in (phys.next_clones_obj, phys.props_obj, phys.userrefs_obj):
        if number:
            dp.mos.free(number)
    dp.mos.free(dataset.number)
    del dp.known[dataset.number]
    dp.dirty_datasets.pop(dataset.number, None)
    if not dataset.snapname:
        dataset.dir.destroy()


def _unlink(dataset: LiveDataset) -> bool:
    """Take the dataset out of the chain; whether it was a branch of its previous snapshot (`after_branch_point`)."""
    before, phys, dp = dataset.prev, dataset.phys, dataset.dp
    if before is None:
        return False
    branch = before.phys.next_snap_obj != dataset.number
    if branch and before.phys.next_clones_obj:
        dp.zap_remove_int(before.phys.next_clones_obj, dataset.number)
        if phys.next_snap_obj:
            dp.zap_add_int(before.phys.next_clones_obj, phys.next_snap_obj)
    if branch and not phys.next_snap_obj:
        before.phys.num_children -= 1
    elif not branch:
        before.phys.next_snap_obj = phys.next_snap_obj
    before.node.touch()
    return branch


def _snapshot(snap: LiveDataset) -> None:
    dp, phys = snap.dp, snap.phys
    before, branch = snap.prev, _unlink(snap)
    after = dp.dataset(phys.next_snap_obj)
    old_unique = after.phys.unique_bytes
    after.phys.prev_snap_obj, after.phys.prev_snap_txg = phys.prev_snap_obj, phys.prev_snap_txg
    after.node.touch()
    if after.deadlist.old:
        _old_deadlists(snap, before, after, branch)
    else:
        theirs = after.deadlist
        if before is not None and not branch:
            before.phys.unique_bytes += theirs.space_range(before.phys.prev_snap_txg, phys.prev_snap_txg)[0]
        space = theirs.space_range(phys.prev_snap_txg)
        snap.dir.diduse(USED_SNAP, *(-amount for amount in space))
        theirs.move(dp.free_list, phys.prev_snap_txg)
        dp.free_dir.diduse(USED_HEAD, *space)
        theirs.merge(phys.deadlist_obj)
    deadlist.free(dp.mos, phys.deadlist_obj)
    _remove_clones_key(snap, phys.creation_txg)
    if after.is_snapshot:
        beyond = dp.dataset(after.phys.next_snap_obj)
        after.phys.unique_bytes += beyond.deadlist.space_range(phys.prev_snap_txg, phys.creation_txg)[0]
        dp.dataset(snap.dir.phys.head_dataset_obj).deadlist.remove_key(phys.creation_txg)
    else:
        after.recalc_unique()
        if old_unique < after.reserved:
            gained = min(after.phys.unique_bytes - old_unique, after.reserved - old_unique)
            snap.dir.diduse(USED_REFRSRV, -gained, 0, 0)
    head = dp.dataset(snap.dir.phys.head_dataset_obj)
    dp.mos.zap_remove(head.phys.snapnames_zapobj, snap.snapname)


def _old_deadlists(snap: LiveDataset, before: LiveDataset | None, after: LiveDataset, branch: bool) -> None:
    """`process_old_deadlist`: look at each block that died after the snapshot: was it born after the one before?"""
    dp, total = snap.dp, [0, 0, 0]
    mine = snap.deadlist

    def judge(pointer: Blkptr) -> None:
        amounts = sizes(dp.spa, pointer)
        if pointer.birth <= snap.phys.prev_snap_txg:
            mine.insert(pointer)
            if before is not None and not branch and pointer.birth > before.phys.prev_snap_txg:
                before.phys.unique_bytes += amounts[0]
        else:
            total[:] = [a + b for a, b in zip(total, amounts, strict=True)]
            dp.spa.zio.free(pointer)

    after.deadlist._list().drain(judge)
    snap.dir.diduse(USED_SNAP, *(-amount for amount in total))
    snap.phys.deadlist_obj, after.phys.deadlist_obj = after.phys.deadlist_obj, snap.phys.deadlist_obj


def _remove_clones_key(snap: LiveDataset, mintxg: int) -> None:
    """`dsl_dataset_remove_clones_key`: join the lists in the dead lists of all clones that were made after it."""
    dp = snap.dp
    if not snap.dir.phys.clones:
        return
    for entry in list(dp.mos.zap(snap.dir.phys.clones).entries.values()):
        clone = dp.dataset(entry.value)
        if clone.dir.origin_txg > mintxg:
            clone.deadlist.remove_key(mintxg)
            _remove_clones_key(clone, mintxg)


def _head(head: LiveDataset) -> None:
    dp, phys = head.dp, head.phys
    if head.reserved:
        head.set_refreservation(0)
    before = head.prev
    _unlink(head)
    for pointer in [] if phys.bp.hole else list(head.objset.blocks(phys.prev_snap_txg)):
        used, compressed, uncompressed = sizes(dp.spa, pointer)
        dp.spa.zio.free(pointer)
        phys.unique_bytes -= used
        head.dir.diduse(USED_HEAD, -used, -compressed, -uncompressed)
    assert not phys.unique_bytes, f"{head.name} has no block left and {phys.unique_bytes} bytes of its own"
    deadlist.free(dp.mos, phys.deadlist_obj)
    if before is not None and dp.spa.version >= 26:
        dp.zap_remove_int(before.dir.phys.clones, head.number)
    head.dir.phys.head_dataset_obj = 0
    head.dir.node.touch()
    dp.mos.free(phys.snapnames_zapobj)
