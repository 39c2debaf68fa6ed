"""The state of one probe's firing, and the built-in variables that a program reads from it.

A model fires a probe with Python objects; DIF sees integers and addresses. Strings get an address in kernel memory when a
program first asks for them, other objects through the machine's `pack`. Who acts is in the context that
`smartos.probes.acting` sets; what is missing there is as for the system's own process 0.

Keys of the context: pid ppid tid uid gid execname zonename threadname cpu errno ipl curthread vtimestamp walltimestamp
caller ucaller stack ustack (sequences of frames) uregs (the registers by their number) vmregs (the fields of the guest's
control structure by their number, or a callable) ancestors (pids) and memory (the process's own, see `subr_copy`).

Follows `dtrace_mstate` and `dtrace_dif_variable`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smartos.dtrace.dif import V
from smartos.dtrace.environment import ProbeInfo
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.memory import TOP
from smartos.probes import Userland

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Machine

DEFAULTS: dict[str, Any] = {"execname": b"sched", "zonename": b"global"}


class Frame:
    """One firing of a probe (dtrace_mstate). `args` are as fired; `epid` is the clause's, set by :meth:`begin`.

    `timestamp` and `walltimestamp` are nanoseconds. `kernel` says whether kernel memory may be read.
    """

    __slots__ = (
        "args", "context", "cpu", "epid", "kernel", "limit", "machine", "probe", "scratch", "strtok", "strtok_limit",
        "timestamp", "walltimestamp",
    )  # fmt: skip

    def __init__(
        self, machine: "Machine", probe: ProbeInfo, args: tuple = (), context: Mapping[str, Any] | None = None,
        timestamp: int = 0, walltimestamp: int = 0, cpu: int = 0,
    ) -> None:  # fmt: skip
        self.machine, self.probe, self.args, self.context = machine, probe, args, context or {}
        self.timestamp, self.walltimestamp, self.cpu = timestamp, walltimestamp, cpu
        self.strtok = self.strtok_limit = 0
        self.kernel = machine.kernel
        self.begin(0)

    def begin(self, epid: int) -> "Frame":
        """Start on the next clause: scratch space is empty again. strtok()'s place stays: it is the firing's."""
        self.epid = epid
        self.scratch = self.machine.scratch.base
        self.limit = self.scratch + self.machine.limits.scratch
        return self

    def get(self, name: str) -> Any:
        """Something of the context, or its default."""
        found = self.context.get(name)
        return DEFAULTS.get(name, 0) if found is None else found

    def text(self, name: str) -> bytes:
        """A string of the context, as bytes."""
        found = self.get(name)
        return found.encode("utf-8", "surrogateescape") if isinstance(found, str) else bytes(found)

    def thread(self) -> tuple[int, int]:
        """What `self->` variables belong to."""
        return self.get("pid"), self.get("tid")

    def arg(self, number: int) -> int:
        """arg0 and so on as a register holds it; 0 for one that was not passed."""
        return self.word(self.args[number]) if 0 <= number < len(self.args) else 0

    def word(self, value: Any) -> int:
        """Any Python value as a register holds it: an integer, or the address of what it is."""
        if isinstance(value, int):
            return value & TOP
        if value is None:
            return 0
        if isinstance(value, str):
            return self.machine.memory.intern(value.encode("utf-8", "surrogateescape"), isinstance(value, Userland))
        if isinstance(value, bytes):
            return self.machine.memory.intern(value)
        return self.machine.pack(value) & TOP

    def allocate(self, size: int, align: int = 1) -> int:
        """Take scratch space for the rest of the clause, and say where it is. Raises Fault when there is too little."""
        start = self.scratch + -self.scratch % align
        if size < 0 or start + size > self.limit:
            raise Fault(FaultKind.NOSCRATCH)
        self.scratch = start + size
        return start

    def variable(self, number: int, element: int = 0) -> int:
        """A built-in variable's value; `element` is the index of an array's. Raises Fault ILLOP for one that there is not."""
        if V.ARG0 <= number <= V.ARG9:
            return self.arg(number - V.ARG0)
        read = READERS.get(number)
        if read is None:
            raise Fault(FaultKind.ILLOP)
        return read(self, element)


def _number(name: str) -> Callable[[Frame, int], int]:
    return lambda frame, _: frame.word(frame.get(name))


def _string(name: str) -> Callable[[Frame, int], int]:
    return lambda frame, _: frame.machine.memory.intern(frame.text(name))


def _part(name: str) -> Callable[[Frame, int], int]:
    return lambda frame, _: frame.machine.memory.intern(getattr(frame.probe, name).encode())


def _threadname(frame: Frame, _: int) -> int:
    return frame.word(frame.context.get("threadname"))


def _walltime(frame: Frame, _: int) -> int:
    return frame.word(frame.context.get("walltimestamp", frame.walltimestamp))


def _caller(frame: Frame, _: int) -> int:
    """The second frame of the stack, unless the context says."""
    return _return_address(frame, "caller", "stack", 1)


def _ucaller(frame: Frame, _: int) -> int:
    return _return_address(frame, "ucaller", "ustack", 1)


def _return_address(frame: Frame, name: str, stack: str, place: int) -> int:
    if name in frame.context:
        return frame.word(frame.context[name])
    frames = frame.context.get(stack) or ()
    return frame.word(frames[place]) if len(frames) > place else 0


def _depth(name: str) -> Callable[[Frame, int], int]:
    return lambda frame, _: len(frame.context.get(name) or ())


def _uregs(frame: Frame, element: int) -> int:
    """A register of the process; a thread without one faults on a null address, and there is nothing past the last."""
    registers = frame.context.get("uregs")
    if registers is None:
        raise Fault(FaultKind.BADADDR, 0)
    return _element(frame, registers, element)


def _vmregs(frame: Frame, element: int) -> int:
    """A field of the guest's control structure; outside a guest's exit there is none, and reading one is illegal."""
    fields = frame.context.get("vmregs")
    if fields is None:
        raise Fault(FaultKind.ILLOP)
    return _element(frame, fields, element)


def _element(frame: Frame, what: Any, element: int) -> int:
    try:
        return frame.word(what(element) if callable(what) else what[element])
    except (KeyError, IndexError):
        raise Fault(FaultKind.ILLOP) from None


READERS: dict[int, Callable[[Frame, int], int]] = {
    V.ARGS: lambda frame, element: frame.arg(element),
    V.UREGS: _uregs,
    V.VMREGS: _vmregs,
    V.TIMESTAMP: lambda frame, _: frame.timestamp & TOP,
    V.WALLTIMESTAMP: _walltime,
    V.EPID: lambda frame, _: frame.epid,
    V.ID: lambda frame, _: frame.probe.id,
    V.STACKDEPTH: _depth("stack"),
    V.USTACKDEPTH: _depth("ustack"),
    V.CALLER: _caller,
    V.UCALLER: _ucaller,
    V.PROBEPROV: _part("provider"),
    V.PROBEMOD: _part("module"),
    V.PROBEFUNC: _part("function"),
    V.PROBENAME: _part("name"),
    V.EXECNAME: _string("execname"),
    V.ZONENAME: _string("zonename"),
    V.THREADNAME: _threadname,
    V.CURTHREAD: _number("curthread"),
    V.VTIMESTAMP: _number("vtimestamp"),
    V.IPL: _number("ipl"),
    V.PID: _number("pid"),
    V.PPID: _number("ppid"),
    V.TID: _number("tid"),
    V.UID: _number("uid"),
    V.GID: _number("gid"),
    V.ERRNO: _number("errno"),
}
