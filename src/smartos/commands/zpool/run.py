"""`zpool offline`, `online`, `clear`, `scrub`, `history`, `upgrade`, `export`: what is done with a pool in use.

Left out: growing devices, going back in time (`clear -F`), upgrading. Follows `zpool_main.c` and `libzfs_pool.c` of
illumos as of 12 August 2011.
"""

from collections.abc import Sequence

from smartos.commands.system import System
from smartos.commands.text import Usage, stamp
from smartos.commands.zpool.change import device, each_device, find, unspare
from smartos.output import CommandError, Output
from smartos.zfs.errors import Busy, PoolFaulted
from smartos.zfs.live import scan as scans
from smartos.zfs.live import spa_history as history_of
from smartos.zfs.read.devices import labels_of
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev.tree import Aux, Leaf, State

VERSIONS = (
    "Initial ZFS version", "Ditto blocks (replicated metadata)", "Hot spares and double parity RAID-Z", "zpool history",
    "Compression using the gzip algorithm", "bootfs pool property", "Separate intent log devices",
    "Delegated administration", "refquota and refreservation properties", "Cache devices",
    "Improved scrub performance", "Snapshot properties", "snapused property", "passthrough-x aclinherit",
    "user/group space accounting", "stmf property support", "Triple-parity RAID-Z", "Snapshot user holds",
    "Log device removal", "Compression using zle (zero-length encoding)", "Deduplication", "Received properties",
    "Slim ZIL", "System attributes", "Improved scrub stats", "Improved snapshot deletion performance",
    "Improved snapshot creation performance", "Multiple vdev replacements",
)  # fmt: skip


