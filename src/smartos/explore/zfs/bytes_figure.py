"""The drawing of bytes: rows in hexadecimal, each field's bytes one shape that can be picked, one field marked.

A shape that carries `data-set="field=NAME"` sets the control `field` when it is clicked; the control itself is the way
for the keyboard. Left out: what the fields are; see :mod:`smartos.zfs.format.fields`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from smartos.explore.kit.svg import element, group, text
from smartos.zfs.format.fields import Field

MONO, SIZE, DIGIT = "var(--mono, monospace)", 12, 7.2
GAP = None


@dataclass(frozen=True)
class Dump:
    """Where a dump stands and how it is set: the first byte's left edge, the first row's top, distances, bytes a row.

    `rows` are the offsets at which rows begin; GAP is a row of dots for what is left out. `control` is the control that
    a click sets.
    """

    rows: Sequence[int | None]
    left: float = 36
    top: float = 6
    pitch: float = 18.3
    high: float = 19
    wide: int = 16
    control: str = "field"

    @property
    def bottom(self) -> float:
        """The bottom edge of the last row."""
        return self.top + self.high * len(self.rows)

    @property
    def right(self) -> float:
        """The right edge of a row's last byte."""
        return self.left + self.pitch * self.wide

    def y(self, row: int) -> float:
        """The baseline of a row."""
        return self.top + self.high * row + 14

    def outline(self, taken: Sequence[int]) -> str:
        """The boxes of some bytes as a path; a run within a row is one box."""
        path = ""
        for row, start in enumerate(self.rows):
            own = [at - start for at in taken if start is not GAP and start <= at < start + self.wide]
            if own:
                x, width = self.left + self.pitch * own[0] - 1.5, self.pitch * len(own) - 1
                path += f"M{x:g} {self.top + self.high * row + 0.5:g}h{width:g}v{self.high - 1:g}h{-width:g}z"
        return path


def picked(control: str, name: str) -> dict[str, str]:
    """The attributes by which a click on an element sets a control to a value."""
    return {"data_set": f"{control}={name}"}


def shapes(dump: Dump, fields: Sequence[Field], chosen: Field, order: str = "<") -> list[str]:
    """The fields' shapes, every second one tinted, the chosen one outlined. A byte that fields share is the longest's."""
    found = []
    for n, field in sorted(enumerate(fields), key=lambda each: len(each[1].bits)):
        path = dump.outline(field.bytes(order))
        if path:
            tint = {"fill": "ink", "fill_opacity": "0.07" if n % 2 else "0"}
            found.append(element("path", d=path, stroke="none", **tint, **picked(dump.control, field.name)))
    return [*found, mark(dump.outline(chosen.bytes(order)))]


def mark(path: str) -> str:
    """The chosen one's outline."""
    return element("path", d=path, fill="zfs", fill_opacity="0.2", stroke="zfs", stroke_width=1.75, pointer_events="none")


def digits(dump: Dump, data: bytes, base: int = 0, gaps: Mapping[int, str] | None = None) -> list[str]:
    """The offsets and the bytes; `base` is added to the offsets, `gaps` has words for rows of dots."""
    offsets, rows = [], []
    places = [f"{dump.left + dump.pitch * n + DIGIT * half:g}" for n in range(dump.wide) for half in (0, 1)]
    for row, start in enumerate(dump.rows):
        y = f"{dump.y(row):g}"
        if start is GAP:
            offsets.append(element("text", "⋮", x=f"{dump.left - 18:g}", y=y))
            words = escape((gaps or {}).get(row, ""))
            offsets.append(element("text", words, x=f"{dump.left:g}", y=y, text_anchor="start"))
            continue
        own = data[start : start + dump.wide]
        offsets.append(element("text", f"{base + start:03x}", x=f"{dump.left - 10:g}", y=y, font_family=MONO))
        rows.append(element("text", own.hex(), x=" ".join(places[: 2 * len(own)]), y=y))
    return [
        group(*offsets, fill="ink-2", text_anchor="end", font_size=SIZE, pointer_events="none"),
        group(*rows, fill="ink", font_size=SIZE, font_family=MONO, pointer_events="none"),
    ]


def names(dump: Dump, labels: Mapping[int, Sequence[tuple[str, str]]], x: float, chosen: str) -> list[str]:
    """Right of the rows, what begins in each: row → (control's value, words). The chosen one is bold."""
    found = []
    for row, ones in labels.items():
        spans = ""
        for n, (name, words) in enumerate(ones):
            own = {"font_weight": "bold", "fill": "ink"} if name == chosen else {}
            spans += element("tspan", escape(words), dx=5 if n else None, **own, **picked(dump.control, name))
        found.append(element("text", spans, x=f"{x:g}", y=f"{dump.y(row):g}"))
    return [group(*found, fill="ink-2", font_size=SIZE)]


def told(field: Field, value: str, where: str, y: float, width: float = 440) -> list[str]:
    """Below the dump: the field with its value, and where it lies and which source says so."""
    head = shortened(f"{field.name} = {value}", int(width / 10))
    where = f"{where} · {field.source}"
    return [text(2, y + 16, head, "zfs", size=14, font_weight="bold"), text(2, y + 35, where, "ink-2", size=13)]


def shortened(words: str, longest: int) -> str:
    """Words cut to so many characters; an ellipsis says that there were more."""
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
