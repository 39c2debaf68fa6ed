"""The D Intermediate Format: the instructions, variables and subroutines that every D expression is compiled to.

A DIF object is a few 32-bit words over eight registers, with tables for the integers and strings that it needs. There
are loads, arithmetic, comparisons and branches, and every branch goes forward: that is why it ends. An instruction is
`opcode << 24` and then three bytes, or one byte and one 16-bit index, or a 24-bit label.

Follows `sys/dtrace.h` of illumos (DIF version 2) for numbers, names and encodings.
"""

from dataclasses import dataclass, field
from enum import IntEnum


class Op(IntEnum):
    """Opcodes."""

    OR, XOR, AND, SLL, SRL, SUB, ADD, MUL, SDIV, UDIV, SREM, UREM, NOT, MOV, CMP, TST = range(1, 17)
    BA, BE, BNE, BG, BGU, BGE, BGEU, BL, BLU, BLE, BLEU = range(17, 28)
    LDSB, LDSH, LDSW, LDUB, LDUH, LDUW, LDX = range(28, 35)
    RET, NOP, SETX, SETS, SCMP = range(35, 40)
    LDGA, LDGS, STGS, LDTA, LDTS, STTS, SRA, CALL = range(40, 48)
    PUSHTR, PUSHTV, POPTS, FLUSHTS, LDGAA, LDTAA, STGAA, STTAA, LDLS, STLS, ALLOCS, COPYS = range(48, 60)
    STB, STH, STW, STX = range(60, 64)
    ULDSB, ULDSH, ULDSW, ULDUB, ULDUH, ULDUW, ULDX = range(64, 71)
    RLDSB, RLDSH, RLDSW, RLDUB, RLDUH, RLDUW, RLDX = range(71, 78)
    XLATE, XLARG, STGA = range(78, 81)


class V(IntEnum):
    """Built-in variables."""

    ARGS, REGS, UREGS, VMREGS = range(4)
    CURTHREAD, TIMESTAMP, VTIMESTAMP, IPL, EPID, ID = range(0x100, 0x106)
    ARG0, ARG1, ARG2, ARG3, ARG4, ARG5, ARG6, ARG7, ARG8, ARG9 = range(0x106, 0x110)
    STACKDEPTH, CALLER, PROBEPROV, PROBEMOD, PROBEFUNC, PROBENAME = range(0x110, 0x116)
    PID, TID, EXECNAME, ZONENAME, WALLTIMESTAMP, USTACKDEPTH, UCALLER = range(0x116, 0x11D)
    PPID, UID, GID, ERRNO, THREADNAME = range(0x11D, 0x122)


class Subr(IntEnum):
    """Subroutines that `call` calls."""

    RAND, MUTEX_OWNED, MUTEX_OWNER, MUTEX_TYPE_ADAPTIVE, MUTEX_TYPE_SPIN = range(5)
    RW_READ_HELD, RW_WRITE_HELD, RW_ISWRITER, COPYIN, COPYINSTR, SPECULATION, PROGENYOF, STRLEN = range(5, 13)
    COPYOUT, COPYOUTSTR, ALLOCA, BCOPY, COPYINTO, MSGDSIZE, MSGSIZE, GETMAJOR, GETMINOR = range(13, 22)
    DDI_PATHNAME, STRJOIN, LLTOSTR, BASENAME, DIRNAME, CLEANPATH, STRCHR, STRRCHR, STRSTR, STRTOK = range(22, 32)
    SUBSTR, INDEX, RINDEX, HTONS, HTONL, HTONLL, NTOHS, NTOHL, NTOHLL = range(32, 41)
    INET_NTOP, INET_NTOA, INET_NTOA6, TOUPPER, TOLOWER, GETF, JSON, STRTOLL = range(41, 49)


OTHER_USER = 0x500  # first number of a program's own variable
REGISTERS = 8  # integer registers; %r0 is always 0
TUPLE_REGISTERS = 8
GLOBAL, THREAD, LOCAL = range(3)  # scopes of a variable
ARRAY, SCALAR = range(2)  # kinds of a variable

CTF, STR = range(2)  # kinds of a DIF type
BYREF, BYUREF = 1, 2  # flags of a DIF type


@dataclass(frozen=True)
class DifType:
    """What a value is to DIF: a string, or something of a CTF kind and so many bytes, by value or by reference.

    `ckind` is CTF's number for the kind (1 integer, 2 float, 3 pointer, 4 array, 6 struct, 7 union, 8 enum …).
    """

    kind: int = CTF
    ckind: int = 1
    flags: int = 0
    size: int = 8

    @property
    def by_ref(self) -> bool:
        """Whether a register holds the value's address."""
        return bool(self.flags & (BYREF | BYUREF))


@dataclass(frozen=True)
class DifVar:
    """A row of a DIF object's table of variables."""

    name: str
    id: int
    kind: int
    scope: int
    read: bool
    written: bool
    type: DifType


@dataclass
class Difo:
    """A DIF object. `strings` is the string table's bytes, NUL-terminated each, addressed by offset."""

    code: list[int] = field(default_factory=list)
    ints: list[int] = field(default_factory=list)
    strings: bytes = b"\0"
    vars: list[DifVar] = field(default_factory=list)
    type: DifType = field(default_factory=DifType)
    xlators: list[object] = field(default_factory=list)
    relocations: list[tuple[str, int, str]] = field(default_factory=list)  # kernel symbols: name, index of code, kind
    destructive: bool = False
    lines: list[int] = field(default_factory=list)  # for each word, the line of D that it comes from; for the reader only
    assembled: DifType | None = None  # type as assembled, before an action changed it; None: made by hand, not listed

    def string(self, offset: int) -> bytes:
        """The string at an offset of the table."""
        return self.strings[offset : self.strings.index(b"\0", offset)]


def op(word: int) -> Op:
    """The opcode of an instruction."""
    return Op(word >> 24)


def r1(word: int) -> int:
    """First register, or a pushtr's type."""
    return word >> 16 & 0xFF


def r2(word: int) -> int:
    """Second register."""
    return word >> 8 & 0xFF


def rd(word: int) -> int:
    """Destination, or the register that is stored."""
    return word & 0xFF


def index(word: int) -> int:
    """The 16-bit index in the middle: of an integer, string, variable, subroutine or translator."""
    return word >> 8 & 0xFFFF


def label(word: int) -> int:
    """The word that a branch goes to."""
    return word & 0xFFFFFF


def word3(operation: Op, first: int = 0, second: int = 0, last: int = 0) -> int:
    """An instruction of three bytes."""
    return operation << 24 | first << 16 | second << 8 | last


def word2(operation: Op, middle: int, last: int = 0) -> int:
    """An instruction of a 16-bit index and a byte."""
    return operation << 24 | middle << 8 | last


def branch(operation: Op, target: int) -> int:
    """A branch."""
    return operation << 24 | target
