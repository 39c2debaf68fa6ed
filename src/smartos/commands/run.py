"""Find a command by its name and run it; what fails on purpose becomes its message and its status.

A line may send what a command writes into a file (`>`), have it read one (`<`), and hand one command's output to a
second (`|`), which is what `zfs send` and `zfs receive` want. Files are named from the system's folder on. A list of
words is taken as it is.

Left out: the rest of a shell: appending, more than one pipe, variables, patterns, several commands in a line.
"""

import importlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from smartos.commands.output import CommandError, Output
from smartos.commands.system import System
from smartos.zfs.errors import ZfsError
from smartos.zfs.txg import PoolSuspended

COMMANDS = {
    "zpool": "zpool:main", "zfs": "zfs:main", "zdb": "zdb:main", "dtrace": "dtrace:main", "mkfile": "files:mkfile",
    **{name: f"files:{name}" for name in ("cat", "cp", "ls", "mkdir", "rm")},
}  # fmt: skip


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
    stdin: Callable[[], bytes] | None = None,
    terminal: bool = True,
) -> Output:
    """Run a command line, or its words, on a :class:`System`; without one, on that of the current folder's cache file.

    `stdin` gives what is to be read, where that is not a terminal; `terminal` says whether the output goes to one.
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
        if len(lines) == 1:
            return _one(lines[0], system, stdin, terminal)
        first = _one(lines[0], system, stdin, False)
        then = _one(lines[1], system, lambda: first.stdout, terminal)
        return Output(then.out, first.err + then.err, then.status, then.data)
    finally:
        if own:
            system.close()


def _one(line: Line, system: System, stdin: Callable[[], bytes] | None, terminal: bool) -> Output:
    """One command, with its files."""
    if line.source:
        try:
            data = system.path(line.source).read_bytes()
        except OSError as error:
            return Output(err=f"sh: {line.source}: cannot open: {error.strerror}\n", status=1)
        stdin = lambda: data  # noqa: E731 - a function of nothing, as the caller's
    target = system.path(line.target) if line.target else None
    if target is not None and (owner := system.device(target)):
        return Output(err=f"sh: {line.target}: cannot create: it is part of pool '{owner}'\n", status=1)
    done = _call(line.words, system, stdin, terminal and not line.target)
    if target is None or (done.status and not done.stdout):
        return done
    return _store(done, target, line.target, system)


def _store(done: Output, target: Path, name: str, system: System) -> Output:
    """Put what a command wrote into a file, which is no disk that is in use, in a turn of its own."""

    def work() -> Output:
        if owner := system.device(target):
            return Output(err=f"sh: {name}: cannot create: it is part of pool '{owner}'\n", status=1)
        target.write_bytes(done.stdout)
        return Output(err=done.err, status=done.status)

    try:
        return system.turn.have(["cp", name], work)
    except CommandError as error:
        return Output(err=f"{error}\n", status=error.status)
    except OSError as error:
        return Output(err=f"sh: {name}: cannot create: {error.strerror}\n", status=1)


def _whole(stdin: Callable[[], bytes]) -> Callable[[], bytes]:
    """Read a stream to its end before the turn: who sends it may want a turn, too."""
    data = stdin()
    return lambda: data


def _call(words: list[str], system: System, stdin: Callable[[], bytes] | None, terminal: bool) -> Output:
    name = words[0] if words else ""
    if name not in COMMANDS:
        return Output(err=f"{name}: not found; there are {', '.join(COMMANDS)}\n", status=127)
    module, _, function = COMMANDS[name].partition(":")
    if name == "zfs" and words[1:2] and words[1] in ("receive", "recv") and stdin is not None:
        stdin = _whole(stdin)
    system.stdin, system.terminal = stdin, terminal
    command = getattr(importlib.import_module(f"smartos.commands.{module}"), function)
    try:
        if name == "dtrace":
            return command(words[1:], system)  # the commands of -c and system() have their turns
        done = system.turn.have(words, lambda: command(words[1:], system))
        notes, system.notes = system.notes, ""
        return replace(done, err=notes + done.err) if notes else done
    except CommandError as error:
        return Output(error.out, f"{error}\n", error.status)
    except PoolSuspended as error:
        return Output(err=f"{name}: {error}; see 'zpool status'\n", status=1)
    except (ZfsError, OSError) as error:
        return Output(err=f"{name}: {error}\n", status=1)
    finally:
        system.stdin, system.terminal = None, True
