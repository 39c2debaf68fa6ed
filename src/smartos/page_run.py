"""A chapter's cells outside a notebook server: one namespace, and of each cell what a notebook would show.

The page's worker calls :func:`run` for a cell and :func:`ask` for a figure with controls that a cell has shown. Nothing
here knows the worker: `show` is any function that takes a kind (`stdout`, `stderr`, `text`, `html` or `svg`) and a
text, so the same code runs in a plain interpreter.

Left out: magics, `await` outside a function, `input`, pictures other than SVG, and a notebook's ways with long sets and
with lists of a thousand items.
"""

import ast
import io
import json
import linecache
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

CELL = "<cell>"
MOST = 200_000  # characters that one cell may print; more would only stall the page
WIDTH = 79  # where a notebook breaks the text of a value

Show = Callable[[str, str], None]
KINDS = {"text/html": "html", "image/svg+xml": "svg", "text/plain": "text"}  # the first that a value has is shown

_namespace: dict[str, Any] = {}
_parts: dict[str, Any] = {}


BRACKETS = {dict: "{}", list: "[]", tuple: "()"}


def pretty(value: object, column: int = 0, indent: int = 0, after: int = 0) -> str:
    """The text of a value as a notebook has it: what is too long for a line is broken between its items.

    The text begins at `column`, further lines at `indent` and one, and `after` characters follow the last.
    """
    text = repr(value)
    signs = next((signs for kind, signs in BRACKETS.items() if type(value).__repr__ is kind.__repr__), "")
    if not signs or not value or column + len(text) + after <= WIDTH:
        return text
    last, items = len(value) - 1, []
    for n, item in enumerate(value.items() if isinstance(value, dict) else value):
        head = f"{item[0]!r}: " if isinstance(value, dict) else ""
        inner = item[1] if head else item
        items.append(head + pretty(inner, indent + 1 + len(head), indent + 1, 1 if n < last else after + 1))
    return signs[0] + (",\n" + " " * (indent + 1)).join(items) + ("," if text.endswith(",)") else "") + signs[1]


class Stream(io.TextIOBase):
    """What a cell prints, shown as it is written, up to a bound."""

    def __init__(self, kind: str, show: Show) -> None:
        self.kind, self.show, self.left = kind, show, MOST

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.left > 0 and text:
            self.show(self.kind, text[: self.left])
            if len(text) > self.left:
                self.show("stderr", f"\nThe cell prints more than {MOST:,} characters; the rest is not shown.\n")
        self.left -= len(text)
        return len(text)


def reset() -> None:
    """Forget every name that cells have bound."""
    _parts.clear()
    _namespace.clear()
    _namespace["__name__"] = "__main__"


def run(code: str, show: Show) -> dict[str, object] | None:
    """Execute one cell. Returns None, or what is to be said of the error: see :func:`told`."""
    if not _namespace:
        reset()
    _namespace["display"] = lambda *values: [display(value, show) for value in values] and None
    linecache.cache[CELL] = (len(code), None, code.splitlines(keepends=True), CELL)
    try:
        with redirect_stdout(Stream("stdout", show)), redirect_stderr(Stream("stderr", show)):
            execute(code, show)
    except BaseException as error:  # a cell may raise anything, SystemExit and KeyboardInterrupt included
        return told(error)
    return None


def execute(code: str, show: Show) -> None:
    """The statements of a cell, and its last expression's value unless a semicolon hides it."""
    tree = ast.parse(code, CELL)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, CELL, "exec"), _namespace)
    if last is None:
        return
    value = eval(compile(ast.Expression(last.value), CELL, "eval"), _namespace)
    if value is not None and not hidden(code):
        display(value, show)


def hidden(code: str) -> bool:
    """Whether the cell ends in a semicolon, as a notebook understands it: comments do not count."""
    lines = [line for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and lines[-1].rstrip().endswith(";")


def display(value: object, show: Show) -> None:
    """Show a value as a notebook does: in the richest of its forms that a page has a place for."""
    if is_part(value):
        _parts[value.name] = value
        show("html", value.html(stored=False))
        return
    forms = bundle(value)
    kind = next(kind for kind in KINDS if kind in forms)
    show(KINDS[kind], forms[kind])


def is_part(value: object) -> bool:
    """Whether a value is a figure that can be asked for further states."""
    return not isinstance(value, type) and hasattr(value, "ask") and hasattr(value, "html")


def bundle(value: object) -> dict[str, str]:
    """A value's forms by media type; there is always a plain one."""
    forms = {"text/plain": pretty(value)}
    if isinstance(value, type):
        return forms
    for name, kind in (("_repr_svg_", "image/svg+xml"), ("_repr_html_", "text/html")):
        made = getattr(value, name)() if hasattr(value, name) else None
        if made is not None:
            forms[kind] = made
    if hasattr(value, "_repr_mimebundle_"):
        made = value._repr_mimebundle_()
        forms |= (made[0] if isinstance(made, tuple) else made) or {}
    return forms


def told(error: BaseException) -> dict[str, object]:
    """An error in the reader's terms.

    `last` is the traceback's last line, `line` the line of the cell it rose from (None when the cell had ended), `code`
    that line's text, `trace` the whole, and `name` what a NameError did not find.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    while frames and frames[0].filename != CELL:  # how the cell was compiled
        frames.pop(0)
    lines = [frame.lineno for frame in frames if frame.filename == CELL]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == CELL else (lines[-1] if lines else None)
    said = traceback.format_exception_only(error)
    trace = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return {
        "last": next(text for text in said if not text.startswith(" ")).splitlines()[0],
        "line": line,
        "code": linecache.getline(CELL, line).strip() if line else "",
        "trace": "".join(trace + said),
        "name": error.name if isinstance(error, NameError) else None,
    }


def ask(name: str, question: str) -> str:
    """What the figure `name` answers to a question, both as JSON; an error is an answer with the key `error`."""
    if name not in _parts:
        return json.dumps({"error": f"No cell that has run shows {name}."})
    try:
        return json.dumps(_parts[name].ask(json.loads(question)))
    except Exception as error:
        return json.dumps({"error": told(error)["last"]})


def parts() -> dict[str, Any]:
    """The figures with controls that cells have shown, by name."""
    return dict(_parts)
