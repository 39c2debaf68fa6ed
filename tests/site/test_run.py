"""Python in the page: every cell of the book is run where it stands, and shows what the book recorded of it.

The policy of the pages is at work in all of this, and nothing is asked of another host; `visit` records both.
"""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from tests.site.pages import soup, toc
from tests.site.visit import DESK, PHONE, SCHEMES, SMALL, Visit, visit
from tests.unit.extensions import load

SLOW = 90_000  # ms that loading Python may take on a busy machine
LAB = "notebooks/kvm"
RUN_FILES = "/_static/run/"
MACHINE = re.compile(r"/dev/kvm|\bKVM (runs|is)|unicorn|record", re.IGNORECASE)

SHOWN = """(box) => [...box.querySelectorAll(".cell_output .output")].map((output) => {
  const copy = output.cloneNode(true);
  copy.querySelectorAll("script, .copy-code").forEach((part) => part.remove());
  const drawn = copy.matches(".text_html, .image_svg");
  return {
    kind: [...output.classList].slice(0, 2).join(" "),
    lines: copy.textContent.split("\\n").map((line) => line.trim().replace(/\\s+/g, " ")).filter(Boolean),
    tags: drawn ? [...copy.querySelectorAll("*")].map((el) => el.tagName).join(" ") : "",
    pictures: [...copy.querySelectorAll("svg")].map((svg) => svg.outerHTML),
  };
})"""

LISTEN = """() => {
  window.said = [];
  const live = document.querySelector("article > [role=status]");
  new MutationObserver(() => window.said.push(live.textContent)).observe(live, { childList: true });
}"""

count = {"cells": 0}


class Cell:
    """One code cell of an open page."""

    def __init__(self, page: Any, number: int) -> None:
        self.box = page.locator(f"[data-cell='{number}']")
        self.tools = self.box.locator(".cell-tools")
        self.run_button = self.box.locator(".cell-run")
        self.error = self.box.locator(".cell-error")

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


def runnable(site: Path, page: str) -> list[int]:
    """The cells of a page that have a Run button."""
    places = soup(site, f"{page}.html").select("[data-cell]:has(> .cell-tools:empty)")
    return [int(place["data-cell"]) for place in places]


def varies(site: Path, page: str, number: int) -> bool:
    return bool(soup(site, f"{page}.html").select(f".tag_varies[data-cell='{number}']"))


def masked(outputs: list[dict]) -> list[dict]:
    """Outputs without what belongs to the machine that ran them."""
    return [
        {
            "kind": output["kind"],
            "lines": [re.sub(r"\d[\d,.]*", "#", line) for line in output["lines"] if not MACHINE.search(line)],
        }
        for output in outputs
    ]


def strip(seen: Visit) -> Any:
    return seen.page.locator(".python-strip")


def python_files(seen: Visit) -> list[str]:
    """The addresses under run/ that the page and its worker have asked for."""
    return seen.page.evaluate("() => performance.getEntriesByType('resource').map((r) => r.name)")


@pytest.fixture
def lab(browser: Any, address: str) -> Callable[..., AbstractContextManager[Visit]]:
    """Opens the lab page, which has cells of every kind."""
    return lambda window=DESK, **options: visit(
        browser, f"{address}/{LAB}.html", window, reduced_motion="reduce", **options
    )


