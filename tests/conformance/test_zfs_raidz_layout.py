"""RAID-Z pools that ZFS itself wrote: every block is where our map says, with our parity, and survives what it should.

The pools are those of Sun's own code that `zfs-test` ships (versions 1 to 3), and new ones that libzpool makes here.
"""

import bz2
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest

from smartos.zfs.disk.disk import FileDisk, MemoryDisk
from smartos.zfs.errors import ZfsError
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import Walker
from smartos.zfs.vdev.tree import LABEL_END, LABEL_START, Flag, Raidz
from tools.peers import Peer, PeerMissing, peer

OLD = {"v1": (1, "zfs-pool-v1raidz"), "v2": (1, "zfs-pool-v2raidz"), "v3-2": (2, "zfs-pool-v3raidz2")}
NEW = {"1,3,9": (1, 3, 9), "1,5,9": (1, 5, 9), "1,4,12": (1, 4, 12), "2,4,9": (2, 4, 9), "2,6,12": (2, 6, 12), "3,8,9": (3, 8, 9)}
SIZE, CHUNK = 64 << 20, 1 << 16
BLOCKS = (512, 1024, 1536, 2048, 2560, 4096, 5632, 8192, 9216, 16384, 65536, 131072)
SETS, LIARS = 10, 3  # sets of missing and of lying disks that are tried in each pool, at most
INVERTED = bytes(range(255, -1, -1))
MAKER = Path(__file__).with_name("zfs_maker.py")


