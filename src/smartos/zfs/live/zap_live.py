"""ZAPs in motion: a table that is changed entry by entry in memory, and packed when its transaction group syncs.

Left out: changing a leaf in place. The whole table is packed anew, and of its blocks those are written that differ,
which for a fat ZAP is much the same, since a name's hash decides where it goes. A micro ZAP grows by sectors and never
shrinks, and one that became fat stays fat, as in `zap_micro.c` and `zap_fat.c` of illumos.
"""

from typing import TYPE_CHECKING

from smartos.zfs.dmu import zap
from smartos.zfs.dmu.dnode import block_pointer
from smartos.zfs.dmu.zap import Entry

if TYPE_CHECKING:
    from smartos.zfs.live.dnode_sync import Node

Value = int | str | bytes | tuple[int, ...] | Entry


class ZapTable:
    """The entries of one ZAP object by name; `fat` once it does not fit into a micro ZAP."""

    def __init__(self, entries: list[Entry], fat: bool = False, salt: int = zap.SALT) -> None:
        self.entries = {entry.name: entry for entry in entries}
        self.fat, self.dirty, self.salt = fat, False, salt

    @classmethod
    def load(cls, node: "Node") -> "ZapTable":
        """Read an object's table."""

        def block(number: int) -> tuple[bytes, str]:
            if number in node.dirty:
                return bytes(node.dirty[number] or b""), "<"
            pointer = block_pointer(node.phys, number, node.objset.read_block)
            return (b"", "<") if pointer.hole else (node.objset.read_block(pointer), pointer.order)

        data, order = block(0)
        if not data:
            return cls([])
        kind = int.from_bytes(data[:8], "little" if order == "<" else "big")
        return cls(zap.read(block), kind != zap.MICRO)

    def get(self, name: str) -> object:
        """The value under a name, None when there is none."""
        entry = self.entries.get(name)
        return None if entry is None else entry.value

    def put(self, name: str, value: Value) -> None:
        """Set a name's value."""
        self.entries[name] = value if isinstance(value, Entry) else zap.entries_of({name: value})[0]
        self.dirty = True

    def remove(self, name: str) -> None:
        """Take a name out. KeyError when it is not there."""
        del self.entries[name]
        self.dirty = True

    def store(self, node: "Node") -> None:
        """Put the table's blocks into the object."""
        entries = list(self.entries.values())
        if not self.fat and not zap.fits_micro(entries):
            self.fat = True
        if self.fat:
            data, size = zap.pack_fat(entries, self.salt), 1 << zap.FAT_SHIFT
            if node.block_size != size:
                node.free_range(0)
                node.set_block_size(size)
        else:
            data = zap.pack_micro(entries, self.salt)
            size = max(len(data), node.block_size)
            data = data.ljust(size, b"\0")
            node.set_block_size(size)
        for number in range(len(data) // size):
            node.put(number, data[number * size : (number + 1) * size])
        if node.phys.maxblkid >= len(data) // size:
            node.free_range(len(data) // size)
        self.dirty = False
