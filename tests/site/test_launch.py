"""The launch menu of every page: its links are right for this checkout, and it opens and closes by keyboard."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import pytest
import yaml

from tests.site.pages import internal, soup, source, toc, written
from tests.site.visit import DESK, PHONE, visit
from tests.unit.extensions import load
from tools.paths import ROOT

PAGES = toc()
notebook = load("launch_notebook")


@pytest.fixture(scope="module")
def known() -> Any:
    """The public repository that this checkout knows, or None."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
    setting, ref = config.get("launch_repository", "auto"), config.get("launch_ref", "main")
    return load("launch_address").repository(setting, ROOT, ref)


def menu(site: Path, page: str) -> dict[str, str]:
    """The links in a page's menu, text to address."""
    return {a.get_text(): a["href"] for a in soup(site, f"{page}.html").select(".launch-menu a")}


@pytest.mark.parametrize("page", PAGES)
def test_every_page_offers_the_ways_that_work_for_it(site: Path, page: str, known: Any) -> None:
    file, found = source(page).relative_to(ROOT).as_posix(), menu(site, page)
    code = notebook.code_cells(source(page)) > 0
    expected = {"Open in JupyterLab": "http://127.0.0.1:8888/lab" + (f"/tree/{quote(file)}" if code else "")}
    if known:
        expected["Open on Binder"] = known.binder(file if code else "")
    if known and code and known.colab(file):
        expected["Open in Colab"] = known.colab(file)
    offered = found.pop("Download as a notebook", None)
    assert found == expected
    assert (offered is not None) == code, "a page with code can be taken home as a notebook"


@pytest.mark.parametrize("page", [page for page in PAGES if written(page) and notebook.code_cells(source(page))])
def test_the_download_is_the_page_as_a_notebook(site: Path, page: str) -> None:
    """It is there, it is valid, it starts with its needs, it holds the page's own cells and no output."""
    path, _ = internal(f"{page}.html", menu(site, page)["Download as a notebook"])
    taken = nbformat.read(site / path, as_version=4)
    nbformat.validate(taken)
    assert notebook.says_its_needs(taken.cells[0].source)
    code = [cell.source for cell in taken.cells if cell.cell_type == "code"]
    own = [
        cell.source for cell in notebook.read(source(page)).cells if cell.cell_type == "code" and cell.source.strip()
    ]
    assert code[-len(own) :] == own and len(code) - len(own) in (0, 1)
    assert not any(cell.get("outputs") for cell in taken.cells)
    words = "\n".join(cell.source for cell in taken.cells if cell.cell_type == "markdown")
    assert [mark for mark in ("{cite}", "{glue", "{doc}", "{term}", "\n:::") if mark in words] == []


@pytest.mark.parametrize("window", [DESK, PHONE], ids=["desk", "phone"])
def test_the_menu_opens_on_a_click_and_closes_with_escape(browser: Any, address: str, window: dict[str, int]) -> None:
    with visit(browser, f"{address}/{PAGES[1]}.html", window) as seen:
        button, links = seen.page.locator(".launch-button"), seen.page.locator(".launch-menu")
        assert not links.is_visible()
        button.click()
        assert links.is_visible()
        box = links.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= window["width"], "the open menu stays within the window"
        seen.page.keyboard.press("Tab")
        assert links.locator("a").first.evaluate("(el) => el === document.activeElement"), "Tab goes into the open menu"
        seen.page.keyboard.press("Escape")
        assert not links.is_visible()
        assert button.evaluate("(el) => el === document.activeElement"), "focus goes back to what opened the menu"


def test_the_menu_closes_when_the_reader_goes_on(browser: Any, address: str) -> None:
    with visit(browser, f"{address}/{PAGES[1]}.html", DESK) as seen:
        seen.page.locator(".launch-button").click()
        seen.page.locator("article h1").first.click()
        assert not seen.page.locator(".launch-menu").is_visible()


def test_the_menu_works_without_script(browser: Any, address: str) -> None:
    with visit(browser, f"{address}/{PAGES[1]}.html", DESK, java_script_enabled=False) as seen:
        seen.page.locator(".launch-button").click()
        assert seen.page.locator(".launch-menu a").first.is_visible()


def test_a_download_reaches_the_reader(browser: Any, address: str, site: Path) -> None:
    page = next(page for page in PAGES if "Download as a notebook" in menu(site, page))
    with visit(browser, f"{address}/{page}.html", DESK) as seen:
        seen.page.locator(".launch-button").click()
        with seen.page.expect_download() as download:
            seen.page.get_by_text("Download as a notebook").click()
        assert download.value.suggested_filename == Path(page).name + ".ipynb"
        nbformat.read(download.value.path(), as_version=4)
