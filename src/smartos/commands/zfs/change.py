"""`zfs destroy`, `rollback`, `promote`, `rename`: what becomes of datasets that are there.

Left out: deferred destruction (`destroy -d` of a snapshot with clones), unmounting. Follows `zfs_main.c` and
`libzfs_dataset.c` of illumos as of 12 August 2011.
"""

from collections.abc import Iterator, Sequence

from smartos.commands.system import System
from smartos.commands.text import Usage
from smartos.commands.zfs import props as zfs_props
from smartos.commands.zfs.make import make_ancestors, parent
from smartos.commands.zfs.table import FILESYSTEM, SNAPSHOT, VOLUME
from smartos.output import CommandError, Output
from smartos.zfs.errors import Exists, NameTooLong, Unsupported
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.live.dsl_dir import LiveDir
from smartos.zfs.namecheck import DATASET_TOO_LONG, MAX_NAME, dataset_name, size
from smartos.zfs.spa.spa import Spa


def _head(pool: Spa, directory: LiveDir) -> LiveDataset:
    return pool.dp.dataset(directory.phys.head_dataset_obj)


def clones(pool: Spa, snapshot: LiveDataset) -> list[LiveDataset]:
    """The datasets that began as a snapshot is."""
    found = [_head(pool, each) for each in pool._below(pool.dp.root_dir) if each.phys.origin_obj == snapshot.number]
    return sorted(found, key=lambda each: each.name)


def dependents(pool: Spa, dataset: LiveDataset, seen: set[int] | None = None) -> Iterator[LiveDataset]:
    """`zfs_iter_dependents`: everything that has to go before a dataset can: below it, its snapshots, their clones."""
    seen = set() if seen is None else seen
    if dataset.is_snapshot:
        below = clones(pool, dataset)
    else:
        children = [each for name, each in dataset.dir.children().items() if not name.startswith("$")]
        below = [_head(pool, each) for each in children] + list(dataset.snapshots().values())
    for each in below:
        if each.number not in seen:
            seen.add(each.number)
            yield from dependents(pool, each, seen)
            yield each


def _within(name: str, target: str) -> bool:
    return name.startswith((f"{target}/", f"{target}@"))


