"""Code for D's operators: arithmetic with its pointer scaling, comparisons, the logical ones, `?:`, `++` and `--`.

Follows libdtrace's `dt_cg.c`.
"""

from smartos.dtrace import ctf
from smartos.dtrace.check.fit import promote
from smartos.dtrace.check.nodes import is_arith, is_pointer, is_string
from smartos.dtrace.code.emit import Emitter
from smartos.dtrace.code.shape import is_signed_type, type_size
from smartos.dtrace.dif import Op
from smartos.dtrace.tree import Node, Op1, Op2, Op3, Var

ARITHMETIC = {"+": Op.ADD, "-": Op.SUB, "*": Op.MUL, "&": Op.AND, "|": Op.OR, "^": Op.XOR, "<<": Op.SLL}
_BY_SIGN = {"/": (Op.UDIV, Op.SDIV), "%": (Op.UREM, Op.SREM), ">>": (Op.SRL, Op.SRA)}
_COMPARE = {
    "==": (Op.BE, Op.BE), "!=": (Op.BNE, Op.BNE), "<": (Op.BLU, Op.BL), "<=": (Op.BLEU, Op.BLE), ">": (Op.BGU, Op.BG),
    ">=": (Op.BGEU, Op.BGE),
}  # fmt: skip
LOGICAL = ("&&", "||", "^^")


def is_arithmetic_operator(op: str) -> bool:
    """Whether an operator is one of two operands and one instruction, `+ - * / % & | ^ << >>`."""
    return op in ARITHMETIC or op in _BY_SIGN


def is_comparison(op: str) -> bool:
    """Whether an operator is a comparison."""
    return op in _COMPARE


def compares_signed(left: Node, right: Node) -> bool:
    """Whether an ordering compares signed numbers, by C's usual conversions. Strings do, other things do not."""
    if is_string(left) or is_string(right):
        return True
    return is_arith(left) and is_arith(right) and is_signed_type(promote(left, right))


class Operators(Emitter):
    """The operators' part of the generator."""

    def arithmetic(self, node: Op2, op: str) -> int:
        """`left op right`; where one of them is a pointer, the other counts in what it points to."""
        operation = _BY_SIGN[op][node.signed] if op in _BY_SIGN else ARITHMETIC[op]
        left_pointer, right_pointer = is_pointer(node.left), is_pointer(node.right)
        scaled = op in ("+", "-") and not (left_pointer and right_pointer)
        left = self.node(node.left)
        if scaled and right_pointer:
            self._scale(node, Op.MUL, left)
        right = self.node(node.right)
        if scaled and left_pointer:
            self._scale(node, Op.MUL, right)
        self.op3(operation, left, right, left)
        self.free(right)
        if left_pointer and right_pointer:
            self._scale(node.right, Op.UDIV, left)
        return left

    def _scale(self, node: Node, op: Op, register: int) -> None:
        size = self._pointed_size(node)
        if size == 1:
            return
        with self.scratch() as factor:
            self.setx(factor, size)
            self.op3(op, register, factor, register)

    def _pointed_size(self, node: Node) -> int:
        assert node.type is not None
        kind = ctf.resolve(node.type)
        assert isinstance(kind, ctf.Pointer | ctf.Array)
        return type_size(kind.to if isinstance(kind, ctf.Pointer) else kind.of, self.env)

    def compare(self, node: Op2) -> int:
        """A comparison: 1 or 0."""
        true, post = self.code.new_label(), self.code.new_label()
        left = self.node(node.left)
        right = self.node(node.right)
        strings = is_string(node.left) or is_string(node.right)
        self.op3(Op.SCMP if strings else Op.CMP, left, right)
        self.free(right)
        self.branch(_COMPARE[node.op][compares_signed(node.left, node.right)], true)
        self.op3(Op.MOV, 0, 0, left)
        self.branch(Op.BA, post)
        self.setx(left, 1, true)
        self.mark(post)
        return left

    def choose(self, node: Op3) -> int:
        """`test ? left : right`. Where the left value goes is known when the right one has its register."""
        false, post = self.code.new_label(), self.code.new_label()
        test = self.node(node.test)
        self.op3(Op.TST, test)
        self.free(test)
        self.branch(Op.BE, false)
        left = self.node(node.left)
        move = self.op3(Op.MOV, left)
        self.free(left)
        self.branch(Op.BA, post)
        self.mark(false)
        right = self.node(node.right)
        move.word |= right
        self.mark(post)
        return right

    def logical(self, node: Op2) -> int:
        """`&&`, `||` and `^^`; the first two leave out the right side where the left one decides."""
        return {"&&": self._and, "||": self._or, "^^": self._xor}[node.op](node)

    def _test(self, register: int, op: Op, label: int) -> None:
        self.op3(Op.TST, register)
        self.branch(op, label)

    def _and(self, node: Op2) -> int:
        false, post = self.code.new_label(), self.code.new_label()
        left = self.node(node.left)
        self.op3(Op.TST, left)
        self.free(left)
        self.branch(Op.BE, false)
        right = self.node(node.right)
        self._test(right, Op.BE, false)
        self.setx(right, 1)
        self._finish(right, false, post)
        return right

    def _or(self, node: Op2) -> int:
        true, false, post = (self.code.new_label() for _ in range(3))
        left = self.node(node.left)
        self.op3(Op.TST, left)
        self.free(left)
        self.branch(Op.BNE, true)
        right = self.node(node.right)
        self._test(right, Op.BE, false)
        self.setx(right, 1, true)
        self._finish(right, false, post)
        return right

    def _finish(self, register: int, false: int, post: int) -> None:
        self.branch(Op.BA, post)
        self.op3(Op.MOV, 0, 0, register).label = false
        self.mark(post)

    def _xor(self, node: Op2) -> int:
        following, tail = self.code.new_label(), self.code.new_label()
        left = self.node(node.left)
        self._test(left, Op.BE, following)
        self.setx(left, 1)
        self.mark(following)
        right = self.node(node.right)
        self._test(right, Op.BE, tail)
        self.setx(right, 1)
        self.op3(Op.XOR, left, right, left).label = tail
        self.free(right)
        return left

    def logical_not(self, node: Op1) -> int:
        """`!`: 1 where the operand is 0, else 0."""
        zero, post = self.code.new_label(), self.code.new_label()
        register = self.node(node.child)
        self._test(register, Op.BE, zero)
        self.op3(Op.MOV, 0, 0, register)
        self.branch(Op.BA, post)
        self.setx(register, 1, zero)
        self.mark(post)
        return register

    def increment(self, node: Op1) -> int:
        """`++` and `--`, before the operand (the value is the new one) or after it (the old one)."""
        operation = Op.ADD if node.op.endswith("++") else Op.SUB
        size = self._pointed_size(node) if is_pointer(node) else 1
        value = self.node(node.child)
        step = self.allocate()
        self.setx(step, size)
        changed = value if node.op.startswith("pre") else step
        self.op3(operation, value, step, changed)
        if changed is value:
            self.free(step)
        if isinstance(node.child, Var):
            self.store_variable(node.child, changed)
        else:
            self.store_through(node, changed, node.child)
        if changed is not value:
            self.free(step)
        return value
