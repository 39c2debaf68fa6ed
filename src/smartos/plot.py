"""Charts: a Vega-Lite specification in, one house look out, as SVG with words and a table.

A chart is data (the specification is a plain dict, as the Vega-Lite documentation writes it), so building one needs no
library; turning it into SVG needs `vl-convert-python`, which carries Vega itself. Colours are the names of the book's
palette and become CSS custom properties, so one SVG serves light, dark and print.

Left out: interaction inside the chart; an explorer's controls do that.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Any

from smartos.explore.frame import Frame, Table, folded

# Okabe and Ito's palette, one colour a technology; the values are what shows where the book's stylesheet is absent.
COLOURS = {
    "zfs": "#0072b2",
    "dtrace": "#d55e00",
    "zones": "#009e73",
    "kvm": "#cc79a7",
    "crossbow": "#e69f00",
    "ink": "#1b1b1a",
    "ink-2": "#595956",
    "rule": "#c9c7c0",
    "paper": "#fffffe",
    "accent": "#6a4c93",
}

FONT = "Source Sans 3, Source Sans Pro, Helvetica, Arial, sans-serif"

CONFIG: dict[str, Any] = {
    "background": None,
    "font": FONT,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "domainColor": COLOURS["ink-2"], "tickColor": COLOURS["rule"], "gridColor": COLOURS["rule"],
        "gridOpacity": 0.5, "labelColor": COLOURS["ink-2"], "titleColor": COLOURS["ink-2"],
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelFontWeight": "normal",
    },
    "axisX": {"grid": False},
    "legend": {"labelColor": COLOURS["ink"], "titleColor": COLOURS["ink-2"], "labelFontSize": 12, "titleFontSize": 12},
    "header": {"labelColor": COLOURS["ink"], "titleColor": COLOURS["ink-2"], "labelFontSize": 12},
    "text": {"color": COLOURS["ink"], "fontSize": 12},
    "line": {"strokeWidth": 1.75, "color": COLOURS["ink"]},
    "rule": {"color": COLOURS["ink-2"]},
    "bar": {"color": COLOURS["zfs"]},
    "point": {"filled": True, "color": COLOURS["ink"]},
    "range": {"category": [COLOURS[c] for c in ("zfs", "dtrace", "zones", "kvm", "crossbow", "accent")]},
}  # fmt: skip


class NoRenderer(RuntimeError):
    """There is no Vega on this machine to draw with."""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite `spec` (top level; width and height in pixels) with the sentence that says it and its values."""

    spec: dict[str, Any]
    says: str
    table: Table | None = field(default=None)
    label: str = ""

    def svg(self) -> str:
        """The chart as inline SVG with a text alternative. Raises :class:`NoRenderer` without vl-convert."""
        return dressed(rendered(_frozen(self.spec)), self.label or self.says)

    def frame(self) -> Frame:
        """The chart as one state of an explorer."""
        return Frame(self.svg(), self.says, self.table)

    def _repr_html_(self) -> str:
        try:
            return self.frame().html()
        except NoRenderer as missing:
            table = folded(self.table, "The values of this chart") if self.table else ""
            return f'<figure class="plot"><p>{escape(str(missing))}</p><figcaption>{escape(self.says)}</figcaption></figure>{table}'


def _frozen(spec: dict[str, Any]) -> str:
    import json

    return json.dumps({"$schema": "https://vega.github.io/schema/vega-lite/v5.json", **spec})


@cache
def rendered(spec: str) -> str:
    """Vega's own SVG for a specification given as JSON text."""
    try:
        import vl_convert
    except ImportError:
        raise NoRenderer("This chart needs vl-convert-python to be drawn: pip install 'smartos[host]'") from None
    return vl_convert.vegalite_to_svg(spec, config=CONFIG, show_warnings=False)


def dressed(svg: str, label: str) -> str:
    """Vega's SVG made fit for the book: named, scalable, and in the palette's custom properties."""
    svg = re.sub(r' (?:role|aria-[a-z]+|pointer-events|class)="[^"]*"', "", svg)
    for name, value in COLOURS.items():
        svg = re.sub(f'"{value}"', f'"var(--{name}, {value})"', svg, flags=re.IGNORECASE)
    head = f'<svg role="img" aria-label="{escape(label, quote=True)}"'
    svg = re.sub(r'^<svg( xmlns="[^"]*")?( xmlns:xlink="[^"]*")?( version="[^"]*")?', head, svg, count=1)
    return svg
