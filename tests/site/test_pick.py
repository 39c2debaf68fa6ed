"""What is picked in a figure sets its control, in each of the three hosts: stored frames, a kernel, Python in the page.

The page is made here, with the front end's own modules, so that no book need be built. In place of a kernel and of
Python in the page stands this process, which answers as they do.
"""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.live import front_end, style
from smartos.explore.zfs import label_bytes
from tests.site.parts import HOLDS
from tests.site.visit import DESK, PHONE, visit
from tools.paths import ROOT
from tools.serve import server

FRAME = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Picking</title><link rel="icon" href="data:,">'
    '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="parts.css"><body><main>{}</main>'
    '<script type="module">{}</script>'
)
HOSTS = {
    "stored": 'import {{ host }} from "./stored.js"; await host(document, null); document.body.dataset.ready = "";',
    "page": 'import {{ host }} from "./stored.js"; const python = {{ available: () => true, running: () => true, '
    "ask: (name, question) => window.answer(question) }}; await host(document, python); document.body.dataset.ready = '';",
    "kernel": 'import view from "./live_front.js"; let hear; const data = await window.given(); view.render({{ model: {{ '
    "get: (key) => data[key], on: (what, tell) => (hear = tell), send: async ({{ id, question }}) => "
    "hear({{ id, answer: await window.answer(question) }}) }}, el: document.querySelector('main') }}); "
    "document.body.dataset.ready = '';",
}


@pytest.fixture(scope="module")
def part() -> Explorer:
    return label_bytes.pointer()


@pytest.fixture(scope="module")
def address(part: Explorer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A loopback server with a page for each host."""
    folder: Path = tmp_path_factory.mktemp("pick")
    for path in (ROOT / "src/smartos/explore/static").glob("*.js"):
        shutil.copy(path, folder)
    (folder / "live_front.js").write_text(front_end(), "utf-8")
    (folder / "parts.css").write_text(style(), "utf-8")
    for name, script in HOSTS.items():
        markup = {"stored": part.html(), "page": part.html(stored=False), "kernel": ""}[name]
        (folder / f"{name}.html").write_text(FRAME.format(markup, script.replace("{{", "{").replace("}}", "}")), "utf-8")
    httpd = server(folder, 0)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("window", [DESK, PHONE])
def test_a_click_on_bytes_sets_the_control(browser: Any, address: str, part: Explorer, name: str, window: dict) -> None:
    with visit(browser, "about:blank", window) as seen:
        page = seen.page
        page.expose_function("answer", part.ask)
        page.expose_function("given", lambda: {"store": part.store(stored=False), "part_html": part.titled(stored=False)})
        page.goto(f"{address}/{name}.html")
        page.locator("body[data-ready]").wait_for(state="attached")
        select = page.locator("[data-control=field]")
        assert select.input_value() == "psize"
        for picked in ("blk_birth", "DVA[1] offset", "lvl"):
            mark = page.locator(f'[data-set="field={picked}"]').first
            assert mark.evaluate("(el) => getComputedStyle(el).cursor") == "pointer"
            mark.click()
            shows(page, part, picked)
            assert select.input_value() == picked
        select.focus()
        page.keyboard.press("ArrowDown")
        following = list(part.controls["field"].values)
        shows(page, part, following[following.index("lvl") + 1])
        assert seen.errors == []
        if name == "stored":
            page.wait_for_url("**field=**")  # the address remembers what was picked


def shows(page: Any, part: Explorer, field: str) -> None:
    """The page comes to show the model's frame of a field."""
    (frame,) = part.frames(field=field)
    words = page.locator(".explorer-says")
    page.wait_for_function("([el, says]) => el.textContent === says", arg=[words.element_handle(), frame.says])
    assert page.locator(".explorer-figure").evaluate(HOLDS, frame.figure)


def test_a_click_beside_every_mark_changes_nothing(browser: Any, address: str, part: Explorer) -> None:
    with visit(browser, f"{address}/stored.html") as seen:
        seen.page.locator("body[data-ready]").wait_for(state="attached")
        seen.page.locator(".explorer-says").click()
        assert seen.page.locator("[data-control=field]").input_value() == "psize"
        assert seen.axe(".part") == []
