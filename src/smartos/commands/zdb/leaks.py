"""Objects of the MOS that nothing leads to: what zdb -d looks for after it has listed every dataset.

Left out: redaction lists, removed vdevs and condensing. Follows `dump_mos_leaks` and
`verify_device_removal_feature_counts` of `zdb.c`.
"""

from collections.abc import Iterator, Mapping

from smartos.commands.zdb.lists import List, dump_deadlist
from smartos.commands.zdb.objset import livelist_of, refer, refer_directory
from smartos.commands.zdb.space import Metaslabs, tops
from smartos.commands.zdb.text import Dump, type_text
from smartos.zfs.read import dsl
from smartos.zfs.read.dataset import Dataset
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.space_log import TOP_ZAP, UNFLUSHED

_OWN = (  # what the object directory names that is one object
    dsl.PROPS, dsl.CONFIG, dsl.DDT_STATS, dsl.FEATURE_DESCRIPTIONS, dsl.FEATURE_ENABLED_TXG, dsl.FEATURES_FOR_READ,
    dsl.FEATURES_FOR_WRITE, dsl.HISTORY, dsl.ERRLOG_LAST, dsl.ERRLOG_SCRUB, dsl.BPTREE_OBJ, dsl.TMP_USERREFS,
    dsl.EMPTY_BPOBJ, dsl.L2CACHE, dsl.SPARES, "com.delphix:vdev_zap_map", dsl.LOG_SPACEMAP_ZAP,
)  # fmt: skip
_LISTS = (dsl.SYNC_BPOBJ, dsl.FREE_BPOBJ, "com.delphix:obsolete_bpobj")
SCAN_QUEUE_AT = 2  # the word of a scan's state with its queue's object
ROOT_ZAP = "com.klarasystems:vdev_zap_root"


def dump_leaks(dump: Dump) -> bool:
    """Tell of objects that leaked, or that are referred to and not there. Whether there are none."""
    pool, seen = dump.pool, dump.referenced
    seen.add(dsl.POOL_DIRECTORY_OBJECT)
    directory = pool.directory
    seen.update(directory[name] for name in _OWN if isinstance(directory.get(name), int))
    seen.update(value for name, value in directory.items() if name.startswith("DDT-") and isinstance(value, int))
    for name in _LISTS:
        if isinstance(directory.get(name), int):
            seen.update(List(pool, directory[name]).objects())
    scan = directory.get(dsl.SCAN)
    if isinstance(scan, tuple) and len(scan) > SCAN_QUEUE_AT:
        seen.add(scan[SCAN_QUEUE_AT])
    clones = directory.get(dsl.DELETED_CLONES)
    if isinstance(clones, int):
        seen.add(clones)
        for number in pool.mos.zap(clones).values():
            dump_deadlist(dump, number, "Deleted Livelist")
    _hidden(dump)
    for number in tops(pool):
        seen.update(_of_vdev(pool, pool.top_config(number), number))
    tree = pool.mos_config.get("vdev_tree", {})
    if isinstance(tree, Mapping) and isinstance(tree.get(ROOT_ZAP), int):
        seen.add(tree[ROOT_ZAP])
    if isinstance(directory.get(dsl.LOG_SPACEMAP_ZAP), int):
        seen.update(pool.mos.zap(directory[dsl.LOG_SPACEMAP_ZAP]).values())
    seen.discard(0)
    there, sound = set(), True
    for number, dnode in pool.mos.objects():
        there.add(number)
        if number not in seen:
            dump.say(f"MOS object {number} ({type_text(dnode.type)}) leaked")
            sound = False
    for number in sorted(seen - there):
        dump.say(f"MOS object {number} referenced but not allocated")
        sound = False
    return sound


def _hidden(dump: Dump) -> None:
    """The directories with a dollar sign, and the snapshot that every dataset without another origin is a clone of."""
    pool = dump.pool
    children = pool.mos.zap(pool.dsl_dir(pool.directory[dsl.ROOT_DATASET]).child_dir_zapobj)
    origin = children.get(dsl.ORIGIN_DIR)
    if isinstance(origin, int):
        head = Dataset(pool, dsl.ORIGIN_DIR, pool.dsl_dir(origin).head_dataset_obj, origin)
        for each in (head, *head.snapshots()):
            refer(dump, each)
            dump_deadlist(dump, each.phys.deadlist_obj)
    for name in (dsl.MOS_DIR, dsl.FREE_DIR, dsl.LEAK_DIR):
        if isinstance(children.get(name), int):
            refer_directory(dump, children[name])


