"""The configuration with which a pool would be imported, put together from its devices' labels as -CC shows it.

Left out: what -CC shows of a pool that is imported already. Follows `get_configs` and `fix_paths` of `zutil_import.c`.
"""

from collections.abc import Mapping

from smartos.zfs.format.nvlist import UINT32, NVList
from smartos.zfs.read.devices import top_trees
from smartos.zfs.read.pool import Pool

NEVER_REWIND, ANY_TXG = 1, (1 << 64) - 1


def import_config(pool: Pool) -> NVList:
    """The list: the pool's numbers first, the tree of all its top-level vdevs, then the policy of the import."""
    config, trees = pool.config, top_trees(pool.devices)
    found = NVList()
    for name in ("vdev_children", "version", "pool_guid", "name", "comment", "state"):
        if name in config:
            found[name] = config[name]
    if "hostid" in config:
        found["hostid"], found["hostname"] = config["hostid"], config.get("hostname", "")
    paths = found_paths(pool)
    children = [_tree(trees[number], paths) for number in sorted(trees)]
    found["vdev_tree"] = NVList({"type": "root", "id": 0, "guid": pool.guid, "children": children})
    policy = {"load-request-txg": ANY_TXG, "load-rewind-policy": NEVER_REWIND + 1}
    found["load-policy"] = NVList(policy, {"load-rewind-policy": UINT32})
    return found


def found_paths(pool: Pool) -> dict[object, str]:
    """Where each device was found, by its guid; its label may tell of another place."""
    return {device.config.get("guid"): str(device.disk.name) for device in pool.devices}


def _tree(tree: Mapping, paths: Mapping[object, str]) -> NVList:
    """A vdev's list; a leaf's path is put at its end, being the one where it was found."""
    found = NVList(tree, getattr(tree, "types", None))
    if "children" in found:
        found["children"] = [_tree(child, paths) for child in found["children"]]
    elif found.get("guid") in paths:
        found.pop("path", None)
        found["path"] = paths[found["guid"]]
    return found
