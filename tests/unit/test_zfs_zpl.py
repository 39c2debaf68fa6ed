"""Files and directories as POSIX has them, volumes, and objects of every size."""

import random
import stat

import pytest

from smartos.zfs.dmu import objset
from smartos.zfs.errors import Busy, CorruptPool, Exists, NoSuchName, ReadOnly
from smartos.zfs.spa.spa import Spa
from tests.unit.zfs_pools import BOTH, files, pool, reread, sound

CHANCE = random.Random(9)


@pytest.fixture(params=BOTH)
def spa(request: pytest.FixtureRequest) -> Spa:
    return pool(version=request.param)


def test_directories_links_and_names(spa: Spa) -> None:
    fs = spa.open("tank")
    fs.mkdir("/d")
    fs.mkdir("/d/e")
    fs.write("/d/f", b"data")
    fs.link("/d/f", "/g")
    fs.symlink("/s", "d/f")
    fs.rename("/d/e", "/e")
    assert fs.listdir() == ["d", "e", "g", "s"] and fs.listdir("/d") == ["f"]
    assert (fs.stat("/").links, fs.stat("/d").links, fs.stat("/g").links) == (4, 2, 2)
    assert (fs.stat("/").size, fs.stat("/d").size) == (6, 3)
    assert fs.readlink("/s") == "d/f" and fs.read("/g") == b"data"
    fs.unlink("/d/f")
    assert fs.read("/g") == b"data" and fs.stat("/g").links == 1
    spa.sync()
    assert files(spa, "tank").keys() == {"/", "/d", "/e", "/g", "/s"}
    found = reread(spa).dataset("tank").filesystem()
    assert found.readlink(found.lookup("/s")) == "d/f"
    sound(spa)


def test_what_cannot_be_done_is_refused_as_posix_has_it(spa: Spa) -> None:
    fs = spa.open("tank")
    fs.mkdir("/d")
    fs.write("/d/f", b"")
    fs.write("/e", b"")
    for error, act in (
        (Exists, lambda: fs.mkdir("/d")), (NoSuchName, lambda: fs.read("/x")), (NoSuchName, lambda: fs.create("/x/y")),
        (NoSuchName, lambda: fs.write("/d/f/g", b"")), (Busy, lambda: fs.rmdir("/d")), (Busy, lambda: fs.unlink("/d")),
        (Busy, lambda: fs.rename("/d", "/d/e")), (Exists, lambda: fs.rename("/e", "/d")),
        (Busy, lambda: fs.write("/d", b"x")),
        (Busy, lambda: fs.link("/d", "/x")), (Exists, lambda: fs.mkdir("/")),
    ):  # fmt: skip
        with pytest.raises(error):
            act()
    spa.set("tank", readonly="on")
    with pytest.raises(ReadOnly):
        fs.write("/new", b"")


def test_renaming_over_a_file_frees_it(spa: Spa) -> None:
    fs = spa.open("tank")
    fs.write("/a", b"a" * 50_000)
    fs.write("/b", b"b" * 10)
    spa.sync()
    used = spa.dp.find("tank").phys.referenced_bytes
    fs.rename("/b", "/a")
    spa.sync()
    assert fs.read("/a") == b"b" * 10 and spa.dp.find("tank").phys.referenced_bytes < used - 40_000
    sound(spa)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 100_000, 128 << 10, (128 << 10) + 1, 3 << 20])
