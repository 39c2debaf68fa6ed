"""Addresses that last: which pages and anchors the book has, and where those go that it no longer has.

`book/redirects.txt` holds lines of the form `old -> new`, both written from the site's top, as
`book/old.html#part -> book/new.html#part`. A page that is gone becomes a page that sends the reader on; an anchor that
is gone stays in its page as a second name of the new one, or, when the part has left the page, as a line that links it.

Every build writes the addresses that it made to `addresses.txt` beside the built pages. Left out: redirects by the
web server, of which a folder of files knows nothing.
"""

import os
import re
from html import escape
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

LISTED = "book/redirects.txt"
STANDARD = {"genindex", "modindex", "py-modindex", "search"}

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>This page has moved</title>
<meta name="description" content="This page has moved to another address of the same book.">
<meta http-equiv="refresh" content="0; url={new}">
<link rel="canonical" href="{new}">
</head>
<body><main><h1>This page has moved</h1><p>It is now at <a href="{new}">{new}</a>.</p></main></body>
</html>
"""


def read_redirects(text: str) -> dict[str, str]:
    """The listed redirects, old address to new. Raises ValueError at a line that is not of that form."""
    redirects = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split(" # ")[0].strip()
        if not line or line.startswith("#"):
            continue
        old, arrow, new = (part.strip() for part in line.partition("->"))
        if not (arrow and old and new) or ".html" not in old or ".html" not in new:
            raise ValueError(f"{LISTED}, line {number}: {line!r} is not of the form: book/old.html -> book/new.html")
        redirects[old] = new
    return redirects


def relative(address: str, page: str) -> str:
    """`address` as a link in `page`, both from the site's top."""
    path, mark, anchor = address.partition("#")
    return os.path.relpath(path, os.path.dirname(page) or ".").replace(os.sep, "/") + mark + anchor


def load(app: Sphinx, *_: object) -> None:
    """Read the list once."""
    listed = Path(app.srcdir) / LISTED
    try:
        app.book_redirects = read_redirects(listed.read_text("utf-8")) if listed.exists() else {}
    except ValueError as error:
        raise ExtensionError(str(error)) from None


def keep_anchors(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Give the anchors that this page has lost their place in it again."""
    body, here = context.get("body"), f"{page}.html"
    if not body:
        return
    for old, new in app.book_redirects.items():
        path, _, anchor = old.partition("#")
        if path == here and anchor:
            body = with_anchor(body, anchor, new, here)
    context["body"] = body


def with_anchor(body: str, anchor: str, new: str, page: str) -> str:
    """The page's HTML with the old anchor: beside the new one in the same page, else as a line that links there."""
    path, _, target = new.partition("#")
    if path == page and target:
        name = re.search(rf'<[^<>]* id="{re.escape(target)}"', body)
        if name:
            return f'{body[: name.start()]}<span id="{escape(anchor)}"></span>{body[name.start() :]}'
    link = escape(relative(new, page))
    return f'{body}<p class="moved" id="{escape(anchor)}">This part has moved: <a href="{link}">{link}</a></p>'


def addresses(app: Sphinx) -> list[str]:
    """The book's pages, and in each the anchors that its author named."""
    domain = app.env.domaindata["std"]
    found = {f"{page}.html" for page in app.env.found_docs}
    for label, (page, anchor, *_) in domain["anonlabels"].items():
        if anchor and page in app.env.found_docs and label not in STANDARD:
            found.add(f"{page}.html#{anchor}")
    for (kind, _), (page, anchor) in domain["objects"].items():
        if kind == "term":
            found.add(f"{page}.html#{anchor}")
    return sorted(found)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the pages that send on, and the list of addresses that this build has."""
    if error or app.builder.format != "html":
        return
    for old, new in app.book_redirects.items():
        if "#" not in old:
            target = Path(app.outdir) / old
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(PAGE.format(new=escape(relative(new, old))), "utf-8")
    (Path(app.outdir).parent / "addresses.txt").write_text("\n".join(addresses(app)) + "\n", "utf-8")


def setup(app: Sphinx) -> dict[str, object]:
    app.connect("builder-inited", load)
    app.connect("html-page-context", keep_anchors)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
