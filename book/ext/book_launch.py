"""Every page's launch menu: run it on Binder, Colab or one's own JupyterLab, or take it home as a notebook.

The menu is a native popover in the page's header and holds nothing but links, so it opens, closes with Escape and gives
the focus back without JavaScript, and asks nothing of another host until a link is followed. With no public repository
known it shows the local way instead.

Left out: running a cell in its page, which `book_run` prepares and the page's script does.
"""

import re
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote

from launch_address import AddressError, Repository, repository
from launch_notebook import LOCAL, code_cells, download
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging

FOLDER = "_notebooks"
LAB = "http://127.0.0.1:8888/lab"
LOGGER = logging.getLogger(__name__)


def menu(file: str, cells: int, notebook: str, known: Repository | None) -> str:
    """The menu of one page, as HTML.

    `file` is the page's source from the book's folder, `notebook` the address of its download seen from the page.
    """
    summary = "Run this page" if cells else "Run this book"
    ways = away(file if cells else "", known) + here(file if cells else "")
    if cells:
        saved = f' download="{Path(notebook).name}"'
        ways.append(link(notebook, "Download as a notebook", "An .ipynb file without outputs.", saved))
    else:
        ways.insert(0, "<p>This page has no code. The others run as notebooks.</p>")
    body = "".join(f"<li>{way}</li>" for way in ways)
    button = f'<button type="button" class="launch-button" popovertarget="launch-menu">{summary}</button>'
    return f'<div class="launch">{button}<div class="launch-menu" id="launch-menu" popover><ul>{body}</ul></div></div>'


def away(file: str, known: Repository | None) -> list[str]:
    """The ways to run it on somebody else's machine, which need a public repository."""
    if known is None:
        return []
    ways = [link(known.binder(file), "Open on Binder", "Nothing to install; starting takes minutes.")]
    colab = known.colab(file)
    if colab:
        ways.append(link(colab, "Open in Colab", "The first cell says what to install there."))
    return ways


def here(file: str) -> list[str]:
    """The ways to run it on the reader's own machine."""
    lab = f"{LAB}/tree/{quote(file)}" if file else LAB
    return [
        "<p>On your machine, in the book’s folder, run <code>make lab</code>. Then:</p>"
        + link(lab, "Open in JupyterLab", "Answers only while make lab runs.")
    ]


def link(address: str, text: str, note: str, more: str = "") -> str:
    """A way as a plain link with a line that says what to expect."""
    rel = ' rel="external noopener"' if "://" in address else ""
    return f'<a href="{escape(address)}"{rel}{more}>{text}</a> <span class="launch-note">{escape(note)}</span>'


def prepare(app: Sphinx, config: Config) -> None:
    """Find the repository once, and place the menu first in the page's header.

    What was found is a setting of its own, so that a new remote writes every page anew.
    """
    try:
        app.launch_known = repository(config.launch_repository, Path(app.srcdir), config.launch_ref)
    except AddressError as error:
        raise ExtensionError(str(error)) from None
    config.launch_found = str(app.launch_known or "")
    where = app.launch_known.page if app.launch_known else "no public repository known, pages show the local way"
    LOGGER.info("launch menus: %s", where)
    items = config.html_theme_options.setdefault("article_header_end", ["launch.html", "article-header-buttons.html"])
    if "launch.html" not in items:
        items.insert(0, "launch.html")


def add_menu(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Write the page's notebook and give its menu to the template."""
    context["launch"] = ""
    if app.builder.format != "html" or page not in app.env.found_docs:
        return
    source = Path(app.env.doc2path(page))
    cells = code_cells(source)
    name = f"{FOLDER}/{page}.ipynb"
    if cells:
        write_notebook(app, page, source, app.outdir / name, context)
    file = source.relative_to(app.srcdir).as_posix()
    context["launch"] = menu(file, cells, context["pathto"](name, 1), app.launch_known)


def write_notebook(app: Sphinx, page: str, source: Path, target: Path, context: dict) -> None:
    """Put the page's .ipynb under the built book."""
    known = app.launch_known
    install = LOCAL if known is None else f"pip install 'smartos[host] @ git+{known.page}@{known.ref}'"
    executed = Path(app.outdir).parent / "jupyter_execute" / f"{page}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    title = context.get("pagetitle") or context.get("title") or page
    target.write_text(download(source, plain_title(title), app.config.html_title, executed, install), "utf-8")


def plain_title(title: str) -> str:
    """A page's title as Sphinx gives it, without markup."""
    return unescape(re.sub(r"<[^>]+>", "", title)).strip()


def setup(app: Sphinx) -> dict[str, object]:
    app.add_config_value("launch_repository", "auto", "html", [str])
    app.add_config_value("launch_ref", "main", "html", [str])
    app.add_config_value("launch_found", "", "html", [str])
    app.connect("config-inited", prepare)
    app.connect("html-page-context", add_menu)
    app.add_css_file("launch.css")
    app.setup_extension("book_redirects")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
