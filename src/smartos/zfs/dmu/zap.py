"""ZAP objects: tables from names to integers, in which ZFS keeps directories, properties and nearly all it knows.

A micro ZAP is one block of 64-byte entries, short names with one number each. A fat ZAP hashes the name, takes the
first bits of the hash as an index into a table of pointers to leaf blocks, and finds the entry there; a leaf that fills
is split by one more bit of the hash. The hash is a CRC of 64 bits, of which 28 (or 48) are kept; names that agree in
these get a collision differentiator (`cd`).

Left out: lookup under Unicode normalization (every entry is read instead), and changing an object in place: a writer
packs it anew. Follows `zap_impl.h`, `zap_micro.c` and `zap.c` (later `zap_fat.c`).
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from smartos.zfs.dmu.zap_leaf import (
    FLAG_HASH64,
    FLAG_PRE_HASHED,
    FLAG_UINT64_KEY,
    Entry,
    chunks_of,
    hash_of,
    leaf_entries,
    leaf_shape,
    pack_leaf,
)
from smartos.zfs.errors import CorruptPool, NoSpace, NoSuchName

HEADER, MICRO = (1 << 63) + 1, (1 << 63) + 3  # what a block's first word says it is
MAGIC = 0x2F52AB2AB
MICRO_ENTRY, MICRO_NAME, MICRO_MAX = 64, 50, 128 << 10
FAT_SHIFT = 14  # the size of a fat ZAP's blocks that is written here, 16 KiB
SALT = 0x5A415053414C5401  # what the writer stirs into the hash unless told otherwise; it must be odd
MAX_BLOCKS = 1 << 20

Block = Callable[[int], tuple[bytes, str]]

__all__ = [
    "FLAG_HASH64", "FLAG_PRE_HASHED", "FLAG_UINT64_KEY", "Entry", "FatHeader", "entries_of", "fits_micro", "hash_of",
    "lookup", "pack", "pack_fat", "pack_micro", "read",
]  # fmt: skip

# ---- reading


def read(block: Block) -> list[Entry]:
    """All entries of a ZAP object; `block(number)` gives a block's bytes ("" for a hole) and their byte order.

    Raises :class:`CorruptPool` when it is no ZAP.
    """
    data, order = block(0)
    kind = _kind(data, order)
    if kind == MICRO:
        return _micro(data, order)
    header = FatHeader.unpack(data, order)
    entries = []
    for number in header.leaves(block):
        entries += leaf_entries(*block(number), len(header.data), header.flags, number)
    return entries


def lookup(block: Block, name: str) -> Entry:
    """The entry under a name; of a fat ZAP only the leaf that the hash leads to is read. Raises :class:`NoSuchName`."""
    data, order = block(0)
    if _kind(data, order) == MICRO:
        entries = _micro(data, order)
    else:
        header = FatHeader.unpack(data, order)
        if header.normflags:
            entries = read(block)
        else:
            number = header.leaf_of(hash_of(name, header.salt, header.flags), block)
            entries = leaf_entries(*block(number), len(header.data), header.flags, number)
    for entry in entries:
        if entry.name == name:
            return entry
    raise NoSuchName(f"the table has no entry {name}")


def _kind(data: bytes, order: str) -> int:
    kind = struct.unpack_from(order + "Q", data)[0] if len(data) >= 128 else 0
    if kind not in (MICRO, HEADER):
        raise CorruptPool(f"no ZAP: the first word is {kind:#x}")
    return kind


def _micro(data: bytes, order: str) -> list[Entry]:
    entries = []
    form = struct.Struct(f"{order}QIH{MICRO_NAME}s")
    for value, cd, _, name in form.iter_unpack(data[MICRO_ENTRY : len(data) // MICRO_ENTRY * MICRO_ENTRY]):
        if name[0]:
            entries.append(Entry(name.split(b"\0")[0].decode("utf-8", "surrogateescape"), (value,), 8, cd))
    return entries


@dataclass(slots=True)
class FatHeader:
    """A fat ZAP's first block: its pointer table (in the block's second half, or in blocks of its own) and counts."""

    table_block: int
    table_blocks: int
    table_shift: int
    free_block: int
    leafs: int
    entries: int
    salt: int
    normflags: int
    flags: int
    data: bytes
    order: str

    @classmethod
    def unpack(cls, data: bytes, order: str) -> "FatHeader":
        """The header in a whole block. Raises :class:`CorruptPool`."""
        words = struct.unpack_from(order + "13Q", data)
        if words[1] != MAGIC:
            raise CorruptPool(f"no fat ZAP: the magic is {words[1]:#x}, not {MAGIC:#x}")
        found = cls(*words[2:5], *words[7:], data, order)
        block_words = len(data) // 8
        room = found.table_blocks * block_words if found.table_blocks else block_words // 2
        if found.table_shift > 40 or 1 << found.table_shift > room or found.table_blocks > MAX_BLOCKS:
            raise CorruptPool(f"a fat ZAP with a pointer table of 2^{found.table_shift} in {found.table_blocks} blocks")
        return found

    def pointers(self, block: Block) -> list[int]:
        """The pointer table: for each prefix of the hash the number of its leaf."""
        number = 1 << self.table_shift
        if not self.table_blocks:
            return list(struct.unpack_from(f"{self.order}{number}Q", self.data, len(self.data) // 2))
        table, per = [], len(self.data) // 8
        for index in range(-(-number // per)):
            data, order = block(self.table_block + index)
            if len(data) != len(self.data):
                raise CorruptPool("a fat ZAP's pointer table has a hole")
            table += struct.unpack(f"{order}{per}Q", data)
        return table[:number]

    def leaves(self, block: Block) -> list[int]:
        """The numbers of all leaves, each once."""
        return list(dict.fromkeys(number for number in self.pointers(block) if number))

    def leaf_of(self, digest: int, block: Block) -> int:
        """The number of the leaf that a hash leads to."""
        index = digest >> 64 - self.table_shift if self.table_shift else 0
        if not self.table_blocks:
            return struct.unpack_from(self.order + "Q", self.data, len(self.data) // 2 + 8 * index)[0]
        step, within = divmod(index, len(self.data) // 8)
        data, order = block(self.table_block + step)
        if len(data) != len(self.data):
            raise CorruptPool("a fat ZAP's pointer table has a hole")
        return struct.unpack_from(order + "Q", data, 8 * within)[0]


# ---- writing


def entries_of(values: Mapping[str, object] | Iterable[Entry]) -> list[Entry]:
    """Entries for a mapping: an int is one 64-bit integer, bytes (or str, with a NUL) are bytes, a tuple integers."""
    if not isinstance(values, Mapping):
        return list(values)
    entries = []
    for name, value in values.items():
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape") + b"\0"
        if isinstance(value, (bytes, bytearray)):
            entries.append(Entry(name, bytes(value), 1))
        else:
            entries.append(Entry(name, (value,) if isinstance(value, int) else tuple(value)))
    return entries


def _differentiate(entries: list[Entry], salt: int, flags: int = 0) -> list[tuple[int, Entry]]:
    """Each entry with its hash, and with the lowest `cd` that tells it from those of the same hash."""
    seen: dict[int, int] = {}
    out = []
    for entry in entries:
        digest = hash_of(entry.name, salt, flags)
        cd = seen.get(digest, 0)
        seen[digest] = cd + 1
        out.append((digest, Entry(entry.name, entry.ints, entry.size, cd)))
    return out


def fits_micro(entries: list[Entry]) -> bool:
    """Whether a micro ZAP can hold the entries: names below 50 bytes, one 64-bit integer each, 2,047 at most."""
    return len(entries) < MICRO_MAX // MICRO_ENTRY and all(
        entry.size == 8 and len(entry.ints) == 1 and isinstance(entry.name, str)
        and len(entry.name.encode("utf-8", "surrogateescape")) < MICRO_NAME for entry in entries
    )  # fmt: skip


def pack_micro(values: Mapping[str, object] | Iterable[Entry], salt: int = SALT, normflags: int = 0) -> bytes:
    """A micro ZAP: one block of as many sectors as it needs. Raises :class:`NoSpace` when it cannot hold them."""
    entries = entries_of(values)
    if not fits_micro(entries):
        raise NoSpace("a micro ZAP holds 2,047 names below 50 bytes with one integer each; these need a fat one")
    out = bytearray(struct.pack("<3Q40x", MICRO, salt, normflags))
    for _, entry in _differentiate(entries, salt):
        name = entry.name.encode("utf-8", "surrogateescape")
        out += struct.pack(f"<QIH{MICRO_NAME}s", entry.ints[0], entry.cd, 0, name)
    return bytes(out + bytes(-len(out) % 512))


def pack_fat(
    values: Mapping[str, object] | Iterable[Entry], salt: int = SALT, normflags: int = 0, flags: int = 0,
    shift: int = FAT_SHIFT,
) -> bytes:  # fmt: skip
    """A fat ZAP: all its blocks of 2^shift bytes, the header, the leaves, then the pointer table if it needs its own.

    Raises :class:`NoSpace` when one entry is too large for a leaf.
    """
    size = 1 << shift
    leaves: list[tuple[int, int, bytes]] = []  # (prefix, its length in bits, block), in the order of their prefixes
    _split(_differentiate(entries_of(values), salt, flags), 0, 0, size, leaves)
    longest = max(length for _, length, _ in leaves)
    table_shift, table_blocks = max(shift - 4, longest), 0
    if table_shift > shift - 4:
        table_blocks = 1 << table_shift - (shift - 3)
    table = []
    for number, (_, length, _) in enumerate(leaves, 1):
        table += [number] * (1 << table_shift - length)
    words = struct.pack(f"<{len(table)}Q", *table)
    first = 1 + len(leaves)
    header = struct.pack(
        "<13Q", HEADER, MAGIC, first if table_blocks else 0, table_blocks, table_shift, 0, 0, first + table_blocks,
        len(leaves), _count(leaves), salt, normflags, flags,
    )  # fmt: skip
    if not table_blocks:
        header = header.ljust(size // 2, b"\0") + words
        words = b""
    return header.ljust(size, b"\0") + b"".join(block for _, _, block in leaves) + words


def _count(leaves: list[tuple[int, int, bytes]]) -> int:
    return sum(struct.unpack_from("<H", block, 30)[0] for _, _, block in leaves)


def _split(entries: list[tuple[int, Entry]], prefix: int, length: int, size: int, leaves: list) -> None:
    """Append the leaves for entries that share a prefix, halving them by the next bit until each leaf fits."""
    room = leaf_shape(size)[2]
    if sum(chunks_of(entry) for _, entry in entries) <= room:
        leaves.append((prefix, length, pack_leaf(entries, prefix, length, size)))
        return
    if length >= 28:
        raise NoSpace("entries of the same hash do not fit into one leaf of a fat ZAP")
    for bit in (0, 1):
        half = [pair for pair in entries if pair[0] >> 63 - length & 1 == bit]
        _split(half, prefix << 1 | bit, length + 1, size, leaves)


def pack(values: Mapping[str, object] | Iterable[Entry], salt: int = SALT, normflags: int = 0) -> tuple[bytes, int]:
    """A ZAP of the smaller kind that holds the entries: its bytes, and the size of its blocks."""
    entries = entries_of(values)
    if fits_micro(entries):
        data = pack_micro(entries, salt, normflags)
        return data, len(data)
    return pack_fat(entries, salt, normflags), 1 << FAT_SHIFT
