"""A cell outside a notebook shows what it shows in one: the last value, what is printed, the error and its line."""

import json
from collections import Counter, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from IPython.lib.pretty import pretty

from smartos import page_run


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    page_run.reset()
    yield
    page_run.reset()


def run(code: str) -> tuple[list[tuple[str, str]], dict | None]:
    """What a cell shows, and its error."""
    seen: list[tuple[str, str]] = []
    error = page_run.run(code, lambda kind, text: seen.append((kind, text)))
    return seen, error


def shown(code: str) -> list[tuple[str, str]]:
    seen, error = run(code)
    assert error is None, error
    return seen


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1 + 1", [("text", "2")]),
        ("x = 1", []),
        ("None", []),
        ("'a'", [("text", "'a'")]),
        ("1 + 1;", []),
        ("1 + 1;\n# a comment\n", []),
        ("1 + 1  # not hidden;", []),
        ("", []),
        ("# nothing", []),
        ("print('a')\n2", [("stdout", "a"), ("stdout", "\n"), ("text", "2")]),
        ("display(1, 'b')", [("text", "1"), ("text", "'b'")]),
        ("import sys\nprint('oops', file=sys.stderr)", [("stderr", "oops"), ("stderr", "\n")]),
        ("if True:\n    3", []),
    ],
)
def test_a_cell_shows_what_a_notebook_shows(code: str, expected: list[tuple[str, str]]) -> None:
    assert shown(code) == expected


def test_cells_share_a_namespace_until_it_is_reset() -> None:
    run("x = 7")
    assert shown("x") == [("text", "7")]
    page_run.reset()
    assert run("x")[1]["last"] == "NameError: name 'x' is not defined"


def test_the_richest_form_is_shown() -> None:
    head = "class A:\n    def __repr__(self): return 'A'\n"
    assert shown(head + "    def _repr_html_(self): return '<b>A</b>'\nA()") == [("html", "<b>A</b>")]
    assert shown(head + "    def _repr_svg_(self): return '<svg></svg>'\nA()") == [("svg", "<svg></svg>")]
    assert shown(head + "    def _repr_html_(self): return None\nA()") == [("text", "A")]
    assert shown(head + "    def _repr_mimebundle_(self): return {'text/html': 'x', 'text/plain': 'y'}\nA()") == [
        ("html", "x")
    ]
    assert shown(head + "    def _repr_mimebundle_(self): return {'text/plain': 'y'}, {}\nA()") == [("text", "y")]
    assert shown(head + "    def _repr_html_(self): return 'no'\nA")[0][0] == "text", "a class is not its instance"


@dataclass
class Record:
    name: str
    size: int


Pair = namedtuple("Pair", "first second")
LONG = [f"a line of some length, number {n}" for n in range(4)]


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1, "b": 2},
        {"b": LONG, "a": LONG},
        LONG,
        tuple(LONG),
        {"x" * 100: "y" * 100},
        "z" * 200,
        b"z" * 200,
        [Record("r", n) for n in range(12)],
        Pair(LONG, LONG[:1]),
        {"one": Counter(CDDL=225), "two": Counter(CDDL=17)},
        {3, 1, 2},
        {"a": LONG, "one": (LONG, {"deep": LONG})},
        [[LONG, LONG], [{"k": LONG}]],
        {n: {"k" * 10: "v" * 10} for n in range(9)},
        [],
        ("w" * 100,),
        {"deep": {"deeper": {"deepest": LONG}}},
        [(n, n * n) for n in range(40)],
    ],
)
def test_plain_text_is_a_notebooks(value: object) -> None:
    assert page_run.bundle(value)["text/plain"] == pretty(value)


def test_an_error_names_its_line_in_the_cell() -> None:
    seen, error = run("a = 1\nprint(a)\na / 0\n")
    assert seen[0] == ("stdout", "1")
    assert error["last"] == "ZeroDivisionError: division by zero"
    assert (error["line"], error["code"], error["name"]) == (3, "a / 0", None)
    assert error["trace"].startswith('Traceback (most recent call last):\n  File "<cell>", line 3, in <module>\n')
    assert "page_run" not in error["trace"]


def test_an_error_inside_the_package_still_names_the_cells_line() -> None:
    _, error = run("import json\n\njson.loads('{')")
    assert error["line"] == 3
    assert "json/decoder.py" in error["trace"]


def test_an_error_inside_a_cells_function_names_the_line_it_rose_from() -> None:
    assert run("def f():\n    raise ValueError('a\\nb')\n\nf()")[1] | {"trace": ""} == {
        "last": "ValueError: a", "line": 2, "code": "raise ValueError('a\\nb')", "trace": "", "name": None
    }  # fmt: skip


def test_a_syntax_error_has_a_line_and_no_frames() -> None:
    _, error = run("x = 1\ny = = 2")
    assert error["last"].startswith("SyntaxError:") and error["line"] == 2 and error["code"] == "y = = 2"
    assert "ast.py" not in error["trace"] and "Traceback" not in error["trace"]


def test_a_name_that_is_missing_is_told() -> None:
    assert run("hi.log")[1]["name"] == "hi"


def test_even_an_exit_is_only_an_error() -> None:
    assert run("raise SystemExit(2)")[1]["last"] == "SystemExit: 2"


def test_endless_printing_is_cut() -> None:
    seen = shown("for _ in range(3000):\n    print('x' * 100)")
    assert sum(len(text) for kind, text in seen if kind == "stdout") <= page_run.MOST
    assert [text for kind, text in seen if kind == "stderr"] == [
        "\nThe cell prints more than 200,000 characters; the rest is not shown.\n"
    ]


PART = """
class Part:
    name = "dial"
    def html(self, stored):
        return f"<p>{stored}</p>"
    def ask(self, question):
        return {"twice": 2 * question["n"]}

Part()
"""


def test_a_part_is_shown_without_its_store_and_answers_later() -> None:
    assert shown(PART) == [("html", "<p>False</p>")]
    assert json.loads(page_run.ask("dial", '{"n": 4}')) == {"twice": 8}
    assert json.loads(page_run.ask("dial", "{}")) == {"error": "KeyError: 'n'"}


def test_a_part_that_no_cell_has_shown_says_so() -> None:
    assert json.loads(page_run.ask("dial", "{}")) == {"error": "No cell that has run shows dial."}


def test_glue_is_silent_where_there_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "IPython.display", None)
    assert shown("from smartos.page import glue\nglue('n', 3)") == []
