"""The table of probes: every probe of the system with its number, as the compiler and `dtrace -l` see it.

Probes come in groups, and each group's numbers begin at a fixed place, so that a number does not depend on what was
imported when. The models' own probes (:mod:`smartos.probes`) are found by importing the modules that declare them, and
only when a description could name one of them; the profile provider makes what is asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from smartos import probes as points
from smartos.dtrace import profile
from smartos.dtrace.environment import ProbeArg, ProbeInfo
from smartos.dtrace.errors import DError
from smartos.dtrace.match import matches, part_matches
from smartos.dtrace.system import arguments
from smartos.dtrace.system.library import for_provider
from smartos.dtrace.tree import ProbeDesc


def _system() -> None:
    """Import what declares the probes of the system itself."""
    from smartos import idle_node  # noqa: F401


def _zfs() -> None:
    """Import what declares ZFS's probes, and what of them the node passes through."""
    from smartos import idle_node  # noqa: F401
    from smartos.zfs.arc import zfs  # noqa: F401
    from smartos.zfs.live import bpobj, deadlist, dsl_destroy, dsl_snapshot, scan  # noqa: F401
    from smartos.zfs.spa import spa  # noqa: F401
    from smartos.zfs.stream import receive, send  # noqa: F401
    from smartos.zfs.vdev import mirror, raidz_vdev  # noqa: F401


def _kvm() -> None:
    """Import what declares KVM's probes, and what of them the node passes through."""
    from smartos import idle_node  # noqa: F401
    from smartos.kvm import vm  # noqa: F401


GROUPS: tuple[tuple[str, int, tuple[str, ...], Callable[[], None]], ...] = (
    ("system", 1000, ("syscall", "proc", "sched", "sysinfo", "vminfo", "io", "ip", "tcp", "mib", "fbt", "sdt"), _system),
    ("zfs", 20000, ("io", "fbt", "sdt"), _zfs),
    ("kvm", 30000, ("sdt", "kvm", "fbt"), _kvm),
)
MODULES = {
    "system": ("", "genunix", "unix", "TS", "ip", "mac", "e1000g", "sd", "scsi", "sockfs", "specfs", "portfs"),
    "zfs": ("zfs", "genunix"), "kvm": ("kvm",),
}  # fmt: skip
ALIAS, ALIASES = "kvm", 35000
OTHERS, ON_DEMAND = 40000, 70001


class Row(ProbeInfo):
    """A probe of the table. `source` is the model's own probe, if a model fires it; `args` are worked out when asked for."""

    def __init__(self, table: "Table", id: int, names: tuple[str, str, str, str], source: points.Probe | None = None) -> None:
        self._table, self._args, self.source = table, _UNKNOWN, source
        super().__init__(id, *names)
        self._args = _UNKNOWN
        self.interval = 0

    @property
    def args(self) -> list[ProbeArg] | None:  # type: ignore[override]
        """The types of `args[]`."""
        if self._args is _UNKNOWN:
            self._args = self._table.arguments(self)
        return self._args

    @args.setter
    def args(self, value: list[ProbeArg] | None) -> None:
        self._args = value


_UNKNOWN: Any = object()


