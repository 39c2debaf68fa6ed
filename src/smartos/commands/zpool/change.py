"""`zpool create`, `destroy`, `add`, `remove`, `attach`, `replace`, `detach`: which devices a pool has.

Left out: log and cache devices, splitting a mirror, other sector sizes than 512 bytes. Follows `zpool_main.c` and
`libzfs_pool.c` of illumos as of 12 August 2011.
"""

from collections.abc import Sequence
from pathlib import Path

from smartos.commands.system import System
from smartos.commands.text import Usage, nicenum
from smartos.commands.zfs import props as zfs_props
from smartos.commands.zpool import props as zpool_props
from smartos.commands.zpool import spec as zpool_spec
from smartos.output import CommandError, Output
from smartos.zfs.errors import Busy, PoolFaulted, Unsupported
from smartos.zfs.format.label import MIN_DEVICE
from smartos.zfs.live import spa_config
from smartos.zfs.namecheck import pool_name
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev.tree import Leaf, Mirror, Raidz, Replacing, Spare, Vdev


def pair(usage: Usage, name: str, text: str, option: str) -> tuple[str, str]:
    """The two halves of `property=value` behind an option. Raises :class:`CommandError`."""
    key, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"missing '=' for -{option} option\nwrite it as '-{option} {text}=value'", 1)
    return key, value


