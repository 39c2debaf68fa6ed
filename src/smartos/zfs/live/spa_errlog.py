"""The persistent error log: which blocks could not be read, so that `zpool status -v` names the files days later.

An error is noted when it happens, and written with the next transaction group into a table of the MOS whose keys are
bookmarks in hexadecimal, objset:object:level:block. There are two tables: `errlog_last`, what was found since the last
scrub and by it, and `errlog_scrub`, what the scrub that is running finds. When it ends the second takes the place of the
first: so an error is forgotten when a scrub does not find it any more.

Left out: names kept with the errors; of a block that cannot be reached because one above it cannot be read, the level of
that other block. Follows `spa_errlog.c` of illumos as of 12 August 2011.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from smartos.zfs.errors import ZfsError
from smartos.zfs.format import types as dmu
from smartos.zfs.read.dsl import ERRLOG_LAST, ERRLOG_SCRUB, POOL_DIRECTORY_OBJECT

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

MASK = (1 << 64) - 1
Key = tuple[int, int, int, int]


def name_of(key: Key) -> str:
    """`bookmark_to_name`."""
    return ":".join(f"{each & MASK:x}" for each in key)


def key_of(name: str) -> Key:
    """`name_to_bookmark`. Raises ValueError for what is no bookmark."""
    objset, number, level, block = (int(each, 16) for each in name.split(":"))
    return objset, number, level, block


class ErrorLog:
    """The log of an open pool: what is on disk, and what is noted and not yet on disk."""

    def __init__(self, spa: "SpaCore") -> None:
        self.spa = spa
        self.last_object = self.scrub_object = 0
        self._last: dict[Key, None] = {}
        self._scrub: dict[Key, None] = {}
        self._finished = False

    def load(self) -> None:
        """Find the tables of a pool that is being opened."""
        directory = self.spa.dp.mos.zap(POOL_DIRECTORY_OBJECT)
        self.last_object, self.scrub_object = directory.get(ERRLOG_LAST) or 0, directory.get(ERRLOG_SCRUB) or 0

    @property
    def pending(self) -> bool:
        """Whether something is to be written."""
        return bool(self._last or self._scrub or self._finished)

    def note(self, objset: int, number: int, level: int, block: int) -> None:
        """`spa_log_error`: a block could not be read, of an object of a dataset (0 for the MOS)."""
        scan = getattr(self.spa, "scan", None)
        if scan is None:
            return  # the pool is being opened
        key = (objset, number & MASK, level & MASK, block)
        (self._scrub if scan.running or self._finished else self._last)[key] = None

    def rotate(self) -> None:
        """`spa_errlog_rotate`: a scan has ended."""
        self._finished = True

    def keys(self) -> list[Key]:
        """`spa_get_errlog`: every error that is known, each once."""
        found = self._stored(self.scrub_object)
        if not self._finished:
            found += self._stored(self.last_object)
        return list(dict.fromkeys([*found, *self._scrub, *self._last]))

    def _stored(self, number: int) -> list[Key]:
        try:
            return [key_of(name) for name in self.spa.dp.mos.zap(number).entries] if number else []
        except (ZfsError, ValueError):
            return []  # the log itself is damaged

    def sync(self) -> None:
        """`spa_errlog_sync`: write what was noted, and rotate the tables after a scan."""
        if not self.pending:
            return
        last, scrub, finished = self._last, self._scrub, self._finished
        self._last, self._scrub, self._finished = {}, {}, False
        mos = self.spa.dp.mos
        self.last_object = self._write(self.last_object, last)
        if finished:
            if self.last_object:
                mos.free(self.last_object)
            self.last_object, self.scrub_object = self._write(self.scrub_object, scrub), 0
        else:
            self.scrub_object = self._write(self.scrub_object, scrub)
        mos.zap_put(POOL_DIRECTORY_OBJECT, ERRLOG_LAST, self.last_object)
        mos.zap_put(POOL_DIRECTORY_OBJECT, ERRLOG_SCRUB, self.scrub_object)

    def _write(self, number: int, keys: Iterable[Key]) -> int:
        """`sync_error_list`: put errors into a table, which is made for the first; gives its object."""
        mos = self.spa.dp.mos
        for key in keys:
            number = number or mos.zap_create(dmu.ERROR_LOG)
            mos.zap_put(number, name_of(key), "")
        return number
