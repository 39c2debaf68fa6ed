"""Our zdb against OpenZFS's, line for line, on pools that ours wrote and on pools that others made.

Nothing is normalised: both run on this machine, in its time zone, on the same files. Not compared is stderr, where the
real one tells of its progress, and with no option at all the end of what it prints: statistics of its own reads, and
its debug buffer.
"""

import random
from pathlib import Path

import pytest

from smartos.commands import run
from smartos.output import Output
from smartos.zfs.campaign.workload import Workload
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.errors import Unsupported
from smartos.zfs.read.walk import Walker
from smartos.zfs.spa.spa import Spa
from tests.conformance.zfs_images import images, opened
from tests.conformance.zfs_scenarios import NAME, make, memory_disks, save, tool
from tests.unit.test_zfs_order import KINDS
from tests.unit.zfs_swapped import swap_attributes, write_swapped

POOLS = {
    "plain": ("files", "", 1, 28, 9), "mirror": ("accounts", "mirror", 2, 28, 9),
    "raidz2": ("workload", "raidz2", 5, 28, 12),
    "snapshots": ("snapshots", "", 2, 26, 9), "v15": ("many txgs", "", 1, 15, 9),
}  # fmt: skip
FOREIGN = ("cryptv0", "missing_ivset", "zfs-pool-v15", "zfs-pool-v3mirror", "zfs-pool-v1raidz")


def same(*words: object, lines: int = 1) -> Output:
    """What both print; they must agree in each line and in the status, and there must be some lines."""
    theirs = tool("zfs").run("zdb", *words, timeout=300)
    ours = run(["zdb", *map(str, words)])
    expected, found = theirs.stdout.split("\n"), ours.out.split("\n")
    pairs = enumerate(zip(expected, found, strict=False))
    differing = [(number, *pair) for number, pair in pairs if pair[0] != pair[1]]
    assert not differing, differing[:4]
    assert len(found) == len(expected) >= lines, (len(found), len(expected), theirs.stderr[-500:])
    assert ours.status == theirs.returncode, ours.err
    return ours


