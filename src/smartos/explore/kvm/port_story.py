"""The port of KVM as its repository tells it: fences, comments, probes and lines after each of its commits.

Code that did not work yet stood between `#ifdef XXX` and `#endif`. Counting these lines at every commit of
TritonDataCenter/illumos-kvm gives the chart of slide 9 again (fact S2). The milestones are the blog's and the
repository's (fact S5); "mid-March" is drawn at the 15th. A commit is compared with the one before it in the log.

Left out: branches (the log is read as one line), and commits after the talk.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache

from smartos import post
from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group
from smartos.post import Commit

TALK = date(2011, 8, 15)
FIRST, LAST = date(2010, 9, 1), date(2011, 9, 1)
# The count's attribute of a commit, its name, the top of its axis.
SERIES = {
    "xxx": ("ifdef_xxx", "fences", 400),
    "commented": ("commented_xxx", "XXX in comments", 100),
    "probes": ("probe_sites", "probes in fences", 200),
    "loc": ("loc", "lines of C", 40_000),
}
SAMENAMES = {"max": "Max Bruning"}
AUTHORS = ("Robert Mustacchi", "Max Bruning", "Bryan Cantrill", "Josh Wilsdon")
EVERYBODY = "everybody"
MONTHS = {"Sep 2010": (2010, 9), "Jan 2011": (2011, 1), "May": (2011, 5), "Aug": (2011, 8)}
LEFT, RIGHT, TOP, BOTTOM = 46, 388, 132, 316


@dataclass(frozen=True)
class Milestone:
    """Something that the port could do from `day` on; `row` is where its label hangs in the chart."""

    day: date
    what: str
    short: str
    row: int


MILESTONES = (
    Milestone(date(2010, 11, 5), "a VM and a virtual CPU are created", "VM created", 0),
    Milestone(date(2010, 12, 22), "it compiles without a warning; the most fences", "most fences", 1),
    Milestone(date(2011, 3, 15), "three guest instructions run (mid-March)", "3 instructions", 2),
    Milestone(date(2011, 4, 3), "probes go into the fences", "probes in fences", 3),
    Milestone(date(2011, 4, 18), "kmdb runs in a SmartOS guest", "kmdb runs", 4),
    Milestone(date(2011, 5, 13), "“hello world” goes to the company", "“hello world”", 5),
    Milestone(TALK, "the talk at KVM Forum", "the talk", 0),
)


def author(commit: Commit) -> str:
    """Who wrote a commit, with the two spellings of one name made one."""
    return SAMENAMES.get(commit.author, commit.author)


@cache
def port(until: date = TALK) -> tuple[Commit, ...]:
    """The commits up to the end of a day, in the log's order. Raises ValueError for a day before the first."""
    found = tuple(c for c in post.commits() if c.date.date() <= until)
    if not found:
        raise ValueError(f"there is no commit up to {until}; the first is of {post.commits()[0].date.date()}")
    return found


def daily(until: date = TALK) -> list[Commit]:
    """The last commit of each day that has one, up to the end of a day."""
    return list({commit.date.date(): commit for commit in port(until)}.values())


def at(day: date) -> Commit:
    """How the port stood at the end of a day: its last commit up to then."""
    return port(day)[-1]


def count(commit: Commit, series: str) -> int:
    """One of the counts after a commit. Raises ValueError for a count that is not kept."""
    if series not in SERIES:
        raise ValueError(f"there is no count {series!r}; there are {', '.join(SERIES)}")
    return getattr(commit, SERIES[series][0])


def changes(series: str, until: date = TALK) -> dict[str, int]:
    """Who changed a count by how much, summed over each author's commits; a commit is held against the one before."""
    sums = dict.fromkeys(AUTHORS, 0)
    before = 0
    for commit in port(until):
        now = count(commit, series)
        sums[author(commit)] += now - before
        before = now
    return sums


def across(day: date) -> int:
    """A day's place on the axis of time."""
    return round(LEFT + (RIGHT - LEFT) * (day - FIRST).days / (LAST - FIRST).days)


def up(value: int, top: int) -> int:
    """A count's place on the axis of counts."""
    return round(BOTTOM - (BOTTOM - TOP) * value / top)


