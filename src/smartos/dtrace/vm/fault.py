"""What can go wrong while DIF runs: a fault, which becomes the ERROR probe, or a drop, which is only counted.

Follows the `DTRACEFLT_` numbers of `sys/dtrace.h`.
"""

from enum import IntEnum


class FaultKind(IntEnum):
    """Kinds of fault, numbered as arg4 of the ERROR probe has them."""

    UNKNOWN, BADADDR, BADALIGN, ILLOP, DIVZERO, NOSCRATCH, KPRIV, UPRIV, TUPOFLOW, BADSTACK = range(10)


class Fault(Exception):
    """A fault of the DIF at hand. `value` is the address at fault, where there is one.

    `offset` is the byte offset of the instruction in the DIF object, or -1 when the fault came after it had returned
    (as when the string that it returned is read).
    """

    def __init__(self, kind: FaultKind, value: int = 0, offset: int = -1) -> None:
        super().__init__(kind, value)
        self.kind, self.value, self.offset = kind, value, offset

    def __str__(self) -> str:
        return f"{self.kind.name} {self.value:#x} at DIF offset {self.offset}"


class Dropped(Exception):
    """The clause ends without a record: no space for a dynamic variable, no speculation to trace to, or already exiting.

    What is to be counted of it is counted already.
    """
