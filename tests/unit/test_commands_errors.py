"""What a pool remembers of errors: counters from one command to the next, and the log in the pool itself."""

import errno
import os
import random
import re

import pytest

from smartos.commands import System, run
from smartos.zfs.read.dsl import ERRLOG_LAST, ERRLOG_SCRUB
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk
from smartos.zfs.spa.spa import verify
from tests.unit.command_lines import bad, good, system

__all__ = ["system"]
SIZE = 300_000


def again(system: System) -> System:
    """The next process: another system on the same cache file."""
    system.close()
    return System(system.folder, clock=system.clock, seed=2)


def spoil(system: System, *disks: str) -> bytes:
    """A file in the pool tank of which every copy on these disks is overwritten; gives what it was."""
    data = random.Random(9).randbytes(SIZE)
    (system.folder / "data").write_bytes(data)
    good(system, "cp data tank:/data")
    for disk in disks:
        path = system.folder / disk
        held = bytearray(path.read_bytes())
        for at in range(0, SIZE - 4096, 4096):
            found = held.find(data[at : at + 512])
            if found >= 0:
                held[found : found + 512] = bytes(512)
        path.write_bytes(held)
    return data


def test_what_a_read_found_lost_is_known_to_the_next_process(system: System) -> None:
    good(system, "zpool create tank d0")
    spoil(system, "d0")
    system = again(system)
    assert "I/O error" in bad(system, "cat tank:/data", still=False)
    for _ in range(2):
        system = again(system)
        out = good(system, "zpool status -v")
        assert "ZFS-8000-8A" in out and "Permanent errors have been detected in the following files:" in out
        assert out.endswith(" tank:/data\n") and "d0        ONLINE       0     0     1" in out
        assert "errors: 1 data errors, use '-v' for a list" in good(system, "zpool status")
    assert verify_metadata(system)


def verify_metadata(system: System) -> bool:
    """Whether all but the file's own data verifies."""
    return walk(Pool.open([leaf.disk for leaf in system.pools["tank"].root.leaves()]), data=False).sound


