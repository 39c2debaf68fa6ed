"""What the checker asks of a node: what kind of type it has, its size, its name in a message.

A node's `type` is a C type, or one of D's own: STRING, DYN (translated data, aggregations, arrays whose values have no
type yet), STACK, SYMADDR and USYMADDR. The flags `signed`, `ref`, `bitfield` and `userland` follow from the type and
are set together with it by :func:`assign`.

Follows the questions of libdtrace's `dt_parser.c` (`dt_node_is_…`, `dt_node_diftype`) and
`dt_ident_resolve`. Left out: programs of the other data model.
"""

from smartos.dtrace.check import attributes
from smartos.dtrace.ctf import (
    DYN,
    STACK,
    STRING,
    SYMADDR,
    USYMADDR,
    Array,
    C,
    CType,
    Enum,
    Float,
    Function,
    Integer,
    Pointer,
    Struct,
    resolve,
    sizeof,
)  # fmt: skip
from smartos.dtrace.ctf import (
    is_string as is_string_type,
)
from smartos.dtrace.ctf import (
    type_name as name_of_type,
)
from smartos.dtrace.dif import BYREF, BYUREF, CTF, STR, DifType
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Is, Kind, Stability
from smartos.dtrace.tree import (
    Agg,
    Clause,
    ExprStatement,
    Func,
    FuncStatement,
    Inline,
    Int,
    Name,
    Node,
    Op1,
    Op2,
    Op3,
    ProbeDesc,
    Program,
    String,
    Sym,
    TypeRef,
    Var,
    Xlator,
    XlatorMember,
)  # fmt: skip

MASK = (1 << 64) - 1
INT = C["int"]
_KINDS = {
    Kind.ARRAY: "associative array", Kind.SCALAR: "scalar", Kind.PTR: "pointer", Kind.FUNC: "function",
    Kind.AGG: "aggregation", Kind.AGGFUNC: "aggregating function", Kind.ACTFUNC: "tracing function",
    Kind.XLSOU: "translated data", Kind.XLPTR: "pointer to translated data",
    Kind.SYMBOL: "external symbol reference", Kind.ENUM: "enumerator", Kind.PROBE: "probe definition",
}  # fmt: skip


def fail(env: Environment, tag: str, message: str, node: Node | None = None) -> DError:
    """The error to raise: at a node's own line if one is given, else at that of the node that is being checked."""
    return DError(tag, message, node.line if node is not None else env.line, env.region, env.file)


def kind_name(kind: Kind) -> str:
    """What messages call a kind of identifier."""
    return _KINDS[kind]


# Types of nodes


def assign(node: Node, kind: CType, user: bool = False) -> None:
    """Give a node a type, and the flags that follow from it."""
    base = resolve(kind)
    node.signed = node.ref = node.bitfield = False
    match base:
        case Integer():
            size = base.bits // 8
            node.bitfield = size > 8 or base.bits % 8 != 0 or bool(size & (size - 1))
            node.signed = base.signed
        case Float():
            node.ref = base.size > 8
        case Struct() | Array() | Function():
            node.ref = True
    node.ref = node.ref or kind is DYN
    node.userland, node.cooked, node.type = user, True, kind


def propagate(source: Node, node: Node) -> None:
    """Give a node another's type and flags, all but that of an lvalue."""
    node.type, node.cooked, node.lvalue = source.type, True, False
    node.signed, node.ref, node.bitfield = source.signed, source.ref, source.bitfield
    node.userland, node.writable = source.userland, source.writable


def set_attr(node: Node, attr: Stability, env: Environment) -> None:
    """Give a node its stability; D_ATTR_MIN if that is less than `-x amin` allows."""
    if attributes.below(attr, env.amin):
        raise fail(env, "D_ATTR_MIN", f"attributes for {node_name(node)} ({attr}) are less than predefined minimum", node)
    node.attr = attr


def base_of(node: Node) -> CType:
    """The type of a node without typedefs and qualifiers."""
    assert node.type is not None, node
    return resolve(node.type)


def is_void_type(kind: CType) -> bool:
    """Whether a type is void, by whatever typedef."""
    base = resolve(kind)
    return isinstance(base, Integer) and base.size == 0


def is_char_type(kind: CType) -> bool:
    """Whether a type is a kind of char."""
    base = resolve(kind)
    return isinstance(base, Integer) and base.char


def is_integer(node: Node) -> bool:
    """Whether it is an integer or an enum, and not void."""
    base = base_of(node)
    return isinstance(base, Enum) or isinstance(base, Integer) and base.size > 0


is_arith = is_integer  # D computes with no floating-point numbers


def is_scalar(node: Node) -> bool:
    """Whether it is an integer, enum or pointer."""
    return is_integer(node) or isinstance(base_of(node), Pointer)


def is_vfptr(node: Node) -> bool:
    """Whether it is a pointer to void or to a function, with which there is no arithmetic."""
    base = base_of(node)
    return isinstance(base, Pointer) and (isinstance(resolve(base.to), Function) or is_void_type(base.to))


def is_dynamic(node: Node) -> bool:
    """Whether generic operations make no sense on it: translated data, an aggregation, an array's untyped value."""
    if isinstance(node, Var) and Is.INLINE in node.ident.flags:
        return node.ident.data is not None and is_dynamic(node.ident.data)
    return node.type is DYN


def is_string(node: Node) -> bool:
    """Whether it is D's string."""
    return node.type is not None and is_string_type(node.type)


def is_strcompat(node: Node) -> bool:
    """Whether it can be taken as a string: a string, or a pointer to or array of char."""
    base = base_of(node)
    return isinstance(base, Pointer) and is_char_type(base.to) or isinstance(base, Array) and is_char_type(base.of)


