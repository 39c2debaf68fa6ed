"""`zpool import`: the pools that are on disks and not in use, and taking one into use.

Left out: going back to an earlier transaction group (`-F` does it only as every import does, by a newer uberblock that
does not verify), importing for reading only. Follows `zpool_main.c` (`zpool_do_import`, `show_import`) and
`libzfs_import.c` of illumos as of 12 August 2011.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smartos.commands.system import System
from smartos.commands.text import Usage
from smartos.commands.zpool import props as zpool_props
from smartos.commands.zpool.show import aux_text, condition, title
from smartos.output import CommandError, Output
from smartos.zfs.disk.disk import FileDisk, ScratchDisk
from smartos.zfs.errors import CorruptPool, Unsupported, ZfsError
from smartos.zfs.format import label
from smartos.zfs.live import spa_config
from smartos.zfs.namecheck import pool_name
from smartos.zfs.read.devices import Device, labels_of, of_one_pool, top_trees
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev.tree import Aux, Missing, Root, State, Vdev, build, state_name

STATUS = {
    "missing_r": "One or more devices are missing from the system.",
    "missing_nr": "One or more devices are missing from the system.",
    "label_r": "One or more devices contains corrupted data.", "label_nr": "One or more devices contains corrupted data.",
    "offline": "One or more devices are offlined.",
    "older": "The pool is formatted using an older on-disk version.",
    "faulted_r": "One or more devices are faulted.", "faulted_nr": "One or more devices are faulted.",
    "newer": "The pool is formatted using an incompatible version.",
    "foreign": "The pool was last accessed by another system.", "corrupt": "The pool metadata is corrupted.",
}  # fmt: skip
NUMBERS = {
    "missing_r": "2Q", "missing_nr": "3C", "label_r": "4J", "label_nr": "5E", "newer": "A5", "foreign": "EY", "corrupt": "72",
}  # fmt: skip


@dataclass
class Candidate:
    """A pool that was found: its devices by the files they are in, the newest configuration, the vdev tree, and why it
    would not open, if it would not."""

    name: str
    guid: int
    state: int
    version: int
    devices: list[Device]
    root: Vdev
    spares: list[str]
    trouble: ZfsError | OSError | None = None

    @property
    def paths(self) -> list[Path]:
        return [device.disk.path for device in self.devices]


def search(system: System, folders: Sequence[str]) -> list[Candidate]:
    """`zpool_search_import`: the pools on the files of folders, those in use left out, by name."""
    devices: list[Device] = []
    for folder in folders:
        where = system.path(folder)
        if not where.is_dir():
            why = "Not a directory" if where.exists() else "No such file or directory"
            raise CommandError(f"cannot open '{folder}': {why}")
        for path in sorted(where.iterdir()):
            if path.is_file() and path.stat().st_size >= label.MIN_DEVICE:
                disk = FileDisk(path, writable=False, name=system.device_name(path))
                device = Device(disk, labels_of(disk))
                try:
                    device.config  # noqa: B018 - a label whose txg is no number is no label
                    devices.append(device)
                except CorruptPool:
                    disk.close()
    spares = [device for device in devices if device.config.get("state") == label.SPARE]
    parts = [device.config for device in devices if device.config.get("txg")]
    guids = dict.fromkeys(config["pool_guid"] for config in parts if isinstance(config.get("pool_guid"), int))
    active = {pool.guid for pool in system.pools.values()}
    found = []
    for guid in guids:
        try:
            if guid not in active:
                found.append(_candidate(of_one_pool(devices, guid), spares))
        except (ZfsError, KeyError, TypeError, ValueError, AttributeError):
            continue  # the labels are whole, and what they say makes no pool
    for device in devices:
        device.disk.close()
    return sorted(found, key=lambda each: (each.name, each.guid))


def _candidate(devices: list[Device], spares: list[Device]) -> Candidate:
    config = max((device.config for device in devices), key=lambda each: each.get("txg", 0))
    by_guid = {device.config.get("guid"): device.disk for device in devices}
    tops = top_trees(devices)
    children: list[dict] = [tops.get(number, {}) for number in range(max(config.get("vdev_children", 1), max(tops) + 1))]
    listed: list[dict] = []
    try:
        pool = Pool.open([device.disk for device in devices], config["pool_guid"])
        children = pool.mos_config["vdev_tree"]["children"]
        if "spares" in pool.directory:
            listed = pool._nvlist(pool.directory["spares"]).get("spares", [])
    except ZfsError:
        pass
    built = [
        build(child, lambda leaf: by_guid.get(leaf.get("guid"))) if child else Missing(number)
        for number, child in enumerate(children)
    ]
    root = Root(built, guid=config["pool_guid"])
    for leaf in root.leaves():
        if leaf.leaf and leaf.disk is not None:
            leaf.path = leaf.disk.name
    trouble = _tried([device.disk for device in devices], config["pool_guid"])
    places = {device.config.get("guid"): device.disk.name for device in spares}
    known = [device for device in spares if device.config.get("guid") in {one["guid"] for one in listed}]
    return Candidate(
        config["name"], config["pool_guid"], config["state"], config["version"], devices + known, root,
        [places.get(one["guid"], one["path"]) for one in listed], trouble,
    )  # fmt: skip


def _tried(disks: list[FileDisk], guid: int) -> ZfsError | OSError | None:
    """`spa_tryimport`: why the pool would not open; nothing is written, whatever the import has to do."""
    try:
        Spa.import_([ScratchDisk(disk) for disk in disks], guid)
    except (ZfsError, OSError) as error:
        return error
    return None


def _worst(system: System, found: Candidate) -> str:
    """The worst that is wrong with a pool that was found, as a key of STATUS, and its root's state."""
    root = found.root
    if found.version > system.version:
        root.set_state(State.CANT_OPEN, Aux.VERSION_NEWER)
        return "newer"
    if found.trouble is not None and root.state >= State.DEGRADED:
        refused = isinstance(found.trouble, Unsupported)
        root.set_state(State.CANT_OPEN, Aux.NONE if refused else Aux.CORRUPT_DATA)
        return "unsupported" if refused else "corrupt"
    worst = condition(root, found.version, system.version)
    return "foreign" if worst in ("", "older") and found.state == label.ACTIVE else worst


