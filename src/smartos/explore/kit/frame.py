"""One state of an explorer: a figure, a sentence that says it, and a table of its values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

LONG = re.compile(r"[^\s<>&]{16,}")  # a path, a name: what would hold a column wide
SENTENCE = 60  # characters of a cell that is set as text, and keeps a line's length on a narrow screen


def cell_text(value: object) -> str:
    """A table cell as text: thousands set apart, whole floats without their point."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def is_number(value: object) -> bool:
    """Whether a cell holds a number; yes and no are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def decimals(value: object) -> int:
    """How many places after the point a number needs, two at most."""
    return next(n for n in (0, 1, 2) if n == 2 or round(value, n) == round(value, 2)) if isinstance(value, float) else 0


def breakable(html: str) -> str:
    """Text of a cell that may go on in the next line after a slash or an underscore of a long word."""
    return LONG.sub(lambda word: re.sub(r"(?<=[/_])(?=\w)", "<wbr>", word[0]), html)


@dataclass(frozen=True)
class Table:
    """Rows of values under named columns; numbers are set flush right, the first column heads its row.

    The numbers of a column have the same places after the point. `plain` names columns whose numbers are names, as a
    year is, and take no thousands separator; `mixed` those that hold another quantity in each row, in its own format.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    plain: Sequence[str] = ()
    sortable: bool = False
    name: str = ""
    mixed: Sequence[str] = ()

    def html(self) -> str:
        """The table as HTML with a caption, scoped headers and a scrolling frame for narrow screens."""
        head = "".join(f'<th scope="col"{self._align(i)}>{escape(c)}</th>' for i, c in enumerate(self.columns))
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        kind = "smartos-table sortable" if self.sortable else "smartos-table"
        name = f' id="{escape(self.name)}"' if self.name else ""
        label = escape(self.caption or "Table")
        return (
            f'<div class="table-frame" role="region" aria-label="{label}" tabindex="0">'
            f'<table class="{kind}"{name}>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )

    def _repr_html_(self) -> str:
        return self.html()

    def _align(self, column: int) -> str:
        values = [row[column] for row in self.rows]
        return ' class="number"' if values and all(map(is_number, values)) else ""

    def cell(self, column: int, value: object) -> str:
        """The words of one cell, a number in the format of its column."""
        name = self.columns[column]
        if name in self.plain or not is_number(value):
            return str(value) if name in self.plain else cell_text(value)
        like = [value] if name in self.mixed else [row[column] for row in self.rows if is_number(row[column])]
        return f"{value:,.{max(map(decimals, like))}f}"

    def _row(self, row: Sequence[object]) -> str:
        cells = []
        for i, value in enumerate(row):
            text = breakable(escape(self.cell(i, value)))
            kind = self._align(i) or (' class="long"' if len(str(value)) > SENTENCE else "")
            cells.append(f'<th scope="row">{text}</th>' if i == 0 else f"<td{kind}>{text}</td>")
        return "".join(cells)


@dataclass(frozen=True)
class Frame:
    """What one state shows: `figure` (SVG or HTML), `says` (one or two sentences), `table` (its values)."""

    figure: str
    says: str
    table: Table | None = field(default=None)

    def html(self) -> str:
        """The frame without controls, as a figure with its caption and its table folded below."""
        table = folded(self.table) if self.table else ""
        return f'<figure class="plot">{self.figure}<figcaption>{escape(self.says)}</figcaption></figure>{table}'

    def _repr_html_(self) -> str:
        return self.html()


def folded(table: Table, summary: str = "The values as a table") -> str:
    """A table behind a summary line."""
    return f'<details class="data"><summary>{escape(summary)}</summary>{table.html()}</details>'
