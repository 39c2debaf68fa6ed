"""The zip of the book, unpacked and opened from disk: explorers and search work, and nothing asks for a network."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site.pages import toc
from tests.site.parts import made, stores
from tests.site.visit import DESK, visit
from tools.zip import NAME, zip_book


@pytest.fixture(scope="module")
def unpacked(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the unpacked book on this machine's disk."""
    folder = tmp_path_factory.mktemp("zip")
    assert zip_book(site, folder / "book.zip") > len(toc())
    with zipfile.ZipFile(folder / "book.zip") as book:
        book.extractall(folder)
    yield (folder / NAME).as_uri()


def test_the_same_pages_make_the_same_file(site: Path, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        zip_book(site, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize("page", ["index", *toc()])
def test_every_page_opens_from_disk_without_an_error(browser: Any, unpacked: str, page: str) -> None:
    with visit(browser, f"{unpacked}/{page}.html", DESK) as seen:
        seen.page.wait_for_load_state("networkidle")
        assert seen.page.locator("h1").first.is_visible()
        assert seen.errors + seen.foreign == []


def test_explorers_work_from_disk(browser: Any, unpacked: str, site: Path) -> None:
    page, _, store = next(found for found in stores(site) if found[2]["controls"])
    part = made(page)[store["name"]]
    query = "&".join(f"{key}={control.values[-1]}" for key, control in part.controls.items())
    last = {key: control.values[-1] for key, control in part.controls.items()}
    with visit(browser, f"{unpacked}/{page}.html#{store['name']}?{query}", DESK) as seen:
        words = seen.page.locator(f"#{store['name']} .explorer-says")
        wanted = part.frames(**last)[part.start() if part.kind == "stepper" else 0].says
        seen.page.wait_for_function("([el, says]) => el.textContent === says", arg=[words.element_handle(), wanted])


def test_search_works_from_disk(browser: Any, unpacked: str) -> None:
    with visit(browser, f"{unpacked}/search.html?q=crossbow", DESK) as seen:
        found = seen.page.locator("#search-results li a")
        found.first.wait_for()
        assert found.count() > 2
        found.first.click()
        assert "crossbow" in seen.page.locator("article").inner_text().lower()
