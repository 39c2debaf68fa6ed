"""The lexer of D: what is a token, where descriptions end and expressions begin, and the words of its errors."""

import pytest

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.parse.lexer import EXPR, Lexer
from smartos.dtrace.parse.parser import parse, parse_expression
from smartos.dtrace.tree import Int, Name, String


def tokens(text: str, state: str = EXPR, **settings: object) -> list[object]:
    lexer = Lexer(text, Environment(**settings))  # type: ignore[arg-type]
    lexer.state = state
    found = []
    while (token := lexer.next()).kind != "eof":
        value = token.value
        found.append(token.kind if value is None else getattr(value, "value", value))
    return found


def wrong(text: str, **settings: object) -> tuple[str, str]:
    with pytest.raises(DError) as caught:
        parse(text, new_environment(**settings))
    return caught.value.tag, str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a->b.c", ["a", "->", "b", ".", "c"]),
        ("x<<=y>>=z>>w", ["x", "<<=", "y", ">>=", "z", ">>", "w"]),
        ("a^^b^c", ["a", "^^", "b", "^", "c"]),
        ("@ @x", ["@_", "@x"]),
        ("genunix`kmem_flags", ["genunix`kmem_flags"]),
        ("libc.so.1`malloc", ["libc.so.1`malloc"]),
        ("a.b", ["a", ".", "b"]),
        ("`kmem", ["`kmem"]),
        ("0x1fUL 017 10u", [31, 15, 10]),
        ("'a' 'ab' '\\n' '\\''", [97, 0x6162, 10, 0x5C27]),
        ('"a\\tb\\x41\\101\\q"', [b"a\tbAA\\q"]),
        ("a /* b */ c", ["a", "c"]),
        ("a \\\n b", ["a", "b"]),
        ("...", ["..."]),
        ("#!x\na", ["a"]),
    ],
)
def test_tokens_of_expressions(text: str, expected: list[object]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("profile:::tick-1sec", ["profile:::tick-1sec"]),
        ("syscall::*read*:entry, 12", ["syscall::*read*:entry", ",", 12]),
        ("int", ["int"]),
        ("int x", ["int", "x"]),
        ("fbt:[a-z]?*:foo`bar:", ["fbt:[a-z]?*:foo`bar:"]),
    ],
)
def test_tokens_outside_of_clauses(text: str, expected: list[object]) -> None:
    assert tokens(text, "clause") == expected


def test_a_description_without_colon_that_begins_with_a_type_is_that_type() -> None:
    assert tokens("uint_t*x", "clause") == ["uint_t", "*", "x"]
    assert tokens("uint_t*:::x", "clause") == ["uint_t*:::x"]
    assert tokens("uint_t*x", "clause", options={"pspec": True}) == ["uint_t*x"]


def test_a_slash_ends_a_predicate_only_before_what_may_follow_one() -> None:
    assert tokens("a / b /\n {") == ["a", "/", "b", "epred", "{"]
    assert tokens("a /= b") == ["a", "/=", "b"]


@pytest.mark.parametrize(
    ("text", "tag", "message"),
    [
        ("BEGIN { trace(1.5); }", "D_SYNTAX", "line 1: floating-point constants are not permitted"),
        ("BEGIN { trace(09); }", "D_INT_DIGIT", "line 1: constant 09 contains invalid digit 9"),
        ("BEGIN { trace(99999999999999999999); }", "D_INT_OFLOW",
         "line 1: constant 99999999999999999999 results in integer overflow"),
        ('BEGIN { trace("a\n"); }', "D_STR_NL", "line 1: newline encountered in string literal"),
        ("BEGIN { trace('a\n'); }", "D_CHR_NL", "line 1: newline encountered in character constant"),
        ("BEGIN { trace(''); }", "D_CHR_NULL", "line 1: empty character constant"),
        ("BEGIN { trace('123456789'); }", "D_CHR_OFLOW", "line 1: character constant is too long"),
        ("BEGIN { } /* x /* y */", "D_SYNTAX", "line 1: /* encountered inside a comment"),
        ("BEGIN\n{ } /* x\n", "D_SYNTAX", "line 3: end-of-file encountered before matching */"),
        ("BEGIN { trace(1));\n}", "D_SYNTAX", "line 1: extra ) in input stream"),
        ("BEGIN /(1/ { }", "D_SYNTAX", "line 1: closing ) expected in predicate before /"),
        ("BEGIN { trace(#); }", "D_SYNTAX", 'line 1: syntax error near "#"'),
        ("#pragma D option quiet", "D_SYNTAX", "line 1: end-of-file encountered before end of control line"),
        ("BEGIN { trace($1); }", "D_MACRO_UNDEF", "line 1: macro argument $1 is not defined"),
        ("BEGIN { trace($$foo); }", "D_MACRO_UNDEF", "line 1: macro variable $$foo is not defined"),
    ],
)  # fmt: skip
def test_errors(text: str, tag: str, message: str) -> None:
    assert wrong(text) == (tag, message)


def test_macro_arguments_become_what_they_look_like() -> None:
    env = Environment(args=["d", "12", "-3", "foo", "a b", '"q r"', "0x1F"], macros={"pid": 77})
    found = {text: parse_expression(text, env) for text in ("$1", "$2", "$3", "$4", "$5", "$6", "$$1", "$pid", "$$pid")}
    assert isinstance(found["$1"], Int) and found["$1"].value == 12
    minus = found["$2"]
    assert isinstance(minus, Int) and minus.value == 2**64 - 3
    assert isinstance(found["$3"], Name) and found["$3"].name == "foo"
    assert [found[key].value for key in ("$4", "$5", "$$1", "$$pid")] == [b"a b", b"q r", b"12", b"77"]  # type: ignore[attr-defined]
    assert all(isinstance(found[key], String) for key in ("$4", "$5", "$$1", "$$pid"))
    assert found["$6"].value == 31 and not found["$6"].decimal and found["$pid"].value == 77  # type: ignore[attr-defined]


def test_missing_arguments_have_defaults_on_request() -> None:
    env = Environment(defaultargs=True)
    assert parse_expression("$7", env).value == 0 and parse_expression("$$7", env).value == b""  # type: ignore[attr-defined]


def test_a_negative_number_too_large_is_put_in_as_a_string() -> None:
    assert parse_expression("$1", Environment(args=["d", "-99999999999999999999"])).value[:3] == b"-99"  # type: ignore[attr-defined]


def test_a_number_too_large_for_an_argument_is_an_error_of_its_own() -> None:
    with pytest.raises(DError) as caught:
        parse_expression("$1", Environment(args=["d", "99999999999999999999"]))
    assert caught.value.tag == "D_MACRO_OFLOW"
    assert caught.value.message == "macro argument $1 constant 99999999999999999999 results in integer overflow"
