"""What every part of the code generator needs: registers, instructions, loads and stores, casts, bit-fields.

Registers are given out lowest first and %r0 never. An expression that needs more than seven at once does not compile
(D_NOREG). Follows the first half of libdtrace's `dt_cg.c` and `dt_regset.c`, for a little-endian machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from smartos.dtrace import ctf, dif
from smartos.dtrace.code.assemble import Code, Instruction
from smartos.dtrace.code.shape import is_scalar_type, node_size, type_size
from smartos.dtrace.ctf import CType
from smartos.dtrace.dif import Op
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident
from smartos.dtrace.tree import Node, Var

_UNSIGNED = {1: Op.LDUB, 2: Op.LDUH, 4: Op.LDUW, 8: Op.LDX}
_SIGNED = {1: Op.LDSB, 2: Op.LDSH, 4: Op.LDSW, 8: Op.LDX}
_STORES = {1: Op.STB, 2: Op.STH, 4: Op.STW, 8: Op.STX}
_USER = Op.ULDSB - Op.LDSB  # from a load to the load of a user's address
MASK64 = (1 << 64) - 1
LONGEST = 256 * 1024 // 4  # instructions of the longest object that the kernel takes
DEEPEST = 200  # nodes under each other, inlines' own included


def power_of_two(size: int) -> int:
    """The least power of two that is not below `size`."""
    return 1 << max(size - 1, 0).bit_length()


def bits_of(kind: CType) -> int:
    """The width of a bit-field's type."""
    kind = ctf.resolve(kind)
    return kind.bits if isinstance(kind, ctf.Integer) else 8 * ctf.sizeof(kind)


