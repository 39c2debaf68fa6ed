"""The figures of D's buckets, speculation, safety and heat map: drawn from what D printed, and counted once more here."""

import re
from collections import Counter

import pytest

from smartos.commands import run
from smartos.explore.dtrace import (
    buckets as d_buckets,
)
from smartos.explore.dtrace import (
    guest_disk as d_guest_disk,
)
from smartos.explore.dtrace import (
    heat as d_heat,
)
from smartos.explore.dtrace import (
    safety as d_safety,
)
from smartos.explore.dtrace import (
    speculation as d_speculation,
)

# Buckets


@pytest.mark.parametrize("action", d_buckets.ACTIONS)
def test_the_rows_take_every_read_once_and_the_marked_row_takes_the_followed_one(action: str) -> None:
    rows = d_buckets.buckets(d_buckets.printed(action, d_buckets.times()))
    for row in rows:
        assert row.count == sum(row.takes(when) for when in d_buckets.times()), row
    assert sum(row.count for row in rows) == len(d_buckets.times()) == 600
    for value in d_buckets.VALUES:
        shown = d_buckets.frame(action, value)
        name = re.search(r"counted in row (.*), which", shown.says)[1]
        assert next((row.takes(value) for row in rows if row.name == name), True)
        assert [row[2] for row in shown.table.rows] == [row.count for row in rows]


def test_each_function_hides_something() -> None:
    said = {action: d_buckets.printed(action, d_buckets.times()) for action in d_buckets.ACTIONS}
    seen = {action: d_buckets.seen(d_buckets.buckets(text)) for action, text in said.items()}
    assert seen["quantize(arg0)"] == [True, True, False]
    assert seen["lquantize(arg0, 0, 10000, 1000)"] == [False, True, True]
    assert seen["llquantize(arg0, 10, 0, 4, 10)"] == [True, True, True]
    assert "10 times as wide" in d_buckets.frame("llquantize(arg0, 10, 0, 4, 10)", 900).says


# Speculation


def test_only_what_failed_is_committed() -> None:
    for nspec in (1, 2, 3):
        for keep in d_speculation.KEEP:
            steps = d_speculation.run(nspec, keep)
            wanted = [text for step in steps for one in step.speculations if one.fate == "committed" for text in one.gone]
            assert list(steps[-1].printed) == list(steps[-2].principal) == wanted
            errors = [text for text in wanted if "errno" in text]
            assert all(("errno 0" in text) == (keep == "worked") for text in errors) and errors
            for step in steps:
                assert len(step.speculations) == nspec
                in_use = [n for n, one in enumerate(step.speculations, 1) if one.state != "INACTIVE"]
                assert sorted(number for _, number in step.held if number) == in_use


def test_too_few_speculations_are_said() -> None:
    assert "failed speculations (no speculative buffer available)" in d_speculation.steps(1, "failed")[-1].says
    assert "lost" not in d_speculation.steps(3, "failed")[-1].says
    lost = [step for step in d_speculation.run(1, "failed") if "gives 0" in step.says]
    assert lost and all(step.principal == () for step in lost)


# Safety


@pytest.mark.parametrize("attempt", d_safety.ATTEMPTS)
def test_every_attempt_is_stopped_and_something_still_works(attempt: str) -> None:
    found = d_safety.outcome(attempt)
    assert found.messages and found.after.endswith(("tracing goes on", "traced"))
    shown = d_safety.frame(attempt)
    wanted = ["passes"] * found.gate + ["stops it"] + ["is not reached"] * (3 - found.gate)
    assert [row[1] for row in shown.table.rows[:4]] == wanted
    if attempt != "branch":
        _, options, program = d_safety.ATTEMPTS[attempt]
        said = run(["dtrace", "-q", *options, "-n", program]).err
        assert all(message in said for message in found.messages)


def test_each_gate_stops_something() -> None:
    gates = {attempt: d_safety.outcome(attempt).gate for attempt in d_safety.ATTEMPTS}
    assert set(gates.values()) == {0, 1, 2, 3}
    assert (gates["loop"], gates["branch"], gates["panic"], gates["address"], gates["variables"]) == (0, 1, 1, 2, 3)
    assert d_safety.outcome("branch").messages[0] == "[0]: backward branch to 0"
    assert "divide-by-zero" in d_safety.outcome("zero").messages[0]


# The heat map


@pytest.fixture(scope="module")
def writes() -> list[tuple[int, int, int]]:
    return list(d_guest_disk.Guest(28).writes())


@pytest.mark.parametrize("rows", d_heat.ROWS)
def test_the_cells_are_the_guest_s_writes(rows: int, writes: list[tuple[int, int, int]]) -> None:
    step = d_guest_disk.VOLUME // d_guest_disk.KB // rows
    counted = Counter((second, offset // d_guest_disk.KB // step * step) for second, offset, _ in writes)
    assert {(second, low): count for second, low, _, count in d_heat.cells("offset", rows)} == counted
    sizes = Counter((second, size) for second, _, size in writes)
    for second, low, high, count in d_heat.cells("size", rows):
        assert count == sum(many for (when, size), many in sizes.items() if when == second and low <= size < high)


def test_the_disk_is_written_when_a_transaction_group_syncs() -> None:
    assert {second % d_guest_disk.TXG for second, *_ in d_heat.cells("disk", 8)} == {d_guest_disk.TXG - 1}
    totals = {sum(count for *_, count in d_heat.cells("disk", rows)) for rows in d_heat.ROWS}
    assert len(totals) == 1 and totals.pop() > 200


def test_removing_touches_few_rows() -> None:
    made = {low for second, low, *_ in d_heat.cells("offset", 32) if second in d_guest_disk.MADE}
    removed = {low for second, low, *_ in d_heat.cells("offset", 32) if second in d_guest_disk.REMOVED}
    assert len(removed) < len(made) / 3


# All of them


@pytest.mark.parametrize("made", [d_buckets.explorer, d_speculation.stepper, d_safety.explorer, d_heat.explorer])
def test_every_state_has_a_figure_within_the_page_that_says_itself(made) -> None:
    explorer = made()
    for state in explorer.states():
        for frame in explorer.frames(**state):
            assert int(re.search(r'viewBox="0 0 (\d+)', frame.figure)[1]) <= 440
            assert 'role="img" aria-label="' in frame.figure and frame.says.endswith(".")
            assert all(float(size) >= 12 for size in re.findall(r'font-size="([\d.]+)"', frame.figure))
            assert frame.table is not None
    assert len(explorer._repr_html_()) < 150_000
