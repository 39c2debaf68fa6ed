"""What `make bench` says of D: it measures both ways over the same events, and says which aims are met."""

import pytest

from tools import bench_dtrace


def test_both_ways_are_measured_and_count_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_dtrace, "EVENTS", 200)
    monkeypatch.setattr(bench_dtrace, "BATCHES", 2)
    found = bench_dtrace.figures()
    assert len(found) == 4
    assert all(number > 0 for numbers in found.values() for number in numbers.values())
    interpreted = max(numbers["D"] / numbers["callback"] for numbers in found.values() if "callback" in numbers)
    assert interpreted < 20, "the clauses were not compiled"


def test_a_callback_that_hears_something_else_is_found_out() -> None:
    deaf = type("Deaf", (bench_dtrace.Count,), {"__call__": lambda *_: None})()
    with pytest.raises(AssertionError):
        bench_dtrace.case("sdt:bench:bench_one:bench-one { @ = count(); }", deaf, bench_dtrace.fire_one)


def test_aims_are_said_to_be_met_or_missed() -> None:
    here = {"a disabled probe": {"a call": 20.0, "D": 25.0}, "@ = count()": {"callback": 200.0, "D": 700.0}}
    out = bench_dtrace.lines(here, "no built book")
    assert [line.rpartition(" ")[2] for line in out[1:3]] == ["met)", "MISSED)"]
    assert out[2].split() == ["@", "=", "count(),", "here", "5,000,000", "1,428,571", "3.50", "(aim:", "3.0:", "MISSED)"]
    assert out[3] == "DTrace in the page: not measured: no built book"
