"""`zdb -m`: each vdev's metaslabs with their space maps; and the dirty time logs that -ddd adds.

Left out: removed vdevs' mappings and metaslab groups' histograms. Follows `dump_metaslabs`, `dump_spacemap` and
`dump_dtl` of `zdb.c`, and `vdev_metaslab_init` and `vdev_dtl_reassess` of `vdev.c`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from smartos.commands.zdb.config import found_paths
from smartos.commands.zdb.text import Dump, histogram
from smartos.output import CommandError
from smartos.zfs.dmu.dnode import Dnode
from smartos.zfs.dmu.space import NO_VDEV, Debug, RangeTree, SpaceMapPhys, entries, replay
from smartos.zfs.errors import ZfsError
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.space_log import TOP_ZAP, UNFLUSHED, allocated, logs, space_map, unflushed

HISTOGRAM_FEATURE, LOG_FEATURE = "com.delphix:spacemap_histogram", "com.delphix:log_spacemap"
MINBLOCK = 9  # the common logs are in sectors of 512 bytes
EMBEDDED_LOG_FROM = 64  # a vdev with more metaslabs than that lends one to the intent logs
LARGE = 1 << 14  # metaslab_by_size_min_shift: smaller free ranges are not counted as segments while there are larger
FRAGMENTATION = (100, 100, 98, 95, 90, 80, 70, 60, 50, 40, 30, 20, 15, 10, 5, 0, 0)  # by size from 512 bytes on
_ACTIONS = ("ALLOC", "FREE", "CONDENSE", "INVALID")


@dataclass
class Metaslabs:
    """A top-level vdev's metaslabs: how many, their size, the vdev's ashift, and each one's space map (0: none yet)."""

    config: Mapping
    shift: int
    ashift: int
    maps: list[int]

    @classmethod
    def of(cls, pool: Pool, number: int) -> "Metaslabs":
        """Those of vdev `number`. A vdev that is a hole or was removed has none."""
        config = pool.top_config(number)
        array, shift, ashift, size = (
            config.get(key) if isinstance(config.get(key), int) else 0
            for key in ("metaslab_array", "metaslab_shift", "ashift", "asize")
        )  # fmt: skip
        count = size >> shift if shift else 0
        maps = pool.mos.words(pool.mos.dnode(array), count) if array else []
        return cls(config, shift, ashift, maps + [0] * (count - len(maps)))


def head(pool: Pool, number: int) -> SpaceMapPhys:
    """A space map's bonus; object 0 is an empty one."""
    if not number:
        return SpaceMapPhys()
    dnode: Dnode = pool.mos.dnode(number)
    return SpaceMapPhys.unpack(dnode.bonus, dnode.order)


def tops(pool: Pool) -> range:
    """The numbers of the pool's top-level vdevs."""
    tree = pool.mos_config.get("vdev_tree", {})
    return range(len(tree.get("children", ())) or len(pool.tops))


def dump_metaslabs(dump: Dump, words: Sequence[int] = ()) -> None:
    """All metaslabs, or those that `words` (vdev, then metaslabs) names."""
    dump.say()
    dump.say("Metaslabs:")
    numbers = tops(dump.pool)
    if words and words[0] >= len(numbers):
        raise CommandError(f"zdb: bad vdev id: {words[0]}")
    for number in [words[0]] if words else numbers:
        found = Metaslabs.of(dump.pool, number)
        _heading(dump, number, found)
        for place in words[1:] or range(len(found.maps)):
            if place < len(found.maps):
                _metaslab(dump, number, found, place)
            else:
                dump.errors.append(f"bad metaslab number {place}")
        dump.say()


def bias(config: Mapping) -> str:
    """What a vdev is kept for: "log", "special", "dedup", or nothing in particular."""
    return "log" if config.get("is_log") else str(config.get("alloc_bias", ""))


def classes(pool: Pool) -> dict[str, tuple[int, int]]:
    """For each class of space ("" is the normal one) the bytes taken and the bytes there are."""
    found: dict[str, tuple[int, int]] = {}

    def add(name: str, taken: int, space: int) -> None:
        before = found.get(name, (0, 0))
        found[name] = (before[0] + taken, before[1] + space)

    for number in tops(pool):
        each = Metaslabs.of(pool, number)
        taken = [head(pool, map_).alloc for map_ in each.maps]
        kind, size = bias(each.config), 1 << each.shift
        if kind == "" and each.maps:
            lent = taken.index(min(taken)) if len(taken) > EMBEDDED_LOG_FROM else -1
            add("slog", taken.pop(lent) if lent >= 0 else 0, size if lent >= 0 else 0)
        add(kind, sum(taken), size * len(taken))
    return found


