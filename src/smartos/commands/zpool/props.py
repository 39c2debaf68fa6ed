"""The properties of pools: `zpool list`, `get` and `set`.

Left out: upgrading by `set version`, repeating at an interval, deduplication (its ratio is always 1). Follows
`zpool_prop.c`, `zpool_get_prop` and `zpool_valid_proplist` of `libzfs_pool.c` of illumos as of 12 August 2011.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from smartos.commands.system import System
from smartos.commands.text import Usage, nicenum, table
from smartos.output import CommandError, Output
from smartos.zfs.errors import NoSuchName
from smartos.zfs.live.dsl_prop import nicestrtonum
from smartos.zfs.namecheck import MAX_STRING, size
from smartos.zfs.spa.spa import Spa

SWITCH = ("off", "on")
FAILMODES = ("wait", "continue", "panic")


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its column, whether its value is a number, a string or one of `words`, and what may be said of it.

    `default` is the stored number that counts as the default; None for one that is not stored.
    """

    name: str
    column: str
    kind: str
    values: str
    editable: bool = False
    words: tuple[str, ...] = ()
    default: int | None = None

    @property
    def width(self) -> int:
        return max(len(self.column), 5 if self.kind == "number" else 0, *(len(word) for word in self.words), 0)

    @property
    def right(self) -> bool:
        return self.kind != "string"


def _index(name: str, column: str, words: tuple[str, ...], default: int) -> Property:
    values = "on | off" if words is SWITCH else " | ".join(words)
    return Property(name, column, "index", values, True, words, default)


NAME = Property("name", "NAME", "string", "")
PROPERTIES = (
    Property("size", "SIZE", "number", "<size>"), Property("capacity", "CAP", "number", "<size>"),
    Property("altroot", "ALTROOT", "string", "<path>", True), Property("health", "HEALTH", "number", "<state>"),
    Property("guid", "GUID", "number", "<guid>"), Property("version", "VERSION", "number", "<version>", True),
    Property("bootfs", "BOOTFS", "string", "<filesystem>", True), _index("delegation", "DELEGATION", SWITCH, 1),
    _index("autoreplace", "REPLACE", SWITCH, 0), Property("cachefile", "CACHEFILE", "string", "<file> | none", True),
    _index("failmode", "FAILMODE", FAILMODES, 0), _index("listsnapshots", "LISTSNAPS", SWITCH, 0),
    _index("autoexpand", "EXPAND", SWITCH, 0),
    Property("dedupditto", "DEDUPDITTO", "number", "<threshold (min 100)>", True, (), 0),
    Property("dedupratio", "DEDUP", "number", "<1.00x or higher if deduped>"),
    Property("free", "FREE", "number", "<size>"), Property("allocated", "ALLOC", "number", "<size>"),
    _index("readonly", "RDONLY", SWITCH, 0),
)  # fmt: skip
ALIASES = {each.column.lower(): each.name for each in PROPERTIES} | {"listsnaps": "listsnapshots"}
BY_NAME = {each.name: each for each in (NAME, *PROPERTIES)}
LISTED = "name,size,allocated,free,capacity,dedupratio,health,altroot"


def lookup(word: str) -> Property | None:
    """A property by its name or its column's."""
    return BY_NAME.get(word) or BY_NAME.get(ALIASES.get(word, ""))


def choose(usage: Usage, subcommand: str, words: str) -> list[Property]:
    """The properties of a list with commas. Raises :class:`CommandError`."""
    if words == "all":
        return list(PROPERTIES)
    found = []
    for word in words.split(","):
        one = lookup(word)
        if one is None:
            raise usage.fail(subcommand, f"bad property list: invalid property '{word}'")
        found.append(one)
    return found


def add(props: dict[str, str], name: str, value: str, pool: bool) -> None:
    """`add_prop_list`: note a property of a command line. Raises :class:`CommandError`."""
    if pool:
        one = lookup(name)
        if one is None:
            raise CommandError(f"property '{name}' is not a valid pool property")
        name = one.name
    if name in props and not (name == "cachefile" and props[name] == "none"):
        raise CommandError(f"property '{name}' already specified")
    props[name] = value


