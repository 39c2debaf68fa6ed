"""Packages that only tests want: imported when they are there, fetched into their own folder, missing with a reason."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tools import peers, wheels
from tools.peers import PeerMissing

PACKAGE = "a_package_that_is_not_there"


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of our own for the packages, one of them made up, and the path as it was afterwards."""
    monkeypatch.setattr(peers, "PEERS", tmp_path / "peers")
    monkeypatch.setitem(wheels.VERSIONS, PACKAGE, "1.0")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)


def test_a_package_that_is_installed_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "fetch", lambda name: pytest.fail("it is there"))
    assert wheels.wheel("json").loads("[1]") == [1]


def test_a_package_is_fetched_once_and_imported_from_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        place = Path(command[command.index("--target") + 1])
        place.mkdir(parents=True)
        (place / f"{PACKAGE}.py").write_text("answer = 42\n")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(wheels.subprocess, "run", pip)
    assert wheels.wheel(PACKAGE).answer == 42
    assert asked[0][-1] == f"{PACKAGE}==1.0" and "--no-deps" in asked[0]
    assert wheels.folder(PACKAGE).name == f"{PACKAGE}-1.0-{sys.implementation.cache_tag}"
    del sys.modules[PACKAGE]
    sys.path.remove(str(wheels.folder(PACKAGE)))
    assert importlib.util.find_spec(PACKAGE) is None
    assert wheels.wheel(PACKAGE).answer == 42 and len(asked) == 1


def test_without_an_index_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip itself is asked, with an index on the discard port, where nothing answers."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(PeerMissing, match=f"{PACKAGE}==1.0: pip could not install it: .*{PACKAGE}"):
        wheels.wheel(PACKAGE)
    assert not wheels.folder(PACKAGE).exists()


def test_a_package_that_does_not_run_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    place = wheels.folder(PACKAGE)
    place.mkdir(parents=True)
    (place / f"{PACKAGE}.py").write_text("import a_library_of_another_machine\n")
    with pytest.raises(PeerMissing, match="cannot be imported on this machine: .*a_library_of_another_machine"):
        wheels.wheel(PACKAGE)
