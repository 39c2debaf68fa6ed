"""print(): a value by its C type, structs and arrays laid open.

Integers are shown in hexadecimal, characters as such, enumerations by name, pointers to functions by symbol; a member
of a struct stands on its own line after its type. Follows libdtrace's `dt_print.c`, the order in which libctf visits a
type included.
"""

import struct
from dataclasses import dataclass, field

from smartos.dtrace import ctf
from smartos.dtrace.consumer.names import Names
from smartos.dtrace.ctf import Array, CType, Enum, Float, Function, Integer, Pointer, Struct


def printed(kind: CType, data: bytes, names: Names | None = None) -> str:
    """The text of a value: `data` are its bytes, at least as many as the type has."""
    printer = _Printer(data.ljust(ctf.sizeof(kind), b"\0"), names or Names())
    printer.visit(kind)
    return "".join(printer.out)


@dataclass
class _Printer:
    """One value being printed. `depth` is of the member at hand, `nest` that of the array that it is in."""

    data: bytes
    names: Names
    nest: int = 0
    depth: int = 0
    out: list[str] = field(default_factory=list)

    def visit(self, kind: CType) -> None:
        """Print a type at the beginning of the data."""
        self._walk("", kind, 0, 0)
        self._close(0)

    def _walk(self, name: str, kind: CType, offset: int, depth: int) -> None:
        self._member(name, kind, offset, depth)
        base = ctf.resolve(kind)
        if isinstance(base, Struct) and base.complete:
            for member in base.members:
                self._walk(member.name, member.type, offset + member.offset, depth + 1)

    def _close(self, depth: int) -> None:
        """The braces of the structs that have ended."""
        for at in range(self.depth, depth, -1):
            self.out.append(" " * ((at + self.nest - 1) * 4) + "}" + ("" if at == depth + 1 else "\n"))

    def _indent(self) -> str:
        return " " * ((self.depth + self.nest) * 4)

    def _member(self, name: str, kind: CType, offset: int, depth: int) -> None:
        self._close(depth)
        if depth < self.depth:
            self.out.append("\n")
        self.depth = depth
        base = ctf.resolve(kind)
        element = self.nest != 0 and depth == 0
        brief = element and not isinstance(base, Struct)
        if not brief:
            if element:
                self.out.append("\n")
            title = type_name(kind)
            self.out.append(self._indent() + title)
            if name:
                self.out.append(("" if title.endswith(("*", " ")) else " ") + name + _bits(base, offset) + " =")
            self.out.append(" ")
        self._value(base, offset)
        if not brief:
            self.out.append("\n")

    def _value(self, base: CType, offset: int) -> None:
        match base:
            case Integer():
                self.out.append(self._integer(base, offset))
            case Float():
                self.out.append(self._float(base, offset))
            case Pointer() | Function():
                self.out.append(self._pointer(base, offset))
            case Array():
                self._array(base, offset // 8)
            case Struct():
                self.out.append("{" if base.complete else "<forward decl>")
            case Enum():
                value = int.from_bytes(self._at(offset // 8, 4), "little", signed=True)
                self.out.append(next((name for name, n in base.values.items() if n == value), str(value)))

    def _at(self, at: int, size: int) -> bytes:
        return self.data[at : at + size]

    def _hex(self, at: int, size: int) -> str:
        if size not in (1, 2, 4, 8):
            return f"<invalid size {size}>"
        value = int.from_bytes(self._at(at, size), "little")
        return f"{value:#x}" if value else "0"

    def _integer(self, base: Integer, offset: int) -> str:
        size = base.bits // 8
        if size > 8 or base.bits % 8 or size & size - 1:
            width = -(-base.bits // 8)
            value = int.from_bytes(self._at(offset // 8, width), "little") >> offset % 8 & (1 << base.bits) - 1
            return f"{value:#x}" if value else "0"
        if _is_char(base):
            byte = self._at(offset // 8, 1)[0]
            if 32 <= byte < 127:
                return f"'{chr(byte)}'"
            return f"'\\{byte if byte < 128 else byte | 0xFFFFFF00:03o}'" if byte else "'\\0'"
        return self._hex(offset // 8, size)

    def _float(self, base: Float, offset: int) -> str:
        if base.name in ("float", "double"):
            return f"{struct.unpack('<f' if base.size == 4 else '<d', self._at(offset // 8, base.size))[0]:+.7e}"
        return "<unknown encoding>"

    def _pointer(self, base: CType, offset: int) -> str:
        size = ctf.sizeof(base)
        if isinstance(base, Pointer) and isinstance(base.to, Function):
            symbol = self.names.symbol(int.from_bytes(self._at(offset // 8, 8), "little"))
            if symbol:
                return f"{symbol.object}`{symbol.name}"
        return self._hex(offset // 8, size)

    def _array(self, base: Array, at: int) -> None:
        element, size = ctf.resolve(base.of), ctf.sizeof(base.of)
        data = self._at(at, size * base.count)
        text = _string(data) if _is_char(element) else None
        if text is None or self.depth:
            self.out.append("[ ")
        if text is not None:
            self.out.append(f'"{text}"')
        else:
            for place in range(base.count):
                inner = _Printer(data[place * size : (place + 1) * size], self.names, self.nest + self.depth + 1, 0, self.out)
                inner.visit(base.of)
                if place != base.count - 1:
                    self.out.append(", ")
                elif isinstance(element, Struct):
                    self.out.append("\n")
        if text is None or self.depth:
            self.out.append((self._indent() if isinstance(element, Struct) else " ") + "]")


def type_name(kind: CType) -> str:
    """The type as libctf writes it; an anonymous struct or union keeps the space after its keyword."""
    base = kind
    while isinstance(base, ctf.Qualified):
        base = base.to
    if isinstance(base, Struct | Enum) and not base.tag:
        return ctf.spelling(kind) + " "
    return ctf.spelling(kind)


def _is_char(base: CType) -> bool:
    return isinstance(base, Integer) and base.char and base.signed and base.bits == 8


def _string(data: bytes) -> str | None:
    """The characters before the first NUL, if there is one and all before it can be printed."""
    text, nul, _ = data.partition(b"\0")
    return text.decode("latin-1") if nul and all(32 <= byte < 127 for byte in text) else None


def _bits(base: CType, offset: int) -> str:
    """` :3` after the name of a bit-field."""
    if not isinstance(base, Integer):
        return ""
    size = base.bits // 8
    odd = base.bits % 8 or offset % 8 or size > 8 or size != base.size
    return f" :{base.bits}" if odd else ""
