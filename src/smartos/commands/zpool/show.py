"""`zpool status` and the list of `zpool import`: how pools are, in words and as trees.

Left out: log and cache devices, deduplication's statistics, repeating at an interval. Follows
`zpool_main.c` (`status_callback`, `show_import`) and `libzfs_status.c` (`check_status`) of illumos as of 12 August 2011.
"""

from collections.abc import Sequence

from smartos.commands.system import Faulted, System
from smartos.commands.text import Usage, ctime, nicenum
from smartos.output import CommandError, Output
from smartos.zfs.errors import ZfsError
from smartos.zfs.live import scan as scans
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev.tree import Aux, Replacing, State, Vdev, state_name

AUX = {
    Aux.OPEN_FAILED: "cannot open", Aux.BAD_GUID_SUM: "missing device", Aux.NO_REPLICAS: "insufficient replicas",
    Aux.VERSION_NEWER: "newer version", Aux.SPARED: "currently in use", Aux.ERR_EXCEEDED: "too many errors",
    Aux.IO_FAILURE: "experienced I/O failures", Aux.BAD_LOG: "bad intent log",
}  # fmt: skip

# A condition: its message number, and the words of the status and action paragraphs.
PARAGRAPHS = {
    "missing_r": (
        "2Q",
        "One or more devices could not be opened.  Sufficient replicas exist for\n\tthe pool to continue functioning in "
        "a degraded state.",
        "Attach the missing device and online it using 'zpool online'.",
    ),
    "missing_nr": (
        "3C",
        "One or more devices could not be opened.  There are insufficient\n\treplicas for the pool to continue "
        "functioning.",
        "Attach the missing device and online it using 'zpool online'.",
    ),
    "label_r": (
        "4J",
        "One or more devices could not be used because the label is missing or\n\tinvalid.  Sufficient replicas exist "
        "for the pool to continue\n\tfunctioning in a degraded state.",
        "Replace the device using 'zpool replace'.",
    ),
    "label_nr": (
        "5E",
        "One or more devices could not be used because the label is missing \n\tor invalid.  There are insufficient "
        "replicas for the pool to continue\n\tfunctioning.",
        "Destroy and re-create the pool from\n\ta backup source.",
    ),
    "data": (
        "8A",
        "One or more devices has experienced an error resulting in data\n\tcorruption.  Applications may be affected.",
        "Restore the file in question if possible.  Otherwise restore the\n\tentire pool from backup.",
    ),
    "failing": (
        "9P",
        "One or more devices has experienced an unrecoverable error.  An\n\tattempt was made to correct the error.  "
        "Applications are unaffected.",
        "Determine if the device needs to be replaced, and clear the errors\n\tusing 'zpool clear' or replace the "
        "device with 'zpool replace'.",
    ),
    "suspended": (
        "HC",
        "One or more devices are faulted in response to IO failures.",
        "Make sure the affected devices are connected, then run 'zpool clear'.",
    ),
    "offline": (
        "",
        "One or more devices has been taken offline by the administrator.\n\tSufficient replicas exist for the pool to "
        "continue functioning in a\n\tdegraded state.",
        "Online the device using 'zpool online' or replace the device with\n\t'zpool replace'.",
    ),
    "removed": (
        "",
        "One or more devices has been removed by the administrator.\n\tSufficient replicas exist for the pool to "
        "continue functioning in a\n\tdegraded state.",
        "Online the device using 'zpool online' or replace the device with\n\t'zpool replace'.",
    ),
    "resilvering": (
        "",
        "One or more devices is currently being resilvered.  The pool will\n\tcontinue to function, possibly in a "
        "degraded state.",
        "Wait for the resilver to complete.",
    ),
    "older": (
        "",
        "The pool is formatted using an older on-disk format.  The pool can\n\tstill be used, but some features are "
        "unavailable.",
        "Upgrade the pool using 'zpool upgrade'.  Once this is done, the\n\tpool will no longer be accessible on older "
        "software versions.",
    ),
    "faulted_r": (
        "",
        "One or more devices are faulted in response to persistent errors.\n\tSufficient replicas exist for the pool to "
        "continue functioning in a\n\tdegraded state.",
        "Replace the faulted device, or use 'zpool clear' to mark the device\n\trepaired.",
    ),
    "faulted_nr": (
        "",
        "One or more devices are faulted in response to persistent errors.  There are insufficient replicas for the "
        "pool to\n\tcontinue functioning.",
        "Destroy and re-create the pool from a backup source.  Manually marking the device\n\trepaired using 'zpool "
        "clear' may allow some data to be recovered.",
    ),
}  # fmt: skip


