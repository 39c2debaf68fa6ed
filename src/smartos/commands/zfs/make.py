"""`zfs create`, `clone`, `snapshot`, `set`, `inherit`: datasets are made, and their properties set.

Left out: mounting and sharing what is made, properties of snapshots. Follows `zfs_main.c` and `libzfs_dataset.c` of
illumos as of 12 August 2011.
"""

from collections.abc import Sequence

from smartos.commands.system import System
from smartos.commands.text import Usage
from smartos.commands.zfs import props as zfs_props
from smartos.commands.zfs import table as zfs_table
from smartos.commands.zfs.table import FILESYSTEM, INHERIT, SNAPSHOT, VOLUME
from smartos.output import CommandError, Output
from smartos.zfs.errors import Exists, NameTooLong, NoSpace, NoSuchName
from smartos.zfs.live.dsl_prop import nicestrtonum
from smartos.zfs.live.zpl_create import zpl_version
from smartos.zfs.namecheck import dataset_name, user_property
from smartos.zfs.spa.spa import Spa


def parent(system: System, name: str, wrong: str, ancestors: bool = False) -> Spa:
    """`check_parents`: the pool, when the dataset above is there and is a filesystem (or is to be made: `ancestors`).

    Raises :class:`CommandError`.
    """
    above, slash, _ = name.rpartition("/")
    if not slash:
        raise CommandError(f"{wrong}: missing dataset name")
    pool = name.partition("/")[0]
    if pool not in system.pools:
        raise CommandError(f"{wrong}: no such pool '{pool}'")
    found = zfs_props.find(system, above)
    while found is None and ancestors:
        above = above.rpartition("/")[0]
        found = zfs_props.find(system, above)
    if found is None:
        raise CommandError(f"{wrong}: parent does not exist")
    if zfs_props.type_of(found[1]) != FILESYSTEM:
        raise CommandError(f"{wrong}: parent is not a filesystem")
    return found[0]


def make_ancestors(pool: Spa, name: str) -> None:
    """`create_parents`: the filesystems above a dataset that are not there yet."""
    parts = name.split("/")
    for depth in range(2, len(parts)):
        above = "/".join(parts[:depth])
        try:
            pool.create(above)
        except Exists:
            continue


