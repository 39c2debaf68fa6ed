"""Questions and practice in the built pages: every answer gets its verdict, and every stored problem its key.

The verdicts and problems that the pages must show are those of the parts that the pages' own cells make here.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from smartos.explore import Practice, Predict, Problem
from smartos.explore.kit.reply import Pick
from tests.site.pages import soup, toc
from tests.site.parts import made, stores, with_parts
from tests.site.visit import DESK, PHONE, SMALL, visit

PARTS = ".part.predict, .part.practice"
WORDS = {True: "Right.", False: "Not so."}


def words(html: str) -> str:
    """The text of a piece of HTML, blanks run together."""
    return " ".join(BeautifulSoup(html, "html.parser").get_text().split())


def verdict(section: Any) -> str:
    """What the verdict says, once it says something."""
    said = section.locator(".verdict")
    section.page.wait_for_function("(el) => el.textContent.trim()", arg=said.element_handle())
    return " ".join(said.inner_text().split())


def test_each_chapter_asks_before_it_shows(site: Path) -> None:
    assert len(stores(site, ".part.predict")) >= 18
    assert len(stores(site, ".part.practice")) >= 3


def test_what_is_stored_is_what_the_pages_cells_make(site: Path) -> None:
    for page, _, store in stores(site, PARTS):
        part = made(page)[store["name"]]
        assert part.store(stored=True) == store, f"{page}: {store['name']}"


def test_every_answer_of_every_question_gets_its_verdict(browser: Any, address: str, site: Path) -> None:
    for page in with_parts(site, ".part.predict"):
        with visit(browser, f"{address}/{page}.html", DESK) as seen:
            for section in seen.page.locator(".part.predict").all():
                check_answers(section, made(page)[section.get_attribute("id")])
            assert seen.errors == [] and seen.foreign == []


def check_answers(section: Any, part: Predict) -> None:
    """Nothing tells before; then give each answer by mouse, and its verdict comes in words, and once it is right."""
    visible = " ".join(section.inner_text().split())
    assert not [answer for answer in part.answers if words(part.verdict(answer)["says"]) in visible], part.name
    assert section.locator(".still").is_hidden()
    rights = 0
    for answer in part.answers:
        choice = section.locator(f'input[value="{answer.value}"]')
        choice.check()
        assert section.locator(".verdict").inner_text() == "", "a verdict stands beside another answer"
        section.get_by_role("button", name="Answer").click()
        right = answer.value == part.key
        assert verdict(section) == f"{WORDS[right]} {words(part.verdict(answer)['says'])}"
        rights += right
    assert rights == 1


def test_what_is_called_a_prediction_asks_and_answers(site: Path) -> None:
    """No box has only the name of one, with its answer typed in and folded."""
    named = [
        f"{page}: {title.get_text(strip=True)}"
        for page in toc()
        for title in soup(site, f"{page}.html").select("article :is(.admonition-title, .sd-summary-title, .part-title)")
        if title.get_text(strip=True).startswith("Predict") and not title.find_parent(attrs={"data-part": "predict"})
    ]
    assert named == []


@pytest.mark.parametrize("window", [DESK, PHONE])
def test_the_reply_stands_under_the_button(browser: Any, address: str, site: Path, window: dict[str, int]) -> None:
    """In the size of the text beside it, and before anything else."""
    for page in with_parts(site, ".part.predict"):
        with visit(browser, f"{address}/{page}.html", window) as seen:
            answer_everything(seen.page)
            for section in seen.page.locator(".part.predict").all():
                button = section.get_by_role("button", name="Answer").bounding_box()
                said = section.locator(".verdict p").bounding_box()
                assert abs(said["x"] - button["x"]) < 2, f"{page}: the reply is beside the button"
                assert 0 <= said["y"] - button["y"] - button["height"] < 20, f"{page}: the reply is far from the button"
                size = "(el) => Number.parseFloat(getComputedStyle(el).fontSize)"
                assert section.locator(".verdict p").evaluate(size) >= 15, page


def test_an_answer_is_remembered_until_the_question_is_asked_again(browser: Any, address: str, site: Path) -> None:
    page = with_parts(site, ".part.predict")[0]
    with visit(browser, f"{address}/{page}.html", DESK) as seen:
        section = seen.page.locator(".part.predict").first
        again = section.get_by_role("button", name="Ask again")
        assert again.is_hidden()
        section.get_by_role("radio").nth(1).check()
        section.get_by_role("button", name="Answer").click()
        said = verdict(section)
        stored = seen.page.evaluate("() => JSON.stringify(localStorage)")
        seen.page.reload()
        assert verdict(section) == said and section.get_by_role("radio").nth(1).is_checked()
        assert section.locator(".verdict").get_attribute("aria-live") == "off", "what is only remembered is not announced"
        assert seen.page.evaluate("() => JSON.stringify(localStorage)") == stored
        again.click()
        assert section.locator(".verdict").inner_text() == "" and again.is_hidden()
        assert section.get_by_role("radio").first.evaluate("(el) => el === document.activeElement")
        assert not section.get_by_role("radio").nth(1).is_checked()
        seen.page.reload()
        seen.page.wait_for_timeout(300)
        assert section.locator("input:checked").count() == 0 and section.locator(".verdict").inner_text() == ""
        assert seen.page.evaluate("() => Object.keys(localStorage).filter((key) => key.startsWith('predict'))") == []


def test_a_question_is_answered_by_keyboard_alone(browser: Any, address: str, site: Path) -> None:
    page = with_parts(site, ".part.predict")[0]
    with visit(browser, f"{address}/{page}.html", DESK) as seen:
        section = seen.page.locator(".part.predict[data-live]").first
        section.wait_for()
        section.get_by_role("button", name="Answer").press("Enter")
        assert verdict(section) == "Choose an answer first."
        seen.page.keyboard.press("Shift+Tab")
        seen.page.keyboard.press("ArrowDown")
        assert section.locator("input:checked").count() == 1
        assert section.locator(".verdict").inner_text() == "", "moving through the answers gives none"
        seen.page.keyboard.press("Enter")
        assert re.match("Right|Not so", verdict(section))
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Enter")
        assert section.locator(".verdict").inner_text() == ""


def test_translation_of_the_page_leaves_questions_working(browser: Any, address: str, site: Path) -> None:
    """A browser's translation replaces text nodes by elements of its own; no answer hangs on its words."""
    wrap = """() => {
      const walk = document.createTreeWalker(document.querySelector(".part.predict"), NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walk.nextNode()) if (!walk.currentNode.parentElement.closest("script")) texts.push(walk.currentNode);
      for (const text of texts) {
        const font = document.createElement("font");
        font.textContent = `X${text.textContent}X`;
        text.replaceWith(font);
      }
    }"""
    page = with_parts(site, ".part.predict")[0]
    with visit(browser, f"{address}/{page}.html", DESK) as seen:
        section = seen.page.locator(".part.predict[data-live]").first
        section.wait_for()
        seen.page.evaluate(wrap)
        part = made(page)[section.get_attribute("id")]
        for answer in part.answers:
            section.locator(f'input[value="{answer.value}"]').check()
            section.locator("button").first.click()
            assert verdict(section) == f"{WORDS[answer.value == part.key]} {words(part.verdict(answer)['says'])}"
        assert seen.errors == []


