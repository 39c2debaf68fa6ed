"""What a chapter's cells need beside the models: a number that the prose can name, and a file for the reader to keep.

`glue` follows MyST-NB's convention (a display output whose metadata names the value), and is silent where there is no
notebook, so the same cell runs in a plain interpreter. The text is stored as a Python string literal, because MyST-NB
evaluates what it finds, and would read 7,270 as a pair.
"""

import base64
from html import escape


def glue(name: str, value: object) -> None:
    """Give `value` to the prose of this page under `name`: {glue:text}`name` prints it, thousands set apart."""
    try:
        from IPython.display import display
    except ImportError:
        return
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    prefix = "application/papermill.record/"
    display(
        {prefix + "text/plain": repr(text)},
        raw=True,
        metadata={"scrapbook": {"name": name, "mime_prefix": prefix}},
    )


class Download:
    """A file for the reader to keep: in a page or a notebook it shows as a link that saves `data` under `name`.

    The data stand in the link itself, so it works without a server; keep them small.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data

    def __repr__(self) -> str:
        return f"{self.name}, {len(self.data):,} bytes"

    def _repr_html_(self) -> str:
        address = f"data:application/octet-stream;base64,{base64.b64encode(self.data).decode()}"
        return f'<a download="{escape(self.name, quote=True)}" href="{address}">Save {escape(repr(self))}</a>'
