"""Execute the notebooks (cached) and build the static book.

The execution cache of Jupyter Book looks at the notebooks only; it does not see that the package they import has
changed, and Sphinx does not read a page again whose text is what it was. So both are dropped whenever anything under
src/ is not what it was when they were made.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.paths import ROOT, stop

# Jupyter Book checks its settings with jsonschema, which on import compiles the grammar of a format that no setting
# has: two seconds of every build, and half of a small one. Without that module jsonschema leaves the format out.
JUPYTER_BOOK = """\
import sys
sys.modules["rfc3987_syntax"] = None
from jupyter_book.cli.main import main
main()
"""


def source_digest() -> str:
    """One digest over the package, the lock and the chapters' helpers that cells import."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for path in sorted((ROOT / "src").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def drop_stale_cache(build: Path) -> None:
    """Forget executed notebooks that an older package produced, and the pages that Sphinx has read from them."""
    stamp, cache = build / "executed-with", build / ".jupyter_cache"
    now = source_digest()
    if cache.exists() and (not stamp.exists() or stamp.read_text() != now):
        print("book: src/ has changed, every notebook is executed again", flush=True)
        for stale in (cache, build / ".doctrees"):
            shutil.rmtree(stale, ignore_errors=True)
    build.mkdir(parents=True, exist_ok=True)
    stamp.write_text(now)


def sphinx(build: Path, strict: bool, every_page: bool) -> int:
    """Run Jupyter Book; with `strict`, a warning is an error and unresolved references are warnings."""
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", ".", "--path-output", str(build.parent)]
    if strict:
        command += ["-W", "-n", "--keep-going"]
    if every_page or strict:
        command.append("--all")
    return subprocess.run(command, cwd=ROOT).returncode


def build_book(build: Path, strict: bool = False, every_page: bool = False) -> Path:
    """Build the book under `build` and return the folder of its pages; once more if an execution stalled."""
    drop_stale_cache(build)
    started = time.monotonic()
    code = sphinx(build, strict, every_page)
    if code and timed_out(build):
        print("book: a cell timed out; trying once more", flush=True)
        code = sphinx(build, strict, every_page)
    if code:
        stop("book", "the build failed; the first WARNING or ERROR above says where.")
    print(f"book: built in {time.monotonic() - started:.0f} s", flush=True)
    return build / "html"


def timed_out(build: Path) -> bool:
    """Whether an execution report of this build speaks of a cell's time limit."""
    reports = (build / "html" / "reports").rglob("*.err.log")
    return any("CellTimeoutError" in report.read_text(errors="replace") for report in reports)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="_build", help="the build folder; its last part must be _build")
    parser.add_argument("--strict", action="store_true", help="warnings are errors, every page is read again")
    parser.add_argument("--all", action="store_true", help="read every page again")
    options = parser.parse_args()
    build = (ROOT / options.build).resolve()
    if build.name != "_build":
        stop("book", f"--build {options.build}: Jupyter Book builds into a folder named _build, as in /tmp/x/_build")
    pages = build_book(build, options.strict, options.all)
    print(f"book: open {pages / 'index.html'} or run: make serve", flush=True)


if __name__ == "__main__":
    main()