def _heading(dump: Dump, number: int, found: Metaslabs) -> None:
    zap, pool = found.config.get(TOP_ZAP), dump.pool
    txgs = pool.mos.zap(zap).get(UNFLUSHED) if isinstance(zap, int) and zap else None
    more = f"   ms_unflushed_phys object {txgs}" if isinstance(txgs, int) else ""
    dump.say(f"\tvdev {number:10}   {bias(found.config)}{more}")
    dump.say(f"\t{'metaslabs':<10}{len(found.maps):5}   {'offset':<19}   {'spacemap':<15}   {'free':<12}")
    dump.say(f"\t{'-' * 15}   {'-' * 19}   {'-' * 15}   {'-' * 12}")


def _metaslab(dump: Dump, number: int, found: Metaslabs, place: int) -> None:
    start, size, object_ = place << found.shift, 1 << found.shift, found.maps[place]
    phys, depth = head(dump.pool, object_), dump.opt["m"]
    dump.say(
        f"\tmetaslab {place:6}   offset {start:12x}   spacemap {object_:6}   free    {dump.nice(size - phys.alloc):>5}"
    )
    if depth > 2 and not dump.opt["L"]:
        _statistics(dump, number, start, size)
    if depth > 1 and object_ and dump.pool.write_features.get(HISTOGRAM_FEATURE):
        dump.say(f"\tOn-disk histogram:\t\tfragmentation {fragmentation(phys, found.ashift)}")
        for line in histogram(phys.histogram, found.ashift):
            dump.say(line)
    if object_:
        for line in spacemap_lines(dump, object_, found.ashift, start):
            dump.say(line)
    if dump.pool.write_features.get(LOG_FEATURE):
        dump.say("\tFlush data:")
        dump.say(f"\tunflushed txg={unflushed(dump.pool, found.config, len(found.maps)).get(place, 0)}")
        dump.say()


def fragmentation(phys: SpaceMapPhys, ashift: int) -> int:
    """How cut up the free space is, in per cent, by the sizes of its ranges; the largest number stands for unknown."""
    if not phys.histogram:
        return (1 << 64) - 1
    total = weighted = 0
    for index, count in enumerate(phys.histogram):
        if count:
            space = count << index + ashift
            total += space
            weighted += space * FRAGMENTATION[min(index + ashift - 9, len(FRAGMENTATION) - 1)]
    return weighted // total if total else 0


def _statistics(dump: Dump, number: int, start: int, size: int) -> None:
    free = [high - low for low, high in allocated(dump.pool, number).gaps(start, start + size)]
    large = [each for each in free if each >= LARGE] or free
    counts = [0] * 64
    for each in free:
        counts[each.bit_length() - 1] += 1
    most = dump.nice(max(free, default=0))
    dump.say(f"\t {'segments':>25} {len(large):10}   {'maxsize':>7}  {most:>6}   freepct {sum(free) * 100 // size:4}%")
    dump.say("\tIn-memory histogram:")
    for line in histogram(counts):
        dump.say(line)


