"""Translators: how a kernel's structure becomes the stable one that programs are to use.

A translator is found by the types on both its sides. Translated data has no C value of its own; it is an identifier of
kind XLSOU (or XLPTR, for a pointer) whose `data` is the translator's node, and each member that a program asks for
becomes that member's expression. Follows libdtrace's `dt_xlator.c` and `dt_cook_xlator`. Left out: translators that are
only declared, whose code another program brings.
"""

from smartos.dtrace.check import attributes
from smartos.dtrace.check.dispatch import cook, cooks
from smartos.dtrace.check.fit import argcompat
from smartos.dtrace.check.nodes import assign, fail, name_of_type, set_attr, type_name
from smartos.dtrace.ctf import DYN, CType, Pointer, Struct, compatible, resolve, spelling
from smartos.dtrace.environment import Environment
from smartos.dtrace.ident import Ident, Is, Kind
from smartos.dtrace.tree import Node, TypeRef, Xlator, XlatorMember


def output_of(xlator: Xlator, kind: CType) -> Ident:
    """The identifier of a translator's output, as a struct or as a pointer, as `kind` is."""
    ident = xlator.ptrid if isinstance(resolve(kind), Pointer) else xlator.souid
    assert ident is not None
    return ident


def find_translator(src: Node, dst: Node, env: Environment, exact: bool = False) -> Xlator | None:
    """The translator from one type to another (or to a pointer to that), or None.

    First one of that very input type, then one whose input that type may be passed for.
    """
    assert src.type is not None and dst.type is not None
    wanted = resolve(dst.type)
    if isinstance(wanted, Pointer):
        wanted = resolve(wanted.to)
    if not isinstance(wanted, Struct) or not wanted.complete:
        return None
    candidates = [one for one in env.xlators if compatible(one.dst, wanted)]
    for one in candidates:
        if compatible(one.src, src.type):
            return one
    for one in () if exact else candidates:
        formal = TypeRef()
        assign(formal, one.src)
        if argcompat(src, formal):
            return one
    return None


def declare_xlator(node: Xlator, env: Environment) -> None:
    """Make a translator known; its own members may use it."""
    src, dst = TypeRef(), TypeRef()
    assign(src, node.src)
    assign(dst, node.dst)
    if find_translator(src, dst, env, exact=True):
        raise fail(env, "D_XLATE_REDECL",
                   f"translator from {type_name(src)} to {type_name(dst)} has already been declared")  # fmt: skip
    base = resolve(node.dst)
    if isinstance(base, Struct) and not base.complete:
        raise fail(env, "D_XLATE_SOU", f"incomplete struct/union/enum {name_of_type(node.dst)}")
    if not isinstance(base, Struct):
        raise fail(env, "D_XLATE_SOU", "translator output type must be a struct or union")
    number = len(env.xlators)
    node.ident = Ident(node.param, Kind.SCALAR, 0, Is.REF, type=node.src, gen=env.gen, line=node.line)
    node.souid = Ident("translator", Kind.XLSOU, number, Is.REF, type=node.dst, data=node, gen=env.gen)
    node.ptrid = Ident("translator", Kind.XLPTR, number, Is.REF, type=env.types.pointer(node.dst), data=node, gen=env.gen)
    env.xlators.append(node)


@cooks(Xlator)
def cook_xlator(node: Xlator, env: Environment, flags: Is) -> Node:
    """Check a translator's members, each against its member of the output type."""
    if node.ident is None:
        declare_xlator(node, env)
    assert node.ident is not None and node.souid is not None and node.ptrid is not None
    attr = attributes.GREATEST
    struct = resolve(node.dst)
    assert isinstance(struct, Struct)
    env.scopes.append({node.param: node.ident})
    for member in node.members:
        found = struct.member(member.name)
        if found is None:
            raise fail(env, "D_XLATE_MEMB", f"translator member {member.name} is not a member of {spelling(node.dst)}")
        cook(member, env, Is.REF)
        assign(member, found.type)
        attr = attributes.least(attr, member.attr)
        if not argcompat(member, member.expr):
            raise fail(env, "D_XLATE_INCOMPAT", f"translator member {member.name} definition uses incompatible types: "
                                                f'"{type_name(member)}" = "{type_name(member.expr)}"')  # fmt: skip
    env.scopes.pop()
    node.souid.attr = node.ptrid.attr = attr
    assign(node, DYN)
    return node


@cooks(XlatorMember)
def cook_xlator_member(node: XlatorMember, env: Environment, flags: Is) -> Node:
    """A member's expression."""
    node.expr = cook(node.expr, env, flags)
    set_attr(node, node.expr.attr, env)
    return node


def xlator_member(xlator: Xlator, name: str) -> XlatorMember | None:
    """The member of that name."""
    return next((member for member in xlator.members if member.name == name), None)
