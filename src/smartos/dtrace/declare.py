"""Declarations as they are understood: a stack of what is said of a type, and what comes of it.

C's declarators are read from the name outwards, so each specifier, `*`, `[…]` and `(…)` is put on a stack (the
innermost type at the bottom) and the type is worked out from it when the declaration is complete. Scopes nest: a
struct's members, an array's keys and a function's parameters are declarations of their own.

Follows libdtrace's `dt_decl.c`: the checks in their order, with their words. As there, qualifiers are accepted and
forgotten, and all functions have one type.
"""

from dataclasses import dataclass, field
from typing import NoReturn

from smartos.dtrace.ctf import DYN, FUNCTION, STACK, SYMADDR, USYMADDR, VOID, CType, Enum, Struct, resolve, type_name
from smartos.dtrace.environment import Environment
from smartos.dtrace.lexer import Lexer
from smartos.dtrace.tree import Int, Node, TypeRef
from smartos.dtrace.typenames import find_type, why_not

_SIZES = frozenset(("short", "long", "long long"))
_SIGNS = frozenset(("signed", "unsigned"))
Params = list[TypeRef]
_NOT_VOID = (DYN, STACK, SYMADDR, USYMADDR)


@dataclass(eq=False)
class Decl:
    """One step of a declaration: a base type by kind and name, or a pointer, array or function of the `next` step."""

    kind: str = ""  # "", integer, float, struct, union, enum, typedef; pointer, array, function
    name: str | None = None
    attrs: set[str] = field(default_factory=set)
    count: int | None = None  # an array's elements
    keys: Params | None = None  # or an associative array's keys; a function's parameters
    next: "Decl | None" = None
    made: CType | None = None  # the type, if the declaration itself defines it


@dataclass
class Found:
    """What a declaration's type came to: the type, whether it is an address in a process, and the scope that has it."""

    type: CType
    user: bool = False
    scope: str = "D"


@dataclass(eq=False)
class Scope:
    """The declaration at hand, and the scope around it. `type` is the struct or enum whose members are declared in it."""

    decl: Decl | None = None
    ident: str | None = None
    storage: str = ""
    type: CType | None = None
    last: int = -1  # an enum's last value
    around: "Scope | None" = None


def is_posconst(node: Node) -> bool:
    """Whether a node is a positive integer constant."""
    return isinstance(node, Int) and node.value != 0 and (not node.signed or node.value < 1 << 63)


