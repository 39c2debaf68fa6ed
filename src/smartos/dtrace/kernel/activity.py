"""What a tracing state is doing, and the three probes that mark it: BEGIN, END, and ERROR for what goes wrong between."""

from enum import IntEnum

BEGIN, END, ERROR = 1, 2, 3  # numbers of the dtrace provider's probes


class Activity(IntEnum):
    """What a state is doing."""

    INACTIVE, WARMUP, ACTIVE, DRAINING, COOLDOWN, STOPPED, KILLED = range(7)
