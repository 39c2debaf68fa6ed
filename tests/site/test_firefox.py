"""The pages in Firefox: no error in its console, which is also where it tells what the pages' policy refuses."""

from collections.abc import Iterator

import pytest

from tests.site.marionette import Firefox
from tests.site.pages import toc
from tests.site.running import LAB
from tools.firefox import found

QUIET = "return new Promise((done) => requestIdleCallback(() => setTimeout(done, 100), { timeout: 3000 }))"
RUN = """const cell = document.querySelector("[data-cell='0']");
cell.querySelector(".cell-run").click();
return new Promise((done) => setInterval(() => {
  const { state } = cell.querySelector(".cell-tools").dataset;
  if (state === "ran" || state === "failed") done([state, document.querySelector(".python-strip p").textContent]);
}, 100))"""


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """A Firefox, where there is one."""
    program = found()
    if program is None:
        pytest.skip("no Firefox is installed (Debian: apt install firefox-esr)")
    with Firefox(program, tmp_path_factory.mktemp("firefox")) as opened:
        opened.call("WebDriver:SetTimeouts", script=90_000, pageLoad=60_000)
        yield opened


def test_firefox_finds_nothing_to_say_of_any_page(firefox: Firefox, address: str) -> None:
    """What a page does at once, and what Firefox does of itself after that, such as fetching the page that comes next."""
    for page in toc():
        firefox.open(f"{address}/{page}.html")
        firefox.run(QUIET)
    assert firefox.said(address) == []


def test_a_cell_runs_in_firefox(firefox: Firefox, address: str) -> None:
    """Python in the page passes the policy there too."""
    firefox.open(f"{address}/{LAB}.html")
    assert firefox.run(RUN) == ["ran", "Cell 1 has run."]
    assert firefox.said(address) == []


def test_what_the_policy_forbids_is_told_in_the_console(firefox: Firefox, address: str) -> None:
    """So silence means that nothing was refused."""
    firefox.open(f"{address}/{LAB}.html")
    firefox.run("new Image().src = 'https://example.invalid/dot.png'")
    firefox.run(QUIET)
    assert any("img-src" in message for message in firefox.said(address))
