"""Python in the page: every cell of the book is run where it stands, and shows what the book recorded of it.

The policy of the pages is at work in all of this, and nothing is asked of another host; `visit` records both.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.site.pages import soup, toc
from tests.site.running import SLOW, Cell, python_files, stored
from tests.site.visit import DESK, visit

RUN_FILES = "/_static/run/"
MACHINE = re.compile(r"/dev/kvm|\bKVM (runs|is)|unicorn|record", re.IGNORECASE)

LISTEN = """() => {
  window.said = [];
  const live = document.querySelector("article > [role=status]");
  new MutationObserver(() => window.said.push(live.textContent)).observe(live, { childList: true });
}"""

count = {"cells": 0}


def runnable(site: Path, page: str) -> list[int]:
    """The cells of a page that have a Run button."""
    places = soup(site, f"{page}.html").select("[data-cell]:has(> .cell-tools:empty)")
    return [int(place["data-cell"]) for place in places]


def varies(site: Path, page: str, number: int) -> bool:
    return bool(soup(site, f"{page}.html").select(f".tag_varies[data-cell='{number}']"))


def masked(outputs: list[dict]) -> list[dict]:
    """Outputs without what belongs to the machine that ran them."""
    return [
        {
            "kind": output["kind"],
            "lines": [re.sub(r"\d[\d,.]*", "#", line) for line in output["lines"] if not MACHINE.search(line)],
        }
        for output in outputs
    ]


@pytest.mark.parametrize("page", toc())
def test_every_cell_that_can_run_gives_what_the_book_recorded(
    browser: Any, address: str, site: Path, page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Page by page, in order, from the page as it was built; axe finds nothing afterwards."""
    numbers = runnable(site, page)
    if not stored(site, page):
        assert numbers == []
        return
    with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
        seen.page.wait_for_load_state("networkidle")
        assert seen.page.locator(".cell-run").count() == len(numbers)
        assert not any(RUN_FILES in name for name in python_files(seen)), "something of Python came before Run"
        seen.page.evaluate(LISTEN)
        for number in numbers:
            cell = Cell(seen.page, number)
            before = cell.shown()
            cell.run_button.click()
            cell.box.locator(".cell-tools:is([data-state=ran], [data-state=failed])").wait_for(timeout=SLOW)
            assert not cell.error.count(), f"{page}, cell {number}: {cell.error.inner_text()}"
            if varies(site, page, number):
                assert masked(cell.shown()) == masked(before), f"{page}, cell {number}"
            else:
                assert cell.shown() == before, f"{page}, cell {number}"
        said = seen.page.evaluate("() => window.said")
        assert [words for words in said if "failed" in words] == [], "a cell out of sight"
        assert seen.axe() + seen.errors + seen.foreign == []
    count["cells"] += len(numbers)
    with capsys.disabled():
        print(f" {page}: {len(numbers)} cells run, {count['cells']} in all", end="")


def test_a_page_without_cells_has_nothing_of_it(site: Path) -> None:
    for page in toc():
        has = bool(soup(site, f"{page}.html").select(".cell"))
        assert bool(stored(site, page)) >= has, page


def test_a_cell_that_cannot_run_says_why_and_where_it_does(site: Path) -> None:
    found = [box for page in toc() for box in soup(site, f"{page}.html").select(".tag_needs-host[data-cell]")]
    assert found
    for box in found:
        words = box.select_one(".cell-needs").get_text()
        assert len(words.split()) > 6 and "make lab" in words
