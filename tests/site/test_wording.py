"""The words that a reader sees, cells' numbers included: a year is no quantity, and one thing is not many."""

import re
from copy import copy
from pathlib import Path

import pytest

from tests.site.pages import article, toc

MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
SEPARATED = re.compile(rf"\b(?:{MONTH}) [12],\d{{3}}\b|\b(?:in|since|until|year) (?:1,9|2,0)\d\d(?=[.;:)])")
MANY = re.compile(
    r"(?<![\d.,:/-])\b1 (?:exits|lines|files|commits|blocks|pages|times|places|texts|columns|errors|records|messages|writes"
    r"|reads|steps|words|instructions|rows|bytes|groups|passes|systems|probes|misses|hits|clones|disks|events)\b"
)


def said(site: Path, page: str) -> str:
    """A page's words and its cells' output, without the cells' code."""
    body = copy(article(site, page))
    for code in body.select(".cell_input, script, style"):
        code.extract()
    return body.get_text(" ")


@pytest.mark.parametrize("page", toc())
def test_a_year_is_no_quantity_and_one_is_not_many(site: Path, page: str) -> None:
    text = re.sub(r"\s+", " ", said(site, page))
    found = [text[max(0, m.start() - 40) : m.end() + 20] for rule in (SEPARATED, MANY) for m in rule.finditer(text)]
    assert found == []


@pytest.mark.parametrize("text", ["is of January 2,022; the", "no commit in 2,016.", "halted after 1 exits (", "1 lines"])
def test_the_rule_finds_both(text: str) -> None:
    assert SEPARATED.search(text) or MANY.search(text)


@pytest.mark.parametrize("text", ["in 2,048 bytes", "May 15, 2011", "a line in 1,024 rows", "11 exits", "version 2.1 lines"])
def test_the_rule_leaves_quantities_alone(text: str) -> None:
    assert not (SEPARATED.search(text) or MANY.search(text))
