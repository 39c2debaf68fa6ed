"""The look of the book: its own page, with nothing in it that the page does not use.

The page template is `book/templates/layout.html`. It loads one style and one deferred script of ours; what the theme
and the extensions would add is not linked, and what nothing links is not shipped. Extensions of ours that add a script
or a style of their own keep it, unless it would ask another host.

Left out: JavaScript for menus and dialogs, which are native disclosures and popovers here.
"""

import hashlib
import json
import os
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

import look_assets
import yaml
from bs4 import BeautifulSoup
from look_html import polished
from look_policy import headers, policy
from look_words import add_words
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from smartos.explore.kit.part import STORED

LOGGER = logging.getLogger(__name__)
FIRST = "book/templates/first.js"

# What comes with the theme and the extensions. The search page links the five that it needs itself.
THEIRS = [
    "basic.css", "pygments.css", "file.png", "minus.png", "plus.png", "images", "locales", "scripts", "styles",
    "vendor", "webpack-macros.html", "sbt-webpack-macros.html", "clipboard.min.js", "copy-button.svg",
    "check-solid.svg", "copybutton.css", "copybutton.js", "copybutton_funcs.js", "togglebutton.css", "togglebutton.js",
    "design-tabs.js", "sphinx-design.min.css", "sphinx-thebe.css", "sphinx-thebe.js", "mystnb.*.css",
]  # fmt: skip
SEARCH = ["documentation_options.js", "doctools.js", "language_data.js", "searchtools.js", "sphinx_highlight.js"]


def front_matter(source: Path) -> dict[str, Any]:
    """A page's own metadata: the YAML block on top of a text notebook, or the notebook's metadata."""
    text = source.read_text("utf-8")
    if source.suffix == ".ipynb":
        return json.loads(text).get("metadata", {})
    block = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    return yaml.safe_load(block[1]) or {} if block else {}


def is_theirs(name: str) -> bool:
    """Whether a linked file came with the theme or an extension, or lies on another host."""
    path = name.split("?")[0].rpartition("_static/")[2]
    first = path.split("/")[0]
    return "://" in name or first in SEARCH or any(Path(first).match(pattern) for pattern in THEIRS)


def linked(files: list) -> list[str]:
    """The files among a page's styles or scripts that are the book's own, as paths under `_static`."""
    names = [str(file.filename) for file in files if getattr(file, "filename", None)]
    ours = [name.rpartition("_static/")[2] for name in names if not is_theirs(name)]
    return [name for name in ours if name not in ("smartos.css", "smartos.js", "launch.css")]


def describe(app: Sphinx, page: str) -> str:
    """The sentence that a search engine shows for a page; its author writes it as `description:`."""
    if page not in app.env.found_docs:
        return f"{'Search' if page == 'search' else 'An index'} of the book {app.config.html_title}."
    sentence = str(front_matter(Path(app.env.doc2path(page))).get("description", "")).strip()
    if not sentence:
        LOGGER.info("%s has no `description:`", page)
    return sentence


def contents(context: dict) -> str:
    """The book's pages as a list, with the second-level headings of this page under its own line."""
    html = context["toctree"](maxdepth=1, collapse=True, includehidden=True, titles_only=True)
    page = BeautifulSoup(context.get("toc") or "", "html.parser")
    links = page.select("ul > li > ul > li > a")
    own = [link for link in links if len(link.find_parents("ul")) == 2]
    items = "".join(
        f'<li class="toctree-l2"><a href="{escape(link["href"])}">{link.decode_contents()}</a></li>' for link in own
    )
    here = re.compile(r'(<li class="toctree-l1 current[^"]*"><a class="[^"]*" href="[^"]*")(>.*?</a>)')
    below = f"<ul>{items}</ul>" if items else ""
    html = here.sub(lambda found: f'{found[1]} aria-current="page"{found[2]}{below}', html, count=1)
    return html.replace('href="#"', 'href="#main"')


def dress(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Give the template what it asks for, and the body its last touches."""
    if app.builder.format != "html":
        return
    known = getattr(app, "launch_known", None)
    source = Path(app.env.doc2path(page)).relative_to(app.srcdir).as_posix() if page in app.env.found_docs else ""
    context["look"] = {
        "description": describe(app, page),
        "root": page == app.config.root_doc,
        "source": source,
        "source_link": f"{known.page}/blob/{known.ref}/{source}" if known and source else "",
        "styles": linked(context.get("css_files", [])),
        "scripts": linked(context.get("script_files", [])),
        "version": app.look_version,
        "first": app.look_first,
        "policy": policy(app.look_first, files=True),
    }
    context["contents"] = contents(context)
    if context.get("body"):
        context["body"] = polished(context["body"])


def whole_addresses(app: Sphinx, config: Config) -> None:
    """Print addresses as they are; the theme would shorten those of GitHub to a repository's name."""
    config.html_theme_options = {**config.html_theme_options, "shorten_urls": False}


def read_first(app: Sphinx) -> None:
    """The one script that stands in every page itself, before anything is drawn; the policy names its digest."""
    app.look_first = (Path(app.srcdir) / FIRST).read_text("utf-8").strip()


def read_version(app: Sphinx) -> None:
    """A short digest of style and scripts, so that a browser never shows a page with an older edition's."""
    total = hashlib.sha256()
    for folder in app.config.html_static_path:
        for name in ("smartos.css", "smartos.js", "run/worker.js", "run/editor.js"):
            file = Path(app.srcdir) / folder / name
            if file.is_file():
                total.update(file.read_bytes())
    app.look_version = total.hexdigest()[:8]


def ship_less(app: Sphinx, error: Exception | None) -> None:
    """Take out of the built book what no page links."""
    if error or app.builder.format != "html":
        return
    for pattern in THEIRS:
        for path in (Path(app.outdir) / "_static").glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_headers(app: Sphinx, error: Exception | None) -> None:
    """The policy again, for whoever serves the pages."""
    if not error and app.builder.format == "html":
        (Path(app.outdir) / "_headers").write_text(headers(app.look_first), "utf-8")


def setup(app: Sphinx) -> dict[str, object]:
    add_words(app)
    os.environ[STORED] = "1"  # the kernels that fill the pages inherit it
    app.connect("config-inited", whole_addresses)
    app.connect("config-inited", look_assets.beside_the_pages, priority=700)  # before Sphinx looks whether it is there
    app.connect("builder-inited", look_assets.check)
    app.connect("builder-inited", read_first)
    app.connect("builder-inited", read_version)
    app.connect("html-page-context", dress, priority=900)
    app.connect("build-finished", ship_less, priority=900)
    app.connect("build-finished", write_headers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
