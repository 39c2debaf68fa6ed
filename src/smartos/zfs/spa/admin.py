"""What `zfs` does: datasets, snapshots, clones and properties are made, changed, listed and destroyed.

Every command waits until the transaction group is on disk in whose sync it was done, as the real ones do.

Left out: delegation, holds, sharing, mounting (a filesystem can be used as soon as it is there). Follows `zfs_ioctl.c`
and `libzfs_dataset.c` of illumos as of 12 August 2011.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos.zfs.dmu import objset
from smartos.zfs.errors import Busy, CorruptPool, Exists, InvalidName, NoSpace, Unsupported
from smartos.zfs.live import dsl_destroy, dsl_prop, dsl_snapshot
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.live.dsl_dir import LiveDir
from smartos.zfs.live.zpl import Zpl
from smartos.zfs.live.zpl_create import create_fs
from smartos.zfs.live.zvol_live import BLOCK, LiveZvol, create_vol
from smartos.zfs.namecheck import DATASET_TOO_LONG, MAX_NAME, dataset_name, size
from smartos.zfs.namecheck import check as check_name
from smartos.zfs.read.dsl import USED_CHILD, USED_CHILD_RSRV, USED_HEAD, USED_REFRSRV, USED_SNAP
from smartos.zfs.spa.props import Properties
from smartos.zfs.stream import receive, replay, send

if TYPE_CHECKING:
    from smartos.zfs.spa.spa import Spa


class Either:
    """A name that is one thing on the class and another on an instance: `Spa.create` makes a pool, `pool.create` a
    filesystem in it."""

    def __init__(self, on_class: str, on_instance: str) -> None:
        self.on_class, self.on_instance = on_class, on_instance

    def __get__(self, instance: object, owner: type) -> Callable:
        return getattr(owner, self.on_class) if instance is None else getattr(instance, self.on_instance)


@dataclass(frozen=True)
class Listed:
    """A row of `zfs list -o space`: sizes in bytes. Of a snapshot `used` is what destroying it alone would free."""

    name: str
    type: str
    used: int
    available: int
    referenced: int
    usedbysnapshots: int = 0
    usedbydataset: int = 0
    usedbyrefreservation: int = 0
    usedbychildren: int = 0
    origin: str = ""


class Admin(Properties):
    """The part of :class:`Spa` that looks after datasets."""

    create = Either("_create", "create_filesystem")

    # ---- making

    def _new_filesystem(self: "Spa", directory: LiveDir, properties: dict) -> LiveDataset:
        """In syncing context: a head dataset with an empty filesystem."""
        made = LiveDataset.create(self.dp, directory)
        create_fs(made.create_objset(objset.ZFS), (self.now(), 0))
        self.history.internal("create", f"dataset = {made.number}")
        self._set(made, properties)
        return made

    def free_name(self: "Spa", name: str) -> Callable[[], None]:
        """What checks that a name is free, when it is called. Raises :class:`InvalidName` and :class:`NameTooLong` at once."""
        check_name(f"cannot create '{name}'", dataset_name(name))
        parent, _, last = name.rpartition("/")
        if not parent:
            raise InvalidName(f"cannot create '{name}': missing dataset name")

        def check() -> None:
            if self.dp.find_dir(parent).children().get(last) is not None:
                raise Exists(f"cannot create '{name}': dataset already exists")

        check()
        return check

    def create_filesystem(self: "Spa", name: str, **properties: int | str) -> Zpl:
        """`zfs create`: a filesystem. Raises :class:`Exists`, :class:`NoSuchName`, :class:`Unsupported`."""
        check, (parent, _, last) = self.free_name(name), name.rpartition("/")
        encoded = self._encoded(f"cannot create '{name}'", properties)

        def work() -> LiveDataset:
            return self._new_filesystem(LiveDir.create(self.dp, self.dp.find_dir(parent), last), encoded)

        return Zpl(self, self.task(f"create {name}", work, check))

    def create_volume(
        self: "Spa", name: str, size: int | str, block: int = BLOCK, sparse: bool = False, **properties
    ) -> LiveZvol:
        """`zfs create -V`: a volume; unless it is `sparse`, its size is reserved (refreservation)."""
        check, (parent, _, last) = self.free_name(name), name.rpartition("/")
        size, block = dsl_prop.encode("volsize", size), dsl_prop.encode("volblocksize", block)
        if not size or size % block:
            raise Unsupported(f"cannot create '{name}': a volume's size is a multiple of its blocks' {block:,} bytes, not 0")
        encoded = self._encoded(f"cannot create '{name}'", properties)
        if not sparse:
            encoded.setdefault("refreservation", size)

        def room() -> None:
            check()
            if encoded.get("refreservation", 0) > self.dp.find_dir(parent).available():
                raise NoSpace(f"cannot create '{name}': out of space")

        def work() -> LiveDataset:
            made = LiveDataset.create(self.dp, LiveDir.create(self.dp, self.dp.find_dir(parent), last))
            create_vol(made.create_objset(objset.ZVOL), size, block)
            self.history.internal("create", f"dataset = {made.number}")
            self._set(made, encoded)
            return made

        return LiveZvol(self, self.task(f"create {name}", work, room))

    def open(self: "Spa", name: str) -> Zpl | LiveZvol:
        """A filesystem or volume, or a snapshot of one, to be read and written. Raises :class:`NoSuchName`."""
        found = self.dp.find(name)
        kind = found.objset.phys.type
        if kind not in (objset.ZFS, objset.ZVOL):
            raise CorruptPool(f"{name} is neither filesystem nor volume")
        return Zpl(self, found) if kind == objset.ZFS else LiveZvol(self, found)

    def snapshot(self: "Spa", name: str, recursive: bool = False, guid: int = 0) -> LiveDataset:
        """`zfs snapshot [-r]`: of a dataset, or of it and all below, in the same transaction group."""
        path, _, snapname = name.partition("@")
        check_name(f"cannot snapshot '{name}'", dataset_name(name, True))
        self.dp.find(path)

        def heads() -> list[LiveDataset]:
            top = self.dp.find_dir(path)
            return [self.dp.dataset(each.phys.head_dataset_obj) for each in (self._below(top) if recursive else [top])]

        def check() -> None:
            for head in heads():
                long = size(f"{head.name}@{snapname}") > MAX_NAME
                check_name(f"cannot create snapshot '{head.name}@{snapname}'", DATASET_TOO_LONG if long else "")
                if snapname in self.dp.mos.zap(head.phys.snapnames_zapobj).entries:
                    raise Exists(f"cannot create snapshot '{head.name}@{snapname}': dataset already exists")

        def work() -> LiveDataset:
            return [dsl_snapshot.snapshot_sync(head, snapname, guid) for head in heads()][0]

        check()
        for head in heads():
            head.objset.zil.suspend()
        return self.task(f"snapshot {name}", work, check)

    def _below(self: "Spa", directory: LiveDir) -> Iterator[LiveDir]:
        """A directory and all below it, but for those of the pool's own."""
        yield directory
        for name, child in directory.children().items():
            if not name.startswith(("$", "%")):
                yield from self._below(child)

    def clone(self: "Spa", snapshot: str, name: str, **properties: int | str) -> Zpl | LiveZvol:
        """`zfs clone`: a filesystem or volume that begins as a snapshot is. Raises :class:`Exists`."""
        check, (parent, _, last) = self.free_name(name), name.rpartition("/")
        encoded = self._encoded(f"cannot create '{name}'", properties)
        self.dp.find(snapshot)

        def work() -> LiveDataset:
            origin = self.dp.find(snapshot)
            made = LiveDataset.create(self.dp, LiveDir.create(self.dp, self.dp.find_dir(parent), last), origin)
            self.history.internal("create", f"dataset = {made.number}")
            self._set(made, encoded)
            return made

        self.task(f"clone {snapshot} {name}", work, check)
        return self.open(name)

    # ---- changing

    def rollback(self: "Spa", name: str, destroy_later: bool = False) -> None:
        """`zfs rollback [-r]`: make a dataset what its snapshot is. Raises :class:`Busy` when there are later ones."""
        path, _, snapname = name.partition("@")
        head, target = self.dp.find(path), self.dp.find(name)
        later = [each for each in head.snapshots().values() if each.phys.creation_txg > target.phys.creation_txg]
        if later and not destroy_later:
            raise Busy(f"cannot rollback to '{name}': more recent snapshots exist")
        for each in reversed(later):
            self.destroy(each.name)

        def check() -> None:
            if self.dp.find(path).phys.prev_snap_obj != target.number:
                raise Busy(f"cannot rollback to '{name}': more recent snapshots exist")

        check()
        head.objset.zil.suspend()
        self.task(f"rollback {name}", lambda: dsl_snapshot.rollback_sync(self.dp.find(path)), check)

    def promote(self: "Spa", name: str) -> None:
        """`zfs promote`: let a clone be the elder. Raises :class:`Unsupported`, :class:`Exists`."""
        clone = self.dp.find(name)
        self.task(
            f"promote {name}", lambda: dsl_snapshot.promote_sync(clone), lambda: dsl_snapshot.promote_check(clone)
        )

    def rename(self: "Spa", old: str, new: str) -> None:
        """`zfs rename`: of a dataset within the pool, or of a snapshot within its dataset."""
        target = self.dp.find(old)
        if "@" in old:
            path, _, snapname = new.rpartition("@")
            if path not in ("", old.partition("@")[0]):
                raise Unsupported("a snapshot cannot be renamed out of its dataset")
            check_name(f"cannot rename to '{new}'", dataset_name(f"{old.partition('@')[0]}@{snapname}", True))
            head = self.dp.find(old.partition("@")[0])

            def free() -> None:
                if snapname in self.dp.mos.zap(head.phys.snapnames_zapobj).entries:
                    raise Exists(f"cannot rename to '{new}': dataset already exists")

            def again() -> None:
                self.dp.mos.zap_remove(head.phys.snapnames_zapobj, target.snapname)
                self.dp.mos.zap_put(head.phys.snapnames_zapobj, snapname, target.number)
                target.snapname = snapname
                self.history.internal("rename", f"dataset = {target.number}")

            self.task(f"rename {old} {new}", again, free)
            return
        check, (parent, _, last) = self.free_name(new), new.rpartition("/")
        if (new + "/").startswith(old + "/") or target.dir.parent is None:
            raise Busy(f"cannot rename '{old}' to '{new}'")
        self.may_rename(target, new)
        self.task(f"rename {old} {new}", lambda: self._move_dir(target.dir, self.dp.find_dir(parent), last), check)
        if target._objset is not None:
            target._objset.name = new

    def may_rename(self: "Spa", target: LiveDataset, new: str) -> None:
        """`dsl_valid_rename`: raise :class:`NameTooLong` when a dataset or snapshot below would have too long a name."""
        more = size(new) - size(target.name)
        below = [each.name for each in self.datasets() if each.name.startswith((f"{target.name}/", f"{target.name}@"))]
        long = any(size(name) + more > MAX_NAME for name in below)
        check_name(f"cannot rename '{target.name}'", DATASET_TOO_LONG if long else "")

    def _move_dir(self: "Spa", directory: LiveDir, parent: LiveDir, name: str) -> None:
        """`dsl_dir_rename_sync`: another place in the tree, and the space counted there."""
        mos, old, phys = self.dp.mos, directory.parent, directory.phys
        if old is not parent:
            mine = (phys.compressed_bytes, phys.uncompressed_bytes)
            old.diduse(USED_CHILD, -phys.used_bytes, *(-each for each in mine))
            parent.diduse(USED_CHILD, phys.used_bytes, *mine)
            unused = max(phys.reserved - phys.used_bytes, 0)
            old.diduse(USED_CHILD_RSRV, -unused, 0, 0)
            parent.diduse(USED_CHILD_RSRV, unused, 0, 0)
        mos.zap_remove(old.phys.child_dir_zapobj, directory.myname)
        mos.zap_put(parent.phys.child_dir_zapobj, name, directory.number)
        phys.parent_obj, directory.parent, directory.myname = parent.number, parent, name
        directory.node.touch()
        self.history.internal("rename", f"dataset = {phys.head_dataset_obj}")

    def destroy(self: "Spa", name: str, recursive: bool = False) -> None:
        """`zfs destroy [-r]`: a dataset or snapshot goes, with what is below it if so told. Raises :class:`Busy`."""
        target = self.dp.find(name)
        if recursive and not target.is_snapshot:
            for child in target.dir.children().values():
                self.destroy(child.name, True)
            for snap in reversed(list(target.snapshots().values())):
                self.destroy(snap.name)
        dsl_destroy.check(target)
        if not target.is_snapshot and not target.phys.bp.hole:
            target.objset.zil.suspend()
        self.task(f"destroy {name}", lambda: dsl_destroy.destroy_sync(target), lambda: dsl_destroy.check(target))

    # ---- streams

    def send(self: "Spa", name: str, earlier: str = "", from_origin: bool = False) -> bytes:
        """`zfs send [-i earlier]`: a snapshot as a stream; `earlier` may be only the part behind the @."""
        return b"".join(self.sending(name, earlier, from_origin))

    def sending(self: "Spa", name: str, earlier: str = "", from_origin: bool = False) -> Iterator[bytes]:
        """The same piece by piece, each read when it is asked for."""
        source = None
        if earlier:
            source = self.dp.find(
                earlier if "@" in earlier.lstrip("@") else f"{name.partition('@')[0]}@{earlier.lstrip('@')}"
            )
        return send.send(self.dp.find(name), source, from_origin)

    def receive(self: "Spa", stream: bytes | replay.Read, name: str, force: bool = False) -> LiveDataset:
        """`zfs receive [-F]`: make the snapshot that a stream describes; see :func:`smartos.zfs.stream.receive.receive`."""
        return receive.receive(self, stream, name, force)

    # ---- listing

    def datasets(self: "Spa", snapshots: bool = True) -> Iterator[LiveDataset]:
        """All datasets, parents first, each followed by its snapshots."""
        for directory in self._below(self.dp.root_dir):
            head = self.dp.dataset(directory.phys.head_dataset_obj)
            yield head
            if snapshots:
                yield from head.snapshots().values()

    def list(self: "Spa", name: str = "", snapshots: bool = True) -> list[Listed]:
        """`zfs list -o space`: a row for each dataset (of and below `name`)."""
        rows = []
        for each in self.datasets(snapshots):
            if name and not (each.name + "/").startswith(name + "/") and not each.name.startswith(name + "@"):
                continue
            phys, used = each.phys, each.dir.phys.used_breakdown
            if each.is_snapshot:
                rows.append(Listed(each.name, "snapshot", phys.unique_bytes, 0, phys.referenced_bytes))
                continue
            kind = "volume" if each.objset.phys.type == objset.ZVOL else "filesystem"
            origin = self.dp.dataset(each.dir.phys.origin_obj).name if each.dir.phys.origin_obj else ""
            rows.append(
                Listed(
                    each.name, kind, each.dir.phys.used_bytes, each.available(), phys.referenced_bytes,
                    used[USED_SNAP], used[USED_HEAD], used[USED_REFRSRV], used[USED_CHILD] + used[USED_CHILD_RSRV],
                    "" if "$" in origin else origin,
                )
            )  # fmt: skip
        return rows


__all__ = ["Admin", "Listed"]
