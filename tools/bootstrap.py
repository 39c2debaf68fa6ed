"""Create .venv and install the pinned requirements. Standard library only: it runs before anything is there.

An environment that is up to date is left alone: a stamp in it says which Python, which lock and which metadata it was
made from. Left out: other installers, and updating an environment in place; a changed lock makes a new one.
"""

import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "installed"
OLDEST = (3, 11)


def fail(message: str) -> None:
    """Stop with one clear line."""
    sys.exit(f"setup: {message}")


def fingerprint() -> str:
    """What the environment depends on: this Python, the lock and the project's own metadata."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def pip(*args: str, why: str, count: int = 0) -> None:
    """Run pip inside the environment, a line for every tenth of `count` packages; its error becomes the reason."""
    print(f"setup: {why}", flush=True)
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *args]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines, seen = [], 0
    for line in running.stdout:
        lines.append(line.rstrip())
        if line.startswith(("Collecting ", "Requirement already")):
            seen += 1
            if count and seen % (count // 10 or 1) == 0:
                print(f"setup:   {seen} of {count} fetched", flush=True)
        elif line.startswith("Installing collected") and count:
            print("setup:   unpacking them", flush=True)
        elif line.startswith("Ignoring ") and "platform_machine" in line:
            name = line.split()[1].rstrip(":")
            print(f"setup:   {name} is left out: there is none for this machine. What needs it is skipped.", flush=True)
        elif "Retrying (Retry(total=4" in line:
            print("setup:   the package index does not answer, trying again", flush=True)
    if running.wait():
        fail(f"pip could not install ({why}): {reason(lines)} Is the package index reachable?")


def reason(lines: list[str]) -> str:
    """The error that pip printed, as one sentence."""
    errors = [line for line in lines if line.startswith("ERROR")] or [line for line in lines if line][-1:]
    words = re.sub(r"^ERROR:\s*", "", errors[0]).split(" (from versions")[0].strip() if errors else "it gave no reason"
    return words.rstrip(".") + "."


def main() -> None:
    if sys.version_info < OLDEST:
        wanted, this = "{}.{}".format(*OLDEST), sys.version.split()[0]
        fail(f"Python {wanted} or newer is needed, this is {this}. Name another: make PYTHON=python3.12 …")
    if STAMP.exists() and STAMP.read_text() == fingerprint() and PYTHON.exists():
        return
    print(f"setup: creating {VENV.name} with Python {sys.version.split()[0]}", flush=True)
    try:
        venv.create(VENV, with_pip=True, clear=VENV.exists(), symlinks=os.name != "nt")
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"Python's venv module does not work here ({error}). On Debian: apt install python3-venv")
    count = sum(bool(re.match(r"\w", line)) for line in LOCK.read_text("utf-8").splitlines())
    why = f"installing {count} pinned requirements (about a minute, 400 MB)"
    pip("install", "--no-deps", "-r", str(LOCK), why=why, count=count)
    pip("install", "--no-deps", "--no-build-isolation", "-e", ".", why="installing the smartos package")
    STAMP.write_text(fingerprint())


if __name__ == "__main__":
    main()
