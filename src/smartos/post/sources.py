"""Facts with their confidence, the events that followed, and the bibliography.

A fact's letter says how it is known: V was seen in the source, P was seen paraphrased or second-hand, S stands in the
post alone, C was computed here from a named source.
"""

import re
from dataclasses import dataclass
from functools import cache

from smartos.post.files import read, rows

CONFIDENCE = {
    "V": "seen in the source itself",
    "P": "seen paraphrased or at second hand",
    "S": "stands in the post alone",
    "C": "computed here from a named source",
}


@dataclass(frozen=True)
class Fact:
    """One fact: `confidence` holds one or more letters of :data:`CONFIDENCE`, with a word where they differ."""

    id: str
    text: str
    date: str
    source: str
    confidence: str
    quote: str


@dataclass(frozen=True)
class Event:
    """Something that happened afterwards: ISO `date` (to the year, month or day), bibliography keys, fact."""

    date: str
    what: str
    cites: tuple[str, ...]
    fact: str
    confidence: str


@cache
def facts() -> dict[str, Fact]:
    """All facts by id."""
    return {
        r["id"]: Fact(r["id"], r["fact"], r["date"], r["source"], r["confidence"], r["quote"]) for r in rows("facts.csv")
    }


def fact(ident: str) -> Fact:
    """One fact. Raises KeyError with the ids of its letter when there is none of that name."""
    try:
        return facts()[ident]
    except KeyError:
        near = ", ".join(name for name in facts() if name[:1] == ident[:1]) or ", ".join(facts())
        raise KeyError(f"there is no fact {ident!r}; there are {near}") from None


@cache
def timeline() -> tuple[Event, ...]:
    """What happened after the post, in order."""
    return tuple(
        Event(r["date"], r["what"], tuple(r["cites"].split()), r["fact"], r["confidence"]) for r in rows("timeline.csv")
    )


@cache
def bibliography() -> dict[str, dict[str, str]]:
    """The bibliography's entries: key → fields, with the entry's type under `type`; inner braces are dropped."""
    entries = {}
    for kind, key, body in re.findall(r"^@(\w+)\{([^,\s]+),(.*?)\}\s*$(?=\s*(?:@|%|\Z))", read("references.bib"), re.M | re.S):
        fields = {name.lower(): value for name, value in re.findall(r"(\w+)\s*=\s*\{((?:[^{}]|\{[^{}]*\})*)\}", body)}
        fields |= {"month": m for m in re.findall(r"month\s*=\s*(\w+)\s*[,}]?", body)}
        entries[key] = {"type": kind, **{name: re.sub(r"[{}]", "", value) for name, value in fields.items()}}
    return entries
