"""The assembler: what the code generator wrote, made into a DIF object with its tables.

It settles branch labels (a labelled `nop` marks a place and takes no word), lists the variables that the object reads or
writes, and notes what the kernel must relocate. Follows libdtrace's `dt_as.c`, `dt_inttab.c` and `dt_strtab.c`; the
symbols of user processes are left out.
"""

from dataclasses import dataclass, field

from smartos.dtrace import dif
from smartos.dtrace.check.nodes import symbol_module
from smartos.dtrace.code.shape import variable_type
from smartos.dtrace.dif import Difo, DifVar, Op, Subr
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Is, Kind

NOP = dif.word3(Op.NOP)
MAX_INDEX = 0xFFFF  # of an integer or a string, which an instruction has 16 bits for


@dataclass
class Instruction:
    """One instruction, perhaps with a label before it and the symbol that its integer is the address of."""

    word: int
    label: int = 0
    symbol: Ident | None = None
    line: int = 0

    @property
    def is_mark(self) -> bool:
        """Whether it only marks a place for a label."""
        return bool(self.label) and self.word == NOP


class Integers:
    """The table of integers: equal constants share an entry, a symbol's address has its own."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self._shared: dict[int, int] = {}

    def insert(self, value: int, shared: bool = True) -> int:
        """The index of a value. Raises DError where the table is full."""
        if shared and value in self._shared:
            return self._shared[value]
        if len(self.values) > MAX_INDEX:
            raise DError("", "Integer constant table limit exceeded")
        if shared:
            self._shared[value] = len(self.values)
        self.values.append(value)
        return len(self.values) - 1


class Strings:
    """The table of strings: offset 0 is the empty one."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0")
        self._offsets: dict[bytes, int] = {b"": 0}

    def insert(self, text: bytes) -> int:
        """The offset of a string, which ends at its first NUL. Raises DError where the table is full."""
        text = text.partition(b"\0")[0]
        offset = self._offsets.get(text)
        if offset is None:
            offset = self._offsets[text] = len(self.data)
            self.data += text + b"\0"
        if offset > MAX_INDEX:
            raise DError("", "String constant table limit exceeded")
        return offset


@dataclass
class Code:
    """An object in the making: instructions, tables, and who is read and written."""

    instructions: list[Instruction] = field(default_factory=list)
    integers: Integers = field(default_factory=Integers)
    strings: Strings = field(default_factory=Strings)
    read: set[Ident] = field(default_factory=set)
    written: set[Ident] = field(default_factory=set)
    labels: int = 0

    def new_label(self) -> int:
        """A label not yet placed."""
        self.labels += 1
        return self.labels


def _resolve_labels(code: Code) -> tuple[list[int], list[int]]:
    places: dict[int, int] = {}
    words: list[int] = []
    lines: list[int] = []
    for instruction in code.instructions:
        if instruction.label:
            places[instruction.label] = len(words)
        if not instruction.is_mark:
            words.append(instruction.word)
            lines.append(instruction.line)
    for at, word in enumerate(words):
        if Op.BA <= word >> 24 <= Op.BLEU:
            words[at] = dif.branch(dif.op(word), places[dif.label(word)])
    return words, lines


def _scope(ident: Ident) -> int:
    if Is.LOCAL in ident.flags:
        return dif.LOCAL
    return dif.THREAD if Is.TLS in ident.flags else dif.GLOBAL


def _variables(code: Code, env: Environment) -> list[DifVar]:
    """The table: thread-local variables, global ones, the clause's, each by number. What is nobody's (the elements of
    args[], that are typed one by one) is not in it."""
    rows: dict[int, list[Ident]] = {dif.THREAD: [], dif.GLOBAL: [], dif.LOCAL: []}
    for ident in code.read | code.written:
        scope = _scope(ident)
        table = {dif.THREAD: env.threads, dif.GLOBAL: env.globals}.get(scope)
        if table is None or table.get(ident.name) is ident:
            rows[scope].append(ident)
    found = []
    for scope, idents in rows.items():
        for ident in sorted(idents, key=lambda each: (each.id, each.name)):
            assert ident.type is not None, ident.name
            code.strings.insert(ident.name.encode())
            kind = dif.ARRAY if ident.kind is Kind.ARRAY else dif.SCALAR
            reads, writes = ident in code.read, ident in code.written
            found.append(DifVar(ident.name, ident.id, kind, scope, reads, writes, variable_type(ident.type, env)))
    return found


def _relocations(code: Code, env: Environment) -> list[tuple[str, int, str]]:
    """Kernel symbols whose address is not to be settled here: none, unless the option `linkmode` is `dynamic`, or
    `primary` and the symbol a loadable module's."""
    mode = env.options.get("linkmode", "kernel")
    if mode not in ("dynamic", "primary"):
        return []
    found = []
    at = 0
    for instruction in code.instructions:
        if instruction.is_mark:
            continue
        at += 1
        if (ident := instruction.symbol) is None:
            continue
        module = symbol_module(ident)
        primary = module in ("unix", "genunix")
        if primary and mode == "primary":
            continue
        if not env.options.get("knodefs"):
            kind = "primary kernel" if primary else "loadable kernel"
            message = f"relocation remains against {kind} symbol {module}`{ident.name} (offset 0x{at:x})"
            raise DError("D_ASRELO", message, ident.line)
        code.strings.insert(ident.name.encode())
        found.append((ident.name, dif.index(instruction.word) * 8, "KREL"))
    return found


def assemble(code: Code, returns: dif.DifType, env: Environment) -> Difo:
    """The DIF object. Raises DError (D_ASRELO) for a symbol that must be known and is not."""
    words, lines = _resolve_labels(code)
    variables = _variables(code, env)
    relocations = _relocations(code, env)
    destructive = any(
        word >> 24 == Op.CALL and dif.index(word) in (Subr.COPYOUT, Subr.COPYOUTSTR) or word >> 24 == Op.STGA for word in words
    )
    return Difo(
        words, code.integers.values, bytes(code.strings.data), variables, returns,
        relocations=relocations, destructive=destructive, lines=lines, assembled=returns,
    )  # fmt: skip


INTEGER = dif.DifType(dif.CTF, 1, 0, 8)
NOTHING = dif.DifType(dif.CTF, 1, 0, 0)


def constant(value: int) -> Difo:
    """The object that returns a number; nothing was assembled, so that a listing does not have it."""
    return Difo([dif.word2(Op.SETX, 0, 1), dif.word3(Op.RET, 0, 0, 1)], [value], type=INTEGER)


def zero() -> Difo:
    """The object that returns %r0."""
    return Difo([dif.word3(Op.RET)], type=INTEGER)
