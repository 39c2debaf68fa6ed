"""Checking unary operators: what each may be applied to and what comes out.

Follows `dt_cook_op1` of libdtrace's `dt_parser.c`; constants were folded before, in :mod:`~smartos.dtrace.check.construct`.
"""

from smartos.dtrace.check.cook_ident import resolve_name
from smartos.dtrace.check.dispatch import cook, cooks
from smartos.dtrace.check.nodes import (
    INT,
    assign,
    fail,
    is_arith,
    is_dynamic,
    is_integer,
    is_pointer,
    is_scalar,
    is_strcompat,
    is_string,
    is_vfptr,
    is_void_type,
    operator_name,
    propagate,
    resolved,
    set_attr,
    type_name,
    type_size,
    unreferenced,
)  # fmt: skip
from smartos.dtrace.ctf import STRING, Array, Function, Pointer, resolve
from smartos.dtrace.environment import Environment
from smartos.dtrace.ident import Is, Kind
from smartos.dtrace.tree import Agg, Name, Node, Op1, Op2, Var

_STEPS = ("pre++", "pre--", "post++", "post--")


@cooks(Op1)
def cook_op1(node: Op1, env: Environment, flags: Is) -> Node:
    """A unary operator. `++` and `--` may make the variable that they are applied to, an int64_t."""
    flags = Is.REF | Is.MOD if node.op in _STEPS else Is.REF
    child = node.child
    if isinstance(child, Name) and node.op in _STEPS:
        child = resolve_name(child, "globals", Kind.SCALAR, True, env)
    child = node.child = cook(child, env)
    if isinstance(child, Var):
        if unreferenced(child.ident, env):
            kind = env.types.scopes["D"]["int64_t"]
            child.ident.type = kind
            assign(child, kind)
        child.ident.flags |= flags
    _CHECKS[node.op](node, child, env)
    set_attr(node, child.attr, env)
    return node


def _dereference(node: Op1, child: Node, env: Environment) -> None:
    if translated := resolved(child, Kind.XLPTR):
        node.ident = translated.data.souid
        assign(node, node.ident.type, child.userland)  # type: ignore[union-attr, arg-type]
        return
    assert child.type is not None
    base = resolve(child.type)
    if not isinstance(base, Array | Pointer):
        raise fail(env, "D_DEREF_NONPTR", "cannot dereference non-pointer type")
    target = base.of if isinstance(base, Array) else base.to
    assign(node, target, child.userland)
    inner = resolve(target)
    if is_void_type(target):
        raise fail(env, "D_DEREF_VOID", "cannot dereference pointer to void")
    if isinstance(inner, Function):
        raise fail(env, "D_DEREF_FUNC", "cannot dereference pointer to function")
    node.lvalue = not isinstance(inner, Array) or is_string(node)
    node.writable = child.writable or isinstance(child, Op2) and child.op == "+" and child.left.writable


def _sign(node: Op1, child: Node, env: Environment) -> None:
    if not is_arith(child):
        raise fail(env, "D_OP_ARITH", f"operator {node.op} requires an operand of arithmetic type")
    propagate(child, node)


def _complement(node: Op1, child: Node, env: Environment) -> None:
    if not is_integer(child):
        raise fail(env, "D_OP_INT", f"operator {node.op} requires an operand of integral type")
    propagate(child, node)


def _not(node: Op1, child: Node, env: Environment) -> None:
    if not is_scalar(child):
        raise fail(env, "D_OP_SCALAR", f"operator {node.op} requires an operand of scalar type")
    assign(node, INT)


def _address(node: Op1, child: Node, env: Environment) -> None:
    if isinstance(child, Var | Agg):
        raise fail(env, "D_ADDROF_VAR", "cannot take address of dynamic variable")
    if is_dynamic(child):
        raise fail(env, "D_ADDROF_VAR", "cannot take address of dynamic object")
    if not child.lvalue:
        raise fail(env, "D_ADDROF_LVAL", "unacceptable operand for unary & operator")
    if child.bitfield:
        raise fail(env, "D_ADDROF_BITFIELD", "cannot take address of bit-field")
    assert child.type is not None
    assign(node, env.types.pointer(child.type), child.userland)


def _sizeof(node: Op1, child: Node, env: Environment) -> None:
    if child.bitfield:
        raise fail(env, "D_SIZEOF_BITFIELD", "cannot apply sizeof to a bit-field")
    if type_size(child) == 0:
        raise fail(env, "D_SIZEOF_TYPE", "cannot apply sizeof to an operand of unknown size")
    assign(node, env.types.scopes["D"]["size_t"])


def _stringof(node: Op1, child: Node, env: Environment) -> None:
    if not (is_scalar(child) or is_pointer(child) or is_strcompat(child)):
        raise fail(env, "D_STRINGOF_TYPE", f"cannot apply stringof to a value of type {type_name(child)}")
    assign(node, STRING, child.userland)


def _step(node: Op1, child: Node, env: Environment) -> None:
    op = operator_name(node)
    if not is_scalar(child):
        raise fail(env, "D_OP_SCALAR", f"operator {op} requires operand of scalar type")
    if is_vfptr(child):
        raise fail(env, "D_OP_VFPTR", f"operator {op} requires an operand of known size")
    if not child.lvalue:
        raise fail(env, "D_OP_LVAL", f"operator {op} requires modifiable lvalue as an operand")
    if not child.writable:
        raise fail(env, "D_OP_WRITE", f"operator {op} can only be applied to a writable variable")
    propagate(child, node)


_CHECKS = {"*": _dereference, "-": _sign, "+": _sign, "~": _complement, "!": _not, "&": _address, "sizeof": _sizeof,
           "stringof": _stringof, **dict.fromkeys(_STEPS, _step)}  # fmt: skip
