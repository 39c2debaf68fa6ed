"""zfs-fuse 0.7.0, Sun's ZFS of 2010 as a Linux program, on the pools that ours writes, and ours on what it made.

It imports them, mounts them, reads every file, scrubs, writes, takes and destroys snapshots, sends and receives; after
that zdb and our own walk must find everything in order, and ours goes on writing.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from smartos.zfs.campaign.workload import Files
from smartos.zfs.campaign.workload import contents as read
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import Spa, verify
from tests.conformance.test_zfs_zdb import clean
from tests.conformance.zfs_scenarios import NAME, contents, make, memory_disks, save, tool

SESSION = Path(__file__).with_name("fuse_session.sh")
UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
MOUNT = "/run/mnt"
SHAPES = {
    "one disk": ("", 1, 23), "mirror": ("mirror", 2, 23), "raidz1": ("raidz", 3, 23), "raidz2": ("raidz2", 4, 22),
    "raidz3": ("raidz3", 5, 23), "v15": ("", 2, 15),
}  # fmt: skip


def session(folder: Path, script: str, timeout: float = 180) -> str:
    """What zfs-fuse prints while it does a shell script; skips where it cannot run."""
    fuse = tool("zfs-fuse")
    if not os.access("/dev/fuse", os.W_OK):
        pytest.skip("zfs-fuse needs /dev/fuse, which is not there or not ours to open")
    if not shutil.which("unshare") or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode:
        pytest.skip("zfs-fuse needs a mount space of its own, and unshare(1) is refused here")
    commands = folder.parent / "session.sh"
    commands.write_text(script)
    places = sorted(
        {
            str(path.parent)
            for pattern in ("**/sbin/zfs-fuse", "**/bin/fusermount")
            for path in fuse.folder.glob(pattern)
        }
    )
    environment = {**fuse.environment, "PATH": os.pathsep.join([*places, os.environ["PATH"]])}
    command = [*UNSHARE, "sh", str(SESSION), str(commands)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def digests(text: str) -> dict[str, str]:
    """The lines of md5sum: path below the mount point → digest."""
    lines = [line.split("  ", 1) for line in text.splitlines() if f"  {MOUNT}/" in line]
    return {path.removeprefix(f"{MOUNT}/"): digest for digest, path in lines}


def expected(states: dict[str, Files], skip: tuple[str, ...] = ()) -> dict[str, str]:
    """The digests of all files of all filesystems; `states` are as our reader finds them.

    Symbolic links, which have none, are called `link` in all scenarios."""
    return {
        f"{name}{path}": hashlib.md5(data).hexdigest()
        for name, files in states.items() if "@" not in name and name not in skip
        for path, data in files.items() if data is not None and path != "/link"
    }  # fmt: skip


IMPORT = f"zpool import -d {{folder}} -R {MOUNT} {NAME}\nzfs mount -a 2>/dev/null || true\n"
SCRUB = f"""zpool scrub {NAME}
until zpool status {NAME} | grep -q 'scrub completed'; do sleep 0.2; done
zpool status -v {NAME}
"""
DIGESTS = f"find {MOUNT} -type f -print0 | xargs -0 md5sum\n"
EXPORT = f"cd /\nzpool export {NAME}\n"


@pytest.mark.parametrize("shape", SHAPES)
def test_it_imports_reads_and_scrubs_our_pools(shape: str, tmp_path: Path) -> None:
    kind, count, version = SHAPES[shape]
    folder = tmp_path / "pool"
    make(folder, "workload", kind, count, version)
    before = contents(folder)
    text = session(folder, (IMPORT + DIGESTS + SCRUB + EXPORT).format(folder=folder))
    assert digests(text) == expected(before)
    assert "completed after" in text and "with 0 errors" in text and "No known data errors" in text
    clean(folder)
    after = contents(folder)
    made = after[NAME].keys() - before[NAME].keys()  # the directories on which it mounted the others
    assert all(after[NAME].pop(path) is None for path in made)
    assert after == before


@pytest.mark.parametrize("scenario", ["files", "snapshots", "accounts"])
def test_it_reads_what_each_scenario_wrote(scenario: str, tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    make(folder, scenario, version=23)
    skip = (f"{NAME}/vol",)
    pool = Pool.open([FileDisk(path, writable=False) for path in sorted(folder.iterdir())])
    before = {each.name: read(each) for each in pool.datasets() if each.type == "ZPL"}
    text = session(
        folder, (IMPORT + DIGESTS + SCRUB + "zfs list -H -t all -o name,used,refer\n" + EXPORT).format(folder=folder)
    )
    assert digests(text) == expected(before, skip) and "with 0 errors" in text
    for each in pool.datasets():
        assert f"\n{each.name}\t" in text
    clean(folder)


def test_it_writes_to_our_pool_and_ours_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    make(folder, "snapshots", "mirror", 2, 23)
    names = [each for each in contents(folder) if each.startswith(f"{NAME}/clone@")]
    script = f"""