@pytest.mark.parametrize("page", toc())
def test_every_cell_that_can_run_gives_what_the_book_recorded(
    browser: Any, address: str, site: Path, page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Page by page, in order, from the page as it was built; axe finds nothing afterwards."""
    numbers = runnable(site, page)
    if not stored(site, page):
        assert numbers == []
        return
    with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
        seen.page.wait_for_load_state("networkidle")
        assert seen.page.locator(".cell-run").count() == len(numbers)
        assert not any(RUN_FILES in name for name in python_files(seen)), "something of Python came before Run"
        seen.page.evaluate(LISTEN)
        for number in numbers:
            cell = Cell(seen.page, number)
            before = cell.shown()
            cell.run_button.click()
            cell.box.locator(".cell-tools:is([data-state=ran], [data-state=failed])").wait_for(timeout=SLOW)
            assert not cell.error.count(), f"{page}, cell {number}: {cell.error.inner_text()}"
            if varies(site, page, number):
                assert masked(cell.shown()) == masked(before), f"{page}, cell {number}"
            else:
                assert cell.shown() == before, f"{page}, cell {number}"
        said = seen.page.evaluate("() => window.said")
        assert [words for words in said if "failed" in words] == [], "a cell out of sight"
        assert seen.axe() + seen.errors + seen.foreign == []
    count["cells"] += len(numbers)
    with capsys.disabled():
        print(f" {page}: {len(numbers)} cells run, {count['cells']} in all", end="")


def test_a_page_without_cells_has_nothing_of_it(site: Path) -> None:
    for page in toc():
        has = bool(soup(site, f"{page}.html").select(".cell"))
        assert bool(stored(site, page)) >= has, page


def test_a_cell_that_cannot_run_says_why_and_where_it_does(site: Path) -> None:
    found = [box for page in toc() for box in soup(site, f"{page}.html").select(".tag_needs-host[data-cell]")]
    assert found
    for box in found:
        words = box.select_one(".cell-needs").get_text()
        assert len(words.split()) > 6 and "make lab" in words


def test_bytes_are_told_while_python_comes_and_nothing_comes_twice(lab: Callable) -> None:
    with lab() as seen:
        seen.page.evaluate("""() => {
          window.bytes = new Set();
          const line = document.querySelector(".python-bytes");
          new MutationObserver(() => window.bytes.add(line.textContent)).observe(line, { childList: true });
        }""")
        Cell(seen.page, 0).run()
        told = seen.page.evaluate("() => [...window.bytes]")
        amounts = [float(words.split()[0]) for words in told if words]
        assert len(amounts) > 5 and amounts == sorted(amounts)
        last = [words for words in told if words][-1].split()
        assert last[0] == last[2], "the sizes of the manifest are not those of the files"
        for mark in ("python-press", "python-ready", "python-result"):
            assert seen.page.evaluate("(name) => performance.getEntriesByName(name).length", mark) == 1
        assert not seen.page.locator(".python-bytes").is_visible(), "there is nothing left to load"


def test_an_error_has_its_line_and_the_way_on(lab: Callable) -> None:
    """A cell that is run too early: its name is missing, and the cells above are offered."""
    with lab() as seen:
        cell = Cell(seen.page, 3)
        cell.run("failed")
        said = cell.error.inner_text()
        assert said.startswith("NameError: name 'log_table' is not defined")
        assert "In line 1 of this cell: log_table(hi)" in said and "Traceback" not in said
        cell.error.locator("summary").click()
        assert 'File "<cell>", line 1, in <module>' in cell.error.inner_text()
        assert seen.axe() == []
        cell.error.get_by_text("Run all above, then this cell").click()
        cell.ends("ran")
        assert cell.error.count() == 0 and cell.box.locator("table").count() == 1
        assert seen.errors + seen.foreign == []


def test_stop_ends_an_endless_loop_and_says_that_variables_are_gone(lab: Callable) -> None:
    with lab() as seen:
        first, second = Cell(seen.page, 0), Cell(seen.page, 1)
        first.run_button.click()
        first.run_button.click()  # while Python is loading
        strip(seen).get_by_text("Stopped.").wait_for()
        first.run()
        second.write("print('begun')\nwhile True:\n    pass")
        second.run_button.click()
        second.box.get_by_text("begun", exact=True).wait_for(timeout=SLOW)
        assert second.run_button.inner_text() == "Stop"
        assert second.box.locator(".cell_output").get_attribute("aria-busy") == "true"
        first.run_button.click()  # waits, and is given up with the other
        second.run_button.click()
        strip(seen).get_by_text("Stopped.").wait_for()
        assert "variables are gone" in strip(seen).inner_text()
        assert second.run_button.inner_text() == "Run" and first.run_button.inner_text() == "Run"
        assert "begun" in second.box.inner_text()
        second.write("GUESTS")
        second.run("failed")
        assert "NameError" in second.error.inner_text()
        assert seen.errors + seen.foreign == []


def test_what_does_not_load_is_told_and_can_be_tried_again(lab: Callable) -> None:
    with lab() as seen:
        missing = "**/python_stdlib.zip"
        seen.page.context.route(missing, lambda route: route.fulfill(status=404, body=""))
        cell = Cell(seen.page, 0)
        before = cell.shown()
        cell.run_button.click()
        strip(seen).get_by_text("Python in the page failed:").wait_for(timeout=SLOW)
        assert "python_stdlib.zip answered 404" in strip(seen).inner_text() and cell.shown() == before
        seen.page.context.unroute(missing)
        cell.run()
        assert seen.foreign == []


def test_reset_gives_the_page_back(lab: Callable) -> None:
    """Recorded outputs return, the figure with controls among them works, and the edit stays until it is discarded."""
    with lab() as seen:
        cells = [Cell(seen.page, number) for number in (1, 4)]
        before = [cell.shown() for cell in cells]
        source = cells[0].box.locator(".cell_input pre").inner_text()
        cells[0].write("7 * 6")
        cells[0].run()
        assert [output["lines"] for output in cells[0].shown()] == [["42"]]
        seen.page.get_by_text("Reset the page").click()
        strip(seen).wait_for(state="hidden")
        assert [cell.shown() for cell in cells] == before
        assert seen.page.evaluate("() => document.activeElement.className") == "cell-run", "the focus is kept"
        cells[0].run()
        assert [output["lines"] for output in cells[0].shown()] == [["42"]], "the edit has stayed"
        seen.page.get_by_text("Reset and discard edits").click()
        strip(seen).wait_for(state="hidden")
        assert [cell.shown() for cell in cells] == before
        cells[0].box.locator(".cell-edit").click()
        assert cells[0].box.locator(".cell_input pre").inner_text() == source
        figure = cells[1].box.locator(".explorer-figure")
        drawn = figure.inner_html()
        cells[1].box.locator("[data-step=back]").click()
        assert figure.inner_html() != drawn and seen.errors == []


def test_an_edit_survives_a_reload_and_can_be_discarded(lab: Callable) -> None:
    with lab() as seen:
        cell = Cell(seen.page, 1)
        source = cell.box.locator(".cell_input pre").inner_text()
        assert not cell.box.get_by_text("Discard edits").is_visible()
        assert not any("editor.js" in name for name in python_files(seen))
        cell.write("x = 1\nx + 1")
        seen.page.reload()
        assert cell.box.locator(".cell_input pre").inner_text().strip() == "x = 1\nx + 1"
        assert not any("editor.js" in name for name in python_files(seen)), "an edit shows without the editor"
        cell.run()
        assert [output["lines"] for output in cell.shown()] == [["2"]]
        cell.box.get_by_text("Discard edits").click()
        assert cell.box.locator(".cell_input pre").inner_text() == source
        assert seen.page.evaluate("() => Object.keys(localStorage).filter((key) => key.includes('edit'))") == []
        seen.page.reload()
        assert cell.box.locator(".cell_input pre").inner_text() == source
        assert seen.errors + seen.foreign == []


def test_everything_is_done_by_keyboard(lab: Callable) -> None:
    """Edit, write, run and leave: Tab goes on from the editor, Escape goes back to the button that opened it."""
    with lab() as seen:
        cell, keys = Cell(seen.page, 1), seen.page.keyboard
        focus = "() => document.activeElement.className"
        cell.box.locator(".cell-edit").focus()
        keys.press("Enter")
        cell.box.locator(".cm-content").wait_for()
        seen.page.wait_for_function("() => document.activeElement.className === 'cell-editor'")
        label = "() => document.activeElement.shadowRoot.activeElement.ariaLabel"
        assert seen.page.evaluate(label) == "Code of cell 2"
        keys.press("Control+a")
        keys.type("if True:\nprint('by key')")
        keys.press("Tab")
        assert seen.page.evaluate(focus) == "cell-run", "Tab leaves the editor"
        keys.press("Shift+Tab")
        assert seen.page.evaluate(focus) == "cell-editor"
        keys.press("Shift+Enter")
        cell.ends("ran")
        assert [output["lines"] for output in cell.shown()] == [["by key"]], "Enter indents after a colon"
        keys.press("Escape")
        assert seen.page.evaluate(focus) == "cell-edit"
        keys.press("Shift+Tab")
        keys.press("Shift+Tab")
        assert seen.page.evaluate(focus) == "cell-run"
        keys.press("Enter")
        cell.ends("ran")
        assert seen.page.evaluate(focus) == "cell-run", "the focus stays where it was"
        assert seen.errors == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_while_it_is_used(lab: Callable, scheme: str) -> None:
    """Before Run, with an editor open, after Run, with an error; nothing is too wide at 320 px."""
    with lab(PHONE, color_scheme=scheme) as seen:
        trouble = [f"before: {found}" for found in seen.axe()]
        Cell(seen.page, 1).write("def f():\n    return 'a string', 12  # a comment")
        trouble += [f"editing: {found}" for found in seen.axe()]
        Cell(seen.page, 3).run("failed")
        Cell(seen.page, 3).error.locator("summary").click()
        trouble += [f"failed: {found}" for found in seen.axe()]
        seen.page.set_viewport_size(SMALL)
        assert trouble + seen.overflowing() + seen.errors == []


def test_nothing_moves_when_the_buttons_come(lab: Callable) -> None:
    with lab() as seen:
        shift = """() => new Promise((done) => {
          let sum = 0;
          new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value)))
            .observe({ type: "layout-shift", buffered: true });
          setTimeout(() => done(sum), 300);
        })"""
        assert seen.page.evaluate(shift) < 0.01


def test_the_buttons_are_large_enough_to_hit(lab: Callable) -> None:
    with lab(PHONE) as seen:
        boxes = [button.bounding_box() for button in seen.page.locator(".cell-tools button:visible").all()]
        assert boxes and all(box["width"] >= 24 and box["height"] >= 24 for box in boxes)


def test_without_script_there_are_no_buttons(lab: Callable) -> None:
    with lab(java_script_enabled=False) as seen:
        assert seen.page.locator(".cell-tools button").count() == 0
        assert not any(place.is_visible() for place in seen.page.locator(".cell-tools").all())


def test_a_page_opened_as_a_file_says_what_it_needs(browser: Any, site: Path) -> None:
    with visit(browser, (site / f"{LAB}.html").as_uri()) as seen:
        for name in (".cell-run", ".cell-edit"):
            seen.page.locator(name).first.click()
            assert "make serve" in strip(seen).inner_text()
        explorer = seen.page.locator(".explorer").first
        assert explorer.get_attribute("data-live") is not None
        font = "() => document.fonts.ready.then(() => getComputedStyle(document.body).fontFamily)"
        assert "Source Serif" in seen.page.evaluate(font)
        assert seen.errors == []


def test_the_policy_is_strict_in_every_page_and_for_the_server(site: Path, address: str) -> None:
    rules = load("look_policy")
    for page in toc():
        html = soup(site, f"{page}.html")
        script = html.head.find("script", src=False).string
        policy = html.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
        assert policy == rules.policy(script, files=True), page
        assert "default-src 'none'" in policy and "'unsafe-eval'" not in policy and "http" not in policy
        assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in policy
        inline = [s for s in html.find_all("script", src=False) if s.get("type") != "application/json"]
        assert len(inline) == 1 and not html.find("style"), page
    for path in ("index.html", "_static/run/worker.js"):
        with urlopen(f"{address}/{path}") as answer:
            assert answer.headers["Content-Security-Policy"].startswith(rules.policy(script)), path


def test_the_policy_is_at_work(lab: Callable) -> None:
    """What it forbids does not happen; the browser says so, and the page's record has it."""
    with lab() as seen:
        seen.page.evaluate("""() => {
          window.refused = new Set();
          addEventListener("securitypolicyviolation", (event) => window.refused.add(event.effectiveDirective));
          document.head.append(Object.assign(document.createElement("style"), { textContent: "p { color: red }" }));
          document.head.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }));
          new Image().src = "https://example.invalid/dot.png";
        }""")
        seen.page.wait_for_function("() => window.refused.size === 3")
        assert sorted(seen.page.evaluate("() => [...window.refused]")) == ["img-src", "script-src-elem", "style-src-elem"]
        assert seen.page.evaluate("() => 'ran' in window") is False


def test_the_keyboard_reaches_the_strip(lab: Callable) -> None:
    with lab() as seen:
        cell = Cell(seen.page, 0)
        cell.run_button.press("Enter")
        cell.ends("ran")
        reset = seen.page.get_by_text("Reset the page")
        reset.focus()
        outline = reset.evaluate("(el) => getComputedStyle(el).outlineStyle")
        assert outline != "none"
        seen.page.keyboard.press("Enter")
        strip(seen).wait_for(state="hidden")
