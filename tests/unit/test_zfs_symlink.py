"""Symbolic links of every length: in the bonus, in the object's block (ZPL version 4), in a spill block (version 5)."""

import pytest

from smartos.zfs.dmu.sa import Layouts
from smartos.zfs.errors import Exists, NameTooLong, NoSuchName
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.live.zpl import Zpl
from smartos.zfs.spa.spa import Spa
from tests.unit.zfs_pools import devices, pool, reread, sound

VERSIONS = (15, 23, 28)
LENGTHS = (1, 55, 56, 57, 100, 143, 144, 145, 146, 184, 185, 192, 311, 320, 321, 504, 505, 512, 513, 1000, 1023, 1024)


def target(length: int) -> str:
    """A path of that many bytes."""
    return ("dir/" * (length // 4 + 1))[:length]


def links(fs: Zpl) -> dict[str, str]:
    return {name: fs.readlink(f"/{name}") for name in fs.listdir("/") if name.startswith("l")}


WANTED = {f"l{length}": target(length) for length in LENGTHS}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_target_of_any_length_is_read_back(version: int) -> None:
    spa = pool(version=version)
    fs = spa.open("tank")
    for name, to in WANTED.items():
        fs.symlink(f"/{name}", to)
    assert links(fs) == WANTED, "before it is on disk"
    spa.sync()
    assert links(fs) == WANTED
    sound(spa)
    found = reread(spa).dataset("tank").filesystem()
    assert {name: found.readlink(found.lookup(f"/{name}")) for name in WANTED} == WANTED
    again = Spa.import_(devices(spa))
    assert links(again.open("tank")) == WANTED
    assert [again.open("tank").stat(f"/{name}").size for name in WANTED] == list(LENGTHS)


@pytest.mark.parametrize("version", VERSIONS)
def test_links_change_move_and_go_and_no_block_is_left(version: int) -> None:
    spa = pool(version=version)
    fs = spa.open("tank")
    spa.sync()
    before = spa.dp.find("tank").phys.referenced_bytes
    for name, to in WANTED.items():
        fs.symlink(f"/{name}", to)
        fs.chown(f"/{name}", 7, 8)
    spa.snapshot("tank@full")
    for name in WANTED:
        fs.rename(f"/{name}", f"/{name}x")
        fs.chmod(f"/{name}x", 0o700)
        fs.link(f"/{name}x", f"/{name}")
    spa.sync()
    assert links(fs) == WANTED | {f"{name}x": to for name, to in WANTED.items()}
    sound(spa)
    for name in WANTED:
        fs.unlink(f"/{name}x")
        fs.unlink(f"/{name}")
    spa.sync()
    sound(spa)
    assert links(spa.open("tank@full")) == WANTED
    spa.rollback("tank@full")
    assert links(fs) == WANTED and fs.stat("/l1000").uid == 7
    for name in WANTED:
        fs.unlink(f"/{name}")
    spa.destroy("tank@full")
    sound(spa)
    assert spa.dp.find("tank").phys.referenced_bytes <= before + 1024


def test_a_long_target_goes_to_a_spill_block_and_a_shorter_one_does_not() -> None:
    spa = pool()
    fs = spa.open("tank")
    for length in (144, 145):
        fs.symlink(f"/l{length}", target(length))
    spa.sync()
    short, long = (fs.objset.node(fs.lookup(f"/l{length}")).phys for length in (144, 145))
    assert short.spill is None and not short.flags & 4 and len(short.bonus) == 320
    assert isinstance(long.spill, Blkptr) and long.spill.lsize == 512 and len(long.bonus) <= 192
    fs.symlink("/l1000", target(1000))
    spa.sync()
    assert fs.objset.node(fs.lookup("/l1000")).phys.spill.lsize == 1024


def test_attributes_are_split_where_the_bonus_ends() -> None:
    layouts = Layouts.zpl()
    small = {"ZPL_MODE": 1, "ZPL_SIZE": 2, "ZPL_SYMLINK": b"x" * 200}
    assert layouts.split(small) == (small, {})
    large = small | {"ZPL_SYMLINK": b"x" * 300}
    assert layouts.split(large) == ({"ZPL_MODE": 1, "ZPL_SIZE": 2}, {"ZPL_SYMLINK": b"x" * 300})
    assert not layouts.layouts, "asking registers nothing"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("to", "error"), [("x" * 1025, NameTooLong), ("", NoSuchName), ("a\0b", NoSuchName)], ids=["long", "empty", "NUL"]
)
def test_a_target_that_no_link_can_have_is_refused_before_anything_has_changed(
    version: int, to: str, error: type
) -> None:
    spa = pool(version=version)
    fs = spa.open("tank")
    with pytest.raises(error, match="/l: "):
        fs.symlink("/l", to)
    assert not fs.exists("/l") and fs.listdir("/") == []
    fs.symlink("/l", "well")
    with pytest.raises(Exists):
        fs.symlink("/l", "well")
    spa.sync()
    sound(spa)


def test_links_of_every_length_are_sent_and_received() -> None:
    """A spill block goes with each object that is sent, also where only the bonus has changed since."""
    spa, other = pool(), pool()
    fs = spa.create("tank/home")
    for name, to in WANTED.items():
        fs.symlink(f"/{name}", to)
    spa.snapshot("tank/home@1")
    fs.chown("/l1000", 7, 8)
    for length in (57, 512):
        fs.unlink(f"/l{length}")
        fs.symlink(f"/l{length}", target(length + 300))
    spa.snapshot("tank/home@2")
    for stream in (spa.send("tank/home@1"), spa.send("tank/home@2", "1")):
        other.receive(stream if isinstance(stream, bytes) else b"".join(stream), "tank/got")
    assert links(other.open("tank/got@1")) == WANTED
    assert links(other.open("tank/got")) == links(fs) and other.open("tank/got").stat("/l1000").uid == 7
    sound(other)
