"""Whether two values go together: as operands of arithmetic, as pointers, as parameter and argument.

Follows `dt_type_promote`, `dt_node_is_ptrcompat` and `dt_node_is_argcompat` of libdtrace's `dt_parser.c`.
"""

from smartos.dtrace.check.nodes import INT, base_of, is_dynamic, is_integer, is_strcompat, is_void_type
from smartos.dtrace.ctf import (
    STACK,
    SYMADDR,
    USYMADDR,
    Array,
    C,
    CType,
    Enum,
    Function,
    Pointer,
    Struct,
    compatible,
    resolve,
)  # fmt: skip
from smartos.dtrace.tree import Int, Node

_RANK = {kind: at for at, kind in enumerate(C.values())}


def promote(left: Node, right: Node) -> CType:
    """The type of an arithmetic operation on two integers or enums, by C's usual conversions but without widening to int."""
    a, b = _integral(left), _integral(right)
    a_base, b_base = resolve(a), resolve(b)
    a_rank, b_rank = a_base.bits + (not a_base.signed), b_base.bits + (not b_base.signed)  # type: ignore[attr-defined]
    if a_rank == b_rank:
        return b if _RANK.get(a_base, 0) < _RANK.get(b_base, 0) else a
    return a if a_rank > b_rank else b


def _integral(node: Node) -> CType:
    assert node.type is not None
    return INT if isinstance(resolve(node.type), Enum) else node.type


def ptrcompat(left: Node, right: Node) -> CType | None:
    """The pointer type that two pointers (or one and the constant 0) have in common, or None."""
    if is_dynamic(left) or is_dynamic(right):
        return None
    l_int, r_int = is_integer(left), is_integer(right)
    if l_int and r_int or any(i and not (isinstance(n, Int) and n.value == 0) for i, n in ((l_int, left), (r_int, right))):
        return None
    if not l_int and not r_int and left.userland != right.userland:
        return None
    a = base_of(right if l_int else left)
    b = base_of(left if r_int else right)
    a_to, b_to = _target(a), _target(b)
    if a_to is None or b_to is None:
        return None
    a_void, b_void = is_void_type(a_to), is_void_type(b_to)
    if not (a_void or b_void or compatible(a_to, b_to)):
        return None
    return a if b_void else b


def _target(base: CType) -> CType | None:
    return base.to if isinstance(base, Pointer) else base.of if isinstance(base, Array) else None


def argcompat(formal: Node, actual: Node) -> bool:
    """Whether a value may be passed for a parameter, used as a key, or assigned."""
    if is_integer(formal) and is_integer(actual) or is_strcompat(formal) and is_strcompat(actual):
        return True
    if any(formal.type is kind and actual.type is kind for kind in (STACK, SYMADDR, USYMADDR)):
        return True
    if isinstance(base_of(formal), Function | Struct) and not _is_forward(formal):
        return compatible(formal.type, actual.type)  # type: ignore[arg-type]
    return ptrcompat(formal, actual) is not None


def _is_forward(node: Node) -> bool:
    base = base_of(node)
    return isinstance(base, Struct) and not base.complete
