"""What a reader's browser is given and how long it takes: weight, requests, steps, Python in the page, Lighthouse.

Pages come from the reader's own server with the compression that any public host has, which counts what it sends, so
that the bytes of a worker are counted too. Chromium starts with an empty cache wherever a figure is called cold.
"""

import gzip
import http.server
import json
import os
import re
import shutil
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.chromium import ARGUMENTS, chromium
from tools.paths import ROOT
from tools.serve import Handler

LIGHTHOUSE = "lighthouse@12"
MANAGER = "@jupyter-widgets/html-manager@1"
COMPRESSED = (".html", ".css", ".js", ".mjs", ".json", ".svg", ".txt", ".wasm")


class Gzip(Handler):
    """The reader's server, compressing; `sent` counts the bytes of all bodies."""

    sent = 0

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return super().do_GET()
        squeezed = path.suffix in COMPRESSED
        body = packed(path) if squeezed else path.read_bytes()
        Gzip.sent += len(body)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if squeezed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None


@cache
def packed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of `site` on the loopback, while the block runs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Gzip, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def opened() -> Iterator[Any]:
    """A headless Chromium, while the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


def measure_pages(site: Path, pages: list[str]) -> dict[str, dict[str, float]]:
    """Per page: bytes from the book's own host, requests to it, requests to other hosts."""
    with served(site) as address, opened() as browser:
        return {page: weigh(browser, address, page) for page in pages}


def weigh(browser: Any, address: str, path: str) -> dict[str, float]:
    """Open one page with an empty cache and add up what went over the wire."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    home = urlsplit(address).netloc
    hosts: dict[str, str] = {}
    weight = {"bytes": 0.0, "requests": 0, "elsewhere": 0}

    def asked(event: dict[str, Any]) -> None:
        there = urlsplit(event["request"]["url"])
        if there.scheme in ("http", "https"):
            hosts[event["requestId"]] = there.netloc
            weight["requests" if there.netloc == home else "elsewhere"] += 1

    def finished(event: dict[str, Any]) -> None:
        if hosts.get(event["requestId"]) == home:
            weight["bytes"] += event["encodedDataLength"]

    protocol = context.new_cdp_session(page)
    protocol.on("Network.requestWillBeSent", asked)
    protocol.on("Network.loadingFinished", finished)
    protocol.send("Network.enable")
    page.goto(f"{address}/{path}.html", wait_until="load", timeout=60_000)
    page.wait_for_timeout(700)
    context.close()
    return weight


# From an input event to the frame in the document and laid out, over every option of every select and every step.
STEPS = """async () => {
  const times = [];
  const step = async (part, act) => {
    const figure = part.querySelector(".explorer-figure");
    const changed = new Promise((done) => {
      const watch = new MutationObserver(() => (watch.disconnect(), done()));
      watch.observe(figure, { childList: true });
      setTimeout(done, 500);
    });
    const started = performance.now();
    act();
    await changed;
    figure.getBoundingClientRect();
    times.push(performance.now() - started);
  };
  for (const part of document.querySelectorAll("[data-live]:is(.explorer, .stepper)")) {
    for (const select of part.querySelectorAll("select[data-control]"))
      for (const option of [...select.options].filter((option) => !option.selected))
        await step(part, () => {
          select.value = option.value;
          select.dispatchEvent(new Event("input", { bubbles: true }));
        });
    const jump = part.querySelector("[data-jump]");
    if (!jump) continue;
    part.querySelector('[data-step="first"]').click();
    await new Promise((done) => setTimeout(done, 20));
    while (Number(jump.value) < Number(jump.max)) await step(part, () => part.querySelector('[data-step="forward"]').click());
  }
  return times;
}"""


def measure_steps(site: Path, pages: list[str]) -> dict[str, float]:
    """Milliseconds of a step in the page over all explorers: how many, median, 95th percentile."""
    times: list[float] = []
    with served(site) as address, opened() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for name in pages:
            page.goto(f"{address}/{name}.html", wait_until="load")
            page.wait_for_timeout(300)
            times += page.evaluate(STEPS)
    return {"count": len(times), "median": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}


PRESSED = "() => performance.getEntriesByName('python-result').length > 0"
TAKEN = """() => {
  const at = (name) => performance.getEntriesByName(name)[0].startTime;
  return at("python-result") - at("python-press");
}"""


def measure_run(site: Path, page_name: str) -> dict[str, float]:
    """Seconds from the first press of Run to the first result, and bytes sent, with an empty cache and with a full one."""
    found: dict[str, float] = {}
    with served(site) as address, opened() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        for cache_is in ("cold", "warm"):
            page = context.new_page()
            page.goto(f"{address}/{page_name}.html", wait_until="load")
            page.wait_for_timeout(300)
            before = Gzip.sent
            page.locator(".cell-tools button").first.click()
            page.wait_for_function(PRESSED, timeout=120_000)
            found[f"{cache_is} s"] = page.evaluate(TAKEN) / 1000
            found[f"{cache_is} MB"] = (Gzip.sent - before) / 1e6
            page.close()
        context.close()
    return found


def explorer_bytes(site: Path, pages: list[str]) -> dict[str, float]:
    """What explorers add to a page, gzip: the script of all pages, and the median and greatest of the parts' markup."""
    added = []
    for name in pages:
        html = (site / f"{name}.html").read_text("utf-8")
        for section in re.findall(r'<section class="part (?:explorer|stepper)".*?</section>', html, re.DOTALL):
            without = len(gzip.compress(html.replace(section, "").encode(), 6))
            added.append(len(gzip.compress(html.encode(), 6)) - without)
    script = len(packed(site / "_static" / "smartos.js"))
    return {"script": script, "median": statistics.median(added), "greatest": max(added), "count": len(added)}


def manager_bytes(scratch: Path) -> float | str:
    """The gzip size of what a page with standard widgets loads, html-manager's script; or why it could not be had."""
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm on the PATH"
    command = [npm, "install", "--no-save", "--no-package-lock", "--ignore-scripts", f"--prefix={scratch}", MANAGER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    script = scratch / "node_modules/@jupyter-widgets/html-manager/dist/embed-amd.js"
    if done.returncode or not script.exists():
        return (done.stderr.strip().splitlines() or ["npm gave no reason"])[-1]
    return float(len(gzip.compress(script.read_bytes(), 6)))


def lighthouse(site: Path, page: str, scratch: Path, desktop: bool = False) -> dict[str, float] | str:
    """Lighthouse's four scores of a page, mobile or desktop, or the line that says why there are none."""
    npx = shutil.which("npx")
    if npx is None:
        return "there is no npx on the PATH"
    report = scratch / "lighthouse.json"
    report.unlink(missing_ok=True)
    with served(site) as address:
        command = [
            npx, "--yes", f"--cache={scratch / 'npm'}", LIGHTHOUSE, f"{address}/{page}.html", "--quiet",
            "--output=json", f"--output-path={report}", f"--chrome-flags=--headless=new {' '.join(ARGUMENTS)}",
        ]  # fmt: skip
        command += ["--preset=desktop"] if desktop else []
        environment = {**os.environ, "CHROME_PATH": chromium()}
        try:
            done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            return "it did not finish within five minutes"
    if done.returncode or not report.exists():
        return (done.stderr.strip().splitlines() or ["it gave no report"])[-1]
    return {name: part["score"] * 100 for name, part in json.loads(report.read_text("utf-8"))["categories"].items()}
