"""Run all the tests: find a browser, build the book with warnings as errors, then pytest.

Words after `--` go to pytest: `python -m tools.test -- -k axe`. The last lines are pytest's own summary.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tools.build import build_book
from tools.chromium import chromium
from tools.paths import ROOT, stop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="_build", help="the build folder; its last part must be _build")
    parser.add_argument("--no-build", action="store_true", help="test the book that is there")
    parser.add_argument("pytest", nargs="*", help="what pytest is to get; write -- before options")
    options = parser.parse_args()
    build = (ROOT / options.build).resolve()
    started = time.monotonic()
    browser = chromium()
    print(f"test: the browser is {browser}", flush=True)
    if options.no_build:
        if not (build / "html" / "index.html").exists():
            stop("test", f"there is no book in {build}; leave --no-build out")
    else:
        print("test: building the book, warnings are errors", flush=True)
        build_book(build, strict=True)
    code = run_pytest(build, browser, options.pytest)
    print(f"test: {(time.monotonic() - started) / 60:.1f} min in all", file=sys.stderr, flush=True)
    sys.exit(code)


def run_pytest(build: Path, browser: str, words: list[str]) -> int:
    """Pytest over everything, a line per test file so that progress shows."""
    environment = {**os.environ, "SMARTOS_BUILD": str(build), "CHROMIUM": browser, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "pytest", "--durations=10", *(words or ["tests"])]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    main()