@pytest.fixture(scope="module", params=POOLS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp(request.param) / "pool"
    make(found, *POOLS[request.param])
    return found


@pytest.mark.parametrize("flags", ["-l", "-lu", "-ll", "-llluuuu", "-lq"])
def test_labels(flags: str, folder: Path) -> None:
    same(flags, folder / "d0", lines=1 if "q" in flags else 20)


@pytest.mark.parametrize("flags", ["-C", "-CC", "-u", "-uuuu", "-M", "-D", "-i", "-hh"])
def test_configuration_and_uberblock(flags: str, folder: Path) -> None:
    same("-e", "-p", folder, flags, NAME)


@pytest.mark.parametrize("flags", ["-d", "-dd", "-dddd", "-dddddd"])
def test_every_object_of_every_dataset(flags: str, folder: Path) -> None:
    same("-e", "-p", folder, flags, NAME, lines=5)


@pytest.mark.parametrize("flags", ["-b", "-bb", "-bbbbb", "-bcc", "-bbbP", "-bL"])
def test_block_statistics(flags: str, folder: Path) -> None:
    same("-e", "-p", folder, flags, NAME, lines=12)


@pytest.mark.parametrize("words", [("-m",), ("-mmmm",)])
def test_metaslabs(words: tuple[str, ...], folder: Path) -> None:
    same("-e", "-p", folder, *words, NAME, lines=50)


def test_what_is_printed_when_nothing_is_asked_for(folder: Path) -> None:
    """All but the statistics of the real one's reads, which end before the next empty line, and its debug buffer."""
    theirs = tool("zfs").run("zdb", "-e", "-p", folder, NAME).stdout.split("\n")
    reads = next(number for number, line in enumerate(theirs) if line.split()[:2] == ["capacity", "operations"])
    rest = theirs[theirs.index("", reads) :]
    expected = theirs[:reads] + rest[: rest.index("ZFS_DBGMSG(zdb) START:") - 1]
    assert len(expected) > 200 and run(["zdb", "-e", "-p", str(folder), NAME]).out.split("\n")[:-1] == expected


# ---- chosen objects, and what is asked for wrongly


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("chosen") / "pool"
    make(found, "files")
    return found


CHOSEN = (
    ("-dddd", f"{NAME}/home", "4"), ("-ddddd", f"{NAME}/home", "7", "8"), ("-dddddd", f"{NAME}/home", "10:14"),
    ("-dd", f"{NAME}/home", "0:-1:d"), ("-dd", f"{NAME}/small", "0:40:A-f"), ("-dddd", NAME, "1", "22"),
    ("-dddd", f"{NAME}/36"), ("-ddd", f"{NAME}/"), ("-m", NAME, "0", "3", "30"), ("-vv", "-d", NAME),
    ("-t", "6", "-u", NAME),
)  # fmt: skip
WRONG = (
    ("-d", f"{NAME}/nothere"), ("-d", f"{NAME}/home", "9999"), ("-d", "tank"), ("-d", NAME, "1:x"), ("-d", NAME, "5:3"),
    ("-d", NAME, ":3"), ("-d", NAME, "3:"), ("-d", NAME, "3:4:q"), ("-d", NAME, "3:4:d-"), ("-m", NAME, "7"),
)  # fmt: skip


@pytest.mark.parametrize("words", CHOSEN, ids=" ".join)
def test_chosen_objects(words: tuple[str, ...], plain: Path) -> None:
    same("-e", "-p", plain, *words, lines=5)


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_is_asked_for_wrongly(words: tuple[str, ...], plain: Path) -> None:
    theirs, ours = tool("zfs").run("zdb", "-e", "-p", plain, *words), same("-e", "-p", plain, *words)
    assert ours.status == 1 and ours.err.split("\n")[0] == theirs.stderr.split("\n")[0]


@pytest.mark.parametrize("word", ["{}:400", "{}:400:r", "{}:4000/400:di", "{}:4000/400:d", "{}:400:i", "{}:400:e", "{}"])
def test_blocks_read_by_their_address(word: str, plain: Path) -> None:
    """The first indirect block of a dataset's object of dnodes, found by what -ddddd lists."""
    listed = run(["zdb", "-e", "-p", str(plain), "-ddddd", f"{NAME}/small", "0"]).out
    address = next(line.split()[2] for line in listed.split("\n") if line.split()[1:2] == ["L1"])
    vdev, offset, _ = address.split(":")
    words = ("-e", "-p", plain, "-R", NAME, word.format(f"{vdev}:{offset}"))
    if word.endswith("r"):
        theirs = tool("zfs").run("zdb", *words, text=False).stdout
        assert run(["zdb", *map(str, words)]).out.encode("utf-8", "surrogateescape") == theirs
    else:
        same(*words)


@pytest.mark.parametrize("place", ["0.1", "d0", "0"])
def test_blocks_of_one_device(place: str, tmp_path: Path) -> None:
    make(tmp_path / "pool", "create", "mirror", 2)
    same("-e", "-p", tmp_path / "pool", "-R", NAME, f"{place}:200:400")


def test_labels_that_cannot_be_decoded(plain: Path, tmp_path: Path) -> None:
    """One gone, all gone, no room for any, no such file."""
    data = bytearray((plain / "d0").read_bytes())
    data[16384:40000] = bytes(40000 - 16384)
    (tmp_path / "one").write_bytes(data)
    (tmp_path / "zeros").write_bytes(bytes(1 << 20))
    (tmp_path / "small").write_bytes(bytes(1000))
    assert [same("-lu", tmp_path / name).status for name in ("one", "zeros", "small", "none")] == [1, 2, 2, 1]


def test_several_folders(tmp_path: Path) -> None:
    own = memory_disks(tmp_path / "a", 1) + memory_disks(tmp_path / "b", 1)
    spa = Spa.create(NAME, own, seed=3)
    spa.create(f"{NAME}/home").write("/f", random.Random(3).randbytes(300_000))
    spa.export()
    save(own)
    same("-e", "-p", tmp_path / "a", "-p", tmp_path / "b", "-bb", NAME, lines=50)


# ---- damage


def test_errors_and_leaks(plain: Path, tmp_path: Path) -> None:
    """Both copies of a block of dnodes are overwritten: what is below them is not found, and so its space leaks."""
    listed = run(["zdb", "-e", "-p", str(plain), "-dddddd", f"{NAME}/home", "0"]).out
    row = next(line.split() for line in listed.split("\n") if line.split()[1:2] == ["L0"])
    data = bytearray((plain / "d0").read_bytes())
    for address in (word for word in row[2:] if word.count(":") == 2):
        offset = int(address.split(":")[1], 16) + (4 << 20)
        data[offset + 64 : offset + 96] = b"\xa5" * 32
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "d0").write_bytes(data)
    for flags in ("-b", "-bcc", "-bbc"):
        done = same("-e", "-p", tmp_path / "pool", flags, NAME, lines=20)
        assert done.status == 2 and "leaked space: vdev 0" in done.out