def destroy(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs destroy [-rRfd] filesystem|volume|snapshot`."""
    options, rest = usage.options("destroy", words, "dfrR")
    flags = {letter for letter, _ in options}
    usage.operands("destroy", rest, ("missing path argument",), 1)
    name, recurse, everything = rest[0], bool(flags & {"r", "R"}), "R" in flags
    if recurse and "@" in name:
        return _destroy_snaps(system, name, everything, line)
    pool, target = zfs_props.open_(system, name, *((SNAPSHOT,) if "d" in flags else ()))
    wrong, kind = f"cannot destroy '{name}'", zfs_props.type_of(target)
    if not recurse and target.dir.parent is None and kind != SNAPSHOT:
        raise CommandError(
            f"{wrong}: operation does not apply to pools\nuse 'zfs destroy -r {name}' to destroy all datasets in the "
            f"pool\nuse 'zpool destroy {name}' to destroy the pool itself"
        )
    found = list(dependents(pool, target))
    if "d" in flags and found:
        raise CommandError(f"{wrong}: it has clones, and nothing is destroyed later here; destroy them, or use '-R'")
    children = [each.name for each in found if _within(each.name, name)]
    others = [each.name for each in found if not _within(each.name, name)]
    if children and not recurse:
        listed = "\n".join(children)
        raise CommandError(f"{wrong}: {kind} has children\nuse '-r' to destroy the following datasets:\n{listed}")
    if others and not everything and (recurse or kind == SNAPSHOT):
        listed = "\n".join(others)
        raise CommandError(f"{wrong}: {kind} has dependent clones\nuse '-R' to destroy the following datasets:\n{listed}")
    for each in [*found, target]:
        if each.is_snapshot or each.dir.parent is not None:
            pool.destroy(each.name)
    system.log(pool, line)
    return Output()


def _destroy_snaps(system: System, name: str, everything: bool, line: str) -> Output:
    """`zfs_destroy_snaps`: the snapshots of that name, of a dataset and of all below."""
    path, _, snapname = name.partition("@")
    pool, head = zfs_props.open_(system, path, FILESYSTEM, VOLUME)
    found = [_head(pool, each).snapshots().get(snapname) for each in pool._below(head.dir)]
    snaps = [each for each in found if each is not None]
    wrong = f"cannot destroy '{name}'"
    if not snaps:
        raise CommandError(f"{wrong}: dataset does not exist\nno snapshots destroyed")
    if not everything and any(each.phys.num_children > 1 for each in snaps):
        raise CommandError(f"{wrong}: snapshot is cloned\nno snapshots destroyed")
    gone: set[int] = set()
    for snap in snaps:
        for each in [*dependents(pool, snap), snap]:
            if each.number not in gone:
                gone.add(each.number)
                pool.destroy(each.name)
    system.log(pool, line)
    return Output()


def rollback(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs rollback [-rRf] snapshot`."""
    options, rest = usage.options("rollback", words, "rRf")
    flags = {letter for letter, _ in options}
    usage.operands("rollback", rest, ("missing dataset argument",), 1)
    name = rest[0]
    pool, target = zfs_props.open_(system, name, SNAPSHOT)
    head = pool.dp.find(name.partition("@")[0])
    later = [each for each in head.snapshots().values() if each.phys.creation_txg > target.phys.creation_txg]
    wrong = f"cannot rollback to '{name}'"
    if later and not flags & {"r", "R"}:
        listed = "\n".join(each.name for each in later)
        raise CommandError(
            f"{wrong}: more recent snapshots exist\nuse '-r' to force deletion of the following snapshots:\n{listed}"
        )
    cloned = [each for snap in later for each in dependents(pool, snap)]
    if cloned and "R" not in flags:
        listed = "\n".join(each.name for each in cloned)
        raise CommandError(
            f"{wrong}: clones of previous snapshots exist\n"
            f"use '-R' to force deletion of the following clones and dependents:\n{listed}"
        )
    for each in cloned:
        pool.destroy(each.name)
    pool.rollback(name, destroy_later=True)
    system.log(pool, line)
    return Output()


def promote(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs promote clone-filesystem`."""
    if words and words[0].startswith("-"):
        raise usage.fail("promote", f"invalid option '{words[0][1:2]}'")
    usage.operands("promote", words, ("missing clone filesystem argument",), 1)
    name = words[0]
    pool, clone = zfs_props.open_(system, name, FILESYSTEM, VOLUME)
    wrong, number = f"cannot promote '{name}'", clone.dir.phys.origin_obj
    origin = pool.dp.dataset(number) if number else None
    if origin is None or "$" in origin.name:
        raise CommandError(f"{wrong}: not a cloned filesystem")
    path = origin.name.partition("@")[0]
    for snap in pool.dp.find(path).snapshots().values():
        if snap.phys.creation_txg <= origin.phys.creation_txg and snap.snapname in clone.snapshots():
            raise CommandError(f"{wrong}: conflicting snapshot '{snap.snapname}' from parent '{path}'")
    try:
        pool.promote(name)
    except (Exists, Unsupported) as error:
        raise CommandError(str(error)) from None
    system.log(pool, line)
    return Output()


def rename(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs rename dataset dataset`, with -p the filesystems above are made, with -r snapshots below are renamed, too."""
    options, rest = usage.options("rename", words, "fpr")
    flags = {letter for letter, _ in options}
    usage.operands("rename", rest, ("missing source dataset argument", "missing target dataset argument"), 2)
    if {"p", "r"} <= flags:
        raise usage.fail("rename", "-p and -r options are mutually exclusive")
    old, new = rest
    if "r" in flags and "@" not in old:
        raise usage.fail("rename", "source dataset for recursive rename must be a snapshot")
    pool, target = zfs_props.open_(system, old, *((FILESYSTEM, VOLUME) if "p" in flags else ()))
    if target.is_snapshot:
        _rename_snapshot(pool, target, old, new, "r" in flags)
    else:
        _rename(system, pool, target, old, new, "p" in flags)
    system.log(pool, line)
    return Output()


def _rename_snapshot(pool: Spa, target: LiveDataset, old: str, new: str, recursive: bool) -> None:
    path = old.partition("@")[0]
    new = f"{path}{new}" if new.startswith("@") else new if "@" in new else f"{path}@{new}"
    wrong = f"cannot rename to '{new}'"
    trouble = dataset_name(new, True)
    if trouble:
        raise CommandError(f"{wrong}: {trouble}")
    if new.partition("@")[0] != path:
        raise CommandError(f"{wrong}: snapshots must be part of same dataset")
    snapname = new.partition("@")[2]
    heads = [_head(pool, each) for each in pool._below(target.dir)] if recursive else [pool.dp.find(path)]
    heads = [head for head in heads if target.snapname in head.snapshots()]
    if any(snapname in head.snapshots() for head in heads):
        why = "a child dataset already has a snapshot with the new name" if recursive else "dataset already exists"
        raise CommandError(f"cannot rename '{old}': {why}")
    if any(size(f"{head.name}@{snapname}") > MAX_NAME for head in heads):
        raise CommandError(f"cannot rename '{old}': {DATASET_TOO_LONG}")
    was = target.snapname
    for head in heads:
        pool.rename(f"{head.name}@{was}", f"{head.name}@{snapname}")


def _rename(system: System, pool: Spa, target: LiveDataset, old: str, new: str, parents: bool) -> None:
    wrong = f"cannot rename to '{new}'"
    trouble = dataset_name(new)
    if trouble:
        raise CommandError(f"{wrong}: {trouble}")
    if new.startswith(f"{old}/") and not zfs_props.find(system, new.rpartition("/")[0]):
        parents = True
    there = parent(system, new, f"cannot create '{new}'", parents)
    if there is not pool:
        raise CommandError(f"{wrong}: datasets must be within same pool")
    if new.startswith(f"{old}/"):
        raise CommandError(f"{wrong}: New dataset name cannot be a descendant of current dataset name")
    if target.dir.parent is None:
        raise CommandError(f"cannot rename '{old}': operation does not apply to pools\nexport it and import it as '{new}'")
    if zfs_props.find(system, new):
        raise CommandError(f"cannot rename '{old}': dataset already exists")
    try:
        pool.may_rename(target, new)
    except NameTooLong as error:
        raise CommandError(str(error)) from None
    if parents:
        make_ancestors(pool, new)
    pool.rename(old, new)
