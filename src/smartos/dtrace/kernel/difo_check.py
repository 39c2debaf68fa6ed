"""What the kernel asks of a DIF object before it takes it: nothing in a program is believed because a compiler made it.

Every opcode, register, table index, variable and subroutine must exist, %r0 is never written, unused bits are 0, the
last instruction is `ret`, and a branch goes forward and stays inside: this is why no D program can loop. Follows
`dtrace_difo_validate` of illumos' `dtrace.c` and its messages.
"""

from collections.abc import Callable, Iterator

from smartos.dtrace import dif
from smartos.dtrace.dif import Difo, DifType, DifVar, Op, Subr

ARRAY_MAX, OTHER_MIN, OTHER_MAX, VARIABLE_MAX = 0xFF, 0x100, 0xFFFF, 0xFFFF
STATIC_MAX = 16 * 1024  # bytes of a global or clause-local variable by reference
_LOADS = {*range(Op.LDSB, Op.LDX + 1), *range(Op.ULDSB, Op.ULDX + 1), *range(Op.RLDSB, Op.RLDX + 1)}
_READS_VARIABLE = {Op.LDGS, Op.LDTS, Op.LDLS, Op.LDGAA, Op.LDTAA}
_WRITES_VARIABLE = {Op.STGS, Op.STTS, Op.STLS, Op.STGAA, Op.STTAA}
_SCOPE = {
    Op.LDGS: dif.GLOBAL, Op.LDGAA: dif.GLOBAL, Op.STGS: dif.GLOBAL, Op.STGAA: dif.GLOBAL, Op.LDTS: dif.THREAD,
    Op.LDTAA: dif.THREAD, Op.STTS: dif.THREAD, Op.STTAA: dif.THREAD, Op.LDLS: dif.LOCAL, Op.STLS: dif.LOCAL,
}  # fmt: skip
_RESERVED, _READ_ONLY = "non-zero reserved bits", "cannot write to %r0"

Known = dict[tuple[int, int], DifVar]  # variables of objects already taken, by scope and number


class _Checker:
    """One pass over an object's instructions."""

    def __init__(self, difo: Difo) -> None:
        self.difo = difo

    def registers(self, *numbers: int) -> Iterator[str]:
        for number in numbers:
            if number >= dif.REGISTERS:
                yield f"invalid register {number}"

    def written(self, number: int) -> Iterator[str]:
        yield from self.registers(number)
        if number == 0:
            yield _READ_ONLY

    def reserved(self, *values: int) -> Iterator[str]:
        if any(values):
            yield _RESERVED

    def three(self, pc: int, word: int) -> Iterator[str]:
        yield from self.registers(dif.r1(word), dif.r2(word))
        yield from self.written(dif.rd(word))

    def two(self, pc: int, word: int) -> Iterator[str]:
        yield from self.registers(dif.r1(word))
        yield from self.reserved(dif.r2(word))
        yield from self.written(dif.rd(word))

    def store(self, pc: int, word: int) -> Iterator[str]:
        yield from self.registers(dif.r1(word))
        yield from self.reserved(dif.r2(word))
        yield from self.registers(dif.rd(word))
        if dif.rd(word) == 0:
            yield "cannot write to 0 address"

    def compare(self, pc: int, word: int) -> Iterator[str]:
        yield from self.registers(dif.r1(word), dif.r2(word))
        yield from self.reserved(dif.rd(word))

    def test(self, pc: int, word: int) -> Iterator[str]:
        yield from self.registers(dif.r1(word))
        yield from self.reserved(dif.r2(word), dif.rd(word))

    def branch(self, pc: int, word: int) -> Iterator[str]:
        target = dif.label(word)
        if target >= len(self.difo.code):
            yield f"invalid branch target {target}"
        if target <= pc:
            yield f"backward branch to {target}"

    def ret(self, pc: int, word: int) -> Iterator[str]:
        yield from self.reserved(dif.r1(word), dif.r2(word))
        yield from self.registers(dif.rd(word))

    def bare(self, pc: int, word: int) -> Iterator[str]:
        yield from self.reserved(word & 0xFFFFFF)

    def setx(self, pc: int, word: int) -> Iterator[str]:
        if dif.index(word) >= len(self.difo.ints):
            yield f"invalid integer ref {dif.index(word)}"
        yield from self.written(dif.rd(word))

    def sets(self, pc: int, word: int) -> Iterator[str]:
        if dif.index(word) >= len(self.difo.strings):
            yield f"invalid string ref {dif.index(word)}"
        yield from self.written(dif.rd(word))

    def load_element(self, pc: int, word: int) -> Iterator[str]:
        if dif.r1(word) > ARRAY_MAX:
            yield f"invalid array {dif.r1(word)}"
        yield from self.registers(dif.r2(word))
        yield from self.written(dif.rd(word))

    def store_element(self, pc: int, word: int) -> Iterator[str]:
        yield from self.registers(dif.r2(word), dif.rd(word))

    def load_variable(self, pc: int, word: int) -> Iterator[str]:
        if not OTHER_MIN <= dif.index(word) <= OTHER_MAX:
            yield f"invalid variable {dif.index(word)}"
        yield from self.written(dif.rd(word))

    def store_variable(self, pc: int, word: int) -> Iterator[str]:
        if not dif.OTHER_USER <= dif.index(word) <= OTHER_MAX:
            yield f"invalid variable {dif.index(word)}"
        yield from self.registers(dif.rd(word))

    def call(self, pc: int, word: int) -> Iterator[str]:
        if dif.index(word) > max(Subr):
            yield f"invalid subr {dif.index(word)}"
        yield from self.written(dif.rd(word))

    def push(self, pc: int, word: int) -> Iterator[str]:
        reference = dif.op(word) is Op.PUSHTR
        if dif.r1(word) not in ((dif.CTF, dif.STR) if reference else (dif.CTF,)):
            yield f"invalid {'ref' if reference else 'val'} type {dif.r1(word)}"
        yield from self.registers(dif.r2(word), dif.rd(word))

    def rule(self, op: int) -> Callable[[int, int], Iterator[str]] | None:
        """What to ask of an instruction with that opcode, or None where there is no such."""
        if Op.BA <= op <= Op.BLEU:
            return self.branch
        if op in _LOADS or op in (Op.NOT, Op.MOV, Op.ALLOCS):
            return self.two
        if op in _READS_VARIABLE:
            return self.load_variable
        if op in _WRITES_VARIABLE:
            return self.store_variable
        if Op.OR <= op <= Op.UREM or op in (Op.SRA, Op.COPYS):
            return self.three
        return {
            Op.STB: self.store, Op.STH: self.store, Op.STW: self.store, Op.STX: self.store, Op.CMP: self.compare,
            Op.SCMP: self.compare, Op.TST: self.test, Op.RET: self.ret, Op.NOP: self.bare, Op.POPTS: self.bare,
            Op.FLUSHTS: self.bare, Op.SETX: self.setx, Op.SETS: self.sets, Op.LDGA: self.load_element,
            Op.LDTA: self.load_element, Op.STGA: self.store_element, Op.CALL: self.call, Op.PUSHTR: self.push,
            Op.PUSHTV: self.push,
        }.get(op)  # type: ignore[call-overload]


