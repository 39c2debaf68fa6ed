"""What tracing costs: nanoseconds an event, for D programs and for the same written as a plain Python callback.

The page is sent this file as it is, so it imports nothing but the standard library and the package, and it prints what
it found as JSON. Both ways hear the same events in the same run, in turns, a batch each, and must have counted the same.
What is measured is the processor's time, so that other programs on the machine count little.
"""

import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from smartos import probes
from smartos.dtrace.options import Options
from smartos.dtrace.session import Session

EVENTS, BATCHES = 4000, 15  # events in a batch, and how many batches are timed: the best of them counts
ONE = probes.declare("sdt:bench:bench_one:bench-one", "int", "int")
EXIT = probes.declare("sdt:bench:bench_exit:bench-exit", "int")
QUIET = probes.declare("sdt:bench:bench_quiet:bench-quiet", "int")
REASONS = {0: "EXIT_REASON_EXCEPTION_NMI", 12: "EXIT_REASON_HLT", 30: "EXIT_REASON_IO_INSTRUCTION", 48: "EXIT_REASON_EPT_VIOLATION"}
AIM_CALL, AIM_CALLBACK = 1.3, 3.0


def fire_one() -> None:
    """Events with two integers."""
    fire = ONE.fire
    for number in range(EVENTS):
        fire(number, 2)


def fire_exit() -> None:
    """A guest's exits, each with its control structure."""
    fire, fields = EXIT.fire, {0x4402: 30}
    for number in range(EVENTS):
        fire(number, vmregs=fields)


def fire_quiet() -> None:
    """A probe that nobody hears, as models have it."""
    for number in range(EVENTS):
        if QUIET.listeners:
            QUIET.fire(number)


def bare(number: int) -> None:
    """A function that does nothing."""


def call_bare() -> None:
    """As many calls of it."""
    for number in range(EVENTS):
        bare(number)


class Count:
    """`@ = count()` as a callback."""

    def __init__(self) -> None:
        self.found: dict[Any, Any] = {}

    def __call__(self, probe: Any, args: tuple, context: Any) -> None:
        self.found[()] = self.found.get((), 0) + 1


class Quantize(Count):
    """`/pid == 12/ { @[execname] = quantize(arg0); }` as a callback."""

    def __call__(self, probe: Any, args: tuple, context: Any) -> None:
        if context["pid"] != 12:
            return
        buckets = self.found.get(context["execname"])
        if buckets is None:
            buckets = self.found[context["execname"]] = [0] * 127
        value = args[0]
        buckets[63 + value.bit_length() if value >= 0 else 63 - value.bit_length()] += 1


class Exits(Count):
    """The script of slide 26 as a callback."""

    def __call__(self, probe: Any, args: tuple, context: Any) -> None:
        reason = REASONS[context["vmregs"][0x4402]]
        self.found[reason] = self.found.get(reason, 0) + 1


CASES: tuple[tuple[str, str, type[Count], Callable[[], None]], ...] = (
    ("@ = count()", "sdt:bench:bench_one:bench-one { @ = count(); }", Count, fire_one),
    ("predicate, @[execname] = quantize(arg0)", "sdt:bench:bench_one:bench-one /pid == 12/ { @[execname] = quantize(arg0); }", Quantize, fire_one),
    ("the same probe may exit()", "bench-one { @ = count(); } bench-one /arg0 < 0/ { exit(0); }", Count, fire_one),
    ("the same probe may speculate()", "bench-one /arg0 < 0/ { speculate(1); trace(1); } bench-one { @ = count(); }", Count, fire_one),
    ("slide 26: @[strexitno[vmregs[0x4402]]]", "sdt:bench::bench-exit { @[strexitno[vmregs[0x4402]]] = count(); }", Exits, fire_exit),
)  # fmt: skip


def once(run: Callable[[], None]) -> float:
    """Nanoseconds an event, this time."""
    started = time.process_time()
    run()
    return (time.process_time() - started) / EVENTS * 1e9


@contextmanager
def enabled(text: str):
    """A D program that traces while the block runs."""
    session = Session((), Options.command(), workload="")
    session.enable(session.compile(text, pspec=True))
    session.go()
    try:
        yield session
    finally:
        session.finish()


def total(found: dict[Any, Any]) -> int:
    """How many events a callback has counted, or an aggregation."""
    return sum(sum(value) if isinstance(value, list) else value for value in found.values())


@contextmanager
def deaf():
    """Nobody hears the events while the block runs, but who begins to in it; afterwards those before do again."""
    before = [(probe, list(probe.listeners)) for probe in (ONE, EXIT)]
    for probe, _ in before:
        probe.listeners.clear()
    try:
        yield
    finally:
        for probe, listeners in before:
            probe.listeners[:] = listeners


def case(text: str, callback: Count, events: Callable[[], None]) -> dict[str, float]:
    """Nanoseconds an event for both ways. Raises AssertionError if they do not count the same."""
    plain, traced = [], []
    with probes.acting(pid=12, tid=1, execname="qemu-system-x86"), enabled(text) as session:
        for _ in range(BATCHES + 1):  # in the first the clauses are compiled
            with deaf(), probes.subscribe(callback, "sdt:bench::"):
                plain.append(once(events))
            traced.append(once(events))
        store = session.consumer.store  # which may have taken some of it on the way
        store.merge(session.kernel.take_aggregations())
        counted = [element.state for element in store.elements.values()]
    assert sum(map(sum, counted)) == total(callback.found) == EVENTS * (BATCHES + 1)
    return {"callback": min(plain[1:]), "D": min(traced[1:])}


def figures() -> dict[str, dict[str, float]]:
    """Nanoseconds by case, for D and for what it is held against."""
    quiet, calls = [], []
    for _ in range(BATCHES):
        quiet.append(once(fire_quiet))
        calls.append(once(call_bare))
    found = {"a disabled probe": {"a call": min(calls), "D": min(quiet)}}
    return found | {name: case(text, kind(), events) for name, text, kind, events in CASES}


def lines(here: dict[str, dict[str, float]], page: dict[str, dict[str, float]] | str) -> list[str]:
    """The report, with events a second; an aim is said to be met or missed."""
    out = [f"{'DTrace, events a second':44}{'plain':>12}{'D':>12}{'times':>8}"]
    for where, found in (("here", here), ("in the page", page)):
        if isinstance(found, str):
            out.append(f"DTrace {where}: not measured: {found}")
            continue
        for name, numbers in found.items():
            plain, ours = numbers.get("callback") or numbers["a call"], numbers["D"]
            wanted = AIM_CALLBACK if "callback" in numbers else AIM_CALL
            met = "met" if ours <= wanted * plain else "MISSED"
            out.append(f"{name + ', ' + where:44}{1e9 / plain:12,.0f}{1e9 / ours:12,.0f}{ours / plain:8.2f}  (aim: {wanted}: {met})")
    return out


if __name__ == "__main__":
    print(json.dumps(figures()))
