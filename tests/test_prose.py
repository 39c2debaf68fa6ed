"""The prose of the chapters: every number has its proof, every page says for whom it is, and nobody shouts."""

import re

import pytest

from tests.site.pages import toc, written
from tests.site.prose import Block, blocks, prose, stripped, unproved
from tools.paths import ROOT

PAGES = [page for page in toc() if written(page)]
LISTS = {"book/reference/bibliography", "book/reference/cite", "book/reference/licences", "book/reference/colophon"}
CHAPTERS = [page for page in PAGES if not page.startswith("book/reference/") and page != "book/index"]


def text_of(page: str) -> str:
    return prose(written(page)[0])


@pytest.mark.parametrize("page", [page for page in PAGES if page not in LISTS])
def test_every_number_comes_from_a_cell_or_a_source(page: str) -> None:
    found = [
        f"{page}:{b.line}: {', '.join(bad)} in: {b.text[:90]}" for b in blocks(text_of(page)) if (bad := unproved(b))
    ]
    assert not found, "\n".join(["glue it, cite it, or mark an assumption as [512]{.given}:", *found])


@pytest.mark.parametrize("page", PAGES)
def test_nobody_shouts(page: str) -> None:
    loud = [
        f"{page}:{b.line}: {b.text[:90]}"
        for b in blocks(text_of(page))
        if re.search(r"\w!(?=[\s)]|$)", stripped(b.text))
    ]
    assert not loud, "\n".join(loud)


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_begins_with_for_whom_what_it_needs_and_how_long(page: str) -> None:
    first = next(blocks(text_of(page)))
    assert any("page-facts" in name for name in first.inside), f"{page} does not begin with a page-facts block"
    for word, says in ((r"\bfor\b", "for whom"), (r"\bneeds?\b", "what it needs"), (r"minutes?|hours?", "how long")):
        assert re.search(word, first.text, re.IGNORECASE), f"{page}: the page-facts do not say {says}"


@pytest.mark.parametrize("page", PAGES)
def test_the_prose_says_nothing_of_where_it_was_written(page: str) -> None:
    source = written(page)[0].read_text("utf-8")
    assert re.findall(r"/tmp/\w+/|/root/|(?<!\w)/home/\w+|localhost:\d+", source) == []


@pytest.mark.parametrize(
    "text",
    [
        "The port changed 9,412 lines.",
        "It took 34 % of the time.",
        "A guest took 12 ms.",
        "About 400 of them remained.",
        "The ratio is 1.7 in this run.",
        "The post has 34 slides.",
        "There were 128 in 2011.",
        "- it fell to 512",
        "| name | 4096 |",
        ":::{admonition} Note\nIt has 250 of them.\n:::",
        "In 2011, 16 files held it.",
    ],
)
def test_the_rule_finds_a_number_without_proof(text: str) -> None:
    assert [bad for block in blocks(text) for bad in unproved(block)]


@pytest.mark.parametrize(
    "text",
    [
        "The port changed {glue:text}`lines` lines.",
        "It took 34 % of the time {cite}`cantrill2011`.",
        "In 2011 it was new.",
        "On 15 August 2011 at 22:35 it came.",
        "It boots FreeBSD 8.1 and Linux 2.6.34.",
        "Slide 22 says so, and page 127 too.",
        "See lines 79 and 117.",
        "The list calls it 03344.",
        "> It has 9,412 lines.",
        "He wrote: “It has 9,412 lines.”",
        "Give it [512]{.given} bytes.",
        "A 64-bit guest on x86.",
        "```python\nx = 4096\n```",
        "Write `4096` there.",
        "See [the log](https://example.org/4096).",
        "## 4096 lines",
        "Two guests and 5 more.",
        "With $2^{4096}$ states.",
        ":::{div} page-facts\nFor you. It takes 10 minutes.\n:::",
    ],
)
def test_the_rule_leaves_names_quotations_and_proved_numbers_alone(text: str) -> None:
    assert [bad for block in blocks(text) for bad in unproved(block)] == []


def test_blocks_know_their_line_and_what_is_around_them() -> None:
    text = "---\na: 1\n---\n\n# Title\n\n:::{div} page-facts\nFor you,\nand me.\n:::\n\nThen this.\n"
    assert list(blocks(text)) == [Block(8, "For you, and me.", ("div page-facts",)), Block(12, "Then this.")]


def test_the_documents_beside_the_book_are_quiet_too() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text("utf-8")
        assert not re.search(r"\w!(\s|$)", text), name
