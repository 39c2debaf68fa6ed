"""The way of a D clause: what is shown is what the compiler made, and what runs agrees with the interpreter's own run."""

import re

import pytest

from smartos.dtrace.code.listing import listing
from smartos.dtrace.kernel.difo_check import validate
from smartos.dtrace.vm.frame import Frame as Firing
from smartos.dtrace.vm.steps import signed
from smartos.explore.dtrace import pipeline as d_pipeline
from smartos.explore.dtrace.watch import Watch

ALL = [(clause, firing) for clause in d_pipeline.CLAUSES for firing in d_pipeline.FIRINGS]


def machine(clause: str, firing: str):
    """A fresh kernel with the clause, and a firing for it."""
    watch = Watch(d_pipeline.CLAUSES[clause].text, [d_pipeline.PROBE])
    probe, args = watch.probes.named(d_pipeline.PROBE), d_pipeline.FIRINGS[firing]
    return watch, Firing(watch.kernel.firing.machine, probe, args, {"execname": firing})


@pytest.mark.parametrize(("clause", "firing"), ALL)
def test_every_object_ends_with_the_value_that_a_run_without_steps_gives(clause: str, firing: str) -> None:
    scenes = d_pipeline.scenes(clause, firing)
    watch, state = machine(clause, firing)
    for part, difo in enumerate(watch.program.difos):
        moments = [s.moment for s in scenes if s.stage == "run" and s.part == part and s.moment.pc is not None]
        if not moments:
            assert part and "predicate is false" in scenes[-1].says
            continue
        value = watch.kernel.firing.machine.run(difo, state)
        last = moments[-1]
        assert difo.type.by_ref or last.regs[difo.code[last.pc] & 0xFF] == value
        assert [m.pc for m in moments] == sorted({m.pc for m in moments}), "no instruction runs twice, and none before another"
        assert last.done == tuple(m.pc for m in moments)


@pytest.mark.parametrize("clause", d_pipeline.CLAUSES)
def test_the_marked_parts_are_as_many_as_the_objects_and_the_listing_is_the_compiler_s(clause: str) -> None:
    pieces = d_pipeline.CLAUSES[clause].pieces
    watch, _ = machine(clause, "ls")
    assert [part for _, part in pieces if part is not None] == list(range(len(watch.program.difos)))
    said = listing(watch.program)
    for frame in d_pipeline.steps(clause, "ls"):
        if frame.table and frame.table.columns[0] == "Offset":
            for offset, word, code in frame.table.rows:
                assert re.search(rf"^{offset}: {word} ", said, re.MULTILINE)
                assert word in frame.figure and code.split()[0] in frame.figure
    assert all(not validate(difo) for difo in watch.program.difos)


def test_the_tree_has_the_types_that_the_checker_gave() -> None:
    tree, _ = d_pipeline.compiled("cast")
    assert [(row.depth, row.label, row.type) for row in tree] == [
        (0, "action", ""), (1, "trace()", ""), (2, "+", "int"), (3, "*", "int"), (4, "cast", "char"), (5, "arg2", "int64_t"),
        (4, "2", "int"), (3, "1", "int"),
    ]  # fmt: skip


def test_results_are_those_of_c() -> None:
    def result(clause: str, firing: str) -> str:
        return " ".join(d_pipeline.scenes(clause, firing)[-1].result[0].split())

    assert (result("and", "qemu"), result("and", "ls")) == ("1", "(nothing)")
    assert (result("cast", "qemu"), result("cast", "ls")) == ("1", "-111")
    assert (result("ternary", "qemu"), result("ternary", "ls")) == ("large", "small")
    assert (result("call", "qemu"), result("call", "ls")) == ("5", "3")
    assert (result("sum", "qemu"), result("sum", "ls")) == ("qemu 8", "ls 0")


def test_a_jump_strikes_out_what_it_passes_and_registers_show_what_they_hold() -> None:
    scenes = d_pipeline.scenes("and", "qemu")
    both = zip(scenes, d_pipeline.steps("and", "qemu"), strict=True)
    jumps = [(s.moment.jump, f.figure) for s, f in both if s.moment and s.moment.jump]
    assert jumps and all(a < b for (a, b), _ in jumps)
    for (a, b), figure in jumps:
        assert figure.count("line-through") >= b - a - 1
    for scene in scenes:
        if scene.moment:
            for value, words in zip(scene.moment.regs, scene.moment.shown, strict=True):
                assert words.startswith('"') or int(words, 0) in (value, signed(value))


def test_the_sentences_are_short_and_the_figures_fit() -> None:
    stepper = d_pipeline.stepper()
    for state in stepper.states():
        for frame in stepper.frames(**state):
            assert len(frame.says.split()) <= 30 and frame.says.endswith(".")
            assert int(re.search(r'viewBox="0 0 (\d+)', frame.figure)[1]) <= 440
            assert 'role="img" aria-label="' in frame.figure
    assert "bg" in stepper.frames(**stepper.default)[stepper.start()].says
    assert len(stepper._repr_html_()) < 150_000
