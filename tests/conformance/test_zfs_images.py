"""Pools that others made, of versions 1 to 15 and with features, read as ZFS's own zdb and GRUB read them.

Walked are all of them: every copy of every block verified, and no byte of space unaccounted for.
"""

import random
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos.zfs.dmu import space
from smartos.zfs.dmu.dnode import Dnode, pointers
from smartos.zfs.errors import Unsupported, ZfsError
from smartos.zfs.format import nvlist
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.format.label import LABEL_SIZE, PHYS_OFFSET, RING_OFFSET, label_offset, pack_config
from smartos.zfs.format.uberblock import slot_shift
from smartos.zfs.read import dsl
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk
from smartos.zfs.read.znode import Znode
from tests.conformance.zfs_images import images, opened, our_counts, zdb_counts, zfs
from tools.peers import PeerMissing, peer

FUTURE = "zfs-pool-v999"
FILES = ["zfs-pool-v1", "zfs-pool-v1raidz", "zfs-pool-v2stripe", "zfs-pool-v5", "missing_ivset", "cryptv0"]
BONUSES = {
    dmu.DSL_DIR: dsl.DslDir, dmu.DSL_DATASET: dsl.DslDataset, dmu.BPOBJ_HDR: dsl.Bpobj, dmu.ZNODE: Znode,
    dmu.SPACE_MAP_HEADER: space.SpaceMapPhys, dmu.DEADLIST_HDR: dsl.Deadlist,
}  # fmt: skip


@pytest.fixture(scope="module")
def groups() -> dict[str, list[Path]]:
    return images()


@pytest.fixture(scope="module")
def pools(groups: dict[str, list[Path]]) -> dict[str, Pool]:
    return {name: opened(files) for name, files in groups.items() if name != FUTURE}


def test_every_block_verifies_and_no_space_is_lost_in_any_pool(pools: dict[str, Pool]) -> None:
    assert len(pools) >= 31
    reports = {name: walk(pool) for name, pool in pools.items()}
    assert {name: report.describe() for name, report in reports.items() if not report.sound} == {}
    assert not any(report.unjudged for report in reports.values())
    assert sum(report.count for report in reports.values()) > 3000
    assert {pool.uberblock.rootbp.order for pool in pools.values()} == {"<", ">"}, "both byte orders"
    kinds = {top.type for pool in pools.values() for top in pool.tops if top}
    assert {"file", "mirror", "raidz", "spare"} <= kinds


def test_the_counts_are_zdb_s(groups: dict[str, list[Path]], pools: dict[str, Pool]) -> None:
    tools = zfs()
    sample = ["missing_ivset", "zfs-pool-v1mirror", "zfs-pool-v2raidz", "zfs-pool-v3stripe"]
    ours = {name: our_counts(walk(pools[name], data=False)) for name in sample}
    assert ours == {name: zdb_counts(tools, groups[name][0].parent, pools[name].name) for name in sample}


@pytest.mark.parametrize("name", FILES)
def test_files_are_zdb_s(name: str, groups: dict[str, list[Path]], pools: dict[str, Pool]) -> None:
    """Every object's owner, times, mode, size, parent, links and flags, and every directory's entries."""
    pool = pools[name]
    tools = zfs()
    said = tools.run("zdb", "-A", "-e", "-p", groups[name][0].parent, "-dddd", f"{pool.name}/").stdout
    fs = pool.root.filesystem()
    assert pool.root.phys.bp.describe(openzfs=True) in said
    seen = 0
    for text in said.split("    Object  lvl")[1:]:
        number = text.split("\n")[1].split()[0]
        fields = dict(re.findall(r"^\t(uid|gid|gen|mode|size|parent|links|pflags)[ \t]+(.*)$", text, re.MULTILINE))
        if "mode" not in fields:
            continue
        seen += 1
        node = fs.znode(int(number))
        own = {
            "uid": str(node.uid), "gid": str(node.gid), "gen": str(node.gen), "mode": f"{node.mode:o}",
            "size": str(node.size), "parent": str(node.parent), "links": str(node.links), "pflags": f"{node.flags:x}",
        }  # fmt: skip
        assert own == {key: fields[key] for key in own}
        if node.is_dir:
            entries = re.findall(r"^\t\t(\S+) = (\d+) \(type", text, re.MULTILINE)
            assert {key: str(value) for key, value in fs.listdir(int(number)).items()} == dict(entries)
    reachable = {number for _, number, _ in fs.walk()}
    assert seen >= len(reachable) > 1


def test_contents_are_grub_s(groups: dict[str, list[Path]], pools: dict[str, Pool]) -> None:
    try:
        grub = peer("grub")
    except PeerMissing as missing:
        pytest.skip(str(missing))
    for name, path in (("zfs-pool-v5", "v5-pool.txt"), ("zfs-pool-v8", "file.")):
        fs = pools[name].root.filesystem()
        done = grub.run("grub-fstest", groups[name][0], "cat", f"(loop0)/@/{path}", text=False)
        assert done.stdout == fs.read(fs.lookup(path))


def test_all_kinds_of_files(pools: dict[str, Pool]) -> None:
    fs = pools["zfs-pool-v5"].root.filesystem()
    found = {path: f"{node.mode:o}" for path, _, node in fs.walk()}
    assert found == {
        "/": "40755", "/cdev": "20644", "/dev": "60644", "/dir": "40755", "/link": "120777", "/v5-pool.txt": "100644"
    }  # fmt: skip
    assert fs.readlink(fs.lookup("/link")) == "dir"