def _action(found: Candidate, worst: str, state: State) -> str:
    if state == State.HEALTHY:
        if worst == "older":
            return (
                "The pool can be imported using its name or numeric identifier, though\n\tsome features will not be "
                "available without an explicit 'zpool upgrade'."
            )
        also = " and\n\tthe '-f' flag." if worst == "foreign" else "."
        return f"The pool can be imported using its name or numeric identifier{also}"
    if state == State.DEGRADED:
        return (
            "The pool can be imported despite missing or damaged devices.  The\n\tfault tolerance of the pool may be "
            "compromised if imported."
        )
    if worst.startswith("missing"):
        return "The pool cannot be imported. Attach the missing\n\tdevices and try again."
    if worst in ("newer", "unsupported"):
        return (
            "The pool cannot be imported.  Access the pool on a system running newer\n\tsoftware, or recreate the pool "
            "from backup."
        )
    return "The pool cannot be imported due to damaged devices or data."


def show(system: System, found: Candidate) -> str:
    """`show_import`: what is said of a pool that could be imported."""
    root = found.root
    worst = _worst(system, found)
    destroyed = " (DESTROYED)" if found.state == label.DESTROYED else ""
    out = f"  pool: {found.name}\n    id: {found.guid}\n state: {state_name(root.state, root.aux)}{destroyed}\n"
    if worst == "unsupported":
        out += f"status: The pool cannot be used here: {found.trouble}.\n"
    elif worst in STATUS:
        out += f"status: {STATUS[worst]}\n"
    out += f"action: {_action(found, worst, root.state)}\n"
    out += f"   see: http://www.sun.com/msg/ZFS-8000-{NUMBERS[worst]}\n" if worst in NUMBERS else ""
    rows = [(depth, title(system, node, found.name), node) for depth, node in root.walk() if node.type != "missing"]
    spares = [system.shown(path) for path in found.spares]
    width = max([10, *(2 * depth + len(text) for depth, text, _ in rows), *(2 + len(text) for text in spares)])
    out += "config:\n\n"
    for depth, text, node in rows:
        out += f"\t{'  ' * depth}{text:<{width - 2 * depth}}  {state_name(node.state, node.aux)}{aux_text(system, node)}\n"
    out += "\tspares\n" + "".join(f"\t  {text}\n" for text in spares) if spares else ""
    return out


