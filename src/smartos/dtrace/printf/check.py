"""A printf() format held against the types of its arguments: what makes `printf("%s", 1)` an error of compilation.

The messages count arguments and conversions from 1, as dtrace(1M) does. Follows `dt_printf_validate` and
`dt_printa_validate` of libdtrace's `dt_printf.c`; a signed argument of `%d` is taken as signed whatever its width, as
the test suite of DTrace wants.
"""

from collections.abc import Sequence

from smartos.dtrace import ctf
from smartos.dtrace.ctf import CType
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Kind
from smartos.dtrace.printf.format import CONVERSIONS, Conversion, Format
from smartos.dtrace.program import Act
from smartos.dtrace.tree import Node, String


def validate(
    fmt: Format,
    args: Sequence[Node | CType],
    name: str,
    env: Environment,
    *,
    aggregation: Act | None = None,
    first: int = 1,
    line: int = 0,
) -> Format:
    """Hold a format against the cooked arguments of the function `name` and settle each conversion's form.

    For printa() `aggregation` is the aggregating function and `args` are the keys, nodes or types; it may have more keys
    than the format asks for. `first` arguments come before those. Raises DError with the D_PRINTF_* tags.
    """

    def bad(tag: str, message: str) -> DError:
        return DError("D_PRINTF_" + tag, message, line)

    if not fmt.text:
        raise bad("FMT_EMPTY", f"{name}( ) format string is empty")
    fmt.aggregation = aggregation is not None
    result = env.types.lookup("uint64_t" if aggregation is Act.COUNT else "int64_t")
    used = 0
    for number, conversion in enumerate(fmt.conversions, 1):
        if not conversion.name or conversion.name == "%":
            continue
        for star in ["*"] * conversion.dynamic_width + [".*"] * conversion.dynamic_precision:
            if used >= len(args):
                raise bad("DYN_PROTO", f"{name}( ) prototype mismatch: conversion #{number} (%{conversion.name}) is "
                          f'missing a corresponding "{star}" argument')  # fmt: skip
            if not _is_integer(_type(args[used])):
                raise bad("DYN_TYPE", f"{name}( ) argument #{used + first + 1} is incompatible with conversion "
                          f"#{number} prototype:\n\tconversion: % {star} {conversion.name}\n\t prototype: int\n"
                          f"\t  argument: {type_name(args[used])}")  # fmt: skip
            used += 1
        if conversion.aggregation:
            if not fmt.aggregation:
                raise bad("AGG_CONV", f"%@ conversion requires an aggregation and is not for use with {name}( )")
            what, value = "aggregating action", result
        elif used >= len(args):
            raise bad("ARG_PROTO", f"{name}( ) prototype mismatch: conversion #{number} (%{conversion.name}) is missing "
                      "a corresponding value argument")  # fmt: skip
        else:
            what, value = f"argument #{used + first + 1}", args[used]
            used += 1
        if not fits(conversion, value, env):
            raise bad("ARG_TYPE", f"{name}( ) {what} is incompatible with conversion #{number} prototype:\n"
                      f"\tconversion: %{conversion.name}\n\t prototype: {CONVERSIONS[conversion.name][1]}\n"
                      f"\t  argument: {type_name(value)}")  # fmt: skip
        if conversion.name == "d":
            conversion.form = "i" if _is_signed(_type(value)) else "u"
    if used < len(args) and not fmt.aggregation:
        raise bad("ARG_EXTRA", f"{name}( ) prototype mismatch: only {used} arguments required by this format string")
    return fmt


def _type(value: Node | CType | None) -> CType:
    kind = value.type if isinstance(value, Node) else value
    return ctf.VOID if kind is None else kind


def type_name(value: Node | CType | None) -> str:
    """The type as messages give it: `userland char *`, `dynamic variable`, an identifier's kind."""
    kind = _type(value)
    ident = getattr(value, "ident", None)
    if ctf.is_special(kind, ctf.DYN):
        return _KINDS[ident.kind] if isinstance(ident, Ident) else "dynamic variable"
    if isinstance(ctf.resolve(kind), ctf.Function) and not isinstance(kind, ctf.Typedef):
        return "function"
    return ("userland " if isinstance(value, Node) and value.userland else "") + ctf.spelling(kind)


_KINDS = {
    Kind.ARRAY: "associative array", Kind.SCALAR: "scalar", Kind.PTR: "pointer", Kind.FUNC: "function",
    Kind.AGG: "aggregation", Kind.AGGFUNC: "aggregating function", Kind.ACTFUNC: "tracing function",
    Kind.XLSOU: "translated data", Kind.XLPTR: "pointer to translated data", Kind.SYMBOL: "external symbol reference",
    Kind.ENUM: "enumerator", Kind.PROBE: "probe description",
}  # fmt: skip


