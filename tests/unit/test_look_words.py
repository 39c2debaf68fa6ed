"""The words that chapters mark, and the quotation marks that a machine sets."""

import pytest
from docutils import nodes
from docutils.utils import new_document

from tests.unit.extensions import load

words = load("look_words")


@pytest.mark.parametrize(
    ("set_", "right"),
    [
        ("LISA ‘11 and LISA ‘09.", "LISA ’11 and LISA ’09."),
        ("the class of ‘99", "the class of ’99"),
        ("‘Yes’, she said, ‘in ‘11’.", "‘Yes’, she said, ‘in ’11’."),
        ("‘15th’ stays", "‘15th’ stays"),
        ("‘2011 was’ stays", "‘2011 was’ stays"),
    ],
)
def test_a_year_without_its_century_begins_with_an_apostrophe(set_: str, right: str) -> None:
    assert words.with_apostrophes(set_) == right


def quotation(*children: nodes.Node) -> nodes.block_quote:
    """A quotation of one paragraph, after the transform that marks languages."""
    document = new_document("page")
    quote = nodes.block_quote("", nodes.paragraph("", "", *children))
    document += quote
    words.mark_japanese(document)
    return quote


def test_a_quotation_that_is_all_japanese_says_so() -> None:
    """The style sheet hangs no Latin quotation mark before it."""
    assert "bare" in quotation(words.ja("", nodes.Text("あれ?")))["classes"]


def test_a_quotation_with_words_before_the_japanese_keeps_its_mark() -> None:
    assert quotation(nodes.Text("September 9, "), words.ja("", nodes.Text("個人")))["classes"] == []
    assert quotation(nodes.Text("English."))["classes"] == []
