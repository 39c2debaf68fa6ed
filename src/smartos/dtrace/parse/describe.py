"""Probe descriptions as they are written: from the right, name, function, module, provider, as far as the colons go.

Follows `dtrace_xstr2desc` of libdtrace's `dt_subr.c`, and `dt_node_pdesc_by_name` and `dt_node_pdesc_by_id`.
"""

import re

from smartos.dtrace.environment import Environment
from smartos.dtrace.parse.lexer import Lexer
from smartos.dtrace.parse.macros import decimal
from smartos.dtrace.tree import ProbeDesc

PARTS = ("provider", "module", "function", "name")
_LENGTHS = {"provider": 64, "module": 64, "function": 128, "name": 64}
_VARIABLE = re.compile(r"\$\$?(?:([0-9]+)(.*)|(.+))", re.S)


class BadDescription(ValueError):
    """A description that is none, in libdtrace's words."""


def describe(text: str, env: Environment, spec: str = "", used: set[int] | None = None) -> ProbeDesc:
    """The description that a text is; `spec` is the part that it ends with. Raises BadDescription."""
    desc = ProbeDesc()
    parts = text.split(":")
    place = PARTS.index(spec or env.spec)
    for part in reversed(parts):
        if place < 0:
            raise BadDescription("Overspecified probe description")
        part = _expand(part, env, used)
        if len(part) >= _LENGTHS[PARTS[place]]:
            raise BadDescription("File name too long")
        setattr(desc, PARTS[place], part)
        place -= 1
    return desc


def _expand(part: str, env: Environment, used: set[int] | None) -> str:
    """Put a macro argument or variable in the place of its name."""
    at = part.find("$")
    if at < 0:
        return part
    found = _VARIABLE.fullmatch(part, at)
    index = decimal(found[1]) if found and found[1] else -1
    if found and found[1] and index < len(env.args):
        if used is not None:
            used.add(index)
        return part[:at] + env.args[index] + found[2]
    if found and found[3] in env.macros:
        return part[:at] + str(env.macros[found[3]])
    raise BadDescription("Undefined macro variable in probe description")


def by_name(lexer: Lexer, text: str) -> ProbeDesc:
    """A clause's description."""
    try:
        desc = describe(text, lexer.env, used=lexer.used)
    except BadDescription as wrong:
        raise lexer.error("D_PDESC_INVAL", f'invalid probe description "{text}": {wrong}') from None
    desc.line = lexer.line
    return desc


def by_id(lexer: Lexer, number: int) -> ProbeDesc:
    """A clause's description by a probe's number."""
    env = lexer.env
    if number > 0xFFFFFFFF:
        raise lexer.error("D_PDESC_INVAL", f"identifier {number} exceeds maximum probe id")
    if env.spec != "name":
        raise lexer.error("D_PDESC_INVAL", f"probe identifier {number} not permitted when specifying {env.spec}s")
    for probe in env.probes.matching(ProbeDesc(id=number)) if number else ():
        return ProbeDesc(probe.provider, probe.module, probe.function, probe.name, number, line=lexer.line)
    raise lexer.error("D_PDESC_INVAL", f"invalid probe identifier {number}: Unknown probe identifier")
