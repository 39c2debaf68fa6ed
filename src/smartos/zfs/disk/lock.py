"""One writer at a time: locks on the files in which a pool's devices are.

A command has its turn with all the files that it may touch: a reader together with other readers, a writer alone. The
locks are those of flock(2), on the files themselves. So whoever reaches a pool by another path, another name or another
cache file meets the same lock, and the system takes it back from a process that ends, however it ends. All files of a
turn are locked in one order, that of their inodes, and by nobody who has others already: two who wait cannot wait for
each other.

Nothing is written in a reader's turn. A reader that has something to write after all (a bad copy to be mended, a disk
that is gone to be noted) is stopped by :class:`WantsWrite`, and begins anew as a writer.

Left out: platforms without flock(2) (Windows, a browser) and file systems that refuse it have one process, and no lock
between several. Two hosts on one network file system are as safe as that file system's flock.
"""

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

try:
    import fcntl
except ImportError:  # a browser's Python, Windows
    fcntl = None


class WantsWrite(BaseException):
    """Something is to be written, and what the reader has read is not true any more. No :class:`Exception`, so that
    nobody takes it for a disk's failure; whoever gave the turn catches it."""


class Lock:
    """The turn of one user of the files: none, a reader's, or a writer's."""

    def __init__(self) -> None:
        self.held = self.exclusive = False
        self._files: list[int] = []

    def take(self, paths: Iterable[Path], exclusive: bool, waits: Callable[[Path], None]) -> None:
        """Lock those of the paths that are there, and return when all are. `waits` is told of the first that another
        has. What it raises, and Ctrl-C, ends the waiting, and nothing is locked then."""
        paths = list(paths)
        told: list[Path] = []

        def tell(path: Path) -> None:
            if not told:
                told.append(path)
                waits(path)

        try:
            while not self._all(paths, exclusive, tell):
                self.release()
        except BaseException:
            self.release()
            raise
        self.held, self.exclusive = True, exclusive

    def _all(self, paths: list[Path], exclusive: bool, tell: Callable[[Path], None]) -> bool:
        """Lock all once; False when a path names another file by then."""
        found: dict[tuple[int, int], tuple[int, Path]] = {}
        for path in paths if fcntl else ():
            with contextlib.suppress(OSError):
                file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                self._files.append(file)
                stat = os.fstat(file)
                found.setdefault((stat.st_dev, stat.st_ino), (file, path))
        for _, (file, path) in sorted(found.items()):
            _flock(file, exclusive, lambda path=path: tell(path))
        return all(_inode(path) == inode for inode, (_, path) in found.items())

    def release(self) -> None:
        """Give the turn back."""
        for file in self._files:
            os.close(file)
        self._files, self.held, self.exclusive = [], False, False


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _flock(file: int, exclusive: bool, waits: Callable[[], None]) -> None:
    """Lock an open file, after a while if need be; a file system that knows no locks is left alone."""
    how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        waits()
        fcntl.flock(file, how)
    except OSError:
        return
