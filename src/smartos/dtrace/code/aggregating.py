"""`@name[keys] = func(…)`: an action for each key, one for the increment, and the aggregating one.

The steps of lquantize() and llquantize() are packed into the action's argument, and must be the same wherever the
aggregation is used. Follows `dt_compile_agg` of libdtrace's `dt_cc.c`.
"""

from dataclasses import dataclass

from smartos.dtrace.check.nodes import is_posconst, is_scalar
from smartos.dtrace.code.actions import action_name, address
from smartos.dtrace.code.actions_stack import stack_arguments, ustack_arguments
from smartos.dtrace.code.assemble import NOTHING, constant
from smartos.dtrace.code.statements import Builder
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Kind, Signature
from smartos.dtrace.program import Act, Statement
from smartos.dtrace.tree import Agg, Func, Int, Node

UINT16_MAX = 0xFFFF
_ADDRESSES = {"uaddr": Act.UADDR, "usym": Act.USYM, "umod": Act.UMOD, "sym": Act.SYM, "mod": Act.MOD}


def compile_aggregation(builder: Builder, node: Agg, statement: Statement) -> None:
    """Add an aggregating statement's actions. Raises DError: D_AGG_*, D_LQUANT_*, D_LLQUANT_*, D_PROTO_*."""
    if node.func is None:
        raise DError("D_AGG_NULL", f"expression has null effect: @{node.ident.name}", node.line)
    call = node.func
    assert call.ident is not None
    if call.args and not is_scalar(call.args[0]):
        raise DError("D_AGG_SCALAR", f"{call.ident.name}( ) argument #1 must be of scalar type", call.line)
    builder.action(statement, Act.DIFEXPR, constant(node.ident.id))
    for key in node.keys:
        _key(builder, key, statement)
    kind = Act(call.ident.id)
    arg, increment, most = _steps(kind, node, call)
    if increment:
        _increment(builder, node, call.ident.name, increment, most, statement)
    statement.aggregation = node.ident
    count = len(statement.actions)
    action = builder.action(statement, kind, arg=arg)
    action.ntuple = count
    if call.args:
        action.difo = builder.generate(call.args[0])


def _key(builder: Builder, key: Node, statement: Statement) -> None:
    if isinstance(key, Func) and key.ident is not None and key.ident.kind is Kind.ACTFUNC:
        name = action_name(key)
        if name == "stack":
            builder.action(statement, Act.STACK, arg=stack_arguments(builder.env, key))
            return
        if name in ("ustack", "jstack"):
            kind = Act[name.upper()]
            builder.action(statement, kind, arg=ustack_arguments(builder.env, key, kind))
            return
        if name in _ADDRESSES:
            address(builder, key, statement, _ADDRESSES[name])
            return
    builder.action(statement, Act.DIFEXPR, builder.generate(key))


def _increment(builder: Builder, node: Agg, name: str, rest: list[Node], most: int, statement: Statement) -> None:
    value = rest[0]
    if not is_scalar(value):
        message = f"{name}( ) increment value (argument #{most}) must be of scalar type"
        raise DError("D_PROTO_ARG", message, node.line)
    if len(rest) > 1:
        count = most + len(rest) - 1
        message = f"{name}( ) prototype mismatch: {count} args passed, at most {most} expected"
        raise DError("D_PROTO_LEN", message, value.line)
    difo = builder.generate(value)
    difo.type = NOTHING
    builder.action(statement, Act.DIFEXPR, difo)


def _steps(kind: Act, node: Agg, call: Func) -> tuple[int, list[Node], int]:
    """The action's argument, the arguments from the increment on, and how many there may be."""
    match kind:
        case Act.QUANTIZE:
            return 0, call.args[1:], 2
        case Act.LQUANTIZE:
            return _linear(node, call), call.args[4:], 5
        case Act.LLQUANTIZE:
            return _log_linear(node, call), call.args[5:], 6
    return 0, [], 0


def _signature(ident: Ident) -> Signature:
    if ident.signature is None:
        ident.signature = Signature()
    return ident.signature


