"""Create .venv and install the pinned requirements. Standard library only: it runs before anything is there."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "installed"


def fail(message: str) -> None:
    """Stop with one clear line."""
    sys.exit(f"setup: {message}")


def fingerprint() -> str:
    """What the environment depends on: this Python, the lock and the project's own metadata."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def pip(*args: str, why: str) -> None:
    """Run pip inside the environment; its own last line becomes the reason when it fails."""
    print(f"setup: {why}", flush=True)
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", *args]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()[-1:]
        fail(f"pip could not install ({why}): {lines[0] if lines else 'no message'}. Is the package index reachable?")


def main() -> None:
    if sys.version_info < (3, 11):
        fail(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}. Name another: make PYTHON=python3.12 …")
    if STAMP.exists() and STAMP.read_text() == fingerprint() and PYTHON.exists():
        return
    print(f"setup: creating {VENV.name} with Python {sys.version.split()[0]}", flush=True)
    try:
        venv.create(VENV, with_pip=True, clear=VENV.exists(), symlinks=os.name != "nt")
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"Python's venv module does not work here ({error}). On Debian: apt install python3-venv")
    pip("install", "--no-deps", "-r", str(LOCK), why="installing the pinned requirements (about a minute, 400 MB)")
    pip("install", "--no-deps", "--no-build-isolation", "-e", ".", why="installing the smartos package")
    STAMP.write_text(fingerprint())


if __name__ == "__main__":
    main()
