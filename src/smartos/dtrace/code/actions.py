"""What a statement that calls an action becomes: trace, printf, printa, stack, exit, speculate, clear … and the rest.

Each function takes the clause's :class:`~smartos.dtrace.code.statements.Builder`, the checked call and the statement, and
raises DError with the real tag and words where the arguments will not do. Follows libdtrace's `dt_cc.c`.
"""

from collections.abc import Callable
from dataclasses import replace

from smartos.dtrace import dif
from smartos.dtrace.check.globals import ACTIONS
from smartos.dtrace.check.nodes import is_integer, is_pointer, is_posconst, is_scalar, is_void, resolved, type_name
from smartos.dtrace.code.actions_agg import clear, normalize, printa, truncate
from smartos.dtrace.code.actions_stack import stack_arguments, ustack_arguments
from smartos.dtrace.code.assemble import INTEGER, constant, zero
from smartos.dtrace.code.statements import Builder
from smartos.dtrace.consumer.printf import parse, validate
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Kind
from smartos.dtrace.program import Act, Lib, Statement
from smartos.dtrace.tree import Agg, Func, Int, String

RESTORE = "."  # freopen("") puts standard output back; the consumer is told with a name that no file can have


def _value_action(kind: Act) -> Callable[[Builder, Func, Statement], None]:
    """An action of one value: speculate(id), chill(ns), raise(signal) …"""

    def compile_it(builder: Builder, call: Func, statement: Statement) -> None:
        builder.action(statement, kind, builder.generate(call.args[0]))

    return compile_it


def _bare_action(kind: Act) -> Callable[[Builder, Func, Statement], None]:
    """An action without a value: stop(), panic(), breakpoint()."""

    def compile_it(builder: Builder, call: Func, statement: Statement) -> None:
        builder.action(statement, kind)

    return compile_it


def _address_action(kind: Act) -> Callable[[Builder, Func, Statement], None]:
    """sym(), mod(), usym(), umod() and uaddr(): an address that the consumer looks up."""

    def compile_it(builder: Builder, call: Func, statement: Statement) -> None:
        address(builder, call, statement, kind)

    return compile_it


def address(builder: Builder, call: Func, statement: Statement, kind: Act) -> None:
    """Add an action whose value is an address to be looked up, as a statement or as an aggregation's key."""
    difo = builder.generate(call.args[0])
    difo.type = replace(difo.type, size=8)
    builder.action(statement, kind, difo)


def trace(builder: Builder, call: Func, statement: Statement) -> None:
    """trace(value) and print(value); print()'s action knows the C type."""
    (value,) = call.args
    name = "trace" if _name(call) == "trace" else "print"
    tag = f"D_{name.upper()}_"
    if is_void(value):
        raise DError(tag + "VOID", f"{name}( ) may not be applied to a void expression", value.line)
    if resolved(value, Kind.XLPTR) is not None:
        raise DError(tag + "DYN", f"{name}( ) may not be applied to a translated pointer", value.line)
    if isinstance(value, Agg):
        hint = "" if name == "trace" else " -- did you mean printa()?"
        raise DError(tag + "AGG", f"{name}( ) may not be applied to an aggregation{hint}", value.line)
    action = builder.action(statement, Act.DIFEXPR, builder.generate(value))
    if name == "print":
        whole = resolved(value, Kind.XLSOU)
        action.type = whole.type if whole is not None else value.type


def tracemem(builder: Builder, call: Func, statement: Statement) -> None:
    """tracemem(address, size[, how many of them]): bytes of memory."""
    where, most, *rest = call.args
    if not is_integer(where) and not is_pointer(where):
        raise DError(
            "D_TRACEMEM_ADDR",
            "tracemem( ) argument #1 is incompatible with prototype:\n\tprototype: pointer or integer\n"
            f"\t argument: {type_name(where)}",
            where.line,
        )
    if not is_posconst(most):
        message = "tracemem( ) argument #2 must be a non-zero positive integral constant expression"
        raise DError("D_TRACEMEM_SIZE", message, most.line)
    assert isinstance(most, Int)
    if rest:
        size = rest[0]
        if len(rest) > 1:
            raise DError("D_TRACEMEM_ARGS", "tracemem ( ) prototype mismatch: expected at most 3 args", size.line)
        if not is_scalar(size):
            message = "tracemem ( ) dynamic size (argument #3) must be of scalar type"
            raise DError("D_TRACEMEM_DYNSIZE", message, size.line)
        wanted = builder.generate(size)
        wanted.type = INTEGER
        builder.action(statement, Act.TRACEMEM_DYNSIZE, wanted)
    difo = builder.generate(where)
    difo.type = replace(difo.type, flags=difo.type.flags | dif.BYREF, size=most.value)
    builder.action(statement, Act.TRACEMEM, difo)


