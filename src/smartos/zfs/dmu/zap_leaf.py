"""ZAP leaves: the blocks in which a fat ZAP keeps its entries, and the hash that leads to them.

A leaf has a table of chain heads, indexed by the bits of the hash behind those that lead to the leaf, and 24-byte
chunks: one for each entry, others for its name and its value, 21 bytes each. Integers in chunks are big-endian on every
machine.

Left out: changing a leaf in place. Follows `zap_leaf.h`, `zap_leaf.c` and `zap_hash` of OpenZFS.
"""

import struct
from dataclasses import dataclass
from functools import cache

from smartos.zfs.errors import CorruptPool

LEAF = 1 << 63  # what a block's first word says it is
LEAF_MAGIC = 0x2AB1EAF
FLAG_HASH64, FLAG_UINT64_KEY, FLAG_PRE_HASHED = 1, 2, 4
CHUNK, ARRAY_BYTES, CHAIN_END = 24, 21, 0xFFFF
CHUNK_FREE, CHUNK_ENTRY, CHUNK_ARRAY = 253, 252, 251
CD_SORTED = 1

_LETTERS = {1: "B", 2: "H", 4: "I", 8: "Q"}


@dataclass(slots=True)
class Entry:
    """A name and its integers, each of `size` bytes (1, 2, 4 or 8). `name` is a tuple of words in tables keyed so."""

    name: str | tuple[int, ...]
    ints: tuple[int, ...] | bytes
    size: int = 8
    cd: int = 0

    @property
    def value(self) -> int | bytes | tuple[int, ...]:
        """The one integer, the bytes, or the integers, whichever it is."""
        if self.size == 1:
            return bytes(self.ints)
        return self.ints[0] if len(self.ints) == 1 else tuple(self.ints)


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0xC96C5795D7870F42 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


def hash_of(name: str | tuple[int, ...], salt: int, flags: int = 0) -> int:
    """A name's hash under a table's salt: the upper 28 bits (48 with FLAG_HASH64) of a CRC-64."""
    if flags & FLAG_PRE_HASHED:
        digest = name[0]
    else:
        if isinstance(name, str):
            data = name.encode("utf-8", "surrogateescape")
        else:
            data = struct.pack(f"<{len(name)}Q", *name)
        table, digest = _crc_table(), salt
        for byte in data:
            digest = digest >> 8 ^ table[(digest ^ byte) & 0xFF]
    bits = 48 if flags & FLAG_HASH64 else 28
    return digest & ~((1 << 64 - bits) - 1)


def leaf_shape(size: int) -> tuple[int, int, int]:
    """A leaf's hash slots, where its chunks begin, and how many they are, for blocks of `size` bytes."""
    slots = size // 32
    return slots, 48 + 2 * slots, (size - 2 * slots) // CHUNK - 2


def leaf_entries(data: bytes, order: str, block_size: int, flags: int, number: int) -> list[Entry]:
    """The entries of leaf block `number` of a table with blocks of `block_size` bytes. Raises :class:`CorruptPool`."""
    where = f"leaf {number} of a fat ZAP"
    slots, base, chunks = leaf_shape(len(data))
    if len(data) != block_size or len(data) < 512:
        raise CorruptPool(f"{where} has {len(data)} bytes")
    kind, _, _, magic = struct.unpack_from(order + "3QI", data)
    if kind != LEAF or magic != LEAF_MAGIC:
        raise CorruptPool(f"{where} has neither a leaf's first word nor its magic")
    heads = struct.unpack_from(f"{order}{slots}H", data, 48)
    form, left, entries = struct.Struct(order + "BB5HIQ"), chunks, []

    def array(chunk: int, length: int) -> bytes:
        nonlocal left
        out = bytearray()
        while len(out) < length:
            left -= 1
            at = base + CHUNK * chunk
            if chunk >= chunks or left < 0 or data[at] != CHUNK_ARRAY:
                raise CorruptPool(f"{where}: a chain of chunks leads astray")
            out += data[at + 1 : at + 1 + ARRAY_BYTES]
            (chunk,) = struct.unpack_from(order + "H", data, at + 22)
        return bytes(out[:length])

    for chunk in heads:
        while chunk != CHAIN_END:
            left -= 1
            if chunk >= chunks or left < 0:
                raise CorruptPool(f"{where}: a chain of entries leads astray")
            packed = form.unpack_from(data, base + CHUNK * chunk)
            kind, size, following, name_at, name_n, value_at, value_n, cd, _ = packed
            if kind != CHUNK_ENTRY or size not in (1, 2, 4, 8):
                raise CorruptPool(f"{where}: chunk {chunk} is no entry")
            raw = array(name_at, name_n * (8 if flags & FLAG_UINT64_KEY else 1))
            if flags & FLAG_UINT64_KEY:
                name = struct.unpack(f">{name_n}Q", raw)
            else:
                name = raw.rstrip(b"\0").decode("utf-8", "surrogateescape")
            value = array(value_at, value_n * size)
            ints = value if size == 1 else struct.unpack(f">{value_n}{_LETTERS[size]}", value)
            entries.append(Entry(name, ints, size, cd))
            chunk = following
    return entries


