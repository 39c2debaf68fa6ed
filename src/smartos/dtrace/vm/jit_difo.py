"""From one DIF object to lines of Python: every path through it, followed to its end with what is known on the way.

Branches only go forward, so following both sides of each ends; the lines of a side are nested under its condition, and
a branch whose condition is known on the path costs nothing. Objects that would grow too long that way, or use what is
rare (stores through pointers, checked loads), are left to the interpreter. Every value gets a name of its own when it is
computed, so that the order of effects is the object's. `pc` holds the byte offset while something that can fault runs.

The names that the lines use: `args`, `context`, `get` (the context's), `frame`, those of :class:`Unit` and what
:mod:`~smartos.dtrace.vm.jit_runtime` has.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from smartos.dtrace.dif import Difo, Op, index, label, r1, r2, rd
from smartos.dtrace.vm.jit_values import ZERO, Condition, Number, Reference, Text, Value, arithmetic, branch, constant
from smartos.dtrace.vm.memory import TOP
from smartos.dtrace.vm.steps import CONDITIONS, LOADS, SIGN, TWO, legal

MOST_LINES = 400
_NAMES = re.compile(r"[a-z_]\w*")
DEEPEST = 85  # levels of indentation; Python takes 100


class Uncovered(Exception):
    """The object has something that is not translated."""


@dataclass
class Unit:
    """What one Python function is made of: its lines, and the objects that they name.

    `machine` is what the code runs on, `probe` what fires. `constants` go into the function's globals.
    """

    machine: Any
    probe: Any
    lines: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    epid: int | None = None  # None: the frame knows
    begin: str = "frame"  # the statement that makes the clause's frame
    names: int = 0
    nargs: int | None = None  # how many arguments are fired, where that is known

    def emit(self, depth: int, text: str) -> None:
        """Append a line."""
        self.lines.append(" " * depth + text)

    def name(self) -> str:
        """A new name of a local variable."""
        self.names += 1
        return f"v{self.names}"

    def keep(self, what: Any) -> str:
        """The name of an object that the lines need."""
        for name, known in self.constants.items():
            if known is what:
                return name
        name = f"k{len(self.constants)}"
        self.constants[name] = what
        return name

    def frame(self, depth: int) -> None:
        """See to it that `frame` is the clause's."""
        self.emit(depth, f"if frame is None: {self.begin}")

    def thread(self) -> str:
        """The expression of the thread that acts."""
        return '(get("pid") or 0, get("tid") or 0)'


@dataclass
class Path:
    """What is known at one point of one path."""

    regs: list[Value]
    stack: list[tuple[Value, str]] = field(default_factory=list)  # value, and an expression of its size if by reference
    condition: Condition = ("cmp", "1", "0", True)  # all flags off, as at the start
    dynamic: bool = False  # something may have been dropped
    known: dict[object, Value] = field(default_factory=dict)  # what was computed: by expression, or by built-in variable

    def copy(self) -> "Path":
        """The same, to go another way."""
        return replace(self, regs=list(self.regs), stack=list(self.stack), known=dict(self.known))


