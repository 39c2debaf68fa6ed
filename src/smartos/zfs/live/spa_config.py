"""The pool's configuration on its devices: labels in two phases around the uberblock, and a copy of it all in the MOS.

A transaction group is over when its uberblock is written. Before that, everything it wrote is flushed; if the
configuration changed, the even labels are written first and flushed, then the uberblock into its slot of every label,
then the odd labels. So at any moment two of the four labels agree with the newest uberblock.

Left out: choosing only three top-level vdevs for an uberblock, retries, hostids. Follows `vdev_config_sync`,
`vdev_label_sync`, `vdev_uberblock_sync` and `vdev_config_generate` of `vdev_label.c` and `spa_config_generate` of
illumos as of 12 August 2011.
"""

from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.disk.disk import Disk
from smartos.zfs.errors import PoolFaulted
from smartos.zfs.events import Event
from smartos.zfs.format import label
from smartos.zfs.format.nvlist import NVList
from smartos.zfs.format.uberblock import slot_of, slot_shift
from smartos.zfs.vdev.tree import Aux, Leaf, Raidz, State, Vdev

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

CONFIG_SYNC = declare("fbt:zfs:vdev_config_sync:entry", "vdev_t **", "int", "uint64_t", "boolean_t")
LABEL_SYNC = declare("fbt:zfs:vdev_label_sync:entry", "zio_t *", "vdev_t *", "int", "uint64_t", "int")
UBERBLOCK_SYNC = declare("fbt:zfs:vdev_uberblock_sync:entry", "zio_t *", "uberblock_t *", "vdev_t *", "int")
FLUSH = declare("fbt:zfs:zio_flush:entry", "zio_t *", "vdev_t *")

HOSTNAME = "smartos"
SPA_VERSION = 28  # the newest that the software knows, whatever the pool's


def vdev_config(spa: "SpaCore", vdev: Vdev) -> NVList:
    """`vdev_config_generate`: a vdev and all below it."""
    found = NVList({"type": vdev.type, "id": vdev.id, "guid": vdev.guid})
    if vdev.leaf:
        found["path"] = vdev.path
    if isinstance(vdev, Raidz):
        found["nparity"] = vdev.nparity
    if vdev.leaf and vdev.type == "disk":
        found["whole_disk"] = 0
    if vdev.guid in spa.spare_guids:
        found["is_spare"] = 1
    if vdev.type != "root" and vdev.top is vdev:
        group = spa.metaslabs.group(vdev.id)
        found |= {
            "metaslab_array": group.array, "metaslab_shift": group.shift, "ashift": vdev.ashift,
            "asize": group.asize, "is_log": 0,
        }  # fmt: skip
    if vdev.guid in spa.dtl_objects:
        found["DTL"] = spa.dtl_objects[vdev.guid]
    if vdev.guid in spa.create_txgs:
        found["create_txg"] = spa.create_txgs[vdev.guid]
    if vdev.children:
        found["children"] = [vdev_config(spa, child) for child in vdev.children]
    elif vdev.state == State.OFFLINE:
        found["offline"] = 1
    elif vdev.state in (State.FAULTED, State.DEGRADED) and vdev.aux == Aux.ERR_EXCEEDED:
        found["faulted" if vdev.state == State.FAULTED else "degraded"] = 1
        found["aux_state"] = "err_exceeded"
    elif vdev.state == State.CANT_OPEN and vdev.leaf:
        found["not_present"] = 1
    return found


def generate(spa: "SpaCore", vdev: Vdev | None, txg: int) -> NVList:
    """`spa_config_generate`: for a leaf what its label says, with the tree of its top-level vdev; else for the MOS."""
    found = NVList(
        {
            "version": spa.version, "name": spa.name, "state": spa.state, "txg": txg, "pool_guid": spa.guid,
            "hostname": HOSTNAME,
        }
    )  # fmt: skip
    top = spa.root
    if vdev is not None:
        top = vdev.top
        found |= {"top_guid": top.guid, "guid": vdev.guid}
        if vdev.guid in spa.spare_guids:
            found["is_spare"] = 1
    found["vdev_children"] = len(spa.root.children)
    found["vdev_tree"] = vdev_config(spa, top)
    return found


def init_labels(spa: "SpaCore", leaf: Leaf, txg: int) -> None:
    """`vdev_label_init`: four fresh labels with empty rings."""
    config = generate(spa, leaf, txg)
    for number in range(label.LABELS):
        offset = label.label_offset(leaf.disk.size, number)
        leaf.disk.write(offset, label.pack_label(config, offset))