def chunks_of(entry: Entry) -> int:
    """How many chunks an entry takes: its own, those of the name, those of the value."""
    return 1 + -(-len(_name_bytes(entry)) // ARRAY_BYTES) + -(-len(entry.ints) * entry.size // ARRAY_BYTES)


def _name_bytes(entry: Entry) -> bytes:
    if isinstance(entry.name, str):
        return entry.name.encode("utf-8", "surrogateescape") + b"\0"
    return struct.pack(f">{len(entry.name)}Q", *entry.name)


def pack_leaf(entries: list[tuple[int, Entry]], prefix: int, length: int, size: int) -> bytes:
    """A leaf block of `size` bytes for entries with their hashes, whose first `length` bits are `prefix`."""
    slots, base, chunks = leaf_shape(size)
    out, used = bytearray(base), 0
    heads: dict[int, list[tuple[int, int]]] = {}
    places: dict[int, tuple] = {}

    def array(data: bytes) -> int:
        nonlocal used
        head = used if data else CHAIN_END
        for at in range(0, len(data), ARRAY_BYTES):
            used += 1
            following = used if at + ARRAY_BYTES < len(data) else CHAIN_END
            body = data[at : at + ARRAY_BYTES].ljust(ARRAY_BYTES, b"\0")
            out.extend(struct.pack(f"<B{ARRAY_BYTES}sH", CHUNK_ARRAY, body, following))
        return head

    for digest, entry in entries:
        chunk = used
        used += 1
        out.extend(bytes(CHUNK))
        name = _name_bytes(entry)
        name_at = array(name)
        value_at = array(struct.pack(f">{len(entry.ints)}{_LETTERS[entry.size]}", *entry.ints))
        names = len(name) if isinstance(entry.name, str) else len(entry.name)
        places[chunk] = (entry.size, name_at, names, value_at, len(entry.ints), entry.cd, digest)
        slot = digest >> 64 - (slots.bit_length() - 1) - length & slots - 1
        heads.setdefault(slot, []).append((entry.cd, chunk))
    table = [CHAIN_END] * slots
    for slot, chain in heads.items():
        chain.sort()
        following = CHAIN_END
        for _, chunk in reversed(chain):
            width, name_at, names, value_at, count, cd, digest = places[chunk]
            packed = struct.pack("<BB5HIQ", CHUNK_ENTRY, width, following, name_at, names, value_at, count, cd, digest)
            out[base + CHUNK * chunk : base + CHUNK * (chunk + 1)] = packed
            following = chunk
        table[slot] = following
    for chunk in range(used, chunks):
        out += struct.pack("<B21xH", CHUNK_FREE, chunk + 1 if chunk + 1 < chunks else CHAIN_END)
    free = used if used < chunks else CHAIN_END
    head = struct.pack(
        "<3QI4HB11x", LEAF, 0, prefix, LEAF_MAGIC, chunks - used, len(entries), length, free, CD_SORTED
    )  # fmt: skip
    out[:base] = head + struct.pack(f"<{slots}H", *table)
    return bytes(out.ljust(size, b"\0"))