class Table:
    """All probes, for one environment (whose types the arguments have)."""

    def __init__(self, env: Any = None) -> None:
        self.env = env
        self.library: Any = None
        self.rows: dict[int, Row] = {}
        self._names: dict[tuple[str, str, str, str], Row] = {}
        self._loaded: set[str] = set()
        self._kvm: list[Row] = []
        self._seen = 0
        self._demanded = ON_DEMAND
        for number, name in enumerate(("BEGIN", "END", "ERROR"), 1):
            self._add(number, ("dtrace", "", "", name))
        for number, name in enumerate(profile.STANDARD, 4):
            self._add(number, ("profile", "", "", name)).interval = profile.interval(name)

    def _add(self, id: int, names: tuple[str, str, str, str], source: points.Probe | None = None) -> Row:
        row = Row(self, id, names, source)
        self.rows[id] = self._names[names] = row
        return row

    # ---- finding

    def matching(self, desc: ProbeDesc) -> Iterable[Row]:
        """The probes that a description names, in the order of their numbers."""
        if desc.id:
            row = self.by_id(desc.id)
            return [row] if row else []
        self._load(desc)
        self._provide(desc)
        if desc.provider == ALIAS:
            return [row for row in self._aliases() if matches(desc, row)]
        exact = (desc.provider, desc.module, desc.function, desc.name)
        if all(exact) and not any(set(part) & set("*?[\\") for part in exact):
            return [self._names[exact]] if exact in self._names else []
        return [self.rows[number] for number in sorted(self.rows) if matches(desc, self.rows[number])]

    def by_id(self, number: int) -> Row | None:
        """The probe of that number."""
        if number not in self.rows:
            for name, base, _, _ in GROUPS:
                if base <= number < base + 10000:
                    self._import(name)
        if ALIASES <= number < OTHERS:
            return next((row for row in self._aliases() if row.id == number), None)
        return self.rows.get(number)

    def all(self) -> Iterator[Row]:
        """Every probe there is."""
        for name, *_ in GROUPS:
            self._import(name)
        self._pick_up()
        for number in sorted(self.rows):
            yield self.rows[number]

    def _load(self, desc: ProbeDesc) -> None:
        """Import what declares probes that the description could name."""
        if desc.provider in ("dtrace", "profile"):
            return
        if not desc.provider and (desc.name in ("BEGIN", "END", "ERROR") or profile.interval(desc.name)):
            return
        for name, _, providers, _ in GROUPS:
            if any(part_matches(desc.provider, provider) for provider in providers) and any(
                part_matches(desc.module, module) for module in MODULES[name]
            ):
                self._import(name)
        self._pick_up()

    def _import(self, group: str) -> None:
        if group in self._loaded:
            return
        self._loaded.add(group)
        base, declare = next((base, declare) for name, base, _, declare in GROUPS if name == group)
        declare()
        names = {(p.provider, p.module, p.function, p.name): p for p in points.matching() if _group(p) == group}
        if group == "kvm":
            from smartos.dtrace.system import kvm

            for key, types in kvm.probes().items():
                if key not in names:
                    names[key] = points.declare(":".join(key), *types)
        for number, key in enumerate(sorted(names), base):
            if key not in self._names:
                self._add(number, key, names[key])

    def _pick_up(self) -> None:
        """Number the probes that others have declared since."""
        registered = points.matching()
        if len(registered) == self._seen:
            return
        self._seen = len(registered)
        for probe in registered:
            key = (probe.provider, probe.module, probe.function, probe.name)
            if key not in self._names and _group(probe) not in {name for name, *_ in GROUPS} - self._loaded:
                self._add(max(OTHERS, *(n + 1 for n in self.rows if OTHERS <= n < ON_DEMAND), OTHERS), key, probe)

    def _provide(self, desc: ProbeDesc) -> None:
        """Make the profile probe that a description asks for."""
        every = profile.interval(desc.name)
        key = ("profile", "", "", desc.name)
        if every and key not in self._names:
            self._add(self._demanded, key).interval = every
            self._demanded += 1

    def _aliases(self) -> list[Row]:
        """The probes of KVM under a provider of their own, `kvm:::`. No other description names them."""
        if not self._kvm:
            found = [row for row in self.rows.values() if row.provider == "sdt" and row.module == "kvm"]
            for number, row in enumerate(sorted(found, key=lambda row: row.id), ALIASES):
                self._kvm.append(Row(self, number, (ALIAS, row.module, row.function, row.name), row.source))
        return self._kvm

    # ---- arguments

    def arguments(self, row: Row) -> list[ProbeArg] | None:
        """The types of a probe's `args[]`; None where the provider does not say."""
        if row.provider in ("dtrace", "profile", "syscall"):
            return None
        stable = arguments.translated(row.provider, row.name)
        if stable is not None:
            if self.library is not None and "nolibs" not in self.env.options:
                self.library.load(for_provider(row.provider))
            return [
                ProbeArg(self.type(native), number, self.type(target) if target != native else None)
                for native, number, target in stable
            ]
        types = row.source.argtypes if row.source else ()
        return [ProbeArg(self.type(text), number) for number, text in enumerate(types)]

    def type(self, text: str) -> Any:
        """The type that a C name spells; one that nobody knows is a struct without members."""
        from smartos.dtrace.parse.parser import parse_type

        if self.env is None:
            raise ValueError("a table of probes without an environment knows no types")
        try:
            return parse_type(text, self.env)
        except DError:
            base = text.replace("*", "").strip()
            if base == text.strip() or not _opaque(base, self.env):
                return parse_type("uintptr_t", self.env)
            return parse_type(text, self.env)


def _opaque(base: str, env: Any) -> bool:
    """Define a name that no type has, as an incomplete struct. False if it is no name."""
    from smartos.dtrace.ctf import Struct, Typedef

    kind, _, tag = base.rpartition(" ")
    if kind in ("struct", "union") and tag.isidentifier():
        env.types.define(base, Struct(tag, union=kind == "union", complete=False), "genunix")
        return True
    if base.isidentifier():
        env.types.define(base, Typedef(base, Struct(base, complete=False)), "genunix")
        return True
    return False


def _group(probe: points.Probe) -> str:
    if probe.module == "kvm" or probe.provider == "kvm":
        return "kvm"
    if probe.module == "zfs" or (probe.provider == "io" and probe.function in ("bdev_strategy", "biodone")):
        return "zfs"
    if getattr(probe, "provider", "") in ("syscall", "proc", "sched", "sysinfo", "vminfo", "ip", "tcp", "mib", "io"):
        return "system"
    return "system" if probe.provider == "fbt" or probe.module in MODULES["system"] else "others"
