"""The checker: it gives every expression of a parsed program its type, or says what is wrong with the program.

libdtrace calls it cooking. A clause is checked once for each of its descriptions, since what `args[]` means depends on
the probe; each time a copy of its tree is, so the tree itself stays as it was parsed.

    with compilation(env):
        program = cook_program(parse(text, env), env)
        for clause in clauses(program):
            for desc in clause.descs:
                cooked = cook_clause(clause, desc, env)      # then generate code; env.probe is the probe

Follows `dt_node_cook`, `dt_cook_statement` and `dt_cook_clause` of libdtrace's `dt_parser.c`, and the order in which
`dt_cc.c` goes about it. The parts are in `cook_*.py`, `xlators.py` and `sugar.py`.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from smartos.dtrace.check import attributes, context, cook_decl, cook_op1, cook_op2, dispatch  # noqa: F401 (they register)
from smartos.dtrace.check.construct import build
from smartos.dtrace.check.dispatch import cook_list, cooks
from smartos.dtrace.check.nodes import assign, diftype, fail, is_scalar, node_name, set_attr, type_name, type_size
from smartos.dtrace.check.sugar import desugar
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Is
from smartos.dtrace.tree import (
    Clause,
    ExprStatement,
    FuncStatement,
    Inline,
    Node,
    ProbeDesc,
    Program,
    ProviderDecl,
    Xlator,
)  # fmt: skip

__all__ = ["assign", "clauses", "compilation", "cook", "cook_clause", "cook_program", "copied", "diftype", "node_name",
           "type_name", "type_size"]  # fmt: skip


def cook(node: Node, env: Environment, flags: Is = Is.NONE) -> Node:
    """Check one expression (or a definition) as it was parsed; the node to use in its place. Raises DError."""
    env.depth = 0
    return dispatch.cook(build(node, env), env, flags)


_USE = Is.REF | Is.MOD | Is.DIFR | Is.DIFW


@contextmanager
def compilation(env: Environment) -> Iterator[Environment]:
    """One compilation: what it makes is told from what was there before, and goes if it fails.

    Everything that belongs to it stands in the block: parsing, checking, code generation.
    """
    env.gen += 1
    env.locals.clear()
    env.scopes.clear()
    env.depth, env.line, env.region = 0, 0, ""
    for ident in (*env.globals.values(), *env.threads.values()):
        ident.flags &= ~_USE
    types = env.types
    types.undo.append({name: dict(types.scopes[name]) for name in ("C", "D")})
    sugar = env.has_sugar
    try:
        yield env
    except BaseException as error:
        _discard(env)
        env.has_sugar = sugar
        if isinstance(error, RecursionError):
            raise DError("D_UNKNOWN", "expression is nested too deeply", env.line) from None
        raise
    finally:
        _keep(env)
        context.leave(env)
        env.scopes.clear()
        env.region = ""


def _discard(env: Environment) -> None:
    """Undo what a failed compilation has defined."""
    for table in (env.globals, env.threads, env.aggregations):
        for name in [name for name, ident in table.items() if ident.gen == env.gen]:
            del table[name]
    env.xlators[:] = [one for one in env.xlators if one.souid is None or one.souid.gen != env.gen]
    for name in [name for name, provider in env.providers.items() if provider.gen == env.gen]:
        del env.providers[name]
    for name, table in env.types.undo[-1].items():
        env.types.scopes[name].clear()
        env.types.scopes[name].update(table)


def _keep(env: Environment) -> None:
    """What this compilation has defined stays, even if the one that caused it (a library's is within a program's) fails."""
    before = env.types.undo.pop()
    for outer in env.types.undo:
        for name, table in before.items():
            outer[name].update((key, kind) for key, kind in env.types.scopes[name].items() if table.get(key) is not kind)


def cook_program(program: Program, env: Environment) -> Program:
    """Check all that stands outside of clauses, and take the sugar from those; the program to compile.

    Its clauses are built (constants folded, functions found) and still to be checked, each for each of its descriptions.
    """
    parts: list[Node] = []
    for part in program.parts:
        if isinstance(part, Inline | Xlator) and not part.cooked:
            parts.append(cook(part, env, Is.REF))
        elif isinstance(part, Clause):
            env.line = part.line
            parts.append(build(part, env))
        else:
            parts.append(part)
    program.parts = []
    for part in parts:
        program.parts.extend(desugar(part, env) if isinstance(part, Clause) else [part])
    for part in program.parts:
        if isinstance(part, ProviderDecl):
            cook(part, env, Is.REF)
    return program


def clauses(program: Program) -> list[Clause]:
    """A program's clauses, in order."""
    return [part for part in program.parts if isinstance(part, Clause)]


def cook_clause(clause: Clause, desc: ProbeDesc, env: Environment) -> Clause:
    """Check a copy of a clause for one of its descriptions; the copy.

    `env.desc` and `env.probe` are then the description and the probe that stands for it (None if they are not alike),
    until the next clause or the end of the compilation. Raises DError, D_PDESC_ZERO first of all.
    """
    attr = context.enter(desc, env)
    fresh = copied(clause)
    assert isinstance(fresh, Clause)
    fresh.descs = [desc]
    env.depth, env.line = 0, clause.line
    set_attr(fresh, attr, env)
    try:
        _cook_parts(fresh, env)
    finally:
        env.region = ""
    return fresh


def _cook_parts(clause: Clause, env: Environment) -> None:
    """The statements, then the predicate; the other way round if the statements need a variable that the predicate makes."""
    if clause.pred is None:
        _actions(clause, env)
        return
    saved = copied(clause)
    assert isinstance(saved, Clause)
    try:
        _actions(clause, env)
    except DError as error:
        if error.tag not in ("D_IDENT_UNDEF", "D_VAR_UNDEF"):
            raise
        env.scopes.clear()
        env.depth, env.line = 0, clause.line
        _predicate(clause, env)
        clause.statements = saved.statements
        _actions(clause, env)
    else:
        _predicate(clause, env)


def _actions(clause: Clause, env: Environment) -> None:
    env.region = "action list"
    set_attr(clause, cook_list(clause.statements, env, Is.REF), env)
    env.region = ""


def _predicate(clause: Clause, env: Environment) -> None:
    assert clause.pred is not None
    env.region = "predicate"
    clause.pred = dispatch.cook(clause.pred, env, Is.REF)
    set_attr(clause, attributes.least(clause.attr, clause.pred.attr), env)
    if not is_scalar(clause.pred):
        raise fail(env, "D_PRED_SCALAR", "predicate result must be of scalar type")
    env.region = ""


@cooks(ExprStatement, FuncStatement)
def cook_statement(node: ExprStatement | FuncStatement, env: Environment, flags: Is) -> Node:
    """A statement."""
    node.expr = dispatch.cook(node.expr, env, flags)
    set_attr(node, node.expr.attr, env)
    return node


def copied(node: Node) -> Node:
    """A copy of a node and all under it; identifiers and types stay the same objects, and a clause's descriptions, too."""
    new = copy.copy(node)
    for name, value in vars(new).items():
        if name == "descs":
            continue
        if isinstance(value, Node):
            setattr(new, name, copied(value))
        elif isinstance(value, list):
            setattr(new, name, [copied(part) if isinstance(part, Node) else part for part in value])
    return new
