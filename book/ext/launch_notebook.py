"""A page as a notebook of its own: a clean .ipynb, readable without the book around it.

The page's MyST markup means nothing to a notebook viewer, so roles become their text, directives become plain
Markdown, and a number that a cell gave to the prose is written out. Every notebook begins with a cell that says what
it needs and stops with one clear line where that is missing.

Left out: stored outputs (they are made by running), pictures from files, the bibliography, margin notes' placement and
cross-page links, which keep their text only.
"""

import json
import re
from pathlib import Path

import jupytext
import nbformat

NEEDS = """\
# {title}
# A page of {book}, as a notebook.
# It needs Python 3.11 or newer and the book's package, smartos. To get it{where}:
#     {install}
import importlib.util

if importlib.util.find_spec("smartos") is None:
    raise ModuleNotFoundError("This notebook needs the package smartos. Install it and run this cell again: {install}")
"""

OF_THE_BOOK = {"bibliography", "toctree", "contents", "tableofcontents", "figure", "image"}
TITLED = {"admonition", "dropdown", "list-table", "topic", "card", "tab-item"}

LOCAL = "pip install -r requirements.txt"


def code_cells(source: Path) -> int:
    """How many code cells a page's source has; a page without a kernel in its front matter has none."""
    if source.suffix == ".md" and "kernelspec:" not in front_matter(source.read_text("utf-8")):
        return 0
    return sum(cell.cell_type == "code" for cell in read(source).cells)


def front_matter(text: str) -> str:
    """The YAML block that a page begins with, or nothing."""
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    return found[1] if found else ""


def read(source: Path) -> nbformat.NotebookNode:
    """A page's source as a notebook, be it MyST text or .ipynb."""
    if source.suffix == ".ipynb":
        return nbformat.read(source, as_version=4)
    return jupytext.reads(source.read_text("utf-8"), fmt="md:myst")


def download(source: Path, title: str, book: str, executed: Path, install: str = LOCAL) -> str:
    """The text of the .ipynb that a page offers: a first cell of needs, no outputs, plain Markdown."""
    page = read(source)
    cells = [cell for cell in page.cells if cell.source.strip()]
    values = glued(executed)
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, values)
    where = ", in the book's folder" if install == LOCAL else ""
    if not (cells and says_its_needs(cells[0].source)):
        cells.insert(0, nbformat.v4.new_code_cell(NEEDS.format(title=title, book=book, install=install, where=where)))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book_page = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": python})
    return nbformat.writes(book_page) + "\n"


def says_its_needs(first: str) -> bool:
    """Whether a first cell says what the notebook needs and how to get it."""
    return all(word in first.lower() for word in ("needs", "smartos", "pip install"))


def glued(executed: Path) -> dict[str, str]:
    """The numbers that the page's cells gave to its prose, from the executed page."""
    if not executed.exists():
        return {}
    values = {}
    for cell in json.loads(executed.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            mark = output.get("metadata", {}).get("scrapbook")
            if mark:
                text = output["data"].get(mark.get("mime_prefix", "") + "text/plain", "")
                values[mark["name"]] = "".join(text).strip("'")
    return values


def plain(markdown: str, values: dict[str, str]) -> str:
    """MyST as the Markdown that every notebook viewer knows."""
    lines: list[str] = []
    fences: list[tuple[str, str]] = []  # the open directives, as (fence, name)
    for line in markdown.split("\n"):
        fence = re.match(r"\s*(:{3,}|`{3,}|~{3,})(.*)$", line)
        if fence and fences and fence[1] == fences[-1][0] and not fence[2].strip():
            lines.append("$$" if fences.pop()[1] == "math" else "")
        elif fence and (directive := re.match(r"\{([\w:-]+)\}\s*(.*)$", fence[2].strip())):
            fences.append((fence[1], directive[1]))
            lines += opening(directive[1], directive[2])
        elif not (dropped(line, bool(fences)) or any(name in OF_THE_BOOK for _, name in fences)):
            lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", roles("\n".join(lines), values)).strip()


def opening(directive: str, argument: str) -> list[str]:
    """What stands in a directive's first line: its title, or the mark of mathematics."""
    if directive == "math":
        return ["$$"]
    return [f"**{argument}**", ""] if argument and directive in TITLED else []


def dropped(line: str, inside: bool) -> bool:
    """Whether a line is markup alone: a directive's option, a target, a block's attributes, a comment."""
    if inside and re.match(r"\s*:[\w-]+:( |$)", line):
        return True
    return bool(re.fullmatch(r"\([\w-]+\)=|\{[.#\w][^{}]*\}|%.*", line.strip()))


def roles(text: str, values: dict[str, str]) -> str:
    """Roles as their text: a glued number as its value, a citation as its key, a titled target as its title."""

    def shown(found: re.Match[str]) -> str:
        role, body = found[1], found[2]
        if role.startswith("glue"):
            return values.get(body.split(":")[0], f"[{body}]")
        if role.startswith("cite"):
            return f"[{body}]"
        return re.sub(r"\s*<[^<>]*>$", "", body) if role != "math" else f"${body}$"

    text = re.sub(r"\{([\w:-]+)\}`([^`]*)`", shown, text)
    text = re.sub(r"\[([^\]\n]*)\]\{[^{}\n]*\}", r"\1", text)
    return re.sub(r"\[([^\]\n]+)\]\((#[\w-]+|[\w./-]+\.md(#[\w-]*)?)\)", r"\1", text)
