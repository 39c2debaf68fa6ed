"""System attributes: a file's metadata packed one after the other, in an order that a numbered layout gives.

Each object set that uses them registers its attributes (name, number, length, 0 for variable) and its layouts (lists of
attribute numbers) in two ZAPs below its master node. An object's bonus, and its spill block if there is one, begins
with a small header that names its layout and gives the variable lengths; the values follow, each from a multiple of 8
bytes on.

Left out: bonus buffers of large dnodes, whose spill begins later. Follows `sa_impl.h` and `sa.c` of illumos.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from smartos.zfs.dmu import zap
from smartos.zfs.dmu.dnode import MAX_BONUS
from smartos.zfs.errors import CorruptPool
from smartos.zfs.format.blkptr import BLKPTR_SIZE

MAGIC = 0x2F505A
ORDERS = {struct.pack(order + "I", MAGIC): order for order in "<>"}
MASTER, REGISTRY, LAYOUTS = "SA_ATTRS", "REGISTRY", "LAYOUTS"
UINT64_ARRAY, UINT32_ARRAY, UINT16_ARRAY, UINT8_ARRAY, ACL = range(5)
_LETTERS = {UINT64_ARRAY: "Q", UINT32_ARRAY: "I", UINT16_ARRAY: "H"}

Value = int | tuple[int, ...] | bytes


@dataclass(frozen=True, slots=True)
class Attribute:
    """A registered attribute: its number in this object set, its bytes (0: variable), and how it is swapped."""

    name: str
    number: int
    length: int
    swap: int

    @classmethod
    def of(cls, name: str, word: int) -> "Attribute":
        """The attribute as its registry entry has it."""
        return cls(name, word & 0xFFFF, word >> 24 & 0xFFFF, word >> 16 & 0xFF)

    def word(self) -> int:
        """The registry's entry."""
        return self.length << 24 | self.swap << 16 | self.number

    def unpack(self, data: bytes, order: str) -> Value:
        """The value: an integer, several, or bytes."""
        letter = _LETTERS.get(self.swap)
        if letter is None:
            return data
        size = struct.calcsize(letter)
        values = struct.unpack(f"{order}{len(data) // size}{letter}", data[: len(data) // size * size])
        return values[0] if len(values) == 1 else values

    def pack(self, value: Value) -> bytes:
        """The value's bytes, little-endian. Raises :class:`CorruptPool` when they are not as many as registered."""
        letter = _LETTERS.get(self.swap)
        try:
            values = (value,) if isinstance(value, int) else value
            data = bytes(value) if letter is None else struct.pack(f"<{len(values)}{letter}", *values)
        except (struct.error, TypeError) as error:
            raise CorruptPool(f"{self.name} cannot be {value!r}: {error}") from None
        if self.length and len(data) != self.length:
            raise CorruptPool(f"{self.name} has {len(data)} bytes where {self.length} are registered")
        return data


# What ZPL_* attributes are registered as, in the order of the real table (`zfs_attr_table`).
ZPL = (
    ("ZPL_ATIME", 16, 0), ("ZPL_MTIME", 16, 0), ("ZPL_CTIME", 16, 0), ("ZPL_CRTIME", 16, 0), ("ZPL_GEN", 8, 0),
    ("ZPL_MODE", 8, 0), ("ZPL_SIZE", 8, 0), ("ZPL_PARENT", 8, 0), ("ZPL_LINKS", 8, 0), ("ZPL_XATTR", 8, 0),
    ("ZPL_RDEV", 8, 0), ("ZPL_FLAGS", 8, 0), ("ZPL_UID", 8, 0), ("ZPL_GID", 8, 0), ("ZPL_PAD", 32, 0),
    ("ZPL_ZNODE_ACL", 88, 3), ("ZPL_DACL_COUNT", 8, 0), ("ZPL_SYMLINK", 0, 3), ("ZPL_SCANSTAMP", 32, 3),
    ("ZPL_DACL_ACES", 0, 4), ("ZPL_DXATTR", 0, 3),
)  # fmt: skip


def order_of(data: bytes, order: str = "<") -> str:
    """The byte order of the attributes in a bonus buffer or spill block, which says so itself: whoever swaps a block of
    dnodes leaves it alone. `order` is that of what is around it. Raises :class:`CorruptPool` for no attributes."""
    if len(data) < 8:
        raise CorruptPool(f"system attributes in {len(data)} bytes")
    if data[:4] in ORDERS:
        return ORDERS[data[:4]]
    magic = struct.unpack_from(order + "I", data)[0]
    raise CorruptPool(f"system attributes with the magic {magic:#x}, not {MAGIC:#x}")


@dataclass
class Layouts:
    """An object set's attributes by number, and its layouts: lists of attribute numbers by layout number."""

    attributes: dict[int, Attribute] = field(default_factory=dict)
    layouts: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def zpl(cls) -> "Layouts":
        """The attributes of a new filesystem, numbered as the real code numbers them, without layouts."""
        return cls({n: Attribute(name, n, length, swap) for n, (name, length, swap) in enumerate(ZPL)})

    @classmethod
    def of(cls, registry: Mapping[str, object], layouts: Mapping[str, object]) -> "Layouts":
        """What the two ZAPs say. Raises :class:`CorruptPool`."""
        found = cls()
        for name, word in registry.items():
            if not isinstance(word, int):
                raise CorruptPool(f"the attribute {name} is registered with {word!r}")
            attribute = Attribute.of(name, word)
            found.attributes[attribute.number] = attribute
        for number, numbers in layouts.items():
            numbers = (numbers,) if isinstance(numbers, int) else tuple(numbers)
            if not number.isdigit():
                raise CorruptPool(f"a layout of system attributes is numbered {number}")
            found.layouts[int(number)] = numbers
        return found

    def registry(self) -> list[zap.Entry]:
        """The entries of the registry's ZAP."""
        return [zap.Entry(each.name, (each.word(),)) for each in self.attributes.values()]

    def layout_entries(self) -> list[zap.Entry]:
        """The entries of the layouts' ZAP: arrays of 16-bit attribute numbers."""
        return [zap.Entry(str(number), numbers, 2) for number, numbers in self.layouts.items()]

    def number(self, names: tuple[str, ...]) -> int:
        """The layout of these attributes in this order, added when there is none (numbers begin at 2)."""
        known = {attribute.name: number for number, attribute in self.attributes.items()}
        wanted = tuple(known[name] for name in names)
        for number, numbers in self.layouts.items():
            if numbers == wanted:
                return number
        number = max(self.layouts, default=1) + 1
        self.layouts[number] = wanted
        return number

    def unpack(self, data: bytes, order: str) -> dict[str, Value]:
        """The attributes in a bonus buffer or spill block. Raises :class:`CorruptPool`."""
        order = order_of(data, order)
        (info,) = struct.unpack_from(order + "H", data, 4)
        number, at = info & 0x3FF, (info >> 10) * 8
        if number not in self.layouts:
            if number in (0, 1):
                return {}  # the layout of a buffer without attributes
            raise CorruptPool(f"system attributes in layout {number}, which the object set does not have")
        found, variable = {}, 0
        for each in self.layouts[number]:
            attribute = self.attributes.get(each)
            if attribute is None:
                raise CorruptPool(f"layout {number} has attribute {each}, which is not registered")
            length = attribute.length
            if not length:
                if 8 + 2 * variable > len(data):
                    raise CorruptPool(f"layout {number}: the lengths run past the end")
                (length,) = struct.unpack_from(order + "H", data, 6 + 2 * variable)
                variable += 1
            if at + length > len(data):
                raise CorruptPool(f"layout {number}: {attribute.name} runs past the end")
            found[attribute.name] = attribute.unpack(data[at : at + length], order)
            at += length + -length % 8
        return found

    def pack(self, values: Mapping[str, Value]) -> bytes:
        """The attributes' bytes, in the order given, with a header; the layout is added when it is new."""
        lengths, packed = self._packed(values)
        size = _header_size(len(lengths))
        head = struct.pack(f"<IH{len(lengths)}H", MAGIC, size // 8 << 10 | self.number(tuple(values)), *lengths)
        return head.ljust(size, b"\0") + packed

    def _packed(self, values: Mapping[str, Value]) -> tuple[list[int], bytes]:
        """The lengths of the attributes of variable length, and the bytes of all, each from a multiple of 8 on."""
        known = {attribute.name: attribute for attribute in self.attributes.values()}
        packed, lengths = b"", []
        for name, value in values.items():
            data = known[name].pack(value)
            if not known[name].length:
                lengths.append(len(data))
            packed += data + bytes(-len(data) % 8)
        return lengths, packed

    def split(self, values: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, Value]]:
        """`sa_build_layouts`: which attributes go into the bonus, and which into a spill block, in the order given.

        All go into the bonus if they fit there; else those that leave it the room for the spill block's pointer.
        """
        room = MAX_BONUS
        if self._size(values) > room:
            room -= BLKPTR_SIZE
        within = dict(values)
        while self._size(within) > room:
            within.popitem()
        return within, {name: value for name, value in values.items() if name not in within}

    def _size(self, values: Mapping[str, Value]) -> int:
        lengths, packed = self._packed(values)
        return _header_size(len(lengths)) + len(packed)


def _header_size(lengths: int) -> int:
    """The bytes of a header with so many lengths."""
    size = 6 + 2 * max(lengths, 1)
    return size + -size % 8
