"""zdb, the debugger of ZFS: what labels, uberblocks, datasets, objects and blocks say, read straight from the disks.

    run("zdb -l /disks/d0")
    run("zdb -e -p /disks -dddd tank/home 7")

The output is that of OpenZFS 2.1's zdb, line for line. Progress, which the real one writes to stderr, is left out; so
are the options that :data:`REFUSED` names, each with one line. Follows `main` and `dump_zpool` of `zdb.c`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from getopt import GetoptError, gnu_getopt
from pathlib import Path

from smartos.commands.system import System
from smartos.commands.zdb.blocks import dump_blocks
from smartos.commands.zdb.config import import_config
from smartos.commands.zdb.history import dump_history
from smartos.commands.zdb.label import label_dump, uberblock_lines
from smartos.commands.zdb.leaks import dump_features, dump_leaks
from smartos.commands.zdb.lists import dump_waiting
from smartos.commands.zdb.objset import ObjsetDump, by_number, datasets, dump_all, object_range
from smartos.commands.zdb.read import read_blocks
from smartos.commands.zdb.space import HISTOGRAM_FEATURE, dump_dtl, dump_log_spacemaps, dump_metaslabs, tops
from smartos.commands.zdb.text import Dump, nvlist_lines
from smartos.output import CommandError, Output
from smartos.zfs.disk.disk import Disk, FileDisk
from smartos.zfs.errors import ChecksumError, CorruptPool, NoSuchName, NotAPool, PoolFaulted, Unsupported, ZfsError
from smartos.zfs.read.dataset import Dataset
from smartos.zfs.read.pool import Pool

OPTIONS = "AbcCdDeEFGhiI:klLmMNo:Op:PqrRsSt:uU:vVx:XYyZ"  # those of OpenZFS 2.1
DUMPS = "bcCdDhilmMRu"  # what is printed; a letter of them more than once prints more
ALL = "bcCdDhimMu"  # what no such letter at all prints
REFUSED = {
    "A": "ignoring failed assertions", "E": "decoding an embedded pointer", "F": "going back to an older state",
    "G": "the debug buffer", "I": "a bound on reads in flight", "k": "a checkpoint's state",
    "N": "a dataset by number first", "O": "an object by its path", "S": "simulated deduplication",
    "U": "another cache file", "V": "a verbatim import", "X": "going far back", "Y": "trying all copies of split blocks",
    "Z": "zstd headers", "o": "setting a variable", "r": "copying a file out", "s": "statistics of zdb's own reads",
    "x": "dumping all blocks read", "y": "livelists",
}  # fmt: skip
USAGE = """\
Usage:\tzdb [-bcCdDhiLmMPuv] [-e -p <path> ...] [-t <txg>]
\t\t[<poolname>[/<dataset | objset id>] [<object | range> ...]]
\tzdb -l [-qu] <device>
\tzdb -m [-LP] [-e -p <path> ...] [-t <txg>] <poolname> [<vdev> [<metaslab> ...]]
\tzdb -R [-e -p <path> ...] <poolname> <vdev>:<offset>:<size>[:<flags>]
"""
ERRNO = {
    NotAPool: "No such file or directory", NoSuchName: "No such file or directory",
    Unsupported: "Operation not supported", ChecksumError: "Invalid exchange", CorruptPool: "Input/output error",
    PoolFaulted: "No such device or address",
}  # fmt: skip


def _usage(line: str = "") -> CommandError:
    return CommandError((line + "\n" if line else "") + USAGE.rstrip("\n"), 1)


def _parse(argv: Sequence[str]) -> tuple[Counter, list[str], int | None, list[str]]:
    """The letters with how often each was given, the paths of -p, the txg of -t, and what follows the options."""
    try:
        pairs, rest = gnu_getopt(list(argv), OPTIONS)
    except GetoptError as error:
        word = f"option requires an argument -- '{error.opt}'"
        raise _usage(f"zdb: {word if error.opt in 'IopUtx' else f'''invalid option -- '{error.opt}' '''.strip()}") from None
    opt: Counter = Counter()
    paths, txg = [], None
    for flag, value in pairs:
        letter = flag[1]
        if letter in REFUSED:
            raise CommandError(f"zdb: -{letter}: {REFUSED[letter]} is not done here")
        opt[letter] += 1
        if letter == "p":
            paths.append(value)
        if letter == "t":
            txg = int(value, 0) if value.isdigit() else 0
            if txg < 4:
                raise _usage(f"incorrect txg specified: {value}")
    if paths and not opt["e"]:
        raise _usage("-p option requires use of -e")
    verbose, everything = opt.pop("v", 0), not any(opt[letter] for letter in DUMPS)
    if everything:
        verbose = max(verbose, 1)
        opt.update(ALL)
        opt["all"] = 1
    for letter in DUMPS:
        opt[letter] += verbose if opt[letter] else 0
    return opt, paths, txg, rest


# ---- opening


def _disks(paths: Iterable[Path]) -> Iterator[FileDisk]:
    """The files and devices at the paths of -p, or in them where they are directories; each file once."""
    inodes: set[int] = set()
    for path in paths:
        for each in sorted(path.iterdir()) if path.is_dir() else [path]:
            try:
                if each.is_file() or each.is_block_device():
                    inode = each.stat().st_ino
                    if inode not in inodes:
                        inodes.add(inode)
                        yield FileDisk(each.resolve(), writable=False)
            except OSError:
                continue  # what cannot be opened is passed by, as the real one does


def _attached(name: str, system: System) -> list[Disk]:
    """The disks of an imported pool of that name; none when there is no such pool."""
    spa = system.pools.get(name)
    return [leaf.disk for leaf in spa.root.leaves() if leaf.disk is not None] if spa is not None else []


def _open(target: str, opt: Counter, paths: list[str], txg: int | None, system: System) -> Pool:
    name = target.partition("/")[0].partition("@")[0]
    if opt["e"] and not paths:
        raise CommandError("zdb: -e: say with -p <directory> where the pool's devices are")
    try:
        disks = list(_disks(map(system.path, paths))) if opt["e"] else _attached(name, system)
        pool = Pool.open(disks, name, txg)
    except ZfsError as error:
        raise _cannot(target, error) from None
    for number in tops(pool):
        gone = number >= len(pool.tops) or pool.tops[number] is None
        if gone and pool.top_config(number).get("type") not in ("hole", "missing", "indirect"):
            raise _cannot(target, NotAPool(f"no device of vdev {number} is there"))
    pool.read.trust = True  # blocks under checksums that cannot be computed here are shown, too
    return pool


def _cannot(target: str, error: ZfsError) -> CommandError:
    said = next((text for kind, text in ERRNO.items() if isinstance(error, kind)), "Input/output error")
    more = "" if isinstance(error, (NotAPool, NoSuchName)) else f" ({error})"
    return CommandError(f"zdb: can't open '{target}': {said}{more}")


def _dataset(pool: Pool, target: str) -> Dataset:
    try:
        return pool.dataset(target)
    except NoSuchName as error:
        number = target.partition("/")[2]
        if number.isdigit():
            try:
                return by_number(pool, int(number))
            except NoSuchName:
                pass
        hold = CommandError(f"failed to hold dataset '{target}': No such file or directory\n{_cannot(target, error)}")
        raise hold from None


# ---- what is printed


def _whole(dump: Dump, words: Sequence[int]) -> None:
    """Everything of a pool that the options ask for, in zdb's order."""
    opt, pool = dump.opt, dump.pool
    if opt["e"] and opt["C"] > 1:
        dump.lines += ["", "Configuration for import:", *nvlist_lines(import_config(pool), 8)]
    if opt["C"]:
        dump.lines += ["", "MOS Configuration:", *nvlist_lines(pool.mos_config, 8)]
    if opt["u"]:
        dump.lines += ["", "Uberblock:", *uberblock_lines(pool.uberblock, opt["u"] >= 4), ""]
    if opt["D"]:
        if any(name.startswith("DDT-") and name != "DDT-statistics" for name in pool.directory):
            raise CommandError("zdb: -D: deduplication tables are not read here")
        dump.say("All DDTs are empty")
    if opt["d"] > 2 or opt["m"]:
        dump_metaslabs(dump, () if opt["d"] else words)
    if opt["M"]:
        _groups(dump)
    if opt["d"] > 2 or opt["m"]:
        dump_log_spacemaps(dump)
    if opt["d"] or opt["i"]:
        _datasets(dump)
    if (opt["b"] or opt["c"]) and not dump.status:
        dump_blocks(dump)
    if opt["h"]:
        dump_history(dump)


