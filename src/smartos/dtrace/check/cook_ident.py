"""Checking names: looking them up (and making variables that a program writes to), and giving a reference its type.

What a reference means depends on what it names: an associative array learns its keys from the first use and holds later
ones to them, a function has a prototype, `args[]` has for each probe other types, and perhaps a translator.

Follows `dt_xcook_ident`, `dt_cook_var` and `dt_cook_func` of libdtrace's `dt_parser.c`, and `dt_ident.c`.
Left out: symbols of processes, and translators that another program brings while this one runs.
"""

from smartos.dtrace.check import attributes
from smartos.dtrace.check.construct import signed
from smartos.dtrace.check.dispatch import cook, cook_list, cooks
from smartos.dtrace.check.fit import argcompat
from smartos.dtrace.check.nodes import (
    assign,
    fail,
    is_dynamic,
    is_void,
    kind_name,
    name_of_type,
    set_attr,
    type_name,
    unreferenced,
)  # fmt: skip
from smartos.dtrace.check.prototype import lookup_type, signature, unknown
from smartos.dtrace.check.xlators import find_translator, output_of
from smartos.dtrace.ctf import DYN, CType
from smartos.dtrace.environment import Environment
from smartos.dtrace.ident import Ident, Is, Kind, Signature, Stability
from smartos.dtrace.tree import Agg, Func, Int, Name, Node, Sym, TypeRef, Var

SCOPE_NAMES = {"globals": "global", "threads": "thread local", "locals": "clause local", "aggregations": "aggregation"}


# Looking names up


def resolve_name(node: Name, table: str, kind: Kind, create: bool, env: Environment) -> Node:
    """The variable, aggregation or symbol that a name stands for; a new one if `create` allows it.

    `table` is the field of the environment to look in ("globals" asks parameters of inlines and translators first).
    Raises D_IDENT_UNDEF, D_IDENT_BADREF, D_SYM_NOTYPES, D_ID_OFLOW.
    """
    if "`" in node.name:
        if table != "globals":
            raise fail(env, "D_IDENT_UNDEF", f"failed to resolve {node.name}: Unknown variable name")
        return _symbol(node, env)
    name = node.name[1:] if kind is Kind.AGG else node.name
    where: dict[str, Ident] = getattr(env, table)
    ident = env.lookup(name) if table == "globals" else where.get(name)
    if ident is not None:
        if ident.kind is not kind and table == "globals":
            raise fail(env, "D_IDENT_BADREF",
                       f"{kind_name(ident.kind)} '{ident.name}' may not be referenced as {kind_name(kind)}")  # fmt: skip
        writable = Is.WRITE in ident.flags
    elif create:
        ident, writable = _make(name, where, table, kind, env), True
    else:
        raise fail(env, "D_IDENT_UNDEF", f"failed to resolve {node.name}: Unknown variable name")
    new: Node = Agg(ident, line=node.line) if kind is Kind.AGG else Var(ident, line=node.line)
    if ident.kind in (Kind.ARRAY, Kind.AGG):
        assign(new, DYN)
        attr = ident.attr
    else:
        attr = cook_reference(new, ident, None, env)
    new.lvalue, new.writable = True, writable
    set_attr(new, attr, env)
    return new


def _make(name: str, where: dict[str, Ident], table: str, kind: Kind, env: Environment) -> Ident:
    number = env.next_id(where)
    if table != "aggregations" and number >= 0xFFFF:
        raise fail(env, "D_ID_OFLOW",
                   f"cannot create {name}: limit on number of {SCOPE_NAMES[table]} variables exceeded")  # fmt: skip
    flags = Is.WRITE | {"locals": Is.LOCAL, "threads": Is.TLS}.get(table, Is.NONE)
    where[name] = ident = Ident(name, kind, number, flags, line=env.line, gen=env.gen)
    return ident


