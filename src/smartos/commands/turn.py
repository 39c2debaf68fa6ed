"""A command's turn: the lock on the files that it may touch, shared by those that read, and alone for one that writes.

A command locks the folder of the cache file, so that no other changes the list of pools meanwhile; then, all at once,
the devices of the pools in that list and of those that the system has without it, and the files that its words name
(a disk that is to be made part of a pool; with `zpool import` whole folders). So what it was checked to be, a file
still is when it is written. While it waits it says so. What a command reads from others, the stream of `zfs receive`,
it has before it takes its turn: it never makes anybody wait while it waits itself.

Left out: turns for one pool of several: a command has its turn with all pools of the system.
"""

import contextlib
import getopt
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smartos.commands.device_files import large_enough
from smartos.output import CommandError, Output
from smartos.zfs.disk.lock import Lock, WantsWrite
from smartos.zfs.errors import ZfsError

if TYPE_CHECKING:
    from smartos.commands.system import System

READS = {
    "zpool": ("get", "history", "iostat", "list", "status", "upgrade"), "zfs": ("get", "list", "send", "upgrade"),
    "zdb": (), "ls": (), "cat": (), "mkfile": (), "": (),
}  # fmt: skip
INTERRUPTED = 130  # 128 and the number of SIGINT: the status of a command that Ctrl-C ended


def reads(words: Sequence[str]) -> bool:
    """Whether a command only reads what is in pools."""
    name, rest = words[0] if words else "", words[1:]
    if name in ("cp", "mkdir"):
        return not any(":/" in word for word in (rest[-1:] if name == "cp" else rest))
    if name == "zpool" and rest[:1] == ["import"]:
        return _lists(rest[1:])
    return name in READS and (not READS[name] or not rest or rest[0] in READS[name])


def _lists(words: Sequence[str]) -> bool:
    """Whether `zpool import` with these words only says what there is."""
    try:
        options, rest = getopt.getopt(list(words), "ad:DfFNo:R:")
    except getopt.GetoptError:
        return True  # it is refused
    return not rest and "-a" not in dict(options)


def named(system: "System", words: Sequence[str]) -> Iterator[Path]:
    """The files among a command's words that may be disks: of `import` and zdb, those in the folders, too."""
    name = words[0] if words else ""
    if name not in ("zpool", "zdb", "mkfile", "rm", "cp"):
        return
    importing = list(words[:2]) == ["zpool", "import"]
    places = [system.path(word) for word in (words[-1:] if name == "cp" else words[1:]) if "\0" not in word]
    for place in [*places, system.folder] if importing else places:
        try:
            folder = place.is_dir() and (importing or name == "zdb")
            for each in place.iterdir() if folder else [place]:
                if large_enough(each):
                    yield each
        except OSError:
            continue


class Turn:
    """The turn of a system's commands. `say` is told, in a line, for what one waits."""

    def __init__(self, system: "System") -> None:
        self.system = system
        self.say: Callable[[str], object] = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: T201
        self._list, self._disks = Lock(), Lock()
        self._words: Sequence[str] = ()
        self._taken: set[Path] = set()
        self._awaited = ""

    @property
    def held(self) -> bool:
        """Whether a command has it."""
        return self._disks.held

    @property
    def exclusive(self) -> bool:
        """Whether that command may write."""
        return self._disks.exclusive

    def have(self, words: Sequence[str], work: Callable[[], Output]) -> Output:
        """Do a command's work in its turn. A command within a command (`dtrace -c`) is in the turn of that.

        Raises :class:`CommandError` when Ctrl-C ends the waiting.
        """
        if self.held:
            return work()
        try:
            return self._once(words, not reads(words), work)
        except WantsWrite:
            return self._once(words, True, work)

    def _once(self, words: Sequence[str], exclusive: bool, work: Callable[[], Output]) -> Output:
        self._take(words, exclusive)
        try:
            self.system.refresh()
            while not self._covered():  # a pool has more devices than the cache file knew
                self._release()
                self._take(words, exclusive)
                self.system.refresh()
            done = work()
            self.system.settle()
            return done
        except MemoryError:
            self.system.stale = True  # a change may be half in memory: nothing of it is written
            raise
        except Exception:
            self._settle()
            raise
        except BaseException:
            self.system.stale = True  # it was stopped in the middle: what is in memory is worth nothing
            raise
        finally:
            self._release()

    def _settle(self) -> None:
        """Keep what a command found out that failed, if the pools take it; its own failure is told."""
        with contextlib.suppress(CommandError, ZfsError):
            self.system.settle()

    def write(self) -> None:
        """Before anything is written: see to it that the turn is a writer's. Without a turn, that is the caller's care.

        Raises :class:`WantsWrite` when a reader has to begin anew as a writer.
        """
        if not self.held or self.exclusive:
            return
        self._release()
        self._take(self._words, True)
        if self.system.changed():
            raise WantsWrite

    def _take(self, words: Sequence[str], exclusive: bool) -> None:
        self._words = words
        try:
            self._list.take(self.system.cache.folders(), exclusive, self._waits)
            self._taken = {*self.system.device_files(), *named(self.system, words)}
            self._disks.take(self._taken, exclusive, self._waits)
        except KeyboardInterrupt:
            self._release()
            self.system.stale = True
            raise CommandError(
                f"{self._command}: gave up waiting for {self._awaited}; nothing was changed", INTERRUPTED
            ) from None
        except BaseException:
            self._release()
            raise

    def _covered(self) -> bool:
        """Whether the locks are on all devices that there are."""
        return set(self.system.device_files()) <= self._taken

    def _release(self) -> None:
        self._disks.release()
        self._list.release()

    @property
    def _command(self) -> str:
        return self._words[0] if self._words else "smartos"

    def _waits(self, path: Path) -> None:
        folder = path in self.system.cache.folders()
        self._awaited = self.system.cachefile.name if folder else self.system.shown(self.system.device_name(path))
        self.say(f"{self._command}: waiting for another command to be done with {self._awaited}; Ctrl-C gives up")
