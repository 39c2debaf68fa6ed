"""What the tests of DTrace are held against: illumos' suite where it is at hand, and Debian's dtrace."""

import os
from pathlib import Path

import pytest
from dtrace_programs import SuiteMissing, suite_folder

from tools.paths import ROOT
from tools.peers import Peer, PeerMissing, peer


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suite's folder. It never comes into this repository; see `dtrace_suite.py` for what may be named."""
    given = Path(os.environ.get("SMARTOS_DTRACE_SUITE", "") or ROOT / ".peers" / "dtrace-suite")
    if not given.exists():
        pytest.skip("illumos' DTrace test suite is not here: name its folder in SMARTOS_DTRACE_SUITE")
    try:
        return suite_folder(given, tmp_path_factory.mktemp("suite"))
    except SuiteMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def linux() -> Peer:
    """Linux' dtrace, as Debian has it."""
    try:
        return peer("dtrace")
    except PeerMissing as missing:
        pytest.skip(f"Debian's dtrace is not to be had here: {missing}")
