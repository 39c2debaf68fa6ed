"""Who says what: the term matrix over the texts held, and the articles as a table."""

from smartos.explore.controls import Choice
from smartos.explore.explorer import Explorer
from smartos.explore.frame import Frame, Table
from smartos.explore.svg import drawing, group, rect, text
from smartos.post import TERMS, press, term_matrix

LEFT, TOP, CELL, ROW = 158, 92, 30, 30
TECHS = {"KVM": "kvm", "Zones": "zones", "ZFS": "zfs", "DTrace": "dtrace", "Crossbow": "crossbow"}
MEASURES = [("count", "occurrences"), ("rate", "occurrences in 100 words"), ("said", "said at all")]


def values(measure: str) -> list[tuple[str, list[float]]]:
    """The matrix under one measure: a row for each text, a value for each of TERMS."""
    per = {
        "count": lambda count, words: count,
        "rate": lambda count, words: round(100 * count / words, 1),
        "said": lambda count, words: int(count > 0),
    }[measure]
    return [(name, [per(count, words) for count in counts.values()]) for name, counts, words in term_matrix()]


def frame(measure: str) -> Frame:
    """The matrix as squares whose area grows with the value, the value written beside each."""
    rows = values(measure)
    most = max(value for _, row in rows for value in row)
    marks = []
    for j, term in enumerate(TERMS):
        x = LEFT + j * CELL + CELL / 2
        colour = TECHS.get(term, "ink")
        marks.append(text(x + 4, TOP - 10, term, size=14, fill="ink", transform=f"rotate(-50 {x + 4:g} {TOP - 10:g})"))
        for i, (_, row) in enumerate(rows):
            marks.append(_mark(x, TOP + i * ROW + ROW / 2, row[j], most, colour))
    for i, (name, _) in enumerate(rows):
        marks.append(text(LEFT - 8, TOP + i * ROW + 20, name, anchor="end", size=14))
    width = LEFT + len(TERMS) * CELL + 40
    says = sentence(measure, rows)
    return Frame(
        drawing(width, TOP + len(rows) * ROW + 6, says, group(*marks)),
        says,
        Table(["Text", *TERMS], [(name, *row) for name, row in rows], caption=f"Term matrix: {dict(MEASURES)[measure]}."),
    )


def _mark(x: float, y: float, value: float, most: float, colour: str) -> str:
    if not value:
        return text(x, y + 4, "·", anchor="middle", fill="ink-2", size=14)
    side = 6 + (CELL - 10) * (value / most) ** 0.5
    box = rect(x - side / 2, y - side / 2, side, side, fill=colour, stroke=colour, fill_opacity="0.22")
    return box + text(x, y + 5, f"{value:g}", anchor="middle", size=13)


def sentence(measure: str, rows: list[tuple[str, list[float]]]) -> str:
    """Which term most texts use, and which the fewest."""
    spread = {term: sum(bool(row[j]) for _, row in rows) for j, term in enumerate(TERMS)}
    widest = max(spread, key=spread.__getitem__)
    silent = [term for term, count in spread.items() if count == min(spread.values())]
    unit = dict(MEASURES)[measure]
    return (
        f"{widest} stands in {spread[widest]} of {len(rows)} excerpts; {' and '.join(silent)} in "
        f"{spread[silent[0]]}. Each square is a term in a text, its number the {unit}."
    )


def explorer() -> Explorer:
    """The term matrix, under three measures."""
    return Explorer("terms", "Who says what, in the excerpts we hold", frame, {"measure": Choice("Show", MEASURES)})


def articles() -> Table:
    """Who wrote, when, and how much of it we hold."""
    rows = [(a.date, a.outlet, a.author or "not seen", a.title, "yes" if a.line else "no", a.held) for a in press()]
    columns = ["Date", "Outlet", "Author", "Title", "In the post", "What we hold"]
    return Table(columns, rows, caption="What was written about the announcement.", sortable=True, name="articles")
