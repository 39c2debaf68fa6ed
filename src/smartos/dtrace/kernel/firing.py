"""What happens when a probe fires: every clause enabled at it, in order; its predicate, then its actions, in order.

A fault ends the clause, leaves no entry, and fires ERROR with what, where and why; a fault in ERROR itself is only
counted. Nothing that a clause does can last: it has no loops, and its entry, its scratch space and its variables are
bounded. Follows `dtrace_probe` of illumos. Left out: predicate caches, privileges, the dead man's switch.

Where there is a compiled form of a clause (:mod:`~smartos.dtrace.vm.jit`), it is run instead; both leave the same.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smartos.dtrace.dif import V
from smartos.dtrace.kernel.activity import BEGIN, ERROR, Activity
from smartos.dtrace.kernel.aggregate import Aggregation, adder, new
from smartos.dtrace.kernel.buffer import AggId, Ecb, Entry, FaultData
from smartos.dtrace.kernel.buffers import AggregationRoom, Buffer
from smartos.dtrace.kernel.ecb import SIMPLE, Plan, Step, aggregation
from smartos.dtrace.kernel.speculation import Illegal
from smartos.dtrace.kernel.vtime import Chills, VirtualTime
from smartos.dtrace.program import Act
from smartos.dtrace.vm.fault import Dropped, Fault, FaultKind
from smartos.dtrace.vm.frame import Frame
from smartos.dtrace.vm.machine import Machine
from smartos.dtrace.vm.variables import Limits

if TYPE_CHECKING:
    from smartos.dtrace.kernel.kernel import Kernel

NSIG = 75
M64 = (1 << 64) - 1


class Firing:
    """The part of a kernel that probes run: the machine, and the way from a probe's number to its clauses."""

    def __init__(self, kernel: "Kernel") -> None:
        self.kernel = kernel
        options = kernel.options
        scratch = max(options.number("bufsize"), 8)
        limits = Limits(options.number("strsize"), scratch, options.number("dynvarsize"))
        self.machine = Machine(limits=limits, seed=kernel.seed + 1)
        self.machine.destructive = "destructive" in options
        self.machine.speculation = kernel.speculations.new
        self.variables = self.machine.variables
        if kernel.types is not None:
            kernel.types.attach(self.machine)
        self._aggs: dict[int, tuple[Aggregation, Callable[..., None], dict[tuple, list[int]]]] = {}
        self._kept: dict[int, dict[tuple, list[int]]] = {}
        self._ids = {agg.id: agg for plan in kernel.plans for agg in plan.ecb.aggregations}
        self.threads = kernel.types.threads if kernel.types is not None else None
        self.vtime = VirtualTime() if any(_reads(plan, V.VTIMESTAMP) for plan in kernel.plans) else None
        if self.vtime is not None:
            kernel.compiled = False  # every firing counts, whether its own clauses ask for the time or not
        self.chills = Chills(kernel.clock)
        for plan in kernel.plans:
            self._prepare(plan)
        self.convert = {row: self._converter(plans) for row, plans in kernel.by_probe.items()}
        self.thread_wanted = {row for row, plans in kernel.by_probe.items() if any(_reads(plan, V.CURTHREAD) for plan in plans)}

    def _prepare(self, plan: Plan) -> None:
        """Declare all variables before anything runs."""
        for difo in (plan.ecb.desc.predicate, *(step.act.difo for step in plan.steps)):
            if difo is not None:
                self.machine.prepare(difo)

    def _converter(self, plans: list[Plan]) -> Callable[[tuple], tuple] | None:
        kernel, probe = self.kernel, plans[0].ecb.probe
        return kernel.types.converter(probe) if kernel.types is not None else None

    # ---- one firing

    def fire(self, number: int, args: tuple, context: Mapping[str, Any]) -> None:
        """Run the clauses of a probe."""
        kernel = self.kernel
        plans = kernel.by_probe.get(number)
        if not plans:
            return
        now = kernel.clock.read(context)
        kernel.clean()
        cpu = context.get("cpu", 0)
        convert = self.convert.get(number)
        if convert is not None:
            args = convert(args)
        if self.threads is not None and "curthread" not in context and number in self.thread_wanted:
            context = {**context, "curthread": self.threads.of(context)}
        if self.vtime is not None and "vtimestamp" not in context:
            context = {**context, "vtimestamp": self.vtime.at((context.get("pid", 0), context.get("tid", 0)), cpu, now)}
        frame = Frame(self.machine, plans[0].ecb.probe, args, context, now, kernel.clock.wall, cpu)
        buffer = kernel.buffer(cpu)
        for plan in plans:
            if self._wanted(plan):
                self._clause(plan, frame, buffer)

    def _wanted(self, plan: Plan) -> bool:
        """Whether the state's activity lets a clause run: only BEGIN while warming up, only END while cooling down."""
        activity = self.kernel.activity
        if activity is Activity.ACTIVE:
            return True
        if plan.ecb.probe.provider != "dtrace":
            return False
        return plan.ecb.probe.id != BEGIN or activity is Activity.WARMUP

    def _clause(self, plan: Plan, frame: Frame, principal: Buffer) -> None:
        ecb = plan.ecb
        offset = principal.reserve(ecb.needed, ecb.alignment, self.kernel.reserve, self.kernel.activity is Activity.COOLDOWN)
        if offset < 0:
            return
        frame.begin(ecb.epid)
        frame.limit = min(frame.limit, frame.scratch + principal.scratch(offset, ecb.needed))
        run = _Run(self, plan, frame, principal, offset)
        if ecb.error:
            args = frame.args
            fault = FaultData(*(_signed(n) for n in args[1:6]))
            principal.commit(offset, ecb.size, Entry(ecb, frame.cpu, frame.timestamp, (), fault))
            return
        try:
            if not run.predicate():
                return
            run.actions()
        except Dropped:
            return
        except Fault as fault:
            self._fault(run, fault)
            return
        run.commit()

    def _fault(self, run: "_Run", fault: Fault) -> None:
        run.buffer.errors += 1
        ecb, frame = run.plan.ecb, run.frame
        if ecb.probe.id == ERROR:
            self.kernel.double_errors += 1
            return
        args = (1, ecb.epid, run.at, fault.offset & M64, int(fault.kind), fault.value & M64)
        self.fire(ERROR, args, frame.context)

    # ---- actions that do more than record

    def exit(self) -> None:
        """`exit()`: nothing more is traced, END fires. Raises Dropped when somebody else was first."""
        kernel = self.kernel
        if kernel.activity is not Activity.COOLDOWN:  # while cooling down, END's status is taken
            if kernel.activity not in (Activity.WARMUP, Activity.ACTIVE):
                raise Dropped
            kernel.activity = Activity.DRAINING

    def speculate(self, number: int, cpu: int, ecb: Ecb) -> tuple[Buffer, int]:
        """`speculate()`: the buffer that the clause traces to from here on, and where. Raises Dropped when there is none."""
        try:
            buffer = self.kernel.speculations.buffer(number, cpu)
        except Illegal:  # the kernel notes a fault, too, but the drop is what it asks for first
            buffer = None
        offset = buffer.reserve(ecb.needed, ecb.alignment) if buffer is not None else -1
        if buffer is None or offset < 0:
            raise Dropped
        return buffer, offset

    def keep(self, number: int, cpu: int) -> None:
        """`commit()`. Raises Fault for a number that no speculation has."""
        kernel = self.kernel
        try:
            kernel.speculations.commit(number, cpu, kernel.buffer(cpu), kernel.clock.now)
        except Illegal:
            raise Fault(FaultKind.ILLOP) from None

    def discard(self, number: int, cpu: int) -> None:
        """`discard()`. Raises Fault for a number that no speculation has."""
        try:
            self.kernel.speculations.discard(number, cpu)
        except Illegal:
            raise Fault(FaultKind.ILLOP) from None

    # ---- aggregations

    def forget_aggregations(self) -> None:
        """The consumer has taken them: begin anew."""
        self._aggs.clear()
        self._kept.clear()

    def aggregate(self, step: Step, key: tuple, value: int, incr: int, cpu: int) -> None:
        """Take a value into an aggregation; a new key wants room."""
        found = self._aggs.get(step.aggid)
        if found is None:
            found = self._aggs[step.aggid] = self._begin(self._ids[step.aggid])
        made, add, data = found
        state = data.get(key)
        if state is None:
            if not self._room(cpu).take(*step.room):
                return
            state = data[key] = new(step.kind, step.arg)
        add(state, value, incr)

    def _begin(self, agg: AggId) -> tuple[Aggregation, Callable[..., None], dict[tuple, list[int]]]:
        statement = agg.statement
        ident = statement.aggregation if statement is not None else None
        number = ident.id if ident is not None else agg.id
        made = self.kernel.aggregations.get(agg.id)
        if made is None:
            name = ident.name if ident is not None else ""
            made = self.kernel.aggregations[agg.id] = Aggregation(number, name, agg.act.kind, agg.act.arg, agg.keys)
        return made, adder(agg.act.kind, agg.act.arg), made.data

    def _room(self, cpu: int) -> AggregationRoom:
        return self.kernel.room(cpu)


