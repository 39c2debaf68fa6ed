"""What `dtrace -S` prints: every DIF object as it was assembled, with its tables.

An object's header has its address in the compiler's memory, which means nothing; here the objects are counted from a
fixed address. Follows libdtrace's `dt_dis.c`; rows of user symbols' relocations are left out.
"""

from collections.abc import Callable, Iterable

from smartos.dtrace import dif
from smartos.dtrace.dif import Difo, DifType, DifVar, Op, Subr
from smartos.dtrace.program import Program

FIRST_ADDRESS, STRIDE = 0x80E6FB8, 0x60
_TYPES = ("D type", "string")
_CTF = ("unknown", "integer", "float", "pointer", "array", "function", "struct", "union", "enum", "forward", "typedef",
        "volatile", "const", "restrict")  # fmt: skip
_SCOPES = {dif.GLOBAL: "glb", dif.THREAD: "tls", dif.LOCAL: "loc"}
_SCOPE_OF = {"l": dif.LOCAL, "t": dif.THREAD, "g": dif.GLOBAL}
_NO_OPERANDS = "(illegal opcode)"


def subroutine_name(number: int) -> str:
    """A subroutine's name; a number that there is not is `unknown`."""
    return Subr(number).name.lower() if number in Subr._value2member_map_ else "unknown"


def type_text(kind: DifType) -> str:
    """A DIF type: `D type (integer) (size 4)`, `string (unknown) by ref (size 256)`."""
    first = _TYPES[kind.kind] if kind.kind < len(_TYPES) else f"0x{kind.kind:x}"
    second = _CTF[kind.ckind] if kind.ckind < len(_CTF) else f"0x{kind.ckind:x}"
    by = ""
    if kind.by_ref:
        by = " by user ref" if kind.flags & dif.BYUREF else " by ref"
    return f"{first} ({second}){by} (size {kind.size})"


def _variable(difo: Difo, number: int, name: str) -> str:
    scope = _SCOPE_OF.get(name[2])
    for row in difo.vars:
        if row.id == number and row.scope == scope:
            return f'\t\t! DT_VAR({number}) = "{row.name}"'
    return ""


def _three(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} %r{dif.r1(word)}, %r{dif.r2(word)}, %r{dif.rd(word)}"


def _branch(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} {dif.label(word)}"


def _load(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} [%r{dif.r1(word)}], %r{dif.rd(word)}"


def _store(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} %r{dif.r1(word)}, [%r{dif.rd(word)}]"


def _bare(difo: Difo, name: str, word: int) -> str:
    return name


def _two(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} %r{dif.r1(word)}, %r{dif.rd(word)}"


def _compare(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} %r{dif.r1(word)}, %r{dif.r2(word)}"


def _test(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} %r{dif.r1(word)}"


def _return(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} %r{dif.rd(word)}"


def _load_element(difo: Difo, name: str, word: int) -> str:
    number = dif.r1(word)
    return f"{name:<4} DT_VAR({number}), %r{dif.r2(word)}, %r{dif.rd(word)}{_variable(difo, number, name)}"


def _load_variable(difo: Difo, name: str, word: int) -> str:
    number = dif.index(word)
    return f"{name:<4} DT_VAR({number}), %r{dif.rd(word)}{_variable(difo, number, name)}"


def _store_variable(difo: Difo, name: str, word: int) -> str:
    number = dif.index(word)
    return f"{name:<4} %r{dif.rd(word)}, DT_VAR({number}){_variable(difo, number, name)}"


def _store_element(difo: Difo, name: str, word: int) -> str:
    number = dif.index(word)
    return f"{name:<4} DT_VAR({number}), %r{dif.r2(word)}, %r{dif.rd(word)}{_variable(difo, number, name)}"


def _integer(difo: Difo, name: str, word: int) -> str:
    number = dif.index(word)
    value = f"\t\t! 0x{difo.ints[number]:x}" if number < len(difo.ints) else ""
    return f"{name:<4} DT_INTEGER[{number}], %r{dif.rd(word)}{value}"


def _string(difo: Difo, name: str, word: int) -> str:
    offset = dif.index(word)
    value = f'\t\t! "{difo.string(offset).decode("latin-1")}"' if offset < len(difo.strings) else ""
    return f"{name:<4} DT_STRING[{offset}], %r{dif.rd(word)}{value}"


