"""The subroutines that DIF calls, by number; here the small ones, about numbers, processes and speculations.

A subroutine takes the run and the values of the tuple stack, and returns the register's new value, or None to leave it.
It raises Fault. An argument that was not pushed is 0: the real one reads whatever the tuple register held.

The others are in :mod:`~smartos.dtrace.vm.subr_strings`, `subr_paths`, `subr_json`, `subr_net`, `subr_copy` and
`subr_locks`. Follows `dtrace_dif_subr`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from smartos.dtrace.dif import Subr

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run

Subroutine = Callable[["Run", list[int]], int | None]


def arg(args: list[int], number: int) -> int:
    """An argument, 0 if it was not passed."""
    return args[number] if number < len(args) else 0


def rand(run: "Run", args: list[int]) -> int:
    """The next number below 1771875 of the generator whose constants the kernel has; the kernel feeds it the time."""
    machine = run.machine
    machine.random = (machine.random * 2416 + 374441) % 1771875
    return machine.random


def speculation(run: "Run", args: list[int]) -> int:
    """The number of a free speculation, or 0."""
    return run.machine.speculation()


def progenyof(run: "Run", args: list[int]) -> int:
    """Whether the process is the one given, or comes from it; the context's `ancestors` say from whom it comes.

    Processes 1 and 0 are behind all others.
    """
    frame, pid = run.frame, arg(args, 0) & 0xFFFFFFFF
    line = (frame.get("pid"), frame.get("ppid"), *(frame.context.get("ancestors") or ()), 1 if frame.get("pid") else 0, 0)
    return int(pid in line)


def getmajor(run: "Run", args: list[int]) -> int:
    """The major number of a 64-bit dev_t."""
    return arg(args, 0) >> 32 & 0xFFFFFFFF


def getminor(run: "Run", args: list[int]) -> int:
    """The minor number of a 64-bit dev_t."""
    return arg(args, 0) & 0xFFFFFFFF


def _swap(size: int) -> Subroutine:
    def swap(run: "Run", args: list[int]) -> int:
        value = arg(args, 0) & (1 << 8 * size) - 1
        return int.from_bytes(value.to_bytes(size, "little"), "big")

    return swap


def getf(run: "Run", args: list[int]) -> int:
    """The file structure of a descriptor: the context's `files`, a mapping, says which object that is."""
    files = run.frame.context.get("files") or {}
    return run.frame.word(files.get(arg(args, 0)))


SUBROUTINES: dict[int, Subroutine] = {
    Subr.RAND: rand, Subr.SPECULATION: speculation, Subr.PROGENYOF: progenyof, Subr.GETF: getf,
    Subr.GETMAJOR: getmajor, Subr.GETMINOR: getminor,
    Subr.HTONS: _swap(2), Subr.HTONL: _swap(4), Subr.HTONLL: _swap(8),
    Subr.NTOHS: _swap(2), Subr.NTOHL: _swap(4), Subr.NTOHLL: _swap(8),
}  # fmt: skip


def load() -> dict[int, Subroutine]:
    """All subroutines."""
    from smartos.dtrace.vm import subr_copy, subr_json, subr_locks, subr_net, subr_paths, subr_strings

    for module in (subr_copy, subr_json, subr_locks, subr_net, subr_paths, subr_strings):
        SUBROUTINES.update(module.SUBROUTINES)
    return SUBROUTINES