def problems(root: Vdev) -> list[Vdev]:
    """The leaves whose states count, those of replacements left out."""
    found: list[Vdev] = []
    for child in root.children:
        if child.leaf or not child.children:
            found.append(child)
        elif not isinstance(child, Replacing):
            found += problems(child)
    return found


def condition(root: Vdev, version: int, newest: int, pool: Spa | None = None) -> str:
    """`check_status`: the worst that is wrong, as a key of PARAGRAPHS; nothing when all is well."""
    leaves = problems(root)
    states = {leaf.state for leaf in leaves}
    missing = any(leaf.state == State.CANT_OPEN and leaf.aux == Aux.OPEN_FAILED for leaf in leaves)
    stats = [leaf.stat for leaf in leaves]
    if pool is not None and pool.scan.running and pool.scan.func == scans.RESILVER:
        return "resilvering"
    if pool is not None and pool.suspended:
        return "suspended"
    if root.state == State.CANT_OPEN:
        for name, true in (("faulted_nr", State.FAULTED in states), ("missing_nr", missing)):
            if true:
                return name
        if State.CANT_OPEN in states:
            return "label_nr"
    for name, true in (
        ("data", pool is not None and bool(pool.errlog.keys())), ("faulted_r", State.FAULTED in states),
        ("missing_r", missing), ("label_r", State.CANT_OPEN in states),
        ("failing", pool is not None and (
            State.DEGRADED in states
            or any(s.vs_read_errors + s.vs_write_errors + s.vs_checksum_errors for s in stats)
        )),
        ("offline", State.OFFLINE in states), ("removed", State.REMOVED in states), ("older", version < newest),
    ):  # fmt: skip
        if true:
            return name
    return ""


def title(system: System, node: Vdev, pool: str) -> str:
    """`zpool_vdev_name`: a vdev's name in a tree; the guid of a device that was not there at the import."""
    if node.type == "root":
        return pool
    if not node.leaf:
        return node.name
    absent = node.guid in system.absent and node.state == State.CANT_OPEN
    return str(node.guid) if absent else system.shown(node.path)


def aux_text(system: System, node: Vdev) -> str:
    """What stands behind a vdev's state, and why it has it."""
    if node.guid in system.absent and node.leaf and node.state == State.CANT_OPEN:
        return f"  was {node.path}"
    return f"  {AUX.get(node.aux, 'corrupted data')}" if node.aux != Aux.NONE else ""


