"""The ledger's rows are whole: every part of every model says what it is, what it lacks, and a test that is there."""

import pytest

from smartos.fidelity import MODELS, ledger
from tools.paths import ROOT

ROWS = [(model, entry) for model in MODELS for entry in ledger(model)]


@pytest.mark.parametrize(("model", "entry"), ROWS, ids=[f"{model}: {entry.part}" for model, entry in ROWS])
def test_a_row_is_whole_and_its_test_exists(model: str, entry: object) -> None:
    assert all((entry.part, entry.modelled, entry.left_out, entry.source))
    for test in (ROOT / name for name in entry.tests):
        assert test.is_file() and test.name.startswith("test_") and "def test_" in test.read_text("utf-8")
        assert (ROOT / "tests") in test.parents


def test_no_part_stands_twice() -> None:
    parts = [(model, entry.part) for model, entry in ROWS]
    assert len(set(parts)) == len(parts)


def test_every_model_of_the_package_has_a_ledger() -> None:
    """A package with a module `fidelity` is among the models, and the other way round."""
    found = {path.parent.name for path in (ROOT / "src/smartos").glob("*/fidelity.py")}
    assert found == set(MODELS)


def test_a_model_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="no model 'btrfs'; the models are kvm"):
        ledger("btrfs")