def spare_labels(disk: Disk, guid: int, version: int, guid_of_pool: int | None = None) -> None:
    """The labels of a hot spare that is not in use: they say that it is one, and no pool's name."""
    config = NVList({"version": version, "state": label.SPARE, "guid": guid})
    for number in range(label.LABELS):
        offset = label.label_offset(disk.size, number)
        disk.write(offset, label.pack_label(config, offset))
    disk.flush()


def _leaves(spa: "SpaCore") -> list[Leaf]:
    return [leaf for leaf in spa.root.leaves() if leaf.leaf and leaf.writeable and leaf.disk is not None]


def _try(leaf: Leaf, transfer) -> bool:  # noqa: ANN001 - a function of nothing
    try:
        transfer()
        return True
    except OSError:
        leaf.stat.vs_write_errors += 1
        return False


def _label_sync(spa: "SpaCore", odd: int, txg: int) -> int:
    """`vdev_label_sync_list`: labels 0 and 2, or 1 and 3, of every leaf; gives how many were written."""
    good = 0
    for leaf in _leaves(spa):
        config = generate(spa, leaf, txg)
        for number in (odd, odd + 2):
            if LABEL_SYNC.listeners:
                LABEL_SYNC.fire(None, leaf, number, txg, 0)
            offset = label.label_offset(leaf.disk.size, number)
            packed = label.pack_config(config, offset)
            good += _try(
                leaf, lambda leaf=leaf, at=offset, packed=packed: leaf.disk.write(at + label.PHYS_OFFSET, packed)
            )
            if spa.events.wanted:
                spa.events.add(Event(txg, spa.sync_pass, "label", f"label {number} of {leaf.name}"))
    _flush(spa, txg)
    return good


def _flush(spa: "SpaCore", txg: int) -> None:
    for leaf in _leaves(spa):
        if FLUSH.listeners:
            FLUSH.fire(None, leaf)
        leaf.flush()
    if spa.events.wanted:
        spa.events.add(Event(txg, spa.sync_pass, "flush", "the write caches of all devices"))


def _uberblock_sync(spa: "SpaCore", txg: int) -> int:
    """`vdev_uberblock_sync_list`: the uberblock into its slot of all four labels of every leaf."""
    good = 0
    for leaf in _leaves(spa):
        if UBERBLOCK_SYNC.listeners:
            UBERBLOCK_SYNC.fire(None, spa.uberblock, leaf, 0)
        ashift = leaf.top.ashift
        slot = slot_of(txg, ashift)
        for number in range(label.LABELS):
            offset = label.label_offset(leaf.disk.size, number) + label.RING_OFFSET + (slot << slot_shift(ashift))
            packed = spa.uberblock.slot(offset, ashift)
            good += _try(leaf, lambda leaf=leaf, at=offset, packed=packed: leaf.disk.write(at, packed))
        if spa.events.wanted:
            what = f"uberblock of txg {txg} into slot {slot} of {leaf.name}"
            spa.events.add(Event(txg, spa.sync_pass, "uberblock", what, None, (), spa.uberblock.rootbp.dvas))
    _flush(spa, txg)
    return good


def config_sync(spa: "SpaCore", txg: int) -> bool:
    """`vdev_config_sync`: end the transaction group on the devices. False when there was nothing to end.

    Raises :class:`PoolFaulted` when no device took the uberblock.
    """
    if spa.uberblock.rootbp.birth != txg and not spa.config_dirty:
        return False
    if CONFIG_SYNC.listeners:
        CONFIG_SYNC.fire(spa.root.children, len(spa.root.children), txg, False)
    spa.uberblock.txg, spa.uberblock.timestamp = txg, spa.now()
    spa.uberblock.version, spa.uberblock.software_version = spa.version, SPA_VERSION
    spa.uberblock.guid_sum = sum(vdev.guid for _, vdev in spa.root.walk()) & (1 << 64) - 1
    _flush(spa, txg)
    if spa.config_dirty and not _label_sync(spa, 0, txg):
        raise PoolFaulted(f"no device of {spa.name} took a label")
    if not _uberblock_sync(spa, txg):
        raise PoolFaulted(f"no device of {spa.name} took the uberblock of txg {txg}")
    if spa.config_dirty:
        _label_sync(spa, 1, txg)
    spa.config_dirty = False
    return True
