"""What the instructions of DIF do that deal with variables, tuples, scratch space and subroutines.

Follows `dtrace_dif_emulate` from `DIF_OP_LDGA` to `DIF_OP_COPYS`.
"""

from typing import TYPE_CHECKING

from smartos.dtrace.dif import (
    GLOBAL,
    LOCAL,
    OTHER_USER,
    STR,
    THREAD,
    TUPLE_REGISTERS,
    DifType,
    Op,
    V,
    index,
    r1,
    r2,
    rd,
)
from smartos.dtrace.vm.fault import Dropped, Fault, FaultKind
from smartos.dtrace.vm.memory import TOP, Region
from smartos.dtrace.vm.steps import Step, illegal
from smartos.dtrace.vm.variables import Key

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run

DEFAULT_STRSIZE = 256


def _ldga(run: "Run", word: int) -> None:
    run.regs[rd(word)] = run.frame.variable(r1(word), run.regs[r2(word)])


def _stga(run: "Run", word: int) -> None:
    """Only uregs[] can be written, by a destructive program; others do nothing there."""
    registers = run.frame.context.get("uregs")
    if r1(word) != V.UREGS:
        raise Fault(FaultKind.ILLOP)
    if not run.machine.destructive:
        return
    if registers is None:
        raise Fault(FaultKind.BADADDR, 0)
    registers[run.regs[r2(word)]] = run.regs[rd(word)]


def _ldgs(run: "Run", word: int) -> None:
    number = index(word)
    run.regs[rd(word)] = _static(run, GLOBAL, number) if number >= OTHER_USER else run.frame.variable(number)


def _ldls(run: "Run", word: int) -> None:
    number = index(word)
    run.regs[rd(word)] = _static(run, LOCAL, number) if number >= OTHER_USER else 0


def _static(run: "Run", scope: int, number: int) -> int:
    if run.variables.by_ref(scope, number):
        return run.variables.reference(scope, number, run.cpu).address
    return _integers(run, scope).get(number, 0)


def _integers(run: "Run", scope: int) -> dict[int, int]:
    return run.variables.globals if scope == GLOBAL else run.variables.locals.setdefault(run.cpu, {})


def _st(scope: int) -> Step:
    def step(run: "Run", word: int) -> None:
        number, value = index(word), run.regs[rd(word)]
        if number < OTHER_USER:
            raise Fault(FaultKind.ILLOP)
        if not run.variables.by_ref(scope, number):
            _integers(run, scope)[number] = value
            return
        static = run.variables.reference(scope, number, run.cpu)
        static.null(value == 0)
        if value:
            copy(run, value, static.region, 8, run.variables.types[scope, number])

    return step


def copy(run: "Run", address: int, region: Region, offset: int, kind: DifType) -> None:
    """Copy a value by reference into a variable's region (dtrace_vcopy): a string only as far as its NUL."""
    size = run.variables.size(kind)
    if kind.kind != STR:
        run.readable(address, size)
        region.write(offset, run.memory.read(address, size, target=region.base + offset))
        return
    run.readable(address, 1)
    try:
        text = run.memory.string(address, size)
    except Fault:
        region.write(offset, b"\0")
        raise
    region.write(offset, (text + b"\0")[:size])


def key(run: "Run", word: int, thread: bool, indexed: bool) -> Key:
    """The key of a dynamic variable: the tuple stack's values, its number, and whose it is."""
    parts: list[object] = []
    if indexed:
        for value, size in run.tuple:
            if size:
                run.readable(value, size)
                parts.append(run.memory.read(value, size) if size < run.variables.chunk else _long(run, value, size))
            else:
                parts.append(value)
    return (*parts, index(word), run.frame.thread()) if thread else (*parts, index(word))


def _long(run: "Run", address: int, size: int) -> bytes:
    """A key too long for any chunk: it finds nothing, and faults if it runs out of memory that can be read."""
    most = 1 << 20
    return run.memory.read(address, min(size, most)) + b"+" * (size > most)


def _load(thread: bool, indexed: bool) -> Step:
    def step(run: "Run", word: int) -> None:
        if index(word) < OTHER_USER:
            raise Fault(FaultKind.ILLOP)
        found = run.variables.dynamic.get(key(run, word, thread, indexed), 0)
        run.regs[rd(word)] = found.base if isinstance(found, Region) else found

    return step


def _store(thread: bool, indexed: bool) -> Step:
    scope = THREAD if thread else GLOBAL

    def step(run: "Run", word: int) -> None:
        number, value = index(word), run.regs[rd(word)]
        if number < OTHER_USER:
            raise Fault(FaultKind.ILLOP)
        whole = key(run, word, thread, indexed)
        try:
            if not value:
                run.variables.free(whole)
            elif not run.variables.by_ref(scope, number):
                run.variables.set(whole, value)
            else:
                kind = run.variables.types[scope, number]
                region = run.variables.place(whole, run.variables.size(kind))
                if region is not None:
                    copy(run, value, region, 0, kind)
        except Dropped:
            run.dropped = True

    return step


def _call(run: "Run", word: int) -> None:
    call = run.machine.subroutines.get(index(word))
    if call is None:
        raise Fault(FaultKind.ILLOP)
    result = call(run, [value for value, _ in run.tuple])
    if result is not None:
        run.regs[rd(word)] = result & TOP


def _pushtr(run: "Run", word: int) -> None:
    if len(run.tuple) == TUPLE_REGISTERS:
        raise Fault(FaultKind.TUPOFLOW)
    address, size = run.regs[rd(word)], run.regs[r2(word)]
    if r1(word) == STR:
        size = len(run.memory.string(address, size or DEFAULT_STRSIZE)) + 1
    elif size >> 63:
        raise Fault(FaultKind.ILLOP)
    run.tuple.append((address, size))


def _pushtv(run: "Run", word: int) -> None:
    if len(run.tuple) == TUPLE_REGISTERS:
        raise Fault(FaultKind.TUPOFLOW)
    run.tuple.append((run.regs[rd(word)], 0))


def _popts(run: "Run", word: int) -> None:
    del run.tuple[-1:]


def _flushts(run: "Run", word: int) -> None:
    run.tuple.clear()


def _allocs(run: "Run", word: int) -> None:
    """Scratch space, cleared."""
    size = run.regs[r1(word)]
    address = run.frame.allocate(size, 8)
    run.regs[rd(word)] = address
    run.machine.scratch.clear(address, size)


def _copys(run: "Run", word: int) -> None:
    source, size, target = run.regs[r1(word)], run.regs[r2(word)], run.regs[rd(word)]
    if not run.memory.can_store(target, size):
        raise Fault(FaultKind.BADADDR, target)
    run.readable(source, size)
    run.memory.write(target, run.memory.read(source, size, target=target))


STEPS: dict[int, Step] = {
    Op.LDGA: _ldga, Op.STGA: _stga, Op.LDGS: _ldgs, Op.LDLS: _ldls, Op.STGS: _st(GLOBAL), Op.STLS: _st(LOCAL),
    Op.LDTA: illegal, Op.LDTS: _load(True, False), Op.STTS: _store(True, False),
    Op.LDGAA: _load(False, True), Op.STGAA: _store(False, True), Op.LDTAA: _load(True, True), Op.STTAA: _store(True, True),
    Op.CALL: _call, Op.PUSHTR: _pushtr, Op.PUSHTV: _pushtv, Op.POPTS: _popts, Op.FLUSHTS: _flushts,
    Op.ALLOCS: _allocs, Op.COPYS: _copys,
}  # fmt: skip
