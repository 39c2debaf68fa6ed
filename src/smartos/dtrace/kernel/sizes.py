"""What buffers and rates really are, once tracing begins: as asked for, as needed, or as the machine allows.

A buffer that is larger than there is memory is made smaller by halves, or refused where `bufresize` is `manual`; the
options are given the sizes that came out. As many speculations as do not fit are refused. Follows `dtrace_state_go`
and `dtrace_state_buffer` of illumos.
"""

from collections.abc import Sequence

from smartos.dtrace.errors import DError
from smartos.dtrace.kernel.ecb import Plan
from smartos.dtrace.options import Options
from smartos.dtrace.program import Act

MEMORY = 64 << 20
"""Bytes that one buffer may have."""
SPECULATION = 16 + 128
"""Bytes of a speculation that nobody uses: itself and the head of its buffer on one CPU."""
DYNVARSIZE = 1 << 20
MANUAL = 1  # of bufresize
CLEANRATE_MAX, CLEANRATE_MIN, STATUSRATE_MAX = 10**9 // 5000, 60 * 10**9, 10 * 10**9


def settle(options: Options, plans: Sequence[Plan], reserve: int) -> None:
    """Settle the sizes of all buffers, and two rates. `reserve` is what a fill buffer keeps for END. Raises DError."""
    if options.number("nspec") * SPECULATION > MEMORY:
        raise DError("", "Not enough space")
    needed = max((plan.ecb.needed for plan in plans), default=0)
    aggregates = any(plan.ecb.aggregations for plan in plans)
    speculates = any(step.kind is Act.SPECULATE for plan in plans for step in plan.steps)
    if options.number("aggsize"):
        if not aggregates:
            options["aggsize"] = 0
        elif options.number("bufsize") < needed:
            options["bufsize"] = needed
    if not speculates:
        options["specsize"] = 0
    wanted = {"bufsize": needed, "specsize": speculates, "aggsize": aggregates}
    if any(needs and options.number(name) < 8 for name, needs in wanted.items()):
        raise DError("", "Enabling exceeds size of buffer")
    for name in ("bufsize", "aggsize", "specsize"):
        if options.number(name):
            options[name] = _size(options, options.number(name) & ~7)
    if options.number("bufsize") < reserve:
        raise DError("", "END enablings exceed size of principal buffer")
    options["dynvarsize"] = _size(options, options.number("dynvarsize", DYNVARSIZE))
    options["statusrate"] = min(options.number("statusrate"), STATUSRATE_MAX)
    options["cleanrate"] = min(max(options.number("cleanrate"), CLEANRATE_MAX), CLEANRATE_MIN)


def _size(options: Options, size: int) -> int:
    """The size that a buffer gets. Raises :class:`DError` when it may not be made smaller."""
    while size > MEMORY:
        if options.number("bufresize") == MANUAL:
            raise DError("", "Not enough space")
        size = size // 2 & ~7
    return size
