"""What each instruction of DIF does: arithmetic, comparisons, branches, loads and stores.

The instructions for variables and tuples are in :mod:`~smartos.dtrace.vm.steps_variables`. Shifts count modulo 64 and loads
need no alignment, as on amd64; stores do, since the real machine checks those itself. Follows `dtrace_dif_emulate`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from smartos.dtrace.dif import REGISTERS, Difo, Op, index, label, r1, r2, rd
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.memory import TOP

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run

Step = Callable[["Run", int], None]
SIGN = 1 << 63


def signed(value: int) -> int:
    """An unsigned 64-bit number read as a signed one."""
    return value - (1 << 64) if value & SIGN else value


def illegal(run: "Run", word: int) -> None:
    """An instruction that the verifier would not have let through."""
    raise Fault(FaultKind.ILLOP)


def quotient(a: int, b: int) -> int:
    """C's division, towards zero. Raises Fault on zero, and where the quotient has no room, as the processor does."""
    if b == 0 or (a == -SIGN and b == -1):
        raise Fault(FaultKind.DIVZERO)
    return a // b if (a < 0) is (b < 0) else -(-a // b)


def remainder(a: int, b: int) -> int:
    """C's remainder, with the sign of `a`."""
    return a - b * quotient(a, b)


TWO: dict[Op, Callable[[int, int], int]] = {
    Op.OR: lambda a, b: a | b,
    Op.XOR: lambda a, b: a ^ b,
    Op.AND: lambda a, b: a & b,
    Op.SLL: lambda a, b: a << (b & 63),
    Op.SRL: lambda a, b: a >> (b & 63),
    Op.SRA: lambda a, b: signed(a) >> (b & 63),
    Op.SUB: lambda a, b: a - b,
    Op.ADD: lambda a, b: a + b,
    Op.MUL: lambda a, b: a * b,
    Op.SDIV: lambda a, b: quotient(signed(a), signed(b)),
    Op.UDIV: quotient,
    Op.SREM: lambda a, b: remainder(signed(a), signed(b)),
    Op.UREM: remainder,
}
CONDITIONS: dict[Op, Callable[["Run"], bool]] = {
    Op.BA: lambda run: True,
    Op.BE: lambda run: run.zero,
    Op.BNE: lambda run: not run.zero,
    Op.BG: lambda run: not (run.zero or run.negative),
    Op.BGU: lambda run: not (run.carry or run.zero),
    Op.BGE: lambda run: not run.negative,
    Op.BGEU: lambda run: not run.carry,
    Op.BL: lambda run: run.negative,
    Op.BLU: lambda run: run.carry,
    Op.BLE: lambda run: run.zero or run.negative,
    Op.BLEU: lambda run: run.carry or run.zero,
}
LOADS: dict[Op, tuple[int, bool]] = {
    Op.LDSB: (1, True), Op.LDSH: (2, True), Op.LDSW: (4, True),
    Op.LDUB: (1, False), Op.LDUH: (2, False), Op.LDUW: (4, False), Op.LDX: (8, False),
}  # fmt: skip
STORES = {Op.STB: 1, Op.STH: 2, Op.STW: 4, Op.STX: 8}


def extend(value: int, size: int) -> int:
    """Extend the sign of a value of `size` bytes to 64 bits."""
    return value | (TOP << 8 * size & TOP) if value >> (8 * size - 1) else value


def _two(compute: Callable[[int, int], int]) -> Step:
    def step(run: "Run", word: int) -> None:
        run.regs[rd(word)] = compute(run.regs[r1(word)], run.regs[r2(word)]) & TOP

    return step


def _branch(taken: Callable[["Run"], bool]) -> Step:
    def step(run: "Run", word: int) -> None:
        if taken(run):
            run.pc = label(word)

    return step


def _load(size: int, sign: bool, checked: bool, user: bool) -> Step:
    def step(run: "Run", word: int) -> None:
        address = run.regs[r1(word)]
        if checked:
            run.readable(address, size)
        memory = run.frame.get("memory") or run.memory if user else run.memory
        value = memory.load(address, size, user)
        run.regs[rd(word)] = extend(value, size) if sign else value

    return step


def _store(size: int) -> Step:
    def step(run: "Run", word: int) -> None:
        address = run.regs[rd(word)]
        if not run.memory.can_store(address, size):
            raise Fault(FaultKind.BADADDR, address)
        if address & size - 1:
            raise Fault(FaultKind.BADALIGN, address)
        run.memory.store(address, size, run.regs[r1(word)])

    return step


def _not(run: "Run", word: int) -> None:
    run.regs[rd(word)] = ~run.regs[r1(word)] & TOP


