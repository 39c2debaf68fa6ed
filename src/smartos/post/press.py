"""What was written about the announcement, and the pieces of it that we hold.

We hold excerpts, mostly those that the post quotes. So a count over them says what the excerpts say, and nothing about
the rest of an article.
"""

import re
from dataclasses import dataclass

from smartos.post.lines import lines

# How each subject is spelt in the texts; a match counts once per occurrence.
TERMS = {
    "illumos": r"illumos",
    "Solaris": r"solaris",
    "KVM": r"\bKVM\b",
    "Zones": r"\bzones?\b|\bcontainers?\b|OS(?:-level|-based)? virtualization",
    "ZFS": r"\bZFS\b",
    "DTrace": r"\bDTrace\b",
    "Crossbow": r"\bCrossbow\b|\bVNIC\b",
    "cloud": r"\bcloud\b",
    "open source": r"open[- ]sources?\b",
}


@dataclass(frozen=True)
class Article:
    """A text about the announcement: `held` says how much of it was seen, `line` where the post names it (0: nowhere)."""

    outlet: str
    date: str
    author: str
    title: str
    line: int
    held: str
    fact: str
    cite: str = ""


@dataclass(frozen=True)
class Held:
    """A text that we hold, or as much of it as we hold."""

    name: str
    whence: str
    text: str


def press() -> list[Article]:
    """Who wrote, by date; an empty author was not seen."""
    return [
        Article("Marketwire (Joyent)", "2011-08-15", "Joyent", "Joyent Announces SmartOS With KVM: an Open Source, Modern Operating System", 10, "title; the rest in the post alone", "A1", "joyent2011pr"),
        Article("Joyent weblog", "2011-08-15", "Bryan Cantrill, posted by Jackson West", "KVM on illumos", 77, "whole, at the author’s own blog", "R5", "cantrill2011blog"),
        Article("The Register", "2011-08-15", "Cade Metz", "Son of Solaris raids Linux for KVM hypervisor", 81, "the beginning, in a mirror", "R1", "metz2011"),
        Article("Data Center Knowledge", "2011-08-15", "", "Joyent Open Sources SmartOS for the Cloud", 93, "the post’s quotation alone", "R3", "dck2011"),
        Article("GigaOM", "2011-08-15", "", "Joyent launches a new OS for the cloud", 103, "a teaser", "R2", "gigaom2011"),
        Article("ReadWriteWeb", "2011-08-15", "", "Joyent Brings KVM to SmartOS for DIRTY Environments", 0, "one sentence, quoted elsewhere", "R4", "readwriteweb2011"),
        Article("LWN.net", "2011-08-15", "Jonathan Corbet and readers", "SmartOS (based on IllumOS) released - with KVM", 0, "news item and comments", "R6", "lwn455008"),
        Article("SmartOS blog", "2011-08-22", "Max Bruning (inferred; no byline seen)", "It’s here! KVM on Illumos", 0, "the beginning", "R8", "bruning2011"),
        Article("oVirt blog", "2011-09", "", "KVM on illumos", 0, "the beginning", "R9", "ovirt2011"),
        Article("LWN.net", "2011-09-21", "Koen Vervloesem", "SmartOS: virtualization with ZFS and KVM", 0, "the beginning", "R7", "vervloesem2011"),
    ]  # fmt: skip


def _span(first: int, last: int) -> str:
    return "\n".join(line.text for line in lines()[first - 1 : last])


def texts() -> list[Held]:
    """The English texts held, in the post's order, then what others quote."""
    return [
        Held("Press release", "the post, lines 10 to 22", _span(10, 22)),
        Held("SmartOS page", "the post, lines 26 to 38", _span(26, 38)),
        Held("FAQ", "the post, lines 41 to 43", _span(41, 43)),
        Held("Slides", "the post, lines 47 to 71", _span(47, 71)),
        Held("Joyent weblog", "the post, lines 77 to 79", _span(77, 79)),
        Held("The Register", "the post, lines 81 to 91", _span(81, 91)),
        Held("Data Center Knowledge", "the post, lines 93 to 101", _span(93, 101)),
        Held("GigaOM", "the post, lines 103 and 104", _span(103, 104)),
        Held("ReadWriteWeb", "one sentence, fact R4",
             "KVM images run as a process inside of a zone: turns out to be a very secure way to run Windows"),
    ]  # fmt: skip


def term_matrix() -> list[tuple[str, dict[str, int], int]]:
    """For each text held: how often each of :data:`TERMS` occurs, and how many words the text has."""
    found = []
    for held in texts():
        flat = re.sub(r"\s+", " ", held.text)
        counts = {term: len(re.findall(pattern, flat, re.IGNORECASE)) for term, pattern in TERMS.items()}
        found.append((held.name, counts, len(flat.split())))
    return found