def _symbol(node: Name, env: Environment) -> Sym:
    scope, _, name = node.name.rpartition("`")
    mark, scope = ("``", scope[:-1]) if scope.endswith("`") else ("`", scope)
    ident = None
    if mark == "`":
        places = (scope,) if scope else ("D", "C")
        ident = next((env.declared[place, name] for place in places if (place, name) in env.declared), None)
        ident = ident or env.symbols(scope, name)
    if ident is None:
        missing = scope and (mark == "``" or scope not in env.types.scopes)
        reason = "Unknown module name" if missing else "Unknown symbol name"
        raise fail(env, "D_IDENT_UNDEF", f"failed to resolve {scope}{mark}{name}: {reason}")
    if ident.type is None:
        raise fail(env, "D_SYM_NOTYPES", f"no symbolic type information is available for {scope}{mark}{name}: "
                                         "No type information available for symbol")  # fmt: skip
    if ident not in env.externs:
        env.externs.append(ident)
    new = Sym(ident, line=node.line)
    assign(new, ident.type)
    new.lvalue = True
    set_attr(new, attributes.PRIVATE, env)
    return new


@cooks(Name)
def cook_name(node: Name, env: Environment, flags: Is) -> Node:
    """A name that is read: it must be known."""
    table, kind = ("aggregations", Kind.AGG) if node.name.startswith("@") else ("globals", Kind.SCALAR)
    return cook(resolve_name(node, table, kind, False, env), env, flags)


@cooks(Var)
def cook_var(node: Var, env: Environment, flags: Is) -> Node:
    """A variable, with its keys if it is indexed."""
    ident = node.ident
    if Is.REF in flags and unreferenced(ident, env):
        scope = "this->" if Is.LOCAL in ident.flags else "self->" if Is.TLS in ident.flags else ""
        raise fail(env, "D_VAR_UNDEF", f"{scope}{ident.name} has not yet been declared or assigned", node)
    set_attr(node, cook_reference(node, ident, node.args, env), env)
    return node


@cooks(Func)
def cook_func(node: Func, env: Environment, flags: Is) -> Node:
    """A call: its arguments against the prototype."""
    assert node.ident is not None, f"{node.name} is not built; see construct.build"
    set_attr(node, cook_reference(node, node.ident, node.args, env), env)
    return node


# What a reference means


def cook_reference(node: Node, ident: Ident, args: list[Node] | None, env: Environment) -> Stability:
    """Check the arguments (keys) of a reference to an identifier and give the node its type; the stability of all."""
    attr = cook_list(args, env, Is.REF) if args else attributes.STABLE
    _operation(ident)(node, ident, args or [], env)
    if Is.USER in ident.flags:
        node.userland = True
    return attributes.least(attr, ident.attr)


def _operation(ident: Ident):  # noqa: ANN202 (one of the functions below)
    if ident.ops:
        return {"args": _args, "regs": _regs}[ident.ops]
    if ident.kind in (Kind.FUNC, Kind.AGGFUNC, Kind.ACTFUNC):
        return _call
    if ident.kind in (Kind.ARRAY, Kind.AGG):
        return _keys
    return _builtin if ident.prototype else _plain


def _plain(node: Node, ident: Ident, args: list[Node], env: Environment) -> None:
    if ident.type is not None:
        assign(node, ident.type)


def _builtin(node: Node, ident: Ident, args: list[Node], env: Environment) -> None:
    if ident.type is None:
        ident.type = lookup_type(ident.prototype, env)
    if ident.type is None:
        raise fail(env, "D_UNKNOWN", f"failed to resolve type {ident.prototype} for identifier {ident.name}: "
                                     + unknown(ident.prototype, env))  # fmt: skip
    assign(node, ident.type)


def _call(node: Node, ident: Ident, args: list[Node], env: Environment) -> None:
    _match(ident, signature(ident, env), args, "", "( )", env)
    assert ident.type is not None
    assign(node, DYN if ident.kind is Kind.AGGFUNC else ident.type)


def _keys(node: Node, ident: Ident, args: list[Node], env: Environment) -> None:
    if ident.signature is None:
        for at, key in enumerate(args, 1):
            if is_dynamic(key) or is_void(key):
                raise fail(env, "D_KEY_TYPE", f"{type_name(key)} expression may not be used as {kind_name(ident.kind)} "
                                              f"index: key #{at}")  # fmt: skip
        ident.signature = Signature([key.type for key in args], user=[key.userland for key in args])
        if Is.DECL not in ident.flags:
            ident.type = DYN
    else:
        _match(ident, ident.signature, args, "@" if ident.kind is Kind.AGG else "", "[ ]", env)
    assign(node, ident.type or DYN)