def _call(difo: Difo, name: str, word: int) -> str:
    number = dif.index(word)
    return f"{name:<4} DIF_SUBR({number}), %r{dif.rd(word)}\t\t! {subroutine_name(number)}"


def _push(difo: Difo, name: str, word: int) -> str:
    number = dif.r1(word)
    value = dif.op(word) is Op.PUSHTV
    size, pad = ("", "\t\t") if value else (f"%r{dif.r2(word)}, ", "\t")
    note = f"{pad}! DT_TYPE({number}) = {_TYPES[number]}" if number < len(_TYPES) else ""
    return f"{name:<4} DT_TYPE({number}), {size}%r{dif.rd(word)}{note}"


def _xlate(difo: Difo, name: str, word: int) -> str:
    return f"{name:<4} DT_XLREF[{dif.index(word)}], %r{dif.rd(word)}"


_Printer = Callable[[Difo, str, int], str]
_FORMS: dict[_Printer, Iterable[Op]] = {
    _branch: map(Op, range(Op.BA, Op.BLEU + 1)),
    _load: [Op(n) for first, last in ((Op.LDSB, Op.LDX), (Op.ULDSB, Op.RLDX)) for n in range(first, last + 1)],
    _store: (Op.STB, Op.STH, Op.STW, Op.STX),
    _bare: (Op.NOP, Op.POPTS, Op.FLUSHTS),
    _two: (Op.NOT, Op.MOV, Op.ALLOCS),
    _compare: (Op.CMP, Op.SCMP),
    _test: (Op.TST,),
    _return: (Op.RET,),
    _load_element: (Op.LDGA, Op.LDTA),
    _load_variable: (Op.LDGS, Op.LDTS, Op.LDLS, Op.LDGAA, Op.LDTAA),
    _store_variable: (Op.STGS, Op.STTS, Op.STLS, Op.STGAA, Op.STTAA),
    _store_element: (Op.STGA,),
    _integer: (Op.SETX,),
    _string: (Op.SETS,),
    _call: (Op.CALL,),
    _push: (Op.PUSHTR, Op.PUSHTV),
    _xlate: (Op.XLATE, Op.XLARG),
}
_PRINTERS: dict[int, _Printer] = {op: printer for printer, ops in _FORMS.items() for op in ops}


def instruction(difo: Difo, word: int) -> str:
    """One instruction as text, with what its operands stand for behind a `!`."""
    if word >> 24 not in Op._value2member_map_:
        return _NO_OPERANDS
    op = dif.op(word)
    return _PRINTERS.get(op, _three)(difo, op.name.lower(), word)


def _row(row: DifVar) -> str:
    flags = "/".join(["r"] * row.read + ["w"] * row.written)
    kind = "arr" if row.kind == dif.ARRAY else "scl"
    return f"{row.name:<16} {row.id:<4x} {kind:<3} {_SCOPES[row.scope]:<3} {flags:<4} {type_text(row.type)}"


def object_listing(difo: Difo, address: int = FIRST_ADDRESS) -> str:
    """One DIF object, an empty line first."""
    lines = ["", f"DIFO 0x{address:x} returns {type_text(difo.assembled or difo.type)}", "OFF OPCODE      INSTRUCTION"]
    lines += [f"{at:02d}: {word:08x}    {instruction(difo, word)}" for at, word in enumerate(difo.code)]
    if difo.vars:
        lines += ["", f"{'NAME':<16} {'ID':<4} {'KND':<3} {'SCP':<3} {'FLAG':<4} TYPE"]
        lines += [_row(row) for row in difo.vars]
    if difo.relocations:
        lines += ["", f"{'KREL':<4} {'OFFSET':<8} {'DATA':<8} NAME"]
        lines += [f"{1:<4} {offset:<8} {0:<8} {name}" for name, offset, _ in difo.relocations]
    return "\n".join(lines) + "\n"


def listing(program: Program) -> str:
    """All the objects of a program in the order in which they were assembled. The real tool writes this to its standard
    error while it compiles."""
    return "".join(object_listing(difo, FIRST_ADDRESS + at * STRIDE) for at, difo in enumerate(program.difos))
