"""How many bytes a checked node's value has, and what DIF calls it, with the size of strings that the options give.

The questions that need no options are in :mod:`~smartos.dtrace.check.nodes`. Follows `dt_node_type_size` and
`dt_node_diftype` of libdtrace's `dt_parser.c`.
"""

from dataclasses import replace

from smartos.dtrace import ctf, dif
from smartos.dtrace.check import nodes
from smartos.dtrace.ctf import CType
from smartos.dtrace.dif import DifType
from smartos.dtrace.environment import Environment
from smartos.dtrace.tree import Node, String


def is_scalar_type(kind: CType) -> bool:
    """Whether a type is an integer's, an enumeration or a pointer."""
    kind = ctf.resolve(kind)
    return isinstance(kind, ctf.Integer | ctf.Enum | ctf.Pointer) and not nodes.is_void_type(kind)


def is_signed_type(kind: CType) -> bool:
    """Whether a type's values are signed. To D an enumeration is not."""
    kind = ctf.resolve(kind)
    return isinstance(kind, ctf.Integer) and kind.signed


def passed_by_reference(kind: CType) -> bool:
    """Whether values of a type are handed about by their address."""
    kind = ctf.resolve(kind)
    if isinstance(kind, ctf.Float):
        return kind.size > 8
    return isinstance(kind, ctf.Struct | ctf.Array | ctf.Function)


def type_size(kind: CType, env: Environment) -> int:
    """Bytes of a type; those of a string are the option's."""
    return env.strsize if ctf.is_string(kind) else ctf.sizeof(kind)


def node_size(node: Node, env: Environment) -> int:
    """Bytes of a node's value. A string constant has just what it needs, and a translated thing what it becomes."""
    if nodes.is_string(node) and not isinstance(node, String):
        return env.strsize
    return nodes.type_size(node)


def _sized(shape: DifType, env: Environment) -> DifType:
    return replace(shape, size=env.strsize) if shape.kind == dif.STR else shape


def dif_type(node: Node, env: Environment) -> DifType:
    """How DIF describes the node's value."""
    return _sized(nodes.diftype(node), env)


def variable_type(kind: CType, env: Environment) -> DifType:
    """How DIF describes a variable of a type."""
    return _sized(nodes.diftype_of(kind, dif.BYREF if passed_by_reference(kind) else 0), env)
