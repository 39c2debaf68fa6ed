"""What is wider than its place: no cell or caption is cut off unless it scrolls, the keyboard reaches it, and it shows."""

from typing import Any

import pytest

from tests.site.pages import toc
from tests.site.visit import DESK, PHONE, visit

# A table's parts against every box around them that does not let them be seen whole.
CUT = """() => {
  const name = (el) => `${el.tagName.toLowerCase()} “${el.textContent.trim().replace(/\\s+/g, " ").slice(0, 50)}”`;
  const bad = [];
  for (const part of document.querySelectorAll("main :is(caption, th, td)")) {
    if (!part.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(part);
    const right = Math.max(part.tagName === "CAPTION" ? 0 : part.getBoundingClientRect().right, range.getBoundingClientRect().right);
    for (let box = part.parentElement; box; box = box.parentElement) {
      const { overflowX, backgroundImage, backgroundAttachment } = getComputedStyle(box);
      if (overflowX === "visible") continue;
      const inner = box.getBoundingClientRect().left + box.clientLeft + box.clientWidth;
      if (right <= inner + 1) continue;
      if (part.tagName === "CAPTION") bad.push(`${name(part)} is cut off`);
      else if (!/auto|scroll/.test(overflowX)) bad.push(`${name(part)} is cut off by what does not scroll`);
      else if (box.tabIndex < 0) bad.push(`${name(part)} is in a box that the keyboard does not reach`);
      else if (!box.ariaLabel) bad.push(`${name(part)} is in a box without a name`);
      else if (!/gradient/.test(backgroundImage) || !/scroll/.test(backgroundAttachment) || !/local/.test(backgroundAttachment))
        bad.push(`${name(part)} is in a box that does not show that there is more`);
      break;
    }
  }
  return bad;
}"""

# What scrolls sideways and takes no focus, itself or by something in it.
DEAF = """() => [...document.querySelectorAll("main, main *")].filter((el) => {
  const { overflowX } = getComputedStyle(el);
  if (!/auto|scroll/.test(overflowX) || el.scrollWidth <= el.clientWidth + 1) return false;
  return el.checkVisibility({ visibilityProperty: true }) && el.tabIndex < 0 && !el.closest("[inert]");
}).map((el) => `${el.tagName.toLowerCase()}.${el.className} of ${el.scrollWidth} px in ${el.clientWidth}`)"""

@pytest.mark.parametrize("window", [PHONE, DESK], ids=["390", "1280"])
@pytest.mark.parametrize("page", toc())
def test_nothing_is_cut_off_without_a_way_to_it(browser: Any, address: str, page: str, window: dict[str, int]) -> None:
    with visit(browser, f"{address}/{page}.html", window, reduced_motion="reduce") as seen:
        seen.page.wait_for_load_state("networkidle")
        seen.open_everything()
        seen.page.evaluate("() => document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
        seen.page.wait_for_timeout(50)  # the observer of sizes comes after the frame
        assert seen.page.evaluate(CUT) == []
        assert seen.page.evaluate(DEAF) == [], "these scroll, and the keyboard does not reach them"


def test_the_ledger_needs_no_scrolling_on_a_desk(browser: Any, address: str) -> None:
    """Its last column is the one that says how the others are known."""
    with visit(browser, f"{address}/book/reference/fidelity.html", DESK) as seen:
        wide = "(el) => [el.scrollWidth, el.clientWidth]"
        for frame in seen.page.locator("main .table-frame").all():
            needs, has = frame.evaluate(wide)
            assert needs <= has
