"""The fidelity ledger: for each part of a model, what it does as the real thing does, and what it leaves out.

Each model keeps its own entries in a module `fidelity` beside its code; this module only gathers them, so that the
ledger's page and its test see the same rows. Beside them it has what each module of the package says of itself, and
which row of the ledger covers that.
"""

import ast
import importlib
import re
from dataclasses import dataclass
from importlib.resources import files

MODELS = ("kvm", "zfs", "dtrace", "explore")
TABLE = "left_out.tsv"
SENTENCE = re.compile(r"Left out\b.*?(?:\.(?= [A-Z`:]|$)|$)")


@dataclass(frozen=True)
class Entry:
    """One part of a model: `source` names what it follows, `test` the file that holds it to that, `also` further ones."""

    part: str
    modelled: str
    left_out: str
    source: str
    test: str
    also: tuple[str, ...] = ()

    @property
    def tests(self) -> tuple[str, ...]:
        """All files that hold the part to what it says."""
        return (self.test, *self.also)


def ledger(model: str) -> list[Entry]:
    """The entries of one model. Raises ValueError for a model that does not exist."""
    if model not in MODELS:
        raise ValueError(f"there is no model {model!r}; the models are {', '.join(MODELS)}")
    return list(importlib.import_module(f"smartos.{model}.fidelity").ENTRIES)


def said_in(source: str) -> str:
    """What a module's docstring says that it leaves out, empty where it says nothing."""
    words = " ".join((ast.get_docstring(ast.parse(source)) or "").split())
    return " ".join(SENTENCE.findall(words))


def left_out() -> list[tuple[str, str, str]]:
    """What each module leaves out: the module, the row of the ledger that covers it (or `detail:` and why), its words."""
    lines = files("smartos").joinpath(TABLE).read_text("utf-8").splitlines()
    return [tuple(line.split("\t", 2)) for line in lines]
