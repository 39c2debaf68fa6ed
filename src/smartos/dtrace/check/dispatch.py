"""Checking ("cooking") a node: which function does it for which kind of node. The functions register here.

Follows `dt_node_cook` of libdtrace's `dt_parser.c`.
"""

from collections.abc import Callable

from smartos.dtrace.check import attributes
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Is, Stability
from smartos.dtrace.tree import Agg, Node, Var

Cook = Callable[[Node, Environment, Is], Node]
_COOKS: dict[type, Cook] = {}
DEEPEST = 200  # nodes under each other; deeper programs are refused, as a stack that overflows would be no answer


def cooks(*kinds: type) -> Callable[[Cook], Cook]:
    """Register a function as that which checks nodes of some kinds."""

    def register(function: Cook) -> Cook:
        _COOKS.update(dict.fromkeys(kinds, function))
        return function

    return register


def cook(node: Node, env: Environment, flags: Is = Is.NONE) -> Node:
    """Check a node and all under it; the node, or the one that takes its place, has type and flags then.

    `flags` says how the value is used (Is.REF, Is.MOD) and is noted in the identifier of a variable. Raises DError.
    """
    before, env.line = env.line, node.line
    env.depth += 1
    if env.depth > DEEPEST:
        env.depth = 0
        raise DError("D_UNKNOWN", "expression is nested too deeply", node.line, env.region)
    if function := _COOKS.get(type(node)):
        node = function(node, env, flags)
    node.cooked = True
    if isinstance(node, Var | Agg):
        node.ident.flags |= flags
    env.line = before
    env.depth -= 1
    return node


def cook_list(nodes: list[Node], env: Environment, flags: Is = Is.NONE) -> Stability:
    """Check each node of a list, in place; the least of their stabilities."""
    attr = attributes.STABLE
    for at, node in enumerate(nodes):
        nodes[at] = cook(node, env, flags)
        attr = attributes.least(attr, nodes[at].attr)
    return attr
