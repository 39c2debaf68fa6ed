"""`zfs list` and `zfs get`: datasets and their properties in columns.

Left out: the RECEIVED column's values. Follows `zfs_main.c` (`zfs_do_list`, `zfs_do_get`), `zfs_iter.c` and
`zprop_print_one_property` of `libzfs_util.c` of illumos as of 12 August 2011.
"""

import functools
from collections.abc import Callable, Sequence

from smartos.commands.system import System
from smartos.commands.text import Usage, table
from smartos.commands.zfs import props as zfs_props
from smartos.commands.zfs import table as zfs_table
from smartos.commands.zfs.table import FILESYSTEM, SNAPSHOT, VOLUME, Property
from smartos.output import CommandError, Output
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.namecheck import user_property
from smartos.zfs.spa.spa import Spa

Found = tuple[Spa, LiveDataset]
EVERY = frozenset((FILESYSTEM, VOLUME, SNAPSHOT))
COLUMNS = ("name", "property", "value", "received", "source")
SOURCES = ("local", "default", "inherited", "received", "temporary", "none")


def _walk(pool: Spa, head: LiveDataset, types: frozenset[str], snaps: bool, depth: int | None) -> list[Found]:
    found = []
    kind = zfs_props.type_of(head)
    if kind in types or kind == SNAPSHOT:
        found.append((pool, head))
    if kind != SNAPSHOT and (depth is None or depth > 0):
        below = None if depth is None else depth - 1
        for name, child in head.dir.children().items():
            if not name.startswith("$"):
                found += _walk(pool, pool.dp.dataset(child.phys.head_dataset_obj), types, snaps, below)
        if snaps:
            found += [(pool, snap) for snap in head.snapshots().values()]
    return found


def gather(
    system: System, names: Sequence[str], types: frozenset[str], snaps: Callable[[Spa], bool], recurse: bool,
    depth: int | None,
) -> tuple[list[Found], list[str]]:  # fmt: skip
    """`zfs_for_each`: the datasets that are meant (all without a name), and what is said of names that there are not."""
    found: list[Found] = []
    said: list[str] = []
    if not names:
        recurse, names = True, list(system.names())
    allowed = set(types) | ({FILESYSTEM} | ({VOLUME} if SNAPSHOT in types else set()) if recurse else set())
    for name in names:
        try:
            pool, head = zfs_props.open_(system, name, *allowed)
        except CommandError as error:
            said.append(str(error))
            continue
        found += _walk(pool, head, types, snaps(pool), depth if recurse else 0)
    unique = {dataset.name: (pool, dataset) for pool, dataset in found}
    return list(unique.values()), said


def _by_name(pair: Found) -> tuple:
    path, _, snap = pair[1].name.partition("@")
    return path, bool(snap), pair[1].phys.creation_txg if snap else 0


def _sorted(system: System, found: list[Found], columns: Sequence[tuple[Property, bool]]) -> list[Found]:
    """`zfs_sort`: by columns, those without a value last; then by name, snapshots by age behind their datasets."""

    def key(pair: Found, one: Property) -> int | str | None:
        value = zfs_props.get(system, *pair, one, True)
        return None if value is None else value.raw if one.kind == "number" else value.text

    def compare(left: Found, right: Found) -> int:
        for one, reverse in columns:
            a, b = key(left, one), key(right, one)
            if a == b:
                continue
            if a is None or b is None:
                return 1 if a is None else -1
            return -1 if (a < b) != reverse else 1
        return -1 if _by_name(left) < _by_name(right) else 1

    return sorted(found, key=functools.cmp_to_key(compare))


def choose(usage: Usage, subcommand: str, words: str) -> list[Property]:
    """The properties of a list with commas. Raises :class:`CommandError`."""
    if words == "all":
        return list(zfs_table.TABLE)
    found = []
    for word in (zfs_table.SPACE if words == "space" else words).split(","):
        one = zfs_table.BY_NAME.get(word) or (zfs_table.own(word) if user_property(word) else None)
        if one is None:
            raise usage.fail(subcommand, f"bad property list: invalid property '{word}'")
        found.append(one)
    return found


def _depth(usage: Usage, subcommand: str, text: str) -> int:
    if not text.isdigit():
        raise usage.fail(subcommand, f"{text} is not an integer")
    return int(text)


def _width(system: System, found: Sequence[Found], one: Property) -> int:
    if one.fixed:
        return one.width
    values = [zfs_props.get(system, *pair, one) for pair in found]
    return max([one.width, *(len(value.text) for value in values if value is not None)])