def _signed(value: int, bits: int = 64) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def _linear(node: Agg, call: Func) -> int:
    """lquantize(x, base, limit[, step]) as `step << 48 | levels << 32 | base`."""

    def bad(tag: str, where: Node, message: str) -> DError:
        return DError("D_LQUANT_" + tag, "lquantize( ) " + message, where.line)

    def bound(at: int, tags: tuple[str, str]) -> int:
        arg = call.args[at]
        if not isinstance(arg, Int):
            raise bad(tags[0], arg, f"argument #{at} must be an integer constant")
        value = _signed(arg.value)
        if not -(1 << 31) <= value < 1 << 31:
            raise bad(tags[1], arg, f"argument #{at} must be a 32-bit quantity")
        return value

    base = bound(1, ("BASETYPE", "BASEVAL"))
    limit = bound(2, ("LIMTYPE", "LIMVAL"))
    if limit < base:
        raise bad("MISMATCH", node, "base (argument #1) must be less than limit (argument #2)")
    step = 1
    if len(call.args) > 3:
        third = call.args[3]
        if not is_posconst(third):
            raise bad("STEPTYPE", third, "argument #3 must be a non-zero positive integer constant")
        assert isinstance(third, Int)
        step = third.value
        if step > UINT16_MAX:
            raise bad("STEPVAL", third, "argument #3 must be a 16-bit quantity")
    levels = (limit - base) // step
    if not levels:
        raise bad("STEPLARGE", node, "step (argument #3) too large: must have at least one quantization level")
    if levels > UINT16_MAX:
        message = "step (argument #3) too small: number of quantization levels must be a 16-bit quantity"
        raise bad("STEPSMALL", node, message)
    arg = step << 48 | levels << 32 | base & 0xFFFFFFFF
    signature = _signature(node.ident)
    if signature.aux in (0, arg):
        signature.aux = arg
        return arg
    old_base, old_levels, old_step = _signed(signature.aux, 32), signature.aux >> 32 & UINT16_MAX, signature.aux >> 48
    for tag, what, number, old, new in (
        ("MATCHBASE", "base", 1, old_base, base),
        ("MATCHLIM", "limit", 2, old_base + old_levels * old_step, base + levels * step),
        ("MATCHSTEP", "step", 3, old_step, step),
    ):
        if tag == "MATCHLIM" and old_levels * old_step == levels * step:
            continue
        if old != new:
            message = f"{what} (argument #{number}) doesn't match previous declaration: expected {old}, found {new}"
            raise bad(tag, node, message)
    return arg


@dataclass(frozen=True)
class _Part:
    """One of the four numbers of an llquantize(): its words, its tags' stem, and its place in the argument."""

    name: str
    tag: str
    shift: int


_PARTS = (
    _Part("factor", "FACTOR", 48), _Part("low magnitude", "LOW", 32), _Part("high magnitude", "HIGH", 16),
    _Part("linear steps per magnitude", "NSTEP", 0),
)  # fmt: skip


def _log_linear(node: Agg, call: Func) -> int:
    """llquantize(x, factor, low, high, steps), 16 bits each from the top."""

    def bad(tag: str, where: Node, message: str) -> DError:
        return DError("D_LLQUANT_" + tag, "llquantize( ) " + message, where.line)

    values = []
    for number, part in enumerate(_PARTS, 1):
        arg = call.args[number]
        if not isinstance(arg, Int):
            raise bad(part.tag + "TYPE", arg, f"argument #{number} ({part.name}) must be an integer constant")
        if arg.value > UINT16_MAX:
            raise bad(part.tag + "VAL", arg, f"argument #{number} ({part.name}) must be an unsigned 16-bit quantity")
        values.append(arg.value)
    factor, low, high, steps = values
    if factor < 2:
        raise bad("FACTORSMALL", node, "factor (argument #1) must be two or more")
    if low >= high:
        raise bad("MAGRANGE", node, "high magnitude (argument #3) must be greater than low magnitude (argument #2)")
    if steps < factor:
        message = "factor (argument #1) must be less than or equal to the number of linear steps per magnitude (argument #4)"
        raise bad("FACTORNSTEPS", node, message)
    power = factor
    while power < steps:
        power *= factor
    if steps % factor or power % steps:
        raise bad("FACTOREVEN", node, "factor (argument #1) must evenly divide the number of steps per magnitude "
                  "(argument #4), and the number of steps per magnitude must evenly divide a power of the factor")  # fmt: skip
    if _overflows(factor, high):
        message = f"factor ({factor}) raised to power of high magnitude ({high}) overflows 64-bits"
        raise bad("MAGTOOBIG", node, message)
    encoded = sum(value << part.shift for value, part in zip(values, _PARTS, strict=True))
    signature = _signature(node.ident)
    if signature.aux in (0, encoded):
        signature.aux = encoded
        return encoded
    for number, (part, found) in enumerate(zip(_PARTS, values, strict=True), 1):
        expected = signature.aux >> part.shift & UINT16_MAX
        if expected != found:
            message = (
                f"{part.name} (argument #{number}) doesn't match previous declaration: expected {expected}, found {found}"
            )
            raise bad(part.tag + "MATCH", node, message)
    return encoded


def _overflows(factor: int, power: int) -> bool:
    """Whether a power of the factor needs more than 64 bits, as the compiler asks it: by the product's not growing."""
    order = 1
    for _ in range(power):
        wider = order * factor & (1 << 64) - 1
        if wider <= order:
            return True
        order = wider
    return False
