"""Labels, uberblocks and block pointers as the bytes that they are: a field is picked, and its bytes are marked.

The bytes are those of a disk: of the caller's, or of a small pool made here with a fixed seed and clock. The fields are
the tables of :mod:`smartos.zfs.format.fields`, which the tests hold against the readers.

Left out: labels of a big-endian machine, since no pool of one can be made here.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Protocol

from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group, line, rect, text
from smartos.explore.zfs.bytes_figure import GAP, MONO, SIZE, Dump, digits, mark, names, picked, shapes, shortened, told
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.format import fields
from smartos.zfs.format.blkptr import BLKPTR_SIZE
from smartos.zfs.format.fields import Field
from smartos.zfs.format.label import (
    BOOT_SIZE,
    LABEL_SIZE,
    LABELS,
    PHYS_OFFSET,
    RING_OFFSET,
    Label,
    label_offset,
    read_labels,
)
from smartos.zfs.format.uberblock import slot_shift
from smartos.zfs.spa.spa import Spa

WIDTH = 440
SPECIFICATION = "ZFS On-Disk Specification, chapter"
PAIRS = 4  # of the nvlist's, that are shown
CLOCK = int(datetime(2011, 8, 15, 12, tzinfo=UTC).timestamp())  # the launch


class Readable(Protocol):
    """A disk that can be looked at."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at an offset."""


@cache
def sample() -> MemoryDisk:
    """The disk of a pool with a file in it."""
    disk = MemoryDisk(64 << 20, "c0t0d0")
    pool = Spa.create("tank", [disk], seed=2011, clock=lambda: CLOCK)
    pool.open("tank").write("/hello", b"SmartOS")
    pool.sync()
    return disk


def best(disk: Readable) -> tuple[Label, int]:
    """The first label, and the byte of the device at which the slot of its newest uberblock begins.

    Raises ValueError when the first label holds no uberblock that verifies.
    """
    label = read_labels(disk)[0]
    slot = next((slot for slot, uberblock in label.uberblocks if uberblock is label.best), None)
    if slot is None:
        raise ValueError("label 0 of the disk has no uberblock that verifies; give a disk with a pool on it")
    return label, label_offset(disk.size, 0) + RING_OFFSET + (slot << slot_shift(label.ashift))


def _table(every: tuple[Field, ...], data: bytes, order: str, caption: str) -> Table:
    rows = [(f.name, _where(f, order), f.shown(data, order), f.meaning, f.source) for f in every]
    return Table(["Field", "Where", "Value", "Meaning", "Source"], rows, caption)


def _where(field: Field, order: str = "<") -> str:
    """The bytes, or the bits of the word, that a field takes."""
    first, last = field.start, field.start + field.size - 1
    if field.width:
        low, high = field.shift, field.shift + field.width - 1
        return f"bit{'s' if field.width > 1 else ''} {low}{f'–{high}' if high > low else ''} of the word at {first:#x}"
    return f"byte {first:#x}" if field.size == 1 else f"bytes {first:#x}–{last:#x}"


def _says(field: Field, data: bytes, order: str = "<") -> str:
    return f"{field.name}: {shortened(field.shown(data, order), 30)}. {field.meaning}"


def _explorer(
    name: str, title: str, every: tuple[Field, ...], frame: Callable[[str], Frame], default: str, keys: list[str]
) -> Explorer:
    """An explorer whose one control is the field."""
    choice = Choice("Field", [field.name for field in every])
    return Explorer(name, title, frame, {"field": choice}, {"field": default}, [{"field": key} for key in keys])


# The uberblock


def uberblock(disk: Readable | None = None) -> Explorer:
    """The slot of the newest uberblock of label 0, byte by byte."""
    disk = disk or sample()
    label, at = best(disk)
    data = disk.read(at, 1 << slot_shift(label.ashift))
    every = fields.uberblock(len(data))
    table = _table(every, data, "<", f"The uberblock’s slot at byte {at:#x} of the device. {SPECIFICATION} 1")
    tail = len(data) - 48
    dump = Dump([0, 16, 32, 48, GAP, 160, 176, 208, GAP, tail, tail + 16, tail + 32])
    short = {field.name: field.name.removeprefix("ub_").removeprefix("zec_") for field in every}
    short["ub_software_version"] = "software_version"
    starts = {row: [(f.name, short[f.name]) for f in every if start is not GAP and start <= f.start < start + 16]
              for row, start in enumerate(dump.rows)}  # fmt: skip
    starts[3] = [starts[2].pop()]  # ub_rootbp begins in row 2 and fills row 3
    gaps = {4: "ub_rootbp goes on", 8: "zeros go on"}
    by_name = {field.name: field for field in every}

    def frame(field: str) -> Frame:
        chosen = by_name[field]
        says = _says(chosen, data)
        parts = [*shapes(dump, every, chosen), *digits(dump, data, gaps=gaps)]
        parts += names(dump, starts, dump.right + 4, field)
        parts += told(chosen, chosen.shown(data), _where(chosen), dump.bottom + 4)
        return Frame(drawing(WIDTH, dump.bottom + 46, says, *parts), says, table)

    return _explorer("uberblock-bytes", "An uberblock, byte by byte", every, frame, "ub_txg", ["ub_rootbp", "zec_cksum"])


