"""Addresses that last: how the list of redirects is read, and what becomes of an old anchor."""

import pytest

from tests.unit.extensions import load

redirects = load("book_redirects")


def test_lines_are_old_and_new_and_the_rest_is_words() -> None:
    text = "# why\n\nbook/a.html -> book/b.html\nbook/b.html#x -> book/c.html#y # it moved\n"
    assert redirects.read_redirects(text) == {"book/a.html": "book/b.html", "book/b.html#x": "book/c.html#y"}


@pytest.mark.parametrize("line", ["book/a.html", "book/a.html ->", "-> book/a.html", "book/a -> book/b", "a => b.html"])
def test_a_line_of_another_form_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="redirects.txt, line 2"):
        redirects.read_redirects(f"# first\n{line}\n")


@pytest.mark.parametrize(
    ("target", "page", "link"),
    [
        ("book/b.html", "book/a.html", "b.html"),
        ("book/x/b.html#p", "book/a.html", "x/b.html#p"),
        ("notebooks/kvm.html", "book/slides/a.html", "../../notebooks/kvm.html"),
        ("b.html", "a.html", "b.html"),
    ],
)
def test_links_are_relative_to_the_page_they_stand_in(target: str, page: str, link: str) -> None:
    assert redirects.relative(target, page) == link


def test_a_renamed_anchor_stands_before_its_new_name() -> None:
    body = redirects.with_anchor('<h2 id="new">N</h2>', "old", "book/a.html#new", "book/a.html")
    assert body == '<span id="old"></span><h2 id="new">N</h2>'


def test_an_anchor_that_left_the_page_leaves_a_line_behind() -> None:
    body = redirects.with_anchor("<p>P</p>", "old", "book/b.html#new", "book/a.html")
    assert body.startswith("<p>P</p>") and 'id="old"' in body and '<a href="b.html#new">' in body