def test_every_stored_problem_takes_its_key_and_refuses_another(browser: Any, address: str, site: Path) -> None:
    for page, _, store in stores(site, ".part.practice"):
        with visit(browser, f"{address}/{page}.html", DESK) as seen:
            section = seen.page.locator(f"#{store['name']}[data-live]")
            section.wait_for()
            check_problems(section, made(page)[store["name"]])
            assert seen.errors == [] and seen.foreign == []


def check_problems(section: Any, part: Practice) -> None:
    """Go through the stored seeds with the button, giving each the key, every slip and a number of nobody's; where there
    are answers to pick, each of them."""
    given = {str(seed): replies(part.problem(seed)) for seed in part.seeds}
    seen = section.evaluate(SWEEP, given)
    assert [found["seed"] for found in seen] == [*given, str(part.seeds[0])], "at the end it comes round to the first"
    for seed, found in zip(part.seeds, seen, strict=False):
        problem = part.problem(seed)
        assert found["left"] == "" and not found["open"], "something of the problem before stays"
        for place, html in problem.shown().items():
            assert words(found[place]) == words(html), f"{part.name}, seed {seed}: {place}"
        for answer, said in zip(given[str(seed)], found["verdicts"], strict=True):
            right, says = problem.check(answer)
            assert words(said) == f"{WORDS[right]} {says.replace('`', '')}", f"{part.name}, seed {seed}: {answer}"