def is_pointer(node: Node) -> bool:
    """Whether it is a pointer or an array, and no string."""
    return not is_string(node) and isinstance(base_of(node), Pointer | Array)


def is_void(node: Node) -> bool:
    """Whether it has no value."""
    if is_dynamic(node) or node.type in (STACK, SYMADDR, USYMADDR):
        return False
    assert node.type is not None
    return is_void_type(node.type)


def is_posconst(node: Node) -> bool:
    """Whether it is an integer constant above 0."""
    return isinstance(node, Int) and node.value != 0 and not (node.signed and node.value >> 63)


def is_actfunc(node: Node) -> bool:
    """Whether it calls an action."""
    return isinstance(node, Func) and node.ident is not None and node.ident.kind is Kind.ACTFUNC


# Identifiers behind nodes


def ident_of(node: Node) -> Ident | None:
    """The identifier that a node stands for, if it stands for one."""
    return getattr(node, "ident", None)


def resolve_ident(ident: Ident) -> Ident:
    """The identifier behind inlines that only name another."""
    while Is.INLINE in ident.flags and ident.data is not None:
        root = ident.data
        if not (isinstance(root, Var | Sym | Func | Agg) or is_dynamic(root)):
            break
        ident = root.ident
    return ident


def resolved(node: Node, kind: Kind) -> Ident | None:
    """The identifier of that kind that a node stands for, through inlines; None if it does not."""
    if isinstance(node, Var | Sym | Func | Agg) or is_dynamic(node):
        ident = ident_of(node)
        if ident is not None and (ident := resolve_ident(ident)).kind is kind:
            return ident
    return None


def unreferenced(ident: Ident, env: Environment) -> bool:
    """Whether this compilation made the identifier and nothing has yet read, written or declared it."""
    return ident.gen == env.gen and not ident.flags & (Is.REF | Is.MOD | Is.DECL)


# Sizes, names, DIF types


def type_size(node: Node) -> int:
    """Bytes of a node's value; of a string constant, its own length with the NUL."""
    if isinstance(node, String):
        return len(node.value) + 1
    if is_dynamic(node) and (ident := ident_of(node)) is not None:
        return ident_size(resolve_ident(ident))
    assert node.type is not None
    return sizeof(node.type)


def ident_size(ident: Ident) -> int:
    """Bytes of what an identifier names; 0 of functions, arrays and aggregations."""
    if ident.kind in (Kind.ARRAY, Kind.AGG, Kind.FUNC, Kind.AGGFUNC, Kind.ACTFUNC) or ident.type is None:
        return 0
    return sizeof(ident.type)


def type_name(node: Node) -> str:
    """A node's type in a message."""
    if is_dynamic(node) and (ident := ident_of(node)) is not None:
        return kind_name(resolve_ident(ident).kind)
    return ("userland " if node.userland else "") + name_of_type(node.type)


def node_name(node: Node) -> str:
    """A node in a message: `integer constant 0x1`, `scalar x`, `operator +` …"""
    match node:
        case Int():
            return f"integer constant 0x{node.value:x}"
        case String():
            return f'string constant "{escaped(node.value)}"'
        case Name():
            return f"identifier {node.name}"
        case Sym():
            return f"symbol {symbol_module(node.ident)}`{node.ident.name}"
        case Var() | Agg() | Func() | Inline():
            return _named(node.ident, node)
        case TypeRef():
            return f"type {type_name(node)}"
        case Op1() | Op2() | Op3():
            return f"operator {operator_name(node)}"
        case ExprStatement() | FuncStatement():
            return node_name(node.expr)
        case ProbeDesc():
            return f"probe description {node}"
        case Clause():
            return "clause"
        case XlatorMember():
            return f"member {node.name}"
        case Xlator():
            return f"translator <{name_of_type(node.dst)}> ({name_of_type(node.src)})"
        case Program():
            return "program"
    return f"node <{type(node).__name__}>"


def _named(ident: Ident | None, node: Node) -> str:
    if ident is None:
        return f"function {node.name}( )"  # type: ignore[attr-defined]
    suffix = "( )" if ident.kind in (Kind.FUNC, Kind.AGGFUNC, Kind.ACTFUNC) else ""
    return f"{kind_name(ident.kind)} {'@' if ident.kind is Kind.AGG else ''}{ident.name}{suffix}"


def operator_name(node: Node) -> str:
    """An operator as messages spell it."""
    if isinstance(node, Op3):
        return "?"
    op: str = node.op  # type: ignore[attr-defined]
    return "(" if op == "()" else op[-2:] if op.startswith(("pre", "post")) else op


def symbol_module(ident: Ident) -> str:
    """The module that has a kernel symbol."""
    return str(getattr(ident.data, "module", ident.data) or "")


def escaped(value: bytes) -> str:
    """A string as D would write it."""
    names = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    return "".join(names.get(b) or (chr(b) if 32 <= b < 127 else f"\\x{b:02x}") for b in value)


def diftype(node: Node) -> DifType:
    """What DIF is told of a node's value."""
    assert node.type is not None, node
    flags = (BYUREF if node.userland else BYREF) if node.ref else 0
    return diftype_of(node.type, flags)


def diftype_of(kind: CType, flags: int = 0) -> DifType:
    """What DIF is told of a type, with the flags of a value by reference."""
    if is_string_type(kind):
        return DifType(STR, 0, flags, sizeof(STRING))
    base = resolve(kind)
    match base:
        case Struct():
            ckind = (7 if base.union else 6) if base.complete else 9
        case _:
            ckind = {Integer: 1, Float: 2, Pointer: 3, Array: 4, Function: 5, Enum: 8}[type(base)]
    return DifType(CTF, ckind, flags, sizeof(kind))
