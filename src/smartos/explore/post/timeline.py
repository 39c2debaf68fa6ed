"""What happened after the post: the events with their sources, and the life of the port counted in commits.

Events come from :func:`smartos.post.timeline`; each names at least one entry of the bibliography. Commits come from the
log of TritonDataCenter/illumos-kvm (facts S4, W2 and W12); one that changes a `.c` or `.h` file touches the driver.

Left out: whatever no source gave, such as the terms of the sales of 2022 and 2025.
"""

import re
from collections import Counter
from datetime import date
from html import escape
from math import log1p

from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, line, rect, text
from smartos.post.datasets import commits
from smartos.post.sources import CONFIDENCE, Event, bibliography, timeline

SCALE = (0, 1, 3, 10, 30, 100, 300)
TITLE = "Commits to illumos-kvm by year"
MONTHS = "January February March April May June July August September October November December".split()


def spelt(day: str) -> str:
    """An ISO date of a year, a month or a day, in words."""
    year, *rest = day.split("-")
    words = [MONTHS[int(rest[0]) - 1]] if rest else []
    return " ".join([*([str(int(rest[1]))] if len(rest) > 1 else []), *words, year])


def source(key: str) -> str:
    """A bibliography entry as a link to its address. Raises KeyError when the key is in no entry."""
    entries = bibliography()
    if key not in entries:
        raise KeyError(f"the bibliography has no entry {key!r}; add it to references.bib")
    entry = entries[key]
    title = escape(entry["title"])
    return f'<a href="{escape(entry["url"])}">{title}</a>' if entry.get("url") else title


def known(event: Event) -> str:
    """How an event is known, in words, where it is not simply seen in its source."""
    if event.confidence == "V":
        return ""
    words = []
    for part in event.confidence.split(" / "):
        letters, what = re.fullmatch(r"(\w(?: \+ \w)*) ?(.*)", part).groups()
        words.append(f"{what} {' and '.join(CONFIDENCE[letter] for letter in letters.split(' + '))}".strip())
    return f'<span class="timeline-known">How it is known: {escape("; ".join(words))}.</span>'


class Timeline:
    """The events in order, as a list that says for each when, what, and by which source."""

    def _repr_html_(self) -> str:
        items = "".join(
            f'<li><time class="timeline-date" datetime="{e.date}">{spelt(e.date)}</time>'
            f'<span class="timeline-what">{escape(e.what)} '
            f'<span class="timeline-source">Source: {"; ".join(map(source, e.cites))}.</span> {known(e)}</span></li>'
            for e in timeline()
        )
        return f'<ol class="timeline">{items}</ol>'


def per_year() -> dict[int, int]:
    """Commits to the port in each year from the first to the last, years without any included."""
    found = Counter(commit.date.year for commit in commits())
    return {year: found[year] for year in range(min(found), max(found) + 1)}


def driver_per_year() -> dict[int, int]:
    """Of the commits of each year, those that touch the driver."""
    found = Counter(commit.date.year for commit in commits() if commit.driver)
    return {year: found[year] for year in per_year()}


def port_years() -> Frame:
    """The port's commits by year, on a scale where the most and one can both be seen: the logarithm of one more."""
    years, driver = per_year(), driver_per_year()
    peak = max(years, key=lambda year: years[year])
    last = max(year for year, count in driver.items() if count)
    says = (
        f"{years[peak]} of the port’s {sum(years.values())} commits are of {peak}; "
        f"no later year has more than {max(count for year, count in years.items() if year > peak)}. "
        f"The last that touches the driver (full bars) is of {last}; the rest change the build, the tools or the text."
    )
    rows = [(year, driver[year], count - driver[year], count) for year, count in years.items()]
    columns = ["year", "touch the driver", "touch the build, tools or text", "commits"]
    return Frame(_bars(years, driver, says), says, Table(columns, rows, TITLE, plain=["year"]))


def _bars(years: dict[int, int], driver: dict[int, int], says: str) -> str:
    """Two bars a year, one in the other: all commits with their count, and those that touch the driver in full colour."""
    column, foot, tall = 24, 214, 180

    def up(count: int) -> float:
        return foot - tall * log1p(count) / log1p(max(years.values()))

    marks = []
    for count in SCALE:
        marks += [line(34, up(count), 40 + column * len(years), up(count), "rule"), text(28, up(count) + 4, str(count), "ink-2", "end", 12)]
    for i, (year, count) in enumerate(years.items()):
        middle, turn = 40 + column * (i + 0.5), f"rotate(-60 {40 + column * (i + 0.5):g} {foot + 14})"
        bars = {"all": ("none", "kvm", up(count)), "driver": ("kvm", "kvm", up(driver[year]))}
        marks += [rect(middle - 8, top, 16, foot - top, fill, edge, data_of=of) for of, (fill, edge, top) in bars.items()]
        marks.append(text(middle, up(count) - 5, str(count), anchor="middle", size=12))
        marks.append(text(middle + 4, foot + 14, str(year), "ink-2", "end", 12, transform=turn))
    return drawing(46 + column * len(years), foot + 44, says, text(0, 12, "commits", "ink-2", size=12), *marks)


def days_between(first: str, last: str) -> int:
    """Days from one ISO day to another."""
    return (date.fromisoformat(last) - date.fromisoformat(first)).days
