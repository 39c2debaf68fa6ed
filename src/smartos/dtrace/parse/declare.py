"""Declarations as they are read: a stack of what is said of a type.

C's declarators are read from the name outwards, so each specifier, `*`, `[…]` and `(…)` is put on a stack (the
innermost type at the bottom); :mod:`~smartos.dtrace.parse.declare_forms` works the type out from it when the declaration is
complete. Scopes nest: a struct's members, an array's keys and a function's parameters are declarations of their own.

Follows the first half of libdtrace's `dt_decl.c`: the checks in their order, with their words.
"""

from dataclasses import dataclass, field
from typing import NoReturn

from smartos.dtrace.ctf import CType
from smartos.dtrace.environment import Environment
from smartos.dtrace.parse.lexer import Lexer
from smartos.dtrace.tree import Int, Node, TypeRef

SIZES = frozenset(("short", "long", "long long"))
_SIGNS = frozenset(("signed", "unsigned"))
Params = list[TypeRef]


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
        if decl.name == "char" and attrs & SIZES:
            self.fail("D_DECL_CHARATTR", wrong + "short and long may not be used with char type")
        if decl.name == "void" and attrs & (SIZES | _SIGNS):
            self.fail("D_DECL_VOIDATTR", wrong + "attributes may not be used with void type")
        if kind != "integer" and attrs & _SIGNS:
            self.fail("D_DECL_SIGNINT", wrong + "signed and unsigned may only be used with integer type")
        if kind not in ("integer", "float") and attrs & {"long", "long long"}:
            self.fail("D_DECL_LONGINT", wrong + "long and long long may only be used with integer or floating-point type")
        return decl

    def ident(self, name: str) -> Decl:
        """The name that is declared."""
        if self.scope.ident is not None:
            self.fail("D_DECL_IDENT", "old-style declaration or incorrect type specified")
        self.scope.ident = name
        return self.scope.decl or self.push(Decl())

    def cook(self, node: Node) -> Node:
        """An expression that must be worked out now."""
        from smartos.dtrace.check.cook import cook
        from smartos.dtrace.ident import Is

        return cook(node, self.env, Is.REF)
