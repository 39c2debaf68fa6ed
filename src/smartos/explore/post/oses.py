"""The systems that booted: as a table to sort and filter, along the years, and by what they ask of a hypervisor.

Names, years and demands come from :func:`smartos.post.guests`. What a demand means, and which words in the port's log
belong to it, stands here; both are our own reasoning. The log is read over the six weeks in which systems began to
boot, as the author of the port tells it (fact S5). A subject line that names a timer proves that timers needed work,
and does not say for which guest.

Left out: versions that the post does not give, and how far each system ran after it booted.
"""

import re

from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, line, rect, text
from smartos.post import Commit, Guest, commits, guests

# Demand → what it asks of the hypervisor, and the words by which a commit's subject speaks of it.
DEMANDS = {
    "self-hosting": ("that the host’s own kernel can be its guest", r"smartos"),
    "64-bit": ("long mode, and four levels of page tables", r"\befer\b|\bLMA\b"),
    "virtio": ("devices made for guests, so that nothing old is pretended", r"\bvirtio\b"),
    "ACPI and APIC": ("a machine described by tables, interrupt controllers to the letter", r"apic|\bpic|irq|gsi|acpi"),
    "32-bit paging": ("page tables of two or three levels, not four", r"\bmmu\b|\bg?pte\b|pdptr|zap"),
    "own drivers": ("devices that behave as hardware does, for unknown drivers", r"\bmmio\b|\bpio\b|programmed I/O"),
    "real mode": ("16-bit code with segments, before any page table is on", r"real-?mode|lmsw"),
    "BIOS boot": ("a loader that reads disk or floppy through the BIOS", r"\bbios\b|\bboot\b"),
    "SMP": ("processors that interrupt each other", r"\bvcpus\b|multiple processors|kick|all_cpus"),
    "timers": ("clocks of several kinds that tick when they should", r"\bpit|timer|cyclic|hpet|\btime\b|tmcct|clock"),
}

# Systems whose year is the date of just what the post names; for the others it is of what stands nearest.
DATED = frozenset({"Windows Server 2008 R2", "FreeBSD 8.1 32-bit", "FreeBSD 4.9", "Seventh Edition"})

# The systems that three texts of August 2011 name, without versions (fact A7): the port's README, the blog, the post.
README = frozenset(
    {"SmartOS", "OpenIndiana", "FreeBSD", "Plan 9", "QNX", "ChromeOS", "Haiku", "Windows", "Linux"}
)
BLOG = frozenset({"SmartOS", "Windows", "Linux", "FreeBSD", "Haiku", "QNX", "Plan 9", "OpenIndiana"})
POST = frozenset(
    name
    for name in README | BLOG | {"Seventh Edition", "OpenBSD", "Weenix"}
    if any(guest.name.startswith(name) for guest in guests())
)

# From the first commits of the enlarged team to the mail that told the company that it worked.
BOOTING = ("2011-04-01", "2011-05-13")
LEFT, TOP, ROW, COLUMN = 158, 100, 24, 21


def with_demand(demand: str) -> list[Guest]:
    """The guests that lean on `demand`. Raises ValueError for one that no guest has."""
    found = [g for g in guests() if demand in g.tests]
    if not found:
        raise ValueError(f"no guest has the demand {demand!r}; the demands are {', '.join(DEMANDS)}")
    return found


def log_of(demand: str) -> list[Commit]:
    """The port's commits of the weeks of booting whose subject speaks of `demand`."""
    words = re.compile(DEMANDS[demand][1], re.IGNORECASE)
    return [c for c in commits() if BOOTING[0] <= c.date.date().isoformat() <= BOOTING[1] and words.search(c.subject)]


class Systems:
    """The list as a table that sorts by its heads and filters by words."""

    def table(self) -> Table:
        """One row a system, in the post's order; a year that no source gave is a dash."""
        rows = [(g.name, g.year or "–", g.year_note, g.kind, ", ".join(g.tests), g.hard) for g in guests()]
        return Table(
            ["System", "Year", "What the year is", "Kind", "Leans on", "What makes it a hard guest"], rows,
            "Systems booted under KVM on SmartOS by 16 August 2011.", plain=["Year"], sortable=True, name="oses",
        )  # fmt: skip

    def html(self) -> str:
        """The table under a field whose words a row must hold to be shown."""
        field = (
            '<div class="table-filter"><label for="oses-filter">Show the systems whose row holds</label> '
            '<input type="search" id="oses-filter" data-filter-for="oses" autocomplete="off"></div>'
        )
        return field + self.table().html()

    def _repr_html_(self) -> str:
        return self.html()


