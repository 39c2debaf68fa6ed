"""The interpreter of DIF: what runs each predicate and each expression of a D program.

It is the reference that the compiled form (`jit`) is compared with. Every branch goes forward, so a DIF object takes at
most as many steps as it has words; whatever an object may hold, running it gives an integer, a Fault or Dropped. What the
real kernel's verifier would refuse (a bad register or opcode, a branch backward) faults as an illegal operation here.

Left out: the second verifier of the kernel, as a pass of its own. Follows `dtrace_dif_emulate`, `dtrace_difo_validate`,
`dtrace_store_by_ref` and `dtrace_canload`.
"""

from collections.abc import Callable
from typing import Any

from smartos.dtrace.dif import BYUREF, REGISTERS, STR, Difo
from smartos.dtrace.vm.fault import Dropped, Fault, FaultKind
from smartos.dtrace.vm.frame import Frame
from smartos.dtrace.vm.memory import Memory, Region
from smartos.dtrace.vm.subr import load
from smartos.dtrace.vm.variables import Limits, Variables


class Scratch(Region):
    """Scratch space: as large as the limit says, with bytes only up to where it was written."""

    __slots__ = ()

    def __init__(self, size: int) -> None:
        super().__init__(bytearray(), store=True)
        self.size = size

    def write(self, offset: int, data: bytes) -> None:
        """Replace bytes, growing."""
        short = offset + len(data) - len(self.data)
        if short > 0:
            self.data.extend(bytes(short))  # type: ignore[union-attr]
        super().write(offset, data)

    def clear(self, address: int, size: int) -> None:
        """Make bytes zero, as far as there are any."""
        start = address - self.base
        end = min(start + size, len(self.data))
        if start < end:
            self.data[start:end] = bytes(end - start)  # type: ignore[index]


class Code:
    """A DIF object made ready: a step (function and word) for each instruction, and the address of its strings."""

    __slots__ = ("difo", "steps", "strings")

    def __init__(self, difo: Difo, memory: Memory) -> None:
        from smartos.dtrace.vm.steps import decode

        self.difo = difo
        self.steps = decode(difo)
        self.strings = memory.map(bytes(difo.strings))


class Run:
    """One run of a DIF object: registers, condition codes (negative, zero, carry), the tuple stack."""

    __slots__ = ("carry", "code", "cpu", "difo", "dropped", "frame", "machine", "memory", "negative", "pc", "regs", "result",
                 "tuple", "variables", "zero")  # fmt: skip

    def __init__(self, machine: "Machine", code: Code, frame: Frame) -> None:
        self.machine, self.code, self.difo, self.frame = machine, code, code.difo, frame
        self.memory, self.variables, self.cpu = machine.memory, machine.variables, frame.cpu
        self.regs = [0] * REGISTERS
        self.tuple: list[tuple[int, int]] = []  # value, and its size if by reference
        self.negative = self.zero = self.carry = self.dropped = False
        self.pc = self.result = 0

    def go(self) -> int:
        """Run to the end. Raises Fault with its offset set, or Dropped."""
        steps, end = self.code.steps, len(self.code.steps)
        at = 0
        try:
            while self.pc < end:
                at = self.pc
                step, word = steps[at]
                self.pc = at + 1
                step(self, word)
        except Fault as fault:
            fault.offset = 4 * at
            raise
        if self.dropped:
            raise Dropped
        return self.result

    def readable(self, address: int, size: int) -> None:
        """Fault unless the program may read those bytes: with the kernel's privilege it may read anything."""
        if self.frame.kernel or self.memory.can_store(address, size):
            return
        if 0 <= address - self.code.strings and address - self.code.strings + size <= len(self.difo.strings):
            return
        raise Fault(FaultKind.KPRIV, address)

    def text(self, address: int) -> bytes:
        """The string at an address, checked and cut at strsize."""
        self.readable(address, 1)
        return self.memory.string(address, self.machine.limits.strsize)


class Machine:
    """What DIF runs on: memory, variables, limits.

    The kernel sets `speculation` (what speculation() calls: the number of a free one, or 0) and `pack` (gives a Python
    object an address). `destructive` lets copyout() write; `kernel` is whether kernel memory may be read.

    >>> from smartos.dtrace.dif import Difo, Op, word2, word3
    >>> from smartos.dtrace.environment import ProbeInfo
    >>> machine = Machine()
    >>> difo = Difo([word2(Op.SETX, 0, 1), word3(Op.RET, 0, 0, 1)], ints=[42])
    >>> machine.run(difo, machine.frame(ProbeInfo(1, "dtrace", "", "", "BEGIN")))
    42
    """

    def __init__(self, memory: Memory | None = None, limits: Limits = Limits(), seed: int = 0) -> None:
        self.memory = memory or Memory()
        self.limits = limits
        self.variables = Variables(self.memory, limits)
        self.scratch = Scratch(limits.scratch)
        self.memory.map(self.scratch)
        self.subroutines = load()
        self.random = seed % 1771875
        self.kernel, self.destructive = True, False
        self.speculation: Callable[[], int] = lambda: 0
        self.pack: Callable[[Any], int] = lambda what: 0
        self.layout: dict[str, int] = {}  # offsets of members of the kernel's structures, for subroutines that walk them
        self._codes: dict[int, Code] = {}

    def prepare(self, difo: Difo) -> Code:
        """Decode a DIF object and declare its variables; done once, when a clause is enabled or first run."""
        code = self._codes.get(id(difo))
        if code is None:
            self.variables.declare(difo)
            code = self._codes[id(difo)] = Code(difo, self.memory)
        return code

    def frame(self, probe: Any, args: tuple = (), context: Any = None, **times: int) -> Frame:
        """A frame for one firing; `times` are timestamp, walltimestamp, cpu."""
        return Frame(self, probe, args, context, **times)

    def run(self, difo: Difo, frame: Frame) -> int:
        """The register that a DIF object returns, unsigned. Raises Fault or Dropped."""
        return Run(self, self.prepare(difo), frame).go()

    def value(self, difo: Difo, frame: Frame, size: int | None = None) -> int | bytes:
        """What a DIF object returns, as a record keeps it. `size` is the record's, if it is not the type's own.

        An integer is cut to the size, a string is what comes before its NUL, anything else by reference is exactly so many
        bytes. Raises Fault (offset -1 when it is the reading of what was returned that faults) or Dropped.
        """
        return self.fetch(difo, self.run(difo, frame), frame, size)

    def fetch(self, difo: Difo, register: int, frame: Frame, size: int | None = None) -> int | bytes:
        """The value that a returned register stands for; see :meth:`value`."""
        kind = difo.type
        if not kind.by_ref:
            width = kind.size if size is None else size
            return register & (1 << 8 * width) - 1 if width < 8 else register
        width = self.variables.size(kind) if size is None else size
        user = bool(kind.flags & BYUREF)
        memory = frame.get("memory") or self.memory if user else self.memory
        if not user and not frame.kernel:
            Run(self, self.prepare(difo), frame).readable(register, 1 if kind.kind == STR else width)
        if kind.kind == STR:
            return memory.string(register, width, user)
        return memory.read(register, width, user)
