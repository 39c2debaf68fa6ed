"""What `zpool` does with devices: add, attach, replace, detach, take offline and back, stand in with a hot spare.

Left out: taking out top-level vdevs, log and cache devices, splitting mirrors, growing. A spare that stands in has to
be called for (:meth:`Devices.kick_spares`), where a real system has the retire agent of fault management. Follows
`spa_vdev_add`, `spa_vdev_attach`, `spa_vdev_detach` of `spa.c` and `vdev_dtl_sync` of `vdev.c` of illumos as of
12 August 2011.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.disk.disk import Disk, DiskGone
from smartos.zfs.dmu.space import ALLOC, BLOCK_SIZE, Entry, SpaceMapPhys, entries, pack_entries
from smartos.zfs.errors import Busy, NoSuchName, PoolFaulted, Unsupported
from smartos.zfs.events import Event
from smartos.zfs.format import label
from smartos.zfs.format import types as dmu
from smartos.zfs.live import spa_config
from smartos.zfs.live.metaslab import MetaslabGroup
from smartos.zfs.read.dsl import POOL_DIRECTORY_OBJECT, SPARES
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spares import Spares
from smartos.zfs.vdev import tree as vdev
from smartos.zfs.vdev.spec import leaf, parse
from smartos.zfs.vdev.tree import Leaf, Raidz, Replacing, Spare, State, state_name

if TYPE_CHECKING:
    from smartos.zfs.spa.spa import Spa

ATTACH = declare("fbt:zfs:spa_vdev_attach:entry", "spa_t *", "uint64_t", "nvlist_t *", "int")
DETACH = declare("fbt:zfs:spa_vdev_detach:entry", "spa_t *", "uint64_t", "uint64_t", "int")
ADD = declare("fbt:zfs:spa_vdev_add:entry", "spa_t *", "nvlist_t *")
OFFLINE = declare("fbt:zfs:vdev_offline:entry", "spa_t *", "uint64_t", "uint64_t")
ONLINE = declare("fbt:zfs:vdev_online:entry", "spa_t *", "uint64_t", "uint64_t", "vdev_state_t *")
DTL_SYNC = declare("fbt:zfs:vdev_dtl_sync:entry", "vdev_t *", "uint64_t")


@dataclass(frozen=True)
class Status:
    """What `zpool status` tells. `rows` are (depth, name, state, read, write, checksum errors); `spares` (name, state);
    `errors` the blocks that could not be read."""

    pool: str
    state: str
    scan: str
    rows: list[tuple[int, str, str, int, int, int]] = field(default_factory=list)
    spares: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Devices(Spares):
    """The part of :class:`Spa` that looks after devices. `spares` are the hot spares, in use or not."""

    def _open_init(self: "Spa") -> None:
        self.spares: list[Leaf] = []
        self.spares_object = 0

    @property
    def spare_guids(self: "Spa") -> set[int]:
        """The guids of all hot spares."""
        return {spare.guid for spare in self.spares}

    def leaf(self: "Spa", name: str) -> Leaf:
        """A leaf of the pool by its name or path. Raises :class:`NoSuchName`."""
        for each in self.root.leaves():
            if each.leaf and name in (each.name, each.path, str(each.guid)):
                return each
        raise NoSuchName(f"no such device in pool '{self.name}': {name}")

    def _note(self: "Spa", what: str) -> None:
        if self.events.wanted:
            self.events.add(Event(self.txg.open, 0, "vdev", what))

    # ---- changing the tree

    def _answers(self: "Spa", *disks: Disk | None) -> None:
        """`vdev_open`, `vdev_label_init`: raise :class:`PoolFaulted` unless the disks can be read and written."""
        for disk in disks:
            try:
                if disk is None:
                    raise DiskGone("there is no disk")
                disk.write(0, disk.read(0, label.PHYS_OFFSET))
            except OSError as error:
                raise PoolFaulted(f"cannot open '{disk.name if disk else ''}': {error.strerror or error}") from None

    def attach(self: "Spa", name: str, disk: Disk, replacing: bool = False) -> None:
        """`zpool attach`: make a mirror of a device and another, which a resilver then fills.

        Raises :class:`Busy` for one too small, :class:`Unsupported` where there can be no mirror.
        """
        old = self.leaf(name)
        if not replacing and isinstance(old.parent, (Raidz, Replacing, Spare)):
            raise Unsupported(f"cannot attach {disk.name} to {name}: can only attach to mirrors and top-level disks")
        self._answers(disk)
        self._attach(old, leaf(disk), replacing, False)

    def replace(self: "Spa", name: str, disk: Disk | None = None) -> None:
        """`zpool replace`: fill another disk (or the same one, empty) with what a device has, then take that out.

        A disk that is one of the pool's hot spares stands in as a spare: the old device keeps its place.
        """
        old = self.leaf(name)
        spare = next((each for each in self.spares if disk is not None and each.disk is disk), None)
        self._answers(disk or old.disk)
        if disk is None:
            disk, old.disk, old.path = old.disk, None, f"{old.path}/old"
            old.set_state(State.CANT_OPEN)
        if spare is not None and spare.parent is not None:
            raise Busy(f"cannot replace {name} with {disk.name}: the spare is in use")
        self._attach(old, spare or leaf(disk), spare is None, spare is not None)

    def _attach(self: "Spa", old: Leaf, new: Leaf, replacing: bool, spare: bool) -> None:
        if ATTACH.listeners:
            ATTACH.fire(self, old.guid, None, int(replacing))
        if not new.guid:
            new.guid = self.random.getrandbits(64)
        above = vdev.attach(old, new, self.txg.open, replacing, spare)
        if not above.guid:
            above.guid = self.random.getrandbits(64)
        self.create_txgs[new.guid] = self.create_txgs.get(old.guid, 4)
        spa_config.init_labels(self, new, 0)
        self.config_dirty = True
        self._note(f"{new.name} attached to {old.name}")
        what = ("spare in", "for") if spare else ("replace", "for") if replacing else ("attach", "to")
        place = old.path.removesuffix("/old")
        self.history.internal("vdev attach", f"{what[0]} vdev={new.path} {what[1]} vdev={place}")
        self.sync()

    def detach(self: "Spa", name: str) -> None:
        """`zpool detach`: take a device out of a mirror, or end a replacement. Raises :class:`Busy`."""
        gone = self.leaf(name)
        if DETACH.listeners:
            DETACH.fire(self, gone.guid, 0, 0)
        self.let_go(gone)
        self.sync()

    def let_go(self: "Spa", gone: Leaf) -> None:
        """A disk leaves its mirror, and all that was kept of it goes."""
        parent, spare = gone.parent, gone in self.spares
        guids = {each: each.guid for each in self.root.leaves()}
        vdev.detach(gone)
        for known in (self.dtl_objects, self._dtl_written, self.create_txgs):
            for each, guid in guids.items():
                if guid != each.guid and guid in known:
                    known[each.guid] = known.pop(guid)
        number = self.dtl_objects.pop(gone.guid, 0)
        self._dtl_written.pop(gone.guid, None)
        if number:
            self.dp.mos.free(number)
        if gone.disk is not None and gone.readable:
            self._wipe(gone.disk)
        if spare:
            gone.dtl = type(gone.dtl)()
            self._spare_label(gone)
        elif isinstance(parent, Spare):  # the spare takes the place for good
            for each in [each for each in parent.children if each in self.spares]:
                self.spares.remove(each)
            self._spares_dirty = True
        self.config_dirty = True
        self._note(f"{gone.name} detached")
        self.history.internal("vdev detach", f"vdev={gone.path}")

    @staticmethod
    def _wipe(disk: Disk) -> None:
        """`vdev_label_init` with VDEV_LABEL_REMOVE: the disk belongs to no pool any more."""
        for number in range(label.LABELS):
            offset = label.label_offset(disk.size, number)
            disk.write(offset + label.PHYS_OFFSET, bytes(label.LABEL_SIZE - label.PHYS_OFFSET))

    def add(self: "Spa", *specs: object, spares: Iterable[Disk] = ()) -> None:
        """`zpool add`: more top-level vdevs, over which new blocks are spread from then on, or more hot spares."""
        if ADD.listeners:
            ADD.fire(self, None)
        tops, spares = [parse(spec, self.version) for spec in specs], list(spares)
        self._answers(*(each.disk for top in tops for each in top.leaves()), *spares)
        if any(top.state < State.HEALTHY for top in tops):
            raise PoolFaulted(f"cannot add to '{self.name}': one or more devices is too small")
        for top in tops:
            for _, node in top.walk():
                node.guid = self.random.getrandbits(64)
            top._ashift = max(group.ashift for group in self.metaslabs.groups)
            top.id, top.parent = len(self.root.children), self.root
            self.root.children.append(top)
            group = MetaslabGroup(top, max((top.asize // 200).bit_length(), 17))
            group.array = self.dp.mos.allocate(dmu.OBJECT_ARRAY, 4096).number
            self.metaslabs.groups.append(group)
            for each in top.leaves():
                self.create_txgs[each.guid] = self.txg.open
                spa_config.init_labels(self, each, 0)
            self._note(f"{top.name} added")
        for disk in spares:
            self._add_spare(disk)
        self.config_dirty = True
        self.sync()

    # ---- states

    def offline(self: "Spa", name: str) -> None:
        """`zpool offline`. Raises :class:`Busy` when data would have no other copy."""
        target = self.leaf(name)
        if OFFLINE.listeners:
            OFFLINE.fire(self, target.guid, 0)
        target.offline()
        self.config_dirty = True
        self._note(f"{name} taken offline")
        self.sync()

    def online(self: "Spa", name: str, disk: Disk | None = None) -> None:
        """`zpool online`: use a device again; a resilver gives it what it missed. Raises :class:`PoolFaulted`."""
        target = self.leaf(name)
        if ONLINE.listeners:
            ONLINE.fire(self, target.guid, 0, None)
        target.online(disk)
        if not target.readable:
            raise PoolFaulted(f"{name} does not answer")
        self.config_dirty = True
        self._note(f"{name} brought online")
        self.sync()

    def clear(self: "Spa", name: str = "") -> None:
        """`zpool clear`: forget the errors, and try again the devices that were given up."""
        (self.leaf(name) if name else self.root).clear()
        self.config_dirty = True
        self.sync()

    # ---- what devices missed, on disk

    def dtl_sync(self: "Spa") -> None:
        """`vdev_dtl_sync`: what each leaf missed, as a space map of txgs."""
        for each in self.root.leaves():
            if not each.leaf:
                continue
            ranges = tuple(each.dtl)
            if ranges == self._dtl_written.get(each.guid, ()):
                continue
            if DTL_SYNC.listeners:
                DTL_SYNC.fire(each, self.syncing_txg)
            mos = self.dp.mos
            if each.guid not in self.dtl_objects:
                made = mos.allocate(dmu.SPACE_MAP, BLOCK_SIZE, dmu.SPACE_MAP_HEADER, SpaceMapPhys())
                made.struct.object = made.number
                self.dtl_objects[each.guid] = made.number
                self.config_dirty = True
            node = mos.node(self.dtl_objects[each.guid])
            phys = node.struct_of(SpaceMapPhys)
            data = pack_entries([Entry(ALLOC, start, end - start) for start, end in ranges])
            node.free_range(0)
            if data:
                node.write(0, data)
            phys.length, phys.alloc = len(data), sum(end - start for start, end in ranges)
            node.touch()
            self._dtl_written[each.guid] = ranges

    def _load_devices(self: "Spa", found: Pool, disks: list[Disk]) -> None:
        """At an import: dirty time logs, creation txgs, hot spares."""
        configs: dict[int, dict] = {}

        def collect(config: dict) -> None:
            configs[config.get("guid", 0)] = config
            for child in config.get("children", ()):
                collect(child)

        collect(found.mos_config["vdev_tree"])
        for each in self.root.leaves():
            config = configs.get(each.guid, {})
            if "create_txg" in config:
                self.create_txgs[each.guid] = config["create_txg"]
            if each.leaf and config.get("DTL"):
                self.dtl_objects[each.guid] = config["DTL"]
                node = self.dp.mos.node(config["DTL"])
                words = node.words(node.struct_of(SpaceMapPhys).length // 8)
                for entry in entries(words):
                    if isinstance(entry, Entry):
                        (each.dtl.add if entry.kind == ALLOC else self._undo(each))(entry.offset, entry.run)
                self._dtl_written[each.guid] = tuple(each.dtl)
        self.spares_object = self.dp.mos.zap(POOL_DIRECTORY_OBJECT).get(SPARES) or 0
        if self.spares_object:
            self._load_spares(found, disks)

    @staticmethod
    def _undo(each: Leaf):  # noqa: ANN205 - the counterpart of DirtyTimeLog.add
        return lambda start, run: each.dtl.remove(start, start + run)

    # ---- zpool status

    def status(self: "Spa") -> Status:
        """`zpool status`: states, error counts, the scan, what is lost for good."""
        rows = [(depth, self.name if depth == 0 else name, *rest) for depth, name, *rest in self.root.status()]
        spares = [
            (each.name, "INUSE" if each.parent is not None else "AVAIL" if each.readable else "UNAVAIL")
            for each in self.spares
        ]
        state = state_name(self.root.state, self.root.aux)
        return Status(self.name, state, self.scan.describe(), rows, spares, list(self.scan.lost))

    def health(self: "Spa") -> str:
        """The pool's state in a word."""
        return "SUSPENDED" if self.suspended else state_name(self.root.state, self.root.aux)