def _print_action(kind: Act) -> Callable[[Builder, Func, Statement], None]:
    """printf(), system() and freopen(): a format and its arguments, an action each."""

    def compile_it(builder: Builder, call: Func, statement: Statement) -> None:
        name = _name(call)
        fmt, *values = call.args
        if not isinstance(fmt, String):
            raise DError(
                "D_PRINTF_ARG_FMT",
                f"{name}( ) argument #1 is incompatible with prototype:\n\tprototype: string constant\n"
                f"\t argument: {type_name(fmt)}",
                call.line,
            )
        builder.line = call.line
        text = fmt.value.decode("latin-1")
        if kind is Act.FREOPEN:
            if text == RESTORE:
                raise DError("D_FREOPEN_INVALID", f'{name}( ) argument #1 cannot be "{RESTORE}"', call.line)
            text = text or RESTORE
        statement.format = validate(parse(text, call.line), values, name, builder.env, line=call.line)
        if not values:
            builder.action(statement, kind, zero())
        for value in values:
            builder.action(statement, kind, builder.generate(value))
        statement.actions[0].format = statement.format

    return compile_it


def stack(builder: Builder, call: Func, statement: Statement) -> None:
    """stack([frames])."""
    builder.action(statement, Act.STACK, arg=stack_arguments(builder.env, call))


def ustack(builder: Builder, call: Func, statement: Statement) -> None:
    """ustack([frames[, bytes of strings]]) and jstack()."""
    kind = Act.JSTACK if _name(call) == "jstack" else Act.USTACK
    builder.action(statement, kind, arg=ustack_arguments(builder.env, call, kind))


def exit_(builder: Builder, call: Func, statement: Statement) -> None:
    """exit(status)."""
    difo = builder.generate(call.args[0])
    difo.type = replace(difo.type, size=4)
    builder.action(statement, Act.EXIT, difo)


def setopt(builder: Builder, call: Func, statement: Statement) -> None:
    """setopt(name[, value])."""
    name, *value = call.args
    builder.action(statement, Act.LIBACT, builder.generate(name), Lib.SETOPT)
    builder.action(statement, Act.LIBACT, builder.generate(value[0]) if value else constant(0), Lib.SETOPT)


def ftruncate(builder: Builder, call: Func, statement: Statement) -> None:
    """ftruncate()."""
    builder.action(statement, Act.LIBACT, constant(0), Lib.FTRUNCATE)


def _name(call: Func) -> str:
    return call.ident.name if call.ident is not None else call.name


_COMPILE: dict[str, Callable[[Builder, Func, Statement], None]] = {
    "breakpoint": _bare_action(Act.BREAKPOINT), "panic": _bare_action(Act.PANIC), "stop": _bare_action(Act.STOP),
    "chill": _value_action(Act.CHILL), "raise": _value_action(Act.RAISE), "speculate": _value_action(Act.SPECULATE),
    "commit": _value_action(Act.COMMIT), "discard": _value_action(Act.DISCARD), "exit": exit_,
    "clear": clear, "normalize": normalize, "denormalize": normalize, "trunc": truncate, "printa": printa,
    "printf": _print_action(Act.PRINTF), "system": _print_action(Act.SYSTEM), "freopen": _print_action(Act.FREOPEN),
    "trace": trace, "print": trace, "tracemem": tracemem, "stack": stack, "ustack": ustack, "jstack": ustack,
    "sym": _address_action(Act.SYM), "mod": _address_action(Act.MOD), "usym": _address_action(Act.USYM),
    "umod": _address_action(Act.UMOD), "uaddr": _address_action(Act.UADDR), "setopt": setopt, "ftruncate": ftruncate,
}  # fmt: skip


def action_name(call: Func) -> str:
    """Which action a call is of: func() is sym(), ufunc() is usym()."""
    assert call.ident is not None
    return ACTIONS[call.ident.id]


def compile_action(builder: Builder, call: Func, statement: Statement) -> None:
    """Add a call's actions to its statement. Raises DError as the action says."""
    compile_it = _COMPILE.get(action_name(call))
    if compile_it is None:
        raise DError("D_UNKNOWN", f"tracing function {_name(call)}( ) is not yet supported", call.line)
    compile_it(builder, call, statement)
