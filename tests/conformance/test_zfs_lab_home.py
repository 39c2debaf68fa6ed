"""The pool that the lab gives away, and the lines that the lab says to open it with: OpenZFS's zdb runs them as they stand.

Left out: the lines that want a kernel module.
"""

import base64
import bz2
import re
import shlex
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from tests.conformance.zfs_scenarios import tool
from tools.paths import ROOT

LAB = ROOT / "notebooks" / "zfs.ipynb"
SHELL = re.compile(r"^\$ (.+)$", re.MULTILINE)


def test_the_lines_of_the_lab_open_its_pool(tmp_path: Path) -> None:
    tools = tool("zfs")
    lab = nbformat.read(LAB, as_version=4)
    lines = SHELL.findall(next(cell.source for cell in lab.cells if "$ zdb" in cell.source))
    ran = NotebookClient(lab, timeout=90, resources={"metadata": {"path": str(LAB.parent)}}).execute()
    shown = next(output.data["text/html"] for cell in ran.cells if cell.id == "home" for output in cell.outputs)
    link = BeautifulSoup(shown, "html.parser").a
    image = bz2.decompress(base64.b64decode(link["href"].partition(",")[2]))
    (tmp_path / link["download"].removesuffix(".bz2")).write_bytes(image)
    said = {}
    assert lines[0] == f"bunzip2 {link['download']}"
    for line in lines[1:]:
        done = tools.run(*shlex.split(line), cwd=tmp_path)
        assert done.returncode == 0, line + done.stdout[-1000:] + done.stderr[-1000:]
        said[line] = done.stdout
    labels, blocks, objects = said.values()
    assert "name: 'backup'" in labels and "state: 1" in labels
    assert "No leaks (block sum matches space maps exactly)" in blocks
    assert "post.txt = " in objects and "diary.txt = " in objects
