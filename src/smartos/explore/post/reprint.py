"""The post as a reprint: every line with its number, its translation, its damage, and the way to where it is explained.

A line is shown as the archived copy has it. What the copy lost stands between the lines as an entry of its own, so that
nothing of ours can be taken for the author's. Records and translations come from :mod:`smartos.post`.

Left out: the look of the blog page, which no copy kept, and the addresses of its links, which none kept either.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from smartos.explore.kit.controls import Flag
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.post.damage import Damage, damage
from smartos.post.lines import JAPANESE, SECTIONS, Line, lines

# Each label of the book that a line leads to: the page that has it, seen from book/the-post.html, and what is there.
PLACES = {
    "post-frame": ("the-post.html", "The frame"),
    "post-subject": ("the-post.html", "The subject line"),
    "post-lead": ("the-post.html", "The lead"),
    "pr-title": ("announcement/press-release.html", "The release’s title"),
    "pr-dirt": ("announcement/press-release.html", "What DIRTy means"),
    "pr-no-illumos": ("announcement/press-release.html", "No illumos in it?"),
    "ft-diagram": ("announcement/four-technologies.html", "The diagram"),
    "ft-sentence": ("announcement/four-technologies.html", "The four technologies"),
    "ft-comprised": ("announcement/four-technologies.html", "The parts"),
    "os-list": ("announcement/oses-booted.html", "The guests"),
    "faq-known": ("faq-and-license/faq.html", "The FAQ"),
    "license-answer": ("faq-and-license/license.html", "The licences"),
    "slides-deck": ("slides/index.html", "The deck"),
    "slide-2": ("slides/wtf-is-smartos.html", "Slide 2"),
    "slide-22": ("slides/os-virtualization.html", "Slide 22"),
    "slide-23": ("slides/network-virtualization.html", "Slide 23"),
    "slide-27": ("slides/dtrace.html", "Slide 27"),
    "slide-27-remark": ("slides/dtrace.html", "The hope for DTrace"),
    "press-smartos-blog": ("press/coverage.html", "The SmartOS blog"),
    "press-kvm-on-illumos": ("press/coverage.html", "KVM on illumos"),
    "press-register": ("press/coverage.html", "The Register"),
    "press-dck": ("press/coverage.html", "Data Center Knowledge"),
    "press-gigaom": ("press/coverage.html", "GigaOM"),
    "press-resources": ("press/coverage.html", "Resources"),
    "press-japanese-site": ("press/coverage.html", "The Japanese site"),
    "press-observation-deck": ("press/coverage.html", "The Observation Deck"),
    "press-kvm-forum": ("press/coverage.html", "KVM Forum 2011"),
    "press-older-posts": ("press/coverage.html", "Older posts"),
}

COMPARED = 43  # the last line up to which a second copy could be laid beside this one (facts P2 and P3)


class UnknownPlace(KeyError):
    """A line leads to a label that the book does not have."""


def address(label: str) -> str:
    """Where a label is, as a link from the page of the post. Raises :class:`UnknownPlace` for a label not in PLACES."""
    if label not in PLACES:
        raise UnknownPlace(f"the label {label!r} has no page; add it to smartos.explore.post.reprint.PLACES")
    page = PLACES[label][0]
    return f"#{label}" if page == "the-post.html" else f"{page}#{label}"


def marked(words: str) -> str:
    """Words as HTML, Japanese ones marked as such: all of a Japanese sentence, else only the Japanese runs."""
    if not JAPANESE.search(words):
        return escape(words)
    foreign = len(JAPANESE.findall(words))
    latin = len(re.findall(r"[A-Za-z]", words))
    if foreign * 3 >= latin:
        return f'<span lang="ja">{escape(words)}</span>'
    runs = re.split(r"([\u3000-\u30ff\u3400-\u9fff]+)", words)
    return "".join(f'<span lang="ja">{escape(run)}</span>' if JAPANESE.match(run) else escape(run) for run in runs)


def item(line: Line, first: bool) -> str:
    """One line of the post; the way to its explanation has a name on the first of a run of lines, then an arrow."""
    where = escape(address(line.where))
    what = escape(PLACES[line.where][1])
    number = f'<a class="number" href="#line-{line.n}" aria-label="Line {line.n}">{line.n}</a>'
    words = f'<span class="original">{marked(line.text)}</span>'
    english = f'<span class="translation">{escape(line.english)}</span>' if line.english else ""
    named = f'<a href="{where}">{what}</a>' if first else ""
    if not first:
        words += f' <a href="{where}" aria-label="Line {line.n}: {what}">→</a>'
    aside = f'<span class="link">{"<br>".join(filter(None, [english, named]))}</span>' if english or named else ""
    start = f'<li class="line" id="line-{line.n}" value="{line.n}">'
    return f'{start}{number}<span class="words">{words}</span>{aside}</li>'


def loss(lost: Damage) -> str:
    """One loss, with the text that another copy gives back, or the statement that none does."""
    if lost.recovered:
        english = f" (“{escape(lost.english)}”)" if lost.english else ""
        back = f'Another copy has <span class="original">{marked(lost.recovered.strip())}</span>{english}.'
    else:
        back = "No copy gives it back."
    return (
        f'<li class="line lost"><span class="number" aria-hidden="true">–</span>'
        f'<span class="words">Lost here: {escape(lost.lost)}. {back}</span><span class="link">{lost.status}</span></li>'
    )


@dataclass(frozen=True)
class Reprint:
    """The lines `first` to `last` of the post, in sections, as HTML."""

    first: int
    last: int

    def sections(self) -> Iterator[tuple[str, list[Line | Damage]]]:
        """The entries by section, in the post's order; a loss after a blank line belongs to the next line."""
        by_line: dict[int, list[Damage]] = {}
        for lost in damage():
            by_line.setdefault(lost.after, []).append(lost)
        section, entries, waiting = "", [], []
        for line in lines()[self.first - 1 : self.last]:
            losses = by_line.get(line.n, [])
            if line.kind == "blank":
                waiting += losses
                continue
            if line.section != section:
                if entries:
                    yield section, entries
                section, entries = line.section, []
            entries += [*waiting, line, *losses]
            waiting = []
        if entries or waiting:
            yield section, entries + waiting

    def _repr_html_(self) -> str:
        blocks = []
        for section, entries in self.sections():
            name = f"reprint-{section}" + ("-end" if section == "frame" and blocks else "")
            blocks.append(
                f'<p class="reprint-section" id="{name}"><strong>{escape(SECTIONS[section])}</strong></p>'
                f'<ol class="reprint" aria-labelledby="{name}">{"".join(items(entries))}</ol>'
            )
        return f'<div class="reprint-frame">{"".join(blocks)}</div>'


