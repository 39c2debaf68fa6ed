"""Pools that the real libzpool makes, with current features and of old versions: read to the last byte."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smartos.commands.zdb.text import blkptr_text
from smartos.zfs.errors import NotAPool, Unsupported
from smartos.zfs.format import compress
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import Walker, walk
from tests.conformance.zfs_images import opened, our_counts, zdb_counts, zfs
from tools.paths import ROOT
from tools.peers import Peer

MAKER = Path(__file__).with_name("zfs_maker.py")
CHANCE = random.Random(1)
TEXT, NOISE = b"a quick brown fox jumps over a lazy dog. " * 4000, CHANCE.randbytes(200_000)
OBJECTS = [
    (4096, {0: TEXT[:30000], 100_000: NOISE[:5000]}),
    (131072, {0: TEXT, 5 << 20: bytes(3000) + NOISE[:90] + bytes(100_000)}),
    (512, {0: b"tiny"}),
]
FEATURES = (
    "lz4_compress", "embedded_data", "large_blocks", "spacemap_v2", "log_spacemap", "spacemap_histogram", "hole_birth",
    "extensible_dataset", "enabled_txg", "large_dnode", "sha512", "async_destroy", "empty_bpobj",
)  # fmt: skip
SHAPES = {
    "v8 mirror": ("mirror", 2, 0, 9, 8), "v28 raidz1": ("raidz", 3, 1, 9, 28), "v28 stripe": ("stripe", 2, 0, 12, 28),
    "features raidz2": ("raidz", 5, 2, 9, 0), "features raidz3": ("raidz", 6, 3, 12, 0),
}  # fmt: skip
KINDS = (compress.LZJB, compress.GZIP_6, compress.GZIP_9, compress.ZLE, compress.LZ4, compress.OFF)
ENTRIES = {f"entry number {n}": n * n for n in range(2500)}


def pieces(objects: list) -> list:
    return [[size, [[at, data.hex()] for at, data in parts.items()]] for size, parts in objects]


def whole(size: int, parts: dict[int, bytes]) -> bytes:
    """An object's bytes, to the end of its last block."""
    data = bytearray(max(at + len(part) for at, part in parts.items()))
    for at, part in parts.items():
        data[at : at + len(part)] = part
    return bytes(data) + bytes(-len(data) % size)


def vdev(folder: Path, kind: str, children: int, nparity: int, ashift: int) -> dict:
    leaves = []
    for number in range(children):
        path = folder / f"d{number}"
        path.touch()
        os.truncate(path, 80 << 20)
        leaves.append({"type": "file", "path": str(path), "ashift": ashift, "is_log": 0})
    if kind == "stripe":
        return {"type": "root", "children": leaves}
    top = {"type": kind, "ashift": ashift, "is_log": 0, "children": leaves}
    return {"type": "root", "children": [top | ({"nparity": nparity} if nparity else {})]}