def test_counts_outlive_the_process_and_end_with_clear_and_export(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    data = spoil(system, "d0")
    system = again(system)
    assert run("cat tank:/data", system).data == data
    good(system, "zpool scrub tank")
    before = good(system, "zpool status")
    assert "ZFS-8000-9P" in before and "errors: No known data errors" in before
    system = again(system)
    assert good(system, "zpool status") == before
    good(system, "zpool clear tank")
    system = again(system)
    assert "d0      ONLINE       0     0     0" in good(system, "zpool status")
    assert verify(system.pools["tank"]).sound


def test_a_scrub_that_finds_an_error_no_more_ends_it(system: System) -> None:
    """`zpool clear` forgets the counts only, as the real one does; the log goes on until a scrub."""
    good(system, "zpool create tank d0")
    spoil(system, "d0")
    system = again(system)
    good(system, "zpool scrub tank")
    system = again(system)
    assert "tank:/data" in good(system, "zpool status -v")
    good(system, "zpool clear tank")
    assert "tank:/data" in good(system, "zpool status -v")
    good(system, "rm tank:/data")
    out = good(system, "zpool status -v")
    assert "tank:<0x" in out
    good(system, "zpool scrub tank")
    system = again(system)
    assert "errors: No known data errors" in good(system, "zpool status -v")
    assert verify(system.pools["tank"]).sound


def test_an_error_in_a_snapshot_and_in_a_dataset_that_is_gone(system: System) -> None:
    good(system, "zpool create tank d0")
    good(system, "zfs create tank/a")
    data = random.Random(9).randbytes(SIZE)
    (system.folder / "data").write_bytes(data)
    good(system, "cp data tank/a:/data")
    good(system, "zfs snapshot tank/a@s")
    spoil(system, "d0")
    system = again(system)
    bad(system, "cat tank/a@s:/data", still=False)
    assert "tank/a@s:/data\n" in good(system, "zpool status -v")
    good(system, "zfs destroy -r tank/a")
    out = good(system, "zpool status -v").splitlines()[-1].strip()
    assert out.startswith("<0x") and ">:<0x" in out


def test_the_log_is_the_real_ones_table(system: System) -> None:
    good(system, "zpool create tank d0")
    spoil(system, "d0")
    system = again(system)
    bad(system, "cat tank:/data", still=False)
    directory = system.pools["tank"].dp.mos.zap(1)
    assert directory.get(ERRLOG_SCRUB) == 0
    dump = good(system, f"zdb -dddd tank {directory.get(ERRLOG_LAST)}")
    assert "persistent error log" in dump
    number = system.pools["tank"].dp.find("tank").number
    assert f"{number:x}:" in dump and ":0:0 = " in dump


def test_a_pool_with_a_full_log_is_imported(system: System) -> None:
    """Errors of many blocks make a fat table; each file is named once."""
    good(system, "zpool create -O recordsize=512 tank d0")
    spoil(system, "d0")
    system = again(system)
    good(system, "zpool scrub tank")
    good(system, "zpool export tank")
    good(system, "zpool import tank")
    out = good(system, "zpool status -v")
    assert out.count("tank:/data") == 1 and "0     0     0" in out


def test_reading_a_pool_that_is_well_writes_nothing(system: System) -> None:
    good(system, "zpool create tank d0")
    (system.folder / "data").write_bytes(b"x")
    good(system, "cp data tank:/data")
    before = [(system.folder / name).read_bytes() for name in ("d0", "zpool.cache")]
    system = again(system)
    for line in ("zpool status -v", "cat tank:/data", "zfs list", "ls tank:/"):
        run(line, system)
    assert [(system.folder / name).read_bytes() for name in ("d0", "zpool.cache")] == before


class Full:
    """A file on a file system without room."""

    def __init__(self, file: object, code: int) -> None:
        self._file, self._code = file, code

    def write(self, data: bytes) -> int:
        raise OSError(self._code, os.strerror(self._code))

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


@pytest.mark.parametrize("vdevs", ["d0", "mirror d0 d1", "raidz d0 d1 d2"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_host_is_called_by_its_name(system: System, vdevs: str, code: int) -> None:
    good(system, f"zpool create tank {vdevs}")
    (system.folder / "data").write_bytes(random.Random(9).randbytes(SIZE))
    files = {leaf.disk: leaf.disk._file for leaf in system.pools["tank"].root.leaves()}
    for disk, file in files.items():
        disk._file = Full(file, code)
    said = bad(system, "cp data tank:/data", still=False)
    assert re.search(rf"{system.folder}/d\d: {os.strerror(code)} on the host: make room for this file there", said)
    assert "run 'zpool clear'" in said and "no child" not in said
    for disk, file in files.items():
        disk._file = file
    done = run("zpool clear tank", system)
    assert done.status == 0 and "goes on from txg" in done.err
    good(system, "cp data tank:/data")
    assert verify(system.pools["tank"]).sound


def test_a_disk_that_fails_is_named_with_its_reason(system: System) -> None:
    good(system, "zpool create tank d0")
    (system.folder / "data").write_bytes(b"x" * 9000)
    disk = system.pools["tank"].leaf("d0").disk
    disk._file, file = Full(disk._file, errno.EIO), disk._file
    said = bad(system, "cp data tank:/data", still=False)
    disk._file = file
    assert "d0" in said and os.strerror(errno.EIO) in said


def test_a_name_with_colons_is_split_where_a_dataset_ends(system: System) -> None:
    good(system, "zpool create data:1 d0")
    good(system, "zfs create data:1/a:")
    good(system, "zfs create data:1/a:/b:2")
    (system.folder / "we:ird").write_text("1")
    (system.folder / "text").write_text("2")
    good(system, "cp text data:1:/x")
    good(system, "cp we:ird data:1:/")
    good(system, "mkdir data:1:/d:")
    good(system, "cp text data:1:/d:/y:z")
    good(system, "cp text data:1/a::/one")
    good(system, "cp text data:1/a:/b:2:/two")
    good(system, "zfs snapshot data:1@s:1")
    assert good(system, "ls data:1:/") == "d:\nwe:ird\nx\n" and good(system, "ls data:1:/d:") == "y:z\n"
    assert good(system, "ls data:1/a::/ data:1/a:/b:2:/").split() == ["data:1/a::/:", "one", "data:1/a:/b:2:/:", "two"]
    assert run("cat data:1@s:1:/we:ird", system).data == b"1"
    assert "cannot open 'none'" in bad(system, "cat none:/x:/y")
