"""The reprint shows the whole post and leads to places that exist; counts and events are those of the data."""

import re
from math import log1p
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from smartos import post
from smartos.explore.post import press, reprint, timeline

BOOK = Path(__file__).parents[2] / "book"
WRITTEN = [line for line in post.lines() if line.kind != "blank"]


def text_of(html: str) -> str:
    """The words of some HTML."""
    from html import unescape

    return unescape(re.sub(r"<[^>]+>", "", html))


def test_every_written_line_stands_in_the_reprint_once_and_unchanged() -> None:
    html = reprint.reprint()._repr_html_()
    shown = re.findall(r'<li class="line" id="line-(\d+)".*?<span class="original">(.*?)</span>(?=</span>| <a)', html)
    assert [(int(n), text_of(words)) for n, words in shown] == [(line.n, line.text) for line in WRITTEN]


def test_every_line_leads_to_a_label_that_its_page_has() -> None:
    lost = []
    for label in {line.where for line in WRITTEN}:
        page = BOOK / reprint.PLACES[label][0].replace(".html", ".md")
        if f"({label})=" not in page.read_text("utf-8"):
            lost.append(f"{page.relative_to(BOOK)} has no ({label})=")
    assert sorted(lost) == []


def test_addresses_are_seen_from_the_page_of_the_post() -> None:
    assert reprint.address("post-lead") == "#post-lead"
    assert reprint.address("pr-title") == "announcement/press-release.html#pr-title"


def test_a_label_without_a_page_is_named() -> None:
    with pytest.raises(reprint.UnknownPlace, match="no-such-place"):
        reprint.address("no-such-place")


def test_every_translation_and_every_loss_is_shown() -> None:
    words = text_of(reprint.reprint()._repr_html_())
    missing = [line.english for line in WRITTEN if line.english and line.english not in words]
    assert missing == []
    assert words.count("Lost here:") == len(post.damage())
    assert words.count("No copy gives it back.") == sum(lost.status == "unknown" for lost in post.damage())


def test_a_loss_stands_after_its_line_and_before_the_next() -> None:
    html = reprint.reprint()._repr_html_()
    verb = html.index("一般公開されました")
    assert html.index('id="line-8"') < verb < html.index('id="line-10"')


def test_japanese_is_marked_and_nothing_else_is() -> None:
    html = reprint.reprint()._repr_html_()
    japanese = re.findall(r'<span lang="ja">(.*?)</span>', html)
    outside = re.sub(r'<span lang="ja">.*?</span>', "", html)
    assert all(post.lines()[0].text not in words for words in japanese)
    assert re.findall(r"[\u3040-\u30ff\u3400-\u9fff]+", outside) == []


def test_a_mostly_english_line_has_only_its_japanese_runs_marked() -> None:
    assert reprint.marked("Cantrill, author of the blog 氏") == 'Cantrill, author of the blog <span lang="ja">氏</span>'


def test_a_part_of_the_post_can_be_reprinted_and_lines_it_has_not_are_refused() -> None:
    assert 'id="line-24"' in reprint.reprint(24, 24)._repr_html_()
    assert 'id="line-26"' not in reprint.reprint(24, 24)._repr_html_()
    with pytest.raises(ValueError, match="128"):
        reprint.reprint(1, 1000)


def test_the_mended_copy_puts_back_exactly_what_the_other_copy_keeps() -> None:
    mended = reprint.comparison().frames(mended=True)[0]
    plain = reprint.comparison().frames(mended=False)[0]
    back = [lost for lost in post.damage() if lost.recovered]
    assert mended.figure.count("<ins") == len(back) and plain.figure.count("<ins") == 0
    assert re.sub(r'<li class="line lost">.*?</li>', "", mended.figure) == plain.figure


def test_the_matrix_counts_what_a_plain_search_counts() -> None:
    counts = {name: counts for name, counts, _ in post.term_matrix()}
    held = {text.name: text.text for text in post.texts()}
    for name, words in held.items():
        assert counts[name]["ZFS"] == words.count("ZFS")
        assert counts[name]["illumos"] == words.lower().count("illumos")


def test_each_state_of_the_matrix_says_that_it_counts_excerpts() -> None:
    explorer = press.terms()
    for state in explorer.states():
        assert "excerpts" in explorer.frames(**state)[0].says


