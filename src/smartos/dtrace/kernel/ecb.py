"""Enabled clauses: which records a clause leaves, how many bytes each takes, and where.

An ECB (enabling control block) is a clause at one probe. Every entry begins with 12 bytes, the clause's number and the
time; each value is aligned to its size. The values of an aggregation's tuple and its result lie behind the entry, are
used and are not kept. Follows `dtrace_ecb_action_add` and `dtrace_ecb_resize` of illumos, and its refusals: actions
that store data may not follow a commit(), nor speculate() other data, nor an aggregation either.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smartos.dtrace.dif import STR, THREAD, V
from smartos.dtrace.environment import ProbeInfo
from smartos.dtrace.kernel.buffer import AggId, Ecb, Record
from smartos.dtrace.program import AGGREGATION, Act, Action, EcbDesc

HEADER = 12  # the clause's number and the time
_DESTRUCTIVE = range(0x200, 0x300), range(0x500, 0x600)
_WHO = frozenset((
    V.ARGS, V.UREGS, V.VMREGS, V.CURTHREAD, V.VTIMESTAMP, V.IPL, *range(V.ARG0, V.CALLER + 1), *range(V.PID, V.ZONENAME + 1),
    V.USTACKDEPTH, V.UCALLER, V.PPID, V.UID, V.GID, V.ERRNO, V.THREADNAME,
))  # fmt: skip
# The actions whose value is what their DIF returns, and nothing else.
SIMPLE = frozenset((Act.DIFEXPR, Act.LIBACT, Act.PRINTF, Act.PRINTA, Act.SYSTEM, Act.FREOPEN, Act.TRACEMEM, Act.SYM, Act.MOD))
_FRAMES = {Act.STACK: "stackframes", Act.USTACK: "ustackframes", Act.JSTACK: "jstackframes"}


class Einval(ValueError):
    """The kernel does not take the clause."""


@dataclass(eq=False, slots=True)
class Step:
    """An action of an enabled clause, ready to be carried out.

    `slot` is the place of its value in an entry or -1; `tuple_slot` its place among an aggregation's keys or -1.
    `first` and `keys`, of an aggregating one, say which steps are its keys; `hasarg` that the last of them is the
    increment.
    """

    kind: Act
    act: Action
    size: int
    arg: int
    slot: int = -1
    aggid: int = 0
    keys: tuple[int, ...] = ()
    hasarg: bool = False
    room: tuple[int, int] = (0, 0)  # bytes of an aggregation's key and value

    @property
    def tuple_keys(self) -> tuple[int, ...]:
        """The keys that the program wrote: without the aggregation's number before them and the increment after them."""
        return self.keys[1 : len(self.keys) - self.hasarg]


@dataclass(eq=False)
class Plan:
    """An enabled clause and its steps."""

    ecb: Ecb
    steps: list[Step]
    stores: bool  # an entry is kept (size is not 0)


def aggregation(kind: int) -> bool:
    """Whether an action aggregates."""
    return kind & 0xFF00 == AGGREGATION


def frames(act: Action, options: Mapping[str, int]) -> tuple[int, int]:
    """How many frames a stack action takes, and the bytes for strings behind them."""
    count, strings = act.arg & 0xFFFFFFFF, act.arg >> 32
    if act.kind is Act.STACK:
        count, strings = act.arg, 0
    if act.kind is Act.JSTACK and not strings:
        strings = int(options["jstackstrsize"])
    return count or int(options[_FRAMES[act.kind]]), strings


