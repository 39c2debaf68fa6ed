"""What is worked out while a tree is built, before it is checked: types of integers, constant expressions, functions' names.

C wants constant expressions in some places (the size of an array, a bit-field's width), so integer arithmetic on
constants is done here, on the tree as it was parsed, from the leaves up. A division by the constant 0 is an error even
where it would never be reached.

Follows the node constructors of libdtrace's `dt_parser.c` (`dt_node_int`, `dt_node_op1`, `dt_node_op2`, `dt_node_op3`,
`dt_node_func`, `dt_node_offsetof`, `dt_node_statement`).
"""

from smartos.dtrace.check import attributes
from smartos.dtrace.check.fit import promote
from smartos.dtrace.check.nodes import INT, MASK, assign, fail, is_integer, kind_name, propagate, type_size
from smartos.dtrace.ctf import STRING, C, Enum, Pointer, Qualified, Struct, Typedef, resolve, spelling
from smartos.dtrace.environment import Environment
from smartos.dtrace.ident import Is, Kind
from smartos.dtrace.tree import (
    Clause,
    ExprStatement,
    Func,
    FuncStatement,
    If,
    Inline,
    Int,
    Name,
    Node,
    Op1,
    Op2,
    Op3,
    String,
    TypeRef,
    Xlator,
)  # fmt: skip

_INTS = (("int", 0x7FFFFFFF), ("unsigned int", 0xFFFFFFFF), ("long", MASK >> 1), ("unsigned long", MASK),
         ("long long", MASK >> 1), ("unsigned long long", MASK))  # fmt: skip


def make_int(value: int, env: Environment, suffix: str = "", decimal: bool = True, line: int = 0) -> Int:
    """An integer constant with the type that C gives it; D_INT_OFLOW if it fits none."""
    return type_int(Int(value, suffix, decimal, line=line), env)


def type_int(node: Int, env: Environment) -> Int:
    """Give an integer constant the first type of C's list for its suffix that can hold it."""
    first = node.suffix.lower().count("u") + 2 * node.suffix.lower().count("l")
    for name, limit in _INTS[first :: 2 if node.decimal or node.suffix.lower().startswith("u") else 1]:
        if node.value <= limit:
            assign(node, C[name])
            return node
    raise fail(env, "D_INT_OFLOW", f"integer constant 0x{node.value:x} cannot be represented in any built-in integral type",
               node)  # fmt: skip


def build(node: Node, env: Environment) -> Node:
    """The node, or what it is folded to, with everything under it built too. Building what is built changes nothing."""
    match node:
        case Int():
            return node if node.type is not None else type_int(node, env)
        case String():
            assign(node, STRING)
        case Name():
            return _name(node, env)
        case Op1():
            node.child = build(node.child, env)
            return op1(node, env)
        case Op2():
            node.left = build(node.left, env)
            if node.keys is not None:
                node.keys = [build(key, env) for key in node.keys]
                node.right = node.keys[0]
            else:
                node.right = build(node.right, env)
            return op2(node, env)
        case Op3():
            node.test, node.left, node.right = build(node.test, env), build(node.left, env), build(node.right, env)
            return op3(node)
        case Func():
            node.args = [build(arg, env) for arg in node.args]
            return function(node, env)
        case TypeRef():
            return _type(node, env)
        case ExprStatement() | FuncStatement():
            return statement(build(node.expr, env), node.line)
        case If():
            node.test = build(node.test, env)
            node.body = [build(part, env) for part in node.body]
            node.other = [build(part, env) for part in node.other]
        case Clause():
            node.statements = [build(part, env) for part in node.statements]
            if node.pred is not None:
                node.pred = build(node.pred, env)
        case Inline():
            node.expr = build(node.expr, env)
        case Xlator():
            for member in node.members:
                member.expr = build(member.expr, env)
    return node


def statement(expr: Node, line: int) -> ExprStatement | FuncStatement:
    """A statement of an expression: one of a call of an action is a kind of its own."""
    if isinstance(expr, Func) and expr.ident is not None and expr.ident.kind is Kind.ACTFUNC:
        return FuncStatement(expr, line=line)
    return ExprStatement(expr, line=line)


def _name(node: Name, env: Environment) -> Node:
    ident = env.lookup(node.name)
    if ident is not None and Is.INLINE in ident.flags and isinstance(ident.data, Int):
        constant = Int(ident.data.value, line=node.line)
        propagate(ident.data, constant)
        return constant
    return node


def _type(node: TypeRef, env: Environment) -> TypeRef:
    """A type's stability: what C and D define is stable, what the kernel does is its own affair."""
    assert node.type is not None
    assign(node, node.type, node.userland)
    kind = node.type
    while isinstance(kind, Pointer | Qualified):
        kind = kind.to
    if isinstance(kind, Typedef | Struct | Enum):
        name = kind.name if isinstance(kind, Typedef) else spelling(kind)
        own = any(env.types.scopes[scope].get(name) is kind for scope in ("D", "C"))
        node.attr = attributes.STABLE if own else attributes.PRIVATE
    return node


