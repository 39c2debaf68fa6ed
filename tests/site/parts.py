"""The parts of the book twice: as the built pages hold them, and as the pages' own code makes them in this process."""

from functools import cache
from pathlib import Path

import jupytext
import nbformat
from bs4 import Tag

from smartos import page_run
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.part import Part, unpacked
from tests.site.pages import soup, source, toc

# Whether an element holds some HTML, both as the browser parses it.
HOLDS = "(el, html) => Object.assign(document.createElement('div'), { innerHTML: html }).innerHTML === el.innerHTML"


def with_parts(site: Path, kind: str = "[data-part]") -> list[str]:
    """The pages that have a part of a kind, given as a selector."""
    return [page for page in toc() if soup(site, f"{page}.html").select_one(kind)]


def stores(site: Path, kind: str = ".explorer, .stepper") -> list[tuple[str, Tag, dict]]:
    """Every part of a kind in the book: its page, its markup, its stored data."""
    return [
        (page, section, unpacked(section.select_one(".part-store").string))
        for page in with_parts(site, kind)
        for section in soup(site, f"{page}.html").select(kind)
    ]


@cache
def made(page: str) -> dict[str, Part]:
    """The parts that a page's cells show when they run here, one after the other, by name."""
    path = source(page)
    notebook = jupytext.read(path, fmt="md:myst") if path.suffix == ".md" else nbformat.read(path, as_version=4)
    page_run.reset()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            error = page_run.run(cell.source, lambda *shown: None)
            assert error is None, f"{page}: {error}"
    return page_run.parts()


def expected(part: Explorer) -> list[dict]:
    """Every state of a lattice as the model yields it now: the controls' texts, and its frames."""
    return [
        {
            "values": [str(value) for value in state.values()],
            "frames": part.ask({"state": {key: str(value) for key, value in state.items()}})["frames"],
        }
        for state in part.states()
    ]
