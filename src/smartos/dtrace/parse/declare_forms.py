"""Declarators and what a declaration comes to: arrays, functions, parameters, and the type that the stack stands for.

As in libdtrace, qualifiers are accepted and forgotten, and all functions have one type; `int (*x)[4]` is an array of
pointers there, and so here.

Follows the second half of libdtrace's `dt_decl.c`, and `dt_node_type` of `dt_parser.c`.
"""

from typing import NamedTuple, NoReturn

from smartos.dtrace.ctf import DYN, FUNCTION, STACK, SYMADDR, USYMADDR, VOID, CType, Enum, Struct, resolve, type_name
from smartos.dtrace.parse.declare import SIZES, Decl, Declarations, Params, is_posconst
from smartos.dtrace.parse.typenames import find_type, why_not
from smartos.dtrace.tree import Int, Node, TypeRef

_NOT_VOID = (DYN, STACK, SYMADDR, USYMADDR)


class Found(NamedTuple):
    """What a declaration's type came to, and whether it is an address in a process."""

    type: CType
    user: bool = False


class Declarators(Declarations):
    """The actions of the rules of declarators and parameters."""

    def pointer(self) -> Decl:
        """A `*`."""
        return self.push(Decl("pointer"))

    def array(self, size: Node | Params | None) -> Decl:
        """A `[…]`: a constant, keys' types, or nothing. A further dimension goes below those before it."""
        decl = self.push(Decl("array"))
        last = decl
        while last.next is not None and last.next.kind == "array":
            last = last.next
        if last is not decl:
            if isinstance(size, list):
                self.fail("D_DECL_DYNOBJ", "cannot declare array of associative arrays")
            self.scope.decl, decl.next, last.next = decl.next, last.next, decl
        if decl.next is not None and decl.next.name == "void":
            self.fail("D_DECL_VOIDOBJ", "cannot declare array of void")
        if isinstance(size, list):
            decl.keys = size
            self.prototype(size, size, "array", "anonymous")
        elif size is not None:
            decl.count = self._dimension(size)
        return decl

    def _dimension(self, size: Node) -> int:
        size = self.cook(size)
        if not is_posconst(size):
            self.fail("D_DECL_ARRSUB", "positive integral constant expression or tuple signature expected as array"
                      " declaration subscript")  # fmt: skip
        assert isinstance(size, Int)
        if size.value > 0xFFFFFFFF:
            self.fail("D_DECL_ARRBIG", "array dimension too big")
        return size.value

    def function(self, inner: Decl | None, params: Params) -> Decl:
        """A `(…)` after a declarator; `inner` is what a parenthesised declarator gave, for `(*f)()`."""
        decl = Decl("function", keys=params)
        self.prototype(params, params, "function", "varargs void anonymous")
        if inner is None or inner.kind != "pointer":
            return self.push(decl)
        while inner.next is not None and "(" not in inner.next.attrs:
            inner = inner.next
        if inner.next is None:
            return self.push(decl)
        decl.next, inner.next = inner.next, decl
        return inner

    def prototype(self, params: Params, formal: Params, kind: str, allowed: str) -> int:
        """Check a list of parameters; `formal` is the list that must have their names. How many there are, void being none."""
        own, void = params is formal, False
        for at, param in enumerate(params, 1):
            shown = f"{param.name or '(anonymous)'}, parameter #{at}"
            empty = param.type is not None and resolve(param.type) is VOID and param.type not in _NOT_VOID
            void = void or empty
            if param.type is None and "varargs" not in allowed:
                self._at(param, "D_DECL_PROTO_VARARGS", f"{kind} prototype may not use a variable-length argument list")
            if param.type is DYN or (empty and "void" not in allowed):
                self._at(param, "D_DECL_PROTO_TYPE",
                         f"{kind} prototype may not use parameter of type {type_name(param.type)}: {shown}")  # fmt: skip
            if empty and param.name:
                self._at(param, "D_DECL_PROTO_NAME", f"void parameter may not have a name: {param.name}")
            known = formal[: at - 1] if own else formal
            if param.name and any(other.name == param.name for other in known) == own:
                what = "already" if own else "not"
                self._at(param, "D_DECL_PROTO_FORM", f"parameter is {what} declared in {kind} prototype: {param.name},"
                         f" parameter #{at}")  # fmt: skip
            if not param.name and not empty and "anonymous" not in allowed:
                self._at(param, "D_DECL_PROTO_NAME", f"parameter declaration requires a name: parameter #{at}")
        if void and len(params) > 1:
            self.fail("D_DECL_PROTO_VOID", "void must be sole parameter")
        return 0 if void else len(params)

    def _at(self, node: Node, tag: str, message: str) -> NoReturn:
        raise self.lexer.error(tag, message, node.line)

    # What comes of it

    def resolve(self, decl: Decl) -> Found:
        """The type that a declaration stands for. A struct, union or enum that there is not yet becomes a forward."""
        user = "userland" in decl.attrs
        if decl.made is not None:
            return Found(decl.made, user)
        if decl.kind == "function":
            return Found(FUNCTION, user)
        if decl.kind not in ("pointer", "array"):
            return Found(self._base(decl), user)
        if decl.next is None:
            self.fail("", "Declaration stack underflow")
        if decl.kind == "array" and decl.keys is not None:
            return Found(DYN, user)
        of, user = self.resolve(decl.next)
        return Found(self.env.types.pointer(of) if decl.kind == "pointer" else self.env.types.array(of, decl.count or 0), user)

    def _base(self, decl: Decl) -> CType:
        written = self._written(decl)
        name = written.rstrip()
        found = find_type(self.env, name, self.lexer.depth)
        if found is not None:
            return found[0]
        if decl.kind not in ("struct", "union", "enum"):
            self.fail("D_UNKNOWN", f"failed to resolve type {written}: {why_not(self.env, name)}")
        tag = decl.name or ""
        forward = Enum(tag, complete=False) if decl.kind == "enum" else Struct(tag, union=decl.kind == "union", complete=False)
        decl.made = self.env.types.define(name, forward, self.home)
        return forward

    def _written(self, decl: Decl) -> str:
        """The name by which the type is known, `unsigned int`, `long `, `struct buf`, with the blank that messages show."""
        if decl.kind in ("struct", "union", "enum"):
            return f"{decl.kind} {decl.name}"
        if not decl.attrs and decl.name is None:
            return "int"
        words = ""
        if decl.kind in ("integer", "float"):
            words = "".join(f"{word} " for word in ("signed", "unsigned", "short", "long", "long long") if word in decl.attrs)
        if decl.name is not None and (decl.kind != "integer" or not decl.attrs & SIZES):
            words += decl.name
        return words

    @property
    def home(self) -> str:
        """The scope where new types go: D's, or C's within an included file."""
        return "C" if self.lexer.depth else "D"

    # Parameters

    def parameter(self, line: int) -> TypeRef:
        """Take a parameter's declaration off: a type, with the parameter's name if it has one."""
        if self.scope.storage not in ("", "register"):
            self.fail("D_DECL_PARMCLASS", "inappropriate storage class for function or associative array parameter")
        name = self.scope.ident or ""
        return self.reference(self.pop(), name)

    def reference(self, decl: Decl, name: str = "") -> TypeRef:
        """The node of a declaration's type."""
        found = self.resolve(decl)
        return TypeRef(name, line=self.lexer.line, type=found.type, userland=found.user)
