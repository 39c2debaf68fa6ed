"""Macro arguments and escapes: `$1`, `$$1`, `$target`, and what a backslash in a string stands for.

Follows the `$` rules of libdtrace's lexer, `stresc2chr` and `strbadidnum` of dt_string.c, and `strtoull(s, &p, 0)`.
"""

import re

_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")
_IDENT = re.compile(r"[0-9a-zA-Z_`]+")
_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, '"': 34, "\\": 92}
_ESCAPE = re.compile(rb'\\([0-7]{1,3}|x[0-9a-fA-F]*|.|$)', re.S)
LARGEST = (1 << 64) - 1


def decimal(digits: str, most: int = LARGEST) -> int:
    """The number that decimal digits stand for, however many they are; `most` + 1 for a larger one."""
    digits = digits.lstrip("0")
    return most + 1 if len(digits) > len(str(most)) else min(int(digits or "0"), most + 1)


def strtoull(text: str) -> tuple[int, str, bool]:
    """C's strtoull with base 0: the value (at most 2**64 - 1), what is left of the text, and whether it was too large."""
    found = _NUMBER.match(text)
    if not found:
        return 0, text, False
    sign, digits = found.groups()
    end = found.end()
    if digits[:2].lower() == "0x":
        value = int(digits, 16)
    elif digits[0] == "0":
        octal = re.match("[0-7]*", digits)
        assert octal is not None
        end -= len(digits) - octal.end()
        value = int(octal[0], 8)
    else:
        value = decimal(digits)
    if value > LARGEST:
        return LARGEST, text[end:], True
    return -value & LARGEST if sign == "-" else value, text[end:], False


def is_word(text: str) -> bool:
    """Whether a macro argument is put in as a number or an identifier; if not, it is a string."""
    if not text:
        return False
    _, rest, too_large = strtoull(text)
    return (not rest and not too_large) or bool(_IDENT.fullmatch(text))


def unescape(text: str) -> bytes:
    """The bytes that a string's or character's text stands for; NULs are kept. An unknown escape keeps its backslash."""
    raw, out, at = text.encode("utf-8", "surrogateescape"), bytearray(), 0
    for found in _ESCAPE.finditer(raw):
        out += raw[at : found.start()] + _escaped(found)
        at = found.end()
    return bytes(out + raw[at:]) if at else raw


def _escaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if not code:
        return b""
    if code[:1].isdigit() and code[0] < 0x38:
        return bytes([int(code, 8) & 0xFF])
    if code[:1] == b"x":
        return bytes([int(code[1:] or b"0", 16) & 0xFF])
    value = _SIMPLE.get(code.decode("latin-1"))
    return b"\\" + code if value is None else bytes([value])


def c_string(text: str) -> bytes:
    """As :func:`unescape`, cut at the first NUL, where a C string ends."""
    return unescape(text).split(b"\0", 1)[0]
