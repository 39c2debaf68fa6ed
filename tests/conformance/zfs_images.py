"""The pools that Debian's `zfs-test` ships, made by Sun's own code and by later ones, unpacked once into `.peers/`."""

import bz2
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.read.pool import Pool
from tools.peers import PEERS, Peer, PeerMissing, peer

UNPACKED = PEERS / "zfs-images"
CHUNK = 1 << 20


def zfs() -> Peer:
    """ZFS's own tools; a test that wants them is skipped where they are not to be had."""
    try:
        return peer("zfs")
    except PeerMissing as missing:
        pytest.skip(str(missing))


def images() -> dict[str, list[Path]]:
    """The files of each shipped pool by its images' common name, a device each."""
    UNPACKED.mkdir(parents=True, exist_ok=True)
    groups, missing = defaultdict(list), []
    for packed in sorted(zfs().folder.glob("**/blockfiles/*.dat.bz2")):
        name = packed.name.removesuffix(".dat.bz2")
        group = re.sub(
            r"(?<=mirror|stripe)\d$|(?<=raidz)1$|(?<=raidz2)\d$|(?<=hotspare)\d$|(?<=v[123]raidz)\d$", "", name
        )
        folder = UNPACKED / group
        folder.mkdir(exist_ok=True)
        file = folder / f"{name}.dat"
        if not file.exists():
            missing.append((packed, file))
        groups[group].append(file)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: unpack(*pair), missing))
    return dict(groups)


def unpack(packed: Path, file: Path) -> None:
    """Decompress a device, leaving holes where there are only zeros."""
    partial = file.with_suffix(".partial")
    with bz2.open(packed) as source, partial.open("wb") as target:
        while data := source.read(CHUNK):
            if data.count(0) == len(data):
                target.seek(len(data), 1)
            else:
                target.write(data)
        target.truncate()
    partial.rename(file)


def opened(files: list[Path], **more: object) -> Pool:
    """The pool on these files, for reading."""
    return Pool.open([FileDisk(file, writable=False) for file in files], **more)


def zdb_counts(tools: Peer, folder: Path, pool: str) -> dict[str, int]:
    """What `zdb -b` counts in an exported pool, and whether it finds leaks."""
    said = tools.run("zdb", "-e", "-p", folder, "-b", pool).stdout
    found = {
        name: int(number)
        for name, number in re.findall(r"^\s*bp (count|logical|physical|allocated):\s+(\d+)", said, re.MULTILINE)
    }
    assert found, f"zdb counted nothing in {pool}"
    found["leaks"] = 0 if "No leaks" in said else 1
    return found


def our_counts(report: object) -> dict[str, int]:
    """The same of our walk."""
    leaks = any(space.leaked or space.unallocated or space.twice for space in report.vdevs.values())
    return {
        "count": report.count, "logical": report.lsize, "physical": report.psize, "allocated": report.asize,
        "leaks": int(leaks),
    }  # fmt: skip
