"""The reprint, the term matrix and the timeline show what the data hold."""

import pytest
from bs4 import BeautifulSoup

from smartos import post
from smartos.explore.press import MEASURES, articles, explorer, values
from smartos.explore.reprint import TITLES, Reprint, page
from smartos.explore.timeline import Timeline, spoken
from tools.paths import ROOT


def reprint() -> BeautifulSoup:
    return BeautifulSoup(Reprint().html(), "html.parser")


def test_reprint_holds_every_line_of_the_post_in_order() -> None:
    shown = [tag.get_text() for tag in reprint().select(".reprint-line")]
    assert shown == [line.text.rstrip() for line in post.lines() if line.text.strip()]


def test_reprint_tells_every_loss_once() -> None:
    assert len(reprint().select(".reprint-loss")) == len(post.damage())


def test_reprint_marks_japanese_and_translates_it() -> None:
    for line in post.lines():
        if line.lang in ("ja", "mixed"):
            tag = reprint().find(id=f"line-{line.n}")
            assert tag["lang"] == "ja"
            assert line.english in tag.find_parent("li").select_one(".reprint-english").get_text()


def test_reprint_links_to_the_page_where_the_label_stands() -> None:
    for line in post.lines():
        if not line.where:
            continue
        source = ROOT / "book" / (page(line.where).replace(".html", ".md") or "the-post.md")
        assert f"({line.where})=" in source.read_text("utf-8"), line.where
        assert page(line.where) in TITLES


def test_a_label_without_a_page_is_named() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        page("nowhere-at-all")


def test_term_matrix_shows_the_counts_under_each_measure() -> None:
    counts = {name: (list(found.values()), words) for name, found, words in post.term_matrix()}
    for name, row in values("count"):
        assert row == counts[name][0]
    for name, row in values("rate"):
        assert row == [round(100 * c / counts[name][1], 1) for c in counts[name][0]]
    figures = {explorer().frames(measure=measure)[0].figure for measure, _ in MEASURES}
    assert len(figures) == len(MEASURES)


def test_articles_table_has_one_row_an_article() -> None:
    assert len(articles().rows) == len(post.press())


def test_timeline_gives_each_event_a_date_and_a_source() -> None:
    items = BeautifulSoup(Timeline().html(), "html.parser").select("ol.timeline > li")
    assert len(items) == len(post.timeline())
    assert all(item.select_one("time")["datetime"] and item.select("a[href]") for item in items)


def test_dates_are_spoken_to_the_precision_they_have() -> None:
    assert [spoken(d) for d in ("2018-02", "2011-08-18", "2012")] == ["February 2018", "18 August 2011", "2012"]
