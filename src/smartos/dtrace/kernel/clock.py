"""The virtual clock: what `timestamp` and `walltimestamp` say. No time of the machine that runs us ever enters.

Time passes when a probe fires (a little, from a seed), when a session waits for the next tick, and when a model gives its
own times along with its events: these are shifted so that they go on from now, and their distances are kept.
"""

from collections.abc import Mapping
from random import Random

START = 86_400 * 10**9 // 24  # the system has been up for an hour
WALL = 1_313_193_600 * 10**9  # 13 August 2011, 00:00 UTC


class Clock:
    """Nanoseconds since the system was booted, `now`, and since 1970, `wall`. Each reading takes `step` ns on average."""

    def __init__(self, seed: int = 0, start: int = START, wall: int = WALL, step: int = 1200) -> None:
        self._now, self._epoch = start, wall - start
        self._random = Random(seed)
        self._step = step
        self._shift: int | None = None
        self.pending = 0  # readings that nobody looked at: counted now, drawn when the time is wanted

    @property
    def now(self) -> int:
        """Nanoseconds since boot."""
        if self.pending:
            passed, self.pending, step, draw = self.pending, 0, self._step, self._random.random
            for _ in range(passed if step else 0):
                self._now += step // 2 + int(draw() * step)
        return self._now

    def before(self, time: int) -> bool:
        """Whether it is surely not yet that late; asking draws nothing."""
        return self._now + self.pending * (self._step // 2 + self._step) < time

    @property
    def wall(self) -> int:
        """Nanoseconds since 1970."""
        return self._epoch + self.now

    def read(self, context: Mapping[str, object]) -> int:
        """The time at which a probe fires; a context's own `timestamp` counts, if it has one."""
        given = context.get("timestamp")
        if given is None:
            self.pending += 1
            return self.now
        if self._shift is None:
            self._shift = self.now - int(given)  # type: ignore[call-overload]
        self._now = max(self.now, int(given) + self._shift)  # type: ignore[call-overload]
        return self._now

    def advance(self, to: int) -> None:
        """Let time pass until `to`; it never goes back."""
        self._now = max(self.now, to)