def test_what_is_not_supported_is_refused_clearly(groups: dict[str, list[Path]], pools: dict[str, Pool]) -> None:
    with pytest.raises(Unsupported, match="version 999"):
        opened(groups[FUTURE])
    secret = pools["cryptv0"].dataset("cryptv0/testfs")
    assert secret.encrypted
    with pytest.raises(Unsupported, match="encrypted"):
        secret.filesystem()


def test_an_intent_log_that_waits_is_told_of(pools: dict[str, Pool]) -> None:
    log = [block for dataset in pools["missing_ivset"].datasets() for block in dataset.intent_log()]
    assert log, "the pool has a log block"
    assert sum(dataset.unreplayed() for dataset in pools["missing_ivset"].datasets()) == 0


def dnode_blocks(pool: Pool) -> Iterator[tuple[int, bytes]]:
    """The little-endian blocks of each object set's meta-dnode, with their levels."""
    sets = [
        pool.mos,
        *(dataset.objset for dataset in pool.datasets() if not (dataset.phys.bp.hole or dataset.encrypted)),
    ]
    for each in sets:
        for level, _, pointer in pointers(each.phys.meta_dnode, pool.read):
            if pointer.little:
                yield level, pool.read(pointer)


def test_what_is_read_is_written_back_byte_for_byte(pools: dict[str, Pool]) -> None:
    """Labels, uberblocks, root blocks, pointers, dnodes and bonuses of all little-endian pools."""
    seen = dict.fromkeys(("label", "uberblock", "pointer", "dnode", "bonus", "space map"), 0)
    for pool in pools.values():
        for device in pool.devices:
            for label in filter(lambda label: label.config, device.labels):
                at = label_offset(device.disk.size, label.number)
                raw = device.disk.read(at, LABEL_SIZE)
                packed = nvlist.pack(label.config)
                assert raw[PHYS_OFFSET + 4 :][: len(packed) - 4] == packed[4:]
                if raw[PHYS_OFFSET + 1] == 1:  # written by a little-endian machine
                    assert raw[PHYS_OFFSET:RING_OFFSET] == pack_config(label.config, at)
                    seen["label"] += 1
                for slot, uberblock in label.uberblocks:
                    start = RING_OFFSET + (slot << slot_shift(label.ashift))
                    if raw[start] == 0x0C:
                        packed = uberblock.slot(at + start, label.ashift)
                        assert raw[start : start + len(packed)] == packed
                        seen["uberblock"] += 1
        if not pool.uberblock.rootbp.little:
            continue
        assert pool.mos.phys.pack() == pool.read(pool.mos.root)
        for level, data in dnode_blocks(pool):
            step = 128 if level else 512
            for at in range(0, len(data), step):
                raw = data[at : at + step]
                if level:
                    assert Blkptr.unpack(raw).pack() == raw
                    seen["pointer"] += 1
                elif any(raw):
                    dnode = Dnode.unpack(data[at:])
                    assert dnode.pack() == raw
                    seen["dnode"] += 1
                    if dnode.bonustype in BONUSES:
                        assert BONUSES[dnode.bonustype].unpack(dnode.bonus).pack() == dnode.bonus
                        seen["bonus"] += 1
        for _, dnode in pool.mos.objects():
            if dnode.bonustype == dmu.SPACE_MAP_HEADER:
                words = pool.mos.words(dnode, space.SpaceMapPhys.unpack(dnode.bonus).length // 8)
                assert space.pack_entries(list(space.entries(words))) == struct.pack(f"<{len(words)}Q", *words)
                seen["space map"] += 1
    assert all(number > 20 for number in seen.values()), seen


class Rotten:
    """A disk whose every answer from behind the labels may have a few bytes changed."""

    def __init__(self, disk: object, chance: random.Random, rate: float) -> None:
        self.disk, self.chance, self.rate = disk, chance, rate
        self.name, self.size = disk.name, disk.size

    def read(self, offset: int, length: int) -> bytes:
        data = bytearray(self.disk.read(offset, length))
        if 4 << 20 <= offset < self.size - (512 << 10) and self.chance.random() < self.rate:
            for _ in range(self.chance.choice((1, 1, 2, 8))):
                data[self.chance.randrange(len(data))] = self.chance.choice((0, 255, self.chance.randrange(256)))
        return bytes(data)


@pytest.mark.parametrize("seed", range(0, 80, 10))
def test_damage_that_no_checksum_caught_gives_named_errors(seed: int, pools: dict[str, Pool]) -> None:
    """Blocks are read unverified, so that damage gets as far as the code that makes sense of them."""
    for each in range(seed, seed + 10):
        chance = random.Random(each)
        pool = pools[chance.choice(sorted(pools))]
        rate = chance.choice((0.02, 0.1, 0.3))
        try:
            rotten = Pool.open([Rotten(device.disk, chance, rate) for device in pool.devices], verify=False)
            walk(rotten)
            for dataset in rotten.datasets():
                dataset.properties()
                if dataset.type == "ZPL":
                    fs = dataset.filesystem()
                    for _, number, node in fs.walk():
                        if not node.is_dir:
                            fs.read(number, 0, 1 << 20)
        except ZfsError:
            pass