def _is_integer(kind: CType) -> bool:
    kind = ctf.resolve(kind)
    return isinstance(kind, ctf.Enum) or isinstance(kind, ctf.Integer) and kind.size > 0


def _is_signed(kind: CType) -> bool:
    kind = ctf.resolve(kind)
    return isinstance(kind, ctf.Enum) or isinstance(kind, ctf.Integer) and kind.signed


def _is_pointer(kind: CType) -> bool:
    return not ctf.is_string(kind) and isinstance(ctf.resolve(kind), ctf.Pointer | ctf.Array)


def _array_of(kind: CType) -> ctf.Integer | None:
    kind = ctf.resolve(kind)
    of = ctf.resolve(kind.of) if isinstance(kind, ctf.Array) else None
    return of if isinstance(of, ctf.Integer) else None


def fits(conversion: Conversion, value: Node | CType | None, env: Environment) -> bool:
    """Whether a value of that type may be printed by the conversion."""
    kind = _type(value)
    base = ctf.resolve(kind)
    name = getattr(base, "name", "")
    char = _array_of(kind)
    match CONVERSIONS[conversion.name][2]:
        case "addr":
            return _is_pointer(kind) or _is_integer(kind)
        case "kaddr":
            return _is_pointer(kind) or _is_integer(kind) or ctf.is_special(kind, ctf.SYMADDR)
        case "uaddr":
            plain = _is_pointer(kind) or _is_integer(kind)
            return ctf.is_special(kind, ctf.USYMADDR) or bool(env.macros.get("target")) and plain
        case "stack":
            return ctf.is_special(kind, ctf.STACK)
        case "time":
            return _is_integer(kind) and ctf.sizeof(kind) == 8
        case "str":
            return isinstance(value, String) or ctf.is_string(kind) or char is not None and char.char and char.signed
        case "wstr":
            return char is not None and char.bits == 32
        case "small":
            return _is_integer(kind) and ctf.sizeof(kind) <= 4
        case "float":
            return isinstance(base, ctf.Float) and base.name in ("float", "double", "long double")
        case "int" | "dint":
            return _is_integer(kind)
        case "xshort":
            return name in ("short", "signed short", "unsigned short")
        case "xlong":
            return name in ("long", "signed long", "unsigned long")
        case "xlonglong":
            return name in ("long long", "signed long long", "unsigned long long") or _named_64(kind)
    wanted = env.types.lookup(CONVERSIONS[conversion.name][1])
    return wanted is not None and ctf.compatible(base, wanted)


def _named_64(kind: CType) -> bool:
    """Whether some typedef on the way down is int64_t or uint64_t."""
    while isinstance(kind, ctf.Typedef):
        if kind.name in ("int64_t", "uint64_t"):
            return True
        kind = kind.to
    return False


def validate_keys(first: Ident, other: Ident, compatible: object = None, line: int = 0) -> None:
    """Check that two aggregations of one printa() have the same keys. Raises DError (D_PRINTA_AGGKEY, D_PRINTA_AGGPROTO).

    `compatible(a, b)` says whether two key types may stand for each other; without it, C's compatibility is asked.
    """
    left, right = _keys(first), _keys(other)
    if len(left) != len(right):
        raise DError("D_PRINTA_AGGKEY", f"printa( ): @{first.name} and @{other.name} do not have matching key signatures: "
                     f"@{first.name} has {len(left)} key{'s' * (len(left) != 1)}, @{other.name} has {len(right)} "
                     f"key{'s' * (len(right) != 1)}", line)  # fmt: skip
    for number, (a, b) in enumerate(zip(left, right, strict=True), 1):
        agree = compatible(a, b) if callable(compatible) else _argcompatible(_type(a), _type(b))
        if not agree:
            raise DError("D_PRINTA_AGGPROTO", f"printa( ): @{other.name}[ ] key #{number} is incompatible with "
                         f"@{first.name}:\n{first.name:>9} key #{number}: {type_name(a)}\n"
                         f"{other.name:>9} key #{number}: {type_name(b)}", line)  # fmt: skip


def _keys(ident: Ident) -> list[CType | None]:
    signature = ident.signature
    return list(getattr(signature, "args", signature) or [])


def _argcompatible(a: CType, b: CType) -> bool:
    if _is_integer(a) and _is_integer(b) or ctf.compatible(a, b):
        return True
    return _stringlike(a) and _stringlike(b)


def _stringlike(kind: CType) -> bool:
    """Whether a value of the type may stand where a string is asked for."""
    base = ctf.resolve(kind)
    char = ctf.resolve(base.to) if isinstance(base, ctf.Pointer) else _array_of(kind)
    return ctf.is_string(kind) or isinstance(char, ctf.Integer) and char.size == 1
