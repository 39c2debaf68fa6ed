"""Structs, unions and enums as a program defines them: members, bit-fields, offsets, enumerators.

D lays its own structs out as libctf does for it, which is not quite as a C compiler would: every member, bit-fields
included, begins at a byte, a struct is aligned as its first member is, and nothing is added at the end for the alignment
of a next element.

Follows `dt_decl_sou`, `dt_decl_member`, `dt_decl_enum` and `dt_decl_enumerator` of libdtrace's `dt_decl.c`, and
`ctf_add_member` of libctf's `ctf_create.c`.
"""

from smartos.dtrace.ctf import (
    DYN,
    Array,
    CType,
    Enum,
    Integer,
    Member,
    Struct,
    is_forward,
    resolve,
    sizeof,
    type_name,
)  # fmt: skip
from smartos.dtrace.ident import Ident, Is, Kind
from smartos.dtrace.parse.declare import is_posconst
from smartos.dtrace.parse.declare_forms import Declarators
from smartos.dtrace.parse.pragma import settle
from smartos.dtrace.tree import Int, Node


class Definitions(Declarators):
    """The actions of the rules that define structs, unions and enums."""

    def define(self, kind: str, name: str | None) -> None:
        """Begin a struct, a union or an enum, `name` being its tag; its members come in the scope that this begins."""
        decl = self.spec(kind, name)
        types, known = self.env.types, f"{kind} {name}"
        found = types.find(known, self.home) if name else None
        if found is not None and (not is_forward(found[0]) or self._defining(found[0])):
            self.fail("D_DECL_TYPERED", f"type redeclared: {known}")
        made: CType
        if found is not None:
            made = found[0]
        elif kind == "enum":
            made = Enum(name or "", complete=False)
        else:
            made = Struct(name or "", union=kind == "union", complete=False)
        if name:
            types.define(known, made, self.home)
        decl.made = made
        self.enter(made)

    def _defining(self, kind: CType) -> bool:
        scope = self.scope.around
        while scope is not None and scope.type is not kind:
            scope = scope.around
        return scope is not None

    def defined(self) -> None:
        """End a struct, a union or an enum."""
        kind = self.scope.around.type if self.scope.around else None
        assert isinstance(kind, Struct | Enum)
        kind.complete = True
        self.leave()

    def member(self, bits: Node | None) -> None:
        """A member, as the scope's declaration has it; `bits` is a bit-field's width."""
        around = self.scope.around
        struct = around.type if around else None
        if not isinstance(struct, Struct):
            self.fail("", "Declaration scope stack underflow")
        decl, ident = self.top(), self.scope.ident
        if bits is None and ident is None:
            self.fail("D_DECL_MNAME", "member declaration requires a name")
        kind = self.resolve(decl).type
        if ident is not None and "`" in ident:
            self.fail("D_DECL_SCOPE", f"D scoping operator may not be used in a member name ({ident})")
        if kind is DYN:
            self.fail("D_DECL_DYNOBJ", f"cannot have dynamic member: {ident}")
        base = resolve(kind)
        if is_forward(base) or (isinstance(base, Struct) and not base.size):
            self.fail("D_DECL_INCOMPLETE", f"incomplete struct/union/enum {type_name(kind)}: {ident}")
        if not sizeof(base) and not isinstance(base, Array):
            self.fail("D_DECL_VOIDOBJ", f"cannot have void member: {ident}")
        width = None
        if bits is not None:
            width = self._width(bits, base, ident)
            if width is None:
                self._next_member()
                return
        if ident is not None and ident in struct.names:
            self.fail("D_UNKNOWN", f"failed to define member '{ident}': Duplicate member name definition")
        _place(struct, ident or "", kind, width)
        self._next_member()

    def _next_member(self) -> None:
        self.scope.ident = None
        self.reset()

    def _width(self, bits: Node, base: CType, ident: str | None) -> int | None:
        """A bit-field's width, or None for the nameless one of width 0, which only ends a unit."""
        bits = self.cook(bits)
        if ident is None and isinstance(bits, Int) and bits.value == 0:
            return None
        if not is_posconst(bits):
            self.fail("D_DECL_BFCONST", "positive integral constant expression expected as bit-field size")
        assert isinstance(bits, Int)
        if not isinstance(base, Integer) or not base.size:
            self.fail("D_DECL_BFTYPE", f"invalid type for bit-field: {ident or '(anon)'}")
        if bits.value > base.bits:
            self.fail("D_DECL_BFSIZE", f"bit-field too big for type: {ident or '(anon)'}")
        return bits.value

    def enumerator(self, name: str, expr: Node | None) -> None:
        """An enumerator, which is also a global constant."""
        around = self.scope.around
        enum = around.type if around else None
        if around is None or not isinstance(enum, Enum):
            self.fail("", "Declaration scope stack underflow")
        value = around.last + 1
        if "`" in name:
            self.fail("D_DECL_SCOPE", f"D scoping operator may not be used in an enumerator name ({name})")
        if expr is not None:
            value = self._value(name, expr, enum)
        if name in enum.values:
            self.fail("D_UNKNOWN", f"failed to define enumerator '{name}': Duplicate member name definition")
        value = (value + (1 << 31)) % (1 << 32) - (1 << 31)
        enum.values[name] = around.last = value
        self._global(name, value, enum)

    def _value(self, name: str, expr: Node, enum: Enum) -> int:
        known = getattr(expr, "name", None)
        if known in enum.values:
            return enum.values[known]
        expr = self.cook(expr)
        if not isinstance(expr, Int):
            self.fail("D_DECL_ENCONST", f"enumerator '{name}' must be assigned to an integral constant expression")
        value = expr.value - (1 << 64) if expr.value >> 63 else expr.value
        if not -(1 << 31) <= value < 1 << 31:
            self.fail("D_DECL_ENOFLOW", f"enumerator '{name}' value overflows INT_MAX (2147483647)")
        return value

    def _global(self, name: str, value: int, enum: Enum) -> None:
        env = self.env
        if name in env.globals:
            if self.home == "D":
                self.fail("D_DECL_IDRED", f"identifier redeclared: {name}")
            return
        constant = Int(value & (1 << 64) - 1, decimal=False, line=self.lexer.line, type=enum, cooked=True)
        ident = Ident(name, Kind.ENUM, flags=Is.INLINE | Is.REF, type=enum, data=constant, line=self.lexer.line, gen=env.gen)
        env.globals[name] = ident
        settle(self.lexer, ident)


