"""What the tests of the labs share: a lab, what its cells give, and its solutions."""

import re

import nbformat
from nbclient import NotebookClient

from tools.paths import ROOT

SOLUTION = re.compile(r":::\{dropdown\} Solution\n.*?```python\n(.*?)```", re.DOTALL)


def read(name: str) -> nbformat.NotebookNode:
    """A lab by its name."""
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def given(lab: nbformat.NotebookNode) -> dict[str, str]:
    """The text and HTML that each code cell gives when the whole lab runs in its own folder, by the cell's id."""
    here = {"metadata": {"path": str(ROOT / "notebooks")}}
    ran = NotebookClient(nbformat.from_dict(lab), timeout=90, resources=here).execute()
    shown = {}
    for cell in ran.cells:
        parts = [
            output.get("text") or "".join(text for text in output.get("data", {}).values() if isinstance(text, str))
            for output in cell.get("outputs", [])
        ]
        shown[cell.id] = "".join(parts)
    return shown


def stored_clean(lab: nbformat.NotebookNode) -> None:
    """A lab is stored without outputs, has a subject, and says what it needs."""
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in lab.cells)
    assert len(lab.metadata["description"].split()) >= 5
    assert "needs" in lab.cells[0].source and "pip install -r requirements.txt" in lab.cells[0].source


def solved(lab: nbformat.NotebookNode, number: int, namespace: dict) -> None:
    """Run an exercise's cell and then its solution, as a reader would."""
    cells = {cell.id: cell.source for cell in lab.cells}
    exec(cells[f"exercise-{number}"], namespace)
    exec(SOLUTION.search(cells[f"solution-{number}"])[1], namespace)
