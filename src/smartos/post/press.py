"""What was written about the announcement, and the pieces of it that are counted here.

A text that is counted is counted whole: what the post quotes of it, or the whole passage or item that is held. More was
read of some articles than is kept here, for the articles are not ours to copy; each record says how much was read and
how much of that is counted. So a count says what these texts say, and nothing about the rest of an article.
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
    """A text about the announcement: `line` is where the post names it (0: nowhere), `seen` how much of it was read.

    `counted` names the text of :func:`texts` that has our share of it, or is empty: then nothing of it is counted.
    """

    outlet: str
    date: str
    author: str
    title: str
    line: int
    seen: str
    fact: str
    cite: str = ""
    counted: str = ""

    @property
    def held(self) -> str:
        """How much was read, and how much of that is counted."""
        share = next((text.share for text in texts() if text.name == self.counted), "nothing of it")
        return f"read: {self.seen}; counted: {share}"


@dataclass(frozen=True)
class Held:
    """A text that is counted, the whole of it: `share` says how much of its original that is."""

    name: str
    whence: str
    share: str
    text: str


def press() -> list[Article]:
    """Who wrote, by date; an empty author was not seen."""
    return [
        Article("Marketwire (Joyent)", "2011-08-15", "Joyent", "Joyent Announces SmartOS With KVM: an Open Source, Modern Operating System", 10, "the title; the rest in the post alone", "A1", "joyent2011pr", "Press release"),
        Article("Joyent weblog", "2011-08-15", "Bryan Cantrill, posted by Jackson West", "KVM on illumos", 77, "the whole, at the author’s own blog", "R5", "cantrill2011blog", "Joyent weblog"),
        Article("The Register", "2011-08-15", "Cade Metz", "Son of Solaris raids Linux for KVM hypervisor", 81, "the first third, in a mirror", "R1", "metz2011", "The Register"),
        Article("Data Center Knowledge", "2011-08-15", "", "Joyent Open Sources SmartOS for the Cloud", 93, "the post’s quotation", "R3", "dck2011", "Data Center Knowledge"),
        Article("GigaOM", "2011-08-15", "", "Joyent launches a new OS for the cloud", 103, "a teaser", "R2", "gigaom2011", "GigaOM"),
        Article("ReadWriteWeb", "2011-08-15", "", "Joyent Brings KVM to SmartOS for DIRTY Environments", 0, "a passage, quoted by the SmartOS documentation", "R4b", "readwriteweb2011", "ReadWriteWeb"),
        Article("LWN.net", "2011-08-15", "Jonathan Corbet and readers", "SmartOS (based on IllumOS) released - with KVM", 0, "the item and most comments", "R6", "lwn455008", "LWN.net"),
        Article("Robert Mustacchi’s weblog", "2011-08-16", "Robert Mustacchi", "Visualizing KVM", 0, "the address alone", "S14", "mustacchi2011visualizing"),
        Article("SmartOS blog", "2011-08-22", "Max Bruning (inferred; no byline seen)", "It’s here! KVM on Illumos", 0, "the beginning", "R8", "bruning2011"),
        Article("oVirt blog", "2011-09", "", "KVM on illumos", 0, "the beginning", "R9", "ovirt2011"),
        Article("itprimer", "2011-09-06", "", "Hypervisor Platforms", 0, "the whole", "R11", "itprimer2011"),
        Article("LWN.net", "2011-09-21", "Koen Vervloesem", "SmartOS: virtualization with ZFS and KVM", 0, "the beginning", "R7", "vervloesem2011"),
    ]  # fmt: skip


def _span(first: int, last: int) -> str:
    return "\n".join(line.text for line in lines()[first - 1 : last])


def texts() -> list[Held]:
    """The English texts that are counted, in the post's order, then what others quote or print."""
    return [
        Held("Press release", "the post, lines 10 to 22", "the post’s quotation", _span(10, 22)),
        Held("SmartOS page", "the post, lines 26 to 38", "the post’s quotations", _span(26, 38)),
        Held("FAQ", "the post, lines 41 to 43", "the post’s quotation", _span(41, 43)),
        Held("Slides", "the post, lines 47 to 71", "the post’s quotations", _span(47, 71)),
        Held("Joyent weblog", "the post, lines 77 to 79", "the post’s three lines", _span(77, 79)),
        Held("The Register", "the post, lines 81 to 91", "the post’s quotation", _span(81, 91)),
        Held("Data Center Knowledge", "the post, lines 93 to 101", "the post’s quotation", _span(93, 101)),
        Held("GigaOM", "the post, lines 103 and 104", "title and date", _span(103, 104)),
        Held("ReadWriteWeb", "the SmartOS documentation, fact R4b", "the whole passage",
             "Thanks to the Solaris/Illumos heritage, SmartOS already had Containers and Zones -- container-based "
             "virtualization (containers is supposed to mean zones + resource controls) that allowed users to run "
             "multiple applications sets on one server isolated from one another. With KVM on SmartOS, Joyent can now "
             "address workloads that require running a full operating system for those customers who need Linux, "
             "Windows, or other operating systems to run in full, hardware-assisted virtualization. Unlike any other "
             "\"hypervisor\", Joyent's KVM images run as a process inside of a zone: turns out to be a very secure way "
             "to run Windows. And, unlike Linux, SmartOS will also give customers access to Solaris technologies that "
             "many users find compelling - like DTrace and ZFS."),
        Held("LWN.net", "lwn.net/Articles/455008, fact R6", "the item, without its comments",
             "SmartOS is a new Solaris/IllumOS-based distribution released by Joyent. \"SmartOS incorporates the four "
             "most revolutionary OS technologies of the past decade - Zones, ZFS, DTrace and KVM - into a single "
             "operating system, providing an arbitrarily observable, highly multi-tenant environment built on a "
             "reliable, enterprise-grade storage stack.\" Yes, they have ported the KVM virtualization facility from "
             "Linux to Solaris."),
    ]  # fmt: skip


def term_matrix() -> list[tuple[str, dict[str, int], int]]:
    """For each text held: how often each of :data:`TERMS` occurs, and how many words the text has."""
    found = []
    for held in texts():
        flat = re.sub(r"\s+", " ", held.text)
        counts = {term: len(re.findall(pattern, flat, re.IGNORECASE)) for term, pattern in TERMS.items()}
        found.append((held.name, counts, len(flat.split())))
    return found
