"""Pools of both byte orders at once: whatever is in the other order is read as what it is, or refused by name."""

import random
from pathlib import Path

import pytest

from smartos.commands import run
from smartos.zfs.dmu import sa
from smartos.zfs.errors import CorruptPool, Unsupported
from smartos.zfs.format import types as dmu
from smartos.zfs.spa.spa import Spa
from tests.unit.zfs_pools import BOTH, devices, files, pool, reread, sound
from tests.unit.zfs_swapped import swap_attributes, write_swapped

KINDS = {
    "directories": lambda kind, level: kind == dmu.DIRECTORY_CONTENTS and not level,
    "dnodes": lambda kind, level: kind == dmu.DNODE and not level,
    "indirect blocks": lambda kind, level: level > 0,
    "all three": lambda kind, level: kind in (dmu.DIRECTORY_CONTENTS, dmu.DNODE) or level > 0,
}  # fmt: skip


def filled(version: int = 28) -> Spa:
    spa, chance = pool(version=version, seed=4), random.Random(4)
    fs = spa.create("tank/a")
    fs.mkdir("/d")
    for number in range(60):
        fs.write(f"/d/f{number}", chance.randbytes(chance.randrange(3000)))
    fs.write("/large", chance.randbytes(3 << 18))
    fs.symlink("/link", "d/f1")
    return spa


def facts(spa: Spa) -> dict[str, tuple]:
    fs = reread(spa).dataset("tank/a").filesystem()
    return {path: (node.mode, node.size, node.mtime, node.uid, node.links) for path, _, node in fs.walk()}


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_a_pool_of_both_orders_is_read(kind: str, version: int) -> None:
    """The same files, with the same metadata, as where all is in one order; and the walk finds it sound."""
    plain, mixed = filled(version), filled(version)
    plain.sync()
    write_swapped(mixed, KINDS[kind])
    mixed.sync()
    assert files(mixed, "tank/a") == files(plain, "tank/a")
    assert facts(mixed) == facts(plain)
    sound(mixed)


def test_attributes_in_the_other_order_than_their_dnode_are_read() -> None:
    spa = filled()
    spa.sync()
    before, held = facts(spa), files(spa, "tank/a")
    assert swap_attributes(spa, "tank/a") > 20
    spa.sync()
    assert facts(spa) == before and files(spa, "tank/a") == held
    again = Spa.import_(devices(spa))
    again.open("tank/a").write("/d/f7", b"more")
    again.sync()
    assert facts(again)["/d/f7"][:1] == before["/d/f7"][:1]
    sound(again)


def test_an_import_refuses_what_the_other_order_is_in() -> None:
    spa = filled()
    write_swapped(spa, KINDS["all three"])
    spa.sync()
    again = Spa.import_(devices(spa))
    with pytest.raises(Unsupported, match=r"blocks of a big-endian machine \(L. .*\), and is only read here"):
        again.open("tank/a").listdir("/d")
    assert not again.suspended


def test_attributes_that_are_none_are_told_of(tmp_path: Path) -> None:
    """zdb shows no line of such a file, as the real one; but it says on stderr that it did not."""
    with pytest.raises(CorruptPool, match="magic 0x12345678"):
        sa.order_of(b"\x78\x56\x34\x12" + bytes(8))
    spa = filled()
    spa.sync()
    objset = spa.dp.find("tank/a").objset
    node = objset.node(spa.open("tank/a").lookup("/d/f7"))
    node.phys.bonus = b"\x78\x56\x34\x12" + node.phys.bonus[4:]
    node.accounted = None
    objset.account = None
    node.touch()
    spa.sync()
    spa.export()
    (tmp_path / "d0").write_bytes(next(iter(spa.root.leaves())).disk.read(0, 64 << 20))
    done = run(["zdb", "-e", "-p", str(tmp_path), "-dddd", "tank/a", str(node.number)])
    assert f"zdb: tank/a object {node.number}: system attributes with the magic 0x12345678" in done.err
