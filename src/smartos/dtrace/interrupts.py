"""^C and SIGTERM while a session runs: counted, so that the run ends in order, and nobody is torn out of a firing.

The first asks for the end, and all that was traced is printed. At the second no aggregations are: the user is impatient.
At a third KeyboardInterrupt is raised at once. Follows `intr` of cmd/dtrace.

Left out: signals of a run outside Python's main thread, which hears none.
"""

import signal
import threading
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """How many have come while a `with` block ran; afterwards the signals do again what they did before."""

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[signal.Signals, object] = {}

    @property
    def impatient(self) -> bool:
        """Whether the user does not want to wait for what is left to print."""
        return self.count > 1

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._heard) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)  # type: ignore[arg-type]
        self._before = {}

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 2:
            raise KeyboardInterrupt
