"""A compiled D program: for each probe description a predicate and actions, each with the DIF that computes it.

What libdtrace hands to the kernel (`dtrace_ecbdesc`, `dtrace_actdesc`), and what it keeps for itself to make sense of
what comes back (`dtrace_stmtdesc`: formats, aggregations).
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from smartos.dtrace.dif import Difo
from smartos.dtrace.ident import Ident, Stability
from smartos.dtrace.tree import ProbeDesc


class Act(IntEnum):
    """Kinds of actions, numbered as in `sys/dtrace.h`; the high byte is the class."""

    NONE, DIFEXPR, EXIT, PRINTF, PRINTA, LIBACT, TRACEMEM, TRACEMEM_DYNSIZE = range(8)
    USTACK, JSTACK, USYM, UMOD, UADDR = range(0x101, 0x106)
    STOP, RAISE, SYSTEM, FREOPEN = range(0x201, 0x205)
    STACK, SYM, MOD = range(0x401, 0x404)
    BREAKPOINT, PANIC, CHILL = range(0x501, 0x504)
    SPECULATE, COMMIT, DISCARD = range(0x601, 0x604)
    COUNT, MIN, MAX, AVG, SUM, STDDEV, QUANTIZE, LQUANTIZE, LLQUANTIZE = range(0x701, 0x70A)


class Lib(IntEnum):
    """What a LIBACT record asks the consumer to do (its `arg`)."""

    CLEAR, NORMALIZE, DENORMALIZE, TRUNC, FTRUNCATE, SETOPT, PRINT = range(7)


AGGREGATION = 0x700


@dataclass(eq=False)
class Action:
    """One action. Its value is what `difo` returns (None: there is nothing to compute).

    `ntuple`, of an aggregating action: how many of the actions before it, all DIFEXPR, STACK and the like, are its keys.
    `arg` is the action's argument as the kernel has it: frames of a stack(), the encoded steps of an lquantize().
    `format` is the parsed printf format (printf.Format) of the first action of a printf-like statement, and the actions
    that follow it in the same `statement` carry its other arguments. `type` is the C type of the value, for print().
    """

    kind: Act
    difo: Difo | None = None
    arg: int = 0
    ntuple: int = 0
    statement: "Statement | None" = None
    format: Any = None
    type: Any = None


@dataclass(eq=False)
class Statement:
    """One statement of a clause: the actions that it became, and what the consumer needs to print them."""

    clause: "EcbDesc"
    actions: list[Action] = field(default_factory=list)
    aggregation: Ident | None = None
    format: Any = None
    attr: Stability = Stability()
    line: int = 0


@dataclass(eq=False)
class EcbDesc:
    """What a clause enables at one of its descriptions."""

    probe: ProbeDesc
    predicate: Difo | None = None
    actions: list[Action] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    attr: Stability = Stability()
    line: int = 0


@dataclass(eq=False)
class Program:
    """A compiled program, with the tables of identifiers that it was compiled in. `attr` is the least stability used."""

    ecbs: list[EcbDesc] = field(default_factory=list)
    globals: dict[str, Ident] = field(default_factory=dict)
    threads: dict[str, Ident] = field(default_factory=dict)
    aggregations: dict[str, Ident] = field(default_factory=dict)
    attr: Stability = Stability()
    difos: list[Difo] = field(default_factory=list)  # as they were assembled, in order: what `dtrace -S` lists
