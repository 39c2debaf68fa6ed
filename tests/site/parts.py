"""The parts of the book twice: as the built pages hold them, and as the pages' own code makes them in this process."""

from functools import cache
from pathlib import Path

import jupytext
import nbformat
from bs4 import Tag
from tests.site.pages import soup, source, toc

from smartos import page_run
from smartos.explore.explorer import Explorer, Stepper
from smartos.explore.part import Part, unpacked

# Kept small so that a test's failure can be read: figure, sentence, table.
Frames = list[list[str]]


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
    shown: dict[str, Part] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            error = page_run.run(cell.source, lambda *shown: None)
            assert error is None, f"{page}: {error}"
    shown.update(page_run.parts())
    return shown


def expected(part: Explorer) -> list[dict]:
    """Every state of a lattice as the model yields it now: the controls' texts, and its frames."""
    return [
        {
            "values": [str(value) for value in state.values()],
            "frames": part.ask({"state": {key: str(value) for key, value in state.items()}})["frames"],
        }
        for state in part.states()
    ]


def is_stepper(part: Part) -> bool:
    return isinstance(part, Stepper)