def _groups(dump: Dump) -> None:
    if dump.pool.write_features.get(HISTOGRAM_FEATURE):
        raise CommandError("zdb: -M: the histograms of metaslab groups are not added up here")
    for number in tops(dump.pool):
        config = dump.pool.top_config(number)
        count = config["asize"] >> config["metaslab_shift"] if config.get("metaslab_shift") else 0
        dump.say(f"\tvdev {number:10}\t\tmetaslabs{count:5}\t\tfragmentation  -")
    dump.say(f"\tpool {dump.pool.name}\tfragmentation\t  -")


def _datasets(dump: Dump) -> None:
    ObjsetDump(dump, None).run()
    if dump.opt["d"] >= 3:
        dump_waiting(dump)
        dump_dtl(dump)
    dump_all(dump)
    sound = dump.opt["L"] or dump_leaks(dump)
    if not dump_features(dump, list(datasets(dump.pool))) or not sound:
        dump.status = 2


def main(argv: Sequence[str], system: System) -> Output:
    """Run zdb with its arguments, on the pools and by the names of a system.

    Raises :class:`CommandError` for what it is not to do; the real one's status is 1 then.
    """
    opt, paths, txg, rest = _parse(argv)
    if not rest and opt["C"] and not opt["e"]:
        return Output("cannot open '/etc/zfs/zpool.cache': No such file or directory\n", status=1)
    if not rest or (opt["R"] and len(rest) < 2):
        raise _usage()
    if opt["l"]:
        return label_dump(rest[0], opt, system.path(rest[0]))
    target, *words = rest
    pool = _open(target, opt, paths, txg, system)
    dump = Dump(pool, opt)
    try:
        _run(dump, target.rstrip("/") if "/" in target else target, "/" in target or "@" in target, words)
    except CommandError as error:
        dump.errors.append(str(error))
        dump.status = error.status
    except ZfsError as error:
        dump.errors.append(str(_cannot(target, error)))
        dump.status = 1
    out = "".join(line + "\n" for line in dump.lines)
    if opt["raw"]:
        out = "".join(dump.lines)
    return Output(out, "".join(line + "\n" for line in dump.errors), dump.status)


def _run(dump: Dump, target: str, named: bool, words: list[str]) -> None:
    if dump.opt["R"]:
        read_blocks(dump, words)
        return
    ranges = [object_range(word) for word in words] if dump.opt["d"] else []
    places = [] if dump.opt["d"] else [_place(word) for word in words]
    if named:
        dump.opt["d"] = max(dump.opt["d"], 0)
        ObjsetDump(dump, _dataset(dump.pool, target)).run(ranges)
    elif ranges and not dump.opt["m"]:
        ObjsetDump(dump, None).run(ranges)
    else:
        _whole(dump, places)


def _place(word: str) -> int:
    try:
        return int(word, 0)
    except ValueError:
        raise CommandError(f"zdb: bad number {word}: Invalid argument") from None
