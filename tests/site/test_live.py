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

from smartos.explore.dtrace import dirt
from smartos.explore.exercises import late as practice_late
from smartos.explore.kvm import port_story
from tests.site.parts import HOLDS
from tests.site.visit import visit
from tools.paths import ROOT

TALL = {"width": 1280, "height": 4000}  # JupyterLab takes cells out of the page that are out of sight

CELLS = [
    "from smartos.explore.dtrace.dirt import explorer\nexplorer()",
    "from smartos.explore.kvm.port_story import stepper\nstepper()",
    "from smartos.explore.exercises.late import practice\npractice()",
    "from smartos.explore import Answer, Predict\n"
    "Predict('half', 'Half of `4`?', [Answer(2, 'Twice `2`.'), Answer(8, 'That is double.')], key=4 // 2)",
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
        "--LabApp.expose_app_in_browser=True",
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
    with visit(browser, f"{lab}/doc/tree/parts.ipynb?reset", TALL) as seen:
        page = seen.page
        run_cells(page)
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
        walk.locator(".explorer-transcript [aria-current]").wait_for(state="attached")
        press(walk, "first")
        series, who = (control.values[0] for control in port_story.stepper().controls.values())
        run = port_story.stepper().frames(series=series, who=who)
        for frame in run:
            shows(walk, frame)
            press(walk, "forward")
        press(walk, "play")
        shows(walk, run[0])
        press(walk, "play")
        press(walk, "forward")
        walk.locator('[data-control="series"]').select_option(index=1)
        other = port_story.stepper().controls["series"].values[1]
        shows(walk, port_story.stepper().frames(series=other, who=who)[1])


CONNECTED = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def run_cells(page: Any) -> None:
    """Run the notebook's cells, once its kernel is ready."""
    page.set_default_timeout(30_000)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.wait_for_function(CONNECTED)
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")


def test_questions_and_practice_live_there_too(browser: Any, lab: str) -> None:
    """Any seed has its problem, and the kernel checks the answers."""
    with visit(browser, f"{lab}/doc/tree/parts.ipynb?reset", TALL) as seen:
        run_cells(seen.page)
        practice = seen.page.locator(".smartos-live.practice")
        practice.wait_for()
        practice.locator("[data-seed]").fill("123456")
        practice.locator("[data-seed]").press("Enter")
        problem = practice_late.problem(123_456)
        practice.locator(".practice-text", has_text=problem.text).wait_for()
        for answer in (problem.canonical, "0"):
            practice.locator("input[name=answer]").fill(answer)
            practice.get_by_role("button", name="Check").click()
            practice.locator(".verdict", has_text=problem.check(answer)[1]).wait_for()
        question = seen.page.locator(".smartos-live.predict")
        assert question.locator("legend").inner_text() == "Half of 4?"
        question.get_by_role("radio").nth(1).check()
        question.get_by_role("button", name="Answer").click()
        question.locator(".verdict", has_text="Not so. That is double.").wait_for()
        assert question.locator(".part-title").inner_text() == "Predict"


def press(section: Any, what: str) -> None:
    """Press a step's button; the last step's does nothing."""
    section.locator(f'[data-step="{what}"]').evaluate("(button) => button.click()")


def shows(section: Any, frame: Any) -> None:
    """The section comes to show a frame: its words, and its figure as the browser parses it."""
    words = section.locator(".explorer-says")
    section.page.wait_for_function("([el, says]) => el.textContent === says", arg=[words.element_handle(), frame.says])
    assert section.locator(".explorer-figure").evaluate(HOLDS, frame.figure)
