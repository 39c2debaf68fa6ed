"""Find a command by its name and run it; what fails on purpose becomes its message and its status.

A line may send what a command writes into a file (`>`), have it read one (`<`), and hand one command's output to a
second (`|`), which is what `zfs send` and `zfs receive` want; what goes through the pipe is made as the second takes
it. Files are named from the system's folder on. A list of words is taken as it is.

Left out: the rest of a shell: appending, more than one pipe, variables, patterns, several commands in a line.
"""

import errno
import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from smartos.commands.system import System
from smartos.output import CommandError, Output
from smartos.zfs.errors import ZfsError
from smartos.zfs.live.txg import PoolSuspended
from smartos.zfs.stream.replay import Read

Command = Callable[[Sequence[str], System], Output]
FILES = ("mkfile", "cat", "cp", "ls", "mkdir", "rm")
COMMANDS = ("zpool", "zfs", "zdb", "dtrace", *FILES)


def load(name: str) -> Command:
    """The function of one of :data:`COMMANDS`. Its module is imported when it is first called, as a page wants it."""
    match name:
        case "zpool":
            from smartos.commands.zpool.main import main
        case "zfs":
            from smartos.commands.zfs.main import main
        case "zdb":
            from smartos.commands.zdb.main import main
        case "dtrace":
            from smartos.commands.dtrace.main import main
        case _:
            from smartos.commands import files

            main = {file.__name__: file for file in (files.mkfile, files.cat, files.cp, files.ls, files.mkdir, files.rm)}[name]
    return main


@dataclass
class Line:
    """One command of a line: its words, and the files that its input comes from and its output goes to."""

    words: list[str] = field(default_factory=list)
    source: str = ""
    target: str = ""


def parse(command: str) -> list[Line]:
    """The commands of a line. Raises :class:`CommandError` for what is not understood."""
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars="<>|")
        lexer.whitespace_split, lexer.commenters = True, ""
        words = list(lexer)
    except ValueError as error:
        raise CommandError(f"sh: {error}: close the quotation", 2) from None
    lines, at = [Line()], 0
    while at < len(words):
        word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
        if word == "|":
            lines.append(Line())
        elif word in ("<", ">"):
            if not following or set(following) <= set("<>|"):
                raise CommandError(f"sh: syntax error: '{word}' wants a file's name behind it", 2)
            setattr(lines[-1], "source" if word == "<" else "target", following)
            at += 1
        elif word and set(word) <= set("<>|"):
            raise CommandError(f"sh: syntax error: '{word}' is not understood here; there are '<', '>' and one '|'", 2)
        else:
            lines[-1].words.append(word)
        at += 1
    if len(lines) > 2 or (len(lines) == 2 and (lines[0].target or lines[1].source or not all(x.words for x in lines))):
        raise CommandError("sh: syntax error: a line has at most two commands, 'command | command'", 2)
    return lines


def run(
    command: str | Sequence[str],
    system: System | None = None,
    *,
    stdin: Read | None = None,
    terminal: bool = True,
    stdout: Callable[[bytes], object] | None = None,
) -> Output:
    """Run a command line, or its words, on a :class:`System`; without one, on that of the current folder's cache file.

    `stdin` reads so many bytes, where the input is not a terminal; `terminal` says whether the output goes to one. What
    is too long to be kept goes to `stdout` as it comes, if there is one: the stream of `zfs send`.
    A command that fails gives an :class:`Output` with its message and status; it raises nothing for bad input.
    """
    try:
        lines = parse(command) if isinstance(command, str) else [Line(list(command))]
    except CommandError as error:
        return Output(err=f"{error}\n", status=error.status)
    if not any(line.words for line in lines):
        return Output()
    own = system is None
    try:
        system = System(load=False) if system is None else system
    except CommandError as error:
        return Output(err=f"{error}\n", status=error.status)
    try:
        done = _one(lines[0], system, stdin, terminal) if len(lines) == 1 else _piped(lines, system, stdin, terminal)
        return done.flown(stdout)
    finally:
        if own:
            system.close()


