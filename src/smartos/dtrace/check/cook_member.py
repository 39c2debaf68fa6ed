"""Checking what reaches into something: `a->m`, `a.m`, `a[i]`, `self->x`, `this->x`.

`a[i]` is `*(a + i)` for pointers and arrays, an element of an associative array, or the keys of an aggregation; the
first use of a name decides. Follows those cases of `dt_cook_op2` of libdtrace's `dt_parser.c`.
"""

from smartos.dtrace.check.cook_ident import resolve_name
from smartos.dtrace.check.dispatch import cook
from smartos.dtrace.check.nodes import (
    assign,
    fail,
    is_string,
    kind_name,
    node_name,
    resolved,
    set_attr,
    unreferenced,
)  # fmt: skip
from smartos.dtrace.check.xlators import xlator_member
from smartos.dtrace.ctf import Array, CType, Pointer, Struct, resolve, spelling
from smartos.dtrace.environment import Environment
from smartos.dtrace.ident import Ident, Is, Kind
from smartos.dtrace.tree import Agg, Name, Node, Op1, Op2, Var


def cook_member_of(node: Op2, env: Environment, flags: Is) -> Node:
    """`->` and `.`; of self and this, a variable, made if need be."""
    left, right, op = node.left, node.right, node.op
    if op == "->" and isinstance(left, Name) and left.name in ("self", "this"):
        if isinstance(right, Name):
            table = "threads" if left.name == "self" else "locals"
            right = resolve_name(right, table, Kind.SCALAR, True, env)
        elif not isinstance(right, Var):
            raise fail(env, "D_OP_IDENT", "operator -> must be followed by an identifier")
        return cook(right, env, flags) if flags else right
    left = node.left = cook(left, env, Is.REF)
    if not isinstance(right, Name):
        raise fail(env, "D_OP_IDENT", f"operator {op} must be followed by an identifier")
    kind, user = _container(left, right, env)
    struct = _struct(kind, op, env)
    member = struct.member(right.name)
    if member is None:
        raise fail(env, "D_TYPE_MEMBER", f"{right.name} is not a member of {spelling(struct)}")
    assign(node, member.type)
    node.bitfield = node.bitfield or member.bitfield and _odd(member.type)
    set_attr(node, left.attr, env)
    inner = resolve(member.type)
    node.lvalue = (op == "->" or left.lvalue) and (not isinstance(inner, Array) or is_string(node))
    node.writable = left.writable
    node.userland = user and (isinstance(inner, Pointer) or node.ref)
    return node


def _odd(kind: CType) -> bool:
    base = resolve(kind)
    return getattr(base, "bits", 8) not in (8, 16, 32, 64)


def _container(left: Node, right: Name, env: Environment) -> tuple[CType, bool]:
    """The type that the member is looked for in, and whether it lies in a process."""
    translated = resolved(left, Kind.XLSOU) or resolved(left, Kind.XLPTR)
    if translated is None:
        assert left.type is not None
        return left.type, left.userland
    if xlator_member(translated.data, right.name) is None:
        raise fail(env, "D_XLATE_NOCONV", f"translator does not define conversion for member: {right.name}")
    assert translated.type is not None
    return translated.type, Is.USER in translated.flags


def _struct(kind: CType, op: str, env: Environment) -> Struct:
    base = resolve(kind)
    if op == "->":
        if not isinstance(base, Pointer):
            raise fail(env, "D_OP_PTR", "operator -> must be applied to a pointer")
        base = resolve(base.to)
    if isinstance(base, Struct) and not base.complete:
        tag = spelling(base)
        whole = env.types.lookup(tag)
        if not isinstance(whole, Struct) or not whole.complete:
            raise fail(env, "D_OP_INCOMPLETE", f"operator {op} cannot be applied to a forward declaration: "
                                               f"no {tag} definition is available")  # fmt: skip
        base = whole
    if not isinstance(base, Struct):
        if op == "->":
            raise fail(env, "D_OP_SOU", f'operator -> cannot be applied to pointer to type "{spelling(base)}"; '
                                        "must be applied to a struct or union pointer")  # fmt: skip
        raise fail(env, "D_OP_SOU", f'operator {op} cannot be applied to type "{spelling(base)}"; '
                                    "must be applied to a struct or union")  # fmt: skip
    return base


def cook_element(node: Op2, env: Environment, flags: Is) -> Node:
    """`[`."""
    keys = node.keys if node.keys is not None else [node.right]
    left = node.left
    if isinstance(left, Name):
        table, kind = ("aggregations", Kind.AGG) if left.name.startswith("@") else ("globals", Kind.ARRAY)
        ident = env.aggregations.get(left.name[1:]) if kind is Kind.AGG else env.lookup(left.name)
        if ident is None or unreferenced(ident, env):
            left = resolve_name(left, table, kind, True, env)
        else:
            left = resolve_name(left, table, ident.kind, False, env)
    else:
        left = cook(left, env)
    node.left = left
    if isinstance(left, Agg):
        if left.keys:
            raise fail(env, "D_AGG_MDIM", f"improper attempt to reference @{left.ident.name} as a multi-dimensional array")
        left.keys = keys
        return cook(left, env)
    if isinstance(left, Var) and (left.args is None if left.ident.kind is Kind.ARRAY else unreferenced(left.ident, env)):
        return _associative(left, keys, node, env, flags)
    return _offset(node, keys, env)


def _associative(left: Var, keys: list[Node], node: Op2, env: Environment, flags: Is) -> Node:
    ident: Ident = left.ident
    if ident.kind is Kind.SCALAR and unreferenced(ident, env) and ident.flags & (Is.LOCAL | Is.TLS):
        if Is.LOCAL in ident.flags:
            raise fail(env, "D_ARR_LOCAL", f"local variables may not be used as associative arrays: {ident.name}")
        ident.kind = Kind.ARRAY
    if ident.kind is not Kind.ARRAY:
        raise fail(env, "D_IDENT_BADREF",
                   f"{kind_name(ident.kind)} '{ident.name}' may not be referenced as {kind_name(Kind.ARRAY)}")  # fmt: skip
    new = Var(ident, keys, line=node.line)
    new.type, new.ref, new.lvalue, new.writable, new.attr = left.type, left.ref, left.lvalue, left.writable, left.attr
    return cook(new, env, flags)


def _offset(node: Op2, keys: list[Node], env: Environment) -> Node:
    """The element of a pointer or array: `*(a + i)`."""
    added = cook(Op2("+", node.left, keys[0], line=node.line), env, Is.REF)
    assert isinstance(added, Op2)
    if len(keys) > 1:
        raise fail(env, "D_ARR_BADREF", f"cannot access {node_name(added.left)} as an associative array")
    return cook(Op1("*", added, line=node.line), env, Is.REF)
