"""What `make bench` says of D: it measures both ways over the same events, and says which aims are met."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from smartos.dtrace.kernel.activity import ERROR
from smartos.dtrace.session import Session
from tools import bench_dtrace


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Few events, a clock that goes on by a second each time it is asked, and a list of who heard each batch."""
    turns: list[tuple[str, str]] = []
    clock = itertools.count()
    plain = bench_dtrace.once

    def noted(run: Callable[[], None]) -> float:
        heard = [*bench_dtrace.ONE.listeners, *bench_dtrace.EXIT.listeners]
        turns.append((run.__name__, "".join("c" if isinstance(one, bench_dtrace.Count) else "D" for one in heard)))
        return plain(run)

    monkeypatch.setattr(bench_dtrace, "EVENTS", 200)
    monkeypatch.setattr(bench_dtrace, "BATCHES", 3)
    monkeypatch.setattr(bench_dtrace, "once", noted)
    monkeypatch.setattr(bench_dtrace.time, "process_time", lambda: next(clock))
    return turns


def test_both_ways_are_measured_on_the_cpu_s_clock_and_count_the_same(small: list[tuple[str, str]]) -> None:
    found = bench_dtrace.figures()
    assert len(found) == 1 + len(bench_dtrace.CASES)
    assert {number for numbers in found.values() for number in numbers.values()} == {1 / 200 * 1e9}


def test_the_two_ways_take_turns(small: list[tuple[str, str]]) -> None:
    text, callback, events = bench_dtrace.CASES[0][1:]
    bench_dtrace.case(text, callback(), events)
    assert [heard for _, heard in small] == ["cc", "D"] * 4  # one of each before it counts


@pytest.mark.parametrize("row", bench_dtrace.CASES, ids=lambda row: row[0])
def test_what_is_measured_is_compiled(row: tuple, small: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    sessions, plain = [], bench_dtrace.enabled

    @contextmanager
    def kept(text: str) -> Iterator[Session]:
        with plain(text) as session:
            sessions.append(session)
            yield session

    monkeypatch.setattr(bench_dtrace, "enabled", kept)
    bench_dtrace.case(row[1], row[2](), row[3])
    (kernel,) = (session.kernel for session in sessions)
    assert set(kernel.by_probe) - {ERROR} <= set(kernel._hears)  # a model's probe is heard by number only once it is compiled


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
