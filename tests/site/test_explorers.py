"""The interactive figures of the built pages: what a control shows is the frame that the model yielded."""

import json
from itertools import product
from pathlib import Path
from typing import Any

from bs4 import Tag
from tests.site.pages import soup, toc
from tests.site.visit import DESK, visit

STATE = """(el) => {
  const store = JSON.parse(el.querySelector(".explorer-store").textContent);
  const inputs = store.controls.map((c) => el.querySelector(`[data-control="${c.key}"]`));
  const at = inputs.map((i) => (i.type === "checkbox" ? Number(i.checked) : Number(i.value)));
  const run = store.runs[store.controls.reduce((sum, c, i) => sum * c.values.length + at[i], 0)];
  const jump = el.querySelector("[data-jump]");
  const [figure, says] = run[jump ? Number(jump.value) : 0];
  const parsed = document.createElement("div");
  parsed.innerHTML = store.figures[figure];
  return {
    at, step: jump ? Number(jump.value) : 0, steps: run.length,
    figure: parsed.innerHTML === el.querySelector(".explorer-figure").innerHTML,
    says: store.says[says] === el.querySelector(".explorer-says").textContent,
  };
}"""


def with_explorers(site: Path) -> list[str]:
    """The pages that have an explorer."""
    return [page for page in toc() if soup(site, f"{page}.html").select_one(".explorer")]


def stores(site: Path) -> list[tuple[str, Tag, dict]]:
    """Every explorer of the book: its page, its markup, its stored frames."""
    return [
        (page, section, json.loads(section.select_one(".explorer-store").string))
        for page in with_explorers(site)
        for section in soup(site, f"{page}.html").select(".explorer")
    ]


def test_the_book_has_explorers(site: Path) -> None:
    assert with_explorers(site), "no page has an interactive figure; the tests below would prove nothing"


def test_each_is_named_and_its_name_is_its_address(site: Path) -> None:
    for page, section, store in stores(site):
        assert section["id"] == store["name"], page
        assert soup(site, f"{page}.html").find(id=section["aria-labelledby"]).get_text(strip=True), page


def test_the_store_has_a_frame_for_every_point_and_each_has_words(site: Path) -> None:
    for page, _, store in stores(site):
        points = list(product(*(control["values"] for control in store["controls"])))
        assert len(store["runs"]) == len(points), f"{page}: {store['name']}"
        assert all(run for run in store["runs"]), f"{page}: {store['name']} has a point without a frame"
        assert all(len(words.split()) >= 3 for words in store["says"]), (
            f"{page}: {store['name']} has a frame without words"
        )


def test_no_control_moves_without_effect(site: Path) -> None:
    idle = [
        f"{page}: {store['name']}, {control['key']}"
        for page, _, store in stores(site)
        for position, control in enumerate(store["controls"])
        if not matters(store, position)
    ]
    assert idle == []


def matters(store: dict, position: int) -> bool:
    """Whether some pair of states that differ in this control alone show different frames."""
    sizes = [len(control["values"]) for control in store["controls"]]
    frames = dict(zip(product(*map(range, sizes)), store["runs"], strict=True))
    return any(frames[at] != frames[at[:position] + (0,) + at[position + 1 :]] for at in frames)


def test_without_script_the_default_state_is_in_the_page(browser: Any, address: str, site: Path) -> None:
    for page in with_explorers(site):
        with visit(browser, f"{address}/{page}.html", java_script_enabled=False) as seen:
            for section in seen.page.locator(".explorer").all():
                assert section.locator(".explorer-figure").is_visible(), page
                assert section.locator(".explorer-says").is_visible(), page
                for keys in section.locator(".explorer-keys").all():
                    assert keys.is_visible(), f"{page}: the key states are not shown without script"
    for page, section, store in stores(site):
        run = store["runs"][flat(store, store["default"])]
        assert section.select_one(".explorer-says").get_text() == store["says"][run[store["start"]][1]], page


def flat(store: dict, indices: list[int]) -> int:
    """A state's place in the store, the last control running fastest."""
    place = 0
    for control, index in zip(store["controls"], indices, strict=True):
        place = place * len(control["values"]) + index
    return place


def test_every_control_changes_the_figure_to_the_models_frame(browser: Any, address: str, site: Path) -> None:
    """Each control of each explorer is changed once, by keyboard; axe finds nothing afterwards either."""
    for page in with_explorers(site):
        with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
            for section in seen.page.locator(".explorer").all():
                check_explorer(section, page)
            assert seen.errors + seen.axe() == [], page


def check_explorer(section: Any, page: str) -> None:
    """Move every control of one explorer and compare what is shown with its store."""
    name = f"{page}: {section.get_attribute('id')}"
    shown(section, f"{name} at rest")
    for control in section.locator("[data-control]").all():
        key = control.get_attribute("data-control")
        before = shown(section, name)["at"]
        change(control)
        assert shown(section, f"{name}, {key}")["at"] != before, f"{name}: {key} does not move"
    if section.locator("[data-jump]").count():
        check_steps(section, name)


def shown(section: Any, where: str) -> dict:
    """The state that the controls stand at, once figure and words are known to be its frame."""
    state = section.evaluate(STATE)
    assert state["figure"], f"{where}: the figure is not the frame of the state that the controls show"
    assert state["says"], f"{where}: the words are not those of the state that the controls show"
    return state


def change(control: Any) -> None:
    """Give a control another value than it has."""
    control.scroll_into_view_if_needed()
    if control.evaluate("(el) => el.tagName") == "SELECT":
        control.select_option(index=1 if control.evaluate("(el) => el.selectedIndex") == 0 else 0)
    elif control.get_attribute("type") == "checkbox":
        control.press("Space")
    else:
        control.press("ArrowLeft" if control.evaluate("(el) => el.value === el.max") else "ArrowRight")


def check_steps(section: Any, name: str) -> None:
    """Walk a stepper to its ends by keyboard; at an end the button changes nothing."""
    for button, expect in (("first", 0), ("forward", 1), ("back", 0), ("back", 0)):
        section.locator(f'[data-step="{button}"]').press("Enter")
        state = shown(section, f"{name}, {button}")
        assert state["step"] == min(expect, state["steps"] - 1), f"{name}: {button} leads to step {state['step']}"
    section.locator('[data-step="last"]').press("Enter")
    assert (state := shown(section, f"{name}, last"))["step"] == state["steps"] - 1
    section.locator("[data-jump]").press("ArrowLeft")
    assert shown(section, f"{name}, jump")["step"] == max(0, state["steps"] - 2)


def test_a_state_has_an_address_that_leads_back_to_it(browser: Any, address: str, site: Path) -> None:
    for page in with_explorers(site):
        for where, _, store in stores(site):
            if where != page or not store["controls"]:
                continue
            last = [len(control["values"]) - 1 for control in store["controls"]]
            query = "&".join(f"{c['key']}={c['values'][-1]}" for c in store["controls"])
            with visit(browser, f"{address}/{page}.html#{store['name']}?{query}") as seen:
                assert shown(seen.page.locator(f".explorer#{store['name']}"), store["name"])["at"] == last
                assert seen.errors == []
