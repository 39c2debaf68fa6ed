"""What was written about the announcement, as tables, a matrix of terms, and words in their context.

Everything counted here is counted over the whole of the texts that are held. Nearly all are excerpts, most of them
chosen by the author of the post; a term that an excerpt does not have may well stand in the rest of its article.

Left out: the articles themselves, and the pieces of them that were seen and are not quoted here.
"""

import re
from html import escape

from smartos.explore.kit import svg
from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.post.links import links
from smartos.post.press import TERMS, press, term_matrix, texts

# A technology has its own colour; what is not one of the five has the accent.
COLOURS = {"KVM": "kvm", "Zones": "zones", "ZFS": "zfs", "DTrace": "dtrace", "Crossbow": "crossbow"}

LEFT, TOP, CELL, HIGH, SIZE = 148, 86, 29, 27, 14
ALL = "all terms"


def articles() -> Table:
    """Who wrote, when, under which title, how much of it was read, and how much of that is counted."""
    rows = []
    for a in press():
        day, where = a.date.replace("-", "\N{NON-BREAKING HYPHEN}"), f"line {a.line}" if a.line else "not in the post"
        rows.append((a.outlet, day, a.author or "not seen", a.title, where, a.held))
    columns = ["outlet", "date", "author", "title", "in the post", "how much of it"]
    return Table(columns, rows, "Who wrote about the announcement", sortable=True, name="articles")


def concordance(word: str, around: int = 32) -> Table:
    """Each place where a word begins in the texts held, with about `around` characters on either side."""
    rows = []
    for held in texts():
        flat = re.sub(r"\s+", " ", held.text)
        for hit in re.finditer(rf"\b{re.escape(word)}\w*", flat, re.IGNORECASE):
            before, after = flat[: hit.start()].strip(), flat[hit.end() :].strip()
            rows.append((held.name, tail(before, around), hit.group(), head(after, around)))
    return Table(["text", "before", "word", "after"], rows, f"“{word}” in the texts held")


def head(words: str, most: int) -> str:
    """The first words, up to `most` characters, with a mark where they are cut."""
    return words if len(words) <= most else words[:most].rpartition(" ")[0] + " …"


def tail(words: str, most: int) -> str:
    """The last words, up to `most` characters, with a mark where they are cut."""
    return words if len(words) <= most else "… " + words[-most:].partition(" ")[2]


def matrix() -> Table:
    """How often each text held names each term, and how many words it has."""
    rows = [(name, *counts.values(), words) for name, counts, words in term_matrix()]
    return Table(["text", *TERMS, "words"], rows, "Terms in the texts held, nearly all of them excerpts")


def sentence(term: str, per: bool) -> str:
    """What the matrix says of one term, or of all."""
    rows = term_matrix()
    if term == ALL:
        named = {t: sum(1 for _, counts, _ in rows if counts[t]) for t in TERMS}
        most = max(named, key=lambda t: named[t])
        return f"{most} is named in {named[most]} of the {len(rows)} texts held, nearly all excerpts, more than any other term."
    found = {name: counts[term] for name, counts, _ in rows if counts[term]}
    if not found:
        return f"None of the {len(rows)} texts held names {term}; nearly all of them are excerpts."
    words = sum(words for _, _, words in rows)
    rate = f", {100 * sum(found.values()) / words:.1f} per 100 words over all of them" if per else ""
    times = "once" if sum(found.values()) == 1 else f"{sum(found.values())} times"
    return f"{term} is named {times} in {len(found)} of the {len(rows)} texts held, nearly all excerpts{rate}: {', '.join(found)}."


def label(value: float, per: bool) -> str:
    """A cell's number; nothing for none, so that the eye finds what is there."""
    if not value:
        return ""
    return f"{value:.1f}" if per else f"{value:.0f}"


def head_of(x: int, name: str, chosen: bool, dim: str | None) -> str:
    """A term over its column, slanted."""
    at, foot = LEFT + CELL * (x + 0.5) + 5, TOP - 8
    weight, turn = "bold" if chosen else None, f"rotate(-75 {at:g} {foot})"
    return svg.text(at, foot, name, size=SIZE, transform=turn, font_weight=weight, opacity=dim)


def cell(x: int, y: int, shade: float, words: str, fill: str, dim: str | None) -> str:
    """One number in its square; `shade` is its share of the largest one."""
    left, top = LEFT + CELL * x, TOP + HIGH * y
    if not shade:
        return svg.rect(left + 1, top + 1, CELL - 2, HIGH - 2, "none", "rule", opacity=dim)
    strength = f"{0.14 + 0.4 * shade:.2f}"
    square = svg.rect(left + 1, top + 1, CELL - 2, HIGH - 2, fill, "rule", fill_opacity=strength, opacity=dim)
    return square + svg.text(left + CELL / 2, top + 18, words, anchor="middle", size=SIZE, opacity=dim)


def drawn(term: str, per: bool) -> str:
    """The matrix as a figure, one row a text; a term that is chosen keeps its colour and the others fade."""
    rows = term_matrix()
    values = [[100 * c / words if per else c for c in counts.values()] for _, counts, words in rows]
    most = max(max(row) for row in values)
    parts = [svg.text(LEFT - 6, TOP + HIGH * y + 18, row[0], anchor="end", size=SIZE) for y, row in enumerate(rows)]
    for x, name in enumerate(TERMS):
        dim = None if term in (ALL, name) else "0.45"
        fill = COLOURS.get(name, "accent")
        parts.append(head_of(x, name, term == name, dim))
        parts += [cell(x, y, row[x] / most, label(row[x], per), fill, dim) for y, row in enumerate(values)]
    return svg.drawing(LEFT + CELL * len(TERMS) + 14, TOP + HIGH * len(rows) + 6, sentence(term, per), *parts)


def terms() -> Explorer:
    """The matrix of terms, a term picked out, as counts or per hundred words."""

    def frame(term: str, measure: str) -> Frame:
        per = measure == "rate"
        return Frame(drawn(term, per), sentence(term, per), matrix())

    return Explorer(
        "terms", "Who says what, in the texts held", frame,
        {"term": Choice("Term", [ALL, *TERMS]),
         "measure": Choice("Show", [("count", "how often"), ("rate", "how often per 100 words")])},
        keys=[{"term": "illumos"}],
    )  # fmt: skip


class LinkTable:
    """The links that the post made, with the address where each item is known to have lived; leads out of the book."""

    COLUMNS = ("what the post names", "line", "likely address", "how it is known")

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{h}</th>' for h in self.COLUMNS)
        body = "".join(
            f'<tr><th scope="row">{escape(link.what)}</th>'
            f'<td class="number">{self._line(link.line)}</td>'
            f"<td>{self._address(link.target)}</td><td>{escape(link.seen)}</td></tr>"
            for link in links()
        )
        return (
            '<div class="table-frame" role="region" aria-label="The links of the post" tabindex="0">'
            '<table class="smartos-table" id="links"><caption>Where each item of the post is likely to have lived'
            f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    @staticmethod
    def _line(n: int) -> str:
        return f'<a href="../the-post.html#line-{n}" aria-label="line {n}">{n}</a>'

    @staticmethod
    def _address(target: str) -> str:
        if not target:
            return "unknown"
        site = re.sub(r"^https?://(www\.)?", "", target).partition("/")[0]
        return f'<a href="{escape(target)}">{escape(site)}</a>'