def word_size(kind: CType) -> int:
    """Bytes of the word that a bit-field is loaded and stored with."""
    return power_of_two((bits_of(kind) + 7) // 8)


class Emitter:
    """Writes one DIF object's instructions. `line` is the line of D at hand."""

    def __init__(self, env: Environment, line: int = 0) -> None:
        self.env, self.line = env, line
        self.code = Code()
        self.used = {0}
        self.depth = 0

    def node(self, node: Node) -> int:
        """Write the code of a node and return the register that has its value."""
        raise NotImplementedError

    def store_variable(self, target: Var, register: int) -> None:
        """Store a register into a scalar variable, or into the element whose keys are on the tuple stack."""
        raise NotImplementedError

    def store_through(self, source: Node, register: int, target: Node) -> None:
        """Store a register's value, of node `source`, where the node `target` is in memory."""
        raise NotImplementedError

    # Registers

    def allocate(self) -> int:
        """The lowest free register. Raises DError (D_NOREG) where there is none."""
        for register in range(int(self.env.options.get("iregs", dif.REGISTERS))):
            if register not in self.used:
                self.used.add(register)
                return register
        raise DError("D_NOREG", "Insufficient registers to generate code", self.line)

    def free(self, register: int) -> None:
        """Give a register back."""
        self.used.discard(register)

    @contextmanager
    def scratch(self) -> Iterator[int]:
        """A register for as long as the block lasts."""
        register = self.allocate()
        yield register
        self.free(register)

    # Instructions

    def emit(self, word: int, label: int = 0, symbol: Ident | None = None) -> Instruction:
        """Append an instruction."""
        if len(self.code.instructions) >= LONGEST:
            raise DError("", "DIF program exceeds maximum program size")
        instruction = Instruction(word, label, symbol, self.line)
        self.code.instructions.append(instruction)
        return instruction

    def op3(self, op: Op, first: int = 0, second: int = 0, last: int = 0) -> Instruction:
        """Append an instruction of three bytes."""
        return self.emit(dif.word3(op, first, second, last))

    def op2(self, op: Op, middle: int, last: int = 0) -> Instruction:
        """Append an instruction of an index and a byte."""
        return self.emit(dif.word2(op, middle, last))

    def branch(self, op: Op, label: int) -> None:
        """Append a branch to a label."""
        self.emit(dif.branch(op, label))

    def mark(self, label: int) -> None:
        """Place a label here."""
        self.emit(dif.word3(Op.NOP), label)

    def setx(self, register: int, value: int, label: int = 0, symbol: Ident | None = None) -> None:
        """Set a register to a number."""
        index = self.code.integers.insert(value & MASK64, shared=symbol is None)
        self.emit(dif.word2(Op.SETX, index, register), label, symbol)

    # Loads and stores

    def load_op(self, node: Node, kind: CType, user: bool) -> Op:
        """The load for a node's value of a type. Raises DError where it is not 1, 2, 4 or 8 bytes."""
        size = word_size(kind) if node.bitfield else type_size(kind, self.env)
        if size not in _UNSIGNED:
            message = f"internal error -- cg cannot load size {size} when passed by value"
            raise DError("D_UNKNOWN", message, self.line)
        op = (_SIGNED if node.signed else _UNSIGNED)[size]
        return Op(op + _USER) if user else op

    def store(self, source: Node, register: int, target: Node, address: int, member: ctf.Member | None = None) -> None:
        """Store a node's value, which is in `register`, at the address in another; `member` is the bit-field's."""
        assert target.type is not None
        size = word_size(target.type) if target.bitfield else node_size(source, self.env)
        if source.ref:
            with self.scratch() as length:
                self.setx(length, size)
                self.op3(Op.COPYS, register, length, address)
            return
        value = register
        if target.bitfield:
            assert member is not None
            value = self._insert_field(register, target, address, member)
        if size not in _STORES:
            message = f"internal error -- cg cannot store size {size} when passed by value"
            raise DError("D_UNKNOWN", message, self.line)
        self.op3(_STORES[size], value, 0, address)
        if target.bitfield:
            self.free(value)

    def extract_field(self, node: Node, register: int, member: ctf.Member) -> None:
        """Take a bit-field out of the word that was loaded."""
        bits, shift = self._field(member)
        with self.scratch() as amount:
            if node.signed:
                steps = (64 - (shift + bits), Op.SLL), (64 - bits, Op.SRA)
            else:
                steps = (shift, Op.SRL), ((1 << bits) - 1, Op.AND)
            for number, op in steps:
                self.setx(amount, number)
                self.op3(op, register, amount, register)

    def _field(self, member: ctf.Member) -> tuple[int, int]:
        bits = bits_of(member.type)
        if bits > 64:
            message = f"cg: bad field: off {member.offset} type <{ctf.spelling(member.type)}> bits {bits}"
            raise DError("D_UNKNOWN", message, self.line)
        return bits, member.offset % 8

    def _insert_field(self, value: int, target: Node, address: int, member: ctf.Member) -> int:
        """Put a bit-field's new value into the word around it; returns a new register that holds the word."""
        bits, shift = self._field(member)
        word, part, amount = self.allocate(), self.allocate(), self.allocate()
        mask = (1 << bits) - 1
        self.op3(self.load_op(target, member.type, target.userland), address, 0, word)
        self.setx(part, ~(mask << shift))
        self.op3(Op.AND, word, part, word)
        self.setx(part, mask)
        self.op3(Op.AND, value, part, part)
        self.setx(amount, shift)
        self.op3(Op.SLL, part, amount, part)
        self.op3(Op.OR, word, part, word)
        self.free(amount)
        self.free(part)
        return word

    # Casts

    def cast(self, source: Node, kind: CType, signed: bool, size: int, register: int, target: int) -> None:
        """Make a value what its cast or its parameter's type wants: bits off above, and the sign right.

        Nothing is written where the value stands as it is: same size and signedness, or an unsigned one that widens.
        """
        if not is_scalar_type(kind):
            return
        before = node_size(source, self.env)
        if size == before and signed == source.signed or size > before and not source.signed:
            return
        if size <= before and size == 8:
            return
        with self.scratch() as amount:
            if size > before:
                high, widened = 64 - 8 * before, 8 * (size - before)
                self.setx(amount, high)
                self.op3(Op.SLL, register, amount, target)
                if signed or high == widened:
                    self.op3(Op.SRA, target, amount, target)
                else:
                    self.setx(amount, widened)
                    self.op3(Op.SRA, target, amount, target)
                    self.setx(amount, high - widened)
                    self.op3(Op.SRL, target, amount, target)
            else:
                self.setx(amount, 64 - 8 * size)
                self.op3(Op.SLL, register, amount, target)
                self.op3(Op.SRA if signed else Op.SRL, target, amount, target)

    def cast_to_node(self, source: Node, target: Node) -> None:
        """Cast a value, which is in the target's register, to the target node's type."""
        assert target.type is not None
        self.cast(source, target.type, target.signed, node_size(target, self.env), source.reg, target.reg)