def spacemap_lines(dump: Dump, number: int, shift: int, start: int = 0) -> Iterator[str]:
    """A space map's head, and with -dddddd or -mmmm its entries."""
    pool = dump.pool
    phys = head(pool, number)
    yield f"space map object {number}:"
    yield f"  smp_length = 0x{phys.length:x}"
    yield f"  smp_alloc = 0x{phys.alloc & (1 << 64) - 1:x}"
    if dump.opt["d"] < 6 and dump.opt["m"] < 4:
        return
    words, total = pool.mos.words(pool.mos.dnode(number), phys.length // 8), 0
    for place, each in enumerate(entries(words, padding=True)):
        if isinstance(each, Debug):
            text = f"{_ACTIONS[each.action]}: txg {each.txg} pass {each.sync_pass}" if each.txg else "PADDING"
            yield f"\t    [{place:6}] {text}"
        else:
            low, run = (each.offset << shift) + start, each.run << shift
            total += run if each.kind == 0 else -run
            count = 1 if each.vdev == NO_VDEV else 2
            yield (
                f"\t    [{place:6}]    {'AF'[each.kind]}  range: {low:010x}-{low + run:010x}  size: {run:06x}"
                f" vdev: {each.vdev:06} words: {count}"
            )
    if total != phys.alloc:
        yield f"space_map_object alloc ({phys.alloc}) INCONSISTENT with space map summary ({total})"


# ---- logs of space maps


def dump_log_spacemaps(dump: Dump) -> None:
    """The logs that all metaslabs share in newer pools, and how much of each is not in the metaslabs' own maps yet."""
    pool, found = dump.pool, logs(dump.pool)
    if not pool.write_features.get(LOG_FEATURE):
        return
    dump.say()
    dump.say("Log Space Maps in Pool:")
    for txg, number in found.items():
        dump.say(f"Log Spacemap object {number} txg {txg}")
        for line in spacemap_lines(dump, number, MINBLOCK):
            dump.say(line)
    dump.say()
    dump.say("Log Space Map Obsolete Entry Statistics:")
    slabs = {number: Metaslabs.of(pool, number) for number in tops(pool)}
    since = {number: unflushed(pool, each.config, len(each.maps)) for number, each in slabs.items()}
    all_valid = total = 0
    for txg, number in found.items():
        entered = [each for each in space_map(pool, number) if not isinstance(each, Debug)]
        valid = 0
        for each in entered:
            slab = slabs.get(each.vdev)
            if slab and slab.maps and txg >= since[each.vdev].get(each.offset << MINBLOCK >> slab.shift, 0):
                valid += 1
        if entered:
            dump.say(f"{valid:<8} valid entries out of {len(entered):<8} - txg {txg}")
        all_valid, total = all_valid + valid, total + len(entered)
    if not total:
        dump.say(f"{0:<8} valid entries out of {0:<8} - txg 0")
    dump.say(f"{all_valid:<8} valid entries out of {total:<8} - total")
    dump.say()


# ---- dirty time logs


def dump_dtl(dump: Dump) -> None:
    """Which transaction groups each device has missed, and whether the pool could do without it."""
    dump.say()
    dump.say("Dirty time logs:")
    dump.say()
    dump.say(f"\t{dump.pool.name} [DTL-required]")
    for number in tops(dump.pool):
        config = dump.pool.top_config(number)
        _dtl(dump, config, config, 4)


def _dtl(dump: Dump, top: Mapping, config: Mapping, indent: int) -> None:
    path = found_paths(dump.pool).get(config.get("guid")) or config.get("path", config.get("type", ""))
    needed = config is top or _outage(dump.pool, top, config)
    pad = " " * indent
    dump.say(f"\t{pad}{path} [{'DTL-required' if needed else 'DTL-expendable'}]")
    for name in ("missing", "partial", "outage"):
        tree = _tree(dump.pool, config, name)
        for low, high in tree:
            dump.say(f"\t{pad}  {name} [{low},{high}) length {high - low}")
        number = config.get("DTL", 0)
        if tree.space and dump.opt["d"] > 5 and number and not config.get("children"):
            for line in spacemap_lines(dump, number, 0):
                dump.say(line)
    for child in config.get("children", []):
        _dtl(dump, top, child, indent + 4)


EVER = 1 << 64


def _tree(pool: Pool, config: Mapping, which: str, gone: Mapping | None = None) -> RangeTree:
    """The txgs that a vdev missed, or has only "partial" copies of, or cannot give ("outage"); `gone` gives none."""
    children = config.get("children", [])
    if not children:
        lost = config is gone or config.get("offline") or config.get("guid") not in found_paths(pool)
        return RangeTree([(0, EVER - 1)]) if lost and which == "outage" else _missed(pool, config)
    parity = config.get("nparity", 1) if config.get("type") == "raidz" else 0
    need = 1 if which == "partial" else parity + 1 if parity else len(children)
    marks: dict[int, int] = {}
    for child in children:
        if child is gone:
            marks[0], marks[EVER - 1] = marks.get(0, 0) + 1, marks.get(EVER - 1, 0) - 1
            continue
        for low, high in _tree(pool, child, "partial" if which == "partial" else "outage", gone):
            marks[low], marks[high] = marks.get(low, 0) + 1, marks.get(high, 0) - 1
    found, depth, begun = RangeTree(), 0, 0
    for at in sorted(marks):
        before, depth = depth, depth + marks[at]
        if before < need <= depth:
            begun = at
        elif depth < need <= before:
            found.add(begun, at)
    return found


def _missed(pool: Pool, leaf: Mapping) -> RangeTree:
    """What a device's dirty time log says."""
    tree, number = RangeTree(), leaf.get("DTL", 0)
    if number:
        try:
            replay(entries(pool.mos.words(pool.mos.dnode(number), head(pool, number).length // 8)), tree)
        except ZfsError:
            return RangeTree()
    return tree


def _outage(pool: Pool, top: Mapping, gone: Mapping) -> bool:
    """Whether the top-level vdev would lack something with a device out of order."""
    return _tree(pool, top, "outage", gone).space > 0
