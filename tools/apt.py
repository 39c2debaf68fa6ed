"""Install one of Debian's packages, where that is possible, in sight of whoever waits."""

import os
import shutil
import subprocess


def possible() -> bool:
    """Whether this is a Debian system and we are root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str) -> str | None:
    """Install `package`; the command that failed, or None when all went well."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", package])
    return next((" ".join(step) for step in steps if subprocess.run(step, env=quiet).returncode), None)
