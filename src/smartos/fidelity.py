"""The fidelity ledger: for each part of a model, what it does as the real thing does, and what it leaves out.

Each model keeps its own entries in a module `fidelity` beside its code; this module only gathers them, so that the
ledger's page and its test see the same rows.
"""

import importlib
from dataclasses import dataclass

MODELS = ("kvm", "zfs", "dtrace")


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
