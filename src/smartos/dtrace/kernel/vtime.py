"""Time as threads and clauses have it: `vtimestamp`, and what chill() makes of time.

Follows `dtrace_vtime_*` and `dtrace_action_chill` of illumos.
"""

from typing import Any

from smartos.dtrace.kernel.clock import Clock
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.frame import Frame

CHILL_MAX, CHILL_INTERVAL = 500 * 10**6, 10**9


class VirtualTime:
    """`vtimestamp`: how long each thread has been on a CPU, as far as the firings show it.

    The time between two firings on a CPU is a thread's if both are its own, as in the real system, which also takes away
    the time that DTrace itself took.
    """

    def __init__(self) -> None:
        self._spent: dict[tuple[Any, Any], int] = {}
        self._last: dict[int, tuple[tuple[Any, Any], int]] = {}

    def at(self, thread: tuple[Any, Any], cpu: int, now: int) -> int:
        """A thread's time when it fires."""
        last, then = self._last.get(cpu, (None, now))
        if last == thread:
            self._spent[thread] = self._spent.get(thread, 0) + now - then
        self._last[cpu] = thread, now
        return self._spent.get(thread, 0)


class Chills:
    """chill(): time passes while a clause waits, at most half a second in every second on each CPU."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._done: dict[int, tuple[int, int]] = {}

    def chill(self, frame: Frame, value: int) -> None:
        """Let so many nanoseconds pass. Raises Fault when that is too much."""
        clock = self._clock
        mark, chilled = self._done.get(frame.cpu, (0, 0))
        if clock.now - mark > CHILL_INTERVAL:
            mark, chilled = clock.now, 0
        if chilled + value > CHILL_MAX:
            raise Fault(FaultKind.ILLOP)
        clock.advance(clock.now + value)
        frame.timestamp = clock.now
        self._done[frame.cpu] = mark, chilled + value
