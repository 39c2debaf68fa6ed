"""What four licences ask of whoever changes, adds to, links or ships code under them, clause by clause.

Each answer is a sentence of ours with the clauses it rests on; a clause is told in our words, with its number in the
licence, so that a reader can open the text and disagree. The licences are those of the FAQ's answer (CDDL 1.0, GPL
version 2, the MIT licence) and MPL 2.0, which the code of this book carries. Read in: OPENSOLARIS.LICENSE of illumos,
COPYING.linux of illumos-kvm, net/vnic.c of illumos-kvm-cmd, and the file LICENSE of this repository.

Left out: patents beyond the clause that names them, trademarks, warranty terms, termination, and all law outside the
licences' own words. What a court would call a derived work is not decided here; such answers are marked open.
"""

from dataclasses import dataclass

LICENCES = {"CDDL": "CDDL 1.0", "GPL": "GPL version 2", "MIT": "MIT licence", "MPL": "MPL 2.0"}

# A case: what you did, and the three things in the scene whose terms are in question.
ACTIONS = {
    "change": ("I changed this file", ("the file you changed", "the other files", "the whole you pass on")),
    "add": ("I add a file of my own", ("the file you add", "the other files", "the whole you pass on")),
    "link": ("I link this module with mine", ("this module", "your module", "the two as one program")),
    "ship": ("I ship a binary", ("the binary", "its source", "your code inside")),
}

# How far a licence reaches over one thing.
REACH = {
    "bound": "under this licence",
    "notice": "notice stays, your terms",
    "free": "your terms",
    "theirs": "as it was",
    "open": "disputed",
}


@dataclass(frozen=True)
class Clause:
    """One clause: its licence (a key of :data:`LICENCES`), its number there, what it asks in our words, its source."""

    licence: str
    number: str
    asks: str
    cite: str

    @property
    def name(self) -> str:
        """The clause as one cites it."""
        return f"{LICENCES[self.licence]}, {'§ ' if self.number[0].isdigit() else ''}{self.number}"


@dataclass(frozen=True)
class Answer:
    """What a licence asks in one case: a sentence, the reach over the case's three things, the clauses it rests on."""

    says: str
    reach: tuple[str, str, str]
    clauses: tuple[str, ...]


CLAUSES = {
    "CDDL": {
        "1.6": "Calls a work that joins covered code with code outside the licence a Larger Work.",
        "1.9": "Counts as a Modification: a file you changed (A), a new file with covered code in it (B), a new file "
        "that you yourself put under this licence (C).",
        "2.1(d)": "Gives no patent licence for what comes of changing the code or of joining it with other software.",
        "3.1": "Whoever gets an executable must be able to get its covered source, under this licence only, with the "
        "licence's text, and must be told how.",
        "3.2": "Puts every Modification of yours under this licence.",
        "3.3": "Has you sign each Modification, and leave the notices that are there.",
        "3.4": "Forbids terms that narrow the recipients' rights in the covered source.",
        "3.5": "Lets you put the executable under terms of your own, as long as the rights in the source stay whole.",
        "3.6": "Lets you pass on a Larger Work as one product; the covered files in it keep their duties.",
    },
    "GPL": {
        "0": "Covers any work that contains the program or a part of it; running it is left alone.",
        "1": "Lets you copy the source as it is, with its notices and the licence's text.",
        "2(a)": "Has each changed file say that you changed it, and when.",
        "2(b)": "A work you distribute that contains or derives from the program must be licensed whole under this "
        "licence, without charge for the licence.",
        "2, separate works": "Leaves parts alone that are works of their own and are passed on separately; as parts of "
        "the whole they follow the whole.",
        "2, aggregation": "Leaves a work alone that only lies on the same disk or disc.",
        "3": "An executable comes with its complete source, build scripts included, or with a written offer of it good "
        "for three years; only without commerce may you hand on the offer you got.",
        "3, exception": "Lets that source leave out what normally comes with the main parts of the operating system, its "
        "kernel among them, but not when such a part comes along with the executable.",
        "6": "Gives every recipient the licence anew and forbids you further restrictions.",
    },
    "MIT": {
        "permission": "Lets anyone use, change, merge, pass on, sublicense and sell the code.",
        "condition": "Asks one thing: the copyright line and the permission stay in every copy or large part.",
    },
    "MPL": {
        "1.5": "Names code that its first owner marked, by the notice of Exhibit B, as not to be joined with the GPL; for "
        "such code the way of 3.3 is closed.",
        "1.7": "Calls a work that joins covered code with other files a Larger Work.",
        "1.10": "Counts as a Modification: a file you changed (a), a new file with covered code in it (b).",
        "3.1": "Passes source on, your Modifications too, under this licence only, and tells recipients so.",
        "3.2": "Lets the executable have other terms; its covered source must be to be had, at the cost of handing it "
        "over at most.",
        "3.3": "Lets a Larger Work have terms of your choice, and lets covered code join a GPL work on GPL terms.",
        "3.4": "Keeps the licence notices that are there.",
    },
}

