"""The vdevs' error counters from one command to the next, in the cache file.

The real kernel has them in memory, where they last until the pool is exported, cleared, or the machine starts anew.
Here each command line is a process of its own, so the configuration of a pool in the cache file has an array
`error_counts` (read, write, checksum errors) beside each vdev that has any; the real one has none, and passes it by.

Left out: operations and bytes, which are counted from each command's beginning.
"""

from collections.abc import Iterator, Mapping

from smartos.zfs.format.nvlist import NVList
from smartos.zfs.spa.spa import Spa

NAME = "error_counts"
Counts = dict[int, list[int]]


def counts(pool: Spa) -> Counts:
    """Read, write and checksum errors of each vdev that has any, by guid."""
    each = {
        node.guid: [node.stat.vs_read_errors, node.stat.vs_write_errors, node.stat.vs_checksum_errors]
        for _, node in pool.root.walk()
    }  # fmt: skip
    return {guid: numbers for guid, numbers in each.items() if any(numbers)}


def _nodes(tree: Mapping) -> Iterator[Mapping]:
    yield tree
    for child in tree.get("children", ()):
        yield from _nodes(child)


def put(tree: NVList, found: Counts) -> None:
    """Write counts into a vdev tree's configuration."""
    for node in _nodes(tree):
        if node["guid"] in found:
            node[NAME] = found[node["guid"]]


def restore(pool: Spa, tree: Mapping) -> None:
    """Give the vdevs of a pool that was opened the counts that a configuration has, and those of the opening."""
    kept = {node["guid"]: node[NAME] for node in _nodes(tree) if NAME in node}
    for _, node in pool.root.walk():
        numbers = kept.get(node.guid)
        if isinstance(numbers, list) and len(numbers) == 3:
            node.stat.vs_read_errors += numbers[0]
            node.stat.vs_write_errors += numbers[1]
            node.stat.vs_checksum_errors += numbers[2]
