"""Expressions of D: the parser's lower half.

Binary operators by precedence climbing, everything else by descent. A node's line is that of the last token read when
the node is made, since that is where libdtrace's messages put it.

Follows the expression rules of libdtrace's `dt_grammar.y`.
"""

from collections.abc import Callable
from typing import Any

from smartos.dtrace.check.construct import build, function, op1, op2, op3
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.parse.declare import Decl
from smartos.dtrace.parse.declare_vars import Variables
from smartos.dtrace.parse.lexer import Lexer
from smartos.dtrace.parse.tokens import Number, Token
from smartos.dtrace.tree import Func, Int, Name, Node, Op1, Op2, Op3, String

_LEVELS = ("||", "^^", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %")
_PRECEDENCE = {op: level for level, ops in enumerate(_LEVELS, 1) for op in ops.split()}
_ASSIGNMENTS = frozenset("= *= /= %= += -= <<= >>= &= ^= |=".split())
_UNARY = frozenset("& * + - ~ !".split())
SPECIFIERS = frozenset(
    "void char short int long float double signed unsigned userland string tname struct union enum".split()
)
QUALIFIERS = frozenset(("const", "restrict", "volatile"))
TYPE_START = SPECIFIERS | QUALIFIERS


class Expressions:
    """Tokens one ahead, and the rules of expressions. :class:`~smartos.dtrace.parse.parser_decl.Types` adds `type_name`."""

    def __init__(self, text: str, env: Environment) -> None:
        self.env = env
        self.lexer = Lexer(text, env)
        self.declarations = Variables(env, self.lexer)
        self._ahead: Token | None = None

    # Tokens

    def peek(self) -> str:
        """The kind of the next token, which is read if it was not."""
        if self._ahead is None:
            self._ahead = self.lexer.next()
        return self._ahead.kind

    def take(self) -> Token:
        """The next token, used up."""
        token = self._ahead or self.lexer.next()
        self._ahead = None
        return token

    def expect(self, kind: str) -> Token:
        """The next token, which must be of that kind."""
        if self.peek() != kind:
            raise self.wrong()
        return self.take()

    def wrong(self) -> DError:
        """The syntax error of the token ahead."""
        self.peek()
        return self.lexer.syntax()

    # Nodes

    def made(self, node: Node, maker: Callable[[Any, Environment], Node] = build) -> Node:
        """A node just built, or what it folds to. What is wrong with it is wrong here, at the last token."""
        node.line = node.line or self.lexer.line
        try:
            return maker(node, self.env)
        except DError as error:
            error.line, error.file = self.lexer.line, self.lexer.file
            raise

    def binary(self, op: str, left: Node, right: Node) -> Node:
        """A binary operator's node."""
        return self.made(Op2(op, left, right), op2)

    def unary(self, op: str, child: Node, name: str = "") -> Node:
        """A unary operator's node."""
        return self.made(Op1(op, child, name), op1)

    # Expressions

    def expression(self) -> Node:
        """Assignment expressions with commas between."""
        node = self.assignment()
        while self.peek() == ",":
            self.take()
            right = self.assignment()
            node = self.binary(",", node, right)
        return node

    def assignment(self) -> Node:
        """A conditional expression, or an assignment to a unary one."""
        node, unary = self._conditional()
        if self.peek() not in _ASSIGNMENTS:
            return node
        if not unary:
            raise self.wrong()
        op = self.take().kind
        right = self.assignment()
        return self.binary(op, node, right)

    def conditional(self) -> Node:
        """A conditional expression: what C calls a constant expression in a declaration."""
        return self._conditional()[0]

    def _conditional(self) -> tuple[Node, bool]:
        node, unary = self._binary(1)
        if self.peek() != "?":
            return node, unary
        self.take()
        left = self.expression()
        self.expect(":")
        right = self.conditional()
        return op3(Op3(node, left, right, line=self.lexer.line)), False

    def _binary(self, least: int) -> tuple[Node, bool]:
        node, unary = self._cast()
        while (level := _PRECEDENCE.get(self.peek(), 0)) >= least:
            op = self.take().kind
            right, _ = self._binary(level + 1)
            node, unary = self.binary(op, node, right), False
        return node, unary

    def _cast(self) -> tuple[Node, bool]:
        if self.peek() != "(":
            return self._unary(), True
        self.take()
        if self.peek() not in TYPE_START:
            return self._postfix(self._parenthesised()), True
        kind = self.type_name()
        self.expect(")")
        operand, _ = self._cast()
        return self.binary("()", self._type(kind), operand), False

    def _unary(self) -> Node:
        op = self.peek()
        if op in _UNARY:
            self.take()
            operand, _ = self._cast()
            return self.unary(op, operand)
        if op in ("++", "--"):
            self.take()
            return self.unary("pre" + op, self._unary())
        if op == "stringof":
            self.take()
            return self.unary(op, self._unary())
        if op == "sizeof":
            self.take()
            return self.unary(op, self._sizeof())
        return self._postfix(self._primary())

    def _sizeof(self) -> Node:
        if self.peek() != "(":
            return self._unary()
        self.take()
        if self.peek() not in TYPE_START:
            return self._postfix(self._parenthesised())
        kind = self.type_name()
        self.expect(")")
        return self._type(kind)

    def _type(self, decl: Decl) -> Node:
        return self.made(self.declarations.reference(decl))

    def _parenthesised(self) -> Node:
        node = self.expression()
        self.expect(")")
        return node

    def _primary(self) -> Node:
        kind = self.peek()
        if kind not in _PRIMARY:
            raise self.wrong()
        token, line = self.take(), self.lexer.line
        if kind in ("ident", "agg"):
            return self.made(Name(token.value, line=line))
        if kind == "number":
            return self._integer(token.value)
        if kind == "literal":
            return self.made(String(token.value, line=line))
        if kind in ("self", "this"):
            return Name(kind, line=line)
        if kind == "(":
            return self._parenthesised()
        return self._offsetof() if kind == "offsetof" else self._xlate()

    def _integer(self, number: Number) -> Node:
        node = self.made(Int(number.value, number.suffix, number.decimal, number.char))
        return self.unary(number.prefix, node) if number.prefix else node

    def _offsetof(self) -> Node:
        self.expect("(")
        kind = self.type_name()
        self.expect(",")
        if self.peek() not in ("ident", "tname"):
            raise self.wrong()
        name = self.take().value
        self.expect(")")
        return self.unary("offsetof", self._type(kind), name)

    def _xlate(self) -> Node:
        self.expect("<")
        kind = self.type_name()
        self.expect(">")
        self.expect("(")
        operand = self._parenthesised()
        return self.binary("xlate", self._type(kind), operand)

    def _postfix(self, node: Node) -> Node:
        while (op := self.peek()) in _POSTFIX:
            self.take()
            if op == "[":
                keys = self._arguments("]")
                node = self.made(Op2("[", node, keys[0], keys), op2)
            elif op == "(":
                args = self._arguments(")")
                node = self.made(Func(node.name if isinstance(node, Name) else "", args, line=node.line), function)
            elif op in (".", "->"):
                if self.peek() not in ("ident", "tname"):
                    raise self.wrong()
                node = self.binary(op, node, self.made(Name(self.take().value)))
            else:
                node = self.unary("post" + op, node)
        return node

    def _arguments(self, end: str) -> list[Node]:
        if end == ")" and self.peek() == end:
            self.take()
            return []
        args = [self.assignment()]
        while self.peek() == ",":
            self.take()
            args.append(self.assignment())
        self.expect(end)
        return args

    def type_name(self) -> Decl:
        """The rule of types, in the half above."""
        raise NotImplementedError


_PRIMARY = frozenset(("ident", "agg", "number", "literal", "self", "this", "(", "offsetof", "xlate"))
_POSTFIX = frozenset(("[", "(", ".", "->", "++", "--"))
