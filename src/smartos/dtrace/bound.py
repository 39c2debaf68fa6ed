"""How long a run may take: one bound of virtual time for every program, the option `maxtime`, which says when it ends one.

There is no such bound in dtrace(1M), which goes on until somebody presses ^C; here nobody might, and time is not real.
"""

from smartos.dtrace.options import Options

SECOND = 10**9
MAXTIME = 100 * SECOND
"""How much virtual time a run may take where the option says nothing else."""
STOPPED = 124
"""The exit status of a run that its bound has ended: that of timeout(1)."""


class Bound:
    """The bound of one run that begins `now`. `at` is when it ends, None for never; `reached` says that it has."""

    def __init__(self, options: Options, now: int) -> None:
        self.most = options.number("maxtime", MAXTIME)
        self.at = now + self.most if self.most else None
        self.reached = False

    def clip(self, time: int) -> int:
        """That time, or the end if it is earlier."""
        return time if self.at is None else min(time, self.at)

    def over(self, now: int) -> bool:
        """Whether the run has to end."""
        self.reached = self.at is not None and now >= self.at
        return self.reached

    def message(self) -> str:
        """What is said then."""
        return (
            f"stopped after {span(self.most)} of virtual time, the longest that a run may take: "
            "-x maxtime=1h sets another bound, maxtime=0 none\n"
        )


def span(time: int) -> str:
    """A length of time in words."""
    return f"{time // SECOND} second{'s' * (time != SECOND)}" if time % SECOND == 0 else f"{time} nanoseconds"