# The nvlist


def pairs(disk: Readable | None = None) -> Explorer:
    """The first bytes of label 0's nvlist."""
    disk = disk or sample()
    at = label_offset(disk.size, 0) + PHYS_OFFSET
    packed = disk.read(at, 4096)
    every = fields.nvlist(packed, PAIRS)
    end = every[-1].start + every[-1].size
    data = packed[: -(-end // 16) * 16]
    table = _table(every, data, ">", f"The nvlist at byte {at:#x}: header and first {PAIRS} pairs. {SPECIFICATION} 1")
    dump = Dump(range(0, len(data), 16))
    by_name = {field.name: field for field in every}

    def frame(field: str) -> Frame:
        chosen = by_name[field]
        says = _says(chosen, data, ">")
        parts = [*shapes(dump, every, chosen, ">"), *digits(dump, data), _letters(dump, data)]
        parts += told(chosen, chosen.shown(data, ">"), _where(chosen), dump.bottom + 4)
        return Frame(drawing(WIDTH, dump.bottom + 46, says, *parts), says, table)

    return _explorer(
        "nvlist-bytes", "A label’s nvlist, byte by byte", every, frame, "name: value", ["nvh_encoding", "version: type"]
    )


def _letters(dump: Dump, data: bytes) -> str:
    """The bytes as characters, right of the dump."""
    rows = []
    for row, start in enumerate(dump.rows):
        letters = "".join(chr(byte) if 32 < byte < 127 else "·" for byte in data[start : start + 16])
        places = " ".join(f"{dump.right + 4 + 6.7 * n:g}" for n in range(len(letters)))
        rows.append(element("text", letters.replace("&", "&amp;").replace("<", "&lt;"), x=places, y=f"{dump.y(row):g}"))
    return group(*rows, fill="ink-2", font_size=SIZE, font_family=MONO, pointer_events="none")


# The block pointer


def pointer(disk: Readable | None = None) -> Explorer:
    """The root block pointer in the newest uberblock of label 0, word by word, and bit by bit where words are packed."""
    disk = disk or sample()
    _, at = best(disk)
    data = disk.read(at + 40, BLKPTR_SIZE)
    every = fields.BLKPTR
    table = _table(every, data, "<", f"The block pointer at byte {at + 40:#x} of the device. {SPECIFICATION} 2")
    dump = Dump(range(0, BLKPTR_SIZE, 8), left=32, pitch=17.6, wide=8, high=18)
    by_name = {field.name: field for field in every}
    starts = {
        row: [(f.name, f.name if "vdev" in f.name else _short(f)) for f in reversed(every) if f.start == start]
        for row, start in enumerate(dump.rows)
    }

    def frame(field: str) -> Frame:
        chosen = by_name[field]
        says = _says(chosen, data)
        parts = [*shapes(dump, every, chosen), *digits(dump, data), *names(dump, starts, dump.right + 6, field)]
        parts += _bits(every, chosen, data, dump.bottom + 6)
        parts += told(chosen, chosen.shown(data), _where(chosen), dump.bottom + 62)
        return Frame(drawing(WIDTH, dump.bottom + 104, says, *parts), says, table)

    return _explorer(
        "blkptr-bytes", "A block pointer, byte by byte and bit by bit", every, frame, "psize",
        ["DVA[0] offset", "blk_cksum"],
    )  # fmt: skip


def _short(field: Field) -> str:
    """A field's name without that of its structure."""
    return field.name.split(" ")[-1]


BIT = 6.8


def _bits(every: tuple[Field, ...], chosen: Field, data: bytes, y: float) -> list[str]:
    """The word of a packed field as 64 bits, bit 63 at the left, its fields apart, the chosen one marked."""
    if not chosen.width:
        return [text(2, y + 30, "This field is whole words; the packed ones show their bits here.", "ink-2", size=13)]
    own = [field for field in every if field.start == chosen.start]
    word = int.from_bytes(data[chosen.start : chosen.start + 8], "little")
    parts, ones = [], ""
    for bit in range(64):
        if word >> bit & 1:
            ones += _box(bit, 1, y + 22, 16)
    for n, field in enumerate(own):
        tint = {"fill": "ink", "fill_opacity": "0.07" if n % 2 else "0", "stroke": "rule"}
        shape = _box(field.shift, field.width, y + 20, 20)
        parts.append(element("path", d=shape, **tint, **picked("field", field.name)))
    parts.append(element("path", d=ones, fill="ink", stroke="none", pointer_events="none"))
    parts.append(mark(_box(chosen.shift, chosen.width, y + 20, 20)))
    value = word >> chosen.shift & (1 << chosen.width) - 1
    words = f"{_short(chosen)}: {chosen.width} bit{'s' if chosen.width > 1 else ''}, {value:#x}"
    parts += [
        text(WIDTH / 2, y + 14, words, "zfs", "middle"), text(2, y + 14, "bit 63", "ink-2", size=SIZE),
        text(WIDTH - 2, y + 14, "bit 0", "ink-2", "end", SIZE),
    ]  # fmt: skip
    for field in own:
        if BIT * field.width > 7 * len(_short(field)):
            middle = 2 + BIT * (64 - field.shift - field.width / 2)
            parts.append(text(middle, y + 54, _short(field), "ink-2", "middle", SIZE, **picked("field", field.name)))
    return parts


def _box(shift: int, width: int, y: float, high: float) -> str:
    x, wide = 2 + BIT * (64 - shift - width), BIT * width
    return f"M{x:g} {y:g}h{wide:g}v{high:g}h{-wide:g}z"


# The label


def label(disk: Readable | None = None) -> Explorer:
    """The four labels of a device, the parts of one, and the first bytes of a part."""
    disk = disk or sample()
    by_name = {field.name: field for field in fields.LABEL}

    def frame(label: int, part: str) -> Frame:
        chosen, base = by_name[part], label_offset(disk.size, label)
        at = base + chosen.start
        data = disk.read(at, chosen.size)
        written = next((n for n, byte in enumerate(data) if byte), None)
        zeros = ", all zeros" if written is None else ""
        says = f"{part} of L{label}: {chosen.size >> 10} KiB from byte {at:#x} on{zeros}. {chosen.meaning}"
        rows = [
            (f"L{n}", f.name, f"{label_offset(disk.size, n) + f.start:#x}", f"{f.size >> 10} KiB", f.source)
            for n in range(LABELS) for f in fields.LABEL
        ]  # fmt: skip
        caption = f"Four labels on a device of {disk.size >> 20} MiB. {SPECIFICATION} 1"
        table = Table(["Label", "Part", "At byte", "Size", "Source"], rows, caption)
        start = 0 if written is None else written // 64 * 64
        dump = Dump(range(start, start + 64, 16), left=80, top=200)
        head = f"Its first bytes{' that are not zero' if start else ''}, and where they are:"
        parts = [*_device(label), *_parts(chosen, label), text(2, 190, head, "ink-2"), *digits(dump, data, at)]
        return Frame(drawing(WIDTH, dump.bottom + 4, says, *parts), says, table)

    return Explorer(
        "label-layout", "Four labels, and what is in each", frame,
        {
            "label": Choice("Label", [(n, f"L{n}") for n in range(LABELS)]),
            "part": Choice("Part", [(field.name, f"{field.name}, {field.size >> 10} KiB") for field in fields.LABEL]),
        },
        {"label": 0, "part": "vl_vdev_phys"}, [{"label": 3, "part": "vl_uberblock"}],
    )  # fmt: skip


CHOSEN = {"fill": "zfs", "fill_opacity": "0.2", "stroke": "zfs", "stroke_width": 1.75}
OTHER = {"fill": "ink", "fill_opacity": "0.05", "stroke": "ink-2"}
PLACES = (2, 44, 354, 396)  # of the labels in the drawing of the device, which is not to scale


def _device(chosen: int) -> list[str]:
    """The device from its first byte to its last, with the labels at both ends."""
    found = [rect(2, 26, 436, 26, stroke="ink-2"), text(2, 16, "the device, not to scale", "ink-2", size=SIZE)]
    for n, x in enumerate(PLACES):
        found.append(rect(x, 26, 42, 26, **(CHOSEN if n == chosen else OTHER), **picked("label", str(n))))
        found.append(text(x + 21, 44, f"L{n}", anchor="middle", pointer_events="none"))
    found.append(line(150, 26, 150, 52, "ink-2"))
    found.append(text(118, 44, f"{BOOT_SIZE / 2**20:g} MiB", "ink-2", "middle", SIZE))
    return [*found, text(252, 44, "data, from DVA offset 0 on", "ink-2", "middle", SIZE)]


def _parts(chosen: Field, label: int) -> list[str]:
    """The parts of the chosen label, below it."""
    x, top = PLACES[label], 84
    found = [element("path", d=f"M{x} 52L2 {top}M{x + 42} 52L438 {top}", stroke="rule", fill="none")]
    edges = (2, 66, 130, 276, 438)  # not to scale: the two of 8 KiB would not be seen
    names_ = ("blank", "boot header", "nvlist", "uberblock ring")
    for n, (field, name) in enumerate(zip(fields.LABEL, names_, strict=True)):
        left, wide = edges[n], edges[n + 1] - edges[n]
        found.append(rect(left, top, wide, 60, **(CHOSEN if field is chosen else OTHER), **picked("part", field.name)))
        words = name.split(" ") if wide < 80 else [name]
        own = [text(left + wide / 2, top + 20 + 15 * i, word, anchor="middle", size=SIZE) for i, word in enumerate(words)]
        own.append(text(left + wide / 2, top + 52, f"{field.size >> 10} KiB", "ink-2", "middle", SIZE))
        found.append(group(*own, pointer_events="none"))
    return [*found, text(2, 161, f"L{label}, {LABEL_SIZE >> 10} KiB, not to scale", "ink-2", size=SIZE)]
