"""What a reader does with a cell beside running it: stop it, take the page back, edit, read an error, use keys."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.site.running import LAB, SLOW, Cell, python_files, strip
from tests.site.visit import DESK, PHONE, SCHEMES, SMALL, Visit, visit


@pytest.fixture
def lab(browser: Any, address: str) -> Callable[..., AbstractContextManager[Visit]]:
    """Opens the lab page, which has cells of every kind."""
    return lambda window=DESK, **options: visit(
        browser, f"{address}/{LAB}.html", window, reduced_motion="reduce", **options
    )


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
        cell = Cell(seen.page, 4)
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
        cells = [Cell(seen.page, number) for number in (1, 5)]
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


RECORDED = "Recorded, of the original code."
EARLIER = "Of the code as it was when it ran."
CUT = "Stopped: this had come by then."


def test_an_output_of_other_code_says_so(lab: Callable) -> None:
    """Recorded under an edit, run and then edited, edited and then given back: never another code's output unmarked."""
    with lab() as seen:
        cell = Cell(seen.page, 1)
        stale = cell.box.locator(".cell_output.stale")
        assert cell.origin.count() == 0 and stale.count() == 0
        cell.write("6 * 7")
        assert cell.origin.inner_text() == RECORDED and stale.count() == 1
        seen.page.reload()
        cell.origin.wait_for()
        assert cell.origin.inner_text() == RECORDED and stale.count() == 1
        assert seen.axe() == []
        cell.run()
        assert cell.origin.count() == 0 and stale.count() == 0
        cell.write("6 * 8")
        assert cell.origin.inner_text() == EARLIER and stale.count() == 1
        cell.write("6 * 7")
        assert cell.origin.count() == 0, "it is the code of this output again"
        cell.box.get_by_text("Discard edits").click()
        assert cell.origin.inner_text() == EARLIER
        seen.page.get_by_text("Reset the page").click()
        strip(seen).wait_for(state="hidden")
        assert cell.origin.count() == 0 and stale.count() == 0
        assert seen.errors == []


def test_a_stopped_cell_says_so_and_what_its_output_is(lab: Callable) -> None:
    """Nothing had come: the recorded output is still there, of other code. Something had come: that is not the whole."""
    with lab() as seen:
        cell = Cell(seen.page, 1)
        cell.write("while True:\n    pass")
        cell.run_button.click()
        strip(seen).get_by_text("Python is loading").wait_for()
        cell.ends("running")
        cell.run_button.click()
        cell.ends("stopped")
        assert cell.note.inner_text().endswith("· stopped") and cell.origin.inner_text() == RECORDED
        cell.write("print('begun')\nwhile True:\n    pass")
        cell.run_button.click()
        cell.box.get_by_text("begun", exact=True).wait_for(timeout=SLOW)
        cell.run_button.click()
        cell.ends("stopped")
        assert cell.origin.inner_text() == CUT and cell.box.locator(".stale").count() == 0
        cell.write("print('done')")
        assert cell.origin.inner_text() == f"{CUT[:-1]}; {EARLIER[0].lower()}{EARLIER[1:]}"
        cell.run()
        assert cell.origin.count() == 0 and cell.note.inner_text().startswith("Cell 2 · edited · ran here")
        assert seen.errors + seen.foreign == []


def test_a_new_output_that_scrolls_is_reached_by_the_keyboard(lab: Callable) -> None:
    with lab(PHONE) as seen:
        cell = Cell(seen.page, 1)
        cell.write("print('wide ' * 80)\nprint('narrow')")
        cell.run()
        pre = cell.box.locator(".cell_output pre").first
        seen.page.wait_for_function("(el) => el.scrollWidth > el.clientWidth && el.tabIndex === 0", arg=pre.element_handle())
        pre.focus()
        seen.page.keyboard.press("ArrowRight")
        seen.page.wait_for_function("(el) => el.scrollLeft > 0", arg=pre.element_handle())


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
        Cell(seen.page, 4).run("failed")
        Cell(seen.page, 4).error.locator("summary").click()
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
