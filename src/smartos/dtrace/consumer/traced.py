"""Values as trace(), tracemem() and an unformatted printa() show them: by size alone, whatever their type.

A value of 1, 2, 4 or 8 bytes is a number; other bytes are text if they look like text, and a dump if not. Follows
`dt_print_bytes` of libdtrace, in the C locale: a byte above 127 is not printable.
"""

from smartos.dtrace.kernel.cells import Cell, raw, signed, unsigned, wrap

WIDTHS = {1: 3, 2: 5, 4: 8, 8: 16}
_TEXT = frozenset(b"\a\b\t\n\v\f\r" + bytes(range(32, 127)))
_DIGITS = "".join(f"  {digit}" for digit in "0123456789abcdef")


def traced(cell: Cell, quiet: bool, rawbytes: bool) -> str:
    """A value as trace() shows it; `quiet` takes the padding away."""
    if cell.size in WIDTHS:
        number = signed(cell.value, cell.size) if cell.size >= 4 else unsigned(cell.value, cell.size)
        return str(number) if quiet else f" {number:>{WIDTHS[cell.size]}}"
    return in_bytes(raw(cell.value, cell.size), -33, quiet, rawbytes)


def key(cell: Cell, packed: bool, rawbytes: bool, normal: int = 1) -> str:
    """A value in a column of an aggregation's table; `packed` columns of text are 16 wide instead of 50."""
    if cell.size == 8:
        return f" {wrap(unsigned(cell.value, 8) // normal):>16}"
    if cell.size in WIDTHS:
        return f" {wrap(unsigned(cell.value, cell.size) // normal, 32):>{WIDTHS[cell.size]}}"
    return in_bytes(raw(cell.value, cell.size), 16 if packed else -50, False, rawbytes)


def in_bytes(data: bytes, width: int, quiet: bool = False, force: bool = False) -> str:
    """Bytes as text where they are that, else as a dump; `force` dumps. A negative width is one to the left."""
    if not data:
        return ""
    end = next((at for at, byte in enumerate(data) if byte not in _TEXT), len(data))
    if not force and end == len(data):
        return "  " + data.decode("latin-1").ljust(abs(width))
    if not force and end > 0 and not any(data[end:]):
        text = data[:end].decode("latin-1")
        if quiet:
            return text
        return f"  {text:<{-width}}" if width < 0 else f" {text:>{width}}"
    return dump(data)


def dump(data: bytes) -> str:
    """Bytes in hexadecimal, sixteen a line, with their characters."""
    out = [f"\n{'':11}{_DIGITS}  0123456789abcdef\n"]
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        cells = "".join(f" {byte:02x}" for byte in part).ljust(48)
        chars = "".join(chr(byte) if 32 <= byte <= 126 else "." for byte in part)
        out.append(f"{'':5}{at:>5x}:{cells}  {chars}\n")
    return "".join(out)
