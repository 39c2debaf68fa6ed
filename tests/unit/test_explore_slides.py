"""The slides' explorers show the data, and the data agree with what the slides and the README print."""

import re
from datetime import date

import pytest

from smartos import post
from smartos.explore.dtrace import quantize
from smartos.explore.kvm import exit_reasons, kvmstat, port_story
from smartos.explore.post import confine, deck


def test_kvmstat_s_listed_causes_explain_a_fifth_to_a_third_of_the_exits() -> None:
    """Fact S8: 19 to 32 % on the six virtual CPUs, rounded."""
    shares = [round(100 * kvmstat.explained(row)) for row in kvmstat.rows_of()]
    assert len(shares) == 6
    assert (min(shares), max(shares)) == (19, 32)


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


def test_the_privileges_that_the_rules_name_are_those_of_the_brand() -> None:
    """Facts N4 and N6: what a rule calls prohibited is, and what it calls granted is."""
    kinds = {"prohibited": "privilege prohibited", "granted": "privilege default"}
    seen = set()
    for clause in (part for _, _, rule in confine.REACH for part in rule.split(";")):
        named = {w.strip(",") for w in clause.split() if w.startswith(("sys_", "dtrace_", "proc_"))}
        (word,) = [word for word in kinds if word in clause] if named else [""]
        held = {entry.name for entry in post.kvm_brand() if entry.kind == kinds.get(word)}
        assert named <= held, clause
        seen |= named
    assert {"dtrace_kernel", "sys_devices", "dtrace_user"} <= seen


def test_the_rule_for_devices_counts_what_the_brand_lets_in() -> None:
    """Fact N6."""
    (rule,) = [rule for what, _, rule in confine.REACH if "devices" in what]
    devices = [entry for entry in post.kvm_brand() if entry.kind == "device"]
    own = sum(entry.ip_type == "exclusive" for entry in devices)
    assert f"{len(devices) - own} names" in rule and f"{own} more" in rule and "only /dev/kvm" not in rule


def test_the_deck_s_table_has_its_34_pages_and_marks_the_quoted() -> None:
    rows = deck.pages().rows
    assert [row[0] for row in rows] == list(range(1, 35))
    assert {row[0] for row in rows if row[3]} == {2, 22, 23, 27}



EXPLORERS = [port_story.stepper, kvmstat.explorer, exit_reasons.explorer, quantize.explorer]


@pytest.mark.parametrize("make", EXPLORERS)
def test_an_explorer_is_small_deterministic_and_says_each_frame(make) -> None:
    """At most about 150 frames, the same each time, a sentence and values for every one."""
    explorer = make()
    frames = [frame for state in explorer.states() for frame in explorer.frames(**state)]
    assert len(frames) <= 150
    assert explorer.store() == make().store()
    for frame in frames:
        assert frame.says.endswith(".") and frame.table and frame.table.rows


@pytest.mark.parametrize("make", EXPLORERS)
def test_every_control_has_an_effect(make) -> None:
    explorer = make()
    for key, control in explorer.controls.items():
        seen = {explorer.frames(**{**explorer.default, key: value})[-1].figure for value in control.values}
        assert len(seen) > 1, f"{explorer.name}: {key} moves nothing"


def test_quantize_prints_the_rows_of_the_readme_with_its_empty_ends() -> None:
    """Fact D3: twelve rows, 85,511 events."""
    shown = [(r["bucket_low_ns"], r["count"], r["ats_shown"]) for r in post.quantize_readme()]
    assert quantize.rows(quantize.readme()) == shown
    assert [line.count("@") for line in quantize.printed().splitlines()[1:]] == [signs for _, _, signs in shown]
    assert sum(quantize.readme().values()) == 85_511


def test_half_a_sign_is_rounded_up_and_nothing_cannot_be_printed() -> None:
    assert (quantize.ats(1, 80), quantize.ats(1, 81)) == (1, 0)
    with pytest.raises(ValueError, match="nothing to print"):
        quantize.rows({1024: 0})


def test_commits_by_author_up_to_the_talk() -> None:
    """Fact S4: 190, 88, 79 and 8, which is all 365."""
    wrote = [sum(port_story.author(c) == who for c in port_story.port()) for who in port_story.AUTHORS]
    assert wrote == [190, 88, 79, 8]
    assert sum(wrote) == len(port_story.port()) == 365


@pytest.mark.parametrize("series", port_story.SERIES)
def test_the_authors_changes_add_up_to_the_count_and_fit_the_axis(series: str) -> None:
    last = port_story.count(port_story.at(port_story.TALK), series)
    assert sum(port_story.changes(series).values()) == last
    assert max(port_story.count(c, series) for c in port_story.port()) <= port_story.SERIES[series][2]


def test_what_is_not_there_is_named_with_what_is() -> None:
    with pytest.raises(ValueError, match="4668, 5026"):
        kvmstat.rows_of(1)
    with pytest.raises(ValueError, match="positive"):
        exit_reasons.cost(1, 0)
    with pytest.raises(ValueError, match="2010-08-30"):
        port_story.port(date(2010, 1, 1))
    with pytest.raises(ValueError, match="commented"):
        port_story.count(port_story.at(port_story.TALK), "bugs")


def test_the_deck_s_table_says_what_is_on_the_pages_and_nothing_of_our_data() -> None:
    """A summary is of a page of the deck: no file of ours, no post, no word on how we read it."""
    said = [summary for _, _, summary, _ in deck.pages().rows]
    assert not [s for s in said if re.search(r"\.csv|\.py|git\b|mailing|\bpost\b", s)]
