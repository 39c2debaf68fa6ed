"""Two small books built for real, one with a public git remote and one without: what their pages then offer."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from tools.paths import ROOT

CONFIG = f"""\
import sys
sys.path.insert(0, {str(ROOT / "book/ext")!r})
project = html_title = "A small book"
extensions = ["myst_nb", "sphinx_book_theme", "book_launch"]
templates_path = ["templates"]
html_static_path = [{str(ROOT / "book/static")!r}]
html_theme = "sphinx_book_theme"
nb_execution_mode = "off"
exclude_patterns = ["_build", "templates"]
suppress_warnings = ["myst-nb.lexer"]
root_doc = "book/index"
"""
HEAD = """\
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3}
"""
PAGES = {
    "book/index.md": "# Home\n\n```{toctree}\n/book/code\n/notebooks/lab\n```\n",
    "book/code.md": f"---\n{HEAD}---\n\n# Code & more\n\n(kept)=\n## Kept\n\n```{{code-cell}} ipython3\n1 + 1\n```\n",
    "book/redirects.txt": "book/old.html -> book/code.html#kept\nbook/code.html#gone -> book/code.html#kept\n",
}


def small_book(folder: Path) -> None:
    """Write the sources of a book with a prose page, a page with code, and a lab."""
    (folder / "conf.py").write_text(CONFIG, "utf-8")
    (folder / "templates").mkdir()
    shutil.copy(ROOT / "book/templates/launch.html", folder / "templates")
    for name, text in PAGES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    cells = [nbformat.v4.new_markdown_cell("# Lab"), nbformat.v4.new_code_cell("2 + 2")]
    (folder / "notebooks").mkdir()
    python = {"name": "python3", "display_name": "Python 3"}
    known = {"kernelspec": python, "language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=known), folder / "notebooks/lab.ipynb")


def built(folder: Path, remote: str) -> Path:
    """Build the book in `folder`, a git repository with that remote or none, and return its pages' folder."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    if remote:
        subprocess.run(["git", "-C", str(folder), "remote", "add", "origin", remote], check=True)
    out = folder / "_build" / "html"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(folder), str(out)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small book's pages, without a remote and with one."""
    found = {}
    for name, remote in (("local", ""), ("public", "git@github.com:owner/name.git")):
        folder = tmp_path_factory.mktemp(name)
        small_book(folder)
        found[name] = built(folder, remote)
    return found


def ways(page: Path) -> list[str]:
    """The addresses in a page's launch menu."""
    return [a["href"] for a in BeautifulSoup(page.read_text("utf-8"), "html.parser").select(".launch-menu a")]


def test_without_a_remote_no_link_leaves_the_readers_machine(homes: dict[str, Path]) -> None:
    assert ways(homes["local"] / "book/code.html") == [
        "http://127.0.0.1:8888/lab/tree/book/code.md", "../_notebooks/book/code.ipynb"
    ]  # fmt: skip
    assert ways(homes["local"] / "book/index.html") == ["http://127.0.0.1:8888/lab"]


def test_the_remote_alone_makes_the_links(homes: dict[str, Path]) -> None:
    binder = "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab"
    assert ways(homes["public"] / "book/index.html")[0] == binder
    assert ways(homes["public"] / "book/code.html")[0] == binder + "%2Ftree%2Fbook%2Fcode.md"
    assert ways(homes["public"] / "notebooks/lab.html")[:2] == [
        binder + "%2Ftree%2Fnotebooks%2Flab.ipynb",
        "https://colab.research.google.com/github/owner/name/blob/main/notebooks/lab.ipynb",
    ]


def test_a_new_remote_writes_every_page_anew(tmp_path: Path) -> None:
    small_book(tmp_path)
    before = ways(built(tmp_path, "") / "book/index.html")
    after = ways(built(tmp_path, "https://github.com/owner/name") / "book/index.html")
    assert len(after) == len(before) + 1


def test_each_page_with_code_is_a_notebook_that_says_where_the_package_is(homes: dict[str, Path]) -> None:
    for name, install in (("local", "requirements.txt"), ("public", "git+https://github.com/owner/name@main")):
        for page in ("book/code", "notebooks/lab"):
            found = nbformat.read(homes[name] / f"_notebooks/{page}.ipynb", as_version=4)
            assert install in found.cells[0].source
    assert "# Code & more" in found.cells[0].source or page == "notebooks/lab"
    assert not (homes["local"] / "_notebooks/book/index.ipynb").exists()


def test_a_page_that_is_gone_sends_the_reader_on(homes: dict[str, Path]) -> None:
    old = (homes["local"] / "book/old.html").read_text("utf-8")
    assert '<meta http-equiv="refresh" content="0; url=code.html#kept">' in old
    assert '<a href="code.html#kept">' in old


def test_an_anchor_that_is_gone_stays_as_a_second_name(homes: dict[str, Path]) -> None:
    page = BeautifulSoup((homes["local"] / "book/code.html").read_text("utf-8"), "html.parser")
    assert page.find(id="gone").find_next_sibling(id="kept") or page.find(id="gone").find_next(id="kept")


def test_the_build_lists_its_addresses(homes: dict[str, Path]) -> None:
    listed = (homes["local"].parent / "addresses.txt").read_text("utf-8").split()
    assert listed == ["book/code.html", "book/code.html#kept", "book/index.html", "notebooks/lab.html"]
