"""Processes that dtrace(1M) starts: the command of `-c`, and those of the action system().

A command is one of this system's own (`zpool`, `zfs`, `dtrace` …), or one of a few small ones that scripts use. The
command of `-c` acts as a process with the number `$target`: what the models do meanwhile, it did. Left out: shells
beyond one command with `;` or `&&` between several.
"""

import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from smartos.commands.run import COMMANDS, run
from smartos.commands.system import System
from smartos.output import Output
from smartos.probes import acting

TARGET = 4712


class Missing(LookupError):
    """There is no such command."""


def _echo(words: list[str]) -> Output:
    newline = words[:1] != ["-n"]
    return Output(" ".join(words if newline else words[1:]) + "\n" * newline)


def _ping(words: list[str]) -> Output:
    """ping(1M) without a network: this system answers itself, and nobody else does."""
    hosts = [word for word in words if not word.startswith("-")]
    if not hosts:
        return Output(err="usage: ping host [timeout]\n", status=1)
    if hosts[0] in ("localhost", "127.0.0.1", "::1", "smartos"):
        return Output(f"{hosts[0]} is alive\n")
    return Output(f"ping: unknown host {hosts[0]}\n", status=1)


def environment(options: Mapping[str, object]) -> dict[str, str]:
    """The environment of the command of `-c`: what `-x setenv` and `-x unsetenv` make of it."""
    found = {"LD_NOLAZYLOAD": "1", "PATH": "/usr/bin:/usr/sbin", "SHELL": "/bin/bash", "USER": "root"}
    for name in options.get("unsetenv", ()):  # type: ignore[attr-defined]
        found.pop(str(name), None)
    for text in options.get("setenv", ()):  # type: ignore[attr-defined]
        name, _, value = str(text).partition("=")
        found[name] = value
    return found


def small(now: Callable[[], int], env: Mapping[str, str] | None = None) -> dict[str, Callable[[list[str]], Output]]:
    """The small commands. `now` gives nanoseconds since 1970, for date(1); `env` is what printenv(1) prints of."""

    def date(words: list[str]) -> Output:
        moment = datetime.fromtimestamp(now() // 10**9, UTC)
        if words and words[0].startswith("+"):
            return Output(moment.strftime(words[0][1:]) + "\n")
        return Output(f"{moment:%a %b} {moment.day:2} {moment:%H:%M:%S UTC %Y}\n")

    def printenv(words: list[str]) -> Output:
        known = dict(env or {})
        if not words:
            return Output("".join(f"{name}={value}\n" for name, value in known.items()))
        return Output(f"{known[words[0]]}\n") if words[0] in known else Output(status=1)

    nothing = lambda _: Output()  # noqa: E731 - a function of nothing, as the others
    return {"echo": _echo, "ping": _ping, "printenv": printenv, "date": date, "true": nothing, "sleep": nothing, ":": nothing,
            "false": lambda _: Output(status=1)}  # fmt: skip


def command(words: list[str], system: System, now: Callable[[], int], env: Mapping[str, str] | None = None) -> Output:
    """Run one command. Raises :class:`Missing`."""
    name = words[0].rpartition("/")[2] if words else ""
    own = small(now, env)
    if name in own:
        return own[name](words[1:])
    if name not in COMMANDS:
        raise Missing(words[0] if words else "")
    return run([name, *words[1:]], system, terminal=False)


def child(
    text: str, system: System, now: Callable[[], int], env: Mapping[str, str] | None = None
) -> tuple[list[str], Callable[[], Output]]:
    """The command of `-c` and how to run it. Raises :class:`Missing` at once when there is none."""
    words = text.split()
    name = words[0].rpartition("/")[2] if words else ""
    if name not in COMMANDS and name not in small(now):
        raise Missing(words[0] if words else text)

    def start() -> Output:
        from smartos.idle_node import points

        with acting(pid=TARGET, ppid=TARGET - 1, tid=1, uid=0, gid=0, execname=name[:16], zonename="global"):
            _tell(points.PROC["exec-success"])
            done = command(words, system, now, env)
            entry, _ = points.SYSCALLS["write"]
            if done.stdout and entry.listeners:
                entry.fire(1, 0x8047000, len(done.stdout))
            _tell(points.SYSCALLS["rexit"][0], done.status)
            _tell(points.PROC["exit"], 1)
        return done

    return words, start


def _tell(probe: object, *args: object) -> None:
    if probe.listeners:  # type: ignore[attr-defined]
        probe.fire(*args)  # type: ignore[attr-defined]


def shell(text: str, system: System, now: Callable[[], int]) -> str:
    """What system() runs: its output, and what sh(1) says of a command that there is not."""
    out = []
    for part in text.replace("&&", ";").split(";"):
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        if not words:
            continue
        try:
            done = command(words, system, now)
            out.append(done.out + done.data.decode("latin-1") + done.err)
        except Missing:
            out.append(f"sh: {words[0]}: not found\n")
    return "".join(out)
