"""Actions on aggregations: printa, clear, trunc, normalize, denormalize.

The kernel does nothing for them but pass on the aggregation's number; the consumer acts when it comes to the record.
Follows libdtrace's `dt_cc.c`.
"""

from smartos.dtrace.check.nodes import is_scalar, type_name
from smartos.dtrace.code.assemble import constant
from smartos.dtrace.code.statements import Builder
from smartos.dtrace.consumer.printf import parse, validate, validate_keys
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Is
from smartos.dtrace.program import Act, Lib, Statement
from smartos.dtrace.tree import Agg, Func, Node, String


def _arguments(call: Func, tag: str, least: int, most: int, expected: str) -> tuple[str, list[Node]]:
    """The call's name and its arguments, if there are as many as there may be."""
    name = call.ident.name if call.ident is not None else call.name
    if not least <= len(call.args) <= most:
        message = f"{name}( ) prototype mismatch: {len(call.args)} args passed, {expected} expected"
        raise DError(f"D_{tag}_PROTO", message, call.line)
    return name, call.args


def _aggregation(call: Func, name: str, tag: str, node: Node, number: int = 1) -> Ident:
    """The aggregation that an argument is. It must have been defined, in this program or before."""
    if not isinstance(node, Agg):
        raise DError(
            f"D_{tag}_AGGARG",
            f"{name}( ) argument #{number} is incompatible with prototype:\n\tprototype: aggregation\n"
            f"\t argument: {type_name(node)}",
            call.line,
        )
    return node.ident


def _defined(call: Func, tag: str, ident: Ident, gen: int) -> Ident:
    if ident.gen == gen and Is.MOD not in ident.flags:
        raise DError(f"D_{tag}_AGGBAD", f"undefined aggregation: @{ident.name}", call.line)
    return ident


def _scalar(call: Func, name: str, tag: str, node: Node) -> None:
    if not is_scalar(node):
        raise DError(f"D_{tag}_SCALAR", f"{name}( ) argument #2 must be of scalar type", call.line)


def clear(builder: Builder, call: Func, statement: Statement) -> None:
    """clear(@a): the values become 0, the keys stay."""
    name, (node, *_) = _arguments(call, "CLEAR", 1, 1, "1")
    ident = _defined(call, "CLEAR", _aggregation(call, name, "CLEAR", node), builder.env.gen)
    builder.action(statement, Act.LIBACT, constant(ident.id), Lib.CLEAR)


def normalize(builder: Builder, call: Func, statement: Statement) -> None:
    """normalize(@a, by) and denormalize(@a)."""
    back = call.ident is not None and call.ident.name == "denormalize"
    wanted = 1 if back else 2
    name, (node, *by) = _arguments(call, "NORMALIZE", wanted, wanted, str(wanted))
    ident = _aggregation(call, name, "NORMALIZE", node)
    if by:
        _scalar(call, name, "NORMALIZE", by[0])
    _defined(call, "NORMALIZE", ident, builder.env.gen)
    builder.action(statement, Act.LIBACT, constant(ident.id), Lib.DENORMALIZE if back else Lib.NORMALIZE)
    if by:
        builder.action(statement, Act.LIBACT, builder.generate(by[0]), Lib.NORMALIZE)


def truncate(builder: Builder, call: Func, statement: Statement) -> None:
    """trunc(@a[, n]): all keys go, or all but the n greatest (the -n least)."""
    expected = "at least 1" if not call.args else "no more than 2"
    name, (node, *count) = _arguments(call, "TRUNC", 1, 2, expected)
    ident = _aggregation(call, name, "TRUNC", node)
    if count:
        _scalar(call, name, "TRUNC", count[0])
    _defined(call, "TRUNC", ident, builder.env.gen)
    builder.action(statement, Act.LIBACT, constant(ident.id), Lib.TRUNC)
    builder.action(statement, Act.LIBACT, builder.generate(count[0]) if count else constant(0), Lib.TRUNC)


def printa(builder: Builder, call: Func, statement: Statement) -> None:
    """printa([format,] @a, @b …): an action each; their keys must agree."""
    name = call.ident.name if call.ident is not None else call.name
    fmt = call.args[0] if isinstance(call.args[0], String) else None
    first = 1 if fmt is None else 2
    if len(call.args) < first:
        message = f"{name}( ) prototype mismatch: {len(call.args)} args passed, {first} expected"
        raise DError("D_PRINTA_PROTO", message, call.line)
    before: Ident | None = None
    for number, node in enumerate(call.args[first - 1 :], first):
        ident = _defined(call, "PRINTA", _aggregation(call, name, "PRINTA", node, number), builder.env.gen)
        if before is not None:
            validate_keys(before, ident, line=builder.line)
        elif fmt is not None:
            builder.line = call.line
            keys = ident.signature.args if ident.signature is not None else []
            function = Act(ident.data.id)
            parsed = parse(fmt.value, call.line)
            statement.format = validate(parsed, keys, name, builder.env, aggregation=function, line=call.line)
        before = before or ident
        action = builder.action(statement, Act.PRINTA, constant(ident.id))
        action.format = statement.format if number == first else None
