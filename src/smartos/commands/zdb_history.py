"""`zdb -h`: the pool's history, a record a line. Follows `dump_history` of `zdb.c`."""

from importlib import import_module

from smartos.commands.output import CommandError
from smartos.commands.zdb_text import Dump


def dump_history(dump: Dump) -> None:
    """The history. Raises :class:`CommandError` where this package has no reader of it."""
    try:
        history = import_module("smartos.zfs.spa_history")
    except ModuleNotFoundError:
        if not dump.opt["all"]:
            raise CommandError("zdb: -h: the pool's history is not read here") from None
        return
    _print(dump, history)


def _print(dump: Dump, history: object) -> None:
    raise CommandError("zdb: -h: the pool's history is not read here")