def word(x: int, y: int, words: str, anchor: str | None = None) -> str:
    """Text that takes its colour and size from the group around it."""
    return element("text", words, x=x, y=y, text_anchor=anchor)


def axes(title: str, top: int) -> str:
    """Months below, counts at the left."""
    values = range(0, top + 1, top // 4)
    grid = "".join(f"M{LEFT} {up(value, top)}H{RIGHT}" for value in values)
    counts = [word(LEFT - 6, up(v, top) + 4, f"{v // 1000}k" if v >= 1000 else str(v), "end") for v in values]
    months = [word(across(date(y, m, 1)), BOTTOM + 21, name) for name, (y, m) in MONTHS.items()]
    names = group(word(LEFT - 42, TOP - 10, title), *counts, *months, fill="ink-2", font_size=14)
    return element("path", d=grid, stroke="rule") + names


def curve(series: str, top: int, until: date) -> str:
    """The count as steps, a day at a time."""
    steps, last = [], None
    for commit in daily(until):
        x, y = max(across(commit.date.date()), LEFT), up(count(commit, series), top)
        steps.append(f"M{x} {y}" if last is None else f"H{x}V{y}" if y != last else f"H{x}")
        last = y
    return element("path", d=f"{''.join(steps)}H{across(until)}", fill="none", stroke="kvm", stroke_width=2)


def dots(series: str, top: int, until: date, who: str) -> str:
    """A dot for each day on which `who` committed."""
    days = {c.date.date(): c for c in port(until) if author(c) == who}
    marks = "".join(f"M{max(across(day), LEFT)} {up(count(c, series), top)}h0" for day, c in days.items())
    return element("path", d=marks, fill="none", stroke="ink", stroke_width=5, stroke_linecap="round") if marks else ""


def flags(series: str, top: int, until: date) -> str:
    """The milestones reached: a label above, a thin line down to the count."""
    poles, labels = "", []
    for stone in (m for m in MILESTONES if m.day <= until):
        x, y = across(stone.day), 15 + 17 * stone.row
        poles += f"M{x} {y - 11}V{up(count(at(stone.day), series), top)}"
        labels.append(word(x - 4, y, stone.short, "end") if stone.day == TALK else word(x + 4, y, stone.short))
    return element("path", d=poles, stroke="ink-2", stroke_dasharray="2 2") + group(*labels, fill="ink", font_size=14)


def signed(change: int) -> str:
    """A change with its sign, a true minus where it is one."""
    return f"{change:+,}".replace("-", "−")


def told(day: date) -> str:
    """A day in words."""
    return f"{day.day} {day:%B} {day.year}"


def frame(series: str, stone: Milestone, who: str = EVERYBODY) -> Frame:
    """One count up to one milestone, with the days of one author dotted."""
    day = stone.day
    _, name, top = SERIES[series]
    commits = port(day)
    says = f"{told(day)}, {stone.what}. After {len(commits)} commits: {count(at(day), series):,} {name}."
    if who != EVERYBODY:
        wrote = sum(author(c) == who for c in commits)
        change = signed(changes(series, day)[who])
        says += f" {who} wrote {wrote} of the commits, which together changed this count by {change}."
    reached = [m for m in MILESTONES if m.day <= day]
    table = Table(
        ["Day", "What", "Commits", name],
        [(told(m.day), m.what, len(port(m.day)), count(at(m.day), series)) for m in reached],
        "The milestones reached",
    )
    parts = (axes(name, top), flags(series, top, day), curve(series, top, day), dots(series, top, day, who))
    return Frame(drawing(400, 346, says, *parts), says, table)


def stepper() -> Stepper:
    """The chart of slide 9 from the data, walked from milestone to milestone."""

    def run(series: str, who: str) -> list[Frame]:
        return [frame(series, stone, who) for stone in MILESTONES]

    return Stepper(
        "port-walk", "The port, from milestone to milestone", run,
        {
            "series": Choice("Count", [(key, name) for key, (_, name, _) in SERIES.items()]),
            "who": Choice("Dot the days of", [EVERYBODY, *AUTHORS]),
        },
        keys=[{"series": "probes", "who": EVERYBODY}, {"series": "loc", "who": EVERYBODY}],
        at=-1,
    )  # fmt: skip
