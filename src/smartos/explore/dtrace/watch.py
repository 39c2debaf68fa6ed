"""A D program enabled over a handful of probes: what the explorers of DTrace fire events at and read results from.

The compiler, the kernel's side and the consumer are the real ones; only the table of probes is small, and nothing but
the explorer fires them, with arguments and a context of its own. Time stands where the explorer puts it.
"""

from collections.abc import Sequence

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.code.compile import compile_program
from smartos.dtrace.consumer.consume import Consumer
from smartos.dtrace.environment import NoProbes, ProbeInfo
from smartos.dtrace.kernel.clock import Clock
from smartos.dtrace.kernel.kernel import Kernel
from smartos.dtrace.options import Options

FIRST = 1000  # number of the first probe behind BEGIN, END and ERROR


class Few(NoProbes):
    """BEGIN, END, ERROR and a few probes by name, `provider:module:function:name`."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.all += [ProbeInfo(number, *name.split(":")) for number, name in enumerate(names, FIRST)]

    def named(self, name: str) -> ProbeInfo:
        """The probe of that name."""
        return next(probe for probe in self.all if str(probe) == name)


class Watch:
    """A program that traces. `options` are as `-x` has them; `step` is how many nanoseconds a firing takes.

    Raises DError where the compiler or the kernel refuses the program.

    >>> watch = Watch("syscall::write:entry { @[execname] = sum(arg2); }", ["syscall::write:entry"])
    >>> watch.fire("syscall::write:entry", 1, 0, 512, execname="qemu")
    >>> watch.end().split()
    ['qemu', '512']
    """

    def __init__(
        self, text: str, probes: Sequence[str] = (), options: Sequence[tuple[str, str | None]] = (), step: int = 0
    ) -> None:
        settings = Options.command()
        for name, value in options:
            settings.set(name, value)
        self.probes = Few(probes)
        self.env = new_environment(probes=self.probes)
        settings.settle(self.env)
        self.program = compile_program(text, self.env)
        self.kernel = Kernel(self.probes, settings, clock=Clock(step=step))
        self.kernel.enable(self.program)
        self.kernel.go()
        self.consumer = Consumer(self.kernel)

    def fire(self, probe: str, *args: object, **context: object) -> None:
        """Fire a probe."""
        self.kernel.fire(self.probes.named(probe).id, args, context)

    def said(self) -> str:
        """What the consumer has printed so far, after reading the buffers once more."""
        self.consumer.work()
        self.consumer.flush()
        return self.consumer.out.getvalue()

    def end(self) -> str:
        """Stop, and all that was printed."""
        self.kernel.stop()
        self.consumer.finish()
        self.consumer.flush()
        return self.consumer.out.getvalue()

    @property
    def complaints(self) -> str:
        """What went to standard error: drops and faults."""
        return self.consumer.err.getvalue()
