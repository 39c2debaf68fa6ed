"""Search over http, as a reader has it: each hit says where it is and shows its words, and the page raises nothing."""

from typing import Any

import pytest

from tests.site.visit import DESK, Visit, visit

WORDS = ["container", "crossbow", "uberblock", "Bryan Cantrill", "dtrace"]
JAPANESE = {"期待": "期待", "標準": "標準", "記事": "記事", "概念": "概念", "概念図": "概念図", "仮想化": "仮想化", "ある": "ある",
            "日本語サイト": "日本語サイト", "図": "図", "DTrace 標準": "標準"}  # fmt: skip
HITS = "#search-results ul.search > li"


def search(seen: Visit) -> list[dict[str, str]]:
    """The hits, once all are there: link and excerpt of each; an entry of an index has a description instead."""
    seen.page.get_by_text("Search finished").or_(seen.page.get_by_text("did not match")).first.wait_for()
    seen.page.wait_for_load_state("networkidle")
    return seen.page.locator(HITS).evaluate_all("""(items) => items.map((item) => ({
      link: item.querySelector("a").getAttribute("href"),
      says: (item.querySelector("p.context") ?? item.querySelector("a + span"))?.textContent.trim() ?? "",
    }))""")


@pytest.mark.parametrize("words", WORDS)
def test_every_hit_has_its_excerpt_and_the_page_raises_nothing(browser: Any, address: str, words: str) -> None:
    with visit(browser, f"{address}/search.html?q={words}", DESK) as seen:
        told = []
        seen.page.on("console", lambda message: told.append(message.text) if message.type == "warning" else None)
        hits = search(seen)
        assert len(hits) > 2
        assert [hit["link"] for hit in hits if not hit["says"]] == [], "these hits have no excerpt"
        stems = [word[:7].lower() for word in words.split()]  # “container” finds “contains”
        assert [hit["link"] for hit in hits if not any(stem in hit["says"].lower() for stem in stems)] == []
        assert seen.errors + seen.foreign + told == []
        assert seen.axe("#search-results") == []


@pytest.mark.parametrize("words", JAPANESE)
def test_a_japanese_word_is_found_however_short_and_wherever_it_stands(browser: Any, address: str, words: str) -> None:
    with visit(browser, f"{address}/search.html?q={words}", DESK) as seen:
        hits = search(seen)
        assert [hit for hit in hits if JAPANESE[words] in hit["says"]], f"no hit shows {JAPANESE[words]}"
        assert seen.errors + seen.foreign == []
