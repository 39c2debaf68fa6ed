"""The announcement's pages: late answers, and the systems that booted, against what the post and the log say."""

import math
import re

import pytest
from bs4 import BeautifulSoup

from smartos import post
from smartos.explore.dtrace import dirt
from smartos.explore.post import oses


@pytest.mark.parametrize("spacing", [3, 4, 6, 10])
@pytest.mark.parametrize("deadline", [10, 30, 60])
def test_one_stall_makes_as_many_late_as_the_queue_takes_to_drain(spacing: int, deadline: int) -> None:
    """Each request behind a stall waits `spacing - SERVICE` ms less than the one before it."""
    answers = dirt.served(spacing, 60)
    queue = answers[dirt.STALLED[0] : dirt.STALLED[1]]
    drained = math.ceil((60 + dirt.SERVICE - deadline) / (spacing - dirt.SERVICE))
    assert dirt.late(queue, deadline) == min(drained, len(queue))


def test_without_a_stall_nobody_waits_and_nothing_is_late() -> None:
    assert {a.waited for a in dirt.served(4, 0)} == {dirt.SERVICE}
    assert dirt.late(dirt.served(4, 0), 10) == 0


def test_room_between_requests_saves_most_of_the_answers() -> None:
    assert dirt.late(dirt.served(10, 40), 30) < dirt.late(dirt.served(4, 40), 30) / 2


def test_the_mean_of_the_default_run_lies_well_inside_its_deadline() -> None:
    """The chapter says so; answers are late all the same."""
    answers = dirt.served(4, 40)
    assert sum(a.waited for a in answers) / len(answers) < 30 * 2 / 3
    assert dirt.late(answers, 30) == 12


def test_no_wait_leaves_the_figure() -> None:
    explorer = dirt.explorer()
    for state in explorer.states():
        spacing, stall = int(state["spacing"]), int(state["stall"])
        assert max(a.waited for a in dirt.served(spacing, stall)) <= dirt.MOST, state


def test_a_frame_draws_a_mark_for_every_answer_and_a_cross_for_each_late_one() -> None:
    frame = dirt.frame(4, 60, 30)
    assert frame.figure.count("h0") == dirt.REQUESTS - 32
    assert frame.figure.count("m0-4l") == 32
    assert "32 of 60" in frame.says


def test_every_demand_is_explained_and_has_a_guest() -> None:
    assert {demand for guest in post.guests() for demand in guest.tests} == set(oses.DEMANDS)
    assert all(oses.with_demand(demand) for demand in oses.DEMANDS)


def test_an_unknown_demand_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="graphics.*real mode"):
        oses.with_demand("graphics")


def test_the_log_of_real_mode_is_the_two_commits_that_the_chapter_tells() -> None:
    assert [c.commit[:7] for c in oses.log_of("real mode")] == ["258020d", "0432cb0"]


def test_timers_are_what_the_log_of_the_weeks_of_booting_speaks_of_most() -> None:
    counts = {demand: len(oses.log_of(demand)) for demand in oses.DEMANDS}
    assert max(counts, key=counts.__getitem__) == "timers"
    assert sorted(counts.values())[-2] < counts["timers"]


def test_the_table_has_every_system_in_the_post_s_order_and_a_field_with_a_label() -> None:
    html = oses.Systems().html()
    assert re.findall(r'<th scope="row">([^<]*)', html) == [guest.name for guest in post.guests()]
    assert 'id="oses"' in html
    assert re.search(r'<label for="(oses-filter)">.*<input type="search" id="\1" data-filter-for="oses"', html)


def test_no_year_is_shown_for_a_system_without_one() -> None:
    rows = {row[0]: row[1] for row in oses.Systems().table().rows}
    assert rows["Linux 64-bit"] == "–"
    assert "Linux 64-bit," not in oses.timeline().figure
    assert "Linux 64-bit" not in [row[0] for row in oses.timeline().table.rows]
    assert "Linux 64-bit has none" in oses.timeline().says


def test_a_filled_mark_is_a_system_whose_version_the_post_names() -> None:
    listed = {guest.name for guest in post.guests()}
    assert listed >= oses.DATED
    drawing = BeautifulSoup(oses.timeline().figure, "html.parser")
    names = [label.get_text().rpartition(", ")[0] for label in drawing.find_all("text") if ", " in label.get_text()]
    filled = ["--kvm" in mark["fill"] for mark in drawing.find_all("circle")]
    assert {name for name, full in zip(names, filled, strict=True) if full} == oses.DATED


def test_the_timeline_runs_from_the_oldest_to_the_newest() -> None:
    years = [row[1] for row in oses.timeline().table.rows]
    assert years == sorted(years)
    assert f"spans {years[-1] - years[0]} years" in oses.timeline().says
    marks = BeautifulSoup(oses.timeline().figure, "html.parser").find_all("circle")
    places = [float(mark["cx"]) for mark in marks]
    assert [round((place - places[0]) / 10) for place in places] == [year - years[0] for year in years]


def test_the_picked_demand_marks_exactly_its_guests() -> None:
    for demand in oses.DEMANDS:
        frame = oses.frame(demand, "post")
        assert frame.figure.count('r="6.5"') == len(oses.with_demand(demand))
