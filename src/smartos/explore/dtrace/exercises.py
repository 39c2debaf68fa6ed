"""The exercises of the D lab: a program of the reader's is run, and its answers are held against those of a solution.

What counts is what a program prints at its end, line by line in any order; how it gets there is the reader's. Left out:
programs that print the right thing for the wrong reason.
"""

from dataclasses import dataclass

from smartos.commands import run


@dataclass(frozen=True)
class Exercise:
    """A solution, and what is said to somebody who has another answer."""

    solution: str
    hint: str


EXERCISES = {
    "programs": Exercise(
        "proc:::exec-success { @[execname] = count(); } tick-10s { exit(0); }",
        "one line for each program, with its name and how often it was started",
    ),
    "largest": Exercise(
        'io:::start { @[args[0]->b_flags & B_READ ? "R" : "W"] = max(args[0]->b_bcount); } tick-10s { exit(0); }',
        "two lines, R for reads and W for writes, each with one size",
    ),
    "longest": Exercise(
        "io:::start { began[arg0] = timestamp; } io:::done /began[arg0]/ "
        '{ @[args[0]->b_flags & B_READ ? "R" : "W"] = max(timestamp - began[arg0]); began[arg0] = 0; } tick-10s { exit(0); }',
        "a transfer may begin while another is under way, so each needs a beginning of its own",
    ),
}


def check(name: str, program: str) -> str:
    """What a program is worth as an answer: "Right", a hint, or what dtrace says of it. Raises KeyError for no exercise."""
    exercise = EXERCISES[name]
    done = run(["dtrace", "-qn", program])
    if done.status:
        return f"Not yet: {done.err.strip()}"
    right = _lines(done.out) == _lines(run(["dtrace", "-qn", exercise.solution]).out)
    return "Right." if right else f"Not yet: {exercise.hint}."


def _lines(text: str) -> list[list[str]]:
    return sorted(line.split() for line in text.splitlines() if line.strip())
