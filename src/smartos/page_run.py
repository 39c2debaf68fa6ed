"""Running a chapter's cells outside a notebook server: one namespace, the last expression shown, as a notebook does.

The page's worker calls :func:`run` for a cell and :func:`frames` for a state of an explorer that a cell has shown.
Nothing here knows the worker: `show` is any function that takes HTML.

Left out: IPython's magics and `display` hooks beyond `_repr_html_` and `_repr_svg_`, top-level `await`.
"""

import ast
import json
import sys
import traceback
from collections.abc import Callable
from html import escape
from typing import Any

CELL = "<cell>"
_namespace: dict[str, Any] = {"__name__": "__main__"}
_explorers: dict[str, Any] = {}


def reset() -> None:
    """Forget every name that cells have bound."""
    _namespace.clear()
    _namespace["__name__"] = "__main__"
    _explorers.clear()


def html_of(value: object) -> str:
    """A value as a notebook would show it: its own HTML or SVG, else its repr as text."""
    for method in ("_repr_html_", "_repr_svg_"):
        if hasattr(value, method) and not isinstance(value, type):
            shown = getattr(value, method)()
            if shown is not None:
                return shown
    return f"<pre>{escape(repr(value))}</pre>"


def run(code: str, show: Callable[[str], None]) -> dict[str, object] | None:
    """Execute one cell. Returns None, or what the page says of the error: `last`, `line` (1-based) and `trace`."""
    try:
        tree = ast.parse(code, CELL)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, CELL, "exec"), _namespace)
        if last is not None and not code.rstrip().endswith(";"):
            value = eval(compile(ast.Expression(last.value), CELL, "eval"), _namespace)
            if value is not None:
                remember(value)
                show(html_of(value))
    except BaseException as error:  # a cell may raise anything, SystemExit and KeyboardInterrupt included
        return told(error, code)
    return None


def told(error: BaseException, code: str) -> dict[str, object]:
    """An error in the reader's terms: its last line, the line of the cell it rose from, the traceback to unfold."""
    import linecache

    linecache.cache[CELL] = (len(code), None, code.splitlines(keepends=True), CELL)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    lines = [frame.lineno for frame in frames if frame.filename == CELL]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == CELL else (lines[-1] if lines else None)
    trace = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return {
        "last": "".join(traceback.format_exception_only(error)).strip().splitlines()[-1],
        "line": line,
        "trace": "".join(trace + traceback.format_exception_only(error)),
    }


def remember(value: object) -> None:
    """Keep an explorer that a cell has shown, so that the page can ask it for states it holds no frame of."""
    if hasattr(value, "frames_at") and hasattr(value, "name"):
        _explorers[value.name] = value


def frames(name: str, state: str) -> str:
    """The frames of explorer `name` at `state` (JSON, control keys to values), as JSON for the page's view."""
    if name not in _explorers:
        return json.dumps({"error": "run the cell that shows this explorer first"})
    try:
        return json.dumps({"frames": _explorers[name].frames_at(json.loads(state))})
    except Exception as error:
        return json.dumps({"error": "".join(traceback.format_exception_only(error)).strip()})


def flush() -> None:
    """Send what the standard streams still hold."""
    sys.stdout.flush()
    sys.stderr.flush()
