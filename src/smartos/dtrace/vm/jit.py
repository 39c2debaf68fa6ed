"""DIF compiled to Python: one function for all that a probe's clauses do, so that tracing costs little more than a callback.

:func:`function` makes a Python function of one DIF object; :mod:`~smartos.dtrace.kernel.compiled` makes one of all clauses of
a probe, which is what listens to a model's probe.

Follows nothing: the real system interprets.
"""

from typing import TYPE_CHECKING, Any

from smartos.dtrace.dif import BYUREF, STR, Difo
from smartos.dtrace.vm.jit_difo import Translator, Uncovered, Unit
from smartos.dtrace.vm.jit_runtime import namespace
from smartos.dtrace.vm.jit_values import Reference, Text, Value
from smartos.dtrace.vm.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable


def fetched(translator: Translator, value: Value, size: int | None, depth: int) -> str:
    """The expression of what :meth:`Machine.fetch` makes of a returned value, after the lines that it needs."""
    kind, unit = translator.difo.type, translator.unit
    if not kind.by_ref:
        number = translator.number(value, depth)
        width = kind.size if size is None else size
        if width >= 8 or number.high < 1 << 8 * width:
            return number.text
        return f"{number.text} & {(1 << 8 * width) - 1}"
    width = unit.machine.variables.size(kind) if size is None else size
    if kind.flags & BYUREF:
        raise Uncovered("a value in the process")
    if kind.kind != STR:
        unit.emit(depth, "pc = -1")
        return f"read({translator.number(value, depth).text}, {width})"
    if isinstance(value, Text) and value.known is not None:
        return repr(value.known[:width])
    if isinstance(value, Text):
        return f"cut[{value.text}]" if width == translator.strsize else f"full[{value.text}][:{width}]"
    if isinstance(value, Reference):
        unit.emit(depth, "pc = -1")
        known = f"{value.text} and {value.text}.text or " if value.live and width == translator.strsize else ""
        return f"{known}region_text({value.text}, {value.skip}, {width})"
    unit.emit(depth, "pc = -1")
    return f"string({value.text}, {width})"


def define(name: str, lines: list[str], names: dict[str, Any]) -> Any:
    """Make the function that the lines define. Its source stays with it, as `source`."""
    text = "\n".join(lines) + "\n"
    exec(compile(text, f"<{name}>", "exec"), names)
    names[name].source = text
    return names[name]


def function(
    machine: Machine, difo: Difo, probe: Any, nargs: int | None = None, register: bool = False
) -> "Callable[..., Any]":
    """A function `(args, context, frame) -> value` that does what `machine.value(difo, frame)` does.

    With `register`, what `machine.run(difo, frame)` does. It raises the same faults.

    Raises Uncovered if the object has something that is not translated.
    """
    unit = Unit(machine, probe, nargs=nargs)
    lines = ["def value(args, context, frame):", " get = context.get", " pc = -1", " try:"]

    def leaf(depth: int, value: Value) -> None:
        result = translator.number(value, depth).text if register else fetched(translator, value, None, depth)
        unit.emit(depth, f"return {result}")

    translator = Translator(unit, difo, leaf)
    translator.run(2)
    lines += [*unit.lines, " except Fault as fault:", "  if fault.offset < 0: fault.offset = pc", "  raise"]
    return define("value", lines, namespace(machine) | unit.constants)
