"""Every page by keyboard alone: Tab reaches all that can be used, shows where it is, and leaves again."""

from typing import Any

import pytest

from tests.site.pages import toc
from tests.site.visit import DESK, visit

RECORD = """() => {
  const can = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  const name = (el) => {
    const text = el.getAttribute("aria-label") || el.textContent.trim() || el.id || el.className;
    return `${el.tagName.toLowerCase()} “${text.slice(0, 40)}”`;
  };
  const usable = [...document.querySelectorAll(can)].filter((el) =>
    el.checkVisibility({ visibilityProperty: true }) && !el.disabled && el.tabIndex >= 0 && el.type !== "radio" &&
    !el.closest("[inert]"));
  const shows = ["outlineStyle", "outlineWidth", "boxShadow", "borderColor", "backgroundColor", "textDecoration"];
  const look = (el) => shows.map((property) => getComputedStyle(el)[property]).join();
  const rest = new Map(usable.map((el) => [el, look(el)]));
  window.walk = { usable, reached: new Set(), faint: [], name };
  document.addEventListener("focusin", ({ target }) => {
    window.walk.reached.add(target);
    if (rest.get(target) === look(target)) window.walk.faint.push(name(target));
  });
  return usable.length;
}"""

MISSED = """() => window.walk.usable.filter((el) => !window.walk.reached.has(el)).map(window.walk.name)"""


@pytest.mark.parametrize("page", toc())
def test_tab_reaches_everything_and_shows_where_it_is(browser: Any, address: str, page: str) -> None:
    with visit(browser, f"{address}/{page}.html", DESK, reduced_motion="reduce") as seen:
        count = seen.page.evaluate(RECORD)
        assert count > 5, "a page has links, at least"
        for _ in range(2 * count):  # radio buttons and boxes that scroll are stops too, and are not counted
            seen.page.keyboard.press("Tab")
        assert seen.page.evaluate(MISSED) == [], "Tab does not reach these"
        assert seen.page.evaluate("() => [...new Set(window.walk.faint)]") == [], "these look no different with focus"


@pytest.mark.parametrize("page", toc())
def test_the_skip_link_is_first_and_leads_to_the_text(browser: Any, address: str, page: str) -> None:
    with visit(browser, f"{address}/{page}.html", DESK) as seen:
        seen.page.keyboard.press("Tab")
        target = seen.page.evaluate("() => document.activeElement.getAttribute('href') ?? ''")
        assert target.startswith("#") and seen.page.locator(target).count() == 1
