"""What the tests of the labs share: the lab that a test module names in `LAB`, and what its cells give."""

import nbformat
import pytest

from tests.unit import labs


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    """The lab of the module."""
    return labs.read(request.module.LAB)


@pytest.fixture(scope="module")
def executed(lab: nbformat.NotebookNode) -> dict[str, str]:
    """What each cell of it gives, run once from top to bottom."""
    return labs.given(lab)