def validate(
    system: System, pool: Spa | None, props: dict[str, str], wrong: str, creating: bool = False
) -> tuple[dict[str, int], dict[str, str]]:
    """`zpool_valid_proplist`: the values as they are stored, and those of the system (altroot, cachefile).

    Raises :class:`CommandError`.
    """
    stored: dict[str, int] = {}
    others: dict[str, str] = {}
    for name, value in props.items():
        one = lookup(name)
        if one is None:
            raise CommandError(f"{wrong}: invalid property '{name}'")
        if not one.editable:
            raise CommandError(f"{wrong}: '{name}' is readonly")
        if one.kind == "index":
            if value not in one.words:
                raise CommandError(f"{wrong}: '{name}' must be one of '{one.values}'")
            stored[name] = one.words.index(value)
            if name == "readonly":
                late = "property 'readonly' can only be set at import time"
                raise CommandError(f"{wrong}: {'pools are imported for writing here' if creating else late}")
        elif one.kind == "number":
            try:
                stored[name] = nicestrtonum(value)
            except ValueError as error:
                raise CommandError(f"{wrong}: {error}") from None
            if name == "version":
                _version(system, pool, stored[name], wrong)
            elif stored[name] and stored[name] < 100:
                raise CommandError(f"{wrong}: invalid argument for this pool operation")
        else:
            others[name] = _string(pool, name, value, wrong, creating)
    return stored, others


def _version(system: System, pool: Spa | None, wanted: int, wrong: str) -> None:
    if not (pool.version if pool else 1) <= wanted <= system.version:
        raise CommandError(f"{wrong}: property 'version' number {wanted} is invalid.")
    if pool is not None and wanted != pool.version:
        raise CommandError(f"{wrong}: a pool keeps its version here; make one at version {wanted} and send the datasets")


def _string(pool: Spa | None, name: str, value: str, wrong: str, creating: bool) -> str:
    if size(value) > MAX_STRING:
        raise CommandError(f"{wrong}: '{name}' is too long")
    if name == "bootfs":
        if creating:
            raise CommandError(f"{wrong}: property 'bootfs' cannot be set at creation or import time")
        try:
            if value:
                pool.dp.find(value)
        except NoSuchName:
            raise CommandError(f"{wrong}: '{value}' is an invalid name") from None
    elif name == "altroot":
        if not creating:
            raise CommandError(f"{wrong}: property 'altroot' can only be set during pool creation or import")
        if not value.startswith("/"):
            raise CommandError(f"{wrong}: bad alternate root '{value}'")
    elif value not in ("", "none"):
        _cachefile(value, wrong)
    return value


def _cachefile(value: str, wrong: str) -> None:
    if not value.startswith("/"):
        raise CommandError(f"{wrong}: property 'cachefile' must be empty, an absolute path, or 'none'")
    folder, _, name = value.rpartition("/")
    if name in ("", ".", ".."):
        raise CommandError(f"{wrong}: '{value}' is not a valid file")
    if folder and not Path(folder).is_dir():
        raise CommandError(f"{wrong}: '{folder}' is not a valid directory")


def remember(system: System, name: str, others: dict[str, str]) -> None:
    """Keep what is not the pool's own: where it is rooted, which cache file it is in."""
    if "altroot" in others:
        system.altroots[name] = others["altroot"].rstrip("/") or "/"
    if "cachefile" in others:
        system.uncached.pop(name, None)
        if others["cachefile"]:
            system.uncached[name] = others["cachefile"]


