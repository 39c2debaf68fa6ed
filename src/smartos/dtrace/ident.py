"""Identifiers of D: variables, functions, actions, aggregations, symbols; each with kind, number, stability and type.

Follows libdtrace's `dt_ident.h`. The tables of what is built in are in :mod:`~smartos.dtrace.check.globals`.
"""

from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from typing import Any, NamedTuple

from smartos.dtrace.ctf import CType

LEVELS = ("Internal", "Private", "Obsolete", "External", "Unstable", "Evolving", "Stable", "Standard")
CLASSES = ("Unknown", "CPU", "Platform", "Group", "ISA", "Common")


class Stability(NamedTuple):
    """Stability attributes: of the name, of its data (indices of LEVELS), and the dependency class (of CLASSES)."""

    name: int = 6
    data: int = 6
    depend: int = 5

    def __str__(self) -> str:
        return f"{LEVELS[self.name]}/{LEVELS[self.data]}/{CLASSES[self.depend]}"


class Kind(Enum):
    """What an identifier stands for."""

    ARRAY = auto()  # built-in arrays and associative arrays
    SCALAR = auto()
    PTR = auto()  # self, this
    FUNC = auto()  # a subroutine that DIF calls
    AGG = auto()
    AGGFUNC = auto()
    ACTFUNC = auto()
    XLSOU = auto()  # a translated struct or union
    XLPTR = auto()  # a translated pointer
    SYMBOL = auto()
    ENUM = auto()
    PROBE = auto()


class Is(Flag):
    """Flags of an identifier."""

    NONE = 0
    TLS = auto()  # self->
    LOCAL = auto()  # this->
    WRITE = auto()
    INLINE = auto()
    REF = auto()  # the program reads it
    MOD = auto()  # the program writes it
    DIFR = auto()  # the DIF object at hand reads it
    DIFW = auto()  # the DIF object at hand writes it
    USER = auto()
    DECL = auto()  # declared, not only used


@dataclass(eq=False)
class Ident:
    """One identifier. `id` is the number that DIF uses: of a variable, subroutine, action or aggregation."""

    name: str
    kind: Kind
    id: int = 0
    flags: Is = Is.NONE
    attr: Stability = Stability()
    type: CType | None = None
    prototype: str = ""  # FUNC, AGGFUNC, ACTFUNC: "string(const char *, [int])"; the checker parses it when asked
    signature: Any = None  # keys of an array or aggregation, or a parsed prototype
    data: Any = None  # an inline's expression, an aggregation's function, a translator, an enumerator's value
    version: tuple[int, int, int] = (1, 0, 0)
    line: int = 0
    gen: int = 0  # the compilation that made it; 0 is built in
    ops: str = ""  # how the checker treats it, where kind and flags do not say: "args", "regs"
    params: list["Ident | None"] | None = None  # of an inline with parameters, in order; None where one has no name


@dataclass
class Signature:
    """Types of a tuple or of a prototype's parameters; None is `@`, any type.

    `optional` is where optional ones begin and `varargs` where `...` does, or None.
    """

    args: list[CType | None] = field(default_factory=list)
    optional: int | None = None
    varargs: int | None = None
    returns: CType | None = None
    user: list[bool] = field(default_factory=list)  # which keys are addresses in a process; may be shorter than `args`
    aux: int = 0  # an aggregation's encoded steps, of its first lquantize() or llquantize()
