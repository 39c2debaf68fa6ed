"""UNIX commands for what the pools need: `mkfile` makes disks; `cp`, `ls`, `cat`, `rm`, `mkdir` reach files inside.

Nothing is mounted here, so a file in a filesystem, or in a snapshot of one, is named `dataset:/path`; other names are
files of the host, from the system's folder on. Left out: most options, patterns, whole trees (`cp -r`, `rm -r`),
other kinds of files. Follows the manual pages of illumos, mkfile(1M) among them.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from smartos.commands.system import System
from smartos.commands.text import Usage
from smartos.commands.zfs import props as zfs_props
from smartos.commands.zfs.table import FILESYSTEM, SNAPSHOT
from smartos.output import CommandError, Output
from smartos.zfs.errors import (
    Busy,
    ChecksumError,
    Exists,
    InvalidName,
    NameTooLong,
    NoSpace,
    NoSuchName,
    PoolFaulted,
    ReadOnly,
    ZfsError,
)  # fmt: skip
from smartos.zfs.live.txg import PoolSuspended
from smartos.zfs.live.zpl import Zpl

CHUNK = 1 << 20
PIECE = 8 << 20  # so much of a file cp(1) maps at a time
USAGE = Usage(
    "",
    {
        "mkfile": ("mkfile [-nv] <size>[g|k|b|m] <name> ...",), "cat": ("cat <file> ...",),
        "cp": ("cp <file> <file|directory>",), "ls": ("ls [-l] [file|directory] ...",), "mkdir": ("mkdir [-p] <dir> ...",),
        "rm": ("rm [-f] <file> ...",),
    },
)  # fmt: skip


@dataclass
class Place:
    """A file: on the host, or in a filesystem `fs`."""

    operand: str
    path: str
    fs: Zpl | None = None

    def is_dir(self) -> bool:
        """Whether it is a directory."""
        if self.fs is None:
            return Path(self.path).is_dir()
        return self.fs.exists(self.path) and self.fs.stat(self.path).is_dir

    def pieces(self) -> Iterator[bytes]:
        """Its bytes: of a file of the host piece by piece, as it may have no end; of one in a pool at once, as nothing of
        a file that is damaged is to be copied. Raises OSError, :class:`ZfsError`, before anything is given."""
        if self.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if self.fs is not None:
            return iter((self.fs.read(self.path),))
        return _pieces(Path(self.path).open("rb"))

    def same(self, other: "Place") -> bool:
        """Whether this is one file with another."""
        if self.fs is None or other.fs is None:
            return self.fs is other.fs and os.path.exists(other.path) and os.path.samefile(self.path, other.path)
        if self.fs.dataset.name != other.fs.dataset.name or not other.fs.exists(other.path):
            return False
        return self.fs.lookup(self.path) == other.fs.lookup(other.path)

    def below(self, name: str) -> "Place":
        """A file in this directory."""
        return Place(f"{self.operand.rstrip('/')}/{name}", f"{self.path.rstrip('/')}/{name}", self.fs)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def place(system: System, operand: str) -> Place:
    """What an operand names. Raises :class:`CommandError` when there is no such dataset."""
    dataset, path = split(system, operand)
    if not dataset:
        return Place(operand, str(system.path(operand)))
    pool, found = zfs_props.open_(system, dataset, FILESYSTEM, SNAPSHOT)
    opened = pool.open(found.name)
    if not isinstance(opened, Zpl):
        raise CommandError(f"cannot open '{dataset}': operation not applicable to datasets of this type")
    return Place(operand, path, opened)


def split(system: System, operand: str) -> tuple[str, str]:
    """A dataset and a path in it; no dataset when a file of the host is meant. Names of both kinds may have colons: the
    first `:/` behind the name of a dataset that exists ends it, or else the first."""
    places = [found.start() for found in re.finditer(":/", operand)]
    known = (at for at in places if at and zfs_props.find(system, operand[:at]))
    at = next(known, places[0] if places else 0)
    return operand[:at], operand[at + 1 :]


def reason(error: Exception) -> str:
    """Why something did not work, in the words of strerror(3C)."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ZfsError):
        return error.strerror
    for kind, text in (
        (NoSpace, "No space left on device"), (NoSuchName, "No such file or directory"), (Exists, "File exists"),
        (NameTooLong, "File name too long"), (InvalidName, "Invalid argument"), (ReadOnly, "Read-only file system"), (Busy, str(error).partition(": ")[2]),
        (PoolSuspended, "pool I/O is currently suspended; see 'zpool status'"),
        ((ChecksumError, PoolFaulted), "I/O error; 'zpool status -v' names the files that are damaged after a scrub"),
    ):  # fmt: skip
        if isinstance(error, kind):
            return text
    return f"I/O error ({error})"


