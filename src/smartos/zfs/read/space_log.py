"""Space accounts: what a vdev's space maps and the pool's common log of them, taken together, call allocated.

Newer pools write the changes of all metaslabs into one log per transaction group (a log space map) and bring them to
the metaslabs' own maps later; which are still only in the log, a table of txgs per vdev says.

Left out: choosing where to allocate. Follows `metaslab.c` and `spa_log_spacemap.c` of OpenZFS.
"""

from collections.abc import Iterator, Mapping

from smartos.zfs.dmu.space import ALLOC, Entry, RangeTree, SpaceMapPhys, entries, replay
from smartos.zfs.errors import CorruptPool
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import SHIFT
from smartos.zfs.read import dsl
from smartos.zfs.read.pool import Pool

UNFLUSHED = "com.delphix:ms_unflushed_phys_txgs"
TOP_ZAP = "com.delphix:vdev_zap_top"


def allocated(pool: Pool, number: int) -> RangeTree:
    """The ranges of bytes that a top-level vdev's space maps, and the log of them, call allocated.

    Raises :class:`NoSuchName` when the pool's configuration does not describe the vdev, :class:`CorruptPool`.
    """
    config = pool.top_config(number)
    array, shift, ashift, size = (config.get(key) for key in ("metaslab_array", "metaslab_shift", "ashift", "asize"))
    if not all(isinstance(value, int) for value in (array, shift, ashift, size)) or not 9 <= ashift <= shift < 64:
        raise CorruptPool(f"vdev {number} does not say where its metaslabs are")
    maps = pool.mos.words(pool.mos.dnode(array), size >> shift) if array else []
    tree, flushed = RangeTree(), unflushed(pool, config, len(maps))
    for place, each in enumerate(maps):
        if each:
            local = RangeTree()
            replay(space_map(pool, each), local, 1 << ashift)
            if local.space != _head(pool, each).alloc:
                raise CorruptPool(
                    f"metaslab {place} of vdev {number} says that other than {local.space:,} bytes are taken"
                )
            for start, end in local:
                if end > 1 << shift:
                    raise CorruptPool(f"metaslab {place} of vdev {number} has space beyond its end")
                tree.add((place << shift) + start, (place << shift) + end)
    for txg, entry in _log(pool):
        start, end = entry.offset << SHIFT, entry.offset + entry.run << SHIFT  # the common log is in sectors of 512
        if entry.vdev == number and txg >= flushed.get(start >> shift, 0):
            if entry.kind == ALLOC:
                tree.add(start, end)
            else:
                tree.remove(start, end)
    return tree


def _head(pool: Pool, number: int) -> SpaceMapPhys:
    dnode = pool.mos.dnode(number)
    return SpaceMapPhys.unpack(dnode.bonus, dnode.order)


def space_map(pool: Pool, number: int) -> Iterator[Entry]:
    """The entries of a space map object, in order."""
    dnode = pool.mos.dnode(number)
    if dnode.bonustype != dmu.SPACE_MAP_HEADER:
        raise CorruptPool(f"object {number} of the MOS is no space map")
    return entries(pool.mos.words(dnode, _head(pool, number).length // 8))


def unflushed(pool: Pool, config: Mapping, count: int) -> dict[int, int]:
    """For each metaslab the first txg whose changes are only in the pool's common log."""
    zap = config.get(TOP_ZAP)
    if not isinstance(zap, int) or dsl.LOG_SPACEMAP_ZAP not in pool.directory:
        return {}
    number = pool.mos.zap(zap).get(UNFLUSHED)
    return dict(enumerate(pool.mos.words(pool.mos.dnode(number), count))) if isinstance(number, int) else {}


def logs(pool: Pool) -> dict[int, int]:
    """The pool's common logs of space maps, oldest first: each one's object by its txg."""
    number = pool.directory.get(dsl.LOG_SPACEMAP_ZAP)
    table = pool.mos.zap(number) if isinstance(number, int) else {}
    found = {name[0] if isinstance(name, tuple) else int(name, 16): value for name, value in table.items()}
    return dict(sorted(found.items()))


def _log(pool: Pool) -> Iterator[tuple[int, Entry]]:
    """The common log of space maps: (txg, entry), in order."""
    for txg, number in logs(pool).items():
        for entry in space_map(pool, number):
            if isinstance(entry, Entry):
                yield txg, entry