SOURCES = {"CDDL": "cddl10", "GPL": "gplv2", "MIT": "repo-illumos-kvm-cmd", "MPL": "mpl20"}

ANSWERS = {
    ("CDDL", "change"): Answer(
        "Your changed file stays under the CDDL, signed by you; no other file is drawn in.",
        ("bound", "theirs", "free"), ("1.9", "3.2", "3.3", "3.6"),
    ),
    ("CDDL", "add"): Answer(
        "A new file with no CDDL code in it may carry any licence you like; one that holds a copied piece is CDDL.",
        ("free", "theirs", "free"), ("1.9", "3.2", "3.6"),
    ),
    ("CDDL", "link"): Answer(
        "Linking changes no file, so your module keeps its own terms and the CDDL files keep theirs.",
        ("bound", "free", "free"), ("1.6", "1.9", "3.6", "2.1(d)"),
    ),
    ("CDDL", "ship"): Answer(
        "The binary may carry your own terms; the source of its CDDL files must be to be had under the CDDL.",
        ("free", "bound", "free"), ("3.1", "3.4", "3.5", "3.6"),
    ),
    ("GPL", "change"): Answer(
        "The changed file says so with a date, and the program you pass on is under the GPL as a whole.",
        ("bound", "bound", "bound"), ("2(a)", "2(b)", "6"),
    ),
    ("GPL", "add"): Answer(
        "A file that becomes part of the program goes under the GPL with the whole; a separate work passed on "
        "separately does not.",
        ("bound", "bound", "bound"), ("0", "2(b)", "2, separate works", "2, aggregation"),
    ),
    ("GPL", "link"): Answer(
        "It turns on whether the two together contain or derive from the GPL program, which the licence leaves to "
        "copyright law: this is the dispute of August 2011.",
        ("bound", "open", "open"), ("0", "2(b)", "2, separate works", "2, aggregation"),
    ),
    ("GPL", "ship"): Answer(
        "The binary is under the GPL, and its complete source goes with it or is promised in writing, parts of the "
        "system excepted, unless you ship those too.",
        ("bound", "bound", "bound"), ("1", "2(b)", "3", "3, exception", "6"),
    ),
    ("MIT", "change"): Answer(
        "You keep the copyright line and the permission in the file; the rest of the terms are yours.",
        ("notice", "theirs", "free"), ("permission", "condition"),
    ),
    ("MIT", "add"): Answer(
        "Your own file is yours; only copied MIT code carries its notice along.",
        ("free", "theirs", "free"), ("permission", "condition"),
    ),
    ("MIT", "link"): Answer(
        "Nothing reaches your module; the MIT module's notice travels with it.",
        ("notice", "free", "free"), ("permission", "condition"),
    ),
    ("MIT", "ship"): Answer(
        "You owe no source, only the notice with each copy.",
        ("notice", "free", "free"), ("permission", "condition"),
    ),
    ("MPL", "change"): Answer(
        "Your changed file stays under the MPL; no other file is drawn in.",
        ("bound", "theirs", "free"), ("1.10", "3.1", "3.3", "3.4"),
    ),
    ("MPL", "add"): Answer(
        "A new file with no MPL code in it may carry any licence you like; one that holds a copied piece is MPL.",
        ("free", "theirs", "free"), ("1.10", "3.1", "3.3"),
    ),
    ("MPL", "link"): Answer(
        "Your module keeps its own terms; if it is under the GPL, the MPL module may be passed on under both, unless it "
        "carries the notice that forbids it.",
        ("bound", "free", "free"), ("1.5", "1.7", "1.10", "3.3"),
    ),
    ("MPL", "ship"): Answer(
        "The binary may carry your own terms; the source of its MPL files must be to be had under the MPL.",
        ("free", "bound", "free"), ("3.1", "3.2", "3.3"),
    ),
}  # fmt: skip


def clause(licence: str, number: str) -> Clause:
    """One clause by its licence and number. Raises KeyError with the numbers of that licence when it has no such."""
    try:
        return Clause(licence, number, CLAUSES[licence][number], SOURCES[licence])
    except KeyError:
        known = CLAUSES.get(licence, LICENCES)
        raise KeyError(f"no clause {number!r} of {licence!r} is held; there are {', '.join(known)}") from None


def answer(licence: str, action: str) -> tuple[Answer, tuple[Clause, ...]]:
    """What `licence` asks of one who did `action`, with its clauses. Raises KeyError for a pair without an answer."""
    if (licence, action) not in ANSWERS:
        known = f"licences: {', '.join(LICENCES)}; cases: {', '.join(ACTIONS)}"
        raise KeyError(f"no answer is held for {licence!r} and {action!r}; {known}")
    found = ANSWERS[licence, action]
    return found, tuple(clause(licence, number) for number in found.clauses)
