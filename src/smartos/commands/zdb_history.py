"""`zdb -h`: the pool's history, a command or internal event a line; with -hh each record's names and values too.

The history is an object of the MOS: records, each with its length in front, in a ring behind the record of the pool's
creation, which stays. Left out: nothing that is recorded. Follows `dump_history` of `zdb.c` and `spa_history_get` of
`spa_history.c`.
"""

import struct
import time
from collections.abc import Iterator

from smartos.commands.zdb_text import Dump, nvlist_lines
from smartos.zfs import dsl, nvlist_native
from smartos.zfs.errors import ZfsError
from smartos.zfs.nvlist import NVList
from smartos.zfs.pool import Pool

TIME, COMMAND, EVENT, TXG, TEXT = (
    "history time", "history command", "history internal event", "history txg", "history internal str"
)  # fmt: skip
EVENTS = (
    "invalid event", "pool create", "vdev add", "pool remove", "pool destroy", "pool export", "pool import",
    "vdev attach", "vdev replace", "vdev detach", "vdev online", "vdev offline", "vdev upgrade", "pool clear",
    "pool scrub", "pool property set", "create", "clone", "destroy", "destroy_begin_sync", "inherit", "property set",
    "quota set", "permission update", "permission remove", "permission who remove", "promote", "receive", "rename",
    "reservation set", "replay_inc_sync", "replay_full_sync", "rollback", "snapshot", "filesystem version upgrade",
    "refquota set", "refreservation set", "pool scrub done", "user hold", "user release", "pool split",
)  # fmt: skip


def records(pool: Pool, number: int) -> Iterator[NVList]:
    """The records of history object `number`, oldest first; one that cannot be decoded ends them."""
    dnode = pool.mos.dnode(number)
    created, most, begin, end, _ = struct.unpack_from(dnode.order + "5Q", dnode.bonus.ljust(40, b"\0"))
    data = pool.mos.read(dnode, 0, created)
    ring, start = most - created, max(begin, created)
    if ring > 0 and end > start:
        low, high = ((at - created) % ring + created for at in (start, end))
        wrapped = low > high or end - start == ring
        data += pool.mos.read(dnode, low, (most if wrapped else high) - low)
        data += pool.mos.read(dnode, created, high - created) if wrapped else b""
    at = 0
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        if not length or at + 8 + length > len(data):
            return
        try:
            yield nvlist_native.unpack(data[at + 8 : at + 8 + length])
        except ZfsError:
            return
        at += 8 + length


def _line(record: NVList) -> str:
    """A record's line; nothing for one that is neither a command nor an event with a number."""
    if TIME not in record:
        return ""
    said = record.get(COMMAND)
    if said is None:
        event = record.get(EVENT, len(EVENTS))
        if event >= len(EVENTS):
            return ""
        said = f"[internal {EVENTS[event]} txg:{record.get(TXG, 0)}] {record.get(TEXT, '')}"
    return f"{time.strftime('%Y-%m-%d.%H:%M:%S', time.localtime(record[TIME]))} {said}"


def dump_history(dump: Dump) -> None:
    """The history, if the pool keeps one."""
    number = dump.pool.directory.get(dsl.HISTORY)
    if not isinstance(number, int):
        dump.errors.append("Unable to read history: error 2")
        return
    dump.say()
    dump.say("History:")
    for record in records(dump.pool, number):
        line = _line(record)
        if line:
            dump.say(line)
        if dump.opt["h"] > 1:
            if not line:
                dump.say("unrecognized record:")
            dump.lines += nvlist_lines(record, 2)
