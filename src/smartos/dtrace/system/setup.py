"""A compiler's environment with the whole system behind it: types, symbols, probes, the library, macro arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.ctf import Types
from smartos.dtrace.environment import Environment
from smartos.dtrace.options import Options
from smartos.dtrace.system import ktypes
from smartos.dtrace.system.library import Library
from smartos.dtrace.system.symbols import Symbols
from smartos.dtrace.system.table import Table

MACROS = {
    "pid": 4711, "ppid": 4705, "pgid": 4711, "sid": 4700, "uid": 0, "euid": 0, "gid": 0, "egid": 0, "projid": 1, "taskid": 8,
}  # fmt: skip
"""The consumer's own process, as `$pid` and the others have it."""


@dataclass
class Setting:
    """What a session compiles and runs programs with."""

    env: Environment
    probes: Table
    library: Library
    symbols: Symbols


def setting(
    args: Sequence[str] = (), options: Options | None = None, target: int | None = None, macros: Mapping[str, int] | None = None
) -> Setting:
    """Everything new: no program has been compiled. `args` are the macro arguments from $1 on, `target` is $target."""
    types = Types()
    ktypes.install(types)
    symbols = Symbols(types)
    table = Table()
    numbers = {**MACROS, **(macros or {})}
    if target is not None:
        numbers["target"] = target
    version: dict[str, Any] = {}
    if options is not None and "version" in options:
        version["version"] = _version(str(options["version"]))
    env = new_environment(types=types, probes=table, symbols=symbols.find, args=["dtrace", *args], macros=numbers, **version)
    if options is not None:
        options.settle(env)
    table.env = env
    library = Library(env)
    table.library = library
    return Setting(env, table, library, symbols)


def _version(text: str) -> tuple[int, int, int]:
    major, minor, micro = ([int(part or 0) for part in text.split(".")] + [0, 0])[:3]
    return major, minor, micro