def _reads(plan: Plan, variable: int) -> bool:
    """Whether a clause reads a built-in variable."""
    difos = (plan.ecb.desc.predicate, *(step.act.difo for step in plan.steps))
    return any(var.id == variable for difo in difos if difo is not None for var in difo.vars)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


class _Run:
    """One clause of one firing. `at` counts the actions that were begun: 0 is the predicate."""

    __slots__ = ("at", "buffer", "committed", "firing", "frame", "keys", "limit", "offset", "plan", "value", "values")

    def __init__(self, firing: Firing, plan: Plan, frame: Frame, buffer: Buffer, offset: int) -> None:
        self.firing, self.plan, self.frame, self.buffer, self.offset = firing, plan, frame, buffer, offset
        self.values: list[Any] = [None] * len(plan.ecb.records)
        self.keys: dict[int, Any] = {}
        self.at = self.value = 0
        self.limit = 0
        self.committed = False

    def predicate(self) -> bool:
        """Whether the clause is to run."""
        difo = self.plan.ecb.desc.predicate
        return difo is None or self.firing.machine.run(difo, self.frame) != 0

    def actions(self) -> None:
        """Run the actions. Raises Fault and Dropped."""
        for number, step in enumerate(self.plan.steps):
            self.at = number + 1
            if aggregation(step.kind):
                self._aggregate(step)
            elif step.slot >= 0:
                self.values[step.slot] = self._act(step)
            else:
                self.keys[number] = self._act(step)

    def commit(self) -> None:
        """Keep the entry, where it is not committed yet."""
        if not self.committed:
            self._take()

    def _take(self) -> None:
        ecb = self.plan.ecb
        entry = Entry(ecb, self.frame.cpu, self.frame.timestamp, tuple(self.values)) if ecb.size else None
        self.buffer.commit(self.offset, ecb.size, entry)

    def _aggregate(self, step: Step) -> None:
        difo, value = step.act.difo, 0
        incr = self.value if step.hasarg else 1
        if difo is not None:
            value = self.firing.machine.run(difo, self.frame)
        key = tuple([self.keys[number] for number in step.tuple_keys])
        self.firing.aggregate(step, key, value, incr, self.frame.cpu)

    def _act(self, step: Step) -> Any:
        """Carry out one action; its value."""
        kind, difo, machine, frame = step.kind, step.act.difo, self.firing.machine, self.frame
        if kind in SIMPLE:
            register = self.value = machine.run(difo, frame)
            if not difo.type.by_ref:
                return register & (1 << 8 * step.size) - 1 if step.size else register
            size = step.size
            if self.limit and self.limit < size:
                size, self.limit = self.limit, 0
                return bytes(machine.fetch(difo, register, frame, size)).ljust(step.size, b"\0")
            return machine.fetch(difo, register, frame, size)
        if kind is Act.STACK:
            return tuple((frame.context.get("stack") or ())[: step.arg])
        if kind in (Act.USTACK, Act.JSTACK):
            return (frame.get("pid"), *(frame.context.get("ustack") or ())[: step.arg])
        if difo is None:
            self._destroy(kind, 0)
            return None
        self.value = machine.run(difo, frame)
        return self._special(step)

    def _special(self, step: Step) -> Any:
        value, cpu, kernel = self.value, self.frame.cpu, self.firing.kernel
        match step.kind:
            case Act.TRACEMEM_DYNSIZE:
                self.limit = value
                return value & (1 << 8 * step.size) - 1
            case Act.USYM | Act.UMOD | Act.UADDR:
                return self.frame.get("pid"), value
            case Act.EXIT:
                self.firing.exit()
                return value & 0xFFFFFFFF
            case Act.SPECULATE:
                self.buffer, self.offset = self.firing.speculate(value, cpu, self.plan.ecb)
            case Act.COMMIT:
                if self.plan.ecb.size:
                    self._take()
                self.buffer = kernel.buffer(cpu)
                self.firing.keep(value, cpu)
                self.committed = True
            case Act.DISCARD:
                self.firing.discard(value, cpu)
            case kind:
                self._destroy(kind, value)
        return None

    def _destroy(self, kind: Act, value: int) -> None:
        """raise(), stop(), breakpoint(), panic(), chill(): what they would do to the system, its owner is told."""
        if kind is Act.CHILL:
            self.firing.chills.chill(self.frame, value)
            return
        if kind is Act.RAISE and value >= NSIG:
            raise Fault(FaultKind.ILLOP)
        self.firing.kernel.destroyed.append((kind, value, self.frame.probe, dict(self.frame.context)))