def _of_vdev(pool: Pool, config: Mapping, top: int | None = None) -> Iterator[int]:
    """The objects of a vdev and of those below it: dirty time logs, metaslabs, their maps, tables of its own."""
    for name in ("DTL", "metaslab_array", "com.delphix:vdev_zap_leaf", TOP_ZAP):
        if isinstance(config.get(name), int):
            yield config[name]
    if top is not None:
        yield from Metaslabs.of(pool, top).maps
        if isinstance(config.get(TOP_ZAP), int):
            number = pool.mos.zap(config[TOP_ZAP]).get(UNFLUSHED)
            if isinstance(number, int):
                yield number
    for child in config.get("children", []):
        yield from _of_vdev(pool, child)


# Features counted by dataset, in the order of the real table, with the names under which they are told of.
_BY_DATASET = (
    ("org.open-zfs:large_blocks", "large_blocks"), ("org.zfsonlinux:large_dnode", "large_dnode"),
    ("org.illumos:sha512", "sha512"), ("org.illumos:skein", "skein"), ("org.illumos:edonr", "edonr"),
    ("org.zfsonlinux:userobj_accounting", "userobj_accounting"), ("com.datto:encryption", "encryption"),
    ("org.zfsonlinux:project_quota", "project_quota"), ("com.delphix:redaction_bookmarks", "redaction_bookmarks"),
    ("com.delphix:redacted_datasets", "redacted_datasets"), ("com.delphix:bookmark_written", "bookmark_written"),
    ("com.delphix:livelist", "livelist"), ("org.freebsd:zstd_compress", "zstd_compress"),
)  # fmt: skip
_BY_BOOKMARK = frozenset(("redaction_bookmarks", "bookmark_written"))


def dump_features(dump: Dump, datasets: list[Dataset]) -> bool:
    """Whether each feature that is counted by dataset has as many users as its count says."""
    pool, sound = dump.pool, True
    counts = pool.features | pool.write_features
    tables = [_features_of(pool, each) for each in datasets]
    for guid, name in _BY_DATASET:
        if guid not in counts:
            continue
        if name in _BY_BOOKMARK:
            if counts[guid]:
                dump.errors.append(f"zdb: the users of the feature {name} are not counted here")
            else:
                dump.say(f"Verified {name} feature refcount of 0 is correct")
            continue
        users = sum(guid in table for table in tables) if name != "livelist" else _livelists(pool, datasets)
        if users == counts[guid]:
            dump.say(f"Verified {name} feature refcount of {users} is correct")
        else:
            dump.say(f"{name} feature refcount mismatch: {users} consumers != {counts[guid]} refcount")
            sound = False
    return sound and _removal(dump, counts)


def _livelists(pool: Pool, datasets: list[Dataset]) -> int:
    """How many live lists there are, of clones that are there and of destroyed ones."""
    number = pool.directory.get(dsl.DELETED_CLONES)
    gone = len(pool.mos.zap(number)) if isinstance(number, int) else 0
    return gone + sum(bool(livelist_of(pool, each)) for each in datasets if not each.is_snapshot)


def _features_of(pool: Pool, dataset: Dataset) -> Mapping[str, object]:
    """The features that a dataset uses: its object is a table of them where a newer pool made it one."""
    return pool.mos.zap(dataset.object) if pool.mos.dnode(dataset.object).type & 0x80 else {}


def _removal(dump: Dump, counts: Mapping[str, int]) -> bool:
    removed = sum(top.get("type") == "indirect" for top in map(dump.pool.top_config, tops(dump.pool)))
    expected = counts.get("com.delphix:device_removal", 0)
    if removed != expected:
        dump.say(f"Number of indirect vdevs ({removed}) does not match feature count ({expected})")
        return False
    dump.say(f"Verified device_removal feature refcount of {removed} is correct")
    obsolete = counts.get("com.delphix:obsolete_counts", 0)
    if obsolete or removed:
        dump.errors.append("zdb: what counts the obsolete blocks of a removed vdev is not looked at here")
        return True
    dump.say("Verified indirect_refcount feature refcount of 0 is correct")
    return True
