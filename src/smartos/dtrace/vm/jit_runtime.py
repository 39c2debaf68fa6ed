"""What compiled DIF calls: the parts of instructions that are not worth writing out in every clause.

Each does what the interpreter's step of the same name does. Tables from a context's strings to their bytes spare the
encoding at each firing; they are emptied when they grow too large.
"""

from collections.abc import Callable
from typing import Any

from smartos.dtrace.vm import steps
from smartos.dtrace.vm.fault import Dropped, Fault, FaultKind
from smartos.dtrace.vm.frame import Frame
from smartos.dtrace.vm.machine import Machine, Run
from smartos.dtrace.vm.memory import TOP, Memory
from smartos.dtrace.vm.steps import extend
from smartos.dtrace.vm.steps_variables import copy
from smartos.dtrace.vm.variables import Key, Variables

_MOST_NAMES = 4096


class Names(dict[Any, bytes]):
    """From a string to its bytes, up to a NUL and at most `size` of them."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def __missing__(self, name: Any) -> bytes:
        if len(self) >= _MOST_NAMES:
            self.clear()
        data = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else bytes(name)
        found = self[name] = data.partition(b"\0")[0][: self.size]
        return found


def element(registers: Any, number: int) -> Any:
    """An element of vmregs[]; outside a guest's exit it is an illegal operation."""
    if registers is None:
        raise Fault(FaultKind.ILLOP)
    try:
        return registers(number) if callable(registers) else registers[number]
    except (KeyError, IndexError):
        raise Fault(FaultKind.ILLOP) from None


def put_number(variables: Variables, key: Key, value: int) -> bool:
    """Assign to a dynamic variable by value; True if it was dropped."""
    if value and key in variables.dynamic:
        variables.dynamic[key] = value
        return False
    try:
        variables.set(key, value)
    except Dropped:
        return True
    return False


class _Copier:
    """As much of a run as copying a value into a variable asks for."""

    def __init__(self, machine: Machine) -> None:
        self.memory, self.variables = machine.memory, machine.variables

    def readable(self, address: int, size: int) -> None:
        """Everything is: compiled code has the kernel's privilege."""


def put_reference(machine: Machine, key: Key, scope: int, number: int, address: int) -> bool:
    """Assign to a dynamic variable by reference; True if it was dropped."""
    variables = machine.variables
    if not address:
        variables.free(key)
        return False
    kind = variables.types[scope, number]
    try:
        region = variables.place(key, variables.size(kind))
    except Dropped:
        return True
    if region is not None:
        copy(_Copier(machine), address, region, 0, kind)  # type: ignore[arg-type]
    return False


def put_static(machine: Machine, scope: int, number: int, cpu: int, address: int) -> None:
    """Assign to a global or clause-local variable by reference."""
    static = machine.variables.reference(scope, number, cpu)
    static.null(address == 0)
    if address:
        copy(_Copier(machine), address, static.region, 8, machine.variables.types[scope, number])  # type: ignore[arg-type]


def key_bytes(machine: Machine, address: int, size: int) -> bytes:
    """A key by reference."""
    if size < machine.variables.chunk:
        return machine.memory.read(address, size)
    most = 1 << 20
    return machine.memory.read(address, min(size, most)) + b"+" * (size > most)


def cleared(machine: Machine, frame: Frame, size: int) -> int:
    """Scratch space of zeros."""
    address = frame.allocate(size, 8)
    machine.scratch.clear(address, size)
    return address


def region_text(memory: Memory) -> Callable[[Any, int, int], bytes]:
    """A function that reads the string of a variable by reference, which may have been freed since."""
    pages, string = memory.pages, memory.string

    def read(region: Any, skip: int, size: int) -> bytes:
        if region and pages.get(region.base >> 16) is region:
            data = region.data
            end = data.find(b"\0", skip, skip + size)
            if end >= 0:
                region.text = bytes(data[skip:end])
                return region.text
        return string(region.base + skip if region else 0, size)

    return read


def order(string: Callable[[int, int], bytes], a: int, b: int, size: int) -> int:
    """Compare the strings at two addresses; NULL is an empty one."""
    if a == b:
        return 0
    return steps.compare(string(a, size) if a else b"", string(b, size) if b else b"")


def sdiv(a: int, b: int) -> int:
    """Signed division of registers."""
    return steps.quotient(steps.signed(a), steps.signed(b)) & TOP


def srem(a: int, b: int) -> int:
    """Signed remainder of registers."""
    return steps.remainder(steps.signed(a), steps.signed(b)) & TOP


def namespace(machine: Machine) -> dict[str, Any]:
    """The globals of compiled functions on a machine."""
    memory, variables = machine.memory, machine.variables
    cut, full = Names(machine.limits.strsize), Names(1 << 62)

    def intern(name: Any) -> int:
        return memory.intern(name.encode("utf-8", "surrogateescape") if isinstance(name, str) else bytes(name))

    blank = Frame(machine, None)  # type: ignore[arg-type]
    return {
        "machine": machine, "memory": memory, "variables": variables, "load": memory.load, "string": memory.string,
        "read": memory.read, "dynamic": variables.dynamic, "globals_": variables.globals, "free": variables.free,
        "locals_": lambda cpu: variables.locals.setdefault(cpu, {}), "reference": variables.reference,
        "cut": cut, "full": full, "intern": intern, "word": blank.word, "element": element,
        "put_number": put_number, "put_reference": put_reference, "put_static": put_static, "key_bytes": key_bytes,
        "sdiv": sdiv, "udiv": steps.quotient, "srem": srem, "urem": steps.remainder, "extend": extend,
        "cleared": cleared, "order": order,
        "region_text": region_text(memory), "Run": Run, "Fault": Fault, "Dropped": Dropped, "DIVZERO": FaultKind.DIVZERO,
    }  # fmt: skip
