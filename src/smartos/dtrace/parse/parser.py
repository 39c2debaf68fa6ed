"""The parser of D: what a text says, as a tree, without what its expressions mean.

Written by hand, by descent, since three things are wanted of it that a generated parser makes hard. The lexer must know
where the parser stands (a description, an expression, a declaration after its type) and which types there are so far. An
error must be that of the real tool, word for word, at the token where its LALR parser would stop: descent stops there
too, as long as no token is read before it is needed. And it must begin at once in the page, without tables to be made.

Declarations act as they are parsed: types and variables go into the environment. Inlines and translators are checked
where they stand, since what follows may use them; clauses and providers are left to the checker.

Follows libdtrace's `dt_grammar.y` and, for the three ways to begin, `dt_compile` of `dt_cc.c`.
"""

from typing import Any

from smartos.dtrace.check.cook_decl import declare_provider
from smartos.dtrace.ctf import CType
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.parse.describe import by_id, by_name
from smartos.dtrace.parse.lexer import CLAUSE, EXPR
from smartos.dtrace.parse.parser_decl import Types
from smartos.dtrace.parse.pragma import settle, unused
from smartos.dtrace.tree import (
    Clause,
    ExprStatement,
    If,
    Inline,
    Node,
    ProbeDecl,
    ProbeDesc,
    Program,
    ProviderDecl,
    TypeRef,
    Xlator,
    XlatorMember,
)  # fmt: skip


class Parser(Types):
    """The rules of a program: definitions, declarations, clauses."""

    def program(self) -> Program:
        """All of the text."""
        parts: list[Any] = []
        while (kind := self.peek()) != "eof":
            if kind in ("pspec", "number"):
                parts.append(self._clause())
            elif kind == "inline":
                parts.append(self._inline())
            elif kind == "translator":
                parts.append(self._translator())
            elif kind == "provider":
                parts.append(self._provider())
            else:
                self._declaration()
        return Program(parts, line=self.lexer.line)

    def _declaration(self) -> None:
        declarations = self.declarations
        self.specifiers()
        if self.peek() != ";":
            while True:
                self.declarator(named=True, abstract=False)
                self.peek()
                declarations.declare()
                declarations.reset()
                if self.peek() != ",":
                    break
                self.take()
            self.expect(";")
        else:
            self.take()
            declarations.declare()
        declarations.pop()
        self.lexer.state = CLAUSE

    def _inline(self) -> Inline:
        self.take()
        self.specifiers()
        self.declarator(named=True, abstract=False)
        self.peek()
        self.declarations.enter()
        self.expect("=")
        expr = self.assignment()
        self.expect(";")
        self.declarations.leave()
        node = self.declarations.inline(expr)
        node = _check(node, self.env)
        self.declarations.pop()
        self.lexer.state = CLAUSE
        self.env.globals.setdefault(node.ident.name, node.ident)
        settle(self.lexer, node.ident)
        return node

    def _translator(self) -> Node:
        self.take()
        target = self.type_name()
        self.expect("<")
        source = self.type_name()
        param = self.expect("ident").value
        self.expect(">")
        self.expect("{")
        members: list[XlatorMember] = []
        while self.peek() != "}":
            name = self.expect("ident").value
            self.expect("=")
            expr = self.assignment()
            self.expect(";")
            members.append(XlatorMember(name, expr, line=self.lexer.line))
        self.take()
        self.expect(";")
        self.lexer.state = CLAUSE
        to, from_ = self.declarations.reference(target), self.declarations.reference(source)
        assert to.type is not None and from_.type is not None
        node = _check(Xlator(to.type, from_.type, param, members, line=self.lexer.line), self.env)
        settle(self.lexer, node.souid, node.ptrid)
        return node

    def _provider(self) -> ProviderDecl:
        self.take()
        name = self.expect("ident").value
        self.expect("{")
        probes: list[ProbeDecl] = []
        while self.peek() != "}":
            self.expect("probe")
            probe = self.expect("ident").value
            self.expect("(")
            native = self.parameters()
            translated: list[TypeRef] | None = None
            if self.peek() == ":":
                self.take()
                self.expect("(")
                translated = self.parameters()
            self.expect(";")
            probes.append(self.declarations.probe(probe, native, translated))
        self.take()
        self.expect(";")
        node = self.declarations.provider(name, probes)
        declare_provider(node, self.env)
        self.lexer.state = CLAUSE
        return node

    # Clauses

    def _clause(self) -> Clause:
        descs = [self._description()]
        while self.peek() == ",":
            self.take()
            descs.append(self._description())
        self.lexer.state = EXPR
        pred: Node | None = None
        if self.peek() == "/":
            self.take()
            pred = self.expression()
            self.expect("epred")
            if self.peek() != "{":
                raise self.lexer.error("D_SYNTAX", "expected actions { } following probe description and predicate", pred.line)
        elif self.peek() != "{":
            if self.env.script:
                raise self.lexer.error("D_SYNTAX", "expected predicate and/or actions following probe description",
                                       descs[0].line)  # fmt: skip
            self.lexer.state = CLAUSE
            return Clause(descs, None, [], line=self.lexer.line)
        self.take()
        statements = self._statements()
        self.take()
        self.lexer.state = CLAUSE
        return Clause(descs, pred, statements, line=self.lexer.line)

    def _description(self) -> ProbeDesc:
        if self.peek() == "number":
            return by_id(self.lexer, self.take().value.value)
        return by_name(self.lexer, self.expect("pspec").value)

    def _statements(self) -> list[Node]:
        """Statements up to a `}`, which is not taken; the last may do without its `;`."""
        statements: list[Node] = []
        while self.peek() != "}":
            if self.peek() == "if":
                statements.append(self._if())
            elif self.peek() == ";":
                self.take()
            else:
                expr = self.expression()
                if self.peek() == ";":
                    self.take()
                elif self.peek() != "}":
                    raise self.wrong()
                statements.append(ExprStatement(expr, line=self.lexer.line))
        return statements

    def _if(self) -> If:
        self.take()
        self.expect("(")
        test = self.expression()
        self.expect(")")
        body, other = self._block(), []
        if self.peek() == "else":
            self.take()
            other = self._block()
        return If(test, body, other, line=self.lexer.line)

    def _block(self) -> list[Node]:
        kind = self.peek()
        if kind == "if":
            return [self._if()]
        if kind == "{":
            self.take()
            statements = self._statements()
            self.take()
            return statements
        if kind == ";":
            self.take()
            return []
        expr = self.expression()
        self.expect(";")
        return [ExprStatement(expr, line=self.lexer.line)]


