"""The explorers of the built pages: every state of every lattice, set through its controls, is what the model yields.

The model's side does not come from the page: the page's cells are run again in this process, and the explorers that
they make are asked anew.
"""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from smartos.explore.kit.explorer import Explorer
from tests.site.pages import soup
from tests.site.parts import HOLDS, expected, made, stores, with_parts
from tests.site.visit import DESK, PHONE, SCHEMES, SMALL, visit

EXPLORERS = ".explorer, .stepper"

# Sets each state through the controls and compares figure, words and table; walks each run forward and back.
SWEEP = """async ([name, states, stepper]) => {
  const el = document.getElementById(name);
  const find = (selector) => el.querySelector(selector);
  const controls = [...el.querySelectorAll("[data-control]")];
  const parse = (html) => Object.assign(document.createElement("div"), { innerHTML: html }).innerHTML;
  const settled = async () => {
    do await new Promise((done) => setTimeout(done)); while (el.ariaBusy === "true");
  };
  const set = (control, text, values) => {
    if (control.type === "checkbox") control.checked = text === "True";
    else if (control.type === "range") control.value = values.indexOf(text);
    else control.value = text;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const store = window.sweepStores[name];
  const wrong = [];
  let seen = 0;
  const check = ([figure, says, table], where) => {
    seen += 1;
    if (find(".explorer-figure").innerHTML !== parse(figure)) wrong.push(`${where}: figure`);
    if (find(".explorer-says").textContent !== says) wrong.push(`${where}: words “${find(".explorer-says").textContent}”`);
    const shown = find(".explorer-table");
    if (table && shown.hidden) wrong.push(`${where}: the table is hidden`);
    if (table && shown.querySelector(":scope > :not(summary)").outerHTML !== parse(table)) wrong.push(`${where}: table`);
    if (!table && shown && !shown.hidden) wrong.push(`${where}: a table that the model does not have`);
  };
  for (const { values, frames } of states) {
    for (const [i, text] of values.entries()) set(controls[i], text, store[i]);
    await settled();
    const where = `${name} ${values}`;
    if (!stepper) {
      check(frames[0], where);
      continue;
    }
    const button = (what) => find(`[data-step="${what}"]`);
    button("first").click();
    await settled();
    for (let n = 0; n < frames.length; n++) {
      check(frames[n], `${where} step ${n}, forward`);
      button("forward").click();
      await settled();
    }
    for (let n = frames.length - 1; n >= 0; n--) {
      check(frames[n], `${where} step ${n}, back`);
      button("back").click();
      await settled();
    }
    const words = [...el.querySelectorAll(".explorer-transcript li")].map((item) => item.textContent);
    if (words.join() !== frames.map((frame) => frame[1]).join()) wrong.push(`${where}: transcript`);
  }
  return { seen, wrong };
}"""


def test_the_book_has_explorers(site: Path) -> None:
    assert with_parts(site, EXPLORERS), "no page has an interactive figure; the tests below would prove nothing"


def test_each_is_named_and_its_name_is_its_address(site: Path) -> None:
    for page, section, store in stores(site):
        assert section["id"] == store["name"], page
        assert soup(site, f"{page}.html").find(id=section["aria-labelledby"]).get_text(strip=True), page


def test_the_pages_show_the_explorers_that_their_code_makes(site: Path) -> None:
    for page in with_parts(site, EXPLORERS):
        names = {name for name, part in made(page).items() if isinstance(part, Explorer)}
        assert names == {store["name"] for where, _, store in stores(site) if where == page}


def test_every_state_of_every_explorer_is_what_the_model_yields(browser: Any, address: str, site: Path) -> None:
    """The sweep. Its count is printed."""
    total = states = 0
    for page in with_parts(site, EXPLORERS):
        with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
            known = {s["name"]: [c["values"] for c in s["controls"]] for where, _, s in stores(site) if where == page}
            seen.page.evaluate("(known) => (window.sweepStores = known)", known)
            for name in known:
                part = made(page)[name]
                wanted = expected(part)
                found = seen.page.evaluate(SWEEP, [name, wanted, part.kind == "stepper"])
                assert found["wrong"] == [], page
                assert found["seen"] >= len(wanted)
                total += found["seen"]
                states += len(wanted)
            assert seen.errors + seen.foreign + seen.axe() == [], page
    print(f"\nsweep: {total} frames in {states} states of {len(stores(site))} explorers equal the model's")


