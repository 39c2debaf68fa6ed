"""One instruction of DIF said in a sentence, from the registers before it and after it.

The values are those of a real run. Left out: user loads, translators and the other instructions that the book's examples
do not use; they are said by their name and operands.
"""

from dataclasses import dataclass

from smartos.dtrace import dif
from smartos.dtrace.code.listing import instruction, subroutine_name
from smartos.dtrace.dif import Difo, Op
from smartos.dtrace.vm.fault import Fault
from smartos.dtrace.vm.machine import Run
from smartos.dtrace.vm.memory import KERNEL
from smartos.dtrace.vm.steps import CONDITIONS, WRITES, signed

DOES = {
    Op.ADD: "adds {b} to {a}", Op.SUB: "subtracts {b} from {a}", Op.MUL: "multiplies {a} by {b}",
    Op.SDIV: "divides {a} by {b}, signed", Op.UDIV: "divides {a} by {b}, unsigned",
    Op.SREM: "takes the signed remainder of {a} by {b}", Op.UREM: "takes the remainder of {a} by {b}",
    Op.SLL: "shifts {a} left by {b}", Op.SRL: "shifts {a} right by {b}",
    Op.SRA: "shifts {a} right by {b} and repeats its sign", Op.OR: "joins the bits of {a} and {b}",
    Op.AND: "keeps the bits that {a} and {b} share", Op.XOR: "takes the bits in which {a} and {b} differ",
}  # fmt: skip
ASKS = {
    Op.BA: "always", Op.BE: "on equal", Op.BNE: "on not equal", Op.BG: "on greater", Op.BGU: "on greater, unsigned",
    Op.BGE: "on greater or equal", Op.BGEU: "on greater or equal, unsigned", Op.BL: "on less", Op.BLU: "on less, unsigned",
    Op.BLE: "on less or equal", Op.BLEU: "on less or equal, unsigned",
}  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """The machine after one instruction (`pc` None: before the first). `says` is what the instruction did.

    `codes` are negative, zero and carry; `stack` the tuple stack's values as shown; `done` the instructions so far.
    """

    pc: int | None
    says: str
    regs: tuple[int, ...]
    shown: tuple[str, ...]
    codes: tuple[bool, bool, bool]
    stack: tuple[str, ...]
    done: tuple[int, ...]
    jump: tuple[int, int] | None = None
    changed: int | None = None


def string_at(run: Run, value: int) -> str | None:
    """The text that a register points to, if it points into the kernel's memory."""
    if value < KERNEL:
        return None
    try:
        return run.memory.string(value, 32).decode("latin-1")
    except Fault:
        return None


def shown(run: Run, value: int) -> str:
    """A register's value: what it points to, or the number, signed; a very large one in hexadecimal."""
    words = string_at(run, value)
    if words is not None:
        return f'"{words}"'
    return str(signed(value)) if abs(signed(value)) < 1 << 40 else f"0x{value:x}"


def walk(run: Run) -> list[Moment]:
    """Run a DIF object to its end, one real instruction after the other."""
    moments, done = [], []
    steps = run.code.steps
    while run.pc < len(steps):
        at = run.pc
        step, word = steps[at]
        before = [shown(run, value) for value in run.regs]
        old = list(run.regs)
        run.pc = at + 1
        step(run, word)
        done.append(at)
        op = dif.op(word)
        jump = (at, run.pc) if op in CONDITIONS and run.pc != at + 1 else None
        changed = dif.rd(word) if _writes(op) and (run.regs != old or dif.rd(word)) else None
        after = tuple(shown(run, value) for value in run.regs)
        moments.append(
            Moment(
                at, say(run.difo, word, before, after, run, jump), tuple(run.regs), after, (run.negative, run.zero, run.carry),
                tuple(shown(run, value) for value, _ in run.tuple), tuple(done), jump, changed,
            )  # fmt: skip
        )
    return moments


def _writes(op: Op) -> bool:
    return op in WRITES


def say(difo: Difo, word: int, before: list[str], after: tuple[str, ...], run: Run, jump: tuple[int, int] | None) -> str:
    """What an instruction did, with its operands' values."""
    op, a, b, d = dif.op(word), before[dif.r1(word) & 7], before[dif.r2(word) & 7], dif.rd(word) & 7
    name = op.name.lower()
    if op in DOES:
        return f"{name} {DOES[op].format(a=a, b=b)}: %r{d} is {after[d]}."
    if op in CONDITIONS:
        return _branch(name, op, word, jump)
    match op:
        case Op.LDGS | Op.LDTS | Op.LDLS:
            row = next((row.name for row in difo.vars if row.id == dif.index(word)), str(dif.index(word)))
            where = ", by its address" if run.regs[d] >= KERNEL and after[d].startswith('"') else ""
            return f"{name} loads the variable {row} into %r{d}{where}: {after[d]}."
        case Op.SETX:
            return f"setx takes {after[d]} from the object’s table of integers into %r{d}."
        case Op.SETS:
            return f"sets puts the address of {after[d]}, in the object’s table of strings, into %r{d}."
        case Op.MOV:
            return f"mov copies %r{dif.r1(word)}: %r{d} is {after[d]}."
        case Op.CMP | Op.SCMP:
            what = "compares the strings" if op is Op.SCMP else "compares"
            return f"{name} {what} {a} and {b} and sets {_codes(run)}."
        case Op.TST:
            return f"tst looks at %r{dif.r1(word)}, which is {'zero' if run.zero else 'not zero'}, and sets the codes."
        case Op.PUSHTR | Op.PUSHTV:
            return f"{name} puts {before[d]} on the tuple stack, as an argument."
        case Op.FLUSHTS:
            return "flushts empties the tuple stack, for the arguments of a call."
        case Op.CALL:
            return f"call runs {subroutine_name(dif.index(word))}() on what is on the tuple stack: %r{d} is {after[d]}."
        case Op.RET:
            return f"ret ends the object and returns {before[d]}."
    return f"{' '.join(instruction(difo, word).split('!')[0].split())}."


def _codes(run: Run) -> str:
    found = [name for name, on in (("negative", run.negative), ("zero", run.zero), ("carry", run.carry)) if on]
    order = "equal" if run.zero else "less" if run.negative else "greater"
    codes = f"the condition code{'s' if len(found) > 1 else ''} {' and '.join(found)}" if found else "no condition code"
    return f"{codes}: {order}"


def _branch(name: str, op: Op, word: int, jump: tuple[int, int] | None) -> str:
    target = dif.label(word)
    if op is Op.BA:
        return f"ba goes to {target:02d}, always forward."
    taken = jump is not None
    return f"{name}, branch {ASKS[op]}: {f'taken, on to {target:02d}' if taken else 'not taken, the next instruction follows'}."