def function(node: Func, env: Environment) -> Func:
    """Find the function that a call names."""
    ident = env.lookup(node.name) if node.name else None
    if not node.name:
        raise fail(env, "D_FUNC_IDENT", "function designator is not of function type", node)
    if ident is None:
        raise fail(env, "D_FUNC_UNDEF", f"undefined function name: {node.name}", node)
    if ident.kind not in (Kind.FUNC, Kind.AGGFUNC, Kind.ACTFUNC):
        raise fail(env, "D_FUNC_IDKIND", f"{kind_name(ident.kind)} '{ident.name}' may not be referenced as a function", node)
    node.ident = ident
    return node


def op1(node: Op1, env: Environment) -> Node:
    """Fold a unary operator over a constant; sizeof and offsetof of a type."""
    child = node.child
    if isinstance(child, Int) and node.op in ("-", "+", "~", "!"):
        if node.op == "-":
            child.value = -child.value & (MASK if child.signed else MASK >> 64 - 8 * type_size(child))
        elif node.op == "~":
            child.value ^= MASK
        elif node.op == "!":
            child.value = int(not child.value)
        return child
    if node.op == "offsetof":
        return _offsetof(node, env)
    if node.op == "sizeof" and isinstance(child, String | TypeRef):
        size = type_size(child)
        if size == 0:
            raise fail(env, "D_SIZEOF_TYPE", "cannot apply sizeof to an operand of unknown size", node)
        constant = Int(size, line=node.line)
        assign(constant, env.types.scopes["D"]["size_t"])
        return constant
    return node


def _offsetof(node: Op1, env: Environment) -> Int:
    assert node.child.type is not None
    base = resolve(node.child.type)
    if not isinstance(base, Struct) or not base.complete:
        raise fail(env, "D_OFFSETOF_TYPE", "offsetof operand must be a struct or union type", node)
    member = base.member(node.name)
    if member is None:
        raise fail(env, "D_UNKNOWN", f"failed to determine offset of {node.name}: Invalid member name", node)
    probe = TypeRef()
    assign(probe, member.type)
    if probe.bitfield or member.bitfield:
        raise fail(env, "D_OFFSETOF_BITFIELD", f"cannot take offset of a bit-field: {node.name}", node)
    return make_int(member.offset // 8, env, line=node.line)


def signed(value: int) -> int:
    """The 64 bits of a constant as a signed number."""
    return value - (1 << 64) if value >> 63 else value


def _quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_LOGIC = {"||": lambda a, b: a or b, "^^": lambda a, b: bool(a) ^ bool(b), "&&": lambda a, b: a and b,
          "==": lambda a, b: a == b, "!=": lambda a, b: a != b}  # fmt: skip
_ORDER = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}
_ARITHMETIC = {"|": lambda a, b: a | b, "^": lambda a, b: a ^ b, "&": lambda a, b: a & b, "+": lambda a, b: a + b,
               "-": lambda a, b: a - b, "*": lambda a, b: a * b}  # fmt: skip
_SHIFT = {"<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63)}
_DIVISION = {"/": _quotient, "%": lambda a, b: a - b * _quotient(a, b)}


def op2(node: Op2, env: Environment) -> Node:
    """Fold a binary operator over two constants, or a cast of one; D_DIV_ZERO for a division by the constant 0."""
    left, right, op = node.left, node.right, node.op
    if isinstance(right, Int) and right.value == 0 and op in ("/", "%", "/=", "%="):
        raise fail(env, "D_DIV_ZERO", "expression contains division by zero", node)
    if isinstance(left, Int) and isinstance(right, Int) and (result := _fold(op, left, right)):
        result.line = node.line
        return result
    if op == "()" and isinstance(right, Int) and is_integer(left):
        cast(left, right)
        attr = right.attr
        propagate(left, right)
        right.attr = attributes.least(left.attr, attr)
        return right
    return node


def _fold(op: str, left: Int, right: Int) -> Int | None:
    a, b = left.value, right.value
    result = Int(0)
    if op in _LOGIC:
        result.value = int(bool(_LOGIC[op](a, b)))
        assign(result, INT)
        return result
    if op in _SHIFT:
        result.value = _SHIFT[op](a, b) & MASK
        propagate(left, result)
        return result
    assign(result, promote(left, right))
    if op in _ARITHMETIC:
        result.value = _ARITHMETIC[op](a, b) & MASK
        return result
    if result.signed:
        a, b = signed(a), signed(b)
    if op in _ORDER:
        result.value = int(_ORDER[op](a, b))
        assign(result, INT)
        return result
    if op in _DIVISION:
        result.value = _DIVISION[op](a, b) & MASK
        return result
    return None


def cast(target: Node, constant: Int) -> None:
    """Cut or extend a constant's value to the size of the target's type."""
    source, size = type_size(constant), type_size(target)
    if size < source:
        constant.value &= MASK >> 64 - 8 * size if size else 0
    elif size > source:
        value = constant.value & MASK >> 64 - 8 * source if source else 0
        if constant.signed and source and value >> 8 * source - 1:
            value |= (MASK >> 64 - 8 * size if size < 8 else MASK) & ~(MASK >> 64 - 8 * source)
        constant.value = value


def op3(node: Op3) -> Node:
    """Choose, where the condition is a constant."""
    if isinstance(node.test, Int):
        return node.left if node.test.value else node.right
    return node
