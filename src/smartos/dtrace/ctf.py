"""C types as DTrace knows them: what the Compact C Type Format records of a kernel, for a 64-bit little-endian machine.

A type is an object and is compared by identity; two spellings of the same pointer give the same object, since
:class:`Types` keeps what it derives. Sizes are in bytes, offsets of members in bits.

Left out: labels, parent containers as files, and the file format itself. Follows CTF's kinds (`sys/ctf.h`) and the
intrinsic types and typedefs that libdtrace defines before it reads any program.
"""

from dataclasses import dataclass, field


@dataclass(eq=False)
class CType:
    """Any C type."""


@dataclass(eq=False)
class Integer(CType):
    """An integer, or `void` (size 0). `bits` is its width, less than 8 * size in a bit-field."""

    name: str
    size: int
    signed: bool = True
    char: bool = False
    boolean: bool = False
    bits: int = -1

    def __post_init__(self) -> None:
        if self.bits < 0:
            self.bits = 8 * self.size


@dataclass(eq=False)
class Float(CType):
    """A floating-point type. D has no arithmetic on them; they are carried and printed."""

    name: str
    size: int


@dataclass(eq=False)
class Pointer(CType):
    """A pointer to another type."""

    to: CType


@dataclass(eq=False)
class Array(CType):
    """`count` elements of one type. An associative array's type is no C type; see `ident.Ident`."""

    of: CType
    count: int


@dataclass(eq=False)
class Function(CType):
    """A function."""

    returns: CType
    args: tuple[CType, ...] = ()
    varargs: bool = False


@dataclass(eq=False)
class Member:
    """A member of a struct or union. `offset` is in bits from its start; `type` is a bit-field's own Integer."""

    name: str
    type: CType
    offset: int
    bitfield: bool = False


@dataclass(eq=False)
class Struct(CType):
    """A struct, or a union; incomplete (a forward) until `complete`."""

    tag: str
    members: list[Member] = field(default_factory=list)
    size: int = 0
    union: bool = False
    complete: bool = True
    names: set[str] = field(default_factory=set, repr=False)  # of the members, while a declaration is read

    def member(self, name: str) -> Member | None:
        """The member of that name, looking into anonymous structs and unions too; offsets are from this one's start."""
        for member in self.members:
            if member.name == name:
                return member
            inner = resolve(member.type)
            if not member.name and isinstance(inner, Struct) and (found := inner.member(name)):
                return Member(found.name, found.type, member.offset + found.offset, found.bitfield)
        return None


@dataclass(eq=False)
class Enum(CType):
    """An enumeration: its enumerators by name, in order. Its values are ints. A forward until `complete`."""

    tag: str
    values: dict[str, int] = field(default_factory=dict)
    complete: bool = True


@dataclass(eq=False)
class Typedef(CType):
    """Another name for a type."""

    name: str
    to: CType


@dataclass(eq=False)
class Qualified(CType):
    """A type that is `const`, `volatile` or `restrict`."""

    qualifier: str
    to: CType


VOID = Integer("void", 0)
_INTRINSICS: tuple[CType, ...] = (
    VOID, Integer("signed", 4), Integer("unsigned", 4, False),
    Integer("char", 1, char=True), Integer("short", 2), Integer("int", 4), Integer("long", 8), Integer("long long", 8),
    Integer("signed char", 1, char=True), Integer("signed short", 2), Integer("signed int", 4),
    Integer("signed long", 8), Integer("signed long long", 8),
    Integer("unsigned char", 1, False, True), Integer("unsigned short", 2, False), Integer("unsigned int", 4, False),
    Integer("unsigned long", 8, False), Integer("unsigned long long", 8, False), Integer("_Bool", 1, False, False, True),
    Float("float", 4), Float("double", 8), Float("long double", 16),
    Float("float imaginary", 4), Float("double imaginary", 8), Float("long double imaginary", 16),
    Float("float complex", 8), Float("double complex", 16), Float("long double complex", 32),
)  # fmt: skip
C: dict[str, CType] = {kind.name: kind for kind in _INTRINSICS}  # type: ignore[attr-defined]
_TYPEDEFS = {
    "int8_t": "char", "int16_t": "short", "int32_t": "int", "int64_t": "long", "intptr_t": "long", "ssize_t": "long",
    "uint8_t": "unsigned char", "uint16_t": "unsigned short", "uint32_t": "unsigned", "uint64_t": "unsigned long",
    "uchar_t": "unsigned char", "ushort_t": "unsigned short", "uint_t": "unsigned", "ulong_t": "unsigned long",
    "u_longlong_t": "unsigned long long", "ptrdiff_t": "long", "uintptr_t": "unsigned long", "size_t": "unsigned long",
    "id_t": "int", "pid_t": "int",
}  # fmt: skip