def scan_lines(pool: Spa) -> str:
    """`print_scan_status`."""
    scan = pool.scan
    if not scan.func:
        return " scan: none requested\n"
    scrub = scan.func == scans.SCRUB
    word, done = ("scrub", "repaired") if scrub else ("resilver", "resilvered")
    if scan.state == scans.FINISHED:
        minutes = (scan.end_time - scan.start_time) // 60
        verb = "scrub repaired" if scrub else "resilvered"
        took = f"{minutes // 60}h{minutes % 60}m"
        return f" scan: {verb} {nicenum(scan.repaired)} in {took} with {scan.errors} errors on {ctime(scan.end_time)}\n"
    if scan.state == scans.CANCELED:
        return f" scan: {word} canceled on {ctime(scan.end_time)}\n"
    examined, total = scan.examined or 1, max(scan.to_examine, 1)
    rate = max(examined // max(pool.now() - scan.start_time, 1), 1)
    left = max(total - examined, 0) // rate // 60
    return (
        f" scan: {word} in progress since {ctime(scan.start_time)}\n"
        f"    {nicenum(examined)} scanned out of {nicenum(total)} at {nicenum(rate)}/s, {left // 60}h{left % 60}m to go\n"
        f"    {nicenum(scan.repaired)} {done}, {100 * examined / total:.2f}% done\n"
    )


def _width(rows: Sequence[tuple[int, str]]) -> int:
    return max([10, *(2 * depth + len(name) for depth, name in rows)])


def config_lines(system: System, root: Vdev, name: str, pool: Spa | None) -> str:
    """The tree of `zpool status` with states and counts."""
    rows = [(depth, title(system, node, name), node) for depth, node in root.walk()]
    spares = [(system.shown(each.path), each) for each in (pool.spares if pool else ())]
    width = _width([row[:2] for row in rows] + [(1, each) for each, _ in spares])
    lines = [f"\t{'NAME':<{width}}  {'STATE':<8} {'READ':>5} {'WRITE':>5} {'CKSUM':>5}"]
    for depth, text, node in rows:
        counts = (node.stat.vs_read_errors, node.stat.vs_write_errors, node.stat.vs_checksum_errors)
        numbers = " ".join(f"{nicenum(count):>5}" for count in counts)
        line = f"\t{'  ' * depth}{text:<{width - 2 * depth}}  {state_name(node.state, node.aux):<8} {numbers}"
        scanning = pool is not None and pool.scan.running and node.leaf and node.stat.vs_scan_processed
        what = "resilvering" if pool is not None and pool.scan.func == scans.RESILVER else "repairing"
        lines.append(line + aux_text(system, node) + (f"  ({what})" if scanning else ""))
    if spares:
        lines.append("\tspares")
    for text, each in spares:
        used = each.parent is not None
        state = "INUSE" if used else "AVAIL" if each.readable else state_name(each.state, each.aux)
        lines.append(f"\t  {text:<{width - 2}}  {state:<8}" + ("  currently in use" if used else ""))
    return "\n".join(lines) + "\n"


def where(pool: Spa, objset: int, number: int) -> str:
    """`zpool_obj_to_path`: what a damaged block belongs to: a file by its path, else object numbers."""
    if not objset:
        return f"<metadata>:<0x{number:x}>"
    dataset = f"<0x{objset:x}>"
    try:
        dataset = pool.dp.dataset(objset).name
        found = pool.open(dataset)
        for path, _ in found.walk() if hasattr(found, "walk") else ():
            if found.lookup(path) == number:
                return f"{dataset}:{path}"
    except ZfsError:
        pass  # the dataset is gone, or cannot be read itself
    return f"{dataset}:<0x{number:x}>"


def _errors(pool: Spa, verbose: bool) -> str:
    lost = list(dict.fromkeys(key[:2] for key in pool.errlog.keys()))
    if not lost:
        return "errors: No known data errors\n"
    if not verbose:
        return f"errors: {len(lost)} data errors, use '-v' for a list\n"
    lines = "".join(f"{'':7} {where(pool, *each)}\n" for each in lost)
    return f"errors: Permanent errors have been detected in the following files:\n\n{lines}"


def status_of(system: System, name: str, verbose: bool = False) -> str:
    """`status_callback`: all that `zpool status` says of a pool."""
    pool = system.pools.get(name)
    failed: Faulted | None = system.faulted.get(name)
    root = pool.root if pool else failed.root
    worst = condition(root, (pool or failed).version, system.version, pool)
    health = state_name(root.state, root.aux)
    out = f"  pool: {name}\n state: {health}\n"
    if worst:
        number, status, action = PARAGRAPHS[worst]
        out += f"status: {status}\naction: {action}\n"
        out += f"   see: http://www.sun.com/msg/ZFS-8000-{number}\n" if number else ""
    out += scan_lines(pool) if pool else " scan: none requested\n"
    out += f"config:\n\n{config_lines(system, root, name, pool)}"
    return out + (f"\n{_errors(pool, verbose)}" if pool else "")


def status(system: System, usage: Usage, words: Sequence[str]) -> Output:
    """`zpool status [-vx] [pool] ...`."""
    options, names = usage.options("status", words, "vx")
    flags = {letter for letter, _ in options}
    parts, said = [], ""
    found, failed = system.named(names)
    for name in found:
        pool = system.pools.get(name)
        root = pool.root if pool else system.faulted[name].root
        version = (pool or system.faulted[name]).version
        if "x" in flags and not condition(root, version, system.version, pool):
            said += f"pool '{name}' is healthy\n" if names else ""
        else:
            parts.append(status_of(system, name, "v" in flags))
    out = said + "\n".join(parts)
    if failed:
        raise CommandError("\n".join(failed), 1, out)
    if not names and not system.names():
        out = "no pools available\n"
    elif "x" in flags and not parts and not names:
        out = "all pools are healthy\n"
    return Output(out)
