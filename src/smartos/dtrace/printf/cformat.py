"""printf(3C)'s conversions, over numbers that already have their C width.

Text here is a str in which each character stands for one byte, as C counts widths and precisions in bytes; whoever
writes it out encodes it as latin-1. Left out: grouping by `'`, which the C locale does not do, and `%n`.
Follows the C standard's fprintf, and Solaris where the standard leaves a choice.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flags:
    """The flags of a conversion: `#`, `0`, `-`, `+`, `'`, and a space."""

    alternate: bool = False
    zero: bool = False
    left: bool = False
    plus: bool = False
    group: bool = False
    space: bool = False


NO_FLAGS = Flags()


def integer(conversion: str, value: int, flags: Flags = NO_FLAGS, width: int = 0, precision: int = -1) -> str:
    """An integer by `d i u o x X`; `value` is what the conversion is to see, unsigned for all but d and i."""
    base = {"o": "o", "x": "x", "X": "X"}.get(conversion, "d")
    digits = format(abs(value), base)
    if precision == 0 and value == 0:
        digits = ""
    digits = digits.rjust(precision, "0") if precision > 0 else digits
    sign = ""
    if conversion in "di":
        sign = "-" if value < 0 else "+" if flags.plus else " " if flags.space else ""
    elif flags.alternate and conversion == "o" and not digits.startswith("0"):
        digits = "0" + digits
    elif flags.alternate and conversion in "xX" and value:
        sign = "0" + conversion
    if flags.zero and not flags.left and precision < 0:
        digits = digits.rjust(width - len(sign), "0")
    return pad(sign + digits, flags, width)


def floating(conversion: str, value: float, flags: Flags = NO_FLAGS, width: int = 0, precision: int = -1) -> str:
    """A floating-point number by `e E f g G`."""
    spec = "%" + "#" * flags.alternate + "0" * (flags.zero and not flags.left) + "+" * flags.plus + " " * flags.space
    spec += "-" * flags.left + (str(width) if width else "") + (f".{precision}" if precision >= 0 else "")
    return (spec + conversion) % value


def string(value: str, flags: Flags = NO_FLAGS, width: int = 0, precision: int = -1) -> str:
    """A string by `s`, as far as its first NUL and no further than the precision."""
    value = value.partition("\0")[0]
    return pad(value[:precision] if precision >= 0 else value, flags, width)


def character(value: int, flags: Flags = NO_FLAGS, width: int = 0) -> str:
    """A character by `c`."""
    return pad(chr(value & 0xFF), flags, width)


def pad(text: str, flags: Flags, width: int) -> str:
    """The text in its field, at the right unless `-` says left."""
    return text.ljust(width) if flags.left else text.rjust(width)


_ESCAPES = {0: "\\0", 7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 34: '\\"', 92: "\\\\"}


def escaped(value: bytes) -> str:
    """The bytes with what does not print written as C escapes, as far as the first NUL, which shows as `\\0`."""
    out = []
    for byte in value:
        out.append(_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"))
        if byte == 0:
            break
    return "".join(out)


def encoded(text: str) -> bytes:
    """Text whose characters are bytes; a character that is none (in a name that a model gave) stands for itself."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return b"".join(char.encode("latin-1" if char < "\u0100" else "utf-8", "replace") for char in text)
