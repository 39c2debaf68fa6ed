"""The annotated reprint: every line of the post beside its translation, its losses, and the place that explains it.

Left out: line breaks inside a translation. A Japanese sentence that runs over two lines is translated line by line, so
its halves follow the Japanese order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from smartos.post import Damage, Line, damage, lines

KINDS = {
    "masthead": "masthead",
    "subject": "subject line",
    "date": "date",
    "remark": "the author’s remark",
    "title": "title",
    "quotation": "quotation",
    "heading": "heading",
    "list": "list",
    "credit": "source",
    "footer": "footer",
}

# The page of each label, as the reprint's own page links to it.
PAGES = {
    "post-": "",
    "pr-": "announcement/press-release.html",
    "ft-": "announcement/four-technologies.html",
    "os-list": "announcement/oses-booted.html",
    "faq-": "faq-and-license/faq.html",
    "license-": "faq-and-license/license.html",
    "slides-deck": "slides/index.html",
    "slide-2": "slides/wtf-is-smartos.html",
    "slide-22": "slides/os-virtualization.html",
    "slide-23": "slides/network-virtualization.html",
    "slide-27": "slides/dtrace.html",
    "press-": "press/coverage.html",
}

TITLES = {
    "": "below, on this page",
    "announcement/press-release.html": "The press release",
    "announcement/four-technologies.html": "Four technologies",
    "announcement/oses-booted.html": "OSes booted",
    "faq-and-license/faq.html": "The FAQ",
    "faq-and-license/license.html": "The licence",
    "slides/index.html": "The deck",
    "slides/wtf-is-smartos.html": "Slide 2",
    "slides/os-virtualization.html": "Slide 22",
    "slides/network-virtualization.html": "Slide 23",
    "slides/dtrace.html": "Slide 27",
    "press/coverage.html": "Press coverage",
}


def page(label: str, pages: Mapping[str, str] = PAGES) -> str:
    """The page that a label stands on. Raises ValueError for a label that no page is known for."""
    fitting = [prefix for prefix in pages if label.startswith(prefix)]
    if not fitting:
        raise ValueError(f"no page is known for the label {label!r}; add its prefix to PAGES")
    return pages[max(fitting, key=len)]


@dataclass(frozen=True)
class Reprint:
    """The post from line `first` to line `last`, counted from 1."""

    first: int = 1
    last: int = len(lines())

    def blocks(self) -> list[list[Line]]:
        """The lines that share a section, a kind and a place, in order; blank lines end a block."""
        found: list[list[Line]] = []
        previous = None
        for line in lines()[self.first - 1 : self.last]:
            key = (line.section, line.kind, line.where)
            if line.text.strip():
                if key == previous:
                    found[-1].append(line)
                else:
                    found.append([line])
            previous = key if line.text.strip() else None
        return found

    def html(self) -> str:
        """An ordered list, one item a block, with the line numbers of the archived copy."""
        losses = [loss for loss in damage() if self.first - 1 <= loss.after < self.last or not loss.after]
        items, told = [], set()
        for block in self.blocks():
            before = [x for x in losses if x.after < block[0].n and x not in told]
            told.update(before)
            items += [_loss(loss) for loss in before]
            items.append(_block(block))
        items += [_loss(loss) for loss in losses if loss not in told]
        return f'<ol class="reprint">{"".join(items)}</ol>'

    def _repr_html_(self) -> str:
        return self.html()


def _block(block: list[Line]) -> str:
    first, last = block[0].n, block[-1].n
    numbers = f"{first}" if first == last else f"{first}–{last}"
    original = "".join(
        f'<span class="reprint-line" id="line-{line.n}"{" lang=ja" if line.lang in ("ja", "mixed") else ""}>'
        f"{escape(line.text.rstrip()) or ' '}</span>"
        for line in block
    ).replace("lang=ja", 'lang="ja"')
    english = " ".join(line.english for line in block if line.english)
    translation = f'<p class="reprint-english">{escape(english)}</p>' if english else ""
    where = block[0].where
    link = f'<a href="{page(where)}#{where}">{escape(TITLES[page(where)])}</a>'
    return (
        f'<li class="reprint-block reprint-{block[0].kind}"><span class="reprint-n">{numbers}</span>'
        f'<div class="reprint-text"><div class="reprint-original">{original}</div>{translation}</div>'
        f'<p class="reprint-where"><span class="reprint-kind">{KINDS[block[0].kind]}</span> {link}</p></li>'
    )


def _loss(loss: Damage) -> str:
    if loss.recovered:
        japanese = ' lang="ja"' if loss.english else ""
        meaning = f" ({escape(loss.english)})" if loss.english else ""
        words = f"Lost here: {escape(loss.lost)}. Another copy has <span{japanese}>{escape(loss.recovered)}</span>{meaning}."
    else:
        words = f"Lost here: {escape(loss.lost)}. No copy gives it back."
    return f'<li class="reprint-loss reprint-{loss.status}"><p>{words}</p></li>'