def items(entries: list[Line | Damage]) -> Iterator[str]:
    """The entries of one section as list items."""
    before = ""
    for entry in entries:
        if isinstance(entry, Damage):
            yield loss(entry)
            continue
        yield item(entry, entry.where != before)
        before = entry.where


def reprint(first: int = 1, last: int | None = None) -> Reprint:
    """The post, or its lines from `first` to `last`, both counted from 1. Raises ValueError for lines it has not."""
    count = len(lines())
    last = count if last is None else last
    if not 1 <= first <= last <= count:
        raise ValueError(f"there are no lines {first} to {last}; the post has lines 1 to {count}")
    return Reprint(first, last)


class MarkedTable(Table):
    """A table some of whose cells are Japanese, and are marked so."""

    def _row(self, row: Sequence[object]) -> str:
        cells = [marked(self.cell(i, value)) for i, value in enumerate(row)]
        return f'<th scope="row">{cells[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in cells[1:])


def losses() -> Table:
    """The losses in the order of the lines."""
    rows = [(d.after, d.lost, d.recovered.strip() or "nothing", d.status) for d in damage()]
    columns = ["after line", "lost", "another copy has", "status"]
    return MarkedTable(columns, rows, "What the archived copy lost", name="losses")


def copied(number: object, words: str) -> str:
    """One line of a copy, or one that was put back, whose number is a plus."""
    kind = "line lost" if number == "+" else "line"
    return f'<li class="{kind}"><span class="number">{number}</span>{words}</li>'


def around(back: list[Damage]) -> Iterator[Line]:
    """The lines of the compared part that stand next to a loss, blank ones left out."""
    kept = [line for line in lines()[:COMPARED] if line.kind != "blank"]
    for before, line, after in zip([None, *kept], kept, [*kept[1:], None], strict=False):
        first = before.n if before else 0
        last = after.n if after else COMPARED
        if any(first <= lost.after < last for lost in back):
            yield line


def comparison() -> Explorer:
    """The opening as this copy has it, or with what the other copy keeps put back: the lines around each loss."""

    def frame(mended: bool) -> Frame:
        back = [d for d in damage() if d.recovered and d.after <= COMPARED]
        shown = list(around(back))
        rows = []
        for n, line in enumerate(shown):
            rows.append(copied(line.n, f'<span class="original">{marked(line.text)}</span>'))
            until = shown[n + 1].n if n + 1 < len(shown) else COMPARED
            lost = [d for d in back if mended and line.n <= d.after < until]
            rows += [copied("+", f'<ins class="original">{marked(d.recovered)}</ins>') for d in lost]
        says = (
            f"The lines around each loss, with the {len(back)} pieces that the other copy keeps put back, underlined."
            if mended
            else f"The same lines as this copy has them: {len(back)} pieces are missing, and nothing shows it."
        )
        values = [(d.after, d.recovered.strip(), d.english) for d in back]
        table = MarkedTable(["after line", "put back", "in English"], values)
        return Frame(f'<ol class="reprint">{"".join(rows)}</ol>', says, table if mended else None)

    return Explorer(
        "copies", "Two copies of the opening", frame,
        {"mended": Flag("Put back what the other copy keeps")}, default={"mended": True}, keys=[{"mended": False}],
    )  # fmt: skip
