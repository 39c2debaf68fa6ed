"""Put together the Python that a page runs its cells in: Pyodide from npm, our own wheel, the wheels it needs.

All of it goes to one folder of the built book, with a manifest of names, sizes and digests that the page's worker reads
before anything else; the sizes are its measure of progress. The wheel is the same, byte for byte, for the same sources.

Left out: Pyodide's catalogue of packages. A page imports what is in `WHEELS`, and nothing from another host.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.paths import ROOT, stop

PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
WHEELS: list[str] = []  # pure-Python requirements of smartos that cells in pages need, as pip names them: "lark==1.3.1"
MADE_OF = ["pyproject.toml", "README.md", "package-lock.json", "tools/page_python.py", "src/smartos"]
EPOCH = "1580601600"  # the time that every file in the wheel bears


def build_wheel(target: Path) -> list[Path]:
    """Our own wheel under `target`, and those that it needs."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)], environment)
    if WHEELS:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps", "--quiet"]
        run([*pip, "--only-binary=:all:", "--platform=any", "--dest", str(target), *WHEELS], environment)
    return sorted(target.glob("*.whl"))


def run(command: list[str], environment: dict[str, str]) -> None:
    together = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, cwd=ROOT, env=environment, **together)
    if done.returncode:
        stop("assets", f"no wheel for the pages: {(done.stdout.strip().splitlines() or ['no message'])[-1]}")


def described(path: Path) -> dict[str, object]:
    """A file as the manifest has it; a wheel's digest is in its address, so that no browser keeps an older one."""
    body = path.read_bytes()
    return {"name": path.name, "bytes": len(body), "digest": hashlib.sha256(body).hexdigest()[:12]}


def manifest(pyodide: Path, wheels: list[Path]) -> dict[str, object]:
    """What the worker has to know: where Pyodide is, which platform it is, every file with its size."""
    package = json.loads((pyodide / "package.json").read_text("utf-8"))
    catalogue = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
    return {
        "pyodide": f"pyodide-{package['version']}/",
        "info": catalogue["info"],
        "files": [described(pyodide / name) for name in PYODIDE],
        "wheels": [described(wheel) for wheel in wheels],
    }


def write_python(modules: Path, target: Path) -> None:
    """Fill `target` with everything that is loaded when a reader presses Run for the first time."""
    pyodide = modules / "pyodide"
    with tempfile.TemporaryDirectory() as scratch:
        wheels = build_wheel(Path(scratch))
        contents = manifest(pyodide, wheels)
        for old in [*target.glob("pyodide-*"), *target.glob("*.whl")]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        home = target / str(contents["pyodide"])
        home.mkdir(parents=True)
        for name in PYODIDE:
            shutil.copyfile(pyodide / name, home / name)
        for wheel in wheels:
            shutil.copyfile(wheel, target / wheel.name)
    (target / "manifest.json").write_text(json.dumps(contents, separators=(",", ":")), "utf-8")
    total = sum(file["bytes"] for file in contents["files"] + contents["wheels"])
    print(f"assets: Python for the pages, {total / 1e6:.1f} MB, loaded on the first Run", flush=True)
