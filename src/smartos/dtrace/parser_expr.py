"""Expressions of D: the parser's lower half.

Binary operators by precedence climbing, everything else by descent. A node's line is that of the last token read when
the node is made, since that is where libdtrace's messages put it.

Follows the expression rules of libdtrace's `dt_grammar.y`.
"""

from smartos.dtrace.declare import Decl
from smartos.dtrace.declare_vars import Variables
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.lexer import Lexer
from smartos.dtrace.tokens import Number, Token
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
    """Tokens one ahead, and the rules of expressions. :class:`~smartos.dtrace.parser_decl.Types` adds `type_name`."""

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

    # Expressions

    def expression(self) -> Node:
        """Assignment expressions with commas between."""
        node = self.assignment()
        while self.peek() == ",":
            self.take()
            right = self.assignment()
            node = Op2(",", node, right, line=self.lexer.line)
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
        return Op2(op, node, right, line=self.lexer.line)

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
        return Op3(node, left, right, line=self.lexer.line), False

    def _binary(self, least: int) -> tuple[Node, bool]:
        node, unary = self._cast()
        while (level := _PRECEDENCE.get(self.peek(), 0)) >= least:
            op = self.take().kind
            right, _ = self._binary(level + 1)
            node, unary = Op2(op, node, right, line=self.lexer.line), False
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
        return Op2("()", self.declarations.reference(kind), operand, line=self.lexer.line), False

    def _unary(self) -> Node:
        op = self.peek()
        if op in _UNARY:
            self.take()
            operand, _ = self._cast()
            return Op1(op, operand, line=self.lexer.line)
        if op in ("++", "--"):
            self.take()
            return Op1("pre" + op, self._unary(), line=self.lexer.line)
        if op == "stringof":
            self.take()
            return Op1(op, self._unary(), line=self.lexer.line)
        if op == "sizeof":
            self.take()
            return Op1(op, self._sizeof(), line=self.lexer.line)
        return self._postfix(self._primary())

    def _sizeof(self) -> Node:
        if self.peek() != "(":
            return self._unary()
        self.take()
        if self.peek() not in TYPE_START:
            return self._postfix(self._parenthesised())
        kind = self.type_name()
        self.expect(")")
        return self.declarations.reference(kind)

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
            return Name(token.value, line=line)
        if kind == "number":
            return self._integer(token.value)
        if kind == "literal":
            return String(token.value, line=line)
        if kind in ("self", "this"):
            return Name(kind, line=line)
        if kind == "(":
            return self._parenthesised()
        return self._offsetof() if kind == "offsetof" else self._xlate()

    def _integer(self, number: Number) -> Node:
        node = Int(number.value, number.suffix, number.decimal, number.char, line=self.lexer.line)
        return Op1(number.prefix, node, line=node.line) if number.prefix else node

    def _offsetof(self) -> Node:
        self.expect("(")
        kind = self.type_name()
        self.expect(",")
        if self.peek() not in ("ident", "tname"):
            raise self.wrong()
        name = self.take().value
        self.expect(")")
        return Op1("offsetof", self.declarations.reference(kind), name, line=self.lexer.line)

    def _xlate(self) -> Node:
        self.expect("<")
        kind = self.type_name()
        self.expect(">")
        self.expect("(")
        operand = self._parenthesised()
        return Op2("xlate", self.declarations.reference(kind), operand, line=self.lexer.line)

    def _postfix(self, node: Node) -> Node:
        while (op := self.peek()) in _POSTFIX:
            self.take()
            if op == "[":
                keys = self._arguments("]")
                node = Op2("[", node, keys[0], keys, line=self.lexer.line)
            elif op == "(":
                args = self._arguments(")")
                node = Func(node.name if isinstance(node, Name) else "", args, line=node.line)
            elif op in (".", "->"):
                if self.peek() not in ("ident", "tname"):
                    raise self.wrong()
                name = Name(self.take().value, line=self.lexer.line)
                node = Op2(op, node, name, line=self.lexer.line)
            else:
                node = Op1("post" + op, node, line=self.lexer.line)
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
