"""A few SVG elements as strings: enough to draw a model, nothing to learn.

Coordinates are in user units of the figure's own box; colours are palette names (`zfs`, `ink-2`, …) that become CSS
custom properties with the palette's value as fallback.
"""

from html import escape

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


def paint(name: str) -> str:
    """A palette name as a CSS value; anything else (`none`, `currentColor`) stays as it is."""
    return f"var(--{name}, {COLOURS[name]})" if name in COLOURS else name


def element(tag: str, content: str = "", **attributes: object) -> str:
    """One element; `stroke_width` becomes `stroke-width`, `class_` becomes `class`, None is left out."""
    parts = []
    for key, value in attributes.items():
        if value is None:
            continue
        name = key.rstrip("_").replace("_", "-")
        text = paint(str(value)) if name in ("fill", "stroke") else str(value)
        parts.append(f' {name}="{escape(text, quote=True)}"')
    return f"<{tag}{''.join(parts)}>{content}</{tag}>" if content else f"<{tag}{''.join(parts)}/>"


def drawing(width: float, height: float, label: str, *content: str) -> str:
    """A figure of its own box, with the sentence that a screen reader says for it."""
    box = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return f'<svg role="img" aria-label="{escape(label, quote=True)}" {box}>{"".join(content)}</svg>'


def rect(x: float, y: float, width: float, height: float, fill: str = "none", stroke: str = "ink", **more: object) -> str:
    return element("rect", x=f"{x:g}", y=f"{y:g}", width=f"{width:g}", height=f"{height:g}", fill=fill, stroke=stroke, **more)


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = "ink-2", **more: object) -> str:
    return element("line", x1=f"{x1:g}", y1=f"{y1:g}", x2=f"{x2:g}", y2=f"{y2:g}", stroke=stroke, **more)


def text(x: float, y: float, words: str, fill: str = "ink", anchor: str = "start", size: float = 13, **more: object) -> str:
    return element(
        "text", escape(words), x=f"{x:g}", y=f"{y:g}", fill=fill, text_anchor=anchor, font_size=f"{size:g}", **more
    )


def group(*content: str, **attributes: object) -> str:
    return element("g", "".join(content), **attributes)