def timeline() -> Frame:
    """The systems along the years, oldest on top; hollow where the year is only near what the post names."""
    dated = sorted((g for g in guests() if g.year), key=lambda g: (g.year, g.name))
    first, last = dated[0], dated[-1]
    undated = [g.name for g in guests() if not g.year]
    says = (
        f"The list spans {last.year - first.year} years, from {first.name} of {first.year} to systems of {last.year}. "
        f"A filled mark is the date of what the post names, a hollow one the nearest date seen; "
        f"{' and '.join(undated)} has none."
    )
    values = [(g.name, g.year, g.year_note) for g in dated]
    table = Table(["System", "Year", "What the year is"], values, "The systems by year.", plain=["Year"])
    return Frame(_along(dated, says), says, table)


def _along(dated: list[Guest], says: str) -> str:
    """A mark a system at its year, its name on the side where there is room."""
    row, foot = 26, 26 * len(dated) + 6

    def across(year: int) -> float:
        return 8 + (year - 1977) * 10

    marks = [line(across(1977), foot, across(2013), foot, "ink-2")]
    for year in (1980, 1990, 2000, 2010):
        marks.append(line(across(year), foot, across(year), foot + 5, "ink-2"))
        marks.append(text(across(year), foot + 20, str(year), "ink-2", "middle"))
    for i, g in enumerate(dated):
        x, y, early = across(g.year), row * i + 16, g.year <= 1990
        fill = "kvm" if g.name in DATED else "paper"
        marks.append(element("circle", cx=f"{x:g}", cy=f"{y:g}", r="4.7", fill=fill, stroke="kvm", stroke_width=1.75))
        marks.append(text(x + (10 if early else -10), y + 4, f"{g.name}, {g.year}", anchor="start" if early else "end"))
    return drawing(376, foot + 26, says, *marks)


def frame(demand: str, order: str) -> Frame:
    """The systems against the demands, with one demand picked out, its guests, and what the port's log says of it."""
    listed = sorted(guests(), key=lambda g: g.year or 9999) if order == "year" else guests()
    chosen = with_demand(demand)
    log = log_of(demand)
    names = [g.name for g in chosen]
    count = f"{len(log)} subject line{'s' * (len(log) > 1)}" if log else "no subject line"
    told = f"while systems began to boot, {count} of the port’s log {'speak' if len(log) > 1 else 'speaks'} of it"
    leaning = f"{_listed(names)} {'lean' if len(names) > 1 else 'leans'} on it"
    says = f"{demand[0].upper()}{demand[1:]}: {DEMANDS[demand][0]}. {leaning}; {told}."
    rows = [("guest", g.name, g.hard) for g in listed if g in chosen]
    rows += [("log", f"{c.date.date()} {c.commit[:7]}", c.subject) for c in log[:5]]
    caption = f"Who leans on {demand}; the log’s first lines on it."
    table = Table(["Kind", "Which", "Why, or the commit’s subject"], rows, caption)
    return Frame(_matrix(listed, demand, says), says, table)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _matrix(listed: list[Guest], demand: str, says: str) -> str:
    marks, right = [], LEFT + 14 + COLUMN * len(DEMANDS)
    for j, name in enumerate(DEMANDS):
        x, chosen = LEFT + 14 + j * COLUMN, name == demand
        if chosen:
            band = rect(x - 11, TOP - 4, 22, ROW * len(listed) + 6, fill="kvm", stroke="none", fill_opacity="0.18")
            marks.append(band)
        turned = f"rotate(-55 {x + 3} {TOP - 10})"
        marks.append(text(x + 3, TOP - 10, name, **_look(chosen), transform=turned))
        marks += [_mark(x, TOP + i * ROW + 11, chosen) for i, g in enumerate(listed) if name in g.tests]
    for i, g in enumerate(listed):
        y = TOP + i * ROW
        marks.append(text(LEFT, y + 16, g.name, anchor="end", **_look(demand in g.tests)))
        marks.append(line(LEFT + 6, y + 23, right, y + 23, "rule"))
    return drawing(right + 40, TOP + ROW * len(listed) + 6, says, *marks)


def _look(chosen: bool) -> dict[str, object]:
    return {"fill": "ink" if chosen else "ink-2", "size": 14, "font_weight": "bold" if chosen else None}


def _mark(x: float, y: float, chosen: bool) -> str:
    look = {"fill": "kvm", "stroke": "ink"} if chosen else {"fill": "paper", "stroke": "ink-2"}
    return element("circle", cx=f"{x:g}", cy=f"{y:g}", r="6.5" if chosen else "4.5", **look)


def explorer() -> Explorer:
    """One demand at a time, in the post's order or by year."""
    return Explorer(
        "demands", "What each guest asks of the hypervisor", frame,
        {
            "demand": Choice("What is hard", list(DEMANDS)),
            "order": Choice("Order", [("post", "as the post lists them"), ("year", "by year")]),
        },
        default={"demand": "real mode"},
        keys=[{"demand": "timers"}],
    )  # fmt: skip
