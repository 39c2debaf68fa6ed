"""The prose of the book's sources: what is left of a page when code, quotations, links and headings are set aside.

A number in prose about the data comes from a cell ({glue}) or from a source ({cite}) in the same paragraph. What a
sentence gives as an assumption of its own is written `[512]{.given}`, in sight of every reader of the source. Dates,
versions and the numbers of pages, slides and lines are names and need no proof.

Left out: numbers in words, and whether a citation says what the sentence says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat

OPAQUE = set("code-cell code code-block literalinclude math raw bibliography toctree figure image ja".split())
MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
SET_ASIDE = [
    r"<!--.*?-->",
    r"\[[^\]\n]*\]\{[^{}]*\.given[^{}]*\}",
    r"\{[\w:-]+\}`[^`]*`",
    r"`[^`]*`",
    r"\$[^$\n]+\$",
    r"“[^”]*”",
    r'"[^"\n]{1,400}"',
    r"!\[[^\]]*\]\([^)]*\)",
    r"\]\([^)]*\)",
    r"<[^<>]*>",
    r"https?://\S+",
    r"\]\{[^{}]*\}",
    r"\{[.#][^{}]*\}",
    rf"\b\d{{1,2}}(?:st|nd|rd|th)? (?:and \d{{1,2}} )?{MONTH}(?: \d{{4}})?",
    rf"\b{MONTH} \d{{1,2}}(?:, \d{{4}})?\b",
    r"\b\d{4}[-/]\d{2}(?:[-/]\d{2})?\b",
    r"\b\d{1,2}:\d{2}(?::\d{2})?\b",
]
NUMBER = re.compile(r"(?<![\w.,/:+–-])[$€£]?\d[\d,]*(?:\.\d+)*(?!\w|-\w)")
COUNTED = (
    "bytes?|sectors?|pages?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|lines?|files?|commits?|slides?|probes?"
    "|exits?|cycles?|times|instructions?|blocks?|people|members?|guests?"
)
UNIT = re.compile(
    r"\s?(?:%|per ?cent\b|[kKMGT]i?[Bb]\b|[kKMGT]bits?(?:/s)?\b|[kMG]?B/s\b|[kMG]Hz\b|ms\b|[µn]s\b"
    rf"|(?:{COUNTED})\b)"
)
NAMING = (
    "page|slide|line|step|chapter|section|part|version|release|port|message|number|level|revision|bug|ring|table|figure"
    "|column|row|exit|reason|stage|run|type|vector|register|address|value"
)
NAMES = re.compile(rf"(?:\b(?:{NAMING})s?|#|No\.)\s*(?:\d+,? (?:and |to |or )?)*$", re.IGNORECASE)
OPENERS = """
A About After All Almost And Another Any Around As At Before Between But By Each Every Fewer For From He If In It
Its Less More Most Nearly Of On Only Or Over She Since Some That The Their Then There These They This Those To
Under Up We What When Where Which With You Your
""".split()


@dataclass(frozen=True)
class Block:
    """A paragraph, list item or table of a source: its first line, its text, the directives around it."""

    line: int
    text: str
    inside: tuple[str, ...] = ()


def blocks(text: str) -> Iterator[Block]:
    """The blocks of prose of a MyST text. Headings, quotations and code are none."""
    open_fences: list[tuple[str, str]] = []
    start, lines = 0, []

    def block() -> Iterator[Block]:
        if lines:
            yield Block(start, " ".join(lines), tuple(name for _, name in open_fences))
            lines.clear()

    for number, line in enumerate(body(text), 1):
        fence = re.match(r"\s*(:{3,}|`{3,}|~{3,})\s*(.*)$", line)
        opaque = bool(open_fences) and open_fences[-1][1] in OPAQUE
        if fence and open_fences and fence[1] == open_fences[-1][0] and not fence[2]:
            yield from block()
            open_fences.pop()
        elif opaque:
            continue
        elif fence:
            yield from block()
            open_fences.append((fence[1], directive(fence[2])))
        elif not line.strip() or re.match(r"\s*(>|#{1,6} |:[\w-]+:|%|\([\w-]+\)=|\+\+\+)", line):
            yield from block()
        else:
            if re.match(r"\s*([-*+]|\d+[.)]) ", line):
                lead = lines[-1] if lines and lines[-1].endswith(":") else ""
                yield from block()
                line = lead + " " + line if lead else line
            start = start if lines else number
            lines.append(line.strip())
    yield from block()


def body(text: str) -> list[str]:
    """The lines of a text with its front matter blanked."""
    head = re.match(r"---\n.*?\n---\n", text, re.DOTALL)
    return ("\n" * head[0].count("\n") + text[head.end() :] if head else text).split("\n")


def directive(opening: str) -> str:
    """What a fence opens: a directive's name with its argument's classes, or code."""
    found = re.match(r"\{([\w:-]+)\}\s*(.*)$", opening)
    if not found:
        return "code"
    return f"div {found[2]}" if found[1] == "div" else found[1]


def stripped(text: str) -> str:
    """A block's text without what speaks for itself or for somebody else."""
    for pattern in SET_ASIDE:
        text = re.sub(pattern, lambda found: "]" if found[0].startswith("](") else " ⁂ ", text)
    return text


def unproved(block: Block) -> list[str]:
    """The numbers of a block that neither a cell nor a source vouches for."""
    if re.search(r"\{(glue|cite)", block.text) or any("page-facts" in name for name in block.inside):
        return []
    text = stripped(block.text)
    found = ((number[0], text[: number.start()], text[number.end() :]) for number in NUMBER.finditer(text))
    return [number for number, before, after in found if needs_proof(number, before, after)]


def needs_proof(number: str, before: str, after: str) -> bool:
    """Whether a number says something about the data: three digits or more, a decimal, or a quantity with its unit."""
    digits = re.sub(r"\D", "", number)
    if is_name(number, before):
        return False
    year = len(number) == 4 and number.isdigit() and 1950 <= int(number) <= 2039
    return bool(UNIT.match(after)) or (not year and (len(digits) >= 3 or "." in number))


def is_name(number: str, before: str) -> bool:
    """Whether a number belongs to a name, as in FreeBSD 8.1, slide 22, 2.6.34 or message 03344."""
    word = re.search(r"([A-Z][\w+/.’'-]*)\s$", before)
    after_a_name = bool(word) and word[1] not in OPENERS
    code = number.startswith("0") and number.isdigit() and len(number) > 1
    return after_a_name or code or number.count(".") > 1 or bool(NAMES.search(before))


def prose(path: Path) -> str:
    """The MyST text of a page; of a notebook, its text cells."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return path.read_text("utf-8")
