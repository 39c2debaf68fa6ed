"""Checking binary operators on values: arithmetic, comparisons, logic, casts, translation, the comma, and `?:`.

Follows `dt_cook_op2` and `dt_cook_op3` of libdtrace's `dt_parser.c`. Assignments are in
:mod:`~smartos.dtrace.check.cook_assign`, members and elements in :mod:`~smartos.dtrace.check.cook_member`.
"""

from smartos.dtrace.check import attributes
from smartos.dtrace.check.cook_assign import ASSIGNMENTS, cook_assignment
from smartos.dtrace.check.cook_member import cook_element, cook_member_of
from smartos.dtrace.check.dispatch import cook, cooks
from smartos.dtrace.check.fit import promote, ptrcompat
from smartos.dtrace.check.nodes import (
    INT,
    MASK,
    assign,
    fail,
    is_actfunc,
    is_arith,
    is_dynamic,
    is_integer,
    is_pointer,
    is_scalar,
    is_strcompat,
    is_string,
    is_vfptr,
    is_void,
    kind_name,
    propagate,
    set_attr,
    type_name,
)  # fmt: skip
from smartos.dtrace.check.xlators import find_translator, output_of
from smartos.dtrace.ctf import DYN, STRING, CType, Enum, Function, Pointer, compatible, resolve
from smartos.dtrace.environment import Environment
from smartos.dtrace.ident import Is
from smartos.dtrace.tree import Int, Name, Node, Op2, Op3, TypeRef


@cooks(Op2)
def cook_op2(node: Op2, env: Environment, flags: Is) -> Node:
    """A binary operator."""
    if node.op == "[":
        return cook_element(node, env, flags)
    if node.op in ("->", "."):
        return cook_member_of(node, env, flags)
    if node.op in ASSIGNMENTS:
        return cook_assignment(node, env)
    if node.op in ("()", "xlate"):
        (_cast if node.op == "()" else _translate)(node, env)
        return node
    return cook_values(node, env)


def cook_values(node: Op2, env: Environment) -> Node:
    """A binary operator whose operands are both read."""
    node.left = cook(node.left, env, Is.REF)
    if node.op in _COMPARISONS:
        _enumerator(node, env)
    node.right = cook(node.right, env, Is.REF)
    _CHECKS[node.op](node, node.left, node.right, env)
    set_attr(node, attributes.least(node.left.attr, node.right.attr), env)
    return node


def incompatible(node: Op2, env: Environment):  # noqa: ANN201
    """The error of operands that do not go together."""
    return fail(env, "D_OP_INCOMPAT", f'operands have incompatible types: "{type_name(node.left)}" {node.op} '
                                      f'"{type_name(node.right)}"')  # fmt: skip


def _integers(node: Op2, left: Node, right: Node, env: Environment) -> None:
    if not is_integer(left) or not is_integer(right):
        raise fail(env, "D_OP_INT", f"operator {node.op} requires operands of integral type")
    if node.op in ("<<", ">>"):
        propagate(left, node)
    else:
        assign(node, promote(left, right))


def _product(node: Op2, left: Node, right: Node, env: Environment) -> None:
    if not is_arith(left) or not is_arith(right):
        raise fail(env, "D_OP_ARITH", f"operator {node.op} requires operands of arithmetic type")
    assign(node, promote(left, right))


def _logic(node: Op2, left: Node, right: Node, env: Environment) -> None:
    if not is_scalar(left) or not is_scalar(right):
        raise fail(env, "D_OP_SCALAR", f"operator {node.op} requires operands of scalar type")
    assign(node, INT)


def _enumerator(node: Op2, env: Environment) -> None:
    """Let a name at the right of an enum stand for the enum's own constant of that name."""
    left, right = node.left, node.right
    assert left.type is not None
    base = resolve(left.type)
    if not (isinstance(base, Enum) and isinstance(right, Name) and right.name in base.values):
        return
    if ident := env.lookup(right.name):
        raise fail(env, "D_IDENT_AMBIG", f"ambiguous use of operator {node.op}: {right.name} is both a {type_name(left)} "
                                         f"enum tag and a global {kind_name(ident.kind)}")  # fmt: skip
    node.right = Int(base.values[right.name] & MASK, line=right.line)
    assign(node.right, left.type)
    set_attr(node.right, attributes.PRIVATE, env)


def _compare(node: Op2, left: Node, right: Node, env: Environment) -> None:
    assert left.type is not None and right.type is not None
    if not (
        compatible(left.type, right.type)
        or is_integer(left) and is_integer(right)
        or is_strcompat(left) and is_strcompat(right) and (is_string(left) or is_string(right))
        or ptrcompat(left, right) is not None
    ):
        raise incompatible(node, env)
    assign(node, INT)


