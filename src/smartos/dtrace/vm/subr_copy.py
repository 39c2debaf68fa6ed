"""Subroutines that move bytes: alloca(), bcopy(), copyin(), copyinstr(), copyinto(), copyout(), copyoutstr().

The user's addresses are those of the process that acts: the context's `memory`, a :class:`~smartos.dtrace.vm.memory.Memory`
or another object with its `read`, `string` and `write`, and the machine's own memory if there is none. copyout() only
writes for a destructive program. Follows `dtrace_dif_subr` and `dtrace_copycheck` of amd64.
"""

from typing import TYPE_CHECKING, Any

from smartos.dtrace.dif import Subr
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.memory import TOP, USER_LIMIT
from smartos.dtrace.vm.subr import Subroutine, arg

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run


def _user(run: "Run", address: int, size: int) -> Any:
    """The process's memory, after looking whether the range is below the kernel's."""
    if address + size >= USER_LIMIT:
        raise Fault(FaultKind.BADADDR, address)
    return run.frame.get("memory") or run.memory


def alloca(run: "Run", args: list[int]) -> int:
    """Scratch space of so many bytes, aligned to eight."""
    return run.frame.allocate(arg(args, 0), 8)


def _in_scratch(run: "Run", address: int, size: int) -> None:
    """Fault unless the bytes are in scratch space that was allocated."""
    base = run.machine.scratch.base
    if not base <= address <= address + size <= run.frame.scratch or address + size > TOP:
        raise Fault(FaultKind.BADADDR, address)


def bcopy(run: "Run", args: list[int]) -> None:
    """Copy bytes into allocated scratch space."""
    source, target, size = arg(args, 0), arg(args, 1), arg(args, 2)
    _in_scratch(run, target, size)
    run.readable(source, size)
    run.memory.write(target, run.memory.read(source, size, target=target))


def copyin(run: "Run", args: list[int]) -> int:
    """Bytes of the process, in scratch space."""
    address, size = arg(args, 0), arg(args, 1)
    before = run.frame.scratch
    place = run.frame.allocate(size, 8)
    try:
        run.memory.write(place, _read(_user(run, address, size), address, size))
    except Fault:
        run.frame.scratch = before
        raise
    return place


def _read(memory: Any, address: int, size: int) -> bytes:
    """Bytes of a process; a fault names the first that is not there, since this copy stops at it."""
    out = b""
    while len(out) < size:
        part = min(4096 - (address + len(out)) % 4096, size - len(out))
        memory.load(address + len(out), 1, True)
        out += memory.read(address + len(out), part, True)
    return out


def copyinto(run: "Run", args: list[int]) -> None:
    """Bytes of the process, to scratch space that was allocated."""
    address, size, target = arg(args, 0), arg(args, 1), arg(args, 2)
    _in_scratch(run, target, size)
    run.memory.write(target, _read(_user(run, address, size), address, size))


def copyinstr(run: "Run", args: list[int]) -> int:
    """A string of the process, at most strsize bytes or as many as are said, in scratch space."""
    address, size = arg(args, 0), run.machine.limits.strsize
    if len(args) > 1 and args[1] < size:
        size = args[1] + 1
    before = run.frame.scratch
    place = run.frame.allocate(size)
    try:
        text = _user(run, address, size).string(address, size, True)
    except Fault:
        run.frame.scratch = before
        raise
    run.memory.write(place, text[: size - 1] + b"\0")
    return place


def copyout(run: "Run", args: list[int]) -> None:
    """Write bytes into the process."""
    if run.machine.destructive:
        source, target, size = arg(args, 0), arg(args, 1), arg(args, 2)
        run.readable(source, size)
        data = run.memory.read(source, size)
        _user(run, target, size).write(target, data, True)


def copyoutstr(run: "Run", args: list[int]) -> None:
    """Write a string into the process, with its NUL if it fits."""
    if run.machine.destructive:
        source, target, size = arg(args, 0), arg(args, 1), arg(args, 2)
        run.readable(source, 1)
        text = run.memory.string(source, min(size, run.machine.limits.scratch)) + b"\0"
        _user(run, target, len(text)).write(target, text[:size], True)


SUBROUTINES: dict[int, Subroutine] = {
    Subr.ALLOCA: alloca, Subr.BCOPY: bcopy, Subr.COPYIN: copyin, Subr.COPYINTO: copyinto, Subr.COPYINSTR: copyinstr,
    Subr.COPYOUT: copyout, Subr.COPYOUTSTR: copyoutstr,
}  # fmt: skip