def options_of(usage: Usage, subcommand: str, options: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The properties behind -o. Raises :class:`CommandError`."""
    props: dict[str, str] = {}
    for letter, text in options:
        if letter != "o":
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"missing '=' for -o option\nwrite it as '-o {text}=value'")
        if name in props:
            raise CommandError(f"property '{name}' specified multiple times")
        props[name] = value
    return props


def _size(text: str, what: str) -> int:
    try:
        return nicestrtonum(text)
    except ValueError as error:
        raise CommandError(f"bad volume {what} '{text}': {error}") from None


def create(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs create [-p] [-o property=value] ... filesystem`, `zfs create [-ps] [-b size] [-o ...] ... -V size volume`."""
    options, rest = usage.options("create", words, "V:b:so:p")
    given = dict(options)
    volume = "V" in given
    size = _size(given["V"], "size") if volume else 0
    block = _size(given["b"], "block size") if "b" in given else 8 << 10
    props = options_of(usage, "create", options)
    if not volume and {"b", "s"} & set(given):
        raise usage.fail("create", "'-s' and '-b' can only be used when creating a volume")
    usage.operands("create", rest, (f"missing {VOLUME if volume else FILESYSTEM} argument",), 1)
    name, wrong = rest[0], f"cannot create '{rest[0]}'"
    trouble = dataset_name(name)
    if trouble:
        raise CommandError(f"{wrong}: {trouble}")
    pool = parent(system, name, wrong, "p" in given)
    if zfs_props.find(system, name):
        if "p" in given:
            return Output()
        raise CommandError(f"{wrong}: dataset already exists")
    kind = VOLUME if volume else FILESYSTEM
    encoded = zfs_props.validate(props, wrong, kind, True, pool, zpl_version(pool.version))
    if volume:
        block = encoded.pop("volblocksize", block)
        size = encoded.pop("volsize", size)
        _check_volume(size, block, wrong)
        if "s" not in given and encoded.get("refreservation", size) > _available(pool, name):
            raise CommandError(f"{wrong}: out of space")
    if "p" in given:
        make_ancestors(pool, name)
    try:
        if volume:
            pool.create_volume(name, size, block, "s" in given, **encoded)
        else:
            _limits(pool, name, wrong, encoded)
            pool.create(name, **encoded)
    except NoSpace:
        raise CommandError(f"{wrong}: out of space") from None
    system.log(pool, line)
    return Output()


def _available(pool: Spa, name: str) -> int:
    """What can be written where a dataset is to be, or in the nearest one above that is there."""
    while (name := name.rpartition("/")[0]) and name != pool.name:
        try:
            return pool.dp.find(name).available()
        except NoSuchName:
            continue
    return pool.dp.find(pool.name).available()


def _limits(pool: Spa, name: str, wrong: str, encoded: dict) -> None:
    """A reservation that there is no room for is refused before anything is made."""
    for key in ("reservation", "refreservation"):
        if encoded.get(key, 0) > _available(pool, name):
            raise CommandError(f"{wrong}: size is greater than available space")


def _check_volume(size: int, block: int, wrong: str) -> None:
    if not 512 <= block <= 128 << 10 or block & block - 1:
        raise CommandError(f"{wrong}: 'volblocksize' must be power of 2 from 512 to 128k")
    if not size:
        raise CommandError(f"{wrong}: volume size cannot be zero")
    if size % block:
        raise CommandError(f"{wrong}: volume size must be a multiple of volume block size")


def clone(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs clone [-p] [-o property=value] ... snapshot filesystem|volume`."""
    options, rest = usage.options("clone", words, "o:p")
    parents = any(letter == "p" for letter, _ in options)
    props = options_of(usage, "clone", options)
    usage.operands("clone", rest, ("missing source dataset argument", "missing target dataset argument"), 2)
    origin, name = rest
    source, snapshot = zfs_props.open_(system, origin, SNAPSHOT)
    wrong = f"cannot create '{name}'"
    if parents and zfs_props.find(system, name):
        return Output()
    trouble = dataset_name(name)
    if trouble:
        raise CommandError(f"{wrong}: {trouble}")
    pool = parent(system, name, wrong, parents)
    if pool is not source:
        raise CommandError(f"{wrong}: source and target pools differ")
    if zfs_props.find(system, name):
        raise CommandError(f"{wrong}: dataset already exists")
    kind = VOLUME if not zfs_props.zpl_version(snapshot) else FILESYSTEM
    encoded = zfs_props.validate(props, wrong, kind, True, pool, zfs_props.zpl_version(snapshot))
    if parents:
        make_ancestors(pool, name)
    pool.clone(origin, name, **encoded)
    system.log(pool, line)
    return Output()


def snapshot(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs snapshot [-r] filesystem@snapname|volume@snapname`."""
    options, rest = usage.options("snapshot", words, "ro:")
    usage.operands("snapshot", rest, ("missing snapshot argument",), 1)
    if any(letter == "o" for letter, _ in options):
        raise CommandError("zfs snapshot -o: snapshots have no properties of their own here; set them on the dataset")
    name, recursive = rest[0], bool(options)
    trouble = dataset_name(name, True)
    if trouble:
        raise CommandError(f"cannot snapshot '{name}': {trouble}")
    pool, _ = zfs_props.open_(system, name.partition("@")[0], FILESYSTEM, VOLUME)
    try:
        pool.snapshot(name, recursive)
    except (Exists, NameTooLong, NoSpace) as error:
        said = f"cannot create snapshot '{name}': out of space" if isinstance(error, NoSpace) else str(error)
        raise CommandError(said + ("\nno snapshots were created" if recursive else "")) from None
    system.log(pool, line)
    return Output()


def set_(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs set property=value filesystem|volume|snapshot ...`."""
    if words and words[0].startswith("-"):
        raise usage.fail("set", f"invalid option '{words[0][1:2]}'")
    usage.operands("set", words, ("missing property=value argument", "missing dataset name"))
    name, equals, text = words[0].partition("=")
    if not equals:
        raise usage.fail("set", "missing value in property=value argument")
    if not name:
        raise usage.fail("set", "missing property in property=value argument")
    said, done = [], []
    for target in words[1:]:
        try:
            done.append(_set(system, target, name, text))
        except CommandError as error:
            said.append(str(error))
    for pool in dict.fromkeys(done):
        system.log(pool, line)
    if said:
        raise CommandError("\n".join(said))
    return Output()


def _set(system: System, target: str, name: str, text: str) -> Spa:
    pool, dataset = zfs_props.open_(system, target)
    wrong, kind = f"cannot set property for '{target}'", zfs_props.type_of(dataset)
    if kind == SNAPSHOT:
        raise CommandError(f"{wrong}: this property can not be modified for snapshots")
    encoded = zfs_props.validate({name: text}, wrong, kind, False, pool, zfs_props.zpl_version(dataset))
    size = encoded.get("refreservation", 0)
    if kind == VOLUME and size and size > zfs_props.get(system, pool, dataset, zfs_table.BY_NAME["volsize"]).raw:
        raise CommandError(f"{wrong}: 'refreservation' is greater than current volume size")
    try:
        if encoded:
            pool.set(target, **encoded)
    except NoSpace as error:
        raise CommandError(str(error)) from None
    return pool


def inherit(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs inherit [-r] property filesystem|volume ...`."""
    options, rest = usage.options("inherit", words, "r")
    usage.operands("inherit", rest, ("missing property argument", "missing dataset argument"))
    name, *targets = rest
    one = zfs_table.BY_NAME.get(name)
    if one is not None and one not in zfs_table.HIDDEN:
        name = one.name
        if one.readonly:
            raise CommandError(f"{name} property is read-only")
        if one.attr != INHERIT:
            limit = name in ("quota", "reservation", "refquota", "refreservation")
            hint = f"\nuse 'zfs set {name}=none' to clear" if limit else ""
            raise CommandError(f"'{name}' property cannot be inherited{hint}")
    elif not user_property(name):
        raise usage.fail("inherit", f"invalid property '{name}'")
    said, pools = [], []
    for target in targets:
        try:
            pool, dataset = zfs_props.open_(system, target)
        except CommandError as error:
            said.append(str(error))
            continue
        if dataset.is_snapshot:
            said.append(f"cannot inherit {name} for '{target}': snapshots have no properties of their own here")
            continue
        for directory in pool._below(dataset.dir) if options else [dataset.dir]:
            pool.inherit(directory.name, name)
        pools.append(pool)
    for pool in dict.fromkeys(pools):
        system.log(pool, line)
    if said:
        raise CommandError("\n".join(said))
    return Output()

