"""Find a Chromium to test and measure with, or install Debian's where that is possible."""

import os
import shutil

from tools import apt
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


def chromium() -> str:
    """The path of a Chromium; installs one when root on a Debian system, else stops with one line."""
    path = found()
    if path is None and apt.possible():
        print("chromium: none on the PATH, installing Debian's package", flush=True)
        if failed := apt.install("chromium"):
            stop("chromium", f"{failed} failed; install Chromium by hand and name it: {HOW}")
        path = found()
    if path is None:
        stop("chromium", f"no Chromium found; install one (Debian: apt install chromium) or name it: {HOW}")
    return path
