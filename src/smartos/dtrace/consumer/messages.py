"""What dtrace(1M) says of faults and of lost data, on its standard error.

Follows libdtrace's `dt_handle.c` and the faults' names in `dt_error.c`.
"""

from collections.abc import Iterator

from smartos.dtrace.kernel.buffer import Drops, Ecb, FaultData

FAULTS = {
    1: "invalid address", 2: "invalid alignment", 3: "illegal operation", 4: "divide-by-zero", 5: "out of scratch space",
    6: "invalid kernel access", 7: "invalid user access", 8: "tuple stack overflow", 9: "bad stack",
    1000: "library-level fault",
}  # fmt: skip
_WITH_ADDRESS = (1, 2, 9)

# attribute of Drops, libdtrace's tag, what was lost, and what is said after it
STATE = (
    ("dynamic", "DTRACEDROP_DYNAMIC", "dynamic variable drop", ""),
    ("dynamic_rinsing", "DTRACEDROP_DYNRINSE", "dynamic variable drop", " with non-empty rinsing list"),
    ("dynamic_dirty", "DTRACEDROP_DYNDIRTY", "dynamic variable drop", " with non-empty dirty list"),
    ("speculation", "DTRACEDROP_SPEC", "speculative drop", ""),
    ("speculation_busy", "DTRACEDROP_SPECBUSY", "failed speculation", " (available buffer(s) still busy)"),
    ("speculation_unavailable", "DTRACEDROP_SPECUNAVAIL", "failed speculation", " (no speculative buffer available)"),
    ("stack_string_overflows", "DTRACEDROP_STKSTROVERFLOW", "jstack()/ustack() string table overflow", ""),
    ("double_errors", "DTRACEDROP_DBLERROR", "error", " in ERROR probe enabling"),
)


def _where(ecb: Ecb) -> str:
    probe = ecb.probe
    return f"error on enabled probe ID {ecb.epid} (ID {probe.id}: {probe})"


def fault(ecb: Ecb, data: FaultData) -> str:
    """A fault while a clause ran: which clause, what, and where in it."""
    place = f"action #{data.action}" if data.action else "predicate"
    offset = f" at DIF offset {data.offset}" if data.offset != -1 else ""
    address = f" (0x{data.value & (1 << 64) - 1:x})" if data.kind in _WITH_ADDRESS else ""
    return f"{_where(ecb)}: {FAULTS.get(data.kind, 'unknown fault')}{address} in {place}{offset}\n"


def library(ecb: Ecb, what: str) -> str:
    """Something that the consumer itself could not do for a clause."""
    return f"{_where(ecb)}: {what}\n"


def cpu_drop(cpu: int, count: int, aggregation: bool, tags: bool = False) -> str:
    """Entries that found no room in a CPU's buffer."""
    kind = "AGGREGATION" if aggregation else "PRINCIPAL"
    tag = f"[DTRACEDROP_{kind}] " if tags else ""
    return f"{tag}{count} {'aggregation ' if aggregation else ''}drop{'s' if count > 1 else ''} on CPU {cpu}\n"


class Losses:
    """What was lost and has not been told yet: each kind of loss is told when the consumer comes to it."""

    def __init__(self) -> None:
        self._lost = Drops()

    def add(self, new: Drops) -> None:
        """Note what was lost since the last question."""
        for name, value in vars(new).items():
            before = getattr(self._lost, name)
            if isinstance(value, dict):
                for cpu, count in value.items():
                    before[cpu] = before.get(cpu, 0) + count
            else:
                setattr(self._lost, name, before + value)

    def told(self, what: str = "", tags: bool = False) -> list[str]:
        """The messages of one kind, `principal` or `aggregation`, or of the state as a whole; they are told then."""
        if what:
            counts = getattr(self._lost, what)
            found = [cpu_drop(cpu, counts[cpu], what == "aggregation", tags) for cpu in sorted(counts)]
            counts.clear()
            return found
        found = list(state_drops(self._lost, tags))
        self._lost = Drops(self._lost.principal, self._lost.aggregation)
        return found


def state_drops(drops: Drops, tags: bool = False) -> Iterator[str]:
    """What was lost in the state as a whole."""
    for name, tag, what, after in STATE:
        if count := getattr(drops, name):
            yield f"{f'[{tag}] ' if tags else ''}{count} {what}{'s' if count > 1 else ''}{after}\n"