def test_every_state_is_stored_and_has_words(site: Path) -> None:
    for page, _, store in stores(site):
        points = list(product(*(control["values"] for control in store["controls"])))
        assert len(store["runs"]) == len(points), f"{page}: {store['name']}"
        short = [words for words in store["says"] if len(words.split()) < 3]
        assert short == [], f"{page}: {store['name']} has a frame without words"


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
    for page in with_parts(site, EXPLORERS):
        with visit(browser, f"{address}/{page}.html", java_script_enabled=False) as seen:
            for section in seen.page.locator(EXPLORERS).all():
                assert section.locator(".explorer-figure").is_visible(), page
                assert section.locator(".explorer-says").is_visible(), page
                assert not section.locator(".explorer-controls").is_visible(), f"{page}: dead controls are shown"
                for keys in section.locator(".explorer-keys").all():
                    assert keys.is_visible(), f"{page}: the key states are not shown without script"
    for page, section, store in stores(site):
        part = made(page)[store["name"]]
        assert section.select_one(".explorer-says").get_text() == part.frames(**part.default)[part.start()].says, page


def test_every_control_works_by_keyboard(browser: Any, address: str, site: Path) -> None:
    """Each control of each explorer is changed once with keys alone, and the address follows."""
    for page in with_parts(site, EXPLORERS):
        with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
            for store in (store for where, _, store in stores(site) if where == page):
                name = store["name"]
                section = seen.page.locator(f"#{name}")
                for control in store["controls"]:
                    before = section.locator(".explorer-figure").inner_html(), seen.page.evaluate(STATE, name)
                    press(section.locator(f'[data-control="{control["key"]}"]'))
                    seen.page.wait_for_function("(name) => location.hash.startsWith(`#${name}?`)", arg=name)
                    after = section.locator(".explorer-figure").inner_html(), seen.page.evaluate(STATE, name)
                    assert before != after, f"{page}: {name}, {control['key']} does not move"
                if store["kind"] == "stepper":
                    walk(section, name)
            assert seen.errors == [], page


STATE = "(name) => [...document.querySelectorAll(`#${name} [data-control]`)].map((el) => el.checked + el.value)"


def press(field: Any) -> None:
    """Give a control another value than it has, with the keyboard."""
    if field.get_attribute("type") == "checkbox":
        return field.press("Space")
    select = field.evaluate("(el) => el.tagName") == "SELECT"
    at_end = field.evaluate("(el) => (el.tagName === 'SELECT' ? el.selectedIndex === el.length - 1 : el.value === el.max)")
    back, on = ("ArrowUp", "ArrowDown") if select else ("ArrowLeft", "ArrowRight")
    return field.press(back if at_end else on)


def walk(section: Any, name: str) -> None:
    """Walk a stepper to its ends with keys; at an end its button changes nothing."""
    jump = section.locator("[data-jump]")
    for button, expect in (("first", "0"), ("forward", "1"), ("back", "0"), ("back", "0")):
        section.locator(f'[data-step="{button}"]').press("Enter")
        assert jump.input_value() == expect, f"{name}: {button} leads to step {jump.input_value()}"
    section.locator('[data-step="last"]').press("Enter")
    assert jump.input_value() == jump.get_attribute("max")
    jump.press("ArrowLeft")
    assert int(jump.input_value()) == int(jump.get_attribute("max")) - 1


def test_nothing_plays_by_itself_and_play_stops_at_the_end(browser: Any, address: str, site: Path) -> None:
    page, _, store = next(found for found in stores(site) if found[2]["kind"] == "stepper")
    with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
        section = seen.page.locator(f"#{store['name']}")
        jump, play = section.locator("[data-jump]"), section.locator('[data-step="play"]')
        section.locator('[data-step="first"]').click()
        seen.page.wait_for_timeout(1200)
        assert jump.input_value() == "0"
        section.locator("[data-speed]").select_option("400")
        play.click()
        assert play.get_attribute("aria-label") == "Pause"
        seen.page.wait_for_function("(el) => el.value === el.max", arg=jump.element_handle(), timeout=20_000)
        seen.page.wait_for_function("(el) => el.ariaLabel === 'Play'", arg=play.element_handle())