def test_files_of_every_size_come_back(spa: Spa, size: int) -> None:
    data = CHANCE.randbytes(size)
    spa.open("tank").write("/f", data)
    spa.sync()
    assert files(spa, "tank")["/f"] == data
    dnode = reread(spa).dataset("tank").objset.dnode(spa.open("tank").lookup("/f"))
    assert dnode.block_size == (128 << 10 if size > 128 << 10 else max(-(-size // 512) * 512, 512))
    assert (dnode.nblkptr, dnode.nlevels) == (1, 2 if size > 128 << 10 else 1)


def test_a_file_with_many_small_blocks_has_three_levels_and_can_be_cut_and_grown(spa: Spa) -> None:
    fs = spa.create("tank/small", recordsize=512)
    data = CHANCE.randbytes(512 * 400)
    fs.write("/f", data)
    spa.sync()
    node = fs.objset.node(fs.lookup("/f"))
    assert node.phys.nlevels == 3 and node.phys.maxblkid == 399
    fs.truncate("/f", 512 * 150 + 7)
    fs.write("/f", b"end", 512 * 350)
    expected = data[: 512 * 150 + 7].ljust(512 * 350, b"\0") + b"end"
    assert fs.read("/f") == expected
    spa.sync()
    assert files(spa, "tank/small")["/f"] == expected
    fs.truncate("/f", 0)
    spa.sync()
    assert files(spa, "tank/small")["/f"] == b""
    sound(spa)


def test_a_file_that_is_cut_and_removed_at_once_is_freed_as_it_was_on_disk(spa: Spa) -> None:
    """Three blocks are on disk, and in the transaction group that frees them the file has only one."""
    fs = spa.create("tank/small", recordsize=512)
    spa.sync()
    before = sound(spa).blocks
    fs.write("/f", CHANCE.randbytes(512 * 3))
    spa.sync()
    fs.truncate("/f", 100)
    fs.unlink("/f")
    spa.sync()
    assert files(spa, "tank/small").keys() == {"/"}
    assert sound(spa).blocks["ZFS plain file"] == before["ZFS plain file"] == 0


def test_a_sparse_file_takes_no_room_for_its_holes(spa: Spa) -> None:
    fs = spa.open("tank")
    fs.write("/f", b"here", 50 << 20)
    spa.sync()
    assert fs.stat("/f").size == (50 << 20) + 4
    assert fs.objset.node(fs.lookup("/f")).phys.used_bytes < 300_000
    assert fs.read("/f", (50 << 20) - 3) == b"\0\0\0here"
    sound(spa)


def test_a_directory_that_outgrows_a_micro_zap_becomes_fat(spa: Spa) -> None:
    fs = spa.open("tank")
    names = [f"a-file-with-a-rather-long-name-number-{n:04}" for n in range(600)] + ["x" * 60]
    for name in names:
        fs.create(f"/{name}")
    spa.sync()
    assert sorted(files(spa, "tank")) == sorted(["/", *(f"/{name}" for name in names)])
    node = fs.objset.node(fs.root)
    assert node.block_size == 1 << 14 and node.phys.maxblkid > 1
    for name in names[:590]:
        fs.unlink(f"/{name}")
    spa.sync()
    assert sorted(files(spa, "tank")) == sorted(["/", *(f"/{name}" for name in names[590:])])
    sound(spa)


@pytest.mark.parametrize(
    ("compression", "checksum"), [("on", "on"), ("gzip-9", "sha256"), ("zle", "fletcher2"), ("lzjb", "off")]
)
def test_compression_and_checksum_follow_the_properties(compression: str, checksum: str) -> None:
    spa = pool()
    fs = spa.create("tank/c", compression=compression, checksum=checksum)
    data = b"abcdefgh" * 4000 + bytes(40_000) + CHANCE.randbytes(3000)
    fs.write("/f", data)
    spa.sync()
    assert files(spa, "tank/c")["/f"] == data
    assert spa.get("tank/c", "compression") == (compression, "local")
    event = [e for e in spa.events if e.type == "ZFS plain file" and e.kind == "write"][-1]
    assert event.psize < event.lsize
    sound(spa)


def test_copies_and_ditto_blocks_are_far_apart() -> None:
    spa = pool()
    fs = spa.create("tank/three", copies=3)
    fs.write("/f", CHANCE.randbytes(9000))
    spa.sync()
    by_type = {event.type: event for event in spa.events if event.kind == "write"}
    assert len(by_type["ZFS plain file"].new) == 3
    assert len(by_type["DMU dnode"].new) == 3  # of the MOS
    first, second = (dva.offset for dva in by_type["ZFS plain file"].new[:2])
    assert abs(first - second) >= SIZE_OF_AN_EIGHTH


SIZE_OF_AN_EIGHTH = (64 << 20) // 8 - (1 << 20)


def test_space_is_counted_by_owner(spa: Spa) -> None:
    fs = spa.open("tank")
    fs.create("/a", uid=101, gid=7)
    fs.write("/a", CHANCE.randbytes(100_000))
    spa.sync()
    used = fs.objset.zap(objset.USERUSED)
    before = used.get("65")
    assert before > 100_000 and fs.objset.zap(objset.GROUPUSED).get("7") == before
    fs.chown("/a", 102, 7)
    spa.sync()
    assert used.get("65") is None and used.get("66") == before
    fs.unlink("/a")
    spa.sync()
    assert used.get("66") is None
    again = Spa.import_([leaf.disk for leaf in spa.root.leaves()])
    assert again.open("tank").objset.zap(objset.USERUSED).get("0") == used.get("0")


def test_modes_and_their_trivial_acl(spa: Spa) -> None:
    fs = spa.open("tank")
    fs.create("/f", 0o640)
    fs.chmod("/f", 0o4711)
    spa.sync()
    found = reread(spa).dataset("tank").filesystem()
    assert stat.S_IMODE(found.znode(found.lookup("/f")).mode) == 0o4711


def test_a_volume_is_a_disk(spa: Spa) -> None:
    volume = spa.create_volume("tank/vol", "10M")
    data = CHANCE.randbytes(50_000)
    volume.write(12_345, data)
    volume.flush()
    found = reread(spa).dataset("tank/vol").zvol()
    assert (found.size, found.block_size) == (10 << 20, 8 << 10)
    assert found.read(12_345, 50_000) == data and found.read(0, 100) == bytes(100)
    assert spa.open("tank/vol").read(12_340, 10) == bytes(5) + data[:5]
    with pytest.raises(CorruptPool):
        volume.write((10 << 20) - 1, b"xx")
    spa.snapshot("tank/vol@s")
    with pytest.raises(ReadOnly):
        spa.open("tank/vol@s").write(0, b"x")
    sound(spa)
