"""What stands where the cache file should be and is none: each command says so, and leaves it alone."""

import os
from pathlib import Path

import pytest

from smartos.commands import System, run


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _device(path: Path) -> None:
    path.symlink_to(os.devnull)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_fifo, "not a regular file"), (_folder, "not a regular file"), (_device, "not a regular file"),
        (_loop, os.strerror(40)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line", ["zpool list", "zpool create tank d0", "zfs list", "zdb", "mkfile 1m x"])
def test_what_is_no_file_is_no_cache_file(tmp_path: Path, make, why: str, line: str) -> None:  # noqa: ANN001 - makes one
    path = tmp_path / "zpool.cache"
    make(path)
    before = os.lstat(path)
    done = run(line, System(tmp_path, load=False))
    assert (done.status, done.out) == (1, "")
    assert done.err == f"{path} is no cache file ({why}); move it away and import the pools\n"
    assert os.lstat(path) == before