class Pipe:
    """One command's output as the next one's input. `trouble` is what went wrong on the way."""

    def __init__(self, source: Output) -> None:
        self.pieces = iter((source.stdout,) if source.flow is None else source.flow)
        self.left, self.trouble = b"", ""

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        while len(self.left) < size and (piece := self._piece()) is not None:
            self.left += piece
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    def _piece(self) -> bytes | None:
        try:
            return next(self.pieces, None)
        except ZfsError as error:
            self.trouble = f"warning: {error}\n"
            return None


def _piped(lines: list[Line], system: System, stdin: Read | None, terminal: bool) -> Output:
    """Two commands, of which the second reads what the first writes."""
    first = _one(lines[0], system, stdin, False)
    pipe = Pipe(first)
    then = _one(lines[1], system, pipe.read, terminal).flown()
    return Output(then.out, first.err + pipe.trouble + then.err, then.status, then.data)


def _one(line: Line, system: System, stdin: Read | None, terminal: bool) -> Output:
    """One command, with its files."""
    target = system.path(line.target) if line.target else None
    if target is not None and (owner := system.device(target)):
        return Output(err=f"sh: {line.target}: cannot create: it is part of pool '{owner}'\n", status=1)
    with ExitStack() as files:
        if line.source:
            try:
                stdin = files.enter_context(system.path(line.source).open("rb")).read
            except OSError as error:
                return Output(err=f"sh: {line.source}: cannot open: {error.strerror}\n", status=1)
        done = _call(line.words, system, stdin, terminal and not line.target)
        if target is None or (done.status and not done.stdout):
            return done
        return _store(done, target, line.target, system)


def _store(done: Output, target: Path, name: str, system: System) -> Output:
    """Put what a command wrote into a file, which is no disk that is in use, in a turn of its own."""

    def work() -> Output:
        if owner := system.device(target):
            return Output(err=f"sh: {name}: cannot create: it is part of pool '{owner}'\n", status=1)
        with target.open("wb") as file:
            file.write(done.stdout)
            flown = done.flown(file.write)
        return Output(err=flown.err, status=flown.status)

    try:
        return system.turn.have(["cp", name], work)
    except CommandError as error:
        return Output(err=f"{error}\n", status=error.status)
    except OSError as error:
        return Output(err=f"sh: {name}: cannot create: {error.strerror}\n", status=1)


def _call(words: list[str], system: System, stdin: Read | None, terminal: bool) -> Output:
    name = words[0] if words else ""
    if name not in COMMANDS:
        return Output(err=f"{name}: not found; there are {', '.join(COMMANDS)}\n", status=127)
    command = load(name)
    try:
        with ExitStack() as files:
            if name == "zfs" and words[1:2] and words[1] in ("receive", "recv") and stdin is not None:
                from smartos.commands.zfs.stream import spooled

                stdin = files.enter_context(spooled(stdin)).read  # who sends it may want a turn, too
            system.stdin, system.terminal = stdin, terminal
            if name == "dtrace":
                return command(words[1:], system)  # the commands of -c and system() have their turns
            done = system.turn.have(words, lambda: command(words[1:], system))
            notes, system.notes = system.notes, ""
            return replace(done, err=notes + done.err) if notes else done
    except CommandError as error:
        return Output(error.out, f"{error}\n", error.status)
    except PoolSuspended as error:
        return Output(err=f"{name}: {error}; see 'zpool status'\n", status=1)
    except ZfsError as error:
        return Output(err=f"{name}: {error}\n", status=1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return Output(err=f"{name}: {where}{error.strerror or error}\n", status=1)
    except MemoryError:
        return Output(err=f"{name}: {os.strerror(errno.ENOMEM)}\n", status=1)
    finally:
        system.stdin, system.terminal = None, True
