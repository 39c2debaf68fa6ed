"""The launch menu of a page: its ways in when a public repository is known, and when none is."""

import pytest
from bs4 import BeautifulSoup

from tests.unit.extensions import load

launch = load("book_launch")
KNOWN = load("launch_address").public("https://github.com/owner/name")


def links(file: str, cells: int, known: object) -> dict[str, str]:
    """The menu's links, text to address."""
    menu = BeautifulSoup(launch.menu(file, cells, "../_notebooks/page.ipynb", known), "html.parser")
    button = menu.select_one("button[popovertarget]")
    assert menu.find(id=button["popovertarget"]).has_attr("popover"), "a native popover, that needs no script"
    return {a.get_text(): a["href"] for a in menu.select("a")}


def test_a_lab_has_all_four_ways() -> None:
    found = links("notebooks/kvm.ipynb", 3, KNOWN)
    assert list(found) == ["Open on Binder", "Open in Colab", "Open in JupyterLab", "Download as a notebook"]
    assert found["Open in JupyterLab"] == "http://127.0.0.1:8888/lab/tree/notebooks/kvm.ipynb"
    assert found["Download as a notebook"] == "../_notebooks/page.ipynb"


def test_a_text_page_has_no_colab_link_that_would_fail() -> None:
    assert list(links("book/slides/dtrace.md", 3, KNOWN)) == [
        "Open on Binder", "Open in JupyterLab", "Download as a notebook"
    ]  # fmt: skip


@pytest.mark.parametrize("file", ["notebooks/kvm.ipynb", "book/slides/dtrace.md"])
def test_where_no_repository_is_known_the_menu_shows_the_local_way(file: str) -> None:
    found = links(file, 3, None)
    assert list(found) == ["Open in JupyterLab", "Download as a notebook"]
    assert "make lab" in launch.menu(file, 3, "page.ipynb", None)


def test_a_page_without_code_says_so_and_offers_the_book() -> None:
    menu = launch.menu("book/reference/links.md", 0, "none.ipynb", KNOWN)
    assert "This page has no code" in menu and "Run this book" in menu
    assert list(links("book/reference/links.md", 0, KNOWN)) == ["Open on Binder", "Open in JupyterLab"]
    assert "none.ipynb" not in menu
