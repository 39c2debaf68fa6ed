"""Hot spares: disks that belong to the pool and hold nothing, until one of them stands in for a disk that failed.

Left out: spares that several pools share. Follows `spa.c` (`spa_load_spares`, `spa_sync_aux_dev`) of illumos as of
12 August 2011, and the retire agent `zfs_retire.c` of fault management.
"""

from typing import TYPE_CHECKING

from smartos.zfs.disk.disk import Disk
from smartos.zfs.errors import Busy, NotAPool
from smartos.zfs.format import label
from smartos.zfs.live import spa_config
from smartos.zfs.live.txg import nvlist_object, sync_nvlist
from smartos.zfs.read.dsl import POOL_DIRECTORY_OBJECT, SPARES
from smartos.zfs.read.pool import Pool
from smartos.zfs.vdev.spec import leaf
from smartos.zfs.vdev.tree import FileLeaf, Leaf, Replacing, Spare, State

if TYPE_CHECKING:
    from smartos.zfs.spa.spa import Spa


class Spares:
    """The part of :class:`Spa` that looks after hot spares."""

    _spares_dirty = False

    def _add_spare(self: "Spa", disk: Disk) -> None:
        made = leaf(disk)
        made.guid = self.random.getrandbits(64)
        self.spares.append(made)
        self._spare_label(made)
        self._spares_dirty = True

    def _spare_label(self: "Spa", spare: Leaf) -> None:
        spa_config.spare_labels(spare.disk, spare.guid, self.version)

    def remove_spare(self: "Spa", spare: Leaf) -> None:
        """`zpool remove`: a hot spare that is not in use belongs to the pool no more. Raises :class:`Busy`."""
        if spare.parent is not None:
            raise Busy(f"cannot remove {spare.name}: the spare is in use")
        self.spares.remove(spare)
        if spare.disk is not None and spare.readable:
            self._wipe(spare.disk)
        self._spares_dirty = self.config_dirty = True
        self.sync()

    def spares_sync(self: "Spa") -> None:
        """`spa_sync_aux_dev`: the list of hot spares, in an object of its own."""
        if not self._spares_dirty:
            return
        self._spares_dirty = False
        if not self.spares_object:
            self.spares_object = nvlist_object(self)
            self.dp.mos.zap_put(POOL_DIRECTORY_OBJECT, SPARES, self.spares_object)
        listed = []
        for each in self.spares:
            config = {"type": each.type, "guid": each.guid, "path": each.path, "is_spare": 1}
            listed.append(config | ({"whole_disk": 0} if each.type == "disk" else {}))
        sync_nvlist(self, self.spares_object, {"spares": listed})

    def kick_spares(self: "Spa") -> list[str]:
        """What the retire agent does: let a spare stand in for each leaf that cannot be read. Gives their names."""
        used = []
        for each in list(self.root.leaves()):
            if (
                each.leaf
                and not each.readable
                and each.state != State.OFFLINE
                and type(each.parent) not in (Spare, Replacing)
            ):
                spare = next((s for s in self.spares if s.parent is None and s.asize >= self._needed(each)), None)
                if spare is not None:
                    self._attach(each, spare, False, True)
                    used.append(spare.name)
        return used

    def _needed(self: "Spa", lost: Leaf) -> int:
        return max(lost.asize, 0)

    def _load_spares(self: "Spa", found: Pool, disks: list[Disk]) -> None:
        known = {}
        for disk in disks:
            try:
                for each in label.read_labels(disk):
                    known.setdefault(each.config.get("guid"), disk)
            except NotAPool:
                continue
        within = {each.guid: each for each in self.root.leaves()}
        for config in found._nvlist(self.spares_object).get("spares", []):
            spare = within.get(config["guid"])
            if spare is None:
                disk = known.get(config["guid"])
                kind = FileLeaf if config["type"] == "file" else Leaf
                spare = kind(disk, config.get("path", ""), guid=config["guid"])
            self.spares.append(spare)
