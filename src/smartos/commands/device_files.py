"""The files that are a pool's devices: which a configuration names, which lie beside them, and what became of them.

Left out: devices that are no files. Follows `vdev_reopen` and `vdev_validate` of `vdev.c` in what makes a device be
another one.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.errors import CorruptPool
from smartos.zfs.format import label
from smartos.zfs.read.devices import Device, labels_of
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev import tree as vdev


def leaf_configs(config: Mapping) -> Iterator[Mapping]:
    """The leaves of a vdev tree's configuration, hot spares at the end."""
    children = config.get("children", ())
    if not children and "path" in config:
        yield config
    for child in (*children, *config.get("spares", ())):
        yield from leaf_configs(child)


def large_enough(path: Path) -> bool:
    """Whether a file can be a device."""
    return path.is_file() and path.stat().st_size >= label.MIN_DEVICE


def beside(paths: Iterable[Path], guid: int) -> Iterator[Path]:
    """The files in the folders of some disks whose labels name a pool."""
    for path in sorted(each for folder in {path.parent for path in paths} for each in folder.iterdir()):
        if large_enough(path):
            with FileDisk(path, writable=False) as disk, suppress(CorruptPool):
                if Device(disk, labels_of(disk)).config.get("pool_guid") == guid:
                    yield path


def first_label(leaf: vdev.Vdev) -> label.Label | None:
    """The first whole label of a pool on a device that is a file."""
    if not leaf.leaf or not leaf.readable or not isinstance(leaf.disk, FileDisk):
        return None
    for number in range(label.LABELS):
        offset = label.label_offset(leaf.disk.size, number)
        try:
            found = label.Label.unpack(leaf.disk.read(offset, label.LABEL_SIZE), number, offset)
        except OSError:
            continue
        if found.config.get("pool_guid") is not None:
            return found
    return None


def outdated(pool: Spa) -> bool:
    """Whether a device has a newer uberblock than the pool that is open, or belongs to another pool by now."""
    for leaf in pool.root.leaves():
        found = first_label(leaf)
        if found is None:
            continue
        if (found.config["pool_guid"], found.config.get("guid")) != (pool.guid, leaf.guid):
            return True
        if found.best and found.best.txg > pool.uberblock.txg:
            return True
    return False


def given_up(pool: Spa) -> bool:
    """Whether the labels of a pool that is open say that nobody has it in use."""
    found = [first_label(leaf) for leaf in pool.root.leaves()]
    return any(each.config.get("state") in (label.EXPORTED, label.DESTROYED) for each in found if each)


def same(leaf: vdev.Vdev, path: Path) -> bool:
    """Whether a device's file is still at its path, and no other in its place; of a disk that is no file, yes."""
    if not isinstance(leaf.disk, FileDisk):
        return True
    try:
        now, then = os.stat(path), os.fstat(leaf.disk._file.fileno())
    except OSError:
        return False
    return (now.st_ino, now.st_dev) == (then.st_ino, then.st_dev)


def names(path: Path, device: Path, linked: bool) -> bool:
    """Whether a path is a device's, by whatever folders lead there. With `linked` so is each link to it, as for those who
    write into the file; without, it is not, as for those who remove a name."""
    with suppress(OSError):
        if linked and path.samefile(device):
            return True
    return path == device or (path.name == device.name and os.path.realpath(path.parent) == os.path.realpath(device.parent))
