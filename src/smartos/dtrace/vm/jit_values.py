"""What the translator of DIF to Python knows of a value: an expression for it, and how large it can be.

Three kinds of value stand in a register. A number is a Python integer from 0 to 2**64 - 1, whose known bounds save masks
and signed comparisons. A text is a built-in or constant string that nobody has asked the address of. A region is a
variable by reference (or 0 for NULL). The two last ones become addresses only where a program computes with them.
"""

from dataclasses import dataclass, replace

from smartos.dtrace.dif import Op
from smartos.dtrace.vm.memory import TOP
from smartos.dtrace.vm.steps import CONDITIONS, SIGN, TWO


@dataclass(frozen=True)
class Number:
    """An integer: its expression (a name or a constant) and its bounds.

    `shifted` is the number that it is of, and by how much, if it was made by a shift to the left.
    """

    text: str
    low: int = 0
    high: int = TOP
    shifted: "tuple[Number, int] | None" = None

    @property
    def constant(self) -> int | None:
        """The value, if it is known."""
        return self.low if self.low == self.high else None


@dataclass(frozen=True)
class Text:
    """A string. `text` is an expression of its bytes, without NUL and not cut; `address` one of its address.

    `known` are the bytes, if they do not change from firing to firing. `source` is the context's key otherwise.
    """

    text: str
    address: str
    known: bytes | None = None
    source: str = ""


@dataclass(frozen=True)
class Reference:
    """A region or 0; the value begins at its byte `skip`. `live` says that it can not have been freed since."""

    text: str
    skip: int = 0
    live: bool = False


Value = Number | Text | Reference


def constant(value: int) -> Number:
    """A number that is known."""
    return Number(str(value), value, value)


ZERO = constant(0)


def arithmetic(op: Op, a: Number, b: Number) -> Number:
    """The number that an operation gives, as an expression of its operands. Not for divisions that can fault."""
    if a.constant is not None and b.constant is not None:
        return constant(TWO[op](a.constant, b.constant) & TOP)
    x, y, shift = a.text, b.text, None if b.constant is None else b.constant & 63
    match op:
        case Op.ADD:
            return _cut(f"{x} + {y}", a.low + b.low, a.high + b.high)
        case Op.SUB:
            return _cut(f"{x} - {y}", a.low - b.high, a.high - b.low)
        case Op.MUL:
            return _cut(f"{x} * {y}", a.low * b.low, a.high * b.high)
        case Op.AND:
            return Number(f"{x} & {y}", 0, min(a.high, b.high))
        case Op.OR | Op.XOR:
            sign = "|" if op is Op.OR else "^"
            return Number(f"{x} {sign} {y}", 0, (1 << max(a.high.bit_length(), b.high.bit_length())) - 1)
        case Op.SLL if shift is not None:
            return replace(_cut(f"{x} << {shift}", a.low << shift, a.high << shift), shifted=(a, shift))
        case Op.SRA | Op.SRL if a.shifted is not None and a.shifted[1] == shift:
            return _narrow(a.shifted[0], 64 - shift, op is Op.SRA)
        case Op.SLL:
            return Number(f"{x} << ({y} & 63) & {TOP}")
        case Op.SRL:
            return _right(x, y, shift, a)
        case Op.SRA if a.high < SIGN:
            return _right(x, y, shift, a)
        case Op.SRA:
            by = f"({y} & 63)" if shift is None else str(shift)
            return Number(f"(({x} ^ {SIGN}) - {SIGN} >> {by}) & {TOP}")
        case Op.UDIV | Op.SDIV:
            return Number(f"{x} // {y}", 0, a.high)
        case Op.UREM | Op.SREM:
            return Number(f"{x} % {y}", 0, min(a.high, b.high - 1))
    raise ValueError(f"{op!r} is no arithmetic")


def _narrow(a: Number, bits: int, sign: bool) -> Number:
    """The low bits of a number, the highest of them as its sign or not: what two shifts make, as a cast does."""
    half, mask = 1 << bits - 1, (1 << bits) - 1
    if a.high < half or (not sign and a.high <= mask):
        return a
    if sign:
        return Number(f"({a.text} & {mask} ^ {half}) - {half} & {TOP}")
    return Number(f"{a.text} & {mask}", 0, mask)


def _cut(text: str, low: int, high: int) -> Number:
    if 0 <= low and high <= TOP:
        return Number(text, low, high)
    return Number(f"{text} & {TOP}" if "<<" not in text else f"({text}) & {TOP}")


def _right(x: str, y: str, shift: int | None, a: Number) -> Number:
    if shift is None:
        return Number(f"{x} >> ({y} & 63)", 0, a.high)
    return Number(f"{x} >> {shift}", a.low >> shift, a.high >> shift)


Condition = tuple[str, str, str, bool]
"""What a comparison left: its kind ("cmp", "tst", "scmp"), the two operands, whether signs can be ignored."""


def _known(op: Op, kind: str, a: int, b: int) -> bool:
    """Whether a branch is taken after a comparison of numbers that are known."""
    difference = a - b & TOP
    flags = Flags(negative=kind == "cmp" and difference >= SIGN, zero=not difference, carry=kind == "cmp" and a < b)
    return CONDITIONS[op](flags)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Flags:
    """Condition codes, as a run has them."""

    negative: bool
    zero: bool
    carry: bool


_PLAIN = {Op.BE: "==", Op.BNE: "!=", Op.BG: ">", Op.BGE: ">=", Op.BL: "<", Op.BLE: "<="}
_UNSIGNED = {Op.BE: "==", Op.BNE: "!=", Op.BGU: ">", Op.BGEU: ">=", Op.BLU: "<", Op.BLEU: "<="}
_ALWAYS = {"tst": (Op.BGE, Op.BGEU), "scmp": (Op.BGEU,)}
_NEVER = {"tst": (Op.BL, Op.BLU), "scmp": (Op.BLU,)}


def branch(op: Op, condition: Condition) -> str | bool:
    """The Python condition under which a branch is taken, or whether it always or never is."""
    kind, a, b, plain = condition
    if op is Op.BA:
        return True
    if kind != "scmp" and a.isdigit() and b.isdigit():
        return _known(op, kind, int(a), int(b))
    if op in _ALWAYS.get(kind, ()):
        return True
    if op in _NEVER.get(kind, ()):
        return False
    if kind == "tst":
        return f"not {a}" if op in (Op.BE, Op.BLE, Op.BLEU) else a
    if kind == "scmp":
        sign = {Op.BGU: "!=", Op.BLEU: "=="}.get(op) or _PLAIN[op]
        return f"{a} {sign} {b}"
    if op in _UNSIGNED:
        return f"{a} {_UNSIGNED[op]} {b}"
    if plain:
        return f"{a} {_PLAIN[op]} {b}"
    negative = f"({a} - {b} & {TOP}) >= {SIGN}"
    return {
        Op.BL: negative, Op.BGE: f"({a} - {b} & {TOP}) < {SIGN}",
        Op.BG: f"0 < ({a} - {b} & {TOP}) < {SIGN}", Op.BLE: f"not 0 < ({a} - {b} & {TOP}) < {SIGN}",
    }[op]  # fmt: skip
