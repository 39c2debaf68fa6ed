"""The profile provider's clocks: what fires when, in virtual time.

A clock begins to run when its probe is enabled, and each of its firings is one interval after the one before. Those that
are due at the same moment fire in the order in which they were enabled, CPU after CPU. What a CPU was doing when it was
interrupted, `sample` says: the program counter in the kernel, or in a process, and the context of who ran. Follows
`profile.c` of illumos, where the cyclic subsystem does this.
"""

import heapq
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smartos.dtrace.kernel.kernel import Kernel

Sample = tuple[int, int, Mapping[str, object]]
IDLE_PC = 0xFFFF_FFFF_FB80_0FD6  # in unix`mach_cpu_idle


def idle(cpu: int, now: int) -> Sample:
    """What an idle CPU does."""
    return IDLE_PC, 0, {"cpu": cpu, "stack": IDLE_STACK}


IDLE_STACK = (
    "unix`mach_cpu_idle+0x6", "unix`cpu_idle+0xaf", "unix`cpu_idle_adaptive+0x19", "unix`idle+0x114", "unix`thread_start+0x8",
)  # fmt: skip


class Timers:
    """All clocks of a state."""

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._due: list[tuple[int, int, int, int, int]] = []  # when, order, interval, probe, cpu
        self._order = 0
        self.sample: Callable[[int, int], Sample] = idle
        self.looks: set[int] = set()  # probes whose clauses ask who was interrupted, or where

    def __bool__(self) -> bool:
        return bool(self._due)

    def add(self, probe: int, interval: int, cpus: int) -> None:
        """Start the clock of a probe, on so many CPUs."""
        for cpu in range(cpus):
            self._order += 1
            heapq.heappush(self._due, (self._kernel.clock.now + interval, self._order, interval, probe, cpu))

    def next(self) -> int | None:
        """When the next one is due."""
        return self._due[0][0] if self._due else None

    def fire(self) -> None:
        """Fire the one that is due next, at its time."""
        when, order, interval, probe, cpu = self._due[0]
        heapq.heapreplace(self._due, (when + interval, order, interval, probe, cpu))
        clock = self._kernel.clock
        clock.advance(when)
        pc, upc, context = self.sample(cpu, when) if probe in self.looks else idle(cpu, when)
        self._kernel.fire(probe, (pc, upc, clock.now - when), context)
