"""The code cells of a page, made ready to run in it: each has a place for its buttons, and the page knows them all.

A page with cells carries one block of data, which is not executed: every cell in order with its source, those among
them too that the page does not show, because later cells may need their names. A cell that cannot run in a page (its
tag is `needs-host`, its metadata's `needs` may say why) says so where the others have their buttons.

Left out: the buttons themselves, which exist only where there is script (`book/static/run`).
"""

import hashlib
import json
from html import escape
from pathlib import Path

import launch_notebook
import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxTranslator

TAG = "needs-host"
NEEDS = "This cell needs more than a page has: a machine of its own to run on."
LAB = "<code>make lab</code> in the book’s folder runs it."


class run_cell(nodes.container):
    """A cell's container with its place among the page's code cells."""


def visit_run_cell(self: SphinxTranslator, node: run_cell) -> None:
    at = {"data-cell": str(node["at"])}
    self.body.append(self.starttag(node, "div", CLASS="docutils container", **at))


def depart_run_cell(self: SphinxTranslator, node: run_cell) -> None:
    self.body.append("</div>\n")


def executed(app: Sphinx, page: str) -> list[nbformat.NotebookNode]:
    """All cells of a page as they were executed; a cell's place here is its `cell_index` in the document."""
    path = Path(app.outdir).parent / "jupyter_execute" / f"{page}.ipynb"
    if not path.exists() or not launch_notebook.code_cells(Path(app.env.doc2path(page))):
        return []
    return nbformat.read(path, as_version=4).cells


def code_cells(app: Sphinx, page: str) -> dict[int, nbformat.NotebookNode]:
    """The code cells of a page by their place among all cells."""
    return {at: cell for at, cell in enumerate(executed(app, page)) if cell.cell_type == "code" and cell.source.strip()}


def reason(metadata: dict) -> str:
    """Why a cell does not run in a page; nothing when it does."""
    return str(metadata.get("needs", NEEDS)) if TAG in metadata.get("tags", []) else ""


def elsewhere(app: Sphinx, page: str) -> str:
    """Where a cell runs that does not run in its page, as HTML."""
    known = getattr(app, "launch_known", None)
    if known is None:
        return LAB
    file = Path(app.env.doc2path(page)).relative_to(app.srcdir).as_posix()
    return f'<a href="{escape(known.binder(file))}" rel="external noopener">Open it on Binder</a>, or: {LAB}'


def tools(why: str, elsewhere: str) -> str:
    """The place under a cell's code: empty for the buttons to come, or the sentence why there are none."""
    if not why:
        return '<div class="cell-tools"></div>'
    return f'<div class="cell-tools"><p class="cell-needs">{escape(why)} {elsewhere}</p></div>'


def mark(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give every cell's container its number, and a place for buttons where its code is in sight."""
    if app.builder.format != "html":
        return
    numbers = {at: number for number, at in enumerate(code_cells(app, page))}
    for found in list(doctree.findall(nodes.container)):
        if found.get("nb_element") != "cell_code" or found["cell_index"] not in numbers:
            continue
        cell = run_cell("", *found.children, classes=found["classes"], at=numbers[found["cell_index"]])
        if any(part.get("nb_element") == "cell_code_source" for part in cell.findall(nodes.container)):
            why = reason(found["cell_metadata"])
            cell.insert(1, nodes.raw("", tools(why, elsewhere(app, page)), format="html"))
        found.replace_self(cell)


def data(app: Sphinx, page: str) -> dict[str, object] | None:
    """What the page's script has to know, or None when there is nothing to run."""
    cells = [
        {
            "source": cell.source,
            "digest": hashlib.sha256(cell.source.encode()).hexdigest()[:12],
            "needs": reason(cell.metadata),
        }
        for cell in code_cells(app, page).values()
    ]
    return {"page": page, "cells": cells} if cells else None


def add_data(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Put the block of data at the end of the page's text."""
    found = data(app, page) if app.builder.format == "html" and page in app.env.found_docs else None
    if found and context.get("body"):
        found |= {"home": context["pathto"]("_static/", 1), "version": getattr(app, "look_version", "")}
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        context["body"] += f'<script type="application/json" id="page-cells">{text}</script>'


def setup(app: Sphinx) -> dict[str, object]:
    app.add_node(run_cell, html=(visit_run_cell, depart_run_cell))
    app.connect("doctree-resolved", mark)
    app.connect("html-page-context", add_data, priority=910)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
