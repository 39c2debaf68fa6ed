"""Fetching the peers: a component is added to this release's package sources only, in both of apt's formats."""

import pytest

from tools import peers
from tools.peers import PeerMissing, Wanted, components, of_release

DEB822 = """\
Types: deb
URIs: mirror+file:///a
Suites: bookworm bookworm-updates
Components: main
Signed-By: /a.gpg

Types: deb
URIs: mirror+file:///b
Suites: nodistro
Components: main
"""
ONE_LINE = """\
# deb mirror+file:///a bookworm main
deb [signed-by=/a.gpg] mirror+file:///a bookworm main
deb mirror+file:///a bookworm-updates main
deb mirror+file:///b stable main
"""


def test_components_in_stanzas() -> None:
    found = components(DEB822, "bookworm", "contrib")
    assert "Components: main contrib" in found and "Signed-By: /a.gpg" in found
    assert "nodistro" not in found


def test_components_in_lines() -> None:
    assert components(ONE_LINE, "bookworm", "contrib") == (
        "deb [signed-by=/a.gpg] mirror+file:///a bookworm main contrib\n"
        "deb mirror+file:///a bookworm-updates main contrib\n"
    )


def test_another_release_in_stanzas() -> None:
    found = of_release(DEB822 + "\n" + DEB822.replace("bookworm bookworm-updates", "bookworm-security"), "bookworm", "sid")
    assert found.count("Types:") == 1 and "Suites: sid\n" in found and "mirror+file:///a" in found


def test_another_release_in_lines() -> None:
    assert of_release(ONE_LINE, "bookworm", "sid") == "deb [signed-by=/a.gpg] mirror+file:///a sid main\n"


def test_a_component_of_another_release() -> None:
    found = components(of_release(ONE_LINE, "bookworm", "sid"), "sid", "contrib")
    assert found == "deb [signed-by=/a.gpg] mirror+file:///a sid main contrib\n"


def test_a_peer_of_another_release_is_started_by_its_own_loader(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # noqa: ANN001
    loader = tmp_path / "apart" / "lib" / "ld-linux-x.so.2"
    loader.parent.mkdir(parents=True)
    loader.write_text('#!/bin/sh\necho "$1"; shift 2; shift; echo "$@"; echo "[$LD_LIBRARY_PATH]"\n')
    loader.chmod(0o755)
    (tmp_path / "apart" / "lib" / "libc.so.6").touch()
    program = tmp_path / "apart" / "sbin" / "greet"
    program.parent.mkdir()
    program.touch()
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.setattr(peers, "PEERS", tmp_path)
    monkeypatch.setitem(peers.WANTED, "apart", Wanted(("x",), ("**/sbin/greet",), release="sid"))
    assert peers.peer("apart").run("sbin/greet", "you").stdout.splitlines() == ["--library-path", "you", "[]"]


def test_a_machine_without_apt_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # noqa: ANN001
    monkeypatch.setattr(peers, "PEERS", tmp_path)
    monkeypatch.setitem(peers.WANTED, "nobody", Wanted(("no-such-package",), ("**/nothing",)))
    monkeypatch.setattr(peers.shutil, "which", lambda name: None)
    with pytest.raises(PeerMissing, match="apt-get"):
        peers.peer("nobody")


def test_a_peer_that_is_there_is_not_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # noqa: ANN001
    program = tmp_path / "here" / "usr" / "bin" / "greet"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho hello $1\n")
    program.chmod(0o755)
    monkeypatch.setattr(peers, "PEERS", tmp_path)
    monkeypatch.setitem(peers.WANTED, "here", Wanted(("x",), ("**/bin/greet",)))
    monkeypatch.setattr(peers, "fetch", lambda name: pytest.fail("it is there"))
    found = peers.peer("here")
    assert found.run("bin/greet", "you").stdout == "hello you\n"
    with pytest.raises(PeerMissing, match="no \\*\\*/other"):
        found.find("**/other")