def list_(system: System, usage: Usage, words: Sequence[str]) -> Output:
    """`zfs list [-rHp] [-d max] [-o property,...] [-t type,...] [-s property] ... [-S property] ... [dataset] ...`."""
    options, names = usage.options("list", words, "pd:o:rt:Hs:S:")
    given = dict(options)
    fields = given.get("o", "name,used,available,referenced,mountpoint")
    types, snaps = EVERY, lambda pool: bool(pool.pool_properties().get("listsnapshots"))
    order = []
    for letter, text in options:
        if letter in "sS":
            one = zfs_table.BY_NAME.get(text) or (zfs_table.own(text) if user_property(text) else None)
            if one is None:
                raise usage.fail("list", f"invalid property '{text}'")
            order.append((one, letter == "S"))
    if "t" in given:
        chosen = given["t"].split(",")
        for word in chosen:
            if word not in (*EVERY, "all"):
                raise usage.fail("list", f"invalid type '{word}'")
        types = EVERY if "all" in chosen else frozenset(chosen)
        snaps = lambda pool: SNAPSHOT in types  # noqa: E731 - the counterpart of the one above
    elif fields == "space":
        types = EVERY - {SNAPSHOT}
    props = ([zfs_table.NAME] if fields == "all" else []) + choose(usage, "list", fields)
    depth = _depth(usage, "list", given["d"]) if "d" in given else None
    found, said = gather(system, names, types, snaps, "r" in given or "d" in given, depth)
    found = _sorted(system, found, order)
    rows = [[_cell(system, pair, one, "p" in given) for one in props] for pair in found]
    head = [] if "H" in given else [[one.column for one in props]]
    widths = [_width(system, found, one) for one in props]
    out = table([*head, *rows], widths, [one.right for one in props], "H" in given) if rows else ""
    if said:
        raise CommandError("\n".join(said), 1, out)
    return Output(out or ("" if "H" in given else "no datasets available\n"))


def _cell(system: System, pair: Found, one: Property, literal: bool) -> str:
    value = zfs_props.get(system, *pair, one, literal)
    return "-" if value is None else value.text


def _kinds(usage: Usage, text: str, known: Sequence[str], what: str) -> list[str]:
    words = text.split(",")
    for word in words:
        if word not in known:
            raise usage.fail("get", f"invalid {what} '{word}'")
    return words


def get(system: System, usage: Usage, words: Sequence[str]) -> Output:
    """`zfs get [-rHp] [-d max] [-o all | field,...] [-s source,...] <all | property,...> [dataset] ...`."""
    options, rest = usage.options("get", words, "d:o:s:rHp")
    given = dict(options)
    columns = _kinds(usage, given.get("o", "name,property,value,source"), (*COLUMNS, "all"), "column name")
    columns = list(COLUMNS) if columns == ["all"] else columns
    if "all" in columns:
        raise usage.fail("get", '"all" conflicts with specific fields given to -o option')
    sources = _kinds(usage, given.get("s", ",".join(SOURCES)), SOURCES, "source")
    if not rest:
        raise usage.fail("get", "missing property argument")
    props = choose(usage, "get", rest[0])
    depth = _depth(usage, "get", given["d"]) if "d" in given else None
    found, said = gather(system, rest[1:], EVERY, lambda pool: True, "r" in given or "d" in given, depth)
    found = _sorted(system, found, ())
    if rest[0] == "all":
        names = sorted({name for pair in found for name in zfs_props.own_names(*pair)})
        props += [zfs_table.own(name) for name in names]
    rows = []
    for pair in found:
        for one in props:
            row = _row(system, pair, one, "p" in given, rest[0] == "all")
            if row is not None and _kind(row["source"]) in sources:
                rows.append([row[column] for column in columns])
    name_width = max([4, *(len(dataset.name) for _, dataset in found)])
    wide = {
        "name": name_width, "property": max(8, *(len(one.name) for one in props)),
        "value": max(5, *(_width(system, found, one) for one in props)), "received": 8,
        "source": max(6, name_width + len("inherited from")),
    }  # fmt: skip
    head = [] if "H" in given else [[column.upper() for column in columns]]
    widths = [wide[column] for column in columns]
    out = table([*head, *rows], widths, [False] * len(columns), "H" in given) if rows else ""
    if said:
        raise CommandError("\n".join(said), 1, out)
    return Output(out)


def _kind(source: str) -> str:
    return "inherited" if source.startswith("inherited") else {"-": "none"}.get(source, source)


def _row(system: System, pair: Found, one: Property, literal: bool, every: bool) -> dict[str, str] | None:
    value = zfs_props.get(system, *pair, one, literal)
    if value is None:
        if every:
            return None
        value = zfs_props.Value("-")
    return {
        "name": pair[1].name, "property": one.name, "value": value.text, "received": "-", "source": value.origin()
    }  # fmt: skip