def import_(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool import [-d dir] ... [-D]`, `... -a`, `... <pool | id> [newpool]` with -f, -F, -N, -o, -R."""
    options, rest = usage.options("import", words, "ad:DfFNo:R:")
    flags = {letter for letter, _ in options}
    folders = [value for letter, value in options if letter == "d"] or ["."]
    props: dict[str, str] = {}
    for letter, value in options:
        if letter == "R":
            props |= {"altroot": value, "cachefile": props.get("cachefile", "none")}
        elif letter == "o" and "=" in value:
            zpool_props.add(props, *value.split("=", 1), True)
    if len(rest) > (0 if "a" in flags else 2):
        raise usage.fail("import", "too many arguments")
    every = search(system, folders)
    wanted = [each for each in every if (each.state == label.DESTROYED) == ("D" in flags)]
    if not rest:
        if not wanted:
            return Output(err="no pools available to import\n")
        if "a" not in flags:
            return Output("\n".join(show(system, each) for each in wanted))
        said = []
        for each in wanted:
            try:
                _import(system, each, each.name, props, flags, line)
            except CommandError as error:
                said.append(str(error))
        if said:
            raise CommandError("\n".join(said))
        return Output()
    _import(system, _choose(system, rest, wanted), rest[-1] if len(rest) == 2 else "", props, flags, line)
    return Output()


def _choose(system: System, rest: Sequence[str], wanted: list[Candidate]) -> Candidate:
    """The pool that is meant. Raises :class:`CommandError` when it is none, several, or in use by that name."""
    name, wrong = rest[0], f"cannot import '{rest[0]}'"
    same = [each for each in wanted if name in (each.name, str(each.guid))]
    if name in system.names() and (len(rest) == 1 or rest[0] == rest[1]):
        if same:
            raise CommandError(
                f"{wrong}: a pool with that name already exists\n"
                "use the form 'zpool import <pool | id> <newpool>' to give it a new name"
            )
        raise CommandError(
            f"{wrong}: a pool with that name is already created/imported,\n"
            "and no additional pools with that name were found"
        )
    if not same:
        raise CommandError(f"{wrong}: no such pool available")
    if len(same) > 1:
        raise CommandError(f"{wrong}: more than one matching pool\nimport by numeric ID instead")
    return same[0]


def _import(system: System, found: Candidate, new: str, props: dict, flags: set[str], line: str) -> None:
    """`do_import`."""
    name = new or found.name
    wrong = f"cannot import '{found.name}'"
    if found.version > system.version:
        raise CommandError(f"{wrong}: pool is formatted using a newer ZFS version")
    if found.state != label.EXPORTED and "f" not in flags:
        raise CommandError(f"{wrong}: pool may be in use from other system\nuse '-f' to import anyway")
    trouble = pool_name(name)
    if trouble:
        raise CommandError(f"cannot import '{name}': {trouble}")
    stored, others = zpool_props.validate(system, None, props, f"cannot import pool '{found.name}'", creating=True)
    if name in system.names():
        both = wrong if name == found.name else f"{wrong} as '{name}'"
        raise CommandError(f"{both}: pool already exists")
    try:
        disks = [system.disk(path) for path in found.paths]
        pool = Spa.import_(disks, found.guid, clock=system.clock, seed=system.seed(), new_name=name)
    except (ZfsError, OSError) as error:
        if found.root.state < State.DEGRADED:
            raise CommandError(
                f"{wrong}: one or more devices is currently unavailable\n\tDestroy and re-create the pool from\n"
                "\ta backup source."
            ) from None
        raise CommandError(f"{wrong}: {error}") from None
    pool.events.enabled, pool.config_dirty = False, True
    system.note_replay(pool)
    for leaf in pool.root.leaves():
        if leaf.leaf and leaf.disk is not None:
            leaf.path = leaf.disk.name
            system.absent.discard(leaf.guid)
        elif leaf.leaf:
            system.absent.add(leaf.guid)
    system.pools[name] = pool
    zpool_props.remember(system, name, others)
    what = f"pool spa {pool.version}; zfs spa {system.version}; zpl 5; uts {spa_config.HOSTNAME} 5.11 model i86pc"
    pool.history.internal("pool import", what)
    stored.pop("version", None)
    if stored:
        pool.set_pool(**stored)
    system.log(pool, line)
