"""A part in a live JupyterLab: the same front end, and every answer computed by the kernel when it is asked.

Left out: VS Code, whose widget view cannot be driven here; it hosts the same anywidget.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.site.visit import DESK, visit

from smartos.explore import dirt, port_story
from tools.paths import ROOT

CELLS = [
    "from smartos.explore.dirt import explorer\nexplorer()",
    "from smartos.explore.port_story import stepper\nstepper()",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab on loopback with one notebook in it; the server is ended afterwards."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "parts.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = {f"JUPYTER_{part}_DIR": str(folder / part.lower()) for part in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **home, "PYTHONPATH": str(ROOT / "src")}
    environment.pop("SMARTOS_STORED", None)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=",
    ]  # fmt: skip
    log = (folder / "lab.log").open("w")
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status", server, folder / "lab.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def wait_for(status: str, server: subprocess.Popen, log: Path) -> None:
    """Until the server answers, at most a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()[-2000:]
        with contextlib.suppress(OSError), urllib.request.urlopen(status, timeout=2) as answer:
            if json.load(answer):
                return
        time.sleep(0.3)
    raise AssertionError(log.read_text()[-2000:])


def test_the_same_explorer_lives_in_jupyterlab(browser: Any, lab: str) -> None:
    """Controls, values off the lattice, and steps: what is shown is what the model yields, and it came from the kernel."""
    with visit(browser, f"{lab}/doc/tree/parts.ipynb?reset", DESK) as seen:
        page = seen.page
        page.set_default_timeout(60_000)
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        page.keyboard.press("Shift+Enter")
        late = page.locator(".smartos-live.explorer")
        late.wait_for()
        assert late.locator(".explorer-says").inner_text() == dirt.frame(4, 40, 30).says
        late.locator('[data-control="deadline"]').select_option("10")
        shows(late, dirt.frame(4, 40, 10))
        exact = late.locator('[data-exact="stall"]')
        exact.fill("47")
        exact.press("Enter")
        shows(late, dirt.frame(4, 47, 10))
        exact.fill("5000")
        exact.press("Enter")
        late.locator(".explorer-note", has_text="takes a whole number from 0 to 200").wait_for()
        shows(late, dirt.frame(4, 47, 10))
        walk = page.locator(".smartos-live.stepper")
        walk.wait_for()
        walk.locator('[data-step="first"]').click()
        series, who = (control.values[0] for control in port_story.stepper().controls.values())
        run = port_story.stepper().frames(series=series, who=who)
        for frame in run:
            shows(walk, frame)
            walk.locator('[data-step="forward"]').click()


def shows(section: Any, frame: Any) -> None:
    """The section comes to show a frame: its words, and its figure as the browser parses it."""
    words = section.locator(".explorer-says")
    section.page.wait_for_function("([el, says]) => el.textContent === says", arg=[words.element_handle(), frame.says])
    same = """(el, figure) => Object.assign(document.createElement("div"), { innerHTML: figure }).innerHTML === el.innerHTML"""
    assert section.locator(".explorer-figure").evaluate(same, frame.figure)
