"""Every line of the post: its section, its language, what kind of thing it is, its translation, its place in the book.

The text follows the archived copy of the blog that reprints the mailing list's message 03344. The translations are
ours. What the copy lost is told by :mod:`smartos.post.damage`; the lines here are only what it kept.
"""

import re
from dataclasses import dataclass
from functools import cache

from smartos.post.files import read

SECTIONS = {
    "frame": "The frame of the blog",
    "lead": "Subject and lead",
    "release": "The press release",
    "technologies": "Four technologies",
    "oses": "OSes booted",
    "kernel": "What SmartOS is made of",
    "faq": "The FAQ",
    "slides": "The slides",
    "coverage": "Related blogs and articles",
    "older": "Older posts",
}

# (first line, last line, section, kind, label of the place in the book); lines are counted from 1.
PLACES = [
    (1, 1, "frame", "masthead", "post-frame"),
    (4, 4, "lead", "subject", "post-subject"),
    (6, 6, "lead", "date", "post-frame"),
    (7, 8, "lead", "remark", "post-lead"),
    (10, 10, "release", "title", "pr-title"),
    (12, 13, "release", "quotation", "pr-title"),
    (14, 14, "release", "date", "pr-title"),
    (16, 22, "release", "quotation", "pr-dirt"),
    (24, 24, "release", "remark", "pr-no-illumos"),
    (26, 26, "technologies", "title", "ft-diagram"),
    (28, 29, "technologies", "quotation", "ft-sentence"),
    (31, 31, "oses", "title", "os-list"),
    (32, 34, "oses", "list", "os-list"),
    (36, 38, "kernel", "quotation", "ft-comprised"),
    (40, 40, "faq", "title", "faq-known"),
    (41, 41, "faq", "quotation", "license-answer"),
    (42, 43, "faq", "quotation", "license-answer"),
    (45, 45, "slides", "remark", "slides-deck"),
    (47, 47, "slides", "title", "slides-deck"),
    (48, 49, "slides", "credit", "slides-deck"),
    (52, 52, "slides", "title", "slide-2"),
    (53, 55, "slides", "quotation", "slide-2"),
    (57, 57, "slides", "title", "slide-22"),
    (58, 63, "slides", "quotation", "slide-22"),
    (65, 65, "slides", "title", "slide-23"),
    (66, 66, "slides", "quotation", "slide-23"),
    (68, 68, "slides", "title", "slide-27"),
    (69, 71, "slides", "quotation", "slide-27"),
    (72, 72, "slides", "remark", "slide-27-remark"),
    (74, 74, "coverage", "heading", "press-smartos-blog"),
    (75, 75, "coverage", "title", "press-smartos-blog"),
    (77, 77, "coverage", "title", "press-kvm-on-illumos"),
    (78, 78, "coverage", "credit", "press-kvm-on-illumos"),
    (79, 79, "coverage", "quotation", "press-kvm-on-illumos"),
    (81, 82, "coverage", "title", "press-register"),
    (83, 83, "coverage", "credit", "press-register"),
    (85, 91, "coverage", "quotation", "press-register"),
    (93, 93, "coverage", "title", "press-dck"),
    (94, 94, "coverage", "credit", "press-dck"),
    (96, 101, "coverage", "quotation", "press-dck"),
    (103, 103, "coverage", "title", "press-gigaom"),
    (104, 104, "coverage", "credit", "press-gigaom"),
    (106, 106, "coverage", "title", "press-resources"),
    (108, 108, "coverage", "remark", "press-japanese-site"),
    (111, 111, "coverage", "credit", "press-observation-deck"),
    (113, 113, "coverage", "title", "press-kvm-forum"),
    (115, 115, "older", "date", "press-older-posts"),
    (117, 117, "older", "date", "press-older-posts"),
    (118, 119, "older", "quotation", "press-older-posts"),
    (121, 121, "older", "title", "press-older-posts"),
    (122, 126, "older", "quotation", "press-older-posts"),
    (128, 128, "frame", "footer", "post-frame"),
]

ENGLISH = {
    7: "Named to the TR35 of MIT’s Technology Review for his work on DTrace at Sun, …",
    8: "… Bryan Cantrill has since moved to Joyent, from where (illumos-based) SmartOS …",
    24: "Note: this press release does not mention Illumos.",
    45: "Sorry for the long preamble (?); I recommend the following slides:",
    72: "Since they push DTrace this hard, I expect … to come as standard: the framework of line 69, or DTrace itself; "
    "the sentence names no subject.",
    74: "Related blogs, articles and so on",
    108: "Huh? There is a Japanese site.",
    111: "September 9, 2005, The Observation Deck (Mr Bryan Cantrill’s personal blog)",
    118: "“A survey of the open-source virtualization mechanism KVM”",
    119: "Registered: 2010/07/08",
    121: "[san-tech][02026] USENIX LISA ’09 (1–6 November 2009), 24 January 2010",
    128: "0 comments:",
}

JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Line:
    """One line: `n` counts from 1, `lang` is en, ja or mixed, `where` a label of the book; blank lines have neither."""

    n: int
    text: str
    section: str = ""
    kind: str = "blank"
    lang: str = ""
    english: str = ""
    where: str = ""


def text() -> str:
    """The post as the archived copy has it, byte for byte."""
    return read("post.txt")


def language(words: str) -> str:
    """Whether a line is English, Japanese, or Japanese with English names in it."""
    if not JAPANESE.search(words):
        return "en" if words.strip() else ""
    return "mixed" if re.search(r"[A-Za-z]{2,}", words) else "ja"


@cache
def lines() -> tuple[Line, ...]:
    """The post's lines in order."""
    places = {n: place[2:] for place in PLACES for n in range(place[0], place[1] + 1)}
    records = []
    for n, words in enumerate(text().split("\n"), 1):
        section, kind, where = places.get(n, ("", "blank", ""))
        records.append(Line(n, words, section, kind, language(words), ENGLISH.get(n, ""), where))
    return tuple(records)
