"""Checking assignments, those that make an aggregation among them.

The first assignment to a variable gives it its type. Follows the assigning cases of `dt_cook_op2`, and
`dt_assign_common` and `dt_cook_aggregation`, of libdtrace's `dt_parser.c`.
"""

from smartos.dtrace.check import attributes
from smartos.dtrace.check.construct import cast
from smartos.dtrace.check.cook_ident import cook_reference, resolve_name
from smartos.dtrace.check.dispatch import cook, cooks
from smartos.dtrace.check.fit import argcompat, ptrcompat
from smartos.dtrace.check.nodes import (
    assign,
    fail,
    is_integer,
    is_pointer,
    is_string,
    is_vfptr,
    propagate,
    resolved,
    set_attr,
    type_name,
    unreferenced,
)  # fmt: skip
from smartos.dtrace.ctf import DYN, Array, Function, compatible, resolve
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Is, Kind
from smartos.dtrace.tree import Agg, Func, Int, Name, Node, Op2, Var

_BITS = ("|=", "^=", "&=", "<<=", ">>=", "%=")
_PRODUCTS = ("*=", "/=")
_SUMS = ("+=", "-=")
ASSIGNMENTS = ("=", *_BITS, *_PRODUCTS, *_SUMS)


def cook_assignment(node: Op2, env: Environment) -> Node:
    """An assignment; of an aggregating function, the aggregation takes its place."""
    if node.op == "=":
        return _assign(node, env)
    if isinstance(node.left, Name):
        node.left = resolve_name(node.left, "globals", Kind.SCALAR, True, env)
    left = node.left = cook(node.left, env, Is.REF | Is.MOD)
    right = node.right = cook(node.right, env, Is.REF | Is.MOD)
    integers = is_integer(left) and is_integer(right)
    if node.op in _BITS and not integers:
        raise fail(env, "D_OP_INT", f"operator {node.op} requires operands of integral type")
    if node.op in _PRODUCTS and not integers:
        raise fail(env, "D_OP_ARITH", f"operator {node.op} requires operands of arithmetic type")
    if node.op in _SUMS:
        if is_string(left) or is_string(right):
            raise _incompatible(node, env)
        if not integers and (not is_pointer(left) or is_vfptr(left)):
            raise fail(env, "D_OP_VFPTR", f"operator {node.op} requires left-hand scalar operand of known size")
        if not integers and not is_integer(right) and ptrcompat(left, right) is None:
            raise _incompatible(node, env)
    return _finish(node, env)


def _incompatible(node: Op2, env: Environment) -> DError:
    return fail(env, "D_OP_INCOMPAT", f'operands have incompatible types: "{type_name(node.left)}" {node.op} '
                                      f'"{type_name(node.right)}"')  # fmt: skip


def _finish(node: Op2, env: Environment) -> Node:
    if isinstance(node.right, Int):
        cast(node.left, node.right)
    if not node.left.lvalue:
        raise fail(env, "D_OP_LVAL", f"operator {node.op} requires modifiable lvalue as an operand")
    if not node.left.writable:
        raise fail(env, "D_OP_WRITE", f"operator {node.op} can only be applied to a writable variable")
    propagate(node.left, node)
    set_attr(node, attributes.least(node.left.attr, node.right.attr), env)
    return node


def _assign(node: Op2, env: Environment) -> Node:
    left = node.left
    if isinstance(left, Name):
        table, kind = ("aggregations", Kind.AGG) if left.name.startswith("@") else ("globals", Kind.SCALAR)
        left = resolve_name(left, table, kind, True, env)
    left = node.left = cook(left, env)
    right = node.right = cook(node.right, env, Is.REF)
    if isinstance(left, Agg):
        return _aggregate(left, right, env)
    translated = resolved(right, Kind.XLSOU)
    kind = translated.type if translated else right.type
    user = Is.USER in translated.flags if translated else right.userland
    assert kind is not None and left.type is not None or isinstance(left, Var)
    if isinstance(left, Var):
        if unreferenced(left.ident, env):
            assert kind is not None
            assign(left, kind, user)
            left.ident.type = kind
            if user:
                left.ident.flags |= Is.USER
        elif left.type is None and left.ident.type is not None:
            assign(left, left.ident.type)  # the right side has made it: x = x = 1
        left.ident.flags |= Is.MOD
    assert left.type is not None
    if not is_string(left) and isinstance(resolve(left.type), Array | Function):
        raise fail(env, "D_OP_ARRFUN", f'operator = may not be applied to operand of type "{type_name(left)}"')
    if not (translated and compatible(left.type, kind) or argcompat(left, right)):  # type: ignore[arg-type]
        raise _incompatible(node, env)
    return _finish(node, env)


def _aggregate(left: Agg, right: Node, env: Environment) -> Node:
    name, before = left.ident.name, left.ident.data
    if not (isinstance(right, Func) and right.ident is not None and right.ident.kind is Kind.AGGFUNC):
        raise fail(env, "D_AGG_FUNC", f"@{name} must be assigned the result of an aggregating function")
    if before is not None and before is not right.ident:
        raise fail(env, "D_AGG_REDEF", f"aggregation redefined: @{name}\n\t current: @{name} = {right.ident.name}( )\n"
                                       f"\tprevious: @{name} = {before.name}( ) : line {left.ident.line}")  # fmt: skip
    left.ident.data = right.ident
    if left.func is not None:
        raise fail(env, "D_OP_LVAL", "operator = requires modifiable lvalue as an operand")
    left.func = right
    return cook(left, env, Is.MOD)


@cooks(Agg)
def cook_agg(node: Agg, env: Environment, flags: Is) -> Node:
    """An aggregation: with its function, the keys are checked; without, it is only named."""
    if node.func is None:
        assign(node, DYN)
        set_attr(node, node.ident.attr, env)
        return node
    func = cook(node.func, env, Is.REF)
    assert isinstance(func, Func)
    node.func = func
    set_attr(node, cook_reference(node, node.ident, node.keys, env), env)
    return node
