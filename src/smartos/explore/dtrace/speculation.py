"""Speculation: what threads trace before it is known whether it matters, and what becomes of it.

Threads open files, one step an event. The program speculates at each open() and commits or discards when it returns.
What is drawn is the kernel's state after the event: each speculation with its entries, the principal buffer, and what
each thread has in `self->spec`. Left out: several CPUs, whose parts of a speculation are committed later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smartos.dtrace.consumer.render import Sheet, render
from smartos.dtrace.kernel.buffer import Entry
from smartos.dtrace.kernel.speculation import State
from smartos.dtrace.vm.memory import Memory
from smartos.explore.dtrace.watch import Watch
from smartos.explore.kit.controls import Choice, Range
from smartos.explore.kit.explorer import Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, rect, text

ENTRY, RETURN = "syscall::open:entry", "syscall::open:return"
PROGRAM = """
syscall::open:entry
{{
	self->spec = speculation();
	speculate(self->spec);
	printf("%s: open %s", execname, copyinstr(arg0));
}}

syscall::open:return
/self->spec/
{{
	speculate(self->spec);
	printf("%s: errno %d", execname, errno);
}}

syscall::open:return
/self->spec && {keep}/
{{
	commit(self->spec);
	self->spec = 0;
}}

syscall::open:return
/self->spec/
{{
	discard(self->spec);
	self->spec = 0;
}}
"""
KEEP = {"failed": "errno != 0", "worked": "errno == 0"}
THREADS = {"cron": 101, "sshd": 102, "ls": 103}
EVENTS = (
    ("cron", "/etc/crontab", None), ("sshd", "/etc/nologin", None), ("ls", "/lib/libc.so.1", None), ("sshd", "", 2),
    ("cron", "", 0), ("ls", "", 0), ("cron", "/etc/cron.deny", None), ("cron", "", 2),
)  # fmt: skip
WIDTH, HIGH, MIDDLE = 440, 66, 208


@dataclass(frozen=True)
class Speculated:
    """One speculation after an event: its state's name, its entries, and what an event just did with those it had."""

    state: str
    entries: tuple[str, ...]
    fate: str = ""  # committed or discarded
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """The kernel's state after an event. `fresh` is how many of the principal buffer's entries are new."""

    event: str
    says: str
    speculations: tuple[Speculated, ...]
    principal: tuple[str, ...]
    fresh: int
    held: tuple[tuple[str, int], ...]  # self->spec of each thread
    printed: tuple[str, ...] = ()


def words(entry: Entry) -> str:
    """An entry as its printf() will print it."""
    fmt = next(s.format for s in entry.ecb.desc.statements if s.format is not None)
    both = zip(entry.ecb.records, entry.values, strict=True)
    pairs = [(r, v) for r, v in both if r.statement is not None and r.statement.format is fmt]
    return render(fmt, pairs, Sheet())[0]


class Story:
    """One run of the program, with its steps."""

    def __init__(self, nspec: int, keep: str) -> None:
        self.watch = Watch(PROGRAM.format(keep=KEEP[keep]), [ENTRY, RETURN], [("nspec", str(nspec)), ("quiet", None)])
        self.memory = Memory()
        self.steps: list[Step] = []
        self.ended: dict[int, tuple[str, tuple[str, ...]]] = {}  # what this event ended: fate and entries by number
        specs = self.watch.kernel.speculations
        specs.commit = self._ending("committed", specs.commit)  # type: ignore[method-assign]
        specs.discard = self._ending("discarded", specs.discard)  # type: ignore[method-assign]
        self.note("", "The program is enabled. Its speculations are inactive, all buffers are empty.")

    def _ending(self, fate: str, end: Callable[..., None]) -> Callable[..., None]:
        """commit() or discard(), with a note of the entries that were there."""

        def noted(number: int, *more: Any) -> None:
            if number:
                self.ended[number] = fate, self.entries(number - 1)
            end(number, *more)

        return noted

    def entries(self, at: int) -> tuple[str, ...]:
        """What a speculation has."""
        given_out = self.watch.kernel.speculations.all[at : at + 1]
        return tuple(words(entry) for one in given_out for part in one.parts.values() for entry in part.entries)

    def held(self, who: str) -> int:
        """A thread's `self->spec`."""
        number = self.watch.env.threads["spec"].id
        found = self.watch.kernel.firing.variables.dynamic.get((number, (THREADS[who], 1)), 0)
        return found if isinstance(found, int) else 0

    def note(self, event: str, says: str, printed: tuple[str, ...] = ()) -> None:
        """Keep the state as it is now."""
        kernel = self.watch.kernel
        principal = tuple(words(entry) for buffer in kernel.buffers.values() for entry in buffer.entries)
        last = self.steps[-1].principal if self.steps else ()
        found = []
        for at, state in enumerate(kernel.speculations.states()):
            fate, gone = self.ended.get(at + 1, ("", ()))
            found.append(Speculated(state.name, self.entries(at), fate, gone))
        self.ended.clear()
        fresh = max(len(principal) - len(last), 0)
        held = tuple((who, self.held(who)) for who in THREADS)
        self.steps.append(Step(event, says, tuple(found), principal, fresh, held, printed))

    def play(self, who: str, path: str, errno: int | None) -> None:
        """One event and what came of it."""
        had = self.held(who)
        context = {"execname": who, "pid": THREADS[who], "tid": 1, "errno": errno or 0, "memory": self.memory}
        if errno is None:
            self.watch.fire(ENTRY, self.memory.map(path.encode() + b"\0", user=True), **context)
            event, number = f'{who}: open("{path}")', self.held(who)
            gives = f"{who} opens {path}. speculation() gives number {number}"
            says = f"{gives}, and the clause writes there, not to the principal buffer."
            if not number:
                says = f"{who} opens {path}. Every speculation is in use: speculation() gives 0, and nothing of this is kept."
        else:
            self.watch.fire(RETURN, -1 if errno else 3, **context)
            event = f"{who}: open() returns, errno {errno}"
            fate, gone = self.ended.get(had, ("", ()))
            ended = f"fails with errno {errno}" if errno else "succeeds"
            says = f"{who}’s open() {ended}: discard() forgets speculation {had} as if it had never been written."
            if fate == "committed":
                copies = f"commit() copies the {len(gone)} entries of speculation {had}"
                says = f"{who}’s open() {ended}: {copies} to the principal buffer."
            if not had:
                says = f"{who}’s open() {ended}. Its self->spec is 0, so no clause’s predicate holds."
        self.note(event, says)

    def finish(self) -> None:
        """The consumer reads the principal buffer."""
        said = self.watch.said()
        lines = [part for words in self.steps[-1].principal for part in [words] if part in said]
        drops = [line.removeprefix("dtrace: ") for line in self.watch.complaints.splitlines() if line]
        says = f"dtrace reads the principal buffer and prints its {len(lines)} entries."
        if drops:
            says += f" It also says what was lost: {drops[0]}."
        self.note("", says, printed=tuple(lines))


