"""What the kernel's side of DTrace hands to the consumer: enabled clauses with their records, entries, and what was lost.

The real buffers are bytes that both sides lay out in the same way; here an entry keeps its values as Python objects, and
a record still says which bytes they would be, since sizes, offsets and drops are seen by the user. Follows
`dtrace_eprobedesc`, `dtrace_recdesc`, `dtrace_bufdesc` and `dtrace_status` of `sys/dtrace.h`.
"""

from dataclasses import dataclass, field
from typing import Any

from smartos.dtrace.environment import ProbeInfo
from smartos.dtrace.program import Act, Action, EcbDesc, Statement

# A value of a record: an integer by value is unsigned and cut to the record's size; a string has no NUL; another thing by
# reference is exactly `size` bytes. stack() gives a tuple of frames, ustack() and jstack() give (pid, frame, frame …),
# usym(), umod() and uaddr() give (pid, address). A frame is an address, or a str that is printed as it stands.
Value = int | bytes | tuple


@dataclass(eq=False)
class Record:
    """One value that a clause leaves in the buffer. `action` is the kind of action, `act` the action itself."""

    action: Act
    size: int
    offset: int
    alignment: int
    act: Action

    @property
    def statement(self) -> Statement | None:
        """The statement that the value belongs to; its actions are consecutive records."""
        return self.act.statement


@dataclass(eq=False)
class Ecb:
    """A clause enabled at one probe. `size` is the bytes of an entry: the epid, the time and the records."""

    epid: int
    probe: ProbeInfo
    desc: EcbDesc
    records: list[Record] = field(default_factory=list)
    size: int = 12
    alignment: int = 4
    needed: int = 12  # with what its aggregations put behind the entry while they are worked out
    aggregations: list["AggId"] = field(default_factory=list)
    destructive: bool = False
    error: bool = False  # the consumer's own ERROR clause: its entries have a `fault` and no records


@dataclass(eq=False)
class AggId:
    """One aggregating action of an enabled clause: what its number in the kernel stands for.

    `keys` are the records of its tuple (with `@a[x, y]` two), and `statement.aggregation` names it.
    """

    id: int
    ecb: Ecb
    act: Action
    keys: list[Record]
    statement: Statement | None


@dataclass(frozen=True)
class FaultData:
    """arg1 to arg5 of the ERROR probe: the clause, which of its actions (0: the predicate), the byte in the DIF or -1,
    the kind of fault, and the address or 0."""

    epid: int
    action: int
    offset: int
    kind: int
    value: int


@dataclass(eq=False, slots=True)
class Entry:
    """What one firing of a clause left: `values` are parallel to `ecb.records`."""

    ecb: Ecb
    cpu: int
    timestamp: int
    values: tuple[Value | None, ...] = ()
    fault: FaultData | None = None


@dataclass
class Drops:
    """What was lost since the last question: by CPU for the two kinds of buffer, and in the whole state."""

    principal: dict[int, int] = field(default_factory=dict)
    aggregation: dict[int, int] = field(default_factory=dict)
    dynamic: int = 0
    dynamic_rinsing: int = 0
    dynamic_dirty: int = 0
    speculation: int = 0
    speculation_busy: int = 0
    speculation_unavailable: int = 0
    stack_string_overflows: int = 0
    double_errors: int = 0

    def __bool__(self) -> bool:
        return any(vars(self).values())


@dataclass
class Status:
    """The state as the consumer asks for it: `exiting` once exit() was called, `filled` when a fill buffer is full."""

    exiting: bool = False
    filled: bool = False
    killed: bool = False
    errors: int = 0
    extra: dict[str, Any] = field(default_factory=dict)
