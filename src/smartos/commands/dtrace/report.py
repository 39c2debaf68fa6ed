"""What dtrace(1M) prints of probes and programs: the list of `-l`, the stability reports of `-v`, changed sizes."""

from collections.abc import Iterator, Mapping

from smartos.dtrace.check.attributes import NONE, of_provider
from smartos.dtrace.check.context import representative, stability
from smartos.dtrace.code.compile import stabilities
from smartos.dtrace.ctf import spelling
from smartos.dtrace.environment import Environment, ProbeInfo
from smartos.dtrace.ident import CLASSES, LEVELS, Stability
from smartos.dtrace.match import is_glob
from smartos.dtrace.options import Options
from smartos.dtrace.program import EcbDesc, Program
from smartos.dtrace.tree import ProbeDesc

_UNITS = " kmgtpe"
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
        probe, _ = representative(ecb.probe, env)
        if probe is not None:
            text += probe_info(ecb.probe, probe)
    return text


def changed(options: Options, before: Mapping[str, object]) -> str:
    """Say which buffers came out smaller, and which rates other, than they were asked for."""
    text = ""
    for what, name in (("buffer", "bufsize"), ("aggregation", "aggsize"), ("speculation", "specsize"),
                       ("dynamic variable", "dynvarsize")):  # fmt: skip
        size, asked = options.number(name), before.get(name)
        if isinstance(asked, int) and size and size < asked - 8:
            text += f"dtrace: {what} size lowered to {_size(size)}\n"
    for what, name in (("cleaning", "cleanrate"), ("status", "statusrate")):
        rate, asked = options.number(name), before.get(name)
        if isinstance(asked, int) and rate and rate != asked:
            text += f"dtrace: {what} rate {'reduced' if rate > asked else 'increased'} to {_rate(rate)}\n"
    return text


def _size(size: int) -> str:
    power, unit = 10, 0
    while 1 << power <= size:
        power, unit = power + 10, unit + 1
    if size & (1 << power - 10) - 1:
        return f"{size} bytes"
    return f"{size >> power - 10}{_UNITS[unit]}"


def _rate(rate: int) -> str:
    if rate <= 10**9 and 10**9 % rate == 0:
        return f"{10**9 // rate} hz"
    if rate % 10**9 == 0:
        return f"once every {rate // 10**9} seconds"
    return f"once every {rate} nanoseconds"