def make(tools: Peer, folder: Path, order: dict) -> None:
    """Have libzpool make a pool; the test is skipped where it cannot.

    A libzpool of another release wants a Python that is started by that release's loader, with its C library.
    """
    words, environment = [os.path.realpath(sys.executable)], dict(tools.environment)
    if tools.loader:
        own = [path for path in ("/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib") if Path(path).is_dir()]
        words = [*tools.loader[:-1], os.pathsep.join([tools.loader[-1], *own]), *words]
    environment |= {"PYTHONHOME": sys.base_prefix, "PYTHONPATH": str(ROOT / "src")}
    words += [str(MAKER), str(folder), str(tools.find("**/libzpool.so.*").parent)]
    done = subprocess.run(
        words, input=json.dumps(order), env=environment, cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert "ImportError" not in done.stderr and "ModuleNotFoundError" not in done.stderr, done.stderr
    if done.returncode:
        pytest.skip(f"libzpool could not make the pool: {done.stderr.strip().splitlines()[-1:]}")


@pytest.fixture(scope="module", params=SHAPES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Pool]:
    """A pool in a folder, as the real code left it, and our reading of it."""
    tools, folder = zfs(), tmp_path_factory.mktemp("pool")
    kind, children, nparity, ashift, version = SHAPES[request.param]
    zaps = {compress.LZ4: ENTRIES if version == 28 else {"a": 1, "b": 2}}
    sets = [
        {
            "name": f"peer/c{number}",
            "props": {"compression": number},
            "objects": pieces(OBJECTS),
            "zaps": zaps.get(number, {}),
        }
        for number in KINDS
    ]
    if not version:
        large = [(1 << 20, {0: TEXT * 8}), (4096, {0: b"fits into its pointer"})]
        sets.append({"name": "peer/large", "props": {"compression": compress.LZ4}, "objects": pieces(large)})
        sets.append({"name": "peer/sha512", "props": {"checksum": 11}, "objects": pieces(OBJECTS)})
    order = {
        "pool": "peer", "vdev": vdev(folder, kind, children, nparity, ashift), "sets": sets,
        "props": {"version": version} if version else {f"feature@{name}": 0 for name in FEATURES},
        "snapshots": [["peer/c15", "one", pieces([(4096, {0: TEXT[:5000]})])], ["peer/c15", "two", []]],
    }  # fmt: skip
    make(tools, folder, order)
    return folder, opened(sorted(folder.glob("d*")))


def test_every_byte_that_was_written_is_read(made: tuple[Path, Pool]) -> None:
    _, pool = made
    for number in KINDS:
        objset = pool.dataset(f"peer/c{number}").objset
        assert pool.dataset(f"peer/c{number}").property("compression") == (number, f"peer/c{number}")
        for place, (size, parts) in enumerate(OBJECTS, 1):
            dnode = objset.dnode(place)
            assert dnode.block_size == size
            assert objset.read(dnode) == whole(size, parts)
    found = pool.dataset("peer/c15").objset.zap(4)
    assert found in (ENTRIES, {"a": 1, "b": 2})


def test_snapshots_keep_what_was(made: tuple[Path, Pool]) -> None:
    _, pool = made
    assert [each.name for each in pool.dataset("peer/c15").snapshots()] == ["peer/c15@one", "peer/c15@two"]
    sets = [pool.dataset(name).objset for name in ("peer/c15@one", "peer/c15@two", "peer/c15")]
    assert [len(list(each.objects())) for each in sets] == [4, 5, 5]
    assert sets[0].read(sets[0].dnode(2)) == sets[2].read(sets[2].dnode(2))
    assert pool.dataset("peer/c15@one").property("compression") == (15, "peer/c15")


def test_large_embedded_and_sha512_blocks(made: tuple[Path, Pool]) -> None:
    _, pool = made
    if pool.version != 5000:
        assert not any(dataset.name in ("peer/large", "peer/sha512") for dataset in pool.datasets())
        return
    objset = pool.dataset("peer/large").objset
    assert objset.read(objset.dnode(1))[: 8 * len(TEXT)] == TEXT * 8
    assert objset.dnode(1).block_size == 1 << 20
    assert objset.dnode(2).blkptrs[0].embedded
    assert objset.read(objset.dnode(2)) == b"fits into its pointer".ljust(4096, b"\0")
    strong = pool.dataset("peer/sha512").objset
    assert strong.read(strong.dnode(1)) == whole(*OBJECTS[0])
    assert "sha512" in strong.dnode(1).blkptrs[0].describe() or strong.dnode(1).nlevels > 1


def test_the_walk_is_sound_and_counts_as_zdb_does(made: tuple[Path, Pool]) -> None:
    folder, pool = made
    report = walk(pool)
    assert report.sound and not report.unjudged, report.describe()
    assert our_counts(report) == zdb_counts(zfs(), folder, "peer")


def test_gang_blocks(tmp_path: Path) -> None:
    """Every now and then a block is cut up as if no range were long enough; it is read, and its space is right."""
    tools = zfs()
    data = [random.Random(n).randbytes(131072) for n in range(120)]
    objects = [(131072, {n * 131072: data[first + n] for n in range(40)}) for first in (0, 40, 80)]
    order = {
        "pool": "gang", "vdev": vdev(tmp_path, "stripe", 1, 0, 9), "props": {"version": 28},
        "tunables": {"metaslab_force_ganging": 20_000}, "sets": [{"name": "gang/os", "objects": pieces(objects)}],
    }  # fmt: skip
    make(tools, tmp_path, order)
    pool = opened([tmp_path / "d0"])
    objset = pool.dataset("gang/os").objset
    assert b"".join(objset.read(objset.dnode(number)) for number in (1, 2, 3)) == b"".join(data)
    report = walk(pool)
    assert report.sound, report.describe()
    assert our_counts(report) == zdb_counts(tools, tmp_path, "gang")
    if not any(visit.pointer.gang for visit in Walker(pool).visits()):
        pytest.skip("chance made no gang block this time")


def test_a_pool_that_ztest_was_killed_over(tmp_path: Path) -> None:
    """Random operations from many threads, ended by SIGKILL: the last uberblock is a whole pool, and all is in it."""
    tools = zfs()
    program = str(tools.find("**/sbin/ztest"))
    words = [
        program,
        "-f",
        str(tmp_path),
        "-p",
        "ztest",
        "-K",
        "raidz",
        "-R",
        "2",
        "-r",
        "4",
        "-v",
        "1",
        "-C",
        "special=off",
        "-s",
        "128M",
    ]
    running = subprocess.Popen(
        [*words, "-T", "60", "-P", "60"], env=tools.environment, cwd=tmp_path, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        running.wait(timeout=8)
        pytest.skip(f"this time ztest ended by itself, with {running.returncode}")
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    time.sleep(0.2)
    try:
        pool = opened(sorted(tmp_path.glob("ztest.*")), name="ztest")
    except (Unsupported, NotAPool) as reason:
        pytest.skip(f"this time ztest made a pool that is not read here: {reason}")
    report = walk(pool)
    assert report.count > 40
    assert report.sound, report.describe()
    ours, theirs = our_counts(report), zdb_counts(tools, tmp_path, "ztest")
    assert ours == theirs, listed_by_one(tools, tmp_path, pool)


def listed_by_one(tools: Peer, folder: Path, pool: Pool) -> list[str]:
    """The pointers that zdb -bbbbb lists and our walk does not meet, or the other way round."""
    said = tools.run("zdb", "-e", "-p", folder, "-bbbbb", pool.name, timeout=300).stdout
    theirs = set(re.findall(r"(?:DVA\[0\]=|EMBEDDED \[L).*$", said, re.MULTILINE))
    ours = {blkptr_text(visit.pointer) for visit in Walker(pool).visits()}
    return [*(f"zdb only: {line}" for line in theirs - ours), *(f"ours only: {line}" for line in ours - theirs)][:12]
