"""The typed tree of a D clause, as rows: how deep, what the node is, which C type the checker gave it."""

from dataclasses import dataclass

from smartos.dtrace.check.cook import clauses, compilation, cook_clause, cook_program
from smartos.dtrace.ctf import DYN, type_name
from smartos.dtrace.environment import Environment
from smartos.dtrace.parse.parser import parse
from smartos.dtrace.tree import Agg, ExprStatement, Func, FuncStatement, Int, Node, Op1, Op2, Op3, String, TypeRef, Var
from smartos.dtrace.vm.steps import signed


@dataclass(frozen=True)
class Row:
    """One node. `type` is empty for what has none: an action, an aggregation, a heading."""

    depth: int
    label: str
    type: str = ""


def rows(text: str, env: Environment) -> list[Row]:
    """The checked tree of a program of one clause. Raises DError."""
    with compilation(env):
        clause = clauses(cook_program(parse(text, env), env))[0]
        clause = cook_clause(clause, clause.descs[0], env)
    found = [Row(0, "predicate"), *_node(clause.pred, 1)] if clause.pred is not None else []
    for statement in clause.statements:
        found += [Row(0, "action"), *_node(statement, 1)]
    return found


def _node(node: Node, depth: int) -> list[Row]:
    if isinstance(node, ExprStatement | FuncStatement):
        return _node(node.expr, depth)
    label, children = _label(node)
    return [Row(depth, label, _type(node)), *(row for child in children for row in _node(child, depth + 1))]


def _type(node: Node) -> str:
    if node.type is None or node.type is DYN or isinstance(node, Agg):
        return ""
    name = type_name(node.type)
    return "" if name == "void" else name


def _label(node: Node) -> tuple[str, list[Node]]:
    """What a node is called, and the nodes under it."""
    match node:
        case Int():
            return str(signed(node.value)), []
        case String():
            return f'"{node.value.decode("latin-1")}"', []
        case Var():
            return node.ident.name, list(node.args or [])
        case TypeRef():
            return "a type", []
        case Func():
            return f"{node.name}()", list(node.args)
        case Op1():
            return node.op, [node.child]
        case Op2(op="()"):
            return "cast", [node.right]
        case Op2():
            return node.op, [node.left, node.right]
        case Op3():
            return "? :", [node.test, node.left, node.right]
        case Agg():
            keys = [key for key in node.keys if isinstance(key, Node)]
            return f"@{node.ident.name if node.ident.name != '_' else ''}", [*keys, *([node.func] if node.func else [])]
    return type(node).__name__, []
