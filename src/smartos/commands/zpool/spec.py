"""What `zpool create`, `add`, `attach` and `replace` are given: vdevs by their words, and whether they may be used.

Left out: log and cache devices, which the model does not have, partitions and swap. Follows `zpool_vdev.c` of illumos
as of 12 August 2011.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smartos.commands.system import System
from smartos.output import CommandError
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.errors import CorruptPool
from smartos.zfs.format import label
from smartos.zfs.read.devices import Device, labels_of
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev.tree import Vdev

FUZZ = 16 << 20  # ZPOOL_FUZZ: by so much the disks of a vdev may differ
MAX_RAIDZ = 255


@dataclass
class Top:
    """A top-level vdev: its kind ("" for a single disk), its parity, its files."""

    kind: str
    parity: int
    paths: list[Path]

    @property
    def type(self) -> str:
        return self.kind or "file"

    def name(self) -> str:
        """As a layout shows it."""
        return f"raidz{self.parity}" if self.kind == "raidz" else self.kind


@dataclass
class Spec:
    """All that was asked for."""

    tops: list[Top] = field(default_factory=list)
    spares: list[Path] = field(default_factory=list)

    @property
    def disks(self) -> list[Path]:
        """The files of the vdevs, which a pool stands on."""
        return [path for top in self.tops for path in top.paths]


def leaf(system: System, operand: str) -> Path:
    """`make_leaf_vdev`: the file of an operand. Raises :class:`CommandError` when it cannot be a disk."""
    path = system.path(operand)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if operand.startswith("/"):
            raise CommandError(f"cannot open '{operand}': {os.strerror(error.errno)}") from None
        raise CommandError(
            f"cannot open '{operand}': no such device in {system.dev}\nmust be a full path or shorthand device name"
        ) from None
    if not stat.S_ISREG(mode):
        raise CommandError(f"cannot use '{operand}': must be a block device or regular file")
    return path


def grouping(word: str) -> tuple[str, int] | None:
    """`is_grouping`: a word's kind and the fewest devices it wants; None for a device."""
    if word.startswith("raidz"):
        rest = word[5:]
        if rest == "":
            return "raidz", 2
        if rest.isdigit() and rest[0] != "0" and int(rest) < 255:
            return "raidz", int(rest) + 1
        return None
    return {"mirror": ("mirror", 2), "spare": ("spare", 1), "log": ("log", 1), "cache": ("cache", 1)}.get(word)


def construct(system: System, words: Sequence[str]) -> Spec:
    """`construct_spec`: the vdevs that the words ask for. Raises :class:`CommandError`."""
    spec, at, wrong = Spec(), 0, "invalid vdev specification"
    while at < len(words):
        kind = grouping(words[at])
        if kind is None:
            spec.tops.append(Top("", 0, [leaf(system, words[at])]))
            at += 1
            continue
        if kind[0] in ("log", "cache"):
            raise CommandError(f"{wrong}: there are no {kind[0]} devices here; leave '{words[at]}' and its devices out")
        if kind[0] == "spare" and spec.spares:
            raise CommandError(f"{wrong}: 'spare' can be specified only once")
        end = at + 1
        while end < len(words) and grouping(words[end]) is None:
            end += 1
        paths = [leaf(system, word) for word in words[at + 1 : end]]
        if len(paths) < kind[1]:
            raise CommandError(f"{wrong}: {words[at]} requires at least {kind[1]} devices")
        if kind[0] == "raidz" and len(paths) > MAX_RAIDZ:
            raise CommandError(f"{wrong}: {words[at]} supports no more than {MAX_RAIDZ} devices")
        if kind[0] == "spare":
            spec.spares = paths
        else:
            spec.tops.append(Top(kind[0], kind[1] - 1 if kind[0] == "raidz" else 0, paths))
        at = end
    if not spec.tops and not spec.spares:
        raise CommandError(f"{wrong}: at least one toplevel vdev must be specified")
    return spec


def in_use(system: System, path: Path, force: bool, spare: bool) -> str:
    """`check_file`: what keeps a file from being used; nothing when it may be."""
    disk = FileDisk(path, writable=False)
    try:
        config = Device(disk, labels_of(disk)).config
    except (CorruptPool, OSError):
        return ""
    finally:
        disk.close()
    state, guid, named = config.get("state"), config.get("guid"), system.device_name(path)
    if state == label.SPARE:
        owner = next((pool for pool in system.pools.values() if guid in pool.spare_guids), None)
        if owner is None or spare:
            return ""
        return f"{named} is reserved as a hot spare for pool {owner.name}"
    if not config.get("txg") or state not in (label.ACTIVE, label.EXPORTED):
        return ""
    for pool in system.pools.values():
        if config.get("pool_guid") == pool.guid and guid in {each.guid for each in pool.root.leaves()}:
            return f"{named} is part of active pool '{pool.name}'"
    if force:
        return ""
    what = "exported" if state == label.EXPORTED else "potentially active"
    return f"{named} is part of {what} pool '{config.get('name')}'"