def test_another_value_of_a_control_keeps_the_step(browser: Any, address: str, site: Path) -> None:
    """Two runs of a stepper are compared at the same step, or at the last one of a run that has no such step."""
    tried = 0
    for page, _, store in stores(site, ".stepper"):
        with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
            section = seen.page.locator(f"#{store['name']}[data-live]")
            part = made(page)[store["name"]]
            state = dict(part.default)
            section.locator('[data-step="first"]').press("Enter")
            section.locator('[data-step="forward"]').press("Enter")
            for key, control in part.controls.items():
                for value in [*control.values, control.values[0]]:
                    if value == state[key]:
                        continue
                    state[key] = value
                    put(section.locator(f'[data-control="{key}"]'), control.values.index(value))
                    frames = part.frames(**state)
                    words = section.locator(".explorer-says")
                    same = "([el, says]) => el.textContent === says"
                    says = frames[min(1, len(frames) - 1)].says
                    seen.page.wait_for_function(same, arg=[words.element_handle(), says])
                    tried += 1
    assert tried >= 5


def put(field: Any, at: int) -> None:
    """Give a control the value at a place of its list, as a pointer does."""
    if field.evaluate("(el) => el.tagName") == "SELECT":
        field.select_option(index=at)
    elif field.get_attribute("type") == "checkbox":
        field.set_checked(at == 1)
    else:
        field.fill(str(at))


def test_play_at_the_end_begins_anew(browser: Any, address: str, site: Path) -> None:
    """Where a stepper opens at its end too: the button is no dead one."""
    for page, _, store in stores(site, ".stepper"):
        with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
            section = seen.page.locator(f"#{store['name']}[data-live]")
            jump, play = section.locator("[data-jump]"), section.locator('[data-step="play"]')
            section.locator('[data-step="last"]').press("Enter")
            assert play.get_attribute("aria-disabled") == "false", store["name"]
            play.press("Enter")
            assert jump.input_value() == "0" and play.get_attribute("aria-label") == "Pause", store["name"]
            seen.page.wait_for_function("(el) => el.value === '1'", arg=jump.element_handle())
            play.press("Enter")
            assert play.get_attribute("aria-label") == "Play"


def test_a_state_has_an_address_that_leads_back_to_it(browser: Any, address: str, site: Path) -> None:
    for page, _, store in stores(site):
        if not store["controls"]:
            continue
        query = "&".join(f"{c['key']}={c['values'][-1]}" for c in store["controls"])
        with visit(browser, f"{address}/{page}.html#{store['name']}?{query}") as seen:
            section = seen.page.locator(f"#{store['name']}")
            part = made(page)[store["name"]]
            last = {key: control.values[-1] for key, control in part.controls.items()}
            frames = part.frames(**last)
            words = frames[min(part.start(), len(frames) - 1)].says  # a run may be shorter than the default's
            section.locator(".explorer-says", has_text=words[:60]).wait_for()
            assert section.locator(".explorer-says").inner_text() == words
            seen.page.wait_for_function(IN_SIGHT, arg=store["name"])
            assert seen.errors == []


IN_SIGHT = """(name) => {
  const { top, bottom } = document.getElementById(name).getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}"""


def test_back_undoes_one_move_and_leaves_the_other_explorers_alone(browser: Any, address: str, site: Path) -> None:
    """On a page with two explorers: move one, then the other, go back twice, and forward again."""
    page = next(p for p in with_parts(site, EXPLORERS) if sum(where == p for where, *_ in stores(site)) > 1)
    one, two = [store["name"] for where, _, store in stores(site) if where == page][:2]
    with visit(browser, f"{address}/{page}.html", DESK) as seen:

        def words() -> list[str]:
            return [seen.page.locator(f"#{name} .explorer-says").inner_text() for name in (one, two)]

        def move(name: str) -> None:
            was = seen.page.url
            press(seen.page.locator(f"#{name} [data-control]").first)
            seen.page.wait_for_function("(was) => location.href !== was", arg=was)

        def go(way: str, wanted: list[str]) -> None:
            seen.page.evaluate(f"() => history.{way}()")
            seen.page.wait_for_timeout(250)
            assert words() == wanted

        start = words()
        move(one)
        middle = words()
        move(two)
        end = words()
        assert start != middle != end and start[0] != end[0] and start[1] != end[1]
        go("back", middle)
        go("back", start)
        go("forward", middle)
        go("forward", end)
        seen.page.reload()
        seen.page.wait_for_timeout(400)
        assert words() == end, "a reload keeps what was set"
        assert seen.errors == []


