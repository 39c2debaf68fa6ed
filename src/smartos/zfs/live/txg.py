"""Transaction groups: everything that is changed goes into the open one, and all of it reaches the disk or none.

A group is open (changes are let in), then quiescing (no more are; those that began finish), then syncing (it is
written, pass after pass, until writing it changes nothing any more), and in the end its uberblock makes it the state
of the pool. Numbers begin at 4.

Left out: the three threads. There is one, so a group is quiesced and synced as soon as somebody asks; meanwhile the
next one is open. Follows `txg.c` and `spa_sync` of `spa.c` of illumos as of 12 August 2011.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from smartos.probes import acting, declare
from smartos.zfs.errors import Busy, PoolFaulted, ZfsError
from smartos.zfs.events import Event
from smartos.zfs.format import types as dmu
from smartos.zfs.live import spa_config

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

TXG_INITIAL = 4
CONFIG_BLOCK = 1 << 14
MAX_PASSES = 100

SPA_SYNC = declare("fbt:zfs:spa_sync:entry", "spa_t *", "uint64_t")
SPA_SYNCED = declare("fbt:zfs:spa_sync:return", "int", "int")
QUIESCE = declare("fbt:zfs:txg_quiesce:entry", "dsl_pool_t *", "uint64_t")
HOLD_OPEN = declare("fbt:zfs:txg_hold_open:entry", "dsl_pool_t *", "txg_handle_t *")
CONFIG_OBJECT = declare("fbt:zfs:spa_sync_config_object:entry", "spa_t *", "dmu_tx_t *")
VDEV_SYNC = declare("fbt:zfs:vdev_sync:entry", "vdev_t *", "uint64_t")
DEFERRED_FREES = declare("fbt:zfs:spa_free_sync_cb:entry", "void *", "blkptr_t *", "dmu_tx_t *")


class PoolSuspended(PoolFaulted):
    """The pool could not write what it must, and does no more I/O until it is imported anew (EIO; `failmode=wait`)."""


class TxgState:
    """`tx_state_t`: the numbers of the groups, and how many changes are on their way into the open one."""

    def __init__(self, synced: int) -> None:
        self.synced, self.syncing, self.quiescing, self.open = synced, 0, 0, synced + 1
        self.holds = 0

    @contextmanager
    def hold(self, spa: "SpaCore") -> Iterator[int]:
        """`dmu_tx_assign` to `dmu_tx_commit`: a change to the open group, which cannot quiesce until it is through."""
        if HOLD_OPEN.listeners:
            HOLD_OPEN.fire(spa.dp, None)
        self.holds += 1
        try:
            yield self.open
        finally:
            self.holds -= 1


def txg_sync(spa: "SpaCore") -> int:
    """Quiesce and sync the open transaction group; gives its number.

    Raises :class:`Busy` in the middle of a change, :class:`PoolSuspended` when the devices do not take it.
    """
    state = spa.txg
    if spa.suspended:
        raise PoolSuspended(f"pool '{spa.name}' is suspended: {spa.suspended}")
    if state.holds:
        raise Busy(f"txg {state.open} cannot quiesce: {state.holds} changes to it are not through")
    txg = state.quiescing = state.open
    if QUIESCE.listeners:
        QUIESCE.fire(spa.dp, txg)
    _note(spa, txg, "quiesce", f"txg {txg} takes no more changes")
    state.open += 1
    _note(spa, state.open, "open", f"txg {state.open} is open")
    state.syncing, state.quiescing = txg, 0
    try:
        with acting(**process(spa)):
            spa_sync(spa, txg)
    except ZfsError as error:
        spa.suspended = str(error)
        raise PoolSuspended(f"pool '{spa.name}' is suspended in txg {txg}: {error}") from error
    state.synced, state.syncing = txg, 0
    return txg


def process(spa: "SpaCore") -> dict[str, object]:
    """Who writes a group to the disk: the pool's own process (`spa_thread`), which its sync thread and taskqs belong to.

    So `execname` is not that of the command whose changes they are. Its number is made up.
    """
    return {"execname": f"zpool-{spa.name}"[:16], "pid": 5, "ppid": 0, "tid": 1, "uid": 0, "gid": 0, "zonename": "global",
            "ustack": ()}  # fmt: skip


def _note(spa: "SpaCore", txg: int, kind: str, what: str) -> None:
    if spa.events.wanted:
        spa.events.add(Event(txg, spa.sync_pass, kind, what))


def spa_sync(spa: "SpaCore", txg: int) -> None:
    """`spa_sync`: write a transaction group, pass after pass until nothing changes, then its uberblock."""
    if SPA_SYNC.listeners:
        SPA_SYNC.fire(spa, txg)
    _note(spa, txg, "sync", f"txg {txg} is syncing")
    spa.syncing_txg, spa.sync_pass, dp = txg, 0, spa.dp
    for directory in dp.dirs.values():
        directory.towrite = 0
    if dp.anything or spa.scan.wanted:
        spa.deferred.drain(_freeing(spa))
    while True:
        spa.sync_pass += 1
        if spa.sync_pass > MAX_PASSES:
            raise PoolFaulted(f"txg {txg} does not converge")
        _config_object(spa)
        spa.spares_sync()
        spa.errlog.sync()
        dp.sync(txg)
        spa.zio.end_pass()
        if spa.sync_pass == 1:
            dp.free_some()
            spa.scan.sync()
        for group in spa.metaslabs.groups:
            if VDEV_SYNC.listeners:
                VDEV_SYNC.fire(group.vdev, txg)
            for ms in group.metaslabs:
                ms.sync(dp.mos, group.array, txg, spa.sync_pass)
        spa.dtl_sync()
        if not (dp.mos.changed or dp.dirty_datasets or spa.zio.frees or (spa.config_dirty and spa.sync_pass == 1)):
            break
    passes = spa.sync_pass
    spa_config.config_sync(spa, txg)
    dp.zil_clean(txg)
    for _, ms in spa.metaslabs.metaslabs():
        if ms.deferred:
            ms.sync_done(txg)
    _note(spa, txg, "synced", f"txg {txg} is on disk, after {passes} passes")
    spa.passes, spa.sync_pass = passes, 0
    if SPA_SYNCED.listeners:
        SPA_SYNCED.fire(0, 0)


def _freeing(spa: "SpaCore"):  # noqa: ANN202 - a function that frees a block
    def take(pointer):  # noqa: ANN001, ANN202
        if DEFERRED_FREES.listeners:
            DEFERRED_FREES.fire(None, pointer, None)
        spa.zio.free_sync(pointer)

    return take


def _config_object(spa: "SpaCore") -> None:
    """`spa_sync_config_object`: the configuration, as a packed nvlist, into its object in the MOS."""
    if not spa.config_dirty:
        return
    if CONFIG_OBJECT.listeners:
        CONFIG_OBJECT.fire(spa, None)
    sync_nvlist(spa, spa.config_object, spa_config.generate(spa, None, spa.syncing_txg))


def sync_nvlist(spa: "SpaCore", number: int, values: dict) -> None:
    """`spa_sync_nvlist`: write an nvlist in whole blocks, with its length in the bonus."""
    from smartos.zfs.format import nvlist

    node, packed = spa.dp.mos.node(number), nvlist.pack(values)
    length = len(packed)
    for block in range(-(-length // CONFIG_BLOCK)):
        node.put(block, packed[block * CONFIG_BLOCK : (block + 1) * CONFIG_BLOCK].ljust(CONFIG_BLOCK, b"\0"))
    if node.phys.bonus != length.to_bytes(8, "little"):
        node.set_bonus(length.to_bytes(8, "little"))


def nvlist_object(spa: "SpaCore") -> int:
    """A new object for a packed nvlist."""
    return spa.dp.mos.allocate(dmu.PACKED_NVLIST, CONFIG_BLOCK, dmu.PACKED_NVLIST_SIZE, bytes(8)).number
