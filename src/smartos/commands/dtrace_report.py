"""What dtrace(1M) prints of probes and programs: the list of `-l`, the stability reports of `-v`."""

from collections.abc import Iterator
from typing import Any

from smartos.dtrace.context import stability
from smartos.dtrace.ctf import spelling
from smartos.dtrace.attributes import NONE, of_provider
from smartos.dtrace.compile import stabilities
from smartos.dtrace.environment import Environment, ProbeInfo
from smartos.dtrace.ident import CLASSES, LEVELS, Stability
from smartos.dtrace.match import is_glob
from smartos.dtrace.program import EcbDesc, Program
from smartos.dtrace.tree import ProbeDesc

HEADING = f"{'ID':>5} {'PROVIDER':>10} {'MODULE':>17} {'FUNCTION':>33} NAME\n"


def row(probe: ProbeInfo) -> str:
    """A probe's line in the list."""
    return f"{probe.id:>5} {probe.provider:>10} {probe.module:>17} {probe.function:>33} {probe.name}\n"


def _levels(attr: Stability) -> str:
    return (
        f"\t\tIdentifier Names: {LEVELS[attr.name]}\n\t\tData Semantics:   {LEVELS[attr.data]}\n"
        f"\t\tDependency Class: {CLASSES[attr.depend]}\n"
    )


def probe_info(desc: ProbeDesc, probe: ProbeInfo) -> str:
    """Attributes and argument types of the probe that a description names."""
    named = desc.id or (desc.provider and not is_glob(desc.provider))
    attrs = (probe.attrs or of_provider(probe.provider)) if named else NONE
    types = [f"\t\targs[{n}]: {spelling(arg.translated or arg.native)}\n" for n, arg in enumerate(probe.args or ())]
    return (
        "\n\tProbe Description Attributes\n" + _levels(stability(desc, probe)) + "\n\tArgument Attributes\n" + _levels(attrs[4])
        + "\n\tArgument Types\n" + ("".join(types) or "\t\tNone\n") + "\n"
    )  # fmt: skip


def full(probe: ProbeInfo) -> ProbeDesc:
    """The description that names a probe by all its parts."""
    return ProbeDesc(probe.provider, probe.module, probe.function, probe.name)


def clauses(program: Program) -> Iterator[EcbDesc]:
    """A program's clauses as the tool walks over them: by its statements, so that one without any is not there."""
    for ecb in program.ecbs:
        if ecb.statements:
            yield ecb


def program_info(what: str, name: str, program: Program, env: Environment, compiled_only: bool) -> str:
    """The stability report of a program; with `-e` also of each of its descriptions."""
    descs, statements = stabilities(program)
    text = (
        f"\nStability attributes for {what} {name}:\n\n\tMinimum Probe Description Attributes\n" + _levels(descs)
        + "\n\tMinimum Statement Attributes\n" + _levels(statements)
    )  # fmt: skip
    if not compiled_only:
        return text + "\n"
    for ecb in clauses(program):
        text += f"\n{ecb.probe}\n"
        probe: Any = _stands_for(ecb.probe, env)
        if probe is not None:
            text += probe_info(ecb.probe, probe)
    return text


def _stands_for(desc: ProbeDesc, env: Environment) -> ProbeInfo | None:
    from smartos.dtrace.context import representative

    return representative(desc, env)[0]
