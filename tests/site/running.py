"""Pages whose cells run, as the tests use them: a cell, its buttons, what it shows, and what the page has loaded."""

import json
from pathlib import Path
from typing import Any

from tests.site.pages import soup
from tests.site.visit import Visit

SLOW = 90_000  # ms that loading Python may take on a busy machine
LAB = "notebooks/kvm"

SHOWN = """(box) => [...box.querySelectorAll(".cell_output .output")].map((output) => {
  const copy = output.cloneNode(true);
  copy.querySelectorAll("script, .copy-code, .explorer-room").forEach((part) => part.remove());
  const drawn = copy.matches(".text_html, .image_svg");
  return {
    kind: [...output.classList].slice(0, 2).join(" "),
    lines: copy.textContent.split("\\n").map((line) => line.trim().replace(/\\s+/g, " ")).filter(Boolean),
    tags: drawn ? [...copy.querySelectorAll("*")].map((el) => el.tagName).join(" ") : "",
    pictures: [...copy.querySelectorAll("svg")].map((svg) => svg.outerHTML),
  };
})"""


class Cell:
    """One code cell of an open page."""

    def __init__(self, page: Any, number: int) -> None:
        self.box = page.locator(f"[data-cell='{number}']")
        self.tools = self.box.locator(".cell-tools")
        self.run_button = self.box.locator(".cell-run")
        self.error = self.box.locator(".cell-error")
        self.origin = self.box.locator(".cell-origin")  # whose output stands there, when it is not the code's above
        self.note = self.box.locator(".cell-note")

    def shown(self) -> list[dict]:
        return self.box.evaluate(SHOWN)

    def ends(self, state: str) -> None:
        self.box.locator(f".cell-tools[data-state='{state}']").wait_for(timeout=SLOW)

    def run(self, state: str = "ran") -> None:
        """Press Run and wait for the end."""
        self.run_button.click()
        self.ends(state)

    def write(self, text: str) -> None:
        """Put `text` in the place of the cell's code."""
        if not self.box.locator(".cell-editor").count():
            self.box.locator(".cell-edit").click()
        self.box.locator(".cm-content").click()
        self.box.page.keyboard.press("Control+a")
        self.box.page.keyboard.insert_text(text)


def stored(site: Path, page: str) -> list[dict]:
    """What a page knows of its cells."""
    block = soup(site, f"{page}.html").find(id="page-cells")
    return json.loads(block.string)["cells"] if block else []


def strip(seen: Visit) -> Any:
    return seen.page.locator(".python-strip")


def python_files(seen: Visit) -> list[str]:
    """The addresses under run/ that the page and its worker have asked for."""
    return seen.page.evaluate("() => performance.getEntriesByType('resource').map((r) => r.name)")
