"""What the tests share: the built book, a server for it on the loopback address, and a browser.

`make test` builds the book first and says where it is (SMARTOS_BUILD); a test run by hand uses `_build`, and builds it
when there is none. The browser is opened once per test module and closed with it, because an open one holds the
event loop that other tests may need.
"""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.build import build_book
from tools.chromium import ARGUMENTS, chromium
from tools.paths import ROOT
from tools.serve import server

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; the tests' processes would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
BUILD = (ROOT / os.environ.get("SMARTOS_BUILD", "_build")).resolve()


@pytest.fixture(scope="session")
def build() -> Path:
    """The build folder, with a finished book in it."""
    if not (BUILD / "html" / "index.html").exists():
        build_book(BUILD, strict=True)
    return BUILD


@pytest.fixture(scope="session")
def site(build: Path) -> Path:
    """The folder of the built pages."""
    return build / "html"


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The built book's address on a loopback server."""
    httpd = server(site, 0)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield opened
        opened.close()
