"""A checked clause to what the kernel is given: a predicate and actions, for one of its descriptions.

A statement is an expression computed for its effect, an action, or an aggregation. Nothing traces by itself: a clause
without statements is what makes dtrace(1M) print its default line. Follows `dt_compile_one_clause` of libdtrace's
`dt_cc.c`.
"""

from smartos.dtrace.check import attributes
from smartos.dtrace.check.context import stability
from smartos.dtrace.check.cook import cook_clause
from smartos.dtrace.code.actions import compile_action
from smartos.dtrace.code.aggregating import compile_aggregation
from smartos.dtrace.code.assemble import NOTHING
from smartos.dtrace.code.statements import Builder
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.program import Act, EcbDesc, Program, Statement
from smartos.dtrace.tree import Agg, Clause, ExprStatement, Func, FuncStatement, Node, ProbeDesc


def compile_clause(clause: Clause, desc: ProbeDesc, env: Environment, program: Program) -> EcbDesc:
    """Check a clause for one description, generate its code and add it to the program. Raises DError."""
    cooked = cook_clause(clause, desc, env)
    attr = stability(desc, env.probe)
    ecb = EcbDesc(desc, attr=attr, line=clause.line)
    builder = Builder(env, program, ecb, desc.line)
    if cooked.pred is not None:
        ecb.predicate = builder.generate(cooked.pred)
    if not cooked.statements:
        builder.append(builder.statement(attributes.STABLE, clause.line), cooked)
    for node in cooked.statements:
        statement = builder.statement(cooked.attr, node.line)
        _statement(builder, node, statement)
        builder.append(statement, node)
    program.ecbs.append(ecb)
    return ecb


def _statement(builder: Builder, node: Node, statement: Statement) -> None:
    expr = node.expr if isinstance(node, ExprStatement | FuncStatement) else node
    if isinstance(expr, Agg):
        compile_aggregation(builder, expr, statement)
    elif isinstance(node, FuncStatement):
        assert isinstance(expr, Func)
        compile_action(builder, expr, statement)
    elif isinstance(node, ExprStatement):
        difo = builder.generate(expr)
        difo.type = NOTHING
        builder.action(statement, Act.DIFEXPR, difo)
    else:
        kind = type(node).__name__
        raise DError("D_UNKNOWN", f"internal error -- node kind {kind} is not a valid statement", node.line)
