"""Addresses as text: symbols of the kernel and of processes, and the stacks that stack() and ustack() took.

Who runs the consumer says what it can look up, by a :class:`Names`; the plain one knows no symbol, and addresses then
show as numbers. Left out: annotations of jstack() frames. Follows `dtrace_addr2str` and `dt_print_stack` of libdtrace.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from smartos.dtrace.kernel.cells import Cell
from smartos.dtrace.program import Act

INDENT = 14


class Symbol(NamedTuple):
    """A symbol: its object (a kernel module, a library), its name and its first address."""

    object: str
    name: str
    value: int


class Names:
    """Where symbols are looked up."""

    def symbol(self, address: int) -> Symbol | None:
        """The kernel's symbol at or before an address."""
        return None

    def module(self, address: int) -> tuple[str, int] | None:
        """The kernel module that an address is in, and where its text begins."""
        found = self.symbol(address)
        return (found.object, found.value) if found else None

    def user_symbol(self, pid: int, address: int) -> Symbol | None:
        """A process's symbol at or before an address."""
        return None

    def user_module(self, pid: int, address: int) -> tuple[str, int] | None:
        """The object of a process that an address is in, and where it begins."""
        found = self.user_symbol(pid, address)
        return (found.object, found.value) if found else None

    def text(self, address: int) -> str:
        """`genunix`kmem_alloc+0x20`, `genunix`0x…` or `0x…`."""
        return _text(address, self.symbol(address), self.module(address))

    def user_text(self, pid: int, address: int) -> str:
        """The same of a process's address; pid 0 is no process."""
        if not pid:
            return f"0x{address:x}"
        return _text(address, self.user_symbol(pid, address), self.user_module(pid, address))


def _text(address: int, symbol: Symbol | None, module: tuple[str, int] | None) -> str:
    if symbol:
        offset = address - symbol.value
        return f"{symbol.object}`{symbol.name}" + (f"+0x{offset:x}" if offset > 0 else "")
    return f"{module[0]}`0x{address:x}" if module else f"0x{address:x}"


def frames(lines: Sequence[int | str], indent: int, place: Callable[[int], str], write: Callable[[str], str]) -> str:
    """A stack on lines of its own, up to its first empty frame."""
    found = ["\n"]
    for frame in lines:
        if frame == 0:
            break
        found.append(" " * indent + write(frame if isinstance(frame, str) else place(frame)) + "\n")
    return "".join(found)


def stack(cell: Cell, act: Act, names: Names, indent: int = INDENT, write: Callable[[str], str] = str) -> str:
    """The value of stack(), ustack() or jstack(), one frame a line; `write` formats a frame's text."""
    value = cell.value if isinstance(cell.value, tuple) else _words(cell.value)
    if act is Act.STACK:
        return frames(value, indent, names.text, write)
    if len(value) == 0:
        return ""
    pid = value[0] if isinstance(value[0], int) else 0
    return frames(value[1:], indent, lambda address: names.user_text(pid, address), write)


def _words(value: object) -> tuple[int, ...]:
    data = value if isinstance(value, bytes) else b""
    return tuple(int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8))


def address(cell: Cell, act: Act, names: Names) -> str:
    """The value of sym(), mod(), usym(), umod() or uaddr() as text."""
    if act in (Act.SYM, Act.MOD):
        place = cell.value if isinstance(cell.value, int) else 0
        if act is Act.SYM:
            found = names.symbol(place)
            return f"{found.object}`{found.name}" if found else names.text(place)
        module = names.module(place)
        return module[0] if module else f"0x{place:x}"
    pid, place = cell.value if isinstance(cell.value, tuple) and len(cell.value) == 2 else (0, 0)
    if isinstance(place, str):
        return place
    if act is Act.UMOD:
        module = names.user_module(pid, place)
        return module[0] if module else f"0x{place:x}"
    symbol = names.user_symbol(pid, place) if act is Act.USYM else None
    return names.user_text(pid, symbol.value if symbol else place)


def settled(value: object, act: Act, names: Names) -> object:
    """A key of an aggregation with its address brought to the beginning of what it is in, so that equal names add up."""
    if act is Act.SYM and isinstance(value, int):
        found = names.symbol(value)
        return found.value if found else value
    if act is Act.MOD and isinstance(value, int):
        module = names.module(value)
        return module[1] if module else value
    if act in (Act.USYM, Act.UMOD) and isinstance(value, tuple) and isinstance(value[-1], int):
        pid, place = value
        if act is Act.USYM:
            symbol = names.user_symbol(pid, place)
            return (pid, symbol.value if symbol else place)
        module = names.user_module(pid, place)
        return (pid, module[1] if module else place)
    return value
