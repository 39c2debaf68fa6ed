"""The slides' explorers show the data, and the data agree with what the slides and the README print."""

from datetime import date

import pytest

from smartos import post
from smartos.explore import confine, deck, exit_reasons, kvmstat, port_story, quantize
from smartos.explore.bars import bars


def test_kvmstat_s_listed_causes_explain_a_fifth_to_a_third_of_the_exits() -> None:
    """Fact S8."""
    shares = [kvmstat.explained(row) for row in kvmstat.rows_of(5026)]
    assert 0.19 <= min(shares) and max(shares) < 0.33


def test_kvmstat_frames_state_the_sums_of_their_guest() -> None:
    frame = kvmstat.frame(5026, "causes")
    assert f"{sum(r['exits'] for r in post.kvmstat() if r['pid'] == 5026):,} exits" in frame.says
    assert len(frame.table.rows) == 4


def test_cpuid_is_8440_of_8669_exits() -> None:
    """Fact S6."""
    assert exit_reasons.counts()["CPUID"] == 8440
    assert sum(exit_reasons.counts().values()) == 8669
    assert "8,440 of 8,669 exits, 97.4%" in exit_reasons.frame("count", True).says


def test_exit_cost_is_that_of_the_fact() -> None:
    """Fact K4: 16.9 million cycles, about 0.6 % of a core."""
    assert exit_reasons.cost(8440) == pytest.approx(16.88e6 / 2.93e9)


def test_bars_of_quantize_are_those_of_the_readme() -> None:
    """Fact D3: all rows."""
    rows = post.quantize_readme()
    total = sum(row["count"] for row in rows)
    assert [quantize.ats(r["count"], total) for r in rows] == [r["ats_shown"] for r in rows]


@pytest.mark.parametrize(("value", "low"), [(1, 1), (1023, 512), (1024, 1024), (2047, 1024), (2048, 2048)])
def test_buckets_begin_at_powers_of_two(value: int, low: int) -> None:
    assert quantize.bucket(value) == low


def test_a_value_without_a_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        quantize.bucket(0)


def test_the_port_s_milestones_have_the_deck_s_values() -> None:
    """Fact S2, as plotted on slide 9."""
    plotted = {date(2010, 11, 5): 100, date(2010, 12, 22): 356, date(2011, 7, 7): 129, date(2011, 8, 13): 23}
    assert {day: port_story.at(day).ifdef_xxx for day in plotted} == plotted


def test_a_milestone_s_frame_says_its_count() -> None:
    frames = port_story.stepper().frames(series="xxx")
    assert len(frames) == len(port_story.MILESTONES)
    for frame, milestone in zip(frames, port_story.MILESTONES, strict=True):
        assert f"{port_story.at(milestone.day).ifdef_xxx} fences" in frame.says


def test_the_brand_closes_more_than_it_opens() -> None:
    zone, root = confine.frame("zone"), confine.frame("global")
    assert [r[1] for r in root.table.rows] == ["yes"] * len(confine.REACH)
    assert [r[1] for r in zone.table.rows].count("yes") == sum(inside for _, inside, _ in confine.REACH)


def test_the_prohibited_privileges_drawn_are_those_of_the_fact() -> None:
    """Fact N4."""
    named = {w.strip(";") for _, _, rule in confine.REACH for w in rule.split() if w.startswith(("sys_", "dtrace_", "proc_"))}
    assert named and all(name in post.fact("N4").text for name in named)


def test_the_deck_s_table_has_its_34_pages_and_marks_the_quoted() -> None:
    rows = deck.pages().rows
    assert [row[0] for row in rows] == list(range(1, 35))
    assert {row[0] for row in rows if row[3]} == {2, 22, 23, 27}


def test_a_bar_is_never_longer_than_its_room() -> None:
    assert 'width="206"' in bars([("a", 9, "9")], "A bar.", most=3)
