"""Horizontal bars with their labels and values written out: the plainest chart, for figures an explorer redraws."""

from collections.abc import Sequence

from smartos.explore.svg import drawing, line, rect, text

WIDTH, LABEL, ROW = 440, 150, 30


def bars(
    rows: Sequence[tuple[str, float, str]], alt: str, colour: str = "kvm", title: str = "", most: float | None = None
) -> str:
    """Bars for rows of (label, value, value as written); `most` is the value of a full bar, else the greatest."""
    full = most or max((value for _, value, _ in rows), default=0) or 1
    top = 34 if title else 8
    room = WIDTH - LABEL - 84
    parts = [text(0, 18, title, size=14, fill="ink-2")] if title else []
    for i, (label, value, written) in enumerate(rows):
        y = top + i * ROW
        length = room * min(value / full, 1)
        parts += [
            text(LABEL - 8, y + 19, label, anchor="end", size=14),
            rect(LABEL, y + 5, length, ROW - 10, fill=colour, stroke=colour, fill_opacity="0.55"),
            text(LABEL + length + 7, y + 19, written, size=14),
        ]
    bottom = top + len(rows) * ROW
    return drawing(WIDTH, bottom + 6, alt, *parts, line(LABEL, top, LABEL, bottom))
