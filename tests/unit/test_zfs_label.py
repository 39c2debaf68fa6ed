"""Labels: four of them, each where it belongs, each of them enough."""

import pytest

from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.errors import NotAPool, PoolFaulted, Unsupported, ZfsError
from smartos.zfs.format import features
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.format.label import (
    LABEL_SIZE,
    RING_OFFSET,
    data_size,
    label_offset,
    pack_config,
    pack_label,
    read_labels,
)
from smartos.zfs.format.uberblock import Uberblock, slot_of
from smartos.zfs.read.devices import check_version
from smartos.zfs.read.pool import Pool

SIZE = (64 << 20) + 1000
CONFIG = {
    "version": 28, "name": "tank", "state": 0, "txg": 4, "pool_guid": 99, "guid": 7,
    "vdev_tree": {"type": "file", "id": 0, "guid": 7, "path": "/d0", "ashift": 9, "asize": 60 << 20},
}  # fmt: skip


def labelled(config: dict = CONFIG, txg: int = 4) -> MemoryDisk:
    disk = MemoryDisk(SIZE)
    rootbp = Blkptr((DVA(0, 0x8400, 0x200),), 1024, 512, 3, 7, 11, birth=txg, little=True, cksum=(1, 2, 3, 4))
    for number in range(4):
        offset = label_offset(SIZE, number)
        at = RING_OFFSET + (slot_of(txg, 9) << 10)
        slot = Uberblock(28, txg, 106, 5, rootbp).slot(offset + at, 9)
        disk.write(offset, pack_label(config, offset))
        disk.write(offset + at, slot)
    return disk


def test_where_labels_are() -> None:
    assert [label_offset(SIZE, n) for n in range(4)] == [
        0,
        256 << 10,
        (64 << 20) - (512 << 10),
        (64 << 20) - (256 << 10),
    ]
    assert data_size(SIZE) == (64 << 20) - (4 << 20) - (512 << 10)


def test_each_label_is_enough() -> None:
    for number in range(4):
        disk = labelled()
        for other in set(range(4)) - {number}:
            disk.write(label_offset(SIZE, other), bytes(LABEL_SIZE))
        labels = read_labels(disk)
        assert [bool(label.config) for label in labels] == [n == number for n in range(4)]
        assert labels[number].config == CONFIG
        assert labels[number].best.txg == 4
        assert "checksum" in labels[(number + 1) % 4].trouble


def test_a_label_does_not_verify_elsewhere() -> None:
    disk = labelled()
    disk.write(0, disk.read(label_offset(SIZE, 1), LABEL_SIZE))
    found = read_labels(disk)[0]
    assert not found.config and not found.uberblocks


def test_a_configuration_may_be_too_large() -> None:
    with pytest.raises(Unsupported, match="room"):
        pack_config({"name": "x" * 120_000}, 0)


def test_no_pool_is_named() -> None:
    with pytest.raises(NotAPool, match="no room"):
        read_labels(MemoryDisk(4 << 20))
    with pytest.raises(NotAPool):
        Pool.open([MemoryDisk(SIZE), MemoryDisk(100)])
    with pytest.raises(NotAPool, match="several"):
        Pool.open([labelled(), labelled({**CONFIG, "pool_guid": 98, "name": "dozer"})])
    with pytest.raises(NotAPool, match="dozer"):
        Pool.open([labelled()], "dozer")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 999}, "999"), ({"version": 29}, "29"),
        ({"version": 5000, "features_for_read": {"com.example:time_travel": None}}, "time_travel"),
        ({"vdev_tree": {**CONFIG["vdev_tree"], "type": "draid"}}, "draid"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(change: dict, says: str) -> None:
    with pytest.raises(Unsupported, match=says):
        Pool.open([labelled({**CONFIG, **change})])


@pytest.mark.parametrize(
    "change", [{"version": "x"}, {"vdev_tree": 5}, {"vdev_tree": {"type": "raidz", "children": [1]}}, {"txg": "y"}]
)
def test_a_senseless_configuration_is_named(change: dict) -> None:
    with pytest.raises(ZfsError):
        Pool.open([labelled({**CONFIG, **change})])


def test_a_pool_without_its_blocks_is_named() -> None:
    with pytest.raises(ZfsError, match="does not verify"):
        Pool.open([labelled()])
    mirror = {
        "type": "mirror",
        "id": 0,
        "guid": 5,
        "ashift": 9,
        "children": [CONFIG["vdev_tree"], {**CONFIG["vdev_tree"], "guid": 8}],
    }
    striped = {**CONFIG, "vdev_children": 2}
    with pytest.raises(ZfsError):
        Pool.open([labelled({**CONFIG, "vdev_tree": mirror})])
    with pytest.raises((PoolFaulted, ZfsError)):
        Pool.open([labelled(striped)])


def test_features_that_change_how_a_pool_is_read_are_refused_by_name() -> None:
    """All that a default pool of OpenZFS 2.4 has active is read; an inactive one is no hindrance."""
    features.check({"com.klarasystems:vdev_zaps_v2": 1, "com.delphix:head_errlog": 1, "org.openzfs:draid": 0})
    features.check(dict.fromkeys((*features.READABLE, *features.WRITE_ONLY), 3))
    check_version({"version": 5000, "features_for_read": {"com.klarasystems:vdev_zaps_v2": True}})
    for guid, name in features.REFUSED.items():
        with pytest.raises(Unsupported, match=rf"^the pool uses the feature {name} \({guid}\), which cannot be read"):
            check_version({"version": 5000, "features_for_read": {guid: True}})
    with pytest.raises(Unsupported, match="the feature org.example:new, which"):
        features.check({"org.example:new": 1})