def _mov(run: "Run", word: int) -> None:
    run.regs[rd(word)] = run.regs[r1(word)]


def _cmp(run: "Run", word: int) -> None:
    a, b = run.regs[r1(word)], run.regs[r2(word)]
    difference = a - b & TOP
    run.negative, run.zero, run.carry = difference >= SIGN, not difference, a < b


def _tst(run: "Run", word: int) -> None:
    run.negative, run.zero, run.carry = False, not run.regs[r1(word)], False


def _scmp(run: "Run", word: int) -> None:
    """Compare strings; NULL is an empty one, and only strsize bytes count."""
    a, b = run.regs[r1(word)], run.regs[r2(word)]
    order = 0 if a == b else compare(run.text(a) if a else b"", run.text(b) if b else b"")
    run.negative, run.zero, run.carry = order < 0, order == 0, False


def compare(a: bytes, b: bytes) -> int:
    """Less than, equal to or greater than zero, as strcmp() has it."""
    return (a > b) - (a < b)


def _ret(run: "Run", word: int) -> None:
    run.result = run.regs[rd(word)]
    run.pc = len(run.code.steps)


def _nop(run: "Run", word: int) -> None:
    return


def _setx(run: "Run", word: int) -> None:
    run.regs[rd(word)] = run.difo.ints[index(word)] & TOP


def _sets(run: "Run", word: int) -> None:
    run.regs[rd(word)] = run.code.strings + index(word)


STEPS: dict[int, Step] = {
    Op.NOT: _not, Op.MOV: _mov, Op.CMP: _cmp, Op.TST: _tst, Op.SCMP: _scmp,
    Op.RET: _ret, Op.NOP: _nop, Op.SETX: _setx, Op.SETS: _sets,
}  # fmt: skip
STEPS |= {op: _two(compute) for op, compute in TWO.items()}
STEPS |= {op: _branch(taken) for op, taken in CONDITIONS.items()}
STEPS |= {op: _store(size) for op, size in STORES.items()}
for _op, (_size, _sign) in LOADS.items():
    STEPS[_op] = _load(_size, _sign, False, False)
    STEPS[_op + Op.ULDSB - Op.LDSB] = _load(_size, _sign, False, True)
    STEPS[_op + Op.RLDSB - Op.LDSB] = _load(_size, _sign, True, False)

# Which bytes of an instruction are registers that are read; and which instructions write the last byte's.
READS_BOTH = {*TWO, Op.CMP, Op.SCMP}
READS_FIRST = {Op.NOT, Op.MOV, Op.TST, Op.ALLOCS, *STORES} | {Op(n) for n in (*range(28, 35), *range(64, 78))}
READS_SECOND = {Op.LDGA, Op.STGA, Op.PUSHTR}
WRITES = {*TWO, Op.NOT, Op.MOV, Op.SETX, Op.SETS, Op.LDGA, Op.LDGS, Op.LDTA, Op.LDTS, Op.LDGAA, Op.LDTAA, Op.LDLS,
          Op.CALL, Op.ALLOCS} | {Op(n) for n in (*range(28, 35), *range(64, 78))}  # fmt: skip


def legal(difo: Difo, at: int) -> bool:
    """Whether the verifier would let the instruction pass: registers that exist, %r0 not written, branches forward."""
    word = difo.code[at]
    if not 1 <= word >> 24 <= Op.STGA:
        return False
    op = Op(word >> 24)
    if op in CONDITIONS:
        return at < label(word) < len(difo.code)
    reads = [r1(word)] * (op in READS_BOTH or op in READS_FIRST) + [r2(word)] * (op in READS_BOTH or op in READS_SECOND)
    if op is Op.COPYS:
        reads = [r1(word), r2(word)]
    if any(register >= REGISTERS for register in reads):
        return False
    if op in WRITES and rd(word) == 0 or op not in (Op.CMP, Op.SCMP, Op.TST, Op.NOP, Op.FLUSHTS, Op.POPTS) and rd(word) >= REGISTERS:
        return False
    if op is Op.SETX:
        return index(word) < len(difo.ints)
    if op is Op.SETS:
        return index(word) < len(difo.strings)
    return True


def decode(difo: Difo) -> list[tuple[Step, int]]:
    """The steps of a DIF object; an instruction that is not legal becomes one that faults."""
    from smartos.dtrace.vm.steps_variables import STEPS as VARIABLES

    table = {**STEPS, **VARIABLES}
    return [
        (table.get(word >> 24, illegal) if legal(difo, at) else illegal, word) for at, word in enumerate(difo.code)
    ]