def test_devices_that_missed_something_or_are_missing(tmp_path: Path) -> None:
    own = memory_disks(tmp_path / "pool", 3)
    spa = Spa.create(NAME, [("mirror", *own[:2]), own[2]], seed=8)
    work = Workload(spa, 5)
    work.run(20)
    spa.offline(own[1].name)
    work.run(20)
    spa.export()
    save(own)
    for flags in ("-ddd", "-dddddd", "-bcc"):
        same("-e", "-p", tmp_path / "pool", flags, NAME, lines=12)
    (tmp_path / "pool" / "d1").unlink()
    assert "outage [0,18446744073709551615)" in same("-e", "-p", tmp_path / "pool", "-ddd", NAME).out
    (tmp_path / "pool" / "d2").unlink()
    assert same("-e", "-p", tmp_path / "pool", "-d", NAME).status == 1


# ---- pools of others


@pytest.mark.parametrize("name", FOREIGN)
def test_pools_of_others(name: str) -> None:
    """-dddddd only where the real one does not abort, as it does on an object that pools before version 9 have."""
    files = images()[name]
    pool = opened(files)
    for flags in ("-CC", "-uuuu", "-mmm", "-bbb", "-bcc", "-ii", "-h", "-hh", *(["-dddddd"] if pool.version >= 9 else [])):
        same("-e", "-p", files[0].parent, flags, pool.name, lines=1 if "h" in flags else 3)
    same("-ll", files[0], lines=20)


# ---- both byte orders in one pool


@pytest.mark.parametrize("kind", ["attributes", *KINDS])
def test_pools_of_both_byte_orders(kind: str, tmp_path: Path) -> None:
    own = memory_disks(tmp_path / "pool", 1)
    spa = Spa.create(NAME, own, seed=5)
    fs = spa.create(f"{NAME}/home")
    for number in range(40):
        fs.write(f"/f{number}", random.Random(number).randbytes(3000))
    fs.symlink("/link", "f1")
    fs.write("/large", random.Random(5).randbytes(700_000))
    if kind == "attributes":
        spa.sync()
        assert swap_attributes(spa, f"{NAME}/home") > 10
    else:
        write_swapped(spa, KINDS[kind])
    spa.export()
    save(own)
    for flags in ("-dddd", "-dddddd", "-bcc", "-bbb"):
        done = same("-e", "-p", tmp_path / "pool", flags, NAME, lines=12)
    assert not done.status


@pytest.mark.parametrize("name", ["zfs-pool-v10", "zfs-pool-v2"])
def test_real_pools_of_both_byte_orders(name: str) -> None:
    """Made by one machine, written to by one of the other order: read to the last line, and refused at an import."""
    files = images()[name]
    pool = opened(files)
    assert {visit.pointer.little for visit in Walker(pool).visits()} == {True, False}
    for flags in ("-CC", "-uuuu", "-bbb", "-bcc"):
        same("-e", "-p", files[0].parent, flags, pool.name, lines=3)
    with pytest.raises(Unsupported, match="blocks of a big-endian machine .* is only read here"):
        Spa.import_([FileDisk(file, writable=False) for file in files])
