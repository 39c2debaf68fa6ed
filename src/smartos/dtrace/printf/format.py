"""A printf() format taken apart into its conversions.

The same format serves printf(), system(), freopen() and, with `%@` conversions for the values, printa(). Text is a str
with a byte in each character (see :mod:`~smartos.dtrace.printf.cformat`). Left out: positional conversions, which dtrace(1M)
refuses too. Follows libdtrace's `dt_printf.c`.
"""

from dataclasses import dataclass, field, replace

from smartos.dtrace.errors import DError
from smartos.dtrace.printf.cformat import Flags

_INT, _SMALL, _FLOAT = "char, short, int, long, or long long", "char, short, or int", "float, double, or long double"
_ADDR, _STR, _WIDE = "pointer or integer", "char [] or string (or use stringof)", "wchar_t []"
_UADDR = "pointer or integer (with -p/-c) or _usymaddr (without -p/-c)"

# name: (C's conversion, the prototype as messages give it, which check, which printer)
CONVERSIONS: dict[str, tuple[str, str, str, str]] = {
    "a": ("s", _ADDR, "kaddr", "addr"), "A": ("s", _UADDR, "uaddr", "uaddr"),
    "c": ("c", _SMALL, "small", "sint"), "C": ("s", _SMALL, "small", "echr"), "d": ("d", _INT, "dint", "dint"),
    "i": ("i", _INT, "int", "sint"), "o": ("o", _INT, "int", "uint"), "u": ("u", _INT, "int", "uint"),
    "x": ("x", _INT, "int", "uint"), "X": ("X", _INT, "int", "uint"), "p": ("x", _ADDR, "addr", "uint"),
    **{name: (name, _FLOAT, "float", "fp") for name in "eEfgG"},
    **{"L" + name: (name, "long double", "type", "fp") for name in "eEfgG"},
    "I": ("s", _STR, "str", "inetaddr"), "k": ("s", "stack", "stack", "stack"),
    **{size + name: (name, kind, "type", "sint") for size, kind in (("h", "short"), ("l", "long"), ("ll", "long long"))
       for name in "di"},
    **{size + name: (name, f"unsigned {kind}", "type", "uint")
       for size, kind in (("h", "short"), ("l", "long"), ("ll", "long long")) for name in "ou"},
    **{size + name: (name, kind, check, "uint") for size, kind, check in
       (("h", "short", "xshort"), ("l", "long", "xlong"), ("ll", "long long", "xlonglong")) for name in "xX"},
    "lc": ("c", "int", "type", "sint"), "wc": ("c", "int", "type", "sint"),
    "ls": ("s", _WIDE, "wstr", "wstr"), "ws": ("s", _WIDE, "wstr", "wstr"),
    "P": ("s", "uint16_t", "type", "port"), "s": ("s", _STR, "str", "cstr"), "S": ("s", _STR, "str", "estr"),
    "T": ("s", "int64_t", "time", "time822"), "Y": ("s", "int64_t", "time", "time"), "%": ("%", "void", "type", "pct"),
}  # fmt: skip


@dataclass
class Conversion:
    """A stretch of literal text and the conversion after it; `name` is empty where the format ends in text.

    `form` is the letter that C's printf gets. `precision` 0 is none, as in libdtrace. `dynamic` width and precision are
    arguments of their own. `aggregation` marks `%@`.
    """

    prefix: str = ""
    name: str = ""
    form: str = ""
    flags: Flags = field(default_factory=Flags)
    width: int = 0
    precision: int = 0
    dynamic_width: bool = False
    dynamic_precision: bool = False
    aggregation: bool = False

    @property
    def printer(self) -> str:
        """Which printer makes text of the value."""
        return CONVERSIONS[self.name][3]


@dataclass
class Format:
    """A parsed format. `aggregation` is set by `validate` for printa()."""

    text: str
    conversions: list[Conversion]
    aggregation: bool = False


def parse(fmt: bytes | str, line: int = 0) -> Format:
    """Take a format apart. Raises DError (D_SYNTAX) for one that is malformed or has a conversion that there is not."""
    text = (fmt.decode("latin-1") if isinstance(fmt, bytes) else fmt).partition("\0")[0]
    conversions: list[Conversion] = []
    at = 0
    while (start := text.find("%", at)) >= 0:
        prefix = text[at:start]
        conversion, at = _conversion(text, start + 1, len(conversions) + 1, line)
        conversion.prefix = prefix
        conversions.append(conversion)
    if at < len(text) or not text:
        conversions.append(Conversion(text[at:]))
    return Format(text, conversions)


WIDEST = 1 << 16
"""No field is wider, and no number has more digits; the real one goes on as long as its memory does."""


def _number(digits: str) -> int:
    """A width or a precision."""
    return min(int(digits.lstrip("0")[:9] or "0"), WIDEST)


_FLAGS = {"#": "alternate", "+": "plus", "'": "group", " ": "space"}


def _conversion(text: str, at: int, number: int, line: int) -> tuple[Conversion, int]:
    """The conversion whose characters begin at `at`, just after its `%`, and where it ends."""

    def bad(what: str) -> DError:
        return DError("D_SYNTAX", f"format conversion #{number} {what}", line)

    found, size, dot, begin = Conversion(), "", False, at
    digits = False  # whether a number was seen since the beginning or the dot
    while True:
        char = text[at : at + 1]
        at += 1
        if char.isascii() and char.isdigit():
            if char == "0" and not dot and not digits:
                found.flags = replace(found.flags, zero=True, left=False)
                continue
            end = at
            while text[end : end + 1].isdigit() and text[end].isascii():
                end += 1
            length = _number(text[at - 1 : end])
            if dot:
                found.precision = length
            else:
                found.width = length
            at, digits = end, True
        elif char in _FLAGS and char:
            found.flags = replace(found.flags, **{_FLAGS[char]: True})
        elif char == "*":
            if found.dynamic_precision if dot else found.dynamic_width:
                raise bad("has more than one '*' specified for the output precision")
            if dot:
                found.dynamic_precision = True
            else:
                found.dynamic_width = True
        elif char == "-":
            found.flags = replace(found.flags, left=True, zero=False)
        elif char == ".":
            if dot:
                raise bad("has more than one '.' specified")
            dot, digits = True, False
        elif char == "?":
            found.width = 16
        elif char == "@":
            found.aggregation = True
        elif char == "$":
            raise bad("uses unsupported positional format (%n$)")
        elif char == "%" and at - 1 > begin:
            raise bad("cannot be combined with other format flags: %%")
        elif not char:
            raise bad("name expected before end of format string")
        elif char in "hlLw":
            size = (size + char)[:6]
        else:
            break
    found.name = size + char
    if found.name not in CONVERSIONS:
        raise bad(f"is undefined: %{found.name}")
    found.form = CONVERSIONS[found.name][0]
    return found, at
