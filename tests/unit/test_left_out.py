"""What a module leaves out by its own docstring is in the ledger, or is marked as a detail with a reason."""

import re

import pytest

from smartos.fidelity import MODELS, Entry, ledger, left_out, said_in
from tools import left_out as tool

ROWS = {f"{model}: {entry.part}": entry for model in MODELS for entry in ledger(model)}
TABLE = left_out()
COMMON = set(
    "left out that which with from this have their other beyond does what when here more than into the and but not its for are was"
    " has you one two all any who own can may nor".split()
)


def words(text: str) -> set[str]:
    """The words of three letters and more, cut to five so that forms of a word meet."""
    return {word[:5].rstrip("s") for word in re.findall(r"[a-z0-9]{3,}", text.lower()) if word not in COMMON}


def test_every_module_that_leaves_something_out_is_judged() -> None:
    """A sentence that is new, changed or gone: `python -m tools.left_out` writes the table anew and marks it."""
    known = {module: sentence for module, _, sentence in TABLE}
    found = tool.found()
    assert [module for module in found if known.get(module) != found[module]] == [], "run python -m tools.left_out"
    assert set(known) == set(found)
    assert [module for module, row, _ in TABLE if row.startswith("?")] == []


@pytest.mark.parametrize(("module", "row", "sentence"), TABLE, ids=[module for module, *_ in TABLE])
def test_the_row_that_a_module_is_filed_under_says_it(module: str, row: str, sentence: str) -> None:
    """The row is there, and speaks of at least one of the things that the sentence names; a detail has its reason."""
    if row.startswith("detail: "):
        assert len(row.split()) > 2
        return
    entry: Entry = ROWS[row]
    assert words(sentence) & words(entry.left_out), f"{row} says nothing of: {sentence}"


def test_a_sentence_is_found_wherever_it_stands() -> None:
    assert said_in('"""A module. Left out: this, and that (see\n`x`). Follows y."""') == "Left out: this, and that (see `x`)."
    assert said_in('"""A module.\n\nLeft out, and refused by name: this."""') == "Left out, and refused by name: this."
    assert said_in("x = 1  # Left out: nothing") == ""


def test_a_changed_sentence_asks_for_a_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    first = TABLE[0][0]
    monkeypatch.setattr(tool, "found", lambda: {first: "Left out: everything.", "new.py": "Left out: all."})
    assert tool.renewed() == [(first, f"? {TABLE[0][1]}", "Left out: everything."), ("new.py", "?", "Left out: all.")]
