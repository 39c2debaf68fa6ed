"""The guests: assembly beside the machine code that it stands for, in one listing file each.

A listing line is `address  bytes  source`; lines without an address are labels, comments and `bits` directives. The
machine runs the bytes, the reader reads the source, and a test assembles the source again and compares. A guest is
loaded at 0x1000 and starts there in real mode, all segments at zero.

Left out: an assembler. The listings were made with NASM; a changed guest is a listing with changed bytes.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

ORIGIN = 0x1000
LINE = re.compile(r"(?P<address>[0-9a-f]{4})  (?P<code>(?:[0-9a-f]{2})+) {2,}(?P<source>.*)")


@dataclass(frozen=True)
class Line:
    """One line of a listing: `code` is empty for a label, a comment or a directive."""

    address: int | None
    code: bytes
    source: str


@dataclass(frozen=True)
class Guest:
    """A program for a bare machine, as a listing."""

    name: str
    listing: str

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The listing, parsed. Raises ValueError when an address does not follow from the bytes before it."""
        lines, here = [], ORIGIN
        for number, text in enumerate(self.listing.splitlines(), 1):
            found = LINE.fullmatch(text)
            if not found:
                lines.append(Line(None, b"", text))
                continue
            address, code = int(found["address"], 16), bytes.fromhex(found["code"])
            if address != here:
                raise ValueError(f"guest {self.name}, line {number}: address {address:04x} should be {here:04x}")
            lines.append(Line(address, code, found["source"]))
            here += len(code)
        return tuple(lines)

    @cached_property
    def image(self) -> bytes:
        """The machine code."""
        return b"".join(line.code for line in self.lines)

    @cached_property
    def ends(self) -> dict[int, Line]:
        """Each line that has code, under the address that follows it."""
        return {line.address + len(line.code): line for line in self.lines if line.code}

    def before(self, resume: int | None) -> Line | None:
        """The line that has just been executed when the guest goes on at `resume`."""
        return self.ends.get(resume)

    def patched(self, address: int, code: str) -> "Guest":
        """The same guest with other bytes (hexadecimal) from `address` on; its listing shows them without source.

        Raises ValueError when they lie outside the guest or cut a line in two.
        """
        new = bytes.fromhex(code)
        start, end = address - ORIGIN, address - ORIGIN + len(new)
        edges = {ORIGIN, *self.ends}
        if not new or not {address, address + len(new)} <= edges:
            raise ValueError(f"{len(new)} bytes at {address:#x} do not replace whole lines of guest {self.name}")
        image = self.image[:start] + new + self.image[end:]
        text, placed = [], False
        for line in self.lines:
            if line.address is None or not address <= line.address < address + len(new):
                text.append(f"{line.address:04x}  {line.code.hex():<20}  {line.source}" if line.code else line.source)
            elif not placed:
                text.append(f"{address:04x}  {new.hex():<20}  ; patched")
                placed = True
        changed = Guest(f"{self.name}-patched", "\n".join(text))
        assert changed.image == image
        return changed


def load(name: str) -> Guest:
    """One of the guests that come with the package."""
    return Guest(name, files("smartos.kvm").joinpath("listings", f"{name}.lst").read_text("utf-8"))


GUESTS = {name: load(name) for name in ("hi", "modes", "knock", "spin")}
