"""Every page in a real browser: 1280, 390 and 320 px, light and dark, folded and unfolded, and on paper."""

from pathlib import Path
from typing import Any

import pytest

from tests.site.pages import article, toc
from tests.site.visit import AXE, BROKEN_IMAGES, DESK, PHONE, SCHEMES, SMALL, visit

PAGES = toc()


@pytest.fixture(scope="session", autouse=True)
def axe_is_there() -> None:
    assert AXE.exists(), "axe-core is missing; run: make assets"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("page", PAGES)
def test_page_is_sound(browser: Any, address: str, page: str, scheme: str) -> None:
    """No error, no request away, no sideways scroll and nothing for axe, at both widths, folded and unfolded."""
    trouble = []
    with visit(browser, f"{address}/{page}.html", DESK, color_scheme=scheme, reduced_motion="reduce") as seen:
        seen.page.wait_for_load_state("networkidle")
        for window in (DESK, PHONE, SMALL) if scheme == "light" else (DESK, PHONE):
            seen.page.set_viewport_size(window)
            at = f"at {window['width']} px"
            if window is PHONE:
                seen.open_contents()
                trouble += [f"{at}, contents open, axe: {violation}" for violation in seen.axe("nav#contents")]
                seen.open_everything()
            trouble += [f"{at} too wide: {name}" for name in seen.overflowing()]
            if window is not SMALL:
                trouble += [f"{at} axe: {violation}" for violation in seen.axe()]
        trouble += [f"no picture: {source}" for source in seen.page.evaluate(BROKEN_IMAGES)]
        trouble += seen.errors + [f"request away: {url}" for url in seen.foreign]
    assert not trouble, "\n".join(trouble)


def test_dark_is_dark_and_light_is_light(browser: Any, address: str) -> None:
    """The reader's system decides, and both schemes are really there."""
    brightness = {}
    for scheme in SCHEMES:
        with visit(browser, f"{address}/{PAGES[1]}.html", color_scheme=scheme) as seen:
            colour = seen.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
            brightness[scheme] = sum(int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
    assert brightness["light"] > 600 and brightness["dark"] < 200, brightness


HANGING = """() => [...document.querySelectorAll("article blockquote p:first-child")].map((p) => [
  [...p.childNodes].every((node) => node.lang === "ja" || !/[\\p{L}]/u.test(node.textContent)),
  !["none", "normal"].includes(getComputedStyle(p, "::before").content),
])"""


def test_no_latin_quotation_mark_hangs_before_japanese(browser: Any, address: str, site: Path) -> None:
    """And one does before what is quoted in English."""
    seen_of = {True: 0, False: 0}
    for page in (page for page in PAGES if article(site, page).select_one("blockquote [lang=ja]")):
        with visit(browser, f"{address}/{page}.html") as seen:
            for japanese, marked in seen.page.evaluate(HANGING):
                assert marked is not japanese, page
                seen_of[japanese] += 1
    assert seen_of[True] >= 4 and seen_of[False] >= 4


@pytest.mark.parametrize("page", PAGES)
def test_paper_has_the_text_and_nothing_else(browser: Any, address: str, page: str) -> None:
    """Printed, a page keeps its title and figures, loses navigation and menus, and fits the sheet."""
    with visit(browser, f"{address}/{page}.html", {"width": 794, "height": 1123}) as seen:
        seen.page.emulate_media(media="print")
        assert seen.page.locator("article h1").first.is_visible()
        for what in (".launch", "nav", "[role=search]", ".explorer-controls"):
            shown = [part for part in seen.page.locator(what).all() if part.is_visible()]
            assert shown == [], f"{what} is printed"
        for figure in seen.page.locator(".explorer-figure, .explorer-keys").all():
            assert figure.is_visible(), "an explorer's figure is not printed"
        assert seen.overflowing() == []
