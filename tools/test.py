"""Run all the tests: find the browsers, build the book with warnings as errors, then pytest.

Two runs of pytest go side by side: the built site in the browser, whose lines appear as they come, and everything else,
whose report follows. Words after `--` go to a single pytest instead: `python -m tools.test -- -k axe`.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tools.build import build_book
from tools.chromium import chromium
from tools.firefox import firefox
from tools.paths import ROOT, stop

PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--durations=5"]
SITE = ["tests/site"]
REST = ["tests", "--ignore=tests/site"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="_build", help="the build folder; its last part must be _build")
    parser.add_argument("--no-build", action="store_true", help="test the book that is there")
    parser.add_argument("pytest", nargs="*", help="what a single pytest is to get; write -- before options")
    options = parser.parse_args()
    build = (ROOT / options.build).resolve()
    started = time.monotonic()
    browser = chromium()
    second = firefox() or ""
    print(f"test: the browser is {browser}{f', and beside it {second}' if second else ''}", flush=True)
    if options.no_build:
        if not (build / "html" / "index.html").exists():
            stop("test", f"there is no book in {build}; leave --no-build out")
    else:
        print("test: building the book, warnings are errors", flush=True)
        build_book(build, strict=True)
    environment = {**os.environ, "SMARTOS_BUILD": str(build), "CHROMIUM": browser, "FIREFOX": second, "PYTHONUNBUFFERED": "1"}
    code = single(environment, options.pytest) if options.pytest else side_by_side(environment, build)
    minutes = (time.monotonic() - started) / 60
    print(f"test: {'FAILED' if code else 'passed'}, {minutes:.1f} min in all", flush=True)
    sys.exit(code)


def single(environment: dict[str, str], words: list[str]) -> int:
    """One pytest with the caller's words."""
    return subprocess.run([*PYTEST, *words], cwd=ROOT, env=environment).returncode


def side_by_side(environment: dict[str, str], build: Path) -> int:
    """The site's tests in sight, all the others beside them; both reports are shown, and either failure counts."""
    report = build / "tests-beside-the-site.txt"
    with report.open("w", encoding="utf-8") as log:
        rest = subprocess.Popen([*PYTEST, *REST], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            print(f"test: the built site in the browser; meanwhile everything else, into {report}", flush=True)
            site = single(environment, SITE)
            print("test: everything else", flush=True)
            beside = rest.wait()
        finally:
            if rest.poll() is None:
                rest.terminate()
    print(report.read_text("utf-8"), flush=True)
    if beside < 0:
        print(f"test: the run beside the site's was ended by signal {-beside}", flush=True)
    return site or beside


if __name__ == "__main__":
    main()
