"""A run of dtrace(1M) from programs to output, over the models' events and virtual time.

    with trace("io:::start { @[args[1]->dev_statname] = count(); }") as t:
        pool.sync()
    print(t.output)

    done = run_script("tick-1sec /i++ == 4/ { exit(0); } profile-997 { @ = count(); }")
    done.out, done.err, done.status

What can happen in virtual time is the profile provider's clocks and the workload of an idle system; a session lets that
happen until a program calls exit(), until nothing is left that could fire, until ^C or SIGTERM, or until the longest time
that a run may take (the option `maxtime`). The last of these says so, in the messages and in the exit status. Follows
the main loop of cmd/dtrace and `dt_work.c`.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from smartos.dtrace.bound import SECOND, STOPPED, Bound
from smartos.dtrace.code.compile import compile_program
from smartos.dtrace.consumer.consume import Consumer
from smartos.dtrace.errors import DError
from smartos.dtrace.given import check, check_macros
from smartos.dtrace.interrupts import Interrupts
from smartos.dtrace.kernel.activity import Activity
from smartos.dtrace.kernel.clock import Clock
from smartos.dtrace.kernel.kernel import Kernel
from smartos.dtrace.options import Options
from smartos.dtrace.program import Program
from smartos.dtrace.system.objects import Objects
from smartos.dtrace.system.setup import Setting, setting
from smartos.dtrace.vm.process import image
from smartos.output import Output


class Source(Protocol):
    """Something whose events come by themselves in virtual time."""

    def next(self) -> int | None:
        """When the next event is due, in nanoseconds since boot; None for never."""
        ...

    def fire(self) -> None:
        """Let it happen."""
        ...


class Session:
    """Programs that are enabled together, their kernel and their consumer.

    `args` are the macro arguments from $1 on. `out` and `err` take `write(str)`. `workload` is the name of what an idle
    system does ("node"), or "" for nothing; `cpus` how many CPUs there are.
    """

    def __init__(
        self, args: Sequence[str] = (), options: Options | None = None, *, seed: int = 0, cpus: int = 1, workload: str = "node",
        out: Any = None, err: Any = None, target: int | None = None, given: Setting | None = None,
        system: Callable[[str], str] | None = None, opener: Callable[[str], Any] | None = None,
    ) -> None:  # fmt: skip
        check(options=options, seed=seed, cpus=cpus, workload=workload)
        check_macros(args)
        self.options = Options.command() if options is None else options
        self.setting = given or setting(args, self.options, target)
        self.env = self.setting.env
        self.seed, self.workload = seed, workload
        self.out, self.err = out if out is not None else io.StringIO(), err if err is not None else io.StringIO()
        self.kernel = Kernel(self.setting.probes, self.options, clock=Clock(seed), cpus=cpus, seed=seed)
        self.kernel.own = {"execname": "dtrace", "pid": self.env.macros["pid"], "ppid": self.env.macros["ppid"], "tid": 1}
        self.kernel.own |= image(["dtrace"])
        self.kernel.types = Objects(self.setting, self.kernel)
        self.consumer = Consumer(
            self.kernel, self.options, self.out, self.err, names=self.setting.symbols, system=system, opener=opener
        )
        self.programs: list[Program] = []
        self.matched = 0
        self.interrupts = Interrupts()
        self.bound: Bound | None = None
        self._sources: list[Source] = []
        self._done = False

    # ---- compiling and enabling

    def compile(self, text: str, spec: str = "name", script: bool = False, pspec: bool = False) -> Program:
        """Compile a program. `pspec` lets a bare name be a description, as `-n` does. Raises :class:`DError`."""
        check(program=text)
        env = self.env
        if "nolibs" not in self.options:
            self.setting.library.need(text)
        before = env.spec, env.script, env.options.get("pspec")
        env.spec, env.script = spec, script
        if pspec:
            env.options["pspec"] = True
        try:
            return compile_program(text, env)
        finally:
            env.spec, env.script = before[:2]
            if pspec and before[2] is None:
                env.options.pop("pspec", None)

    def enable(self, program: Program) -> int:
        """Enable a compiled program; how many probes its clauses match. Raises :class:`DError`."""
        matched = self.kernel.enable(program)
        self.programs.append(program)
        self.matched += matched
        return matched

    def go(self) -> None:
        """Begin to trace. Raises :class:`DError` when that is refused."""
        if not self.workload:
            self.kernel.on_event = self._between
        self.kernel.go()
        if self.workload:
            self._start_workload()
        self._sources.append(self.kernel.timers)

    def _start_workload(self) -> None:
        enabled = [getattr(plans[0].ecb.probe, "source", None) for plans in self.kernel.by_probe.values()]
        probes = {id(source) for source in enabled if source is not None}
        if not probes and not self.kernel.timers:
            return
        from smartos import idle_node as workload

        if probes & {id(probe) for probe in workload.PROBES} or self.kernel.timers:
            own, options = self.kernel.own, self.options
            rate = min(options.number("switchrate"), options.number("aggrate"), options.number("statusrate"))
            watcher = (int(str(own["pid"])), int(str(own["ppid"])), max(rate, SECOND // 1000))
            load = workload.Workload(self.seed, self.kernel.clock.now, self.kernel.cpus, watcher)
            self.kernel.timers.sample = load.sampler(self.setting.symbols.pc)
            if probes & {id(probe) for probe in workload.PROBES}:
                self._sources.append(load)

    # ---- running

    def run(self) -> None:
        """Let virtual time pass until the end, and print all. Raises :class:`DError` where the consumer gives up."""
        with self:
            self.bound = Bound(self.options, self.kernel.clock.now)
            while not self.consumer.wake():
                if not self.kernel.can_fire() and not self._pending():
                    self.interrupt()
                    break
                self.advance(self._wake())
                if self._over():
                    self.interrupt()
                    break
            self.finish()

    def __enter__(self) -> "Session":
        """Signals are heard; afterwards nothing else is."""
        self.interrupts.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.interrupts.__exit__(*error)
        self.kernel.detach()

    def _wake(self) -> int:
        """When the consumer looks again: not before something happens, for it would find nothing new until then."""
        if self._pending():
            return self.consumer.due()
        return self.bound.clip(max(self.consumer.due(), self._next()))

    def _next(self) -> int:
        """When something happens next."""
        return min((when for source in self._sources if (when := source.next()) is not None), default=0)

    def _over(self) -> bool:
        """Whether the run is to end: by a signal, or by its bound, which is said."""
        if self.interrupts.count:
            return True
        if self._pending() or not self.bound.over(self.kernel.clock.now):
            return False
        self.consumer.error(self.bound.message())
        return True

    def advance(self, to: int) -> int:
        """Let everything happen that is due until then, or until a signal comes; how many events that were."""
        count = 0
        while not self.interrupts.count:
            due = [(when, number) for number, source in enumerate(self._sources) if (when := source.next()) is not None]
            if not due or min(due)[0] > to:
                self.kernel.clock.advance(to)
                break
            when, number = min(due)
            self.kernel.clock.advance(when)
            self._sources[number].fire()
            count += 1
        return count

    def interrupt(self) -> None:
        """What ^C does: a new line, and the end."""
        self.consumer.write("\n")
        self.kernel.stop()

    def finish(self) -> None:
        """Stop, and print what is left."""
        if not self._done:
            self._done = True
            self.kernel.stop()
            self.kernel.detach()
            self.consumer.finish(aggregations=not self.interrupts.impatient)

    @property
    def status(self) -> int:
        """exit()'s argument, or :data:`~smartos.dtrace.bound.STOPPED` where the bound has ended the run."""
        return STOPPED if self.bound is not None and self.bound.reached else self.consumer.status

    def _pending(self) -> bool:
        return self.kernel.activity is not Activity.ACTIVE

    def _between(self) -> int:
        """After an event of a model: fire the clocks that are due, read the buffers when it is time; when to do so again."""
        kernel, timers = self.kernel, self.kernel.timers
        now = kernel.clock.now
        while (when := timers.next()) is not None and when <= now:
            timers.fire()
        if now >= self.consumer.due() and kernel.activity is Activity.ACTIVE:
            self.consumer.wake()
        following = timers.next()
        return self.consumer.due() if following is None else min(following, self.consumer.due())


