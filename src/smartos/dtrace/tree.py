"""The parse tree of a D program: what the parser builds and the checker gives types to.

The checker ("cooks", in libdtrace's word) a tree from the leaves up; it may return another node in a node's place, so
whoever holds a child stores what came back. After it every expression has its :attr:`Node.type` and flags, which is
all that the code generator asks for.

The node kinds are those of libdtrace's `dt_parser.h`.
"""

from dataclasses import dataclass, field
from typing import Any

from smartos.dtrace.ctf import CType
from smartos.dtrace.ident import Ident, Stability


@dataclass(eq=False, kw_only=True)
class Node:
    """Any node. `line` is where it begins; `type` is None until it is cooked."""

    line: int = 0
    type: CType | None = None
    signed: bool = False  # the value is a signed quantity
    cooked: bool = False
    ref: bool = False  # passed by reference: a string, array, struct or union
    lvalue: bool = False
    writable: bool = False
    bitfield: bool = False
    userland: bool = False  # an address in a user process
    attr: Stability = Stability()
    reg: int = -1  # register given by the code generator


@dataclass(eq=False)
class Int(Node):
    """An integer constant: `value` as an unsigned 64-bit number; `suffix` as written, lower case ("", "u", "l", "ul", "ll", "ull")."""

    value: int
    suffix: str = ""
    decimal: bool = True
    char: bool = False


@dataclass(eq=False)
class String(Node):
    """A string constant, without quotes and with its escapes worked out."""

    value: bytes


@dataclass(eq=False)
class Name(Node):
    """An identifier not yet looked up, `` mod`name `` included, and an aggregation's with its `@`."""

    name: str


@dataclass(eq=False)
class Var(Node):
    """A variable; `args` are the keys of an array's element, None where it is not indexed."""

    ident: Ident
    args: list[Node] | None = None


@dataclass(eq=False)
class Sym(Node):
    """A kernel symbol, `` genunix`physmem ``."""

    ident: Ident


@dataclass(eq=False)
class TypeRef(Node):
    """A type in the place of an operand, for sizeof, casts, stringof, xlate and parameters. `string` and so on too."""

    name: str = ""


@dataclass(eq=False)
class Func(Node):
    """A call of a function; `ident` is set by the checker."""

    name: str
    args: list[Node] = field(default_factory=list)
    ident: Ident | None = None


@dataclass(eq=False)
class Op1(Node):
    """A unary operator: one of `- + ~ ! * & sizeof stringof pre++ pre-- post++ post-- offsetof`; a cast is Op2 "()"."""

    op: str
    child: Node
    name: str = ""  # offsetof: the member
    ident: Ident | None = None  # the translator's, where the operand is translated


@dataclass(eq=False)
class Op2(Node):
    """A binary operator as D writes it: `+ == && ^^ = += -> . [ , () xlate`.

    `()` is a cast and `xlate` a translation: `left` is the TypeRef. `->` and `.` have a Name at their right, `[` the list
    of indices folded with `,` is not used: `right` is one node, and a tuple is in `keys`.
    """

    op: str
    left: Node
    right: Node
    keys: list[Node] | None = None  # `[`: all the keys, the first of them also at `right`
    ident: Ident | None = None


@dataclass(eq=False)
class Op3(Node):
    """`test ? left : right`."""

    test: Node
    left: Node
    right: Node


@dataclass(eq=False)
class ExprStatement(Node):
    """A statement that is an expression (DT_NODE_DEXPR)."""

    expr: Node


@dataclass(eq=False)
class FuncStatement(Node):
    """A statement that calls an action: `trace(…);` (DT_NODE_DFUNC). `expr` is the Func."""

    expr: Node


@dataclass(eq=False)
class Agg(Node):
    """`@name[keys] = func(…)` as a statement's expression: `func` is None in `@a` used as an argument."""

    ident: Ident
    keys: list[Node] = field(default_factory=list)
    func: Func | None = None


@dataclass(eq=False)
class If(Node):
    """`if (test) { body } else { other }`: sugar, gone after :mod:`~smartos.dtrace.check.sugar`."""

    test: Node
    body: list[Node]
    other: list[Node] = field(default_factory=list)


@dataclass(eq=False)
class ProbeDesc(Node):
    """One description of a clause: its four parts, or a probe's number."""

    provider: str = ""
    module: str = ""
    function: str = ""
    name: str = ""
    id: int = 0

    def __str__(self) -> str:
        if self.id:
            return str(self.id)
        return f"{self.provider}:{self.module}:{self.function}:{self.name}"


@dataclass(eq=False)
class Clause(Node):
    """Descriptions, predicate (or None) and statements."""

    descs: list[ProbeDesc]
    pred: Node | None
    statements: list[Node]
    locals: dict[str, Ident] = field(default_factory=dict)


@dataclass(eq=False)
class Inline(Node):
    """`inline type name = expr;`, kept in its ident once cooked."""

    ident: Ident
    expr: Node


@dataclass(eq=False)
class XlatorMember(Node):
    """`name = expr;` in a translator, or a typed member that a declaration gave."""

    name: str
    expr: Node


@dataclass(eq=False)
class Xlator(Node):
    """`translator dst < src name > { members }`. Once checked `ident` is the parameter's, `souid` and `ptrid` those of its output."""

    dst: CType
    src: CType
    param: str
    members: list[XlatorMember]
    ident: Ident | None = None
    souid: Ident | None = None
    ptrid: Ident | None = None


@dataclass(eq=False)
class ProbeDecl(Node):
    """`probe name(args : xargs);` in a provider's declaration."""

    name: str
    native: list[Node]
    translated: list[Node] | None = None


@dataclass(eq=False)
class ProviderDecl(Node):
    """`provider name { probes };`. `again` is whether the provider was known before (None: nobody has looked)."""

    name: str
    probes: list[ProbeDecl]
    again: bool | None = None


@dataclass(eq=False)
class Program(Node):
    """All that a file holds, in order: clauses, inlines, translators, providers (declarations act while they are parsed)."""

    parts: list[Any] = field(default_factory=list)
