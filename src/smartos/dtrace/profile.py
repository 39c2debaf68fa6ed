"""The profile provider: `profile-n` fires on every CPU, `tick-n` on one, each at a fixed rate, in virtual time.

Any rate can be asked for: the number is in Hz unless a suffix says how long the interval is. What would fire more often
than 5000 times a second does not exist. Follows `profile.c` of illumos.
"""

import re

SECOND = 10**9
MINIMUM = SECOND // 5000
PROFILE, TICK = "profile-", "tick-"
STANDARD = (
    *(f"profile-{n}" for n in (97, 199, 499, 997, 1999, 4001, 4999)), *(f"tick-{n}" for n in (1, 10, 100, 500, 1000, 5000)),
)  # fmt: skip
_UNITS = {
    **dict.fromkeys(("ns", "nsec"), 1), **dict.fromkeys(("us", "usec"), 1000), **dict.fromkeys(("ms", "msec"), 10**6),
    **dict.fromkeys(("s", "sec"), SECOND), **dict.fromkeys(("m", "min"), 60 * SECOND),
    **dict.fromkeys(("h", "hour"), 3600 * SECOND), **dict.fromkeys(("d", "day"), 86400 * SECOND),
}  # fmt: skip
_NAME = re.compile(r"(profile-|tick-)([0-9]+)([^0-9]*)")


def interval(name: str) -> int:
    """Nanoseconds between two firings of the probe of that name; 0 when there can be no such probe."""
    found = _NAME.fullmatch(name)
    if not found or not int(found[2]):
        return 0
    number, unit = int(found[2]), found[3].lower()
    if unit in ("", "hz"):
        result = SECOND // number
    elif unit in _UNITS:
        result = number * _UNITS[unit]
    else:
        return 0
    return result if result >= MINIMUM else 0


def every_cpu(name: str) -> bool:
    """Whether it fires on all CPUs."""
    return name.startswith(PROFILE)