def test_the_figure_of_the_matrix_shows_each_number_that_is_not_zero() -> None:
    shown = press.terms().frames(term=press.ALL, measure="count")[0].figure
    numbers = sorted(int(n) for n in re.findall(r">(\d+)</text>", shown))
    assert numbers == sorted(c for _, counts, _ in post.term_matrix() for c in counts.values() if c)


def test_the_process_quotation_is_found_where_the_post_has_it() -> None:
    rows = press.concordance("process").rows
    assert ("The Register", "looks like a") in [(name, " ".join(before.split()[-3:])) for name, before, *_ in rows]
    assert {row[0] for row in rows} == {"Slides", "The Register", "ReadWriteWeb"}


def test_the_articles_say_how_much_was_read_and_how_much_is_counted() -> None:
    held = {row[0]: row[-1] for row in press.articles().rows}
    assert held["ReadWriteWeb"].endswith("counted: the whole passage")
    assert held["itprimer"].endswith("counted: nothing of it")


def test_every_link_of_the_post_is_listed_with_its_address_or_as_unknown() -> None:
    html = press.LinkTable()._repr_html_()
    assert html.count("<tr>") == len(post.links()) + 1
    assert html.count(">unknown<") == sum(not link.target for link in post.links())


def test_every_event_names_a_source_of_the_bibliography_and_they_are_in_order() -> None:
    events = post.timeline()
    assert [event.date for event in events] == sorted(event.date for event in events)
    assert [event for event in events if not event.cites] == []
    html = timeline.Timeline()._repr_html_()
    assert html.count("<li>") == len(events) and html.count("Source: <a ") == len(events)


def test_an_event_known_at_second_hand_says_so() -> None:
    (sale,) = [event for event in post.timeline() if event.fact == "W9"]
    assert "second hand" in timeline.known(sale)


def test_how_an_event_is_known_is_said_in_words_alone() -> None:
    for event in post.timeline():
        letters, said = re.findall(r"\b[VPSC]\b", event.confidence), timeline.known(event)
        assert not re.search(r"\b[VPSC]\b|[+/]", re.sub("<.*?>", "", said)), said
        if letters != ["V"]:
            assert [post.CONFIDENCE[letter] for letter in letters if post.CONFIDENCE[letter] not in said] == []


def test_dates_are_spelt_as_far_as_they_are_known() -> None:
    spelt = [timeline.spelt(day) for day in ("2018", "2018-02", "2011-08-18")]
    assert spelt == ["2018", "February 2018", "18 August 2011"]


def test_commits_by_year_are_those_of_the_log() -> None:
    """Fact W2, counted from the public repository's log."""
    years = timeline.per_year()
    assert sum(years.values()) == 442
    assert [years[y] for y in range(2011, 2026)] == [370, 13, 3, 4, 6, 0, 1, 9, 10, 2, 5, 2, 0, 0, 2]


def test_a_bar_is_the_logarithm_of_one_more_than_its_count() -> None:
    drawing = BeautifulSoup(timeline.port_years().figure, "html.parser")
    bars = drawing.find_all("rect", attrs={"data-of": "all"})
    heights = {year: float(bar["height"]) for year, bar in zip(timeline.per_year(), bars, strict=True)}
    assert heights[2016] == 0
    assert heights[2014] / heights[2011] == pytest.approx(log1p(4) / log1p(370), abs=1e-3)


def test_the_years_show_which_commits_touch_the_driver() -> None:
    """Fact W12: a repaired build is no repaired driver."""
    drawing = BeautifulSoup(timeline.port_years().figure, "html.parser")
    bars = drawing.find_all("rect", attrs={"data-of": "driver"})
    heights = {year: float(bar["height"]) for year, bar in zip(timeline.per_year(), bars, strict=True)}
    assert heights[2025] == 0 and heights[2020] == 0 and heights[2022] > 0
    rows = {row[0]: row[1:] for row in timeline.port_years().table.rows}
    assert rows[2025] == (0, 2, 2) and rows[2012] == (8, 5, 13) and rows[2022] == (1, 1, 2)
    assert "2022" in timeline.port_years().says


def test_the_last_commits_are_told_for_what_they_change() -> None:
    told = {event.date: event.what for event in post.timeline()}
    assert "nothing of the driver" in told["2025-04-22"]
    assert "potential replacement" in told["2018-02"]
    assert "2011-09-15" in told and "2014-11-03" in told and "2013-03-15" in told
