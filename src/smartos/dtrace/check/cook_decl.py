"""Checking what stands outside of clauses: inlines and providers' declarations.

An inline is an expression with a name, and with parameters perhaps; it is checked before its name is known, so it cannot
use itself. A provider's declaration either makes a provider known or must agree with the one that the system has.

Follows `dt_node_inline`, `dt_cook_inline`, `dt_cook_provider` and `dt_cook_probe` of libdtrace's `dt_parser.c`, and
`dt_probe_argmap` of `dt_provider.c`. What can be said of a declaration without its expression the parser has checked.
"""

from dataclasses import dataclass, field

from smartos.dtrace.check import attributes
from smartos.dtrace.check.construct import build
from smartos.dtrace.check.dispatch import cook, cooks
from smartos.dtrace.check.fit import argcompat
from smartos.dtrace.check.nodes import assign, fail, is_dynamic, is_void, resolve_ident, resolved, type_name
from smartos.dtrace.check.xlators import find_translator
from smartos.dtrace.ctf import CType, Pointer, compatible, resolve
from smartos.dtrace.ctf import type_name as name_of_type
from smartos.dtrace.environment import Environment, ProbeArg, ProbeInfo
from smartos.dtrace.ident import Is, Kind
from smartos.dtrace.tree import Inline, Node, ProbeDecl, ProbeDesc, ProviderDecl, Sym, TypeRef, Var


@cooks(Inline)
def cook_inline(node: Inline, env: Environment, flags: Is) -> Node:
    """An inline: its expression, with its parameters in sight; then its name is known."""
    ident = node.ident
    if env.globals.get(ident.name) is ident:
        return node
    assert ident.type is not None
    assign(node, ident.type)
    if ident.params is not None:
        env.scopes.append({param.name: param for param in ident.params if param is not None})
    expr = node.expr = cook(build(node.expr, env), env, Is.REF)
    if ident.params is not None:
        env.scopes.pop()
    behind = expr.ident if is_dynamic(expr) or isinstance(expr, Var | Sym) else None  # type: ignore[attr-defined]
    if behind is not None:
        behind = resolve_ident(behind) if is_dynamic(expr) else behind
        ident.flags |= behind.flags & (Is.WRITE | Is.USER)
    ident.attr = attributes.least(attributes.STABLE, expr.attr)
    ident.data = expr
    env.globals[ident.name] = ident
    _check_inline(node, env)
    return node


def _check_inline(node: Inline, env: Environment) -> None:
    assert node.type is not None
    left, right = type_name(node), type_name(node.expr)
    if translated := resolved(node.expr, Kind.XLSOU) or resolved(node.expr, Kind.XLPTR):
        kind, target = resolve(node.type), resolve(translated.data.dst)
        if isinstance(kind, Pointer):
            kind = resolve(kind.to)
        fits, left, right = compatible(kind, target), name_of_type(kind), name_of_type(target)
    else:
        fits = argcompat(node, node.expr)
    if not fits:
        raise fail(env, "D_OP_INCOMPAT", f"inline {node.ident.name} definition uses incompatible types: "
                                         f'"{left}" = "{right}"', node)  # fmt: skip


@dataclass(eq=False)
class Provider:
    """A provider that a program declared. `shared` is one that the system has too."""

    name: str
    shared: bool = False
    attrs: attributes.Provider = attributes.DECLARED
    probes: dict[str, ProbeInfo] = field(default_factory=dict)
    gen: int = 0


def declare_provider(node: ProviderDecl, env: Environment) -> Provider:
    """Make a declaration's provider known, or find that it is; pragmas may be about it from then on."""
    name = node.name
    if node.again is None:
        node.again = name in env.providers
        if not node.again:
            known = [probe for probe in env.probes.matching(ProbeDesc(provider=name)) if probe.provider == name]
            node.again = bool(known)
            attrs = attributes.of_provider(name) if known else attributes.DECLARED
            env.providers[name] = Provider(name, bool(known), attrs, {probe.name: probe for probe in known}, env.gen)
    return env.providers[name]


@cooks(ProviderDecl)
def cook_provider(node: ProviderDecl, env: Environment, flags: Is) -> Node:
    """A provider and its probes; of a known provider, that they are the same."""
    provider = declare_provider(node, env)
    again = node.again
    for probe in node.probes:
        info = ProbeInfo(0, node.name, "", "", probe.name, _arguments(probe), provider.attrs)
        before = provider.probes.get(info.name)
        if before is not None and again:
            _same(provider, probe, before, info, env)
        elif before is None and again:
            raise fail(env, "D_PROV_INCOMPAT", f"provider interface mismatch: {node.name}\n"
                       f"\t current: probe {node.name}:::{info.name} defined\n"
                       f"\tprevious: probe {node.name}:::{info.name} not defined", probe)  # fmt: skip
        elif before is not None:
            raise fail(env, "D_PROV_PRDUP", f"probe redeclared: {node.name}:::{info.name}", probe)
        else:
            provider.probes[info.name] = info
        _translatable(provider, probe, info, env)
    return node


def _arguments(probe: ProbeDecl) -> list[ProbeArg]:
    native = [arg for arg in probe.native if arg.type is not None and not is_void(arg)]
    if probe.translated is None:
        return [ProbeArg(arg.type, at) for at, arg in enumerate(native) if arg.type is not None]
    found = []
    names = [getattr(arg, "name", "") for arg in native]
    for at, arg in enumerate(arg for arg in probe.translated if arg.type is not None and not is_void(arg)):
        name = getattr(arg, "name", "")
        mapping = names.index(name) if name and name in names else at
        assert arg.type is not None
        found.append(ProbeArg(native[mapping].type, mapping, arg.type))  # type: ignore[arg-type]
    return found


def _outputs(info: ProbeInfo) -> list[CType]:
    return [arg.translated or arg.native for arg in info.args or []]


def _same(provider: Provider, node: ProbeDecl, old: ProbeInfo, new: ProbeInfo, env: Environment) -> None:
    """Hold a probe's declaration against what is known of it."""
    before, now = _outputs(old), _outputs(new)
    name = f"{provider.name}:::{new.name}"
    if len(before) != len(now):
        raise fail(env, "D_PROV_INCOMPAT", f"probe {name} output prototype mismatch:\n"
                   f"\t current: {len(now)} arg{'s' if len(now) != 1 else ''}\n"
                   f"\tprevious: {len(before)} arg{'s' if len(before) != 1 else ''}", node)  # fmt: skip
    for at, (a, b) in enumerate(zip(before, now, strict=True), 1):
        if a is not b and not compatible(a, b):
            raise fail(env, "D_PROV_INCOMPAT", f"probe {name} output prototype argument #{at} mismatch:\n"
                       f"\t current: {name_of_type(b)}\n\tprevious: {name_of_type(a)}", node)  # fmt: skip


def _translatable(provider: Provider, node: ProbeDecl, info: ProbeInfo, env: Environment) -> None:
    if node.translated is None:
        return
    for at, arg in enumerate(info.args or [], 1):
        native, output = TypeRef(), TypeRef()
        assign(native, arg.native)
        assign(output, arg.translated or arg.native)
        if find_translator(native, output, env) is None and not argcompat(native, output):
            raise fail(env, "D_PROV_PRXLATOR", f"translator for {provider.name}:::{info.name} output argument #{at} from "
                       f"{type_name(native)} to {type_name(output)} is not defined", node)  # fmt: skip


