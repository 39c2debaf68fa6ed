"""What a chapter's cells need beside the models: a number of theirs that the prose can name.

`glue` follows MyST-NB's convention (a display output whose metadata names the value), and is silent where there is no
notebook, so the same cell runs in a plain interpreter. The text is stored as a Python string literal, because MyST-NB
evaluates what it finds, and would read 7,270 as a pair.
"""


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