def value_size(act: Action, options: Mapping[str, int]) -> int:
    """Bytes of an action's record."""
    match act.kind:
        case Act.PRINTF | Act.PRINTA | Act.SYSTEM | Act.FREOPEN | Act.DIFEXPR | Act.LIBACT | Act.TRACEMEM | Act.TRACEMEM_DYNSIZE:
            if act.difo is None:
                raise Einval(f"{act.kind.name.lower()} without an expression")
            if act.difo.type.size == 0 and act.difo.type.kind == STR and act.difo.type.by_ref:
                return int(options["strsize"])
            return act.difo.type.size
        case Act.STACK:
            return frames(act, options)[0] * 8
        case Act.USTACK | Act.JSTACK:
            count, strings = frames(act, options)
            return (count + 1) * 8 + -(-strings // 8) * 8
        case Act.SYM | Act.MOD:
            return 8
        case Act.USYM | Act.UMOD | Act.UADDR:
            return 16
        case Act.EXIT:
            return 4
    return 0


def aggregation_size(act: Action) -> int:
    """Bytes of an aggregation's result. Raises :class:`Einval` for parameters that the kernel does not take."""
    match act.kind:
        case Act.QUANTIZE:
            return 127 * 8
        case Act.LQUANTIZE:
            step, levels = act.arg >> 48 & 0xFFFF, act.arg >> 32 & 0xFFFF
            if not step or not levels:
                raise Einval("lquantize() without steps")
            return (levels + 3) * 8
        case Act.LLQUANTIZE:
            return _llquantize_size(act.arg)
        case Act.AVG:
            return 16
        case Act.STDDEV:
            return 32
    return 8


def _llquantize_size(arg: int) -> int:
    factor, low, high, steps = arg >> 48 & 0xFFFF, arg >> 32 & 0xFFFF, arg >> 16 & 0xFFFF, arg & 0xFFFF
    if factor < 2 or low >= high or steps < factor:
        raise Einval("llquantize() with parameters that do not fit")
    value = factor
    while value < steps:
        value *= factor
    if value % steps or steps % factor:
        raise Einval("llquantize() with steps that do not divide a power of the factor")
    from smartos.dtrace.kernel.aggregate import new

    return len(new(Act.LLQUANTIZE, arg)) * 8


def create(epid: int, probe: ProbeInfo, desc: EcbDesc, options: Mapping[str, int], new_aggid: Callable[[], int]) -> Plan:
    """Enable a clause at a probe. Raises :class:`Einval`."""
    ecb = Ecb(epid, probe, desc)
    steps: list[Step] = []
    tuples: set[int] = set()
    order = Order()
    for act in desc.actions:
        order.check(act, options)
        if aggregation(act.kind):
            step = _aggregating(act, steps, tuples, new_aggid)
        else:
            step = Step(act.kind, act, value_size(act, options), act.arg)
            if act.kind in _FRAMES:
                step.arg = frames(act, options)[0]
            if any(act.kind in kinds for kinds in _DESTRUCTIVE) or (act.difo is not None and act.difo.destructive):
                ecb.destructive = True
        steps.append(step)
    _lay_out(ecb, steps, tuples)
    return Plan(ecb, steps, ecb.size != 0)


def looks(plan: Plan) -> bool:
    """Whether a clause asks who acts, or where in the program: then it matters what a clock has interrupted."""
    if any(step.kind in (Act.STACK, Act.USTACK, Act.JSTACK, Act.USYM, Act.UMOD, Act.UADDR) for step in plan.steps):
        return True
    difos = (plan.ecb.desc.predicate, *(step.act.difo for step in plan.steps))
    return any(var.id in _WHO or var.scope == THREAD for difo in difos if difo is not None for var in difo.vars)


@dataclass
class Order:
    """Which actions of a clause have gone by, as far as the kernel asks."""

    commit: bool = False
    speculate: bool = False
    stored: bool = False

    def check(self, act: Action, options: Mapping[str, int]) -> None:
        """Hold an action against those before it. Raises :class:`Einval`."""
        if aggregation(act.kind):
            if self.commit or self.speculate:
                raise Einval("an aggregation after speculate() or commit()")
            return
        if act.kind in (Act.SPECULATE, Act.COMMIT, Act.DISCARD, Act.CHILL, Act.RAISE) and act.difo is None:
            raise Einval(f"{act.kind.name.lower()} without an expression")
        if act.kind is Act.SPECULATE and self.stored:
            raise Einval("speculate() after data")
        size = value_size(act, options)
        if self.commit and (act.kind in (Act.COMMIT, Act.SPECULATE) or size):
            raise Einval("data after commit()")
        self.commit |= act.kind is Act.COMMIT
        self.speculate |= act.kind is Act.SPECULATE
        self.stored |= size != 0


def _aggregating(act: Action, steps: list[Step], tuples: set[int], new_aggid: Callable[[], int]) -> Step:
    size, last = aggregation_size(act), len(steps)
    first = last - act.ntuple
    if act.ntuple == 0 or first < 0 or any(aggregation(step.kind) for step in steps[first:]):
        raise Einval("an aggregation without its keys")
    keys = tuple(range(first, last))
    tuples.update(keys)
    end = steps[-1]
    hasarg = end.kind is Act.DIFEXPR and end.act.difo is not None and end.act.difo.type.size == 0
    return Step(act.kind, act, size, act.arg, aggid=new_aggid(), keys=keys, hasarg=hasarg)


def _alignment(size: int) -> int:
    for alignment in (8, 4, 2):
        if size and size % alignment == 0:
            return alignment
    return 1


def _lay_out(ecb: Ecb, steps: list[Step], tuples: set[int]) -> None:
    """Give every record its offset, and the clause its sizes."""
    size, needed, current, base = HEADER, HEADER, -1, 0
    firsts = {step.keys[0] for step in steps if step.keys}
    slots: dict[int, Record] = {}
    for number, step in enumerate(steps):
        alignment = max(_alignment(step.size), 4 if number in firsts else 1)
        ecb.alignment = max(ecb.alignment, alignment)
        if step.keys:
            current = -(-current // alignment) * alignment
            step.room = (current - base, step.size)
            current += step.size
            needed, current = max(needed, current), -1
            keys = [slots[key] for key in step.tuple_keys]
            ecb.aggregations.append(AggId(step.aggid, ecb, step.act, keys, step.act.statement))
        elif number in tuples:
            if current < 0:
                current = size + (4 - size) % 8
                base = current - 4
            current = -(-current // alignment) * alignment
            slots[number] = Record(step.kind, step.size, current, alignment, step.act)
            current += step.size
        else:
            size = -(-size // alignment) * alignment
            record = Record(step.kind, step.size, size, alignment, step.act)
            step.slot = len(ecb.records)
            ecb.records.append(record)
            size += step.size
            needed = max(needed, size)
    speculates_only = len(steps) == 1 and steps[0].kind is Act.SPECULATE
    if steps and not speculates_only and size == HEADER:
        size = 0
    ecb.size, ecb.needed = -(-size // 4) * 4, -(-needed // 4) * 4
