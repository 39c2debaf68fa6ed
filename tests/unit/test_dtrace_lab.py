"""The D lab on its own: it runs from its folder, what it says of the deck's scripts is so, its exercises notice a wrong
answer, and its solutions are right."""

import nbformat
import pytest

from smartos.explore.dtrace.exercises import check
from tests.unit import labs

LAB = "dtrace"


def test_the_lab_is_stored_without_outputs_and_with_a_subject(lab: nbformat.NotebookNode) -> None:
    labs.stored_clean(lab)


def test_the_lab_runs_from_top_to_bottom(executed: dict[str, str]) -> None:
    assert "bdev_strategy start" in executed["find"]
    assert executed["count"].splitlines()[-1] == "dtrace: pid 4712 has exited"
    assert "qemu-system-x86_" in executed["node"] and "ioctl" in executed["node-guests"]
    assert executed["latency"].count("------------- Distribution -------------") == 2
    assert "dynamic variable drops" in executed["latency-drops"]
    assert executed["slide26-broken"].rstrip().endswith('syntax error near ";"')
    assert "EXIT_REASON_IO_INSTRUCTION" in executed["slide26"]
    assert "[D_PRINTF_ARG_TYPE]" in executed["xxx-format"]
    assert "opens /etc/resolv.conf" in executed["speculation"] and "went well" in executed["speculation"]
    assert executed["loops-tick"].splitlines()[0] == "10 9 8 7 6 5 4 3 2 1 ignition"
    assert executed["errors"].count("dtrace: invalid probe specifier") == 3


def test_the_answer_on_the_scrub_has_the_numbers_of_the_cell_below(executed: dict[str, str]) -> None:
    reads = [int(line.split()[-1]) for line in executed["predicate-scrub"].splitlines() if line.strip()]
    assert f"{reads[0]} and {reads[1]} reads" in executed["predicate-question"]


def test_the_fences_that_are_reached_are_counted(executed: dict[str, str]) -> None:
    """All thousand steps of the guest but those that meet no fence, and none for the fence that nothing reaches."""
    rows = [line.split() for line in executed["xxx"].splitlines() if line.strip()]
    assert {(function, int(line)) for _, function, line, _ in rows} == {
        ("kvm_arch_vcpu_load", 1202), ("x86_emulate_insn", 2310), ("x86_emulate_insn", 2477), ("kvm_mmu_page_fault", 3011),
    }  # fmt: skip
    assert sum(int(count) for *_, count in rows) < 1000
    assert [row[-1] for row in rows] == [line.split()[-1] for line in executed["xxx-mended"].splitlines() if line.strip()]


def test_two_runs_say_the_same(lab: nbformat.NotebookNode, executed: dict[str, str]) -> None:
    assert labs.given(lab) == executed


def test_the_exercises_notice_that_nothing_was_done(executed: dict[str, str]) -> None:
    for exercise in ("exercise-1", "exercise-2", "exercise-3"):
        assert executed[exercise].startswith("Not yet: "), exercise


def test_the_solutions_are_right(lab: nbformat.NotebookNode, capsys: pytest.CaptureFixture) -> None:
    for number in (1, 2, 3):
        namespace: dict = {"check": check}
        labs.solved(lab, number, namespace)
        assert capsys.readouterr().out.splitlines()[-1] == "Right.", f"solution {number}"


def test_a_program_that_does_not_compile_is_told_so() -> None:
    assert check("programs", "proc:::exec-success { @ = count(1); }").startswith("Not yet: dtrace: ")