def test_off_the_lattice_the_control_snaps_and_says_so(browser: Any, address: str, site: Path) -> None:
    free = [
        (page, store, control)
        for page, _, store in stores(site)
        for control in store["controls"]
        if control.get("between")
    ]
    assert free, "no control of the book takes a value between its listed ones"
    for page, store, control in free:
        with visit(browser, f"{address}/{page}.html", DESK) as seen:
            section = seen.page.locator(f"#{store['name']}")
            field = section.locator(f'[data-exact="{control["key"]}"]')
            high = int(control["between"][1])
            field.fill(str(high))
            field.press("Enter")
            note = section.locator(".explorer-note")
            seen.page.wait_for_function("(el) => el.textContent", arg=note.element_handle())
            assert f"{control['key']} = {high}" in note.inner_text()
            nearest = min(control["values"], key=lambda value: abs(int(value) - high))
            assert field.input_value() == nearest
            assert seen.errors == []


def test_the_link_to_a_state_is_copied(browser: Any, address: str, site: Path) -> None:
    page, _, store = next(found for found in stores(site) if found[2]["controls"])
    with visit(browser, f"{address}/{page}.html", DESK, permissions=["clipboard-read", "clipboard-write"]) as seen:
        seen.page.locator(f"#{store['name']} [data-copy-link]").click()
        seen.page.locator(f"#{store['name']} .explorer-note", has_text="Copied").wait_for()
        copied = seen.page.evaluate("() => navigator.clipboard.readText()")
        assert copied.startswith(f"{address}/{page}.html#{store['name']}?")


def test_steps_move_nothing_below_them(browser: Any, address: str, site: Path) -> None:
    """The room of the tallest drawing and the longest sentence is kept, on a phone too."""
    moved = []
    for page in with_parts(site, EXPLORERS):
        names = [store["name"] for where, _, store in stores(site) if where == page]
        for window in (DESK, PHONE, SMALL):
            with visit(browser, f"{address}/{page}.html", window) as seen:
                found = {name: seen.page.evaluate(HEIGHTS, name) for name in names}
            moved += [
                f"{page}: {name} at {window['width']} px is {heights} px high"
                for name, heights in found.items()
                if len(heights) != 1
            ]
    assert moved == []


HEIGHTS = """async (name) => {
  const el = document.getElementById(name);
  await document.fonts.ready;
  const heights = new Set();
  const note = () => heights.add(Math.round(el.querySelector(".explorer-frame").getBoundingClientRect().height));
  const settle = () => new Promise((done) => setTimeout(done, 5));
  note();
  for (const control of el.querySelectorAll("select[data-control]"))
    for (const option of control.options) {
      control.value = option.value;
      control.dispatchEvent(new Event("input", { bubbles: true }));
      await settle();
      note();
    }
  const jump = el.querySelector("[data-jump]");
  for (let n = 0; jump && n <= Number(jump.max); n++) {
    jump.value = n;
    jump.dispatchEvent(new Event("input", { bubbles: true }));
    await settle();
    note();
  }
  return [...heights];
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_default_states_are_kept_as_pictures(browser: Any, address: str, site: Path, build: Path, scheme: str) -> None:
    """For review: a picture of each explorer as a reader first sees it, in the build folder."""
    folder = build / "pictures"
    folder.mkdir(exist_ok=True)
    taken = 0
    for page in with_parts(site, EXPLORERS):
        with visit(browser, f"{address}/{page}.html", DESK, color_scheme=scheme) as seen:
            for section in seen.page.locator(EXPLORERS).all():
                name = section.get_attribute("id")
                section.screenshot(path=folder / f"{page.replace('/', '-')}-{name}-{scheme}.png")
                taken += 1
    assert taken == len(stores(site))


def test_python_in_the_page_computes_what_no_frame_is_stored_for(browser: Any, address: str, site: Path) -> None:
    """The offer beside the nearest frame starts Python, and what it shows is what the model yields."""
    page, store, control = next(
        (page, store, control)
        for page, _, store in stores(site)
        for control in store["controls"]
        if control.get("between")
    )
    high = int(control["between"][1])
    part = made(page)[store["name"]]
    wanted = part.frames(**{**part.default, control["key"]: high})[part.start() if part.kind == "stepper" else 0]
    with visit(browser, f"{address}/{page}.html", DESK) as seen:
        section = seen.page.locator(f"#{store['name']}")
        field = section.locator(f'[data-exact="{control["key"]}"]')
        field.fill(str(high))
        field.press("Enter")
        section.get_by_role("button", name="Compute it with Python in the page").click()
        words = section.locator(".explorer-says")
        same = "([el, says]) => el.textContent === says"
        seen.page.wait_for_function(same, arg=[words.element_handle(), wanted.says], timeout=90_000)
        assert section.locator(".explorer-figure").evaluate(HOLDS, wanted.figure)
        assert field.input_value() == str(high)
        seen.page.wait_for_url(f"**{control['key']}={high}**")
        assert seen.errors + seen.foreign == []
