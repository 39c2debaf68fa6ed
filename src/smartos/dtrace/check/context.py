"""The probe that a clause is checked for: which one stands for its description, and how stable that is.

`args[]` has types only if the description names one probe, or several that their provider promises to be alike.
Follows `dt_setcontext` of libdtrace's `dt_cc.c` and `dt_probe_info` of `dt_provider.c`. Left out: making probes in
processes (`pid123:::`) as they are asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from smartos.dtrace.check import attributes
from smartos.dtrace.environment import Environment, ProbeInfo
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Stability
from smartos.dtrace.match import is_glob, matches
from smartos.dtrace.tree import ProbeDesc

_VARYING = ("probeprov", "probemod", "probefunc", "probename", "args")
_EVOLVING = 5


def matching(desc: ProbeDesc, env: Environment) -> Iterator[ProbeInfo]:
    """The probes that a description names: those that only programs declared, then the system's."""
    for provider in env.providers.values():
        if not provider.shared:
            yield from (probe for probe in provider.probes.values() if matches(desc, probe))
    yield from env.probes.matching(desc)


def _attrs(probe: ProbeInfo) -> attributes.Provider:
    return probe.attrs or attributes.of_provider(probe.provider)  # type: ignore[return-value]


def _globs(desc: ProbeDesc) -> tuple[bool, bool, bool]:
    """Which of module, function and name are left open."""
    module, function, name = (not part or is_glob(part) for part in (desc.module, desc.function, desc.name))
    return module, function, name


def representative(desc: ProbeDesc, env: Environment) -> tuple[ProbeInfo | None, bool]:
    """The probe that stands for all that a description names, or None; and whether it names any at all."""
    probes = matching(desc, env)
    try:
        first = next(probes, None)
        more = first is not None and not desc.id and next(probes, None) is not None
    except DError as error:  # what the kernel refuses to match
        raise DError(error.tag or "D_PDESC_INVAL", error.message, desc.line, file=env.file) from None
    if first is None or not more:
        return first, first is not None
    attrs = _attrs(first)
    if attrs[4].data < _EVOLVING:
        return None, True
    open_ = any(glob and attr.name >= _EVOLVING for glob, attr in zip(_globs(desc), attrs[1:4], strict=True))
    return (None if open_ else first), True


def stability(desc: ProbeDesc, probe: ProbeInfo | None) -> Stability:
    """How stable a description is: the least of the parts that it gives."""
    if probe is None:
        return attributes.UNSTABLE
    named = bool(desc.provider) and not is_glob(desc.provider)
    attrs = _attrs(probe) if named or desc.id else attributes.NONE
    found = attrs[0]
    for glob, attr in zip(_globs(desc), attrs[1:4], strict=True):
        if not glob:
            found = attributes.least(found, attr)
    return found


def enter(desc: ProbeDesc, env: Environment) -> Stability:
    """Make a description the context of what is checked next; its stability.

    Raises D_PDESC_ZERO if it names no probe, unless the environment allows that.
    """
    env.line = desc.line
    probe, any_ = representative(desc, env)
    if not any_ and not env.zdefs:
        raise DError("D_PDESC_ZERO", f"probe description {desc.provider}:{desc.module}:{desc.function}:{desc.name} does not "
                                     "match any probes", desc.line, file=env.file)  # fmt: skip
    attrs = _attrs(probe) if probe else attributes.NONE
    for name, attr in zip(_VARYING, attrs, strict=True):
        if ident := env.globals.get(name):
            ident.attr = attr
    env.desc, env.probe = desc, probe
    return stability(desc, probe)


def leave(env: Environment) -> None:
    """Forget the context."""
    for name in _VARYING:
        if ident := env.globals.get(name):
            ident.attr = attributes.STABLE
    env.desc = env.probe = None


@contextmanager
def context(desc: ProbeDesc, env: Environment) -> Iterator[Stability]:
    """A description as the context while the block lasts."""
    try:
        yield enter(desc, env)
    finally:
        leave(env)