def _fail(command: str, operand: str, error: Exception) -> CommandError:
    return CommandError(f"{command}: {operand}: {reason(error)}")


def _end(system: System) -> None:
    """Write what was changed; a command that had a reader's turn has changed nothing in a pool."""
    for pool in system.pools.values() if system.turn.exclusive else ():
        system.sync(pool)


def mkfile(words: Sequence[str], system: System) -> Output:
    """`mkfile [-nv] size[g|k|b|m] name ...`: files of a size; with -n only their last byte is written."""
    options, rest = USAGE.options("mkfile", words, "nv")
    flags = {letter for letter, _ in options}
    if len(rest) < 2:
        raise USAGE.fail("mkfile", "mkfile: missing size or file name")
    found = re.fullmatch(r"(\d+)([gkbm]?)", rest[0].lower())
    if not found:
        raise USAGE.fail("mkfile", f"mkfile: invalid size '{rest[0]}': a number, with g, k, b or m behind it")
    size = int(found[1]) * {"": 1, "b": 512, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[found[2]]
    out = ""
    for name in rest[1:]:
        path = system.path(name)
        if path.exists() and (owner := system.device(path)):
            raise CommandError(f"mkfile: {name}: it is part of pool '{owner}'; give another name")
        try:
            _make(path, size, "n" in flags)
        except OSError as error:
            raise _fail("mkfile", name, error) from None
        out += f"{name} {size} bytes\n" if "v" in flags else ""
    return Output(out)


def _make(path: Path, size: int, sparse: bool) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        if not sparse:
            zeros = bytes(min(CHUNK, size))
            for at in range(0, size, CHUNK):
                file.write(zeros[: size - at])
        file.truncate(size)


def cat(words: Sequence[str], system: System) -> Output:
    """`cat file ...`: the files' bytes."""
    _, rest = USAGE.options("cat", words, "")
    if not rest:
        raise USAGE.fail("cat", "cat: missing file name")
    files = []
    for operand in rest:
        try:
            files.append(place(system, operand).pieces())
        except (ZfsError, OSError) as error:
            raise _fail("cat", operand, error) from None
    return Output(flow=chain.from_iterable(files), quiet=True)


def cp(words: Sequence[str], system: System) -> Output:
    """`cp file file|directory`: in, out, or from one filesystem to another."""
    _, rest = USAGE.options("cp", words, "")
    if len(rest) < 2:
        raise USAGE.fail("cp", "cp: Insufficient arguments")
    *sources, last = rest
    target = place(system, last)
    if len(sources) > 1 and not target.is_dir():
        raise CommandError(f"cp: {last} not found: with several files the last operand is a directory")
    for operand in sources:
        try:
            source = place(system, operand)
            pieces = source.pieces()
            to = target.below(source.path.rstrip("/").rpartition("/")[2]) if target.is_dir() else target
            if source.same(to):
                raise CommandError(f"cp: {operand} and {to.operand} are identical")
        except (ZfsError, OSError) as error:
            raise _fail("cp", operand, error) from None
        try:
            _write(system, to, pieces)
        except (ZfsError, OSError) as error:
            _end(system)
            raise _fail("cp", to.operand, error) from None
    _end(system)
    return Output()


def _write(system: System, to: Place, pieces: Iterator[bytes]) -> None:
    if to.fs is not None:
        first = next(pieces, b"")
        to.fs.write(to.path, first)
        at = len(first)
        for piece in pieces:
            to.fs.write(to.path, piece, at)
            at += len(piece)
        return
    owner = system.device(Path(to.path))
    if owner:
        raise CommandError(f"cp: {to.operand}: it is part of pool '{owner}'; give another name")
    with Path(to.path).open("wb") as file:
        file.writelines(pieces)


def ls(words: Sequence[str], system: System) -> Output:
    """`ls [-l] [file|directory] ...`: names, or with -l mode, links, owner, size and name."""
    options, rest = USAGE.options("ls", words, "l")
    out = []
    for operand in rest or ["."]:
        try:
            where = place(system, operand)
            lines = _listed(where, bool(options))
        except (ZfsError, OSError) as error:
            raise _fail("ls", operand, error) from None
        title = f"{operand}:\n" if len(rest) > 1 and where.is_dir() else ""
        out.append(title + "".join(f"{line}\n" for line in lines))
    return Output("\n".join(out))


def _listed(where: Place, long: bool) -> list[str]:
    if where.fs is None:
        names = sorted(os.listdir(where.path)) if where.is_dir() else [where.operand]
        os.stat(where.path)
    else:
        names = where.fs.listdir(where.path) if where.is_dir() else [where.operand]
        where.fs.stat(where.path)
    if not long:
        return names
    each = [(name, where.below(name) if where.is_dir() else where) for name in names]
    return [f"{_long(one)} {name}" for name, one in each]


def _long(one: Place) -> str:
    if one.fs is None:
        found = os.stat(one.path)
        return f"{stat.filemode(found.st_mode)} {found.st_nlink:3} {found.st_uid:5} {found.st_gid:5} {found.st_size:9}"
    node = one.fs.stat(one.path)
    return f"{stat.filemode(node.mode)} {node.links:3} {node.uid:5} {node.gid:5} {node.size:9}"


def mkdir(words: Sequence[str], system: System) -> Output:
    """`mkdir [-p] dir ...`."""
    options, rest = USAGE.options("mkdir", words, "p")
    if not rest:
        raise USAGE.fail("mkdir", "mkdir: missing directory name")
    for operand in rest:
        try:
            where = place(system, operand)
            if where.fs is None:
                Path(where.path).mkdir(parents=bool(options), exist_ok=bool(options))
            else:
                _mkdir(where.fs, where.path, bool(options))
        except (ZfsError, OSError) as error:
            _end(system)
            raise _fail("mkdir", operand, error) from None
    _end(system)
    return Output()


def _mkdir(fs: Zpl, path: str, parents: bool) -> None:
    if not parents:
        fs.mkdir(path)
        return
    parts = path.strip("/").split("/")
    for depth in range(1, len(parts) + 1):
        above = "/" + "/".join(parts[:depth])
        if not fs.exists(above):
            fs.mkdir(above)


def rm(words: Sequence[str], system: System) -> Output:
    """`rm [-f] file ...`. A device of a pool that is in use is removed only with -f: that is how a disk is pulled."""
    options, rest = USAGE.options("rm", words, "f")
    if not rest:
        raise USAGE.fail("rm", "rm: missing file name")
    for operand in rest:
        try:
            where = place(system, operand)
            if where.fs is not None:
                where.fs.unlink(where.path)
            elif not options and (owner := system.device(Path(where.path), linked=False)):
                raise CommandError(f"rm: {operand}: it is part of pool '{owner}'; 'rm -f' pulls the disk all the same")
            else:
                Path(where.path).unlink()
        except (ZfsError, OSError) as error:
            _end(system)
            raise _fail("rm", operand, error) from None
    _end(system)
    return Output()
