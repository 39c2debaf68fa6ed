"""Ways of doing harm in D, each really tried: who stops it, with which words, and what still works afterwards.

Every attempt is a run of the book's dtrace, and which gate stopped it is read from what it said. The one that no
program can make, a DIF object with a branch back, is handed to the kernel's check by hand. Left out: privileges.
"""

import textwrap
from dataclasses import dataclass
from functools import cache

from smartos.commands import run
from smartos.dtrace.dif import Difo, Op, branch, word3
from smartos.dtrace.errors import DError
from smartos.dtrace.kernel.difo_check import validate
from smartos.explore.dtrace.watch import Watch
from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group, rect, text

GO_ON = '\ntick-1s { printf("tracing goes on"); exit(0); }'
ATTEMPTS = {
    "loop": ("a loop", (), "BEGIN { while (n < 10) n++; }"),
    "recursion": ("an inline that calls itself", (), "inline int f = f + 1; BEGIN { trace(f); }"),
    "kernel": ("set a variable of the kernel", (), "BEGIN { `physmem = 0; }"),
    "types": ("multiply a string", (), "BEGIN { trace(execname * 2); }"),
    "probe": ("a probe that is not there", (), "syscall::raed:entry { @ = count(); }"),
    "branch": ("a branch back, made by hand", (), "00: ba 0\n01: ret %r0"),
    "panic": ("panic the system", (), "BEGIN { panic(); }"),
    "address": ("read a wrong address", (), "BEGIN { trace(*(int *)64); }" + GO_ON),
    "store": ("write to an address", (), "BEGIN { *(int *)64 = 1; }" + GO_ON),
    "zero": ("divide by zero", (), "BEGIN { i = 0; trace(1 / i); }" + GO_ON),
    "user": ("read what a process has not got", (), "BEGIN { trace(copyinstr(64)); }" + GO_ON),
    "scratch": ("ask for a gigabyte", (), "BEGIN { p = alloca(1 << 30); }" + GO_ON),
    "chill": ("stand still for a second, with -w", ("-w",), "BEGIN { chill(1000000000); }" + GO_ON),
    "variables": ("variables without end", ("-x", "dynvarsize=1k"), "tick-1000 { n++; seen[n] = 1; }" + GO_ON),
    "keys": ("keys without end", ("-x", "aggsize=1k"), "tick-1000 { n++; @a[n] = max(n); }\nEND { trunc(@a); }" + GO_ON),
    "output": ("output without end", ("-b", "1k"), "tick-4999 { n++; tracemem(&`kmem_flags, 64); }" + GO_ON),
    "error": ("an error in ERROR", (), "BEGIN { trace(*(int *)64); }\nERROR { trace(*(int *)64); }" + GO_ON),
}  # fmt: skip
GATES = (
    ("the compiler", "syntax, names, types"), ("the kernel, before enabling", "every instruction, and -w"),
    ("the kernel, while it runs", "every address, every division"), ("bounds", "sizes fixed at the start"),
)  # fmt: skip
SAYS = ("is refused by the compiler", "is refused before anything is enabled", "faults when it runs, and only that clause ends",
        "runs into a bound, and what is lost is counted")  # fmt: skip
WIDTH, CHARS, MONO = 440, 56, "var(--mono, monospace)"


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt: the gate that stopped it, its messages, what was printed, what holds afterwards."""

    gate: int
    messages: tuple[str, ...]
    after: str


def hand_made() -> Difo:
    """An object that branches to itself."""
    return Difo(code=[branch(Op.BA, 0), word3(Op.RET)])


def refused_by_hand() -> tuple[str, ...]:
    """What the kernel says of it, in the place of a program's own object."""
    watch = Watch("BEGIN { trace(1); }")
    watch.program.ecbs[0].actions[0].difo = hand_made()
    try:
        watch.kernel.enable(watch.program)
    except DError as error:
        return (*validate(hand_made()), str(error))
    return ()


