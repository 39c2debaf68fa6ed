"""`zdb -h`: the pool's history, a command or internal event a line; with -hh each record's names and values too.

The history is an object of the MOS: records, each with its length in front, in a ring behind the record of the pool's
creation, which stays. Left out: nothing that is recorded. Follows `dump_history` of `zdb.c`.
"""

from collections.abc import Iterator

from smartos.commands.text import stamp
from smartos.commands.zdb.text import Dump, nvlist_lines
from smartos.zfs.errors import ZfsError
from smartos.zfs.format.nvlist import NVList
from smartos.zfs.live.spa_history import COMMAND, EVENT, EVENTS, TEXT, TIME, TXG, stored
from smartos.zfs.read import dsl
from smartos.zfs.read.pool import Pool


def records(pool: Pool) -> Iterator[NVList]:
    """The history, oldest first; a record that cannot be decoded ends it."""
    try:
        yield from stored(pool)
    except ZfsError:
        return


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
    return f"{stamp(record[TIME])} {said}"


def dump_history(dump: Dump) -> None:
    """The history, if the pool keeps one."""
    if not isinstance(dump.pool.directory.get(dsl.HISTORY), int):
        dump.errors.append("Unable to read history: error 2")
        return
    dump.say()
    dump.say("History:")
    for record in records(dump.pool):
        line = _line(record)
        if line:
            dump.say(line)
        if dump.opt["h"] > 1:
            if not line:
                dump.say("unrecognized record:")
            dump.lines += nvlist_lines(record, 2)