def replies(problem: Problem) -> list[str]:
    """What a reader may give, right and wrong."""
    if isinstance(problem.reply, Pick):
        return list(problem.reply.labels)
    return [problem.canonical, f" {problem.canonical} ", *problem.told, "000000001"]


SWEEP = """async (el, given) => {
  const find = (selector) => el.querySelector(selector);
  const settle = () => new Promise((done) => setTimeout(done, 4));
  const found = [];
  for (let n = 0; n <= Object.keys(given).length; n++) {
    const seed = find("[data-seed]").value;
    const now = { seed, left: find(".verdict").textContent, open: find("details").open, verdicts: [] };
    for (const part of ["text", "figure", "field"]) now[part] = find(`.practice-${part}`).innerHTML;
    find("summary").click();
    now.solution = find(".practice-solution .fold-body").innerHTML;
    for (const answer of given[seed]) {
      const [first, ...others] = el.querySelectorAll("input[name=answer]");
      if (others.length) for (const choice of [first, ...others]) choice.checked = choice.value === answer;
      else first.value = answer;
      find("form button").click();
      await settle();
      now.verdicts.push(find(".verdict").innerHTML);
    }
    found.push(now);
    find("[data-another]").click();
    await settle();
  }
  return found;
}"""


def test_what_cannot_be_read_is_not_called_wrong(browser: Any, address: str, site: Path) -> None:
    page, _, store = stores(site, ".part.practice")[0]
    with visit(browser, f"{address}/{page}.html", DESK) as seen:
        section = seen.page.locator(f"#{store['name']}[data-live]")
        section.wait_for()
        section.get_by_role("button", name="Check").click()
        assert verdict(section).startswith("This takes ")


def test_a_seed_that_the_page_does_not_store_is_said(browser: Any, address: str, site: Path) -> None:
    page, _, store = stores(site, ".part.practice")[0]
    with visit(browser, f"{address}/{page}.html", DESK) as seen:
        section = seen.page.locator(f"#{store['name']}[data-live]")
        section.wait_for()
        before = section.locator(".practice-text").inner_text()
        for seed in ("4000", "constructor"):
            seen.page.evaluate("(hash) => (location.hash = hash)", f"{store['name']}?seed={seed}")
            note = section.locator(".explorer-note", has_text="This page stores the problems of seeds 0 to 35")
            note.wait_for()
        assert section.locator(".practice-text").inner_text() == before
        assert section.locator("[data-seed]").input_value() == "0"
        assert seen.errors == []


def test_python_in_the_page_makes_any_problem_and_checks_its_answers(browser: Any, address: str, site: Path) -> None:
    page, _, store = stores(site, ".part.practice")[0]
    with visit(browser, f"{address}/{page}.html#{store['name']}?seed=4000", DESK) as seen:
        section = seen.page.locator(f"#{store['name']}[data-live]")
        section.get_by_role("button", name="Compute it with Python in the page").click()
        section.locator("input[name=answer]").fill("0")  # an answer to the old problem does not lose the new one
        seen.page.wait_for_function(
            "(el) => el.value === '4000'", arg=section.locator("[data-seed]").element_handle(), timeout=60_000
        )
        assert section.get_attribute("aria-busy") == "false"
        problem = made(page)[store["name"]].problem(4000)
        assert words(section.locator(".practice-text").inner_html()) == words(problem.shown()["text"])
        section.locator("input[name=answer]").fill(problem.canonical)
        section.locator("input[name=answer]").press("Enter")
        assert verdict(section) == f"Right. {words(problem.right)}"
        section.locator("[data-another]").click()
        seen.page.wait_for_function("(el) => el.value === '0'", arg=section.locator("[data-seed]").element_handle())
        assert seen.errors == [] and seen.foreign == []