Level = tuple[str, int, int]


def _uneven(sizes: Sequence[int]) -> bool:
    return any(abs(a - b) > FUZZ for a, b in zip(sizes, sizes[1:], strict=False))


def new_level(spec: Spec) -> tuple[Level | None, list[str]]:
    """`get_replication` of what is asked for: its replication level, None when it has several, and what is said."""
    said: list[str] = []
    last: Level | None = None
    for top in spec.tops:
        level = (top.type, top.parity, len(top.paths))
        if top.kind and _uneven([path.stat().st_size for path in top.paths]):
            said.append(f"{top.kind} contains devices of different sizes")
        if last is not None and last[0] != level[0]:
            said.append(f"mismatched replication level: both {last[0]} and {level[0]} vdevs are present")
        elif last is not None and last[1] != level[1]:
            what = f"both {last[1]} and {level[1]} device parity {level[0]} vdevs are present"
            said.append(f"mismatched replication level: {what}")
        elif last is not None and last[2] != level[2]:
            what = f"both {last[2]}-way and {level[2]}-way {level[0]} vdevs are present"
            said.append(f"mismatched replication level: {what}")
        last = level
    return (None if said else last), said


def pool_level(pool: Spa) -> Level | None:
    """The replication level of a pool; None when it has several."""
    levels = {(top.type, getattr(top, "nparity", 0), max(len(top.children), 1)) for top in pool.root.children}
    sizes = [[each.disk.size for each in top.leaves() if each.disk is not None] for top in pool.root.children if top.children]
    uneven = any(map(_uneven, sizes))
    return next(iter(levels)) if len(levels) == 1 and not uneven else None


def _mismatch(pool: Level, new: Level) -> str:
    if pool[0] != new[0]:
        return f"pool uses {pool[0]} and new vdev is {new[0]}"
    if pool[1] != new[1]:
        return f"pool uses {pool[1]} device parity and new vdev uses {new[1]}"
    if pool[2] != new[2]:
        return f"pool uses {pool[2]}-way {pool[0]} and new vdev uses {new[2]}-way {new[0]}"
    return ""


def make(
    system: System, words: Sequence[str], force: bool, replication: bool, pool: Spa | None = None, replacing: bool = False
) -> Spec:
    """`make_root_vdev`: the vdevs asked for, checked: that no other pool uses their disks, that they match the pool's.

    Raises :class:`CommandError`.
    """
    spec = construct(system, words)
    said: list[str] = []
    own = {each.path for each in pool.spares} if pool is not None and replacing else set()
    for path, spare in [(path, False) for path in spec.disks] + [(path, True) for path in spec.spares]:
        if system.device_name(path) not in own:
            trouble = in_use(system, path, force, spare)
            if trouble:
                said.append(trouble)
                break
    if not said and replication:
        current = pool_level(pool) if pool is not None else None
        if spec.tops and (pool is None or current is not None):
            level, said = new_level(spec)
            if level is not None and current is not None and _mismatch(current, level):
                said = [f"mismatched replication level: {_mismatch(current, level)}"]
    if said:
        how = "the following errors must be manually repaired:" if force else "use '-f' to override the following errors:"
        raise CommandError("\n".join(["invalid vdev specification", how, *said]))
    return spec


def small(spec: Spec) -> bool:
    """Whether a disk is below the smallest size."""
    return any(path.stat().st_size < label.MIN_DEVICE for path in (*spec.disks, *spec.spares))


def twice(spec: Spec) -> bool:
    """Whether a disk is named twice."""
    every = [path.resolve() for path in (*spec.disks, *spec.spares)]
    return len(set(every)) != len(every)


def disks(system: System, spec: Spec) -> tuple[list[object], list[FileDisk]]:
    """The vdevs as :class:`Spa` wants them, and the hot spares."""
    tops: list[object] = []
    for top in spec.tops:
        opened = [system.disk(path) for path in top.paths]
        tops.append((top.name(), *opened) if top.kind else opened[0])
    return tops, [system.disk(path) for path in spec.spares]


def layout(system: System, name: str, spec: Spec, pool: Spa | None = None) -> str:
    """`print_vdev_tree`: what would be made."""
    lines = [f"\t{name}"]

    def old(node: Vdev, depth: int) -> None:
        title = system.shown(node.path) if node.leaf else node.name.rpartition("-")[0]
        lines.append("\t" + "  " * depth + title)
        for child in node.children:
            old(child, depth + 1)

    for top in pool.root.children if pool else ():
        old(top, 1)
    for top in spec.tops:
        depth = 1
        if top.kind:
            lines.append(f"\t  {top.name()}")
            depth = 2
        lines += ["\t" + "  " * depth + system.shown(system.device_name(path)) for path in top.paths]
    return "\n".join(lines) + "\n"
