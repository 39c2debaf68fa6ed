"""Resolve requirements.lock and package-lock.json anew, for every Python from 3.11 and every platform.

The locks name versions only: no index, no path, so that they hold wherever the packages come from. What a platform has
no wheel of would stop a reader there who has no compiler, so a lock that asks for it is refused: such a package is left
out of a platform by a marker in pyproject.toml.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.paths import ROOT, stop

SOURCES = ["pyproject.toml", "requirements.txt", "requirements-build.in"]
PLATFORMS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"]
NO_WHEEL = re.compile(r"Because (\S+) has no (?:usable )?wheels")
STRAY = re.compile(r"://|^-|@ |^\s*file:", re.MULTILINE)


def run(*command: str, why: str) -> None:
    """Run one step; its own last line becomes the reason when it fails."""
    print(f"lock: {why}", flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["no message"])[-1]
        stop("lock", f"{why} failed: {last}. Is the package registry reachable?")


def uv(folder: Path) -> str:
    """The uv command: the one on the PATH, else one installed into a scratch folder."""
    found = shutil.which("uv")
    if found:
        return found
    run(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), "uv", why="fetching uv")
    return str(folder / "bin" / "uv")


def lock_python() -> None:
    """requirements.lock from the three files that say what is wanted."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "requirements.lock"
        run(
            uv(Path(scratch) / "uv"), "pip", "compile", "--universal", "--python-version", "3.11", "--upgrade",
            "--no-emit-package", "smartos", "--no-header", "--no-annotate", "--no-emit-index-url",
            "--no-emit-find-links", "--extra", "test", "--extra", "host", *SOURCES, "-o", str(target),
            why="resolving requirements.lock",
        )  # fmt: skip
        text = target.read_text("utf-8")
        if stray := STRAY.search(text):
            line = text[: stray.end()].splitlines()[-1]
            stop("lock", f"requirements.lock would name a place, not a version ({line}); it was left as it is")
        check_platforms(uv(Path(scratch) / "uv"), target)
        (ROOT / "requirements.lock").write_text(text, "utf-8")


def check_platforms(uv: str, lock: Path) -> None:
    """Stop unless each platform can install `lock` from wheels; nothing is installed for it."""
    for platform in PLATFORMS:
        print(f"lock: trying it for {platform}", flush=True)
        command = [
            uv, "pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:", "--python-platform", platform,
            "--python-version", "3.11", "--target", str(lock.parent / "nothing"), "-r", str(lock),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            found = NO_WHEEL.search(done.stdout)
            what = found[1] if found else (done.stdout.strip().splitlines() or ["no message"])[0]
            stop("lock", f"{platform} has no wheel of {what}; leave it out there by a marker. The lock was left as it is")


def lock_node() -> None:
    """package-lock.json, without the registry's addresses."""
    if shutil.which("npm") is None:
        print("lock: no npm on the PATH, package-lock.json stays as it is", flush=True)
        return
    run("npm", "update", "--package-lock-only", "--ignore-scripts", why="resolving package-lock.json")
    lock = ROOT / "package-lock.json"
    content = json.loads(lock.read_text("utf-8"))
    for package in content["packages"].values():
        package.pop("resolved", None)
    lock.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    lock_python()
    lock_node()
    print("lock: done; make setup installs it", flush=True)


if __name__ == "__main__":
    main()