def offline(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool offline [-t] pool device ...`; with -t, as without: a system that ends forgets it in neither case."""
    pool, operands = each_device(system, usage, "offline", words, "t")
    said = []
    for operand in operands:
        wrong = f"cannot offline {operand}"
        try:
            node = device(system, pool, operand, wrong)
            if not node.leaf:
                raise CommandError(f"{wrong}: operation not supported on this type of pool")
            pool.offline(str(node.guid))
        except Busy:
            said.append(f"{wrong}: no valid replicas")
        except CommandError as error:
            said.append(str(error))
    return _done(system, pool, line, said, len(operands))


def _done(system: System, pool: Spa, line: str, said: list[str], count: int, out: str = "") -> Output:
    if len(said) < count:
        system.log(pool, line)
    if said:
        raise CommandError("\n".join(said), 1, out)
    return Output(out)


def online(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool online pool device ...`."""
    pool, operands = each_device(system, usage, "online", words, "")
    said, out = [], ""
    for operand in operands:
        wrong = f"cannot online {operand}"
        try:
            node = device(system, pool, operand, wrong)
            if not node.leaf:
                raise CommandError(f"{wrong}: operation not supported on this type of pool")
        except CommandError as error:
            said.append(str(error))
            continue
        if not _online(system, pool, node):
            out += f"warning: device '{operand}' onlined, but remains in faulted state\n"
            out += "use 'zpool replace' to replace devices that are no longer present\n"
    return _done(system, pool, line, said, len(operands), out)


def _online(system: System, pool: Spa, node: Leaf) -> bool:
    """Use a device again, if its file is there and its label is the device's; whether it is in order then."""
    path = system.path(node.path)
    disk = system.disk(path) if path.is_file() else None
    if disk is None:
        node.disk = None
        node.set_state(State.CANT_OPEN, Aux.OPEN_FAILED)
    elif not any(each.config.get("guid") == node.guid for each in labels_of(disk)):
        node.set_state(State.CANT_OPEN, Aux.CORRUPT_DATA)
    else:
        try:
            pool.online(str(node.guid), disk)
        except PoolFaulted:
            return False
        unspare(pool, node.path)
    pool.config_dirty = True
    return node.readable


def clear(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool clear pool [device]`."""
    _, rest = usage.options("clear", words, "")
    if not rest:
        raise usage.fail("clear", "missing pool name")
    if len(rest) > 2:
        raise usage.fail("clear", "too many arguments")
    pool = system.pool(rest[0])
    node = None
    if len(rest) == 2:
        node = find(system, pool, rest[1])
        if node is None:
            raise CommandError(f"cannot clear errors for {rest[1]}: no such device in pool")
    for each in (node or pool.root).leaves():
        if each.leaf and not each.readable and each.state != State.OFFLINE:
            _online(system, pool, each)
    if pool.suspended:
        return _resume(system, pool, line)
    (node or pool.root).clear()
    pool.config_dirty = True
    system.log(pool, line)
    return Output()


def _resume(system: System, pool: Spa, line: str) -> Output:
    """A pool that could not write is opened anew, as its last whole transaction group has it."""
    system.reopen(pool)
    again = system.pool(pool.name)
    system.log(again, line)
    text = f"pool '{pool.name}' goes on from txg {again.uberblock.txg}; what was not on disk then is gone\n"
    return Output(err=text)


def scrub(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool scrub [-s] pool ...`. A scrub is through when the command is, unless the scan's `limit` was set."""
    options, names = usage.options("scrub", words, "s")
    if not names:
        raise usage.fail("scrub", "missing pool name argument")
    found, said = system.named(names)
    for name in found:
        if name in system.faulted:
            said.append(f"cannot scrub '{name}': pool is currently unavailable")
            continue
        pool = system.pools[name]
        if options and not (pool.scan.running and pool.scan.func == scans.SCRUB):
            said.append(f"cannot cancel scrubbing {name}: there is no active scrub")
        elif not options and pool.scan.running:
            scrubbing = pool.scan.func == scans.SCRUB
            why = "currently scrubbing; use 'zpool scrub -s' to cancel current scrub"
            said.append(f"cannot scrub {name}: {why if scrubbing else 'currently resilvering'}")
        else:
            (pool.scan.stop if options else pool.scan.start)()
            system.log(pool, line)
    if said:
        raise CommandError("\n".join(said))
    return Output()


def history(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool history [-il] [pool] ...`."""
    options, names = usage.options("history", words, "il")
    flags = {letter for letter, _ in options}
    found, said = system.named(names)
    out = "" if found or names else "no pools available\n"
    for name in found:
        out += f"History for '{name}':\n"
        for record in system.pool(name).history.records():
            text = record.get(history_of.COMMAND)
            if text is None:
                if "i" not in flags or history_of.EVENT not in record:
                    continue
                event = history_of.EVENTS[record[history_of.EVENT] % len(history_of.EVENTS)]
                text = f"[internal {event} txg:{record[history_of.TXG]}] {record[history_of.TEXT]}"
            out += f"{stamp(record[history_of.TIME])} {text}"
            if "l" in flags:
                who = record.get(history_of.WHO, 0)
                zone = f":{record[history_of.ZONE]}" if history_of.ZONE in record else ""
                out += f" [user {who or 'root'} on {record.get(history_of.HOST, '')}{zone}]"
            out += "\n"
        out += "\n"
    if said:
        raise CommandError("\n".join(said), 1, out)
    return Output(out)


def upgrade(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool upgrade [-v]`: which versions there are, and which pools have older ones. Nothing is upgraded here."""
    options, names = usage.options("upgrade", words, "avV:")
    flags = {letter for letter, _ in options}
    head = f"This system is currently running ZFS pool version {system.version}.\n\n"
    if "v" in flags:
        if names or "a" in flags:
            raise usage.fail("upgrade", "-v option is incompatible with other arguments")
        lines = "".join(f"{f' {number}':<4} {what}\n" for number, what in enumerate(VERSIONS[: system.version], 1))
        return Output(
            f"{head}The following versions are supported:\n\nVER  DESCRIPTION\n---  {'-' * 56}\n{lines}\n"
            "For more information on a particular version, including supported releases,\n"
            "see the ZFS Administration Guide.\n\n"
        )
    found, said = system.named(names)
    if said:
        raise CommandError("\n".join(said), 1, head)
    older = [name for name in found if (system.pools.get(name) or system.faulted[name]).version < system.version]
    if names or "a" in flags:
        same = "".join(
            f"Pool '{name}' is already formatted using the current version.\n" for name in found if name not in older
        )
        if older:
            why = "a pool keeps its version here; make one at a newer version, and send the datasets to it"
            raise CommandError(f"cannot upgrade '{older[0]}': {why}", 1, head + same)
        return Output(head + same)
    if not older:
        return Output(f"{head}All pools are formatted using this version.\n")
    lines = "".join(f"{system.pools[name].version:2}   {name}\n" for name in older if name in system.pools)
    return Output(
        f"{head}The following pools are out of date, and can be upgraded.  After being\nupgraded, these pools will no "
        f"longer be accessible by older software versions.\n\nVER  POOL\n---  ------------\n{lines}\n"
        "Use 'zpool upgrade -v' for a list of available versions and their associated\nfeatures.\n"
    )


def export(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zpool export [-f] pool ...`."""
    _, names = usage.options("export", words, "f")
    if not names:
        raise usage.fail("export", "missing pool argument")
    said = []
    for name in names:
        if name not in system.names():
            said.append(f"cannot open '{name}': no such pool")
            continue
        if name in system.pools:
            system.pools[name].history.command(line)
            system.pools[name].export()
        system.forget(name)
    if said:
        raise CommandError("\n".join(said))
    return Output()
