"""Devices: which of them make up a pool, what their labels say of it, and the vdev tree that follows from that.

Left out: hot spares and cache devices, which hold nothing of the pool's own. Follows `spa.c` (`spa_load`,
`spa_config_valid`), `vdev_label.c` and `zpool_prop.c`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from smartos.zfs.errors import CorruptPool, NotAPool, Unsupported
from smartos.zfs.format import features
from smartos.zfs.format.label import Label, read_labels
from smartos.zfs.vdev.tree import Vdev, build

OLDEST, NEWEST, FEATURES = 1, 28, 5000  # pool versions; from 5000 on features say what is used
MAX_VDEVS = 4096


@dataclass
class Device:
    """A device that was looked at: the disk, its labels, and the configuration of the newest whole one."""

    disk: object
    labels: list[Label]

    @property
    def config(self) -> Mapping:
        """The configuration with the highest txg; empty when no label is whole."""
        configs = [label.config for label in self.labels if label.config]
        return max(configs, key=lambda config: config_number(config, "txg"), default={})


def config_number(config: Mapping, name: str, default: int = 0) -> int:
    """A number in a configuration, `default` when it is not there. Raises :class:`CorruptPool` for anything else."""
    value = config.get(name, default)
    if not isinstance(value, int):
        raise CorruptPool(f"the configuration has {value!r} as its {name}")
    return value


def labels_of(disk: object) -> list[Label]:
    """A device's labels; none when it has no room for them."""
    try:
        return read_labels(disk)
    except NotAPool:
        return []


def of_one_pool(devices: list[Device], name: str | int | None) -> list[Device]:
    """Those devices that belong to the pool asked for. Raises :class:`NotAPool` when none does, or several pools do."""
    known = [device for device in devices if "pool_guid" in device.config]
    if not known:
        trouble = [label.trouble for device in devices for label in device.labels if label.trouble]
        raise NotAPool("no device has a whole label of a pool" + (f": {trouble[0]}" if trouble else ""))
    if name is not None:
        known = [device for device in known if name in (device.config.get("name"), device.config["pool_guid"])]
        if not known:
            raise NotAPool(f"no device belongs to the pool {name}")
    pools = {device.config["pool_guid"]: device.config.get("name") for device in known}
    if len(pools) > 1:
        raise NotAPool(f"the devices belong to several pools, {', '.join(map(str, pools.values()))}; say which")
    return known


def check_version(config: Mapping) -> None:
    """Refuse a version, or a feature that a label names, which cannot be read. Raises :class:`Unsupported`."""
    version = config_number(config, "version")
    if not (OLDEST <= version <= NEWEST or version == FEATURES):
        raise Unsupported(f"the pool has version {version}; {OLDEST} to {NEWEST} and {FEATURES} can be read here")
    named = config.get("features_for_read", {})
    features.check(named if isinstance(named, Mapping) else {})


def top_trees(devices: list[Device]) -> dict[int, Mapping]:
    """Each top-level vdev's tree as the newest of its devices' labels has it."""
    newest: dict[int, tuple[int, Mapping]] = {}
    for device in devices:
        tree = device.config.get("vdev_tree")
        if not isinstance(tree, Mapping):
            continue
        number, txg = config_number(tree, "id"), config_number(device.config, "txg")
        if number < MAX_VDEVS and (number not in newest or txg > newest[number][0]):
            newest[number] = (txg, tree)
    return {number: tree for number, (_, tree) in newest.items()}


def top_vdevs(devices: list[Device], config: Mapping) -> list[Vdev | None]:
    """The top-level vdevs, built from the labels; None where a number is not taken or its devices are all missing."""
    by_guid = {device.config.get("guid"): device.disk for device in devices}
    trees = top_trees(devices)
    if not trees:
        raise CorruptPool("no label describes a vdev")
    count = max(config_number(config, "vdev_children"), max(trees) + 1)
    tops: list[Vdev | None] = [None] * min(count, MAX_VDEVS)
    for number, tree in trees.items():
        try:
            top = build(tree, lambda leaf: by_guid.get(leaf.get("guid")))
        except (TypeError, ValueError, AttributeError) as error:
            raise CorruptPool(f"the configuration of vdev {number} makes no tree: {error}") from None
        top.readonly = True
        tops[number] = top
    return tops