def make(real: Peer, folder: Path, nparity: int, children: int, ashift: int) -> list[Path]:
    """A pool with one RAID-Z, made by libzpool in `folder`; its files in order. Skips where the library cannot."""
    files = [folder / f"d{n}" for n in range(children)]
    for file in files:
        with file.open("wb") as empty:
            empty.truncate(SIZE)
    leaves = [{"type": "file", "path": str(file), "ashift": ashift} for file in files]
    raidz = {"type": "raidz", "nparity": nparity, "is_log": 0, "ashift": ashift, "children": leaves}
    chance = random.Random(f"{nparity} {children} {ashift}")
    objects = []
    for size in BLOCKS * 3:
        count = 3 if size & (size - 1) == 0 else 1  # only blocks of a power of two can be several
        objects.append([size, [[n * size, chance.randbytes(size).hex()] for n in range(count)]])
    order = {
        "pool": "peer", "vdev": {"type": "root", "children": [raidz]}, "sets": [{"name": "peer/os", "objects": objects}],
    }  # fmt: skip
    words = [sys.executable, str(MAKER), str(folder), str(real.find("**/libzpool.so.*").parent)]
    done = subprocess.run(
        words, input=json.dumps(order), env=real.environment, cwd=folder, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        pytest.skip(f"libzpool could not make a pool: {done.stderr.strip().splitlines()[-1:]}")
    return files


@dataclass
class Sample:
    """A pool's disks in memory."""

    disks: list[MemoryDisk]
    nparity: int
    fresh: bool = False

    def open(self, without: tuple[int, ...] = ()) -> Pool:
        """The pool without some of its disks, for reading only."""
        pool = Pool.open([disk.copy() for n, disk in enumerate(self.disks) if n not in without])
        pool.tops[0].readonly = True
        return pool


def sparse(name: str, data: bytes) -> MemoryDisk:
    disk = MemoryDisk(len(data), name)
    for at in range(0, len(data), CHUNK):
        piece = data[at : at + CHUNK]
        if piece.count(0) != len(piece):
            disk.write(at, piece)
    return disk


@pytest.fixture(scope="module")
def real() -> Peer:
    try:
        return peer("zfs")
    except PeerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module", params=[*OLD, *NEW])
def sample(request: pytest.FixtureRequest, real: Peer, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """One pool: three files of a shipped one, or made anew."""
    if request.param in OLD:
        nparity, name = OLD[request.param]
        files = [real.find(f"**/{name}{n}.dat.bz2") for n in (1, 2, 3)]
        return Sample([sparse(file.name, bz2.decompress(file.read_bytes())) for file in files], nparity)
    nparity, children, ashift = NEW[request.param]
    files = make(real, tmp_path_factory.mktemp("raidz"), nparity, children, ashift)
    return Sample([sparse(file.name, file.read_bytes()) for file in files], nparity, fresh=True)


def some(sample: Sample, count: int, most: int) -> list[tuple[int, ...]]:
    """Sets of `count` disks to try: all that there are, or `most` of them."""
    sets = list(combinations(range(len(sample.disks)), count))
    return sets if len(sets) <= most else random.Random(1).sample(sets, most)


def blocks(pool: Pool) -> Iterator[tuple[int, int, int, int]]:
    """Every copy of every block of the pool: offset on the RAID-Z, physical size, birth, allocated size."""
    for visit in Walker(pool).visits():
        pointer = visit.pointer
        if pointer.hole or pointer.embedded:
            continue
        for dva in pointer.dvas:
            if dva.asize:
                yield dva.offset, pointer.psize, pointer.birth, dva.asize


def test_every_sector_is_where_the_map_says_with_the_parity_that_we_compute(sample: Sample) -> None:
    pool = sample.open()
    top = pool.tops[0]
    assert isinstance(top, Raidz) and top.nparity == sample.nparity
    seen, columns, swapped = 0, 0, set()
    for offset, psize, txg, asize in blocks(pool):
        where = top.map(offset, psize)
        assert where.asize == top.psize_to_asize(psize) == asize, "the block pointer says how much it takes"
        data = top.read(offset, psize, None, txg)
        padded = data + bytes(where.size - psize)
        for column, right in zip(where.columns, where.stripe(padded), strict=True):
            disk = top.children[column.devidx].disk
            assert disk.read(LABEL_START + column.offset, column.size) == right
            columns += 1
        seen += 1
        swapped.add(offset >> 20 & 1)
    assert seen > 50 and columns > 3 * seen // 2
    assert not sample.fresh or swapped == {0, 1}, "blocks in even and in odd mebibytes"
    print(f"{top.name} of {len(sample.disks)}, ashift {top.ashift}: {seen} copies, {columns} columns, all as computed")


def test_a_walk_verifies_every_block_and_accounts_for_all_space(sample: Sample) -> None:
    report = Walker(sample.open()).run()
    assert report.sound, report.describe()


def test_whichever_disks_are_missing_every_block_comes_back(sample: Sample) -> None:
    whole = Walker(sample.open()).run()
    for count in range(1, sample.nparity + 1):
        for without in some(sample, count, SETS):
            pool = sample.open(without)
            report = Walker(pool).run()
            assert report.sound and report.verified == whole.verified, report.describe()
            assert pool.tops[0].status()[0][2] == "DEGRADED"


def test_one_disk_too_many_is_said(sample: Sample) -> None:
    """The pool does not open, or some of its blocks cannot be read; none comes back wrong."""
    try:
        pool = sample.open(tuple(range(sample.nparity + 1)))
    except ZfsError:
        return
    report = Walker(pool).run()
    assert report.errors
    assert pool.tops[0].status()[0][2] == "UNAVAIL"


def test_whichever_disks_lie_every_block_comes_back(sample: Sample) -> None:
    """Every byte between the labels of up to as many disks as there is parity is changed; nobody says which."""
    whole = Walker(sample.open()).run()
    for liars in some(sample, sample.nparity, LIARS):
        pool = sample.open()
        for n in liars:
            spoil(pool.tops[0].children[n].disk)
        report = Walker(pool).run()
        assert report.verified == whole.verified and not report.errors, report.describe()
        counted = [n for n, leaf in enumerate(pool.tops[0].children) if leaf.stat.vs_checksum_errors]
        assert counted == list(liars)


def spoil(disk: MemoryDisk) -> None:
    """Invert every page that holds something, from the first label's end to the last ones' begin."""
    for page in [n for n in disk._pages if LABEL_START <= n * 4096 < disk.size - LABEL_END]:
        disk.write(page * 4096, disk.read(page * 4096, 4096).translate(INVERTED))


def test_a_scrub_finds_nothing_to_complain_of(sample: Sample) -> None:
    pool = sample.open()
    top = pool.tops[0]
    for offset, psize, txg, _ in blocks(pool):
        top.read(offset, psize, lambda _: True, txg, Flag.SCRUB)
    assert [row[5] for row in top.status()[1:]] == [0] * len(sample.disks)


def test_files_are_read_in_place(real: Peer, tmp_path: Path) -> None:
    """The same through files opened for reading only."""
    disks = [FileDisk(file, writable=False) for file in make(real, tmp_path, 2, 5, 9)[1:4]]
    assert Walker(Pool.open(disks)).run().sound
    for disk in disks:
        disk.close()