def run(nspec: int, keep: str) -> list[Step]:
    """All steps of one run."""
    story = Story(nspec, keep)
    for event in EVENTS:
        story.play(*event)
    story.finish()
    return story.steps


def steps(nspec: int, keep: str) -> list[Frame]:
    """The frames of one run."""
    return [Frame(_draw(step), step.says, _table(step)) for step in run(nspec, keep)]


def _table(step: Step) -> Table:
    rows = [(f"speculation {n}", one.state, "; ".join(one.entries) or "none") for n, one in enumerate(step.speculations, 1)]
    rows.append(("principal buffer", "", "; ".join(step.principal) or "none"))
    rows += [(f"self->spec of {who}", "", str(number)) for who, number in step.held]
    return Table(["What", "State", "Holds"], rows, "The kernel’s state")


def _draw(step: Step) -> str:
    """Speculations at the left with their entries, the principal buffer at the right, the threads below."""
    parts = [text(0, 15, step.event or ("dtrace reads" if step.printed else "enabled"), "ink", size=14, font_weight="bold")]
    top = 30
    for at, one in enumerate(step.speculations):
        parts += _speculation(at, one, top + at * (HIGH + 10), step)
    tall = max(3 * (HIGH + 10) - 10, 0)
    parts += [rect(236, top, 203, tall, stroke="ink", rx=4), text(246, top + 18, "principal buffer", "ink-2", size=13)]
    shown = step.printed or step.principal
    for at, words in enumerate(shown):
        new = not step.printed and at >= len(shown) - step.fresh
        ink = "dtrace" if new else "ink-2" if step.printed else "ink"
        parts.append(text(246, top + 42 + 19 * at, words, ink, size=12, font_weight="bold" if new else None))
    if step.printed:
        parts.append(text(246, top + tall - 10, "read, and empty again", "ink-2", size=12))
    y = top + tall + 24
    parts.append(text(0, y, "self->spec", "ink-2", size=12, font_family="var(--mono, monospace)"))
    for at, (who, number) in enumerate(step.held):
        ink, weight = ("ink", "bold") if number else ("ink-2", None)
        parts.append(text(96 + 96 * at, y, f"{who}: {number}", ink, size=13, font_weight=weight))
    return drawing(WIDTH, y + 10, step.says, *parts)


def _speculation(at: int, one: Speculated, y: float, step: Step) -> list[str]:
    idle = one.state == State.INACTIVE.name
    state = one.fate or ("inactive" if idle else "active")
    look = {"stroke_dasharray": "4 3"} if idle else {"stroke_width": 1.75}
    parts = [
        rect(1, y, MIDDLE - 8, HIGH, stroke="ink-2" if idle else "dtrace", rx=4, **look),
        text(10, y + 18, f"speculation {at + 1}", "ink-2" if idle else "ink", size=13),
        text(MIDDLE - 16, y + 18, state, "ink-2" if state == "inactive" else "dtrace", "end", 12),
    ]
    for row, words in enumerate(one.gone or one.entries):
        strike = {"text_decoration": "line-through"} if one.fate == "discarded" else {}
        parts.append(text(10, y + 38 + 18 * row, words, "ink-2" if one.fate else "ink", size=12, **strike))
    if one.fate == "committed":
        middle = y + HIGH / 2
        parts.append(element("path", d=f"M{MIDDLE - 4} {middle:g}H230M223 {middle - 5:g}L230 {middle:g}L223 {middle + 5:g}",
                             fill="none", stroke="dtrace", stroke_width=2))  # fmt: skip
    return parts


def stepper() -> Stepper:
    """How many speculations there are, and what is worth keeping."""
    return Stepper(
        "d-speculation", "Three threads open files; only some of it is kept", steps,
        {
            "nspec": Range("Speculations", [1, 2, 3]),
            "keep": Choice("Commit what", [("failed", "failed"), ("worked", "succeeded")]),
        },
        default={"nspec": 3, "keep": "failed"}, keys=[{"nspec": 1, "keep": "failed"}], at=4,
    )  # fmt: skip
