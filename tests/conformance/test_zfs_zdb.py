"""OpenZFS's zdb on the pools that ours writes: it opens them, verifies every block, and finds no leak.

-l reads the labels, -u the uberblock, -d every dataset and object of the MOS that nothing refers to, -bcc traverses all
blocks, verifies every copy's checksum and compares the sum with the space maps.
"""

import re
from pathlib import Path

import pytest

from smartos.zfs.campaign.process import processes
from smartos.zfs.campaign.vdev import Walk
from smartos.zfs.campaign.workload import Workload
from smartos.zfs.disk import lock
from smartos.zfs.spa.spa import Spa
from tests.conformance.zfs_scenarios import NAME, SCENARIOS, make, memory_disks, save, tool

SHAPES = {
    "stripe": ("", 2, 28, 9), "mirror": ("mirror", 2, 28, 9), "raidz1": ("raidz", 3, 23, 9),
    "raidz2": ("raidz2", 5, 28, 12),
    "raidz3": ("raidz3", 6, 28, 9), "4k": ("", 1, 28, 12), "v15": ("", 1, 15, 9), "v26": ("mirror", 2, 26, 9),
}  # fmt: skip
LINKS = (1, 56, 57, 100, 144, 145, 184, 185, 320, 504, 505, 600, 1024)
LOADING = re.compile(r"^.*loading concrete.*$", re.M)


def zdb(folder: Path, *options: str, name: str = NAME, timeout: float = 120) -> str:
    """What zdb prints about the pool in a folder; it must succeed."""
    done = tool("zfs").run("zdb", "-e", "-p", folder, *options, name, timeout=timeout)
    assert done.returncode == 0, LOADING.sub("", done.stdout + done.stderr)[-2000:]
    return done.stdout


def clean(folder: Path, name: str = NAME) -> None:
    """All that zdb checks."""
    text = zdb(folder, "-bcc", name=name)
    assert "No leaks (block sum matches space maps exactly)" in text, text[-2000:]
    text = zdb(folder, "-d", name=name)
    assert "leak" not in text.lower() and "error" not in text.lower(), text[-2000:]


@pytest.mark.parametrize("version", [23, 28])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_zdb_finds_no_leak_and_no_bad_block(scenario: str, version: int, tmp_path: Path) -> None:
    make(tmp_path / "pool", scenario, version=version)
    clean(tmp_path / "pool")


@pytest.mark.parametrize("shape", SHAPES)
def test_zdb_finds_pools_of_every_shape_clean(shape: str, tmp_path: Path) -> None:
    kind, count, version, ashift = SHAPES[shape]
    make(tmp_path / "pool", "workload", kind, count, version, ashift)
    clean(tmp_path / "pool")


@pytest.mark.skipif(lock.fcntl is None, reason="this platform has no flock(2), and so one process")
@pytest.mark.parametrize(("seed", "shape"), [(11, "stripe"), (12, "raidz1")])
def test_zdb_finds_a_pool_clean_that_several_commands_at_once_wrote_and_were_killed(seed: int, shape: str) -> None:
    with processes(seed, 5, shape) as made:
        assert not made.tally.failures, made.tally.describe()
        clean(made.folder, "tank")


def test_zdb_reads_labels_and_uberblock_as_we_wrote_them(tmp_path: Path) -> None:
    spa = make(tmp_path / "pool", "files", "mirror", 2)
    text = tool("zfs").run("zdb", "-lu", tmp_path / "pool" / "d1").stdout
    assert f"name: '{NAME}'" in text and "state: 1" in text and "labels = 0 1 2 3" in text
    assert f"pool_guid: {spa.guid}" in text and f"guid_sum = {spa.uberblock.guid_sum}" in text
    assert f"txg = {spa.uberblock.txg}" in zdb(tmp_path / "pool", "-u")


def test_zdb_counts_as_we_count(tmp_path: Path) -> None:
    spa = make(tmp_path / "pool", "snapshots")
    text = zdb(tmp_path / "pool", "-bcc")
    assert int(re.search(r"bp allocated:\s+(\d+)", text)[1]) == sum(
        group.allocated - group.deferred for group in spa.metaslabs.groups
    )
    listed = zdb(tmp_path / "pool", "-d")
    for each in spa.datasets():
        found = re.search(rf"Dataset {re.escape(each.name)} \[ZPL\], ID (\d+), cr_txg (\d+),.* (\d+) objects", listed)
        assert (int(found[1]), int(found[2])) == (each.number, each.phys.creation_txg)
        assert int(found[3]) == each.phys.bp.fill


