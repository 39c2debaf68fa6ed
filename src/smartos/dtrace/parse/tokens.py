"""What a token of D is, which words are keywords, and the token that a macro argument is put in as.

Follows the tables of libdtrace's `dt_lex.l`.
"""

from typing import Any, NamedTuple

from smartos.dtrace.parse.macros import c_string, is_word, strtoull

KEYWORDS = frozenset(
    "auto break case char const continue counter default do double else enum extern float for goto if import inline int"
    " long offsetof probe provider register restrict return self short signed sizeof static string stringof struct switch"
    " this translator typedef union unsigned userland void volatile while xlate".split()
)
DEFINERS = frozenset(("counter", "inline", "provider", "translator"))
OUTER = DEFINERS | frozenset(
    "auto char const double enum extern float import int long register restrict self short signed static string struct"
    " this typedef union unsigned void volatile".split()
)


class Number(NamedTuple):
    """An integer as it was written. `prefix` is the sign of a macro argument."""

    value: int
    suffix: str = ""
    decimal: bool = True
    prefix: str = ""
    char: bool = False


class Token(NamedTuple):
    """A token. `kind` is a keyword or operator itself, or one of ident, tname, agg, number, literal, pspec, epred
    and eof."""

    kind: str
    value: Any = None


def macro_argument(value: str) -> Token | None:
    """The token of `$1` whose argument is `value`: a number, an identifier, or else a string; None if the number is too large."""
    if not is_word(value):
        quoted = len(value) != 1 and value[:1] == value[-1:] == '"'
        return Token("literal", c_string(value[1:-1] if quoted else value))
    if not (value[0].isdigit() or value[0] in "+-"):
        return Token("ident", value)
    prefix, digits = ("", value) if value[0].isdigit() else (value[0], value[1:])
    number, rest, too_large = strtoull(digits)
    return None if too_large else Token("number", Number(number, rest, digits[0] != "0", prefix))
