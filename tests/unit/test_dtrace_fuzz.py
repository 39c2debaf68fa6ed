"""D programs by chance: a short form of the campaign, and proof that it finds what it looks for."""

import random

import pytest

from smartos.dtrace.vm.memory import Region
from tools import dtrace_fuzz
from tools.dtrace_fuzz import campaign, check, program
from tools.dtrace_generate import Generator
from tools.dtrace_mutate import PROGRAMS, mutate


def test_no_program_does_what_none_may_do() -> None:
    tally = campaign(0, 100)
    assert not tally.failures, tally.describe()
    assert tally.counts["ran to their end"] > 40
    assert tally.counts["faults reported"] > 20
    assert sum(count for name, count in tally.counts.items() if name.startswith("refused")) > 20


def test_a_seed_is_a_program() -> None:
    assert [Generator(7).program() for _ in range(3)] == [Generator(7).program() for _ in range(3)]
    assert [program(n) for n in range(9)] == [program(n) for n in range(9)]
    assert len({program(n) for n in range(60)}) == 60


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_the_programs_that_are_mutated_run(number: int) -> None:
    found, ran = check(PROGRAMS[number])
    assert not found and ran is not None and not ran.tag


def test_a_mutation_changes_the_text() -> None:
    chosen = random.Random(1)
    assert sum(mutate(PROGRAMS[0], chosen) != PROGRAMS[0] for _ in range(50)) > 40


def test_a_changed_byte_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lets programs store everywhere is caught by the watch over memory."""
    monkeypatch.setattr(dtrace_fuzz.Session, "finish", _spoil(dtrace_fuzz.Session.finish))
    found, _ = check("BEGIN { exit(0); }", both=False)
    assert any("has changed" in line for line in found)


def _spoil(finish):  # noqa: ANN001, ANN202
    def spoiled(self) -> None:  # noqa: ANN001
        finish(self)
        data = bytearray(64)
        self.kernel.firing.machine.memory.map(Region(data))
        data[7] ^= 1

    return spoiled


def test_what_is_not_a_d_error_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtrace_fuzz.Session, "go", lambda self: {}["nothing"])
    found, _ = check("BEGIN { exit(0); }", both=False)
    assert "KeyError" in found[0]


def test_a_program_that_does_not_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(self) -> None:  # noqa: ANN001
        while True:
            pass

    monkeypatch.setattr(dtrace_fuzz, "SECONDS", 1)
    monkeypatch.setattr(dtrace_fuzz.Session, "run", forever)
    found, _ = check("BEGIN { exit(0); }", both=False)
    assert "does not end" in found[0]
