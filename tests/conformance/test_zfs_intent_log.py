"""Intent logs that a power cut left: the real zdb reads ours, zfs-fuse replays ours, and ours replays its."""

import shutil
from pathlib import Path

import pytest

from smartos.zfs.campaign.workload import Files
from smartos.zfs.campaign.workload import contents as read
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import Spa, verify
from tests.conformance.test_zdb_command import same
from tests.conformance.test_zfs_fuse import DIGESTS, EXPORT, IMPORT, MOUNT, SCRUB, digests, expected, session
from tests.conformance.test_zfs_zdb import clean
from tests.conformance.zfs_scenarios import NAME, contents, memory_disks, save

SHAPES = {
    "slim": (28, "", 1), "before slim": (20, "", 1), "v15": (15, "", 2), "mirror": (23, "mirror", 2),
    "raidz1": (28, "raidz", 3), "znodes": (23, "", 2),
}  # fmt: skip
HOME, VOLUME = f"{NAME}/home", f"{NAME}/vol"


def cut(folder: Path, version: int = 28, kind: str = "", count: int = 1) -> None:
    """A pool as it is on its disks when the power fails, with a record of each kind in its logs."""
    own = memory_disks(folder, count)
    pool = Spa.create(NAME, [(kind, *own)] if kind else own, version=version, seed=4)
    home, volume = pool.create(HOME), pool.create_volume(VOLUME, "4M")
    home.write("/a", b"first", sync=True)
    volume.write(0, b"x" * 100, sync=True)
    home.mkdir("/d")
    home.write("/d/b", b"B" * 200_000)
    home.symlink("/link", "target")
    home.link("/a", "/a2")
    home.rename("/d/b", "/c")
    home.chmod("/c", 0o600)
    home.chown("/c", 3, 4)
    home.truncate("/c", 150_000)
    home.rmdir("/d")
    home.write("/gone", b"1")
    home.unlink("/gone")
    home.write("/late", b"not asked for")
    home.fsync("/c")
    home.write("/a", b"\nand\0more", 5, sync=True)
    volume.write(50, b"y" * 10_000)
    volume.flush()
    save(own)


def files(folder: Path) -> dict[str, Files]:
    """The home directory as our reader finds it."""
    return {HOME: read(Pool.open([FileDisk(folder / "d0", writable=False)]).dataset(HOME))}


@pytest.fixture(params=SHAPES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    cut(tmp_path / "pool", *SHAPES[request.param])
    return tmp_path / "pool"


def test_zdb_reads_a_log_that_waits_and_finds_nothing_leaked_after_the_replay(folder: Path) -> None:
    for flags in ("-i", "-iv", "-ivv", "-ivvvvv", "-bcc"):
        out = same("-e", "-p", folder, flags, NAME, lines=10).out
        assert "TX_RENAME            1" in out or "vv" not in flags
    pool = Spa.import_([FileDisk(path) for path in sorted(folder.iterdir())])
    assert [(each.name, each.trouble) for each in pool.replayed] == [(HOME, ""), (VOLUME, "")]
    pool.open(HOME).write("/after", b"safe", sync=True)
    pool.export()
    assert verify(pool).sound
    clean(folder)
    assert "ZIL header: claim_txg 0" in same("-e", "-p", folder, "-ivvv", NAME).out


FORCE = IMPORT.replace("import -d", "import -f -d")


@pytest.mark.parametrize("version", [23, 20, 15])
def test_zfs_fuse_replays_ours(version: int, tmp_path: Path) -> None:
    """It makes of the log what ours makes of it. The volume's it only claims: then ours goes on from there."""
    folder, copy = tmp_path / "pool", tmp_path / "copy"
    cut(folder, version)
    shutil.copytree(folder, copy)
    text = session(folder, (FORCE + DIGESTS + SCRUB + EXPORT).format(folder=folder))
    pool = Spa.import_([FileDisk(copy / "d0")])
    pool.export()
    ours = files(copy)
    assert digests(text) == expected(ours) == expected(files(folder))
    assert ours[HOME]["/c"] == b"B" * 150_000 and ours[HOME]["/late"] == b"" and "/gone" not in ours[HOME]
    assert "with 0 errors" in text and "No known data errors" in text

    left = Pool.open([FileDisk(folder / "d0", writable=False)]).dataset(VOLUME)
    assert left.objset.phys.zil_header.claim_txg and left.unreplayed() == 2
    same("-e", "-p", folder, "-ivvvvv", NAME, lines=10)
    again = Spa.import_([FileDisk(folder / "d0")])
    assert [(each.name, each.records, each.trouble) for each in again.replayed] == [(VOLUME, 2, "")]
    assert again.open(VOLUME).read(0, 10_051) == b"x" * 50 + b"y" * 10_000 + b"\0"
    again.export()
    assert verify(again).sound
    clean(folder)


KILLED = """
zpool create -o version={version} -O mountpoint={mount}/{name} {name} {folder}/d0
cd {mount}/{name}
python3 - <<'END'
import os
s = os.open("s", os.O_CREAT | os.O_WRONLY | os.O_SYNC)
os.write(s, b"first")
os.mkdir("d")
open("d/b", "wb").write(b"B" * 200_000)
os.symlink("target", "link"); os.link("s", "a2"); os.rename("d/b", "c"); os.rmdir("d")
os.chmod("c", 0o600); os.chown("c", 3, 4); os.truncate("c", 150_000)
open("late", "w").write("not asked for")
open("gone", "w").write("1"); os.unlink("gone")
os.utime("c", (5, 6))
c = os.open("c", os.O_WRONLY)
os.pwrite(c, b"c", 100); os.fsync(c)
os.write(s, b"sync" * 20_000); os.pwrite(s, b"more", 3)
END
kill -9 $!
"""


@pytest.mark.parametrize("version", [23, 20, 15])
def test_ours_replays_what_zfs_fuse_left_when_it_was_killed(version: int, tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    folder.mkdir()
    (folder / "d0").touch()
    with (folder / "d0").open("r+b") as file:
        file.truncate(64 << 20)
    session(folder, KILLED.format(version=version, mount=MOUNT, name=NAME, folder=folder))
    waiting = Pool.open([FileDisk(folder / "d0", writable=False)]).dataset(NAME)
    assert waiting.unreplayed() >= 15, "it was killed in time"
    same("-e", "-p", folder, "-ivvvvv", NAME, lines=40)
    pool = Spa.import_([FileDisk(folder / "d0")])
    assert [(each.name, each.trouble) for each in pool.replayed] == [(NAME, "")]
    home = pool.open(NAME)
    assert home.listdir() == ["a2", "c", "late", "link", "s"] and home.readlink("/link") == "target"
    assert home.read("/c") == b"B" * 100 + b"c" + b"B" * 149_899
    assert home.read("/s") == home.read("/a2") == b"firmore" + (b"sync" * 20_000)[2:]
    node = home.stat("/c")
    assert (node.mode & 0o777, node.uid, node.gid, home.stat("/s").links) == (0o600, 3, 4, 2)
    pool.export()
    assert verify(pool).sound
    clean(folder)
    text = session(folder, (IMPORT.replace(f"-R {MOUNT} ", "") + DIGESTS + SCRUB + EXPORT).format(folder=folder))
    assert digests(text) == expected(contents(folder)) and "with 0 errors" in text
