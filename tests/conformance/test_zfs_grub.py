"""GRUB's own reader of ZFS, which shares no code with any other, on the pools that ours writes."""

from pathlib import Path

import pytest

from smartos.zfs.spa.spa import Spa
from tests.conformance.zfs_scenarios import CHANCE, NAME, make, memory_disks, save, tool

SHAPES = {
    "one disk": ("", 1),
    "mirror": ("mirror", 2),
    "raidz1": ("raidz", 3),
    "raidz2": ("raidz2", 4),
    "raidz3": ("raidz3", 5),
}


def fstest(folder: Path, *arguments: str) -> str:
    """What grub-fstest prints about the devices in a folder."""
    devices = sorted(folder.iterdir())
    done = tool("grub").run("grub-fstest", *devices, "-c", str(len(devices)), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("version", [23, 28])
@pytest.mark.parametrize("shape", SHAPES)
def test_grub_reads_every_byte(shape: str, version: int, tmp_path: Path) -> None:
    kind, count = SHAPES[shape]
    own = memory_disks(tmp_path / "pool", count)
    spa = Spa.create(NAME, [(kind, *own)] if kind else own, version=version)
    fs = spa.create(f"{NAME}/home", compression="on")
    data = {"/text": b"hello, world\n" * 3000, "/noise": CHANCE.randbytes(300_000), "/small": b"tiny"}
    for path, content in data.items():
        fs.write(path, content)
    fs.mkdir("/dir")
    fs.write("/dir/inner", data["/noise"][:5000])
    spa.snapshot(f"{NAME}/home@one")
    fs.write("/text", b"changed")
    spa.export()
    save(own)
    listed = fstest(tmp_path / "pool", "ls", "(loop0)/home@/").split()
    assert {"text", "noise", "small", "dir/"} <= set(listed)
    for path, content in {**data, "/text": b"changed", "/dir/inner": data["/noise"][:5000]}.items():
        (tmp_path / "wanted").write_bytes(content)
        fstest(tmp_path / "pool", "cmp", f"(loop0)/home@{path}", str(tmp_path / "wanted"))
    (tmp_path / "wanted").write_bytes(data["/text"])
    fstest(tmp_path / "pool", "cmp", "(loop0)/home@one/text", str(tmp_path / "wanted"))


def test_grub_reads_a_pool_after_a_workload(tmp_path: Path) -> None:
    spa = make(tmp_path / "pool", "workload", "raidz", 3)
    fs = spa.open(NAME)
    for path, node in fs.walk():
        if not node.is_dir and node.size:
            (tmp_path / "wanted").write_bytes(fs.read(path))
            fstest(tmp_path / "pool", "cmp", f"(loop0)/@{path}", str(tmp_path / "wanted"))