def create(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool create [-fn] [-o property=value] ... [-O fs-property=value] ... [-m mountpoint] [-R root] pool vdev ...`."""
    options, rest = usage.options("create", words, "fnR:m:o:O:")
    flags = {letter for letter, _ in options}
    props: dict[str, str] = {}
    fsprops: dict[str, str] = {}
    mountpoint = ""
    for letter, value in options:
        if letter in "oO":
            key, text = pair(usage, "create", value, letter)
            zpool_props.add(props if letter == "o" else fsprops, key, text, letter == "o")
        elif letter == "R":
            props |= {"altroot": value, "cachefile": props.get("cachefile", "none")}
        elif letter == "m":
            mountpoint = value
    if not rest:
        raise usage.fail("create", "missing pool name argument")
    name, *vdevs = rest
    if not vdevs:
        raise usage.fail("create", "missing vdev specification")
    if "/" in name:
        raise CommandError(
            f"cannot create '{name}': invalid character '/' in pool name\nuse 'zfs create' to create a dataset"
        )
    spec = zpool_spec.make(system, vdevs, "f" in flags, "f" not in flags)
    if not spec.tops:
        raise CommandError("invalid vdev specification: at least one toplevel vdev must be specified")
    if mountpoint and mountpoint not in ("legacy", "none") and not mountpoint.startswith("/"):
        raise CommandError(f"invalid mountpoint '{mountpoint}': must be an absolute path, 'legacy', or 'none'")
    if "n" in flags:
        return Output(f"would create '{name}' with the following layout:\n\n" + zpool_spec.layout(system, name, spec))
    if mountpoint:
        fsprops["mountpoint"] = mountpoint
    _create(system, name, spec, props, fsprops, line)
    return Output()


def _create(system: System, name: str, spec: zpool_spec.Spec, props: dict, fsprops: dict, line: str) -> None:
    wrong = f"cannot create '{name}'"
    trouble = pool_name(name)
    if trouble:
        raise CommandError(f"{wrong}: {trouble}\npool name may have been omitted")
    stored, others = zpool_props.validate(system, None, props, wrong, creating=True)
    version = stored.pop("version", system.version)
    encoded = zfs_props.validate(fsprops, wrong, "filesystem", creating=True)
    if name in system.names():
        raise CommandError(f"{wrong}: pool already exists")
    if zpool_spec.twice(spec):
        raise CommandError(f"{wrong}: one or more vdevs refer to the same device")
    if zpool_spec.small(spec):
        raise CommandError(f"{wrong}: one or more devices is less than the minimum size ({nicenum(MIN_DEVICE)})")
    tops, spares = zpool_spec.disks(system, spec)
    try:
        pool = Spa.create(
            name, tops, version=version, spares=spares, clock=system.clock, seed=system.seed(), **encoded
        )  # fmt: skip
    except Unsupported as error:
        raise CommandError(f"{wrong}: {error}; see 'zpool upgrade -v'") from None
    pool.events.enabled = False
    system.pools[name] = pool
    zpool_props.remember(system, name, others)
    system.log(pool, line, create=True)
    what = f"pool spa {version}; zfs spa {system.version}; zpl 5; uts {spa_config.HOSTNAME} 5.11 model i86pc"
    pool.history.internal("pool create", what)
    if stored:
        pool.set_pool(**stored)
    system.sync(pool)


def destroy(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool destroy [-f] pool`."""
    _, names = usage.options("destroy", words, "f")
    usage.operands("destroy", names, ("missing pool argument",), 1)
    name = names[0]
    if name not in system.names():
        hint = "\nuse 'zfs destroy' to destroy a dataset" if "/" in name else ""
        raise CommandError(f"cannot open '{name}': no such pool{hint}")
    if name in system.pools:
        pool = system.pools[name]
        pool.history.command(line)
        pool.export(destroyed=True)
    system.forget(name)
    return Output()


def find(system: System, pool: Spa, operand: str) -> Vdev | None:
    """`zpool_find_vdev`: a vdev, or a hot spare, by its path, its name in a tree or its guid."""
    path = system.device_name(system.path(operand))
    for node in (*(each for _, each in pool.root.walk()), *pool.spares):
        if node.leaf and (path == node.path or operand == str(node.guid)):
            return node
        if not node.leaf and node.type != "root" and operand == node.name:
            return node
    return None


def device(system: System, pool: Spa, operand: str, wrong: str, status: int = 1) -> Leaf:
    """A leaf of the pool, hot spares in waiting not among them. Raises :class:`CommandError` with `wrong` in front."""
    node = find(system, pool, operand)
    if node is None:
        raise CommandError(f"{wrong}: no such device in pool", status)
    if node in pool.spares and node.parent is None:
        raise CommandError(f"{wrong}: device is reserved as a hot spare", status)
    return node


def add(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool add [-fn] pool vdev ...`."""
    options, rest = usage.options("add", words, "fn")
    flags = {letter for letter, _ in options}
    usage.operands("add", rest, ("missing pool name argument", "missing vdev specification"))
    pool = system.pool(rest[0])
    spec = zpool_spec.make(system, rest[1:], "f" in flags, "f" not in flags, pool)
    if "n" in flags:
        head = f"would update '{pool.name}' to the following configuration:\n"
        return Output(head + zpool_spec.layout(system, pool.name, spec, pool))
    wrong = f"cannot add to '{pool.name}'"
    if zpool_spec.twice(spec):
        raise CommandError(f"{wrong}: one or more vdevs refer to the same device")
    if zpool_spec.small(spec):
        raise CommandError(f"{wrong}: device is less than the minimum size ({nicenum(MIN_DEVICE)})")
    tops, spares = zpool_spec.disks(system, spec)
    try:
        pool.add(*tops, spares=spares)
    except Unsupported as error:
        raise CommandError(f"{wrong}: {error}; see 'zpool upgrade -v'") from None
    except PoolFaulted as error:
        raise CommandError(f"{wrong}: {error}") from None
    system.log(pool, line)
    return Output()


def remove(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool remove pool device ...`: only hot spares in waiting."""
    _, rest = usage.options("remove", words, "")
    usage.operands("remove", rest, ("missing pool name argument", "missing device"))
    pool = system.pool(rest[0])
    said = []
    for operand in rest[1:]:
        node = find(system, pool, operand)
        if node is None:
            said.append(f"cannot remove {operand}: no such device in pool")
        elif node not in pool.spares or node.parent is not None:
            only = "only inactive hot spares, cache, top-level, or log devices can be removed"
            said.append(f"cannot remove {operand}: {only}")
        else:
            pool.remove_spare(node)
    if len(said) < len(rest) - 1:
        system.log(pool, line)
    if said:
        raise CommandError("\n".join(said))
    return Output()


def attach(system: System, usage: Usage, words: Sequence[str], line: str, replacing: bool = False) -> Output:
    """`zpool attach [-f] pool device new-device`."""
    name = "replace" if replacing else "attach"
    options, rest = usage.options(name, words, "f")
    usage.operands(name, rest, ("missing pool name argument", "missing <device> specification"))
    if len(rest) < 3 and not replacing:
        raise usage.fail(name, "missing <new_device> specification")
    if len(rest) > 3:
        raise usage.fail(name, "too many arguments")
    pool, old, new = system.pool(rest[0]), rest[1], rest[-1]
    spec = zpool_spec.make(system, [new], bool(options), False, pool, replacing)
    wrong = f"cannot replace {old} with {new}" if replacing else f"cannot attach {new} to {old}"
    target = device(system, pool, old, wrong, 255)
    if not target.leaf:
        raise CommandError(f"{wrong}: can only attach to mirrors and top-level disks", 255)
    _attach(system, pool, target, spec.tops[0].paths[0], replacing, wrong)
    system.log(pool, line)
    return Output()


def replace(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool replace [-f] pool device [new-device]`."""
    return attach(system, usage, words, line, True)


def _attach(system: System, pool: Spa, old: Leaf, path: Path, replacing: bool, wrong: str) -> None:
    spare = next((each for each in pool.spares if each.path == system.device_name(path)), None)
    stand_in = isinstance(old.parent, Spare) and replacing and old not in pool.spares and spare is None
    if isinstance(old.parent, (Replacing, Spare)) and not stand_in:
        raise CommandError(f"{wrong}: already in replacing/spare config; wait for completion or use 'zpool detach'", 255)
    if not replacing and isinstance(old.parent, Raidz):
        raise CommandError(f"{wrong}: can only attach to mirrors and top-level disks", 255)
    if spare is not None and spare.parent is not None:
        raise CommandError(f"{wrong}: {system.device_name(path)} is busy", 255)
    disk = spare.disk if spare is not None else system.disk(path)
    needed = old.asize or min((each.asize for each in old.top.leaves() if each.asize > 0), default=0)
    if disk.size < MIN_DEVICE or Leaf(disk).asize < needed:
        raise CommandError(f"{wrong}: device is too small", 255)
    try:
        if not replacing:
            pool.attach(str(old.guid), disk)
        elif old.path == system.device_name(path):
            old.disk = disk
            pool.replace(str(old.guid))
        else:
            pool.replace(str(old.guid), disk)
    except (Busy, PoolFaulted, Unsupported) as error:
        raise CommandError(f"{wrong}: {error}", 255) from None
    if stand_in:
        unspare(pool, system.device_name(path))


def unspare(pool: Spa, path: str) -> None:
    """A device that is whole again, or its successor, sends the hot spare that stood in for it back."""
    pool.sync()
    for node in list(pool.root.leaves()):
        above = node.parent
        if node.leaf and node.path == path and isinstance(above, Spare) and above.children[0] is node:
            for spare in [each for each in above.children[1:] if each in pool.spares]:
                if node.readable and not node.dtl:
                    pool.detach(str(spare.guid))


def detach(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool detach pool device`."""
    _, rest = usage.options("detach", words, "")
    usage.operands("detach", rest, ("missing pool name argument", "missing <device> specification"))
    pool, wrong = system.pool(rest[0]), f"cannot detach {rest[1]}"
    node = device(system, pool, rest[1], wrong, 255)
    if not node.leaf or not isinstance(node.parent, Mirror):
        raise CommandError(f"{wrong}: only applicable to mirror and replacing vdevs", 255)
    try:
        pool.detach(str(node.guid))
    except Busy:
        raise CommandError(f"{wrong}: no valid replicas", 255) from None
    system.log(pool, line)
    return Output()


def each_device(system: System, usage: Usage, name: str, words: Sequence[str], letters: str) -> tuple[Spa, list[str]]:
    """The pool and the devices of `offline` and `online`."""
    _, rest = usage.options(name, words, letters)
    usage.operands(name, rest, ("missing pool name", "missing device name"))
    return system.pool(rest[0]), rest[1:]