def _up(number: int, to: int) -> int:
    return -(-number // to) * to


def _field(kind: CType, bits: int) -> Integer:
    """A bit-field's own type: that many bits, in as few bytes as a power of two can be."""
    base = resolve(kind)
    assert isinstance(base, Integer)
    size = 1 << (-(-bits // 8) - 1).bit_length()
    return Integer(type_name(kind), size, base.signed, base.char, base.boolean, bits)


def _d_align(kind: CType) -> int:
    """libctf's alignment: a struct's is that of its first member."""
    base = resolve(kind)
    if isinstance(base, Array):
        return _d_align(base.of)
    if isinstance(base, Struct):
        members = base.members if base.union else base.members[:1]
        return max((_d_align(member.type) for member in members), default=1)
    return sizeof(base) or 1


def _place(struct: Struct, name: str, kind: CType, width: int | None) -> None:
    """Add a member as D does."""
    if width is not None:
        kind = _field(kind, width)
    if struct.union or not struct.members:
        offset, size = 0, max(struct.size, sizeof(kind))
    else:
        last = struct.members[-1]
        base = resolve(last.type)
        end = last.offset + (base.bits if isinstance(base, Integer) else 8 * sizeof(base))
        offset = _up(_up(end, 8) // 8, _d_align(kind))
        size = offset + sizeof(kind)
    struct.members.append(Member(name, kind, 8 * offset, width is not None))
    struct.names.add(name)
    struct.size = size