class Declarations:
    """The stack, and the actions of the grammar's rules for declarations. One per compilation."""

    def __init__(self, env: Environment, lexer: Lexer) -> None:
        self.env, self.lexer = env, lexer
        self.scope = Scope()

    def fail(self, tag: str, message: str) -> NoReturn:
        """Raise an error at the lexer's line."""
        raise self.lexer.error(tag, message)

    # The stack

    def enter(self, kind: CType | None = None) -> None:
        """Begin a scope; the one around it keeps the struct or enum that is being defined."""
        self.scope.type = kind
        self.scope = Scope(around=self.scope)
        self._changed()

    def leave(self) -> Decl | None:
        """End the scope."""
        around = self.scope.around
        if around is None:
            self.fail("", "Declaration scope stack underflow")
        self.scope = around
        self._changed()
        return around.decl

    def _changed(self) -> None:
        decl = self.scope.decl
        self.lexer.declaring = decl is not None and decl.name is not None

    def push(self, decl: Decl) -> Decl:
        """Put a step on the stack."""
        self._settle(self.scope.decl)
        decl.next, self.scope.decl = self.scope.decl, decl
        self._changed()
        return decl

    def top(self) -> Decl:
        """The outermost step; one without a type is an int."""
        decl = self.scope.decl
        if decl is None:
            self.fail("", "Declaration stack underflow")
        self._settle(decl)
        return decl

    def _settle(self, decl: Decl | None) -> None:
        if decl is not None and not decl.kind and decl.name is None:
            decl.kind = "integer"
            self._check(decl)

    def pop(self) -> Decl:
        """Take the whole declaration off, and make the scope ready for another."""
        decl, around = self.top(), self.scope.around
        self.scope = Scope(around=around)
        self._changed()
        return decl

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

    def reset(self) -> None:
        """Take off everything but the base type, for the next declarator in the list."""
        decl = self.scope.decl
        while decl is not None and decl.next is not None:
            decl = decl.next
        self.scope.decl = decl
        self._changed()

    # Specifiers

    def storage(self, name: str) -> None:
        """A storage class: auto, register, static, extern, typedef, self or this."""
        if self.scope.storage:
            self.fail("D_DECL_CLASS", "only one storage class allowed in a declaration")
        self.scope.storage = name

    def spec(self, kind: str, name: str | None) -> Decl:
        """A base type. A second name is the variable's, unless this is a typedef."""
        decl = self.scope.decl
        if decl is None:
            return self.push(Decl(kind, name))
        if decl.name is not None and kind == "typedef":
            assert name is not None
            if self.scope.storage != "typedef":
                return self.ident(name)
            self.fail("D_DECL_IDRED", f"identifier redeclared: {name}")
        if decl.name is not None or decl.kind:
            self.fail("D_DECL_COMBO", "invalid type combination")
        decl.kind, decl.name = kind, name
        self._changed()
        return self._check(decl)

    def attr(self, name: str) -> Decl:
        """short, long, signed, unsigned, userland, or a qualifier."""
        decl = self.scope.decl
        if decl is None:
            return self.push(Decl(attrs={name}))
        if name == "long" and "long long" in decl.attrs:
            self.fail("D_DECL_COMBO", "the attribute 'long' may only be used at most twice in a declaration")
        if name in ("short", "signed", "unsigned") and name in decl.attrs:
            self.fail("D_DECL_COMBO", f"the attribute '{name}' may only be used at most once in a declaration")
        if name == "long" and "long" in decl.attrs:
            decl.attrs.discard("long")
            name = "long long"
        decl.attrs.add(name)
        return self._check(decl)

    def _check(self, decl: Decl) -> Decl:
        kind, attrs = decl.kind, decl.attrs
        if not kind or not attrs:
            return decl
        wrong = "invalid type declaration: "
        if decl.name == "char" and attrs & _SIZES:
            self.fail("D_DECL_CHARATTR", wrong + "short and long may not be used with char type")
        if decl.name == "void" and attrs & (_SIZES | _SIGNS):
            self.fail("D_DECL_VOIDATTR", wrong + "attributes may not be used with void type")
        if kind != "integer" and attrs & _SIGNS:
            self.fail("D_DECL_SIGNINT", wrong + "signed and unsigned may only be used with integer type")
        if kind not in ("integer", "float") and attrs & {"long", "long long"}:
            self.fail("D_DECL_LONGINT", wrong + "long and long long may only be used with integer or floating-point type")
        return decl

    # Declarators

    def ident(self, name: str) -> Decl:
        """The name that is declared."""
        if self.scope.ident is not None:
            self.fail("D_DECL_IDENT", "old-style declaration or incorrect type specified")
        self.scope.ident = name
        return self.scope.decl or self.push(Decl())

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
            return Found(decl.made, user, self.home)
        if decl.kind == "function":
            return Found(FUNCTION, user)
        if decl.kind in ("pointer", "array"):
            assert decl.next is not None
            if decl.kind == "pointer":
                if decl.next.kind == "function":
                    return Found(self.env.types.pointer(FUNCTION), user)
                found = self.resolve(decl.next)
                return Found(self.env.types.pointer(found.type), found.user, found.scope)
            if decl.keys is not None:
                return Found(DYN, user)
            found = self.resolve(decl.next)
            return Found(self.env.types.array(found.type, decl.count or 0), found.user, self.home)
        return self._base(decl, user)

    def _base(self, decl: Decl, user: bool) -> Found:
        name = self._canonical(decl)
        found = self._own(name) or find_type(self.env, name, self.lexer.depth)
        if found is not None:
            return Found(found[0], user, found[1])
        if decl.kind not in ("struct", "union", "enum"):
            self.fail("D_UNKNOWN", f"failed to resolve type {name}: {why_not(self.env, name)}")
        tag = decl.name or ""
        forward: CType = Enum(tag, complete=False) if decl.kind == "enum" else Struct(tag, union=decl.kind == "union", complete=False)
        decl.made = self.env.types.define(f"{decl.kind} {tag}", forward, self.home)
        return Found(forward, user, self.home)

    def _own(self, name: str) -> tuple[CType, str] | None:
        return self.env.types.find(name, self.home) if self.home not in ("C", "D") else None

    def _canonical(self, decl: Decl) -> str:
        """The name by which the type is known: `unsigned int`, `long`, `struct buf`."""
        if decl.kind in ("struct", "union", "enum"):
            return f"{decl.kind} {decl.name}"
        words = [word for word in ("signed", "unsigned", "short", "long", "long long") if word in decl.attrs] if decl.kind in (
            "integer", "float") else []  # fmt: skip
        if not decl.attrs and decl.name is None:
            return "int"
        if decl.name is not None and (decl.kind != "integer" or not decl.attrs & _SIZES):
            words.append(decl.name)
        return " ".join(words)

    @property
    def home(self) -> str:
        """The scope where new types go: D's, C's within an included file, or that of the module that is being declared."""
        return "C" if self.lexer.depth else self.env.scope

    def cook(self, node: Node) -> Node:
        """An expression that must be worked out now."""
        from smartos.dtrace.cook import cook
        from smartos.dtrace.ident import Is

        return cook(node, self.env, Is.REF)



