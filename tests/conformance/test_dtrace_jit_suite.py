"""Every DIF object of illumos' DTrace suite does the same compiled to Python as interpreted, in the same run.

Both kinds run the program from BEGIN to its end; what they print must be the same bytes. See `test_dtrace_suite.py` for
where the suite is looked for.
"""

from collections import Counter
from pathlib import Path

from dtrace_programs import excluded, programs

from smartos.dtrace.errors import DError
from smartos.dtrace.options import Options
from smartos.dtrace.session import SECOND, Session
from smartos.dtrace.vm import jit


def run(text: str, compiled: Counter | None) -> tuple[str, str, int]:
    """What a script prints; with a counter, through compiled DIF, and it counts the objects."""
    session = Session((), Options.command(), seed=1)
    session.enable(session.compile(text, script=True))
    go = session.kernel._machine

    def machine() -> None:
        go()
        made = session.kernel.firing.machine
        interpreted, functions = made.run, {}

        def call(difo, frame):
            key = id(difo), frame.probe.id
            if key not in functions:
                try:
                    functions[key] = jit.function(made, difo, frame.probe, register=True)
                    compiled["compiled"] += 1
                except jit.Uncovered:
                    functions[key] = None
                    compiled["interpreted"] += 1
            return functions[key](frame.args, frame.context, frame) if functions[key] else interpreted(difo, frame)

        if compiled is not None:
            made.run = call

    session.kernel._machine = machine
    session.go()
    session.run(3 * SECOND)
    return session.out.getvalue(), session.err.getvalue(), session.status


def test_compiled_dif_does_what_the_interpreter_does(common: Path) -> None:
    different, counts = [], Counter()
    for program in programs(common):
        if program.shell or program.kind != "tst" or excluded(program) or program.folder == "builtinvar":
            continue
        try:
            plain = run(program.text, None)
        except DError:
            continue
        counts["programs"] += 1
        if run(program.text, counts) != plain:
            different.append(program.name)
    print(counts)
    assert not different
    assert counts["programs"] > 200
    assert counts["compiled"] > 10 * counts["interpreted"]
