"""Pools of the newest OpenZFS, with every feature that a default `zpool create` enables: read, walked, and shown as its
own zdb shows them.

Debian's unstable release has it; libzpool makes the pools in a process that its own loader starts.
"""

from pathlib import Path

import pytest

from smartos.commands import run
from smartos.zfs.errors import Unsupported
from smartos.zfs.format import features
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk
from tests.conformance.test_zfs_libzpool import OBJECTS, TEXT, make, pieces, vdev, whole
from tests.conformance.zfs_images import opened, our_counts, zdb_counts
from tools.peers import Peer, PeerMissing, peer

SHAPES = {"stripe": ("stripe", 1, 0, 9), "mirror": ("mirror", 2, 0, 12), "raidz2": ("raidz", 5, 2, 12)}
LZJB, LZ4, ZSTD = 3, 15, 16
CHECKSUMS = {"sha256": 8, "sha512": 11, "skein": 12, "edonr": 13, "blake3": 14}
UNJUDGED = {"skein", "edonr", "blake3"}


@pytest.fixture(scope="module")
def newest() -> Peer:
    try:
        return peer("zfs-sid")
    except PeerMissing as missing:
        pytest.skip(f"the newest OpenZFS is not to be had here: {missing}")


@pytest.fixture(scope="module", params=SHAPES)
def made(request: pytest.FixtureRequest, newest: Peer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Pool]:
    folder = tmp_path_factory.mktemp("pool")
    sets = [
        {"name": f"peer/c{kind}", "props": {"compression": kind}, "objects": pieces(OBJECTS), "zaps": {"a": 1}}
        for kind in (LZJB, LZ4, ZSTD)
    ] + [
        {"name": f"peer/{name}", "props": {"checksum": kind, "compression": LZ4}, "objects": pieces(OBJECTS)}
        for name, kind in CHECKSUMS.items()
    ]  # fmt: skip
    large = [(1 << 20, {0: TEXT * 8}), (4096, {0: b"fits into its pointer"})]
    sets.append({"name": "peer/large", "props": {"compression": LZ4}, "objects": pieces(large)})
    order = {
        "pool": "peer", "vdev": vdev(folder, *SHAPES[request.param]), "sets": sets,
        "features": list(features.ALL.values()),
        "snapshots": [["peer/c15", "one", pieces([(4096, {0: TEXT[:5000]})])], ["peer/c15", "two", []]],
    }  # fmt: skip
    make(newest, folder, order)
    return folder, opened(sorted(folder.glob("d*")))


def test_the_pool_uses_what_older_tools_do_not_know(made: tuple[Path, Pool]) -> None:
    active = {name for name, uses in made[1].features.items() if uses}
    assert {"com.klarasystems:vdev_zaps_v2", "com.delphix:head_errlog", "org.openzfs:blake3"} <= active


def test_every_byte_that_was_written_is_read(made: tuple[Path, Pool]) -> None:
    _, pool = made
    for name in (f"peer/c{LZJB}", f"peer/c{LZ4}", "peer/sha256", "peer/sha512"):
        objset = pool.dataset(name).objset
        for place, (size, parts) in enumerate(OBJECTS, 1):
            assert objset.read(objset.dnode(place)) == whole(size, parts)
    objset = pool.dataset("peer/large").objset
    assert objset.read(objset.dnode(1))[: 8 * len(TEXT)] == TEXT * 8 and objset.dnode(2).blkptrs[0].embedded
    for name in UNJUDGED:
        with pytest.raises(Unsupported, match=f"checksum {name}"):
            pool.dataset(f"peer/{name}").objset.read(pool.dataset(f"peer/{name}").objset.dnode(1))
    objset = pool.dataset(f"peer/c{ZSTD}").objset
    try:
        assert objset.read(objset.dnode(1)) == whole(*OBJECTS[0])
    except Unsupported as error:
        assert "compression zstd needs Python 3.14 or the package zstandard" in str(error)


def test_the_walk_is_sound_and_counts_as_zdb_does(made: tuple[Path, Pool], newest: Peer) -> None:
    folder, pool = made
    report = walk(pool)
    assert report.sound and set(report.unjudged) <= UNJUDGED | {"zstd"}, report.describe()
    assert our_counts(report) == zdb_counts(newest, folder, "peer")


@pytest.mark.parametrize("words", [("-CC", "peer"), *(("-dddddd", f"peer/{name}") for name in ("c3", "c15", *CHECKSUMS))])
def test_zdb_shows_the_same(words: tuple[str, str], made: tuple[Path, Pool], newest: Peer) -> None:
    """The configuration, and every object of the datasets with all their blocks; of the MOS the newest prints more."""
    folder, _ = made
    theirs = newest.run("zdb", "-e", "-p", folder, *words)
    ours = run(["zdb", "-e", "-p", str(folder), *words])
    assert ours.out.split("\n") == theirs.stdout.split("\n") and len(ours.out) > 1500
    assert ours.status == theirs.returncode, ours.err


def test_no_object_of_the_mos_is_called_leaked(made: tuple[Path, Pool]) -> None:
    assert "leaked" not in run(["zdb", "-e", "-p", str(made[0]), "-d", "peer"]).out
