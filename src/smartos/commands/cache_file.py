"""The cache file, /etc/zfs/zpool.cache of the real system: an nvlist with the configuration of each pool.

It is replaced whole, so that neither a full disk nor a command that is killed leaves half of it. Left out: several cache
files of one system. Follows `spa_config_write` of `spa_config.c` of illumos as of 12 August 2011.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from smartos.output import CommandError
from smartos.zfs.errors import CorruptPool, Unsupported
from smartos.zfs.format import nvlist
from smartos.zfs.format.nvlist import NVList


class CacheFile:
    """The file at `path`; None for a system without one."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def folders(self) -> list[Path]:
        """The folder that the file itself is in, links followed; nothing without one."""
        return [] if self.path is None else [Path(os.path.realpath(self.path)).parent]

    def read(self) -> bytes:
        """What is in it; nothing when it is not there. Raises :class:`CommandError` when it is no file to be read."""
        if self.path is None:
            return b""
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise self.wrong("not a regular file")
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise self.wrong(error.strerror) from None

    def configs(self, data: bytes) -> Mapping[str, NVList]:
        """The configuration of each pool. Raises :class:`CommandError` when these are no cache file's bytes."""
        try:
            return nvlist.unpack(data) if data else {}
        except (CorruptPool, Unsupported) as error:
            raise self.wrong(error) from None

    def wrong(self, error: object) -> CommandError:
        """That it is no cache file."""
        return CommandError(f"{self.path} is no cache file ({error}); move it away and import the pools")

    def write(self, configs: Mapping[str, NVList], data: bytes) -> None:
        """Put a new file in the place of the old one, whole or not at all; none when there are no pools.

        Raises :class:`CommandError` when the host does not take it.
        """
        target = self.path.resolve()
        made = target.with_name(f"{target.name}.tmp")
        try:
            if not configs:
                target.unlink(missing_ok=True)
                return
            made.write_bytes(data)
            os.replace(made, target)
        except OSError as error:
            made.unlink(missing_ok=True)
            raise CommandError(f"cannot write {self.path}: {error.strerror}; the list of pools stays as it was") from None
