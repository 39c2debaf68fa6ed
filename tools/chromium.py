"""Find a Chromium to test and measure with, or install Debian's where that is possible."""

import os
import shutil
import subprocess

from tools.paths import stop

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = "make test CHROMIUM=/path/to/it"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def found() -> str | None:
    """The browser that CHROMIUM names, else the first one on the PATH."""
    named = os.environ.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None:
            stop("chromium", f"CHROMIUM={named} is not a program that can be run; unset it or name another")
        return path
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """Install Debian's package, in sight of whoever waits."""
    print("chromium: none on the PATH, installing Debian's package", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"])
    for step in steps:
        if subprocess.run(step, env=quiet).returncode:
            stop("chromium", f"{' '.join(step)} failed; install Chromium by hand and name it: {HOW}")


def chromium() -> str:
    """The path of a Chromium; installs one when root on a Debian system, else stops with one line."""
    path = found()
    if path is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
        path = found()
    if path is None:
        stop("chromium", f"no Chromium found; install one (Debian: apt install chromium) or name it: {HOW}")
    return path
