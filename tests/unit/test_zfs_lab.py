"""The lab of the pool on its own: it runs from its folder, its exercises notice a wrong answer, its solutions are right,
and the pool that it gives away is a whole one."""

import base64
import bz2
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from smartos.zfs import MemoryDisk, Pool
from smartos.zfs.walk import walk
from tools.paths import ROOT

LAB = ROOT / "notebooks" / "zfs.ipynb"
SOLUTION = re.compile(r":::\{dropdown\} Solution\n.*?```python\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def lab() -> nbformat.NotebookNode:
    return nbformat.read(LAB, as_version=4)


@pytest.fixture(scope="module")
def executed(lab: nbformat.NotebookNode) -> dict[str, str]:
    """The text and HTML that each code cell gives when the whole lab runs in its own folder, by the cell's id."""
    here = {"metadata": {"path": str(LAB.parent)}}
    ran = NotebookClient(nbformat.from_dict(lab), timeout=90, resources=here).execute()
    shown = {}
    for cell in ran.cells:
        parts = [
            output.get("text") or "".join(text for text in output.get("data", {}).values() if isinstance(text, str))
            for output in cell.get("outputs", [])
        ]
        shown[cell.id] = "".join(parts)
    return shown


def test_the_lab_is_stored_without_outputs_and_with_a_subject(lab: nbformat.NotebookNode) -> None:
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in lab.cells)
    assert len(lab.metadata["description"].split()) >= 5
    assert "needs" in lab.cells[0].source and "pip install -r requirements.txt" in lab.cells[0].source


def test_the_lab_runs_from_top_to_bottom(executed: dict[str, str]) -> None:
    assert "mismatched replication level" in executed["create-refused"]
    assert "inherited from tank/home" in executed["datasets"]
    assert "path\t/post.txt" in executed["zdb-file"]
    assert executed["rot"].startswith("True\n") and "unrecoverable error" in executed["rot"]
    assert "scrub repaired" in executed["scrub"] and "resilvered" in executed["replace"]
    assert "snapshot has dependent clones" in executed["clone"]
    assert "backup/home@tuesday" in executed["send"]
    assert "pool may be in use from other system" in executed["crash"] and "written-just-before" in executed["crash"]
    assert "zfs receive backup/home" in executed["history"]
    assert "No leaks (block sum matches space maps exactly)" in executed["history"]


def test_two_runs_say_the_same(lab: nbformat.NotebookNode, executed: dict[str, str]) -> None:
    """Nothing in it hangs on the machine or the hour; but for the labels in the saved pool, which know the folder."""
    again = NotebookClient(nbformat.from_dict(lab), timeout=90, resources={"metadata": {"path": str(LAB.parent)}}).execute()
    for cell in again.cells:
        if cell.cell_type == "code" and "varies" not in cell.metadata.get("tags", []):
            texts = [output.get("text", "") for output in cell.outputs if output.output_type == "stream"]
            assert all(text in executed[cell.id] for text in texts), cell.id


def test_the_pool_to_save_is_whole(executed: dict[str, str]) -> None:
    link = BeautifulSoup(executed["home"], "html.parser").a
    image = bz2.decompress(base64.b64decode(link["href"].partition(",")[2]))
    disk = MemoryDisk(len(image))
    disk.write(0, image)
    pool = Pool.open([disk])
    assert pool.name == "backup" and walk(pool).sound
    files = pool.dataset("backup/home").filesystem()
    assert {path for path, *_ in files.walk()} >= {"/post.txt", "/diary.txt"}


def test_the_exercises_notice_that_nothing_was_done(executed: dict[str, str]) -> None:
    for exercise in ("exercise-1", "exercise-2", "exercise-3"):
        assert executed[exercise].startswith("Not yet: "), exercise


def test_the_solutions_are_right(lab: nbformat.NotebookNode, capsys: pytest.CaptureFixture) -> None:
    """Each solution, run after its exercise's cell, as a reader would."""
    cells = {cell.id: cell.source for cell in lab.cells}
    for number in (1, 2, 3):
        namespace: dict = {}
        for before in ("system", "datasets"):
            exec(cells[before], namespace)
        exec(cells[f"exercise-{number}"], namespace)
        solution = SOLUTION.search(cells[f"solution-{number}"])
        exec(solution[1], namespace)
        assert capsys.readouterr().out.splitlines()[-1].startswith("Right"), f"solution {number}"
