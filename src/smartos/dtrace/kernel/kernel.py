"""DTrace in the kernel: a state with its enabled clauses, from go() over every firing to stop().

A state is inactive until :meth:`Kernel.go`, which fires BEGIN while it is warming up, is active until exit() or
:meth:`Kernel.stop`, and fires END while it cools down. What a firing does is in :mod:`~smartos.dtrace.kernel.firing`. The
buffers are read with :meth:`Kernel.drain` and :meth:`Kernel.take_aggregations`.

Left out: privileges (the user may do everything, but destructive actions want the option), several states at once,
anonymous tracing, the dead man's switch. Follows `dtrace_state_*` and `dtrace_enabling_*` of illumos.
"""

from collections.abc import Callable, Mapping
from typing import Any

from smartos.dtrace.errors import DError
from smartos.dtrace.kernel import dof
from smartos.dtrace.kernel.activity import BEGIN, END, Activity
from smartos.dtrace.kernel.buffer import Drops, Ecb, Entry, Status
from smartos.dtrace.kernel.buffers import POLICIES, AggregationRoom, Buffer
from smartos.dtrace.kernel.clock import Clock
from smartos.dtrace.kernel.difo_check import Known, validate
from smartos.dtrace.kernel.ecb import Einval, Plan, create, looks
from smartos.dtrace.kernel.sizes import settle
from smartos.dtrace.kernel.speculation import Speculations
from smartos.dtrace.kernel.timers import Timers
from smartos.dtrace.options import Options
from smartos.dtrace.profile import every_cpu
from smartos.dtrace.program import Act, EcbDesc, Program
from smartos.dtrace.tree import ProbeDesc

FILL, SWITCH = 1, 2  # values of bufpolicy
WARM = 16  # firings of a probe that are interpreted; compiling its clauses takes as long as some hundred


