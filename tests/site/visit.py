"""A page in a real browser, with a record of what a reader would not see: errors, and requests to other hosts.

The scripts that run inside the page stand here too, so that the tests read as claims.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tools.paths import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
DESK, PHONE, SMALL = {"width": 1280, "height": 900}, {"width": 390, "height": 844}, {"width": 320, "height": 640}
SCHEMES = ("light", "dark")

OVERFLOWING = """() => {
  const width = document.documentElement.clientWidth;
  if (Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) <= width) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((el) => {
    for (let up = el.parentElement; up && up !== document.body; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== "visible") return false;
    return el.getBoundingClientRect().right > width + 1 && el.checkVisibility();
  });
  const names = wide.map((el) => [el.tagName.toLowerCase(), el.id && "#" + el.id, el.getAttribute("class")].join(" "));
  return names.length ? names.slice(-3) : [`page of ${document.documentElement.scrollWidth} px`];
}"""

AXE_RUN = """async (part) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const found = await axe.run(part, { rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] });
  return found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
}"""

BROKEN_IMAGES = """() => [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"""


@dataclass
class Visit:
    """One open page and its record."""

    page: Any
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def overflowing(self) -> list[str]:
        """What is wider than the window, when the page scrolls sideways."""
        return self.page.evaluate(OVERFLOWING)

    def axe(self, part: str = "html") -> list[str]:
        """The violations that axe-core finds in the page or a part of it, each with up to three places."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        return self.page.evaluate(AXE_RUN, part)

    def open_contents(self) -> None:
        """Open the contents, that a narrow window folds away."""
        self.page.locator("[popovertarget=contents]").click()
        assert self.page.locator("nav#contents").is_visible()

    def open_everything(self) -> None:
        """Unfold every disclosure of the text, and open the launch menu."""
        self.page.evaluate("() => document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
        self.page.evaluate("() => document.querySelector('.launch-menu').showPopover()")


@contextmanager
def visit(browser: Any, address: str, window: dict[str, int] = DESK, **options: Any) -> Iterator[Visit]:
    """Open `address` in a fresh context, its resources loaded; `options` are Playwright's."""
    context = browser.new_context(viewport=window, **options)
    context.set_default_timeout(8000)
    page = context.new_page()
    seen = Visit(page)
    host = urlsplit(address).netloc
    page.on("console", lambda m: seen.errors.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(f"exception: {error}"))
    page.on("requestfailed", lambda r: seen.errors.append(f"failed: {r.url}"))
    page.on("response", lambda r: seen.errors.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
    page.on("request", lambda r: seen.foreign.append(r.url) if away(r.url, host) else None)
    try:
        page.goto(address, wait_until="load")
        yield seen
    finally:
        context.close()


def away(url: str, host: str) -> bool:
    """Whether a request leaves the book's own host; data and blob addresses do not."""
    there = urlsplit(url)
    return there.scheme not in ("data", "blob", "about") and there.netloc != host
