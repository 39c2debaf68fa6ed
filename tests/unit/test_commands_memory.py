"""What has no end is not kept in memory: files of the host, scripts; and what memory does not hold is said."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from smartos.commands import System, run
from smartos.commands.files import PIECE
from tests.unit.command_lines import bad, good, system

__all__ = ["system"]
ROOM = 1 << 29  # bytes of memory that a command may have in all
LIMITED = f"import resource, runpy; resource.setrlimit(resource.RLIMIT_AS, ({ROOM}, {ROOM})); "


def limited(folder: Path, *words: str, stdin: str = os.devnull) -> subprocess.CompletedProcess:
    """A command with so much memory."""
    code = LIMITED + f"import sys; sys.argv[1:] = {list(words)!r}; runpy.run_module('smartos', run_name='__main__')"
    with open(stdin, "rb") as file:
        return subprocess.run(
            [sys.executable, "-c", code], cwd=folder, stdin=file, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def huge(system: System) -> System:
    """A pool, and a file with a hole larger than all memory."""
    good(system, "zpool create tank d0")
    with (system.folder / "huge").open("wb") as file:
        file.truncate(2 * ROOM)
    return system


def test_a_file_without_an_end_fills_the_pool_and_no_memory(huge: System) -> None:
    huge.close()
    done = limited(huge.folder, "cp", "/dev/zero", "tank:/zero")
    assert (done.returncode, done.stderr) == (1, "cp: tank:/zero: No space left on device\n")


def test_what_a_d_program_keeps_of_a_file_without_an_end_is_let_go(huge: System) -> None:
    done = limited(huge.folder, "dtrace", "-q", "-c", "cat /dev/zero", "-n", "BEGIN { }")
    assert (done.returncode, done.stderr) == (0, f"warning: {os.strerror(12)}\n")


def test_a_file_larger_than_memory_is_printed_and_copied(huge: System) -> None:
    huge.close()
    for words in (("cat", "huge"), ("cp", "huge", "copy")):
        done = limited(huge.folder, *words)
        assert (done.returncode, done.stderr) == (0, "")
    (huge.folder / "copy").unlink()


@pytest.mark.parametrize("name", ["huge", "/dev/zero", "/dev/stdin"])
def test_a_script_without_an_end_is_refused(huge: System, name: str) -> None:
    done = limited(huge.folder, "dtrace", "-s", name, stdin="/dev/zero")
    assert (done.returncode, done.stderr) == (1, f"dtrace: failed to open {name}: File too large\n")


def test_what_memory_does_not_hold_is_said(huge: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("smartos.zfs.live.zpl.Zpl.listdir", full)
    monkeypatch.setattr("smartos.zfs.live.zpl.Zpl.write_node", full)
    assert bad(huge, "cp huge tank:/file") == f"cp: {os.strerror(12)}\n"
    assert "No such file" in bad(huge, "cat tank:/file")  # it was made in memory only
    assert bad(huge, "ls tank:/") == f"ls: {os.strerror(12)}\n"


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1])
def test_a_copy_in_pieces_is_the_file(huge: System, size: int) -> None:
    data = random.Random(size).randbytes(size)
    (huge.folder / "data").write_bytes(data)
    (huge.folder / "longer").write_bytes(bytes(PIECE + 9))
    good(huge, "cp longer tank:/data")
    for line in ("cp data tank:/data", "cp tank:/data longer", "cp tank:/data tank:/again"):
        good(huge, line)
    assert (huge.folder / "longer").read_bytes() == run("cat tank:/again", huge).data == data


def test_a_file_is_not_copied_onto_itself(huge: System) -> None:
    (huge.folder / "data").write_text("words")
    (huge.folder / "link").symlink_to("data")
    good(huge, "cp data tank:/data")
    for one, other in (("data", "data"), ("data", "link"), ("tank:/data", "tank://data"), ("data", ".")):
        where = f"{other}/{one}" if other == "." else other
        assert bad(huge, f"cp {one} {other}") == f"cp: {one} and {where} are identical\n"
    assert (huge.folder / "data").read_text() == "words"
    assert run("cat tank:/data data", huge).data == b"words" * 2


def test_a_stream_that_the_host_has_no_room_for(huge: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good(huge, "zfs snapshot tank@1")
    monkeypatch.setattr("smartos.commands.zfs.stream.TemporaryFile", lambda **_: open("/dev/full", "wb", buffering=0))
    done = run("zfs send tank@1 | zfs receive tank/copy", huge)
    assert done.status == 1 and "cannot receive: the stream does not fit into " in done.err
    assert "No space left on device; TMPDIR names another folder" in done.err