cd {MOUNT}/{NAME}/home
echo written > by_fuse
dd if=/dev/urandom of=large bs=128k count=30 2>/dev/null
mkdir newdir && cp large newdir/copy && rm -f f1
zfs snapshot {NAME}/home@fuse
echo more >> by_fuse
zfs create {NAME}/fusefs && cp by_fuse {MOUNT}/{NAME}/fusefs/
zfs destroy {names[0]} || zfs destroy {names[-1]}
zfs clone {NAME}/home@fuse {NAME}/fuseclone
sync
"""
    text = session(folder, (IMPORT + script + DIGESTS + SCRUB + EXPORT).format(folder=folder))
    assert "with 0 errors" in text
    clean(folder)
    after = contents(folder)
    assert after[f"{NAME}/home"]["/by_fuse"] == b"written\nmore\n"
    assert after[f"{NAME}/home@fuse"]["/by_fuse"] == b"written\n" == after[f"{NAME}/fuseclone"]["/by_fuse"]
    assert digests(text) == expected(after)

    own = [FileDisk(path) for path in sorted(folder.iterdir())]
    spa = Spa.import_(own)
    fs = spa.open(f"{NAME}/home")
    fs.write("/by_us", b"ours again" * 2000)
    fs.unlink("/large")
    spa.destroy(f"{NAME}/fuseclone")
    spa.destroy(f"{NAME}/home@fuse")
    spa.snapshot(f"{NAME}/home@ours")
    spa.export()
    report = verify(spa)
    assert report.sound, report.describe()
    clean(folder)
    text = session(folder, (IMPORT + DIGESTS + SCRUB + EXPORT).format(folder=folder))
    assert digests(text) == expected(contents(folder)) and "with 0 errors" in text


def test_streams_go_both_ways(tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    own = memory_disks(folder, 1)
    spa = Spa.create(NAME, own, version=23)
    fs = spa.create(f"{NAME}/home")
    for number in range(12):
        fs.write(f"/f{number}", bytes([number]) * 9000)
    spa.snapshot(f"{NAME}/home@1")
    fs.unlink("/f3")
    fs.write("/f4", b"changed")
    fs.mkdir("/dir")
    spa.snapshot(f"{NAME}/home@2")
    full, more = spa.send(f"{NAME}/home@1"), spa.send(f"{NAME}/home@2", "1")
    spa.export()
    save(own)
    (tmp_path / "full").write_bytes(full)
    (tmp_path / "more").write_bytes(more)
    script = f"""
zfs receive {NAME}/got < {tmp_path}/full
zfs receive {NAME}/got < {tmp_path}/more
cd {MOUNT}/{NAME}/home
rm f5 && echo fuse > f6 && dd if=/dev/urandom of=f7 bs=1k count=300 2>/dev/null
mkdir dir/inner && echo x > dir/inner/x
zfs snapshot {NAME}/home@3
zfs send -i @2 {NAME}/home@3 > {tmp_path}/back
zfs send {NAME}/home@3 > {tmp_path}/whole
"""
    session(folder, (IMPORT + script + EXPORT).format(folder=folder))
    states = contents(folder)
    assert states[f"{NAME}/got@1"] == states[f"{NAME}/home@1"] and states[f"{NAME}/got@2"] == states[f"{NAME}/home@2"]
    clean(folder)

    there = Spa.create("there", memory_disks(tmp_path / "there", 1), version=23)
    for stream in (full, more, (tmp_path / "back").read_bytes()):
        there.receive(stream, "there/home")
    there.receive((tmp_path / "whole").read_bytes(), "there/whole")
    found = {name: dict(_files(there, name)) for name in ("there/home@3", "there/whole@3", "there/home@2")}
    assert found["there/home@3"] == found["there/whole@3"] == states[f"{NAME}/home@3"]
    assert found["there/home@2"] == states[f"{NAME}/home@2"]
    report = verify(there)
    assert report.sound, report.describe()


def _files(spa: Spa, name: str) -> Files:
    fs = spa.open(name)
    return {path: None if node.is_dir else fs.read(path) for path, node in fs.walk()}


@pytest.mark.parametrize("version", [15, 23])
def test_links_of_any_length_go_both_ways(version: int, tmp_path: Path) -> None:
    """Those up to 56 bytes lie behind the znode, longer ones in the link's block."""
    folder, lengths = tmp_path / "pool", (1, 55, 56, 57, 100, 184, 185, 320, 511, 512, 513, 1000)
    own = memory_disks(folder, 1)
    spa = Spa.create(NAME, own, version=version)
    fs = spa.create(f"{NAME}/home")
    wanted = {f"/l{length}": ("dir/" * 300)[:length] for length in lengths}
    for path, to in wanted.items():
        fs.symlink(path, to)
    spa.export()
    save(own)
    script = f"""
cd {MOUNT}/{NAME}/home
find . -type l -printf 'LINK %f %l\\n'
for length in {" ".join(map(str, lengths))}; do ln -s $(readlink l$length) f$length; done
"""
    text = session(folder, (IMPORT + script + SCRUB + EXPORT).format(folder=folder))
    assert dict(line.split()[1:] for line in text.splitlines() if line.startswith("LINK")) == {
        path[1:]: to for path, to in wanted.items()
    }
    assert "with 0 errors" in text
    clean(folder)
    found = Pool.open([FileDisk(folder / "d0", writable=False)]).dataset(f"{NAME}/home").filesystem()
    for path, to in wanted.items():
        assert found.readlink(found.lookup(path)) == found.readlink(found.lookup(path.replace("l", "f"))) == to
