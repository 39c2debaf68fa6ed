"""A small book built for real: which of its cells get a place for buttons, and what its page knows of them all."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from tests.unit.extensions import load
from tools.paths import ROOT

CONFIG = f"""\
import sys
sys.path.insert(0, {str(ROOT / "book/ext")!r})
project = html_title = "A small book"
extensions = ["myst_nb", "book_run"]
nb_execution_mode = "off"
exclude_patterns = ["_build"]
suppress_warnings = ["myst-nb.lexer"]
root_doc = "index"
"""
PAGE = """\
---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3}
---

# Cells

```{code-cell} ipython3
a = "</script><!--"
```

```{code-cell} ipython3
:tags: [remove-cell]
b = 2
```

```{code-cell} ipython3
:tags: [remove-input]
b
```

```{code-cell} ipython3
:tags: [hide-input]
a
```

```{code-cell} ipython3
:tags: [needs-host]
:needs: It asks <the machine>.
c = 3
```

```{code-cell} ipython3
:tags: [needs-host]
d = 4
```
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> BeautifulSoup:
    folder = tmp_path_factory.mktemp("book")
    (folder / "conf.py").write_text(CONFIG, "utf-8")
    (folder / "index.md").write_text(PAGE, "utf-8")
    out = folder / "_build" / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(folder), str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return BeautifulSoup((out / "index.html").read_text("utf-8"), "html.parser")


def known(page: BeautifulSoup) -> dict:
    return json.loads(page.find("script", id="page-cells").string)


def test_the_page_knows_every_cell_in_order_the_unseen_too(page: BeautifulSoup) -> None:
    sources = [cell["source"] for cell in known(page)["cells"]]
    assert sources == ['a = "</script><!--"', "b = 2", "b", "a", "c = 3", "d = 4"]
    assert len({cell["digest"] for cell in known(page)["cells"]}) == 6
    assert known(page)["page"] == "index" and known(page)["home"] == "_static/"


def test_a_cell_whose_code_is_seen_has_a_place_under_it(page: BeautifulSoup) -> None:
    assert [int(cell["data-cell"]) for cell in page.select("[data-cell]")] == [0, 2, 3, 4, 5]
    assert page.select("[data-cell='2'] .cell-tools") == []
    for cell in page.select("[data-cell]:not([data-cell='2'])"):
        parts = cell.find_all(recursive=False)
        assert "cell-tools" in parts[1]["class"] and parts[0].find("pre"), cell["data-cell"]


def test_a_cell_that_needs_a_host_says_why(page: BeautifulSoup) -> None:
    needs = {cell["data-cell"]: cell.select_one(".cell-needs") for cell in page.select("[data-cell]")}
    assert needs["0"] is None and needs["3"] is None
    assert needs["4"].get_text() == "It asks <the machine>. make lab in the book’s folder runs it."
    assert needs["5"].get_text().startswith("This cell needs more than a page has")
    assert [cell["needs"] for cell in known(page)["cells"]][4] == "It asks <the machine>."


def test_binder_is_offered_where_it_is_known(page: BeautifulSoup) -> None:
    run = load("book_run")
    known = SimpleNamespace(binder=lambda file: f"https://binder.example/{file}")
    app = SimpleNamespace(launch_known=known, srcdir="/b", env=SimpleNamespace(doc2path=lambda page: f"/b/{page}.md"))
    assert '<a href="https://binder.example/x.md" rel="external noopener">' in run.elsewhere(app, "x")