def _sum(node: Op2, left: Node, right: Node, env: Environment) -> None:
    """Addition and subtraction, of integers or with pointers, as which strings are taken here too."""
    l_pointer, r_pointer = (is_string(n) or is_pointer(n) and not is_vfptr(n) for n in (left, right))
    l_int, r_int = is_integer(left), is_integer(right)
    user = False
    kind: CType | None
    if l_int and r_int:
        kind = promote(left, right)
    elif l_pointer and r_int:
        kind, user = left.type, left.userland
    elif l_int and r_pointer and node.op == "+":
        kind, user = right.type, right.userland
    elif l_pointer and r_pointer and node.op == "-" and ptrcompat(left, right) is not None:
        kind = env.types.scopes["D"]["ptrdiff_t"]
    else:
        raise incompatible(node, env)
    assert kind is not None
    assign(node, kind, user)


def _comma(node: Op2, left: Node, right: Node, env: Environment) -> None:
    if is_dynamic(left) or is_dynamic(right):
        raise fail(env, "D_OP_DYN", "operator , operands cannot be of dynamic type")
    if is_actfunc(left) or is_actfunc(right):
        raise fail(env, "D_OP_ACT", "operator , operands cannot be actions")
    propagate(right, node)


_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_CHECKS = {
    **dict.fromkeys(("&", "^", "|", "<<", ">>", "%"), _integers), **dict.fromkeys(("*", "/"), _product),
    **dict.fromkeys(("&&", "^^", "||"), _logic), **dict.fromkeys(_COMPARISONS, _compare),
    **dict.fromkeys(("+", "-"), _sum), ",": _comma,
}  # fmt: skip


def _cast(node: Op2, env: Environment) -> None:
    left = node.left
    right = node.right = cook(node.right, env, Is.REF)
    assert left.type is not None and right.type is not None
    l_base, r_base = resolve(left.type), resolve(right.type)
    if not (
        compatible(left.type, right.type)
        or is_scalar(left) and (is_scalar(right) or isinstance(r_base, Function))
        or is_void(left)
        or isinstance(l_base, Pointer) and is_pointer(right)
        or is_string(left) and (is_scalar(right) or is_pointer(right) or is_strcompat(right))
    ):
        raise fail(env, "D_CAST_INVAL", f'invalid cast expression: "{type_name(right)}" to "{type_name(left)}"')
    propagate(left, node)
    set_attr(node, attributes.least(left.attr, right.attr), env)
    node.writable = node.writable or isinstance(l_base, Pointer)


def _translate(node: Op2, env: Environment) -> None:
    left = node.left
    right = node.right = cook(node.right, env, Is.REF)
    assert isinstance(left, TypeRef) and left.type is not None
    found = find_translator(right, left, env)
    if found is None:
        raise fail(env, "D_XLATE_NONE", f'cannot translate from "{type_name(right)}" to "{type_name(left)}"')
    node.ident = output_of(found, left.type)
    assign(node, DYN)
    set_attr(node, attributes.least(right.attr, node.ident.attr), env)


@cooks(Op3)
def cook_op3(node: Op3, env: Environment, flags: Is) -> Node:
    """`test ? left : right`."""
    node.test = cook(node.test, env, Is.REF)
    left = node.left = cook(node.left, env, Is.REF)
    right = node.right = cook(node.right, env, Is.REF)
    if not is_scalar(node.test):
        raise fail(env, "D_OP_SCALAR", "operator ?: expression must be of scalar type")
    if is_dynamic(left) or is_dynamic(right):
        raise fail(env, "D_OP_DYN", "operator ?: operands cannot be of dynamic type")
    assert left.type is not None and right.type is not None
    kind: CType | None
    if compatible(left.type, right.type):
        kind = left.type
    elif is_integer(left) and is_integer(right):
        kind = promote(left, right)
    elif is_strcompat(left) and is_strcompat(right) and (is_string(left) or is_string(right)):
        kind = STRING
    else:
        kind = ptrcompat(left, right)
    if kind is None:
        raise fail(env, "D_OP_INCOMPAT", "operator ?: operands must have compatible types")
    if is_actfunc(left) or is_actfunc(right):
        raise fail(env, "D_OP_ACT", "action cannot be used in a conditional context")
    assign(node, kind)
    set_attr(node, attributes.least(node.test.attr, attributes.least(left.attr, right.attr)), env)
    return node


