"""Types by their names in a program: scopes by backquote (`` genunix`kthread_t ``), and which scope is asked.

Follows `dt_type_lookup` of libdtrace's `dt_parser.c` and `dtrace_lookup_by_type` of `dt_module.c`. Left out: types of
user processes.
"""

import re

from smartos.dtrace.ctf import CType
from smartos.dtrace.environment import Environment

_SCOPED = re.compile(r"(.*?)([^\s`]+)`(.*)", re.S)


def find_type(env: Environment, name: str, depth: int = 0) -> tuple[CType, str] | None:
    """The type of that name and the scope that has it. `depth` is that of included files, which see only C's types."""
    if "`" in name:
        found = _SCOPED.match(name)
        if not found or found[3].count("`") > 2:
            return None
        before, module, after = found.groups()
        return env.types.find(before + after, module) if module in env.types.scopes else None
    return env.types.find(name, "C" if depth else "")


def why_not(env: Environment, name: str) -> str:
    """What libdtrace says of a name for which :func:`find_type` finds nothing."""
    if "`" in name:
        found = _SCOPED.match(name)
        if not found or found[3].count("`") > 2:
            return "Improper use of scoping operator in type name"
        if found[2] not in env.types.scopes:
            return "Unknown module name"
    return "Unknown type name"
