"""The lab on its own: it runs from its folder, its exercises notice a wrong answer, its solutions are right."""

import re

import nbformat
import pytest

from smartos.explore.kvm.exit_log import exit_stepper, log_table
from smartos.kvm import GUESTS, run
from tests.unit import labs

LAB = "kvm"


def test_the_lab_is_stored_without_outputs_and_with_a_subject(lab: nbformat.NotebookNode) -> None:
    labs.stored_clean(lab)


def test_the_lab_runs_from_top_to_bottom(executed: dict[str, str]) -> None:
    assert "real mode\nprotected mode\nlong mode\nfffffffe00000001\nsmartos-mini\n" in executed["modes-run"]
    assert "was stopped for time" in executed["spin"]
    assert "kvm-guest-entry" in executed["probes"]


def test_the_exercises_notice_that_nothing_was_done(executed: dict[str, str]) -> None:
    for exercise in ("exercise-1", "exercise-2", "exercise-3"):
        assert executed[exercise].startswith("Not yet: "), exercise


def test_the_solutions_are_right(lab: nbformat.NotebookNode, capsys: pytest.CaptureFixture) -> None:
    for number in (1, 2, 3):
        labs.solved(lab, number, {"GUESTS": GUESTS, "run": run})
        assert capsys.readouterr().out.splitlines()[-1].startswith("Right"), f"solution {number}"


def test_the_stepper_tells_every_exit() -> None:
    for guest in ("hi", "modes"):
        frames = exit_stepper().frames(guest=guest)
        total = len(run(guest, "recorded").log)
        assert frames[-1].table.rows[-1] == ("all", total)
        told = [frame.says for frame in frames[1:]]
        last = [int(re.match(r"Exits? (?:\d+ to )?(\d+)", says)[1]) for says in told]
        assert last == sorted(last) and last[-1] == total
        assert all(f'aria-label="{frame.says[:20]}' in frame.figure for frame in frames)


def test_the_log_as_a_table_can_be_cut() -> None:
    modes = run("modes", "recorded")
    assert [row[0] for row in log_table(modes, 36, 38).rows] == [36, 37, 38]
    assert log_table(modes, 37, 37).rows[0][1:] == (
        "KVM_EXIT_MMIO", "write 0x100000, 8 bytes: 0xfffffffe00000001", "mov [rbx], rax", "long",
    )  # fmt: skip