class Trace:
    """What :func:`trace` hands out: `output` once the block has ended, `errors` beside it, `status` of exit()."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def output(self) -> str:
        """What dtrace(1M) would have written to stdout."""
        return self.session.out.getvalue()

    @property
    def errors(self) -> str:
        """And to stderr."""
        return self.session.err.getvalue()

    @property
    def status(self) -> int:
        """The exit status."""
        return self.session.status

    def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        session = self.session
        until = session.kernel.clock.now + int(seconds * SECOND)
        while session.kernel.clock.now < until:
            session.advance(min(until, max(session.consumer.due(), session.kernel.clock.now + 1)))
            if session.consumer.wake():
                break


@contextmanager
def trace(
    program: str, *args: str, quiet: bool = False, destructive: bool = False, seed: int = 0, options: Options | None = None
) -> Iterator[Trace]:
    """Trace what the models do while the block runs. `args` are $1 and so on.

    Raises :class:`DError` when the program does not compile: nothing is traced then.
    """
    check(program=program, options=options)
    chosen = Options.command() if options is None else options
    if quiet:
        chosen["quiet"] = 1
    if destructive:
        chosen["destructive"] = 1
    session = Session(args, chosen, seed=seed, workload="")
    session.enable(session.compile(program, pspec=True))
    if not session.matched:
        raise DError("", "no probes matched")
    session.go()
    held = Trace(session)
    try:
        yield held
    finally:
        session.finish()


def run_script(
    text: str, *args: str, quiet: bool = False, destructive: bool = False, seed: int = 0, cpus: int = 1, workload: str = "node",
    seconds: float | None = None, options: Options | None = None,
) -> Output:  # fmt: skip
    """Run a script as `dtrace -s` would: its output, its messages, its exit status.

    `seconds` is how much virtual time it may take, as the option `maxtime` says in nanoseconds; 0 for any.

    Raises :class:`DError` for an argument that is none: of a wrong type, or a number that makes no sense.
    """
    check(program=text, options=options, seconds=seconds)
    chosen = Options.command() if options is None else options
    if quiet:
        chosen["quiet"] = 1
    if destructive:
        chosen["destructive"] = 1
    if seconds is not None:
        chosen["maxtime"] = int(seconds * SECOND)
    session = Session(args, chosen, seed=seed, cpus=cpus, workload=workload)
    try:
        session.enable(session.compile(text, script=True))
        session.go()
        session.run()
    except DError as error:
        return Output(session.out.getvalue(), f"{session.err.getvalue()}dtrace: {error.text('errtags' in chosen)}\n", 1)
    return Output(session.out.getvalue(), session.err.getvalue(), session.status)
