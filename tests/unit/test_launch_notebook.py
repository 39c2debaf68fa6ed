"""A page as a notebook of its own: what it says first, what it leaves behind, and that its cells are the page's."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.unit.extensions import load

notebook = load("launch_notebook")

PAGE = """\
---
kernelspec: {name: python3, display_name: Python 3, language: python}
description: A page for the test.
---

# A pool

(pool-anchor)=
{.page-facts}
For you. It needs nothing.

% a note to the author
The pool has {glue:text}`disks` disks {cite}`Bonwick2003`, see {doc}`the next page </book/next>`.
See [there](#pool-anchor). A word in [日本語]{lang=ja} and one in [small]{.given}, with {math}`2^n` states.

:::{admonition} Predict
:class: tip
How many survive?
:::

```{math}
x = 1
```

```{code-cell} ipython3
:tags: [hide-input]
disks = 5
disks
```

```{bibliography}
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    source = tmp_path / "pool.md"
    source.write_text(PAGE, "utf-8")
    return source


@pytest.fixture
def executed(tmp_path: Path) -> Path:
    """What MyST-NB leaves of an executed page that glued one number."""
    prefix = "application/papermill.record/"
    output = {
        "output_type": "display_data",
        "data": {prefix + "text/plain": "5"},
        "metadata": {"scrapbook": {"name": "disks", "mime_prefix": prefix}},
    }
    path = tmp_path / "executed.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "outputs": [output]}]}), "utf-8")
    return path


def made(page: Path, executed: Path, install: str = notebook.LOCAL) -> nbformat.NotebookNode:
    return nbformat.reads(notebook.download(page, "A pool", "The book", executed, install), as_version=4)


def test_it_is_a_valid_notebook_without_outputs(page: Path, executed: Path) -> None:
    book_page = made(page, executed)
    nbformat.validate(book_page)
    assert len({cell.id for cell in book_page.cells}) == len(book_page.cells)
    assert all(
        not cell.outputs and cell.execution_count is None for cell in book_page.cells if cell.cell_type == "code"
    )


def test_the_first_cell_says_what_it_needs_and_how_to_get_it(page: Path, executed: Path) -> None:
    first = made(page, executed).cells[0]
    assert first.cell_type == "code"
    assert "Python 3.11" in first.source and "smartos" in first.source
    assert "in the book's folder" in first.source and notebook.LOCAL in first.source


def test_with_a_public_repository_the_first_cell_installs_from_there(page: Path, executed: Path) -> None:
    first = made(page, executed, "pip install 'smartos @ git+https://github.com/owner/name@main'").cells[0].source
    assert "git+https://github.com/owner/name" in first and "in the book's folder" not in first


def test_without_the_package_the_first_cell_stops_with_one_line(page: Path, executed: Path) -> None:
    first = made(page, executed).cells[0].source
    done = subprocess.run([sys.executable, "-I", "-S", "-c", first], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ModuleNotFoundError: This notebook needs the package smartos.")


def test_the_code_cells_are_those_of_the_page(page: Path, executed: Path) -> None:
    code = [cell.source for cell in made(page, executed).cells if cell.cell_type == "code"][1:]
    assert code == ["disks = 5\ndisks"]
    assert notebook.code_cells(page) == 1


def test_a_page_without_a_kernel_has_no_code_cells(tmp_path: Path) -> None:
    plain = tmp_path / "plain.md"
    plain.write_text("# Prose\n\n```python\nshown = 'and not run'\n```\n", "utf-8")
    assert notebook.code_cells(plain) == 0


def test_markup_of_the_book_becomes_words(page: Path, executed: Path) -> None:
    text = "\n".join(cell.source for cell in made(page, executed).cells if cell.cell_type == "markdown")
    assert "The pool has 5 disks [Bonwick2003], see the next page." in text
    assert "See there. A word in 日本語 and one in small, with $2^n$ states." in text
    assert "**Predict**" in text and "How many survive?" in text
    assert "$$\nx = 1\n$$" in text
    assert not any(mark in text for mark in ("{", "(pool-anchor)=", ":::", ":class:", "a note to the author")), text


def test_a_notebook_that_says_its_needs_itself_is_left_as_it_is(tmp_path: Path) -> None:
    cells = [
        nbformat.v4.new_code_cell("# This needs smartos: pip install .\nimport smartos"),
        nbformat.v4.new_code_cell("1"),
    ]
    source = tmp_path / "lab.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    assert [c.source for c in made(source, tmp_path / "none").cells] == [c.source for c in cells]