def _match(ident: Ident, sign: Signature, args: list[Node], prefix: str, suffix: str, env: Environment) -> None:
    """Hold arguments against a prototype, or keys against those of earlier uses."""
    is_key = ident.kind in (Kind.ARRAY, Kind.AGG)
    word, longer, count = ("key", "key", len(args)) if is_key else ("arg", "argument", len(args))
    if sign.varargs is not None:
        wrong, limit = count < sign.varargs, sign.varargs
    elif sign.optional is not None:
        wrong, limit = not sign.optional <= count <= len(sign.args), count
    else:
        wrong, limit = count != len(sign.args), len(sign.args)
    name = f"{prefix}{ident.name}{suffix}"
    if wrong:
        expected = f"at least {sign.optional}" if sign.optional is not None else f"{limit}"
        raise fail(env, "D_PROTO_LEN", f"{name} prototype mismatch: {count} {word}{' ' if count == 1 else 's '}"
                                       f"passed, {expected} expected")  # fmt: skip
    for at in range(limit):
        kind = sign.args[at]
        if kind is None:
            continue
        formal = TypeRef()
        assign(formal, kind, at < len(sign.user) and sign.user[at])
        if not argcompat(formal, args[at]):
            raise fail(env, "D_PROTO_ARG",
                       f"{name} {longer} #{at + 1} is incompatible with prototype:\n"
                       f"\tprototype: {type_name(formal)}\n\t{longer:>9}: {type_name(args[at])}")  # fmt: skip


def _one_constant(ident: Ident, args: list[Node], env: Environment) -> Int:
    if len(args) != 1:
        raise fail(env, "D_PROTO_LEN", f"{ident.name}[ ] prototype mismatch: {len(args)} arg"
                                       f"{' ' if len(args) == 1 else 's '}passed, 1 expected")  # fmt: skip
    if not isinstance(args[0], Int):
        raise fail(env, "D_PROTO_ARG",
                   f"{ident.name}[ ] argument #1 is incompatible with prototype:\n"
                   f"\tprototype: integer constant\n\t argument: {name_of_type(args[0].type)}")  # fmt: skip
    return args[0]


def _regs(node: Node, ident: Ident, args: list[Node], env: Environment) -> None:
    index = _one_constant(ident, args, env)
    if index.signed and signed(index.value) < 0:
        raise fail(env, "D_REGS_IDX", f"index {signed(index.value)} is out of range for array {ident.name}")
    ident.type = env.types.scopes["D"]["uint64_t"]
    assign(node, ident.type)


def _args(node: Node, ident: Ident, args: list[Node], env: Environment) -> None:
    """An element of args[]: of the probe's own type, or translated."""
    at = _one_constant(ident, args, env).value
    if env.desc is None:
        raise fail(env, "D_ARGS_NONE", f"{ident.name}[ ] may not be referenced outside of a probe clause")
    if env.probe is None:
        raise fail(env, "D_ARGS_MULTI", f"{ident.name}[ ] may not be referenced because probe description {env.desc} "
                                        "matches an unstable set of probes")  # fmt: skip
    known = env.probe.args or []
    if at >= len(known):
        raise fail(env, "D_ARGS_IDX", f"index {signed(at)} is out of range for {env.desc} {ident.name}[ ]")
    native, translated = TypeRef(), TypeRef()
    wanted: CType | None = known[at].translated or known[at].native
    for kind, word, part in ((wanted, "translated", translated), (known[at].native, "native", native)):
        if kind is None:
            raise fail(env, "D_ARGS_TYPE", f"failed to resolve {word} type for {ident.name}[{at}]")
        assign(part, kind)
    assert isinstance(node, Var) and wanted is not None
    base = env.globals.get("args", ident)
    if argcompat(native, translated):
        node.ident = Ident(ident.name, Kind.ARRAY, ident.id, base.flags, base.attr, gen=ident.gen, ops="args")
        assign(node, wanted)
        return
    found = find_translator(native, translated, env)
    if found is None:
        raise fail(env, "D_ARGS_XLATOR", f"translator for {ident.name}[{at}] from {type_name(native)} to "
                                         f"{type_name(translated)} is not defined")  # fmt: skip
    output = output_of(found, wanted)
    node.ident = Ident(ident.name, output.kind, ident.id, output.flags, base.attr, output.type, data=output.data,
                       gen=ident.gen, ops="args")  # fmt: skip
    assign(node, DYN)