def _check(node: Any, env: Environment) -> Any:
    """Have the checker look at a definition that what follows may use."""
    from smartos.dtrace.check.cook import cook
    from smartos.dtrace.ident import Is

    return cook(node, env, Is.REF)


def _start(text: str, env: Environment, state: str) -> Parser:
    parser = Parser(text, env)
    parser.lexer.state = state
    return parser


def _too_deep(parser: Parser) -> DError:
    return parser.lexer.syntax("yacc stack overflow")


def parse(text: str, env: Environment) -> Program:
    """The program that a text is. Types and variables that it declares are in `env` afterwards.

    Raises DError, with the tag and the words of libdtrace, for what is wrong with it.
    """
    parser = _start(text, env, CLAUSE)
    try:
        program = parser.program()
    except RecursionError:
        raise _too_deep(parser) from None
    unused(parser.lexer)
    last = len(env.args) - 1
    if last > 0 and not env.argref and last not in parser.lexer.used:
        raise parser.lexer.error("D_MACRO_UNUSED", f"extraneous argument '{env.args[last]}' (${last} is not referenced)")
    if not program.parts and not env.empty:
        raise parser.lexer.error("D_EMPTY", "empty D program translation unit")
    return program


def parse_expression(text: str, env: Environment) -> Node:
    """The expression that a text is."""
    parser = _start(text, env, EXPR)
    try:
        if parser.peek() == "eof":
            raise parser.lexer.error("D_EMPTY", "empty D program translation unit")
        node = parser.expression()
        parser.expect("eof")
    except RecursionError:
        raise _too_deep(parser) from None
    return node


def parse_type(text: str, env: Environment) -> CType:
    """The type that a text names: `struct buf *`, ``genunix`kthread_t *``. Raises DError if there is none."""
    parser = _start(text, env, EXPR)
    try:
        if parser.peek() == "eof":
            raise parser.lexer.error("D_EMPTY", "empty D program translation unit")
        decl = parser.type_name()
        parser.expect("eof")
    except RecursionError:
        raise _too_deep(parser) from None
    return parser.declarations.resolve(decl).type
