"""Types and declarations of D: the parser's middle.

Follows the declaration rules of libdtrace's `dt_grammar.y`; what they mean is in :mod:`~smartos.dtrace.parse.declare`.
"""

from smartos.dtrace.parse.declare import Decl, Params
from smartos.dtrace.parse.parser_expr import QUALIFIERS, SPECIFIERS, TYPE_START, Expressions
from smartos.dtrace.tree import Node, TypeRef

_STORAGE = frozenset(("auto", "register", "static", "extern", "typedef"))
_D_STORAGE = _STORAGE | {"self", "this"}
_PARAMETER_START = _STORAGE | TYPE_START | {"..."}
_BASES = {"void": "integer", "char": "integer", "int": "integer", "float": "float", "double": "float"}


class Types(Expressions):
    """The rules of specifiers, declarators, structs, enums and parameters."""

    def type_name(self) -> Decl:
        """A type where no name is declared: in a cast, in sizeof, in a translator's head."""
        self._specifier_list()
        if self.peek() in ("*", "(", "["):
            self.declarator(named=False, abstract=True)
        return self.declarations.pop()

    def specifiers(self, first: frozenset[str] = _D_STORAGE) -> None:
        """Storage classes, types and qualifiers in any order; `first` are the classes that may stand first."""
        classes = first
        while True:
            kind = self.peek()
            if kind in classes:
                self.take()
                self.declarations.storage(kind)
            elif not self._specifier(kind):
                if classes is first:
                    raise self.wrong()
                return
            classes = _ANY_STORAGE

    def _specifier_list(self) -> None:
        if not self._specifier(self.peek()):
            raise self.wrong()
        while self._specifier(self.peek()):
            pass

    def _specifier(self, kind: str) -> bool:
        """One type specifier or qualifier, if there is one."""
        if kind not in TYPE_START:
            return False
        value = self.take().value
        if kind in _BASES:
            self.declarations.spec(_BASES[kind], kind)
        elif kind == "string":
            self.declarations.spec("typedef", "string")
        elif kind == "tname":
            self.declarations.spec("typedef", value)
        elif kind in ("struct", "union"):
            self._struct(kind)
        elif kind == "enum":
            self._enum()
        else:
            self.declarations.attr(kind)
        return True

    def _tag(self) -> str | None:
        return self.take().value if self.peek() in ("ident", "tname") else None

    def _struct(self, kind: str) -> None:
        tag = self._tag()
        if self.peek() != "{":
            if tag is None:
                raise self.wrong()
            self.declarations.spec(kind, tag)
            return
        self.take()
        self.declarations.define(kind, tag)
        self._struct_declaration()
        while self.peek() != "}":
            self._struct_declaration()
        self.take()
        self.declarations.defined()

    def _struct_declaration(self) -> None:
        self._specifier_list()
        while True:
            if self.peek() != ":":
                self.declarator(named=True, abstract=False)
            width: Node | None = None
            if self.peek() == ":":
                self.take()
                width = self.conditional()
            self.declarations.member(width)
            if self.peek() != ",":
                break
            self.take()
        self.expect(";")
        self.declarations.pop()

    def _enum(self) -> None:
        tag = self._tag()
        if self.peek() != "{":
            if tag is None:
                raise self.wrong()
            self.declarations.spec("enum", tag)
            return
        self.take()
        self.declarations.define("enum", tag)
        while True:
            name = self.expect("ident").value
            value: Node | None = None
            if self.peek() == "=":
                self.take()
                value = self.assignment()
            self.declarations.enumerator(name, value)
            if self.peek() != ",":
                break
            self.take()
        self.expect("}")
        self.declarations.defined()

    # Declarators

    def declarator(self, named: bool, abstract: bool) -> Decl | None:
        """A declarator with a name, or without one, or (in a parameter) either. What `declare.function` wants to know of it."""
        inner = self._pointers() if self.peek() == "*" else None
        kind, direct = self.peek(), None
        if kind == "ident" and named:
            direct = self.declarations.ident(self.take().value)
        elif kind == "(":
            direct = self._bracketed(named, abstract)
        elif kind == "[" and abstract:
            self._array()
        elif not abstract or inner is None:
            raise self.wrong()
        else:
            return inner
        while (kind := self.peek()) in ("[", "("):
            if kind == "[":
                self._array()
            else:
                self.take()
                self._function(direct)
        return inner or direct

    def _bracketed(self, named: bool, abstract: bool) -> Decl | None:
        """A `(` where a declarator begins: around a declarator, or, where there is no name, before parameters."""
        self.take()
        if abstract and self.peek() not in (("*", "(", "[", "ident") if named else ("*", "(", "[")):
            self._function(None)
            return None
        self.declarations.top().attrs.add("(")
        inner = self.declarator(named, abstract)
        self.expect(")")
        return inner

    def _pointers(self) -> Decl:
        count = 0
        while self.peek() == "*":
            self.take()
            count += 1
            while self.peek() in QUALIFIERS:
                self.declarations.attr(self.take().kind)
        for _ in range(count - 1):
            self.declarations.pointer()
        return self.declarations.pointer()

    def _array(self) -> None:
        self.take()
        self.declarations.enter()
        size: Node | Params | None = None
        if self.peek() in _PARAMETER_START:
            size = self._parameters()
        elif self.peek() != "]":
            size = self.conditional()
        self.expect("]")
        self.declarations.leave()
        self.declarations.array(size)

    def _function(self, inner: Decl | None) -> None:
        """Parameters, their `(` being read, of a function whose declarator was `inner`."""
        self.declarations.function(inner, self.parameters())

    def parameters(self) -> Params:
        """The parameters of a function up to its `)`."""
        self.declarations.enter()
        params = self._parameters() if self.peek() != ")" else []
        self.expect(")")
        self.declarations.leave()
        return params

    def _parameters(self) -> Params:
        params: Params = []
        while True:
            if self.peek() == "...":
                self.take()
                params.append(TypeRef(line=self.lexer.line))
                return params
            self.specifiers(_STORAGE)
            if self.peek() in ("*", "(", "[", "ident"):
                self.declarator(named=True, abstract=True)
            params.append(self.declarations.parameter(self.lexer.line))
            if self.peek() != ",":
                return params
            self.take()


_ANY_STORAGE = frozenset(list(_D_STORAGE))
assert SPECIFIERS < TYPE_START