FUNCTION = Function(C["int"])  # what every function that a program declares has for its type, as in libdtrace

# D's own types. A string is an array of `strsize` characters whose count is asked for when it matters; the other four
# have no values that a program can compute with.
STRING = Typedef("string", Array(C["char"], 256))
DYN = Typedef("<DYN>", VOID)
STACK = Typedef("stack", VOID)
SYMADDR = Typedef("_symaddr", VOID)
USYMADDR = Typedef("_usymaddr", VOID)


def resolve(kind: CType) -> CType:
    """The type behind all typedefs and qualifiers."""
    while isinstance(kind, Typedef | Qualified):
        kind = kind.to
    return kind


def is_string(kind: CType) -> bool:
    """Whether the type is D's `string` (by whatever qualifier or typedef)."""
    while isinstance(kind, Typedef | Qualified):
        if kind is STRING:
            return True
        kind = kind.to
    return False


def is_special(kind: CType, special: Typedef) -> bool:
    """Whether the type is `special`, one of DYN, STACK, SYMADDR and USYMADDR."""
    while isinstance(kind, Typedef | Qualified):
        if kind is special:
            return True
        kind = kind.to
    return False


def sizeof(kind: CType) -> int:
    """Bytes that a value takes. 0 for void, functions and incomplete types."""
    kind = resolve(kind)
    match kind:
        case Pointer():
            return 8
        case Array():
            return kind.count * sizeof(kind.of)
        case Enum():
            return 4 if kind.complete else 0
        case Integer() | Float() | Struct():
            return kind.size
    return 0


def alignof(kind: CType) -> int:
    """The alignment that a value wants in a struct, at least 1."""
    kind = resolve(kind)
    match kind:
        case Array():
            return alignof(kind.of)
        case Struct():
            return max((alignof(member.type) for member in kind.members), default=1)
        case Float():
            return min(kind.size, 16) or 1
    return min(sizeof(kind), 8) or 1


def spelling(kind: CType, inner: str = "") -> str:
    """The type as C writes it: `struct buf *`, `int [4]`, `char *(*)()`; `inner` stands where a name would."""
    match kind:
        case Pointer():
            points = isinstance(_bare(kind.to), Array | Function)
            return spelling(kind.to, f"(*{inner})" if points else f"*{inner}")
        case Array():
            return spelling(kind.of, f"{inner}[{kind.count}]" if inner else f"[{kind.count}]")
        case Function():
            return spelling(kind.returns, f"{inner}()" if inner else "()")
        case Qualified() if isinstance(kind.to, Pointer):
            return spelling(kind.to, f"{kind.qualifier} {inner}".rstrip())
        case Qualified():
            return f"{kind.qualifier} {spelling(kind.to, inner)}"
        case Struct():
            base = f"{'union' if kind.union else 'struct'} {kind.tag}".rstrip()
        case Enum():
            base = f"enum {kind.tag}".rstrip()
        case Integer() | Float() | Typedef():
            base = kind.name
        case _:
            raise TypeError(f"{kind!r} is no C type")
    return f"{base} {inner}".rstrip()


def type_name(kind: CType | None) -> str:
    """A type as dtrace(1M)'s messages name it: as C does, but for functions and D's own dynamic variables."""
    if kind is None:
        return "<none>"
    if kind is DYN:
        return "dynamic variable"
    if isinstance(kind, Function):
        return "function"
    if isinstance(kind, Pointer) and isinstance(kind.to, Function):
        return "function pointer"
    return spelling(kind)


