"""What happened after the post, as a list in time with its sources."""

from html import escape

from smartos.post import Event, bibliography, timeline

MONTHS = "January February March April May June July August September October November December".split()


def spoken(date: str) -> str:
    """An ISO date, to the year, month or day, as one says it."""
    year, *rest = date.split("-")
    month = MONTHS[int(rest[0]) - 1] if rest else ""
    day = str(int(rest[1])) if len(rest) > 1 else ""
    return " ".join(part for part in (day, month, year) if part)


class Timeline:
    """The events after the post, in order."""

    def html(self) -> str:
        """An ordered list: the date, what happened, the titles of its sources, how it is known."""
        return f'<ol class="timeline">{"".join(_event(event) for event in timeline())}</ol>'

    def _repr_html_(self) -> str:
        return self.html()


def _event(event: Event) -> str:
    entries = [bibliography()[key] for key in event.cites]
    sources = "; ".join(f'<a href="{escape(e["url"])}" rel="external noopener">{escape(e["title"])}</a>' for e in entries)
    return (
        f'<li><time datetime="{event.date}">{spoken(event.date)}</time><p>{escape(event.what)}</p>'
        f'<p class="timeline-source">{sources} <span class="confidence">{escape(event.confidence)}</span></p></li>'
    )