def value(system: System, name: str, one: Property, literal: bool = False) -> tuple[str, str]:
    """`zpool_get_prop`: a property's value and where it comes from."""
    pool = system.pools.get(name)
    if pool is None:
        text = {"name": name, "health": "FAULTED", "guid": str(system.faulted[name].guid)}.get(one.name, "-")
        return text, "-"
    size = pool.metaslabs.space
    alloc = pool.metaslabs.allocated - pool.metaslabs.deferred
    source = "default" if pool.version == system.version else "local"
    numbers = {"size": size, "allocated": alloc, "free": size - alloc}
    if one.name in numbers:
        return str(numbers[one.name]) if literal else nicenum(numbers[one.name]), "-"
    if one.name in ("guid", "version"):
        return str(getattr(pool, one.name)), source
    if one.name == "capacity":
        return f"{alloc * 100 // size if size else 0}{'' if literal else '%'}", "-"
    if one.name in ("dedupratio", "health", "name", "readonly"):
        fixed = {"dedupratio": "100" if literal else "1.00x", "health": pool.health(), "name": name, "readonly": "off"}
        return fixed[one.name], "-"
    if one.name in ("altroot", "cachefile"):
        text = (system.altroots if one.name == "altroot" else system.uncached).get(name, "")
        return (text, "local") if text else ("-", "default")
    held = pool.pool_properties().get(one.name)
    if one.name == "bootfs":
        return (pool.dp.dataset(held).name, "local") if held else ("-", "default")
    stored = one.default if held is None else held
    text = one.words[stored] if one.words else str(stored)
    return text, "default" if stored == one.default else "local"


def _widths(system: System, names: Iterable[str], chosen: Sequence[Property]) -> list[int]:
    names = list(names)
    return [
        max([one.width, *(len(value(system, name, one)[0]) for name in names)]) if one.kind == "string" else one.width
        for one in chosen
    ]


def list_(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool list [-Hp] [-o property[,...]] [pool] ...`."""
    options, names = usage.options("list", words, "Hpo:")
    flags = {letter: text for letter, text in options}
    chosen = choose(usage, "list", flags.get("o", LISTED))
    found, said = system.named(names)
    rows = [[value(system, name, one, "p" in flags)[0] for one in chosen] for name in found]
    out = ""
    if rows:
        head = [] if "H" in flags else [[one.column for one in chosen]]
        out = table([*head, *rows], _widths(system, found, chosen), [one.right for one in chosen], "H" in flags)
    elif not names:
        out = "no pools available\n"
    if said:
        raise CommandError("\n".join(said), 1, out)
    return Output(out)


def get(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool get [-p] <all | property[,...]> pool ...`."""
    options, rest = usage.options("get", words, "p")
    if len(rest) < 2:
        raise usage.fail("get")
    chosen = choose(usage, "get", rest[0])
    found, said = system.named(rest[1:])
    rows = [[name, one.name, *value(system, name, one, bool(options))] for name in found for one in chosen]
    widths = [
        max([4, *(len(name) for name in found)]), max(8, *(len(one.name) for one in chosen)),
        max(5, *_widths(system, found, chosen)), 6,
    ]  # fmt: skip
    out = table([["NAME", "PROPERTY", "VALUE", "SOURCE"], *rows], widths, [False] * 4) if rows else ""
    if said:
        raise CommandError("\n".join(said), 1, out)
    return Output(out)


def set_(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool set property=value pool`."""
    if words and words[0].startswith("-"):
        raise usage.fail("set", f"invalid option '{words[0][1:2]}'")
    for count, what in ((1, "missing property=value argument"), (2, "missing pool name")):
        if len(words) < count:
            raise usage.fail("set", what)
    if len(words) > 2:
        raise usage.fail("set", "too many pool names")
    name, equals, text = words[0].partition("=")
    if not equals:
        raise usage.fail("set", "missing value in property=value argument")
    pool = system.pool(words[1])
    stored, others = validate(system, pool, {name: text}, f"cannot set property for '{pool.name}'")
    if "bootfs" in others:
        stored["bootfs"] = pool.dp.find(text).number if text else 0
    stored.pop("version", None)
    remember(system, pool.name, others)
    if stored:
        pool.set_pool(**stored)
    system.log(pool, line)
    return Output()
