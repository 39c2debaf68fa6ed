"""A part in a running notebook: a widget whose every answer is computed by Python when it is asked.

The widget is an anywidget, so JupyterLab, Notebook, VS Code and Binder's servers show it with nothing installed beside
`anywidget`. Its front end is the very source that the built page bundles; a browser needs it in one piece here, so the
modules are joined in the order of what they import.

Left out: a widget outside a kernel; there, and without anywidget, the default state is shown as HTML.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any

from smartos.explore.kit.part import Part

MODULES = ("explorer.js", "predict.js", "practice.js", "wires.js", "live.js")


@cache
def front_end() -> str:
    """The front end as one module: no import between its parts, and one default export."""
    texts = [files("smartos.explore").joinpath("static", name).read_text("utf-8") for name in MODULES]
    return "\n".join(re.sub(r"(?m)^import .*?;\n|^export (?!default)", "", text) for text in texts)


@cache
def style() -> str:
    """The parts' own style, with the palette that the book's pages bring themselves."""
    return "\n".join(
        files("smartos.explore").joinpath("static", name).read_text("utf-8") for name in ("live.css", "parts.css")
    )


@cache
def view() -> Any:
    """The widget's class, or None without anywidget."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    class PartView(anywidget.AnyWidget):
        """One view of a part; a message with a question is answered by a message with its answer."""

        _esm, _css = front_end(), style()
        part_html = traitlets.Unicode().tag(sync=True)
        store = traitlets.Dict().tag(sync=True)

        def __init__(self, part: Part) -> None:
            super().__init__(part_html=part.titled(stored=False), store=part.store(stored=False))
            self.part = part
            self.on_msg(self._answer)

        def _answer(self, widget: object, content: dict, buffers: list) -> None:
            self.send({"id": content["id"], "answer": self.part.ask(content["question"])})

    return PartView


def widget_bundle(part: Part) -> dict:
    """The MIME types of a live view of `part`; empty where there is no kernel or no anywidget."""
    cls = view()
    if cls is None or not _kernel():
        return {}
    made = cls(part)._repr_mimebundle_()
    data = made[0] if isinstance(made, tuple) else made
    return {key: value for key, value in (data or {}).items() if key.startswith("application/")}


def _kernel() -> bool:
    """Whether a kernel runs this code; a plain interpreter has nobody to send messages to."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