def test_zdb_reads_a_file_with_all_its_attributes(tmp_path: Path) -> None:
    own = memory_disks(tmp_path / "pool", 1)
    spa = Spa.create(NAME, own)
    fs = spa.create(f"{NAME}/home")
    fs.mkdir("/dir")
    fs.create("/dir/file", 0o640, uid=7, gid=8)
    fs.write("/dir/file", b"x" * 1000)
    number = fs.lookup("/dir/file")
    spa.export()
    save(own)
    done = tool("zfs").run("zdb", "-e", "-p", tmp_path / "pool", "-ddddd", f"{NAME}/home", str(number))
    for wanted in (
        "path\t/dir/file",
        "uid     7",
        "gid     8",
        "mode\t100640",
        "size\t1000",
        "links\t1",
        "System attributes",
    ):
        assert wanted in done.stdout, done.stdout[-1500:]


def test_zdb_finds_a_pool_clean_in_the_middle_of_its_life(tmp_path: Path) -> None:
    """Not exported, after random steps, again and again."""
    own = memory_disks(tmp_path / "pool", 3)
    spa = Spa.create(NAME, [("raidz", *own)], seed=8)
    spa.events.enabled = False
    work = Workload(spa, 8)
    for _ in range(3):
        work.run(80)
        work.sync()
        save(own)
        clean(tmp_path / "pool")


def test_zdb_finds_a_pool_clean_whose_devices_were_changed(tmp_path: Path) -> None:
    own = memory_disks(tmp_path / "pool", 4)
    spa = Spa.create(NAME, [("mirror", *own[:2])], seed=8)
    work = Workload(spa, 5)
    work.run(40)
    spa.offline(own[1].name)
    work.run(20)
    spa.online(own[1].name)
    spa.scan.wait()
    spa.replace(own[0].name, own[2])
    spa.scan.wait()
    work.run(20)
    spa.add(own[3])
    work.run(60)
    spa.export()
    save(own)
    clean(tmp_path / "pool")


def test_zdb_reads_gang_blocks(tmp_path: Path) -> None:
    own = memory_disks(tmp_path / "pool", 1)
    spa = Spa.create(NAME, own)
    for _, metaslab in spa.metaslabs.metaslabs():
        for low, high in list(metaslab.free):
            for at in range(low + (24 << 10), high - 4096, 28 << 10):
                metaslab.free.remove(at, at + 4096)
                metaslab.defer[0].add(at, at + 4096)
    spa.open(NAME).write("/f", bytes(range(256)) * 2000)
    spa.sync()
    save(own)
    assert int(re.search(r"ganged count:\s+(\d+)", zdb(tmp_path / "pool", "-bcc"))[1]) > 0
    clean(tmp_path / "pool")


@pytest.mark.parametrize("seed", range(3, 60, 12))
def test_zdb_finds_a_pool_clean_after_a_walk_over_changes_of_its_vdev_tree(seed: int, tmp_path: Path) -> None:
    """The disks that the pool left on the way are there as well, as in a real system's folder."""
    taken = Walk(seed, (28, 23)[seed % 2], f"{tmp_path}/pool/", NAME)
    for _ in range(14):
        assert not taken.step(), taken.done
    assert not taken.finish(), taken.done
    taken.pool.export()
    save(taken.disks)
    clean(tmp_path / "pool")


@pytest.mark.parametrize("version", [15, 23, 28])
def test_zdb_reads_the_target_of_a_link_of_any_length(version: int, tmp_path: Path) -> None:
    """In the bonus, in the link's block (up to version 23), in a spill block (from 24 on)."""
    own = memory_disks(tmp_path / "pool", 1)
    spa = Spa.create(NAME, own, version=version)
    fs = spa.create(f"{NAME}/home")
    wanted = [("dir/" * 300)[:length] for length in LINKS]
    for to in wanted:
        fs.symlink(f"/l{len(to)}", to)
        fs.chown(f"/l{len(to)}", 7, 8)
    spa.snapshot(f"{NAME}/home@before")
    for to in wanted:
        fs.rename(f"/l{len(to)}", f"/m{len(to)}")
    fs.unlink(f"/m{LINKS[-1]}")
    spa.export()
    save(own)
    clean(tmp_path / "pool")
    for name, links in ((f"{NAME}/home", wanted[:-1]), (f"{NAME}/home@before", wanted)):
        done = tool("zfs").run("zdb", "-e", "-p", tmp_path / "pool", "-ddddd", name)
        assert done.returncode == 0, done.stderr[-1000:]
        assert sorted(re.findall(r"^\ttarget\t(.*)$", done.stdout, re.M)) == sorted(links) or version < 24
        assert done.stdout.count("\tpath\t/") >= len(links) and "uid     7" in done.stdout
