"""Find a Firefox to try the pages in, or install Debian's where that is possible. Without one its tests are skipped."""

import os
import shutil

from tools import apt

NAMES = ("firefox-esr", "firefox")


def found() -> str | None:
    """The browser that FIREFOX names, else the first one on the PATH."""
    named = os.environ.get("FIREFOX")
    return shutil.which(named) if named else next((path for name in NAMES if (path := shutil.which(name))), None)


def firefox() -> str | None:
    """The path of a Firefox; None, in one line, where there is none and none can be installed."""
    path = found()
    if path is None and apt.possible():
        print("firefox: none on the PATH, installing Debian's package", flush=True)
        apt.install("firefox-esr")
        path = found()
    if path is None:
        print("firefox: none found, its tests are skipped; install one (Debian: apt install firefox-esr)", flush=True)
    return path
