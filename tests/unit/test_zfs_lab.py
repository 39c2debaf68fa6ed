"""The lab of the pool on its own: it runs from its folder, its exercises notice a wrong answer, its solutions are right,
and the pool that it gives away is a whole one."""

import base64
import bz2

import nbformat
import pytest
from bs4 import BeautifulSoup

from smartos.zfs import MemoryDisk, Pool
from smartos.zfs.read.walk import walk
from tests.unit import labs

LAB = "zfs"


def test_the_lab_is_stored_without_outputs_and_with_a_subject(lab: nbformat.NotebookNode) -> None:
    labs.stored_clean(lab)


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
    """Nothing in it hangs on the machine, its folders or the hour, down to the bytes of the pool that it gives away."""
    again = labs.given(lab)
    varies = {cell.id for cell in lab.cells if "varies" in cell.metadata.get("tags", [])}
    assert {name: text for name, text in again.items() if name not in varies} == {
        name: text for name, text in executed.items() if name not in varies
    }


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
    for number in (1, 2, 3):
        namespace: dict = {}
        for cell in lab.cells:
            if cell.id in ("system", "datasets"):
                exec(cell.source, namespace)
        labs.solved(lab, number, namespace)
        assert capsys.readouterr().out.splitlines()[-1].startswith("Right"), f"solution {number}"