def test_a_problem_has_an_address_that_leads_back_to_it(browser: Any, address: str, site: Path) -> None:
    for page, _, store in stores(site, ".part.practice"):
        with visit(browser, f"{address}/{page}.html#{store['name']}?seed=5", DESK) as seen:
            section = seen.page.locator(f"#{store['name']}[data-live]")
            seen.page.wait_for_function("(el) => el.value === '5'", arg=section.locator("[data-seed]").element_handle())
            part = made(page)[store["name"]]
            assert words(section.locator(".practice-text").inner_html()) == words(part.problem(5).shown()["text"])
            seen.page.wait_for_function("(el) => el.getBoundingClientRect().top < innerHeight", arg=section.element_handle())
            section.locator("[data-seed]").fill("7")
            section.locator("[data-seed]").press("Enter")
            seen.page.wait_for_url(f"**#{store['name']}?seed=7")
            seen.page.go_back()
            seen.page.wait_for_function("(el) => el.value === '5'", arg=section.locator("[data-seed]").element_handle())
            assert words(section.locator(".practice-text").inner_html()) == words(part.problem(5).shown()["text"])


def test_without_script_answers_are_folded_and_no_control_is_shown(browser: Any, address: str, site: Path) -> None:
    for page in with_parts(site, PARTS):
        with visit(browser, f"{address}/{page}.html", DESK, java_script_enabled=False) as seen:
            for section in seen.page.locator(PARTS).all():
                for control in section.locator("input, button, select").all():
                    assert control.is_hidden(), page
                folded = section.locator("details")
                assert not folded.locator(".fold-body").is_visible()
                folded.locator("summary").click()
                assert folded.locator(".fold-body").is_visible()
            for section in seen.page.locator(".part.predict").all():
                part = made(page)[section.get_attribute("id")]
                text = " ".join(section.inner_text().split())
                assert all(words(part.verdict(answer)["says"]) in text for answer in part.answers)
                assert section.locator(".choice span").first.is_visible(), "the answers to choose from are not shown"
            for section in seen.page.locator(".part.practice").all():
                assert section.locator(".practice-text").is_visible()


@pytest.mark.parametrize(("scheme", "window"), [("light", DESK), ("dark", SMALL)])
def test_axe_finds_nothing_before_and_after_an_answer(
    browser: Any, address: str, site: Path, scheme: str, window: dict[str, int]
) -> None:
    """And what an answer opens has room, on the smallest phone too."""
    for page in with_parts(site, PARTS):
        with visit(browser, f"{address}/{page}.html", window, color_scheme=scheme) as seen:
            seen.page.locator(PARTS).first.wait_for()
            assert seen.axe(PARTS) == [], f"{page}, {scheme}"
            answer_everything(seen.page)
            assert seen.axe(PARTS) == [], f"{page}, {scheme}, answered"
            assert seen.overflowing() == [], page


def answer_everything(page: Any) -> None:
    """Give some answer everywhere, and unfold the solutions."""
    for section in page.locator(".part.predict").all():
        section.get_by_role("radio").first.check()
        section.get_by_role("button", name="Answer").click()
        verdict(section)
    for section in page.locator(".part.practice").all():
        section.locator("input[name=answer]").fill("1")
        section.get_by_role("button", name="Check").click()
        section.locator("summary").click()
        verdict(section)


def test_nothing_moves_when_the_script_comes_and_paper_has_no_controls(browser: Any, address: str, site: Path) -> None:
    """The place of the controls is kept before they can be used; on paper the answers stand there instead."""
    box = "(els) => els.map((el) => Math.round(el.getBoundingClientRect().height))"
    for page in with_parts(site, PARTS):
        with visit(browser, f"{address}/{page}.html", DESK) as seen:
            sections = seen.page.locator(".part.predict[data-live], .part.practice[data-live]")
            sections.first.wait_for()
            live = sections.evaluate_all(box)
            seen.page.emulate_media(media="print")
            assert all(details.is_visible() for details in seen.page.locator(PARTS).locator("details").all())
            assert not [c for c in seen.page.locator(PARTS).locator("input, button").all() if c.is_visible()], page
        context = browser.new_context(viewport=DESK)
        quiet = context.new_page()
        quiet.route("**/smartos.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        quiet.goto(f"{address}/{page}.html", wait_until="load")
        waiting = quiet.locator(PARTS).evaluate_all(box)
        context.close()
        assert waiting == live, page