class Translator:
    """Translates one DIF object into a unit. `leaf(depth, value)` writes what is to be done with what it returns."""

    def __init__(self, unit: Unit, difo: Difo, leaf: Callable[[int, Value], None]) -> None:
        from smartos.dtrace.vm.jit_variables import VARIABLES

        self.unit, self.difo, self.leaf, self.variables = unit, difo, leaf, VARIABLES
        self.code = unit.machine.prepare(difo)
        self.limit = len(unit.lines) + MOST_LINES
        self.strsize = unit.machine.limits.strsize
        self.known: dict[object, Value] = {}

    def run(self, depth: int) -> None:
        """Write the lines. Raises Uncovered, perhaps after some."""
        if not self.unit.machine.kernel:
            raise Uncovered("a program without the kernel's privilege")
        if not all(legal(self.difo, at) for at in range(len(self.difo.code))):
            raise Uncovered("an instruction that is not legal")
        self.path(0, Path([ZERO] * 8), depth)

    def path(self, at: int, path: Path, depth: int) -> None:
        """Follow a path from an instruction on."""
        unit, self.known = self.unit, path.known
        while at < len(self.difo.code):
            word = self.difo.code[at]
            op = Op(word >> 24)
            if len(unit.lines) > self.limit or depth > DEEPEST:
                raise Uncovered("too many paths")
            if op is Op.RET:
                self.end(path.regs[rd(word)], path, depth)
                return
            if op not in CONDITIONS:
                self.step(op, at, word, path, depth)
                at += 1
                continue
            taken = branch(op, path.condition)
            if taken is True:
                at = label(word)
            elif taken is False:
                at += 1
            else:
                unit.emit(depth, f"if {taken}:")
                self.path(label(word), path.copy(), depth + 1)
                unit.emit(depth, "else:")
                self.path(at + 1, path, depth + 1)
                return
        self.end(ZERO, path, depth)

    def end(self, value: Value, path: Path, depth: int) -> None:
        """The object returns."""
        if path.dynamic:
            self.unit.emit(depth, "if dropped: raise Dropped")
        elif isinstance(value, Reference):
            value = replace(value, live=True)
        self.leaf(depth, value)

    # ---- values

    def number(self, value: Value, depth: int) -> Number:
        """A value as a number: an address, where it is none yet."""
        if isinstance(value, Number):
            return value
        if isinstance(value, Text):
            return self.assign(depth, Number(value.address))
        return self.assign(depth, Number(f"({value.text}.base + {value.skip} if {value.text} else 0)"))

    def assign(self, depth: int, value: Number) -> Number:
        """Give a number a name, unless it is a constant or has one."""
        if value.constant is not None:
            return constant(value.constant)
        if value.text.isidentifier():
            return value
        found = self.known.get(value.text)
        if isinstance(found, Number):
            return found
        name = self.unit.name()
        self.unit.emit(depth, f"{name} = {value.text}")
        self.known[value.text] = made = replace(value, text=name)
        return made

    def text(self, value: Value, depth: int, null: bool = False) -> str:
        """An expression of a string's bytes, cut at strsize. `null` lets NULL be an empty one."""
        size = self.strsize
        if isinstance(value, Text):
            if value.known is not None:
                return repr(value.known[:size])
            name = self.unit.name()
            self.unit.emit(depth, f"{name} = cut[{value.text}]")
            return name
        number = self.number(value, depth)
        name = self.unit.name()
        self.unit.emit(depth, f"{name} = string({number.text}, {size})" + (f" if {number.text} else b''" if null else ""))
        return name

    # ---- instructions

    def step(self, op: Op, at: int, word: int, path: Path, depth: int) -> None:
        """One instruction that is no branch."""
        regs = path.regs
        if op in TWO:
            first = self.number(regs[r1(word)], depth)
            regs[rd(word)] = self.two(op, at, first, self.number(regs[r2(word)], depth), depth)
            if op in (Op.SRA, Op.SRL):
                self.tidy(first, path)
        elif op in LOADS:
            self.load(op, at, word, path, depth)
        elif Op.ULDSB <= op <= Op.ULDX:
            self.load(Op(op - Op.ULDSB + Op.LDSB), at, word, path, depth, user=True)
        elif op is Op.NOT:
            regs[rd(word)] = self.assign(depth, Number(f"{self.number(regs[r1(word)], depth).text} ^ {TOP}"))
        elif op is Op.MOV:
            regs[rd(word)] = regs[r1(word)]
        elif op in (Op.CMP, Op.TST, Op.SCMP):
            self.compare(op, at, word, path, depth)
        elif op is Op.SETX:
            regs[rd(word)] = constant(self.difo.ints[index(word)] & TOP)
        elif op is Op.SETS:
            address = str(self.code.strings + index(word))
            regs[rd(word)] = Text("", address, self.difo.string(index(word)))
        elif op in self.variables:
            self.variables[op](self, at, word, path, depth)
        elif op is not Op.NOP:
            raise Uncovered(op.name)

    def two(self, op: Op, at: int, a: Number, b: Number, depth: int) -> Number:
        """Arithmetic."""
        if op in (Op.SDIV, Op.UDIV, Op.SREM, Op.UREM):
            plain = op in (Op.UDIV, Op.UREM) or (a.high < SIGN and b.high < SIGN)
            if b.constant == 0 or not plain:
                name = self.unit.name()
                self.unit.emit(depth, f"pc = {4 * at}")
                self.unit.emit(depth, f"{name} = {op.name.lower()}({a.text}, {b.text})")
                return Number(name)
            if b.constant is None:
                self.unit.emit(depth, f"if not {b.text}: raise Fault(DIVZERO, 0, {4 * at})")
        return self.assign(depth, arithmetic(op, a, b))

    def tidy(self, half: Value, path: Path) -> None:
        """Take back the line that made the first half of a cast, if it is one of the last two and nobody else uses it."""
        lines = self.unit.lines
        if not isinstance(half, Number) or half.shifted is None:
            return
        used = {value.text for value in path.regs} | {value.text for value, _ in path.stack} | set(path.condition[1:3])
        for at in (-1, -2):
            if half.text in used or len(lines) < -at:
                return
            if lines[at].lstrip().startswith(f"{half.text} = "):
                del lines[at]
                self.known = path.known = {key: value for key, value in path.known.items() if value.text != half.text}
                return
            used.update(_NAMES.findall(lines[at]))

    def load(self, op: Op, at: int, word: int, path: Path, depth: int, user: bool = False) -> None:
        """A load from memory."""
        size, sign = LOADS[op]
        name, address = self.unit.name(), self.number(path.regs[r1(word)], depth)
        memory = '(get("memory") or memory).load' if user else "load"
        self.unit.emit(depth, f"pc = {4 * at}")
        self.unit.emit(depth, f"{name} = {memory}({address.text}, {size}{', True' if user else ''})")
        if sign:
            self.unit.emit(depth, f"{name} = extend({name}, {size})")
        path.regs[rd(word)] = Number(name, 0, TOP if sign else (1 << 8 * size) - 1)

    def compare(self, op: Op, at: int, word: int, path: Path, depth: int) -> None:
        """A comparison: it only says what a branch would ask."""
        a, b = path.regs[r1(word)], path.regs[r2(word)]
        if op is Op.SCMP:
            self.unit.emit(depth, f"pc = {4 * at}")
            if not isinstance(a, Text) and not isinstance(b, Text):
                name, x, y = self.unit.name(), self.number(a, depth), self.number(b, depth)
                self.unit.emit(depth, f"{name} = order(string, {x.text}, {y.text}, {self.strsize})")
                path.condition = ("scmp", name, "0", True)
            else:
                path.condition = ("scmp", self.text(a, depth, True), self.text(b, depth, True), True)
            return
        if op is Op.TST and isinstance(a, Reference):
            path.condition = ("tst", a.text, "0", True)
            return
        x = self.number(a, depth)
        y = self.number(b, depth) if op is Op.CMP else ZERO
        path.condition = (op.name.lower(), x.text, y.text, x.high < SIGN and y.high < SIGN)
