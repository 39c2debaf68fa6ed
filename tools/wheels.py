"""Peers that come from PyPI: packages that only a test or a measurement wants, unpacked into `.peers/`.

They are in no requirement, because neither the book nor a reader's server needs them: `wheel` installs one where
nothing else looks, the first time it is asked for, and imports it from there. The versions are pinned here. Left out: a
package's own dependencies, and machines for which there is no wheel; there :class:`~tools.peers.PeerMissing` says so.
"""

import importlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from tools import peers
from tools.peers import PeerMissing

VERSIONS = {"numpy": "2.4.6", "libcachesim": "0.3.5"}
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "15"]
INSTALL = ["install", "--quiet", "--no-deps", "--only-binary", ":all:"]


def folder(name: str) -> Path:
    """Where a package is kept: it is made for one version of Python, so that is in the name."""
    return peers.PEERS / f"{name}-{VERSIONS[name]}-{sys.implementation.cache_tag}"


def fetch(name: str) -> None:
    """Install a package into its folder. Raises :class:`PeerMissing` with pip's reason."""
    wanted = f"{name}=={VERSIONS[name]}"
    with tempfile.TemporaryDirectory(prefix="wheels-") as scratch:
        command = [sys.executable, *PIP, *INSTALL, "--target", f"{scratch}/new", wanted]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=peers.BOUND)
        except subprocess.TimeoutExpired:
            raise PeerMissing(f"{wanted}: pip did not end within {peers.BOUND} s") from None
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
            reason = (errors or done.stderr.strip().splitlines() or ["it gave no reason"])[-1].removeprefix("ERROR: ")
            raise PeerMissing(f"{wanted}: pip could not install it: {reason}")
        peers.PEERS.mkdir(exist_ok=True)
        shutil.rmtree(folder(name), ignore_errors=True)
        shutil.move(f"{scratch}/new", folder(name))


def wheel(name: str) -> ModuleType:
    """A package as a module: the installed one, else ours, fetched when it is not there yet.

    Raises :class:`PeerMissing` when it is not to be had or cannot be imported here.
    """
    if importlib.util.find_spec(name) is None:
        if not folder(name).is_dir():
            fetch(name)
        sys.path.append(str(folder(name)))
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PeerMissing(f"{name} {VERSIONS[name]} cannot be imported on this machine: {error}") from None
