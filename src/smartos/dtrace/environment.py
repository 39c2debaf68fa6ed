"""What a compilation knows: types, identifiers, probes, options, macro arguments. One per session (libdtrace's handle)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from smartos.dtrace.ctf import CType, Types
from smartos.dtrace.ident import Ident, Kind, Stability
from smartos.dtrace.tree import ProbeDesc

_NUMBERED = (Kind.ARRAY, Kind.SCALAR, Kind.AGG)


@dataclass(eq=False)
class ProbeArg:
    """One of a probe's `args[]`: its native type, which native argument it is, and the type that it is translated to."""

    native: CType
    mapping: int
    translated: CType | None = None


@dataclass(eq=False)
class ProbeInfo:
    """A probe as the compiler and `dtrace -l` see it. `args` is None where the provider does not say."""

    id: int
    provider: str
    module: str
    function: str
    name: str
    args: list[ProbeArg] | None = None
    attrs: tuple[Stability, ...] | None = None  # of provider, module, function, name and arguments; None: see attributes

    def __str__(self) -> str:
        return f"{self.provider}:{self.module}:{self.function}:{self.name}"


class Probes(Protocol):
    """Where the compiler looks probes up; the kernel's table is one."""

    def matching(self, desc: ProbeDesc) -> Iterable[ProbeInfo]:
        """The probes that a description names, in the order of their numbers."""
        ...


class NoProbes:
    """A system without probes but BEGIN, END and ERROR, for compiling alone."""

    def __init__(self) -> None:
        self.all = [ProbeInfo(n, "dtrace", "", "", name) for n, name in enumerate(("BEGIN", "END", "ERROR"), 1)]

    def matching(self, desc: ProbeDesc) -> Iterable[ProbeInfo]:
        """Those of the three that the description names."""
        from smartos.dtrace.match import matches

        return [probe for probe in self.all if matches(desc, probe)]


@dataclass(eq=False)
class Environment:
    """The compiler's state. Programs compiled in one environment share identifiers, as the scripts of one dtrace(1M) do.

    `args` are the macro arguments ($0 first), `defaultargs` lets missing ones be 0 or "". `spec` says which part a bare
    probe description names ("provider", "module", "function" or "name"). `symbols` finds a kernel symbol by module
    (or "") and name.
    """

    types: Types = field(default_factory=Types)
    globals: dict[str, Ident] = field(default_factory=dict)
    threads: dict[str, Ident] = field(default_factory=dict)
    aggregations: dict[str, Ident] = field(default_factory=dict)
    locals: dict[str, Ident] = field(default_factory=dict)  # of the clause at hand
    xlators: list[Any] = field(default_factory=list)
    probes: Probes = field(default_factory=NoProbes)
    symbols: Callable[[str, str], Ident | None] = lambda module, name: None
    args: list[str] = field(default_factory=lambda: ["dtrace"])
    macros: dict[str, int] = field(default_factory=dict)  # pid ppid uid gid euid egid pgid sid projid taskid target
    spec: str = "name"
    defaultargs: bool = False
    argref: bool = True  # do not complain of arguments that are never used
    zdefs: bool = False  # -Z: a description may match nothing
    empty: bool = False  # a program may be empty
    amin: Stability = Stability(0, 0, 0)  # -x amin: the least stability allowed
    version: tuple[int, int, int] = (1, 14, 0)
    options: dict[str, Any] = field(default_factory=dict)  # compile- and run-time options by name, as set
    probe: ProbeInfo | None = None  # while a clause is cooked: the first probe of its description
    desc: ProbeDesc | None = None  # and the description
    depends: list[tuple[str, str]] = field(default_factory=list)  # #pragma D depends_on, seen so far
    script: bool = False  # the text is a file's: a description must have a predicate or actions after it
    file: str = ""  # the library file at hand, for messages
    declared: dict[tuple[str, str], Ident] = field(default_factory=dict)  # `extern` variables, by scope (D or C) and name
    gen: int = 1  # number of the compilation at hand; see cook.compilation
    scopes: list[dict[str, Ident]] = field(default_factory=list)  # parameters that hide globals, innermost last
    providers: dict[str, Any] = field(default_factory=dict)  # declared in D: cook_decl.Provider by name
    externs: list[Ident] = field(default_factory=list)  # kernel symbols that were used
    has_sugar: bool = False  # the clause for errors under `if` is made
    depth: int = 0  # of the node that is being checked, under others
    line: int = 0  # of the node that is being checked, for errors
    region: str = ""  # "action list" or "predicate", likewise

    def lookup(self, name: str) -> Ident | None:
        """The identifier of that name: a parameter of the inline or translator at hand, else a global."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return self.globals.get(name)

    def next_id(self, table: dict[str, Ident]) -> int:
        """The next free number for a variable (or an aggregation) of one of the four tables."""
        least = 1 if table is self.aggregations else 0x500
        numbers = (ident.id for ident in reversed(table.values()) if ident.kind in _NUMBERED)  # those of the program go up
        return next((number + 1 for number in numbers if number >= least), least)

    @property
    def strsize(self) -> int:
        """Bytes of a string, its NUL included."""
        return int(self.options.get("strsize", 256))