class Kernel:
    """One consumer's state. `probes` is the table of probes, `options` the options that were set; what the
    buffers really get is written back to them by :meth:`go`.

    `cpus` is how many CPUs there are, for providers that fire on each. `seed` makes `rand()` and the clock the same
    every time. `own` is the context of BEGIN and END, the consumer's own process.
    """

    def __init__(
        self, probes: Any, options: Options | None = None, *, clock: Clock | None = None, cpus: int = 1, seed: int = 0,
        types: Any = None,
    ) -> None:  # fmt: skip
        self.probes, self.cpus, self.seed, self.types = probes, cpus, seed, types
        self.clock = clock or Clock(seed)
        self.options = Options.command() if options is None else options
        self.activity = Activity.INACTIVE
        self.plans: list[Plan] = []
        self.by_probe: dict[int, list[Plan]] = {}
        self.buffers: dict[int, Buffer] = {}
        self.rooms: dict[int, AggregationRoom] = {}
        self.aggregations: dict[int, Any] = {}
        self.speculations = Speculations(0, 0)
        self.own: dict[str, object] = {"execname": "dtrace", "pid": 1, "tid": 1}
        self.timers = Timers(self)
        self.compiled = True  # clauses run as Python functions where they can
        self._hears: dict[int, Callable[..., None]] = {}
        self.on_event: Callable[[], int] | None = None  # called after a model's event; says when it has to be again
        self._due = 0
        self._attached: list[tuple[Any, Any]] = []
        self._variables: Known = {}
        self.double_errors = self.stack_overflows = self.reserve = 0
        self._aggids, self._cleaned, self._taken = 0, 0, Drops()
        self.destroyed: list[tuple[Act, int, Any, Mapping[str, object]]] = []  # raise(), stop() …, for whoever models it

    # ---- enabling

    def enable(self, program: Program) -> int:
        """Enable a program's clauses; how many probes they match. Raises :class:`DError` for what the kernel refuses."""
        dof.check(program)
        self._validate(program)
        return sum(self.enable_clause(desc) for desc in program.ecbs)

    def _validate(self, program: Program) -> None:
        """Check every DIF object before anything is enabled, and remember its variables for those that follow."""
        for desc in program.ecbs:
            for difo in (desc.predicate, *(act.difo for act in desc.actions)):
                if difo is None:
                    continue
                if validate(difo, self._variables):
                    raise DError("", "DIF program content is invalid")
                for row in difo.vars:
                    self._variables.setdefault((row.scope, row.id), row)

    def enable_clause(self, desc: EcbDesc) -> int:
        """Enable one clause at all the probes that its description names."""
        matched = list(self.probes.matching(desc.probe))
        for probe in matched:
            self._create(desc, probe)
        return len(matched)

    def _create(self, desc: EcbDesc, probe: Any) -> Ecb:
        try:
            plan = create(len(self.plans) + 1, probe, desc, self.options, self._new_aggid)
        except Einval:
            raise DError("", "DIF program content is invalid") from None
        self.plans.append(plan)
        self.by_probe.setdefault(probe.id, []).append(plan)
        return plan.ecb

    def _new_aggid(self) -> int:
        self._aggids += 1
        return self._aggids

    def _enable_errors(self) -> None:
        """The consumer's own ERROR clause, which comes behind the program's."""
        for probe in self.probes.matching(ProbeDesc("dtrace", "", "", "ERROR")):
            ecb = self._create(EcbDesc(ProbeDesc("dtrace", "", "", "ERROR")), probe)
            ecb.error, ecb.size, ecb.needed = True, 56, 56
            self.plans[-1].stores = True

    # ---- from go to stop

    def go(self) -> None:
        """Begin to trace: make the buffers, fire BEGIN. Raises :class:`DError` when it may or can not."""
        self._enable_errors()
        if any(plan.ecb.destructive for plan in self.plans) and "destructive" not in self.options:
            raise DError("", "Destructive actions not allowed")
        self._reserve_for_end()
        settle(self.options, self.plans, self.reserve)
        self.speculations = Speculations(self.options.number("nspec"), self.options.number("specsize"))
        self._machine()
        self.activity = Activity.WARMUP
        self.buffer(0)
        self._cleaned = self.clock.now
        self._attach()
        self.fire(BEGIN, (1, 0, 0, 0, 0), self.own)
        if self.activity is Activity.WARMUP:
            self.activity = Activity.ACTIVE

    def stop(self) -> None:
        """End the tracing: fire END."""
        if self.activity not in (Activity.ACTIVE, Activity.DRAINING):
            return
        self.activity, self.reserve = Activity.COOLDOWN, 0
        self.fire(END, (1, 0, 0, 0, 0), self.own)
        self.activity = Activity.STOPPED
        self.detach()

    def _attach(self) -> None:
        """Listen to the models' probes that are enabled, and start the clocks of the profile provider."""
        for number, plans in self.by_probe.items():
            probe = plans[0].ecb.probe
            source, every = getattr(probe, "source", None), getattr(probe, "interval", 0)
            if every:
                self.timers.add(number, every, self.cpus if every_cpu(probe.name) else 1)
                if any(looks(plan) for plan in plans):
                    self.timers.looks.add(number)
            if source is not None:
                self._attached.append((source, self._listener(number)))
        if self.on_event is not None and (self.timers or any(plan.stores and not plan.ecb.error for plan in self.plans)):
            self._attached += [(source, self._after) for source, _ in self._attached]
        for source, hear in self._attached:
            source.listeners.append(hear)

    def _after(self, *_: object) -> None:
        if self.on_event is not None and not self.clock.before(self._due):
            self._due = self.on_event()

    def _listener(self, number: int) -> Callable[..., None]:
        """What hears a probe: the generic way at first, a function of its own when it has fired a few times."""
        fire, left = self.firing.fire, WARM if self.compiled else 0

        def hear(probe: object, args: tuple, context: Mapping[str, object]) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self._compile(number, hear)
            fire(number, args, context)

        return hear

    def _compile(self, number: int, hear: Callable[..., None]) -> None:
        """Let a compiled function hear a probe in the place of another, if there can be one."""
        from smartos.dtrace.kernel.compiled import listener

        compiled = listener(self.firing, number)
        if compiled is None:
            return
        self._hears[number] = compiled
        for at, (source, heard) in enumerate(self._attached):
            if heard is hear:
                self._attached[at] = source, compiled
                source.listeners[source.listeners.index(hear)] = compiled

    def detach(self) -> None:
        """Stop listening."""
        for source, hear in self._attached:
            source.listeners.remove(hear)
        self._attached.clear()

    def can_fire(self) -> bool:
        """Whether anything is enabled that time or a model could still fire."""
        return bool(self.timers or self._attached)

    def fire(self, probe: int, args: tuple, context: Mapping[str, object]) -> None:
        """A probe fires. `probe` is its number in the table."""
        hear = self._hears.get(probe)
        if hear is None:
            hear = self._hears[probe] = self._listener(probe)
        hear(None, args, context)

    def _reserve_for_end(self) -> None:
        ends = self.by_probe.get(END, ())
        if self.options.number("bufpolicy") == FILL:
            self.reserve = sum(plan.ecb.needed + plan.ecb.alignment for plan in ends)

    def _machine(self) -> None:
        from smartos.dtrace.kernel.firing import Firing

        self.firing = Firing(self)

    def buffer(self, cpu: int) -> Buffer:
        """The principal buffer of a CPU."""
        found = self.buffers.get(cpu)
        if found is None:
            found = self.buffers[cpu] = Buffer(self.options.number("bufsize"), POLICIES[self.options.number("bufpolicy")])
            found.inactive = self.options.number("cpu", -1) not in (-1, cpu)
        return found

    def room(self, cpu: int) -> AggregationRoom:
        """What the aggregation buffer of a CPU holds."""
        found = self.rooms.get(cpu)
        if found is None:
            found = self.rooms[cpu] = AggregationRoom(self.options.number("aggsize"))
        return found

    # ---- what the consumer asks

    def clean(self) -> None:
        """Do what the cleaner does at `cleanrate`, if it is time: speculations and dynamic variables."""
        due = self._cleaned + self.options.number("cleanrate")
        if not self.clock.before(due) and self.clock.now >= due:
            self._cleaned = self.clock.now
            self.speculations.clean(self.buffers, self.clock.now)

    def drain(self) -> list[Entry]:
        """The entries since the last question, CPU after CPU; a buffer that is not switched gives them after the end."""
        if self.options.number("bufpolicy") != SWITCH and self.activity is not Activity.STOPPED:
            return []
        return [entry for cpu in sorted(self.buffers) for entry in self.buffers[cpu].take()]

    def take_aggregations(self) -> dict[int, Any]:
        """What the aggregations have gathered since the last question, by the number of the aggregating action."""
        found, self.aggregations = self.aggregations, {}
        self.firing.forget_aggregations()
        for room in self.rooms.values():
            room.clear()
        return found

    def drops(self) -> Drops:
        """What was lost since the last question."""
        total = self._all_drops()
        last, self._taken = self._taken, total
        found = Drops()
        for name, value in vars(total).items():
            if isinstance(value, dict):
                before = getattr(last, name)
                new = {cpu: count - before.get(cpu, 0) for cpu, count in value.items()}
                setattr(found, name, {cpu: count for cpu, count in new.items() if count})
            else:
                setattr(found, name, value - getattr(last, name))
        return found

    def _all_drops(self) -> Drops:
        return Drops(
            principal={cpu: buffer.drops for cpu, buffer in self.buffers.items()},
            aggregation={cpu: room.drops for cpu, room in self.rooms.items()},
            dynamic=0 if self.activity is Activity.INACTIVE else self.firing.variables.drops,
            speculation=self.speculations.drops(),
            speculation_busy=self.speculations.busy,
            speculation_unavailable=self.speculations.unavailable,
            stack_string_overflows=self.stack_overflows,
            double_errors=self.double_errors,
        )

    def status(self) -> Status:
        """Whether exit() was called, and whether a fill buffer is full."""
        return Status(
            exiting=self.activity is Activity.DRAINING,
            filled=any(buffer.full for buffer in self.buffers.values()),
            killed=self.activity is Activity.KILLED,
            errors=sum(buffer.errors for buffer in self.buffers.values()),
        )