@cache
def outcome(attempt: str) -> Outcome:
    """Try it."""
    _, options, program = ATTEMPTS[attempt]
    if attempt == "branch":
        return Outcome(1, refused_by_hand(), _next())
    done = run(["dtrace", "-q", *options, "-n", program])
    said = tuple(line for line in done.err.splitlines() if "matched" not in line)
    if done.status:
        return Outcome(int("could not enable" in done.err), said, _next())
    printed = " ".join(done.out.split())
    gate = 2 if "error on enabled probe" in done.err else 3
    goes_on = "tracing goes on" in printed
    return Outcome(gate, said, "The next clause prints: tracing goes on" if goes_on else "Nothing more was traced.")


def _next() -> str:
    """Whether a further program still runs."""
    done = run(["dtrace", "-qn", 'BEGIN { trace("traced"); exit(0); }'])
    return f"Nothing was enabled. The next program prints: {done.out.strip()}"


def frame(attempt: str) -> Frame:
    """One attempt at the gates."""
    label, options, program = ATTEMPTS[attempt]
    found = outcome(attempt)
    says = f"{label[0].upper()}{label[1:]}: it {SAYS[found.gate]}. {found.after}."
    passed = ["passes" if n < found.gate else "stops it" if n == found.gate else "is not reached" for n in range(len(GATES))]
    rows = [(name, what) for (name, _), what in zip(GATES, passed, strict=True)]
    rows += [("says", message) for message in found.messages]
    return Frame(_draw(options, program, found, says), says, Table(["Gate", "What it does"], rows, f"The attempt: {label}"))


def _draw(options: tuple[str, ...], program: str, found: Outcome, says: str) -> str:
    """The program above; it falls through the gates to the one that stops it, whose words stand there."""
    lines = [part for row in program.split("\n") for part in textwrap.wrap(row, CHARS)]
    if options:
        lines.insert(0, " ".join(options))
    code = [element("text", _escape(row), x=1, y=16 + 17 * n) for n, row in enumerate(lines)]
    parts = [group(*code, fill="ink", font_size=12, font_family=MONO)]
    y = start = 17 * len(lines) + 14
    y += 12
    for number, (name, what) in enumerate(GATES):
        stops, reached = number == found.gate, number <= found.gate
        y += 22
        ink = "accent" if stops else "ink" if reached else "ink-2"
        dash = {} if reached else {"stroke_dasharray": "4 3"}
        parts.append(rect(14, y - 17, 28, 24, fill="paper", stroke=ink, rx=3, stroke_width=2 if stops else 1, **dash))
        sign = "✗" if stops else "✓" if reached else "–"
        parts += [text(28, y, sign, ink, "middle", 14), text(52, y, name, ink, size=13, font_weight="bold" if stops else None)]
        parts.append(text(WIDTH - 2, y, what, "ink-2", "end", 12))
        if stops:
            end = y - 19
            for message in found.messages:
                for row in textwrap.wrap(message, CHARS - 7, break_on_hyphens=False):
                    y += 17
                    parts.append(text(52, y + 4, row, "accent", size=12, font_family=MONO))
            y += 6
        y += 14
    head = f"M28 {start}V{end}M23 {end - 7}L28 {end}L33 {end - 7}"
    fall = element("path", d=head, fill="none", stroke="ink", stroke_width=2)
    y += 14
    parts.append(text(1, y, found.after, "ink", size=13))
    return drawing(WIDTH, y + 10, says, fall, *parts)


def _escape(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")


def explorer() -> Explorer:
    """Which harm to try."""
    return Explorer(
        "d-safety", "Try to do harm", frame,
        {"attempt": Choice("Try", [(key, label) for key, (label, *_) in ATTEMPTS.items()])},
        default={"attempt": "address"}, keys=[{"attempt": "loop"}, {"attempt": "branch"}, {"attempt": "variables"}],
    )  # fmt: skip