def is_forward(kind: CType) -> bool:
    """Whether the type behind the typedefs is only named, not defined."""
    kind = resolve(kind)
    return isinstance(kind, Struct | Enum) and not kind.complete


def _bare(kind: CType) -> CType:
    return _bare(kind.to) if isinstance(kind, Qualified) else kind


def compatible(a: CType, b: CType) -> bool:
    """Whether two types are the same once typedefs and qualifiers are taken off, all the way down (ctf_type_compat)."""
    a, b = resolve(a), resolve(b)
    if a is b:
        return True
    match a, b:
        case Integer(), Integer():
            return (a.size, a.signed, a.char, a.boolean, a.bits) == (b.size, b.signed, b.char, b.boolean, b.bits)
        case Float(), Float():
            return a.name == b.name
        case Pointer(), Pointer():
            return compatible(a.to, b.to)
        case Array(), Array():
            return a.count == b.count and compatible(a.of, b.of)
        case Struct(), Struct():
            return bool(a.tag) and a.tag == b.tag and a.union == b.union and (a.size == b.size or not a.complete or not b.complete)
        case Enum(), Enum():
            return bool(a.tag) and a.tag == b.tag
    return False


class Types:
    """Types by name, in scopes: `C` (intrinsics), `D` (what a program or its library defines), and one for each kernel module.

    A tagged type's name is `struct tag`, `union tag` or `enum tag`. A lookup without a scope asks D, then C, then the
    kernel's modules in the order in which they were added, as dtrace(1M) looks for the first module that has the type.
    """

    def __init__(self) -> None:
        self.scopes: dict[str, dict[str, CType]] = {"D": {}, "C": dict(C)}
        self.undo: list[dict[str, dict[str, CType]]] = []  # C's and D's types as each compilation at hand found them
        self._pointers: dict[CType, Pointer] = {}
        self._arrays: dict[tuple[CType, int], Array] = {}
        self._qualified: dict[tuple[CType, str], Qualified] = {}
        for name, base in _TYPEDEFS.items():
            self.define(name, Typedef(name, C[base]))
        for special in (STRING, DYN, STACK, SYMADDR, USYMADDR):
            self.define(special.name, special)

    def define(self, name: str, kind: CType, scope: str = "D") -> CType:
        """Give a type a name in a scope, replacing what had it."""
        self.scopes.setdefault(scope, {})[name] = kind
        return kind

    def lookup(self, name: str, scope: str = "") -> CType | None:
        """The type of that very name (no pointer), or None. `scope` is C, D or a module; empty asks all."""
        found = self.find(name, scope)
        return found[0] if found else None

    def find(self, name: str, scope: str = "") -> tuple[CType, str] | None:
        """As :meth:`lookup`, with the scope that has the type. A definition anywhere is better than a forward."""
        forward = None
        for place in ((scope, "C") if scope == "D" else (scope,)) if scope else tuple(self.scopes):
            kind = self.scopes.get(place, {}).get(name)
            if kind is not None and not is_forward(kind):
                return kind, place
            if kind is not None:
                forward = kind, place
        return forward

    def enumerator(self, name: str) -> tuple[Enum, int] | None:
        """The enumeration that has an enumerator of that name, and its value; D's own are asked first."""
        for table in self.scopes.values():
            for kind in table.values():
                base = resolve(kind)
                if isinstance(base, Enum) and name in base.values:
                    return base, base.values[name]
        return None

    def pointer(self, to: CType) -> Pointer:
        """The pointer to a type, the same object each time."""
        return self._pointers.setdefault(to, Pointer(to))

    def array(self, of: CType, count: int) -> Array:
        """The array of `count` elements, the same object each time."""
        return self._arrays.setdefault((of, count), Array(of, count))

    def qualified(self, to: CType, qualifier: str) -> Qualified:
        """The qualified type, the same object each time."""
        return self._qualified.setdefault((to, qualifier), Qualified(qualifier, to))