def _instructions(difo: Difo) -> list[str]:
    """What is wrong with the first instruction that is."""
    checker = _Checker(difo)
    for pc, word in enumerate(difo.code):
        rule = checker.rule(word >> 24)
        found = list(rule(pc, word)) if rule else [f"invalid opcode {word >> 24}"]
        if found:
            return [f"[{pc}]: {text}" for text in found]
    return []


def _size_of(row: DifVar) -> str:
    if row.type.flags & dif.BYREF:
        if row.type.size == 0:
            return "zero-sized variable"
        if row.scope != dif.THREAD and row.type.size > STATIC_MAX:
            return "oversized by-ref static"
    return ""


def _changed(row: DifVar, before: DifVar) -> str:
    kind: DifType = row.type
    if before.kind != row.kind:
        return f"{row.id} changed variable kind"
    if kind.flags != before.type.flags:
        return f"{row.id} changed variable type flags"
    if kind.size and kind.size != before.type.size:
        return f"{row.id} changed variable type size"
    return ""


def _variables(difo: Difo, known: Known) -> list[str]:
    for at, row in enumerate(difo.vars):
        text = ""
        if row.scope not in (dif.GLOBAL, dif.THREAD, dif.LOCAL):
            text = f"unrecognized variable scope {row.scope}"
        elif row.kind not in (dif.ARRAY, dif.SCALAR):
            text = f"unrecognized variable type {row.kind}"
        elif row.id > VARIABLE_MAX:
            text = f"{row.id} exceeds variable id limit"
        elif row.id >= dif.OTHER_USER:
            before = known.get((row.scope, row.id))
            text = _size_of(row) or (_changed(row, before) if before else "")
        if text:
            return [f"[{at}]: {text}"]
    return []


def _references(difo: Difo) -> list[str]:
    """Variables beyond those that the table has."""
    most = {scope: dif.OTHER_USER - 1 for scope in (dif.GLOBAL, dif.THREAD, dif.LOCAL)}
    for row in difo.vars:
        most[row.scope] = max(most[row.scope], row.id)
    for pc, word in enumerate(difo.code):
        scope = _SCOPE.get(dif.op(word))
        if scope is not None and dif.index(word) > most[scope]:
            return [f"[{pc}]: invalid variable {dif.index(word)}"]
    return []


def validate(difo: Difo, known: Known | None = None) -> list[str]:
    """What is wrong with an object, `[instruction or row]: what`; an empty list for a good one.

    `known` has the variables of the objects that were taken before, which must not change their kind or type.
    """
    errors = _instructions(difo)
    last = len(difo.code) - 1
    if difo.code and difo.code[last] >> 24 != Op.RET:
        errors.append(f"[{last}]: expected 'ret' as last DIF instruction")
    if not difo.type.by_ref and difo.type.size not in (0, 1, 2, 4, 8):
        errors.append(f"[{last}]: bad return size")
    return errors or _variables(difo, known or {}) or _references(difo)
