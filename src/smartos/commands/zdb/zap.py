"""ZAP objects as zdb lists them: counts first, then the entries in the order of their hashes.

Left out: tables whose hash is that of a normalized name (their entries come in the order of the plain name's hash).
Follows `dump_zap_stats` of `zdb.c`, `fzap_get_stats` of `zap.c` and `zap_leaf_stats` of `zap_leaf.c`.
"""

import struct
from collections.abc import Iterator

from smartos.commands.zdb.text import histogram
from smartos.zfs.dmu import zap
from smartos.zfs.dmu.dnode import block_pointer
from smartos.zfs.dmu.objset import Objset
from smartos.zfs.dmu.zap_leaf import ARRAY_BYTES, CHAIN_END, CHUNK, Entry, leaf_shape
from smartos.zfs.errors import CorruptPool

BUCKETS = 10  # ZAP_HISTOGRAM_SIZE; the last one counts what is more, too
_CHARTS = (
    "Leafs with 2^n pointers:", "Blocks with n*5 entries:", "Blocks n/10 full:", "Entries with n chunks:",
    "Buckets with n entries:",
)  # fmt: skip


class Table:
    """A ZAP object: `entries` in a cursor's order, and :meth:`stats`. Raises :class:`CorruptPool`."""

    def __init__(self, objset: Objset, number: int) -> None:
        self.objset, self.dnode = objset, objset.dnode(number)
        data, order = self._block(0)
        self.micro = len(data) >= 8 and struct.unpack_from(order + "Q", data)[0] == zap.MICRO
        self.size = len(data)
        found = zap.read(self._block)
        if self.micro:
            salt, flags = struct.unpack_from(order + "Q", data, 8)[0], 0
        else:
            self.header = zap.FatHeader.unpack(data, order)
            salt, flags = self.header.salt, self.header.flags
        self.entries = sorted(found, key=lambda entry: (zap.hash_of(entry.name, salt, flags), entry.cd))

    def _block(self, number: int) -> tuple[bytes, str]:
        pointer = block_pointer(self.dnode, number, self.objset.read_block)
        return (b"" if pointer.hole else self.objset.read_block(pointer)), pointer.order

    def stats(self) -> Iterator[str]:
        """The lines that count."""
        if self.micro:
            yield f"\tmicrozap: {self.size} bytes, {len(self.entries)} entries"
            return
        header = self.header
        kind, magic, block, blocks, shift, following, copied, free, leaves, entries, salt = struct.unpack_from(
            header.order + "11Q", header.data
        )
        yield from ("\tFat ZAP stats:", "\t\tPointer table:", f"\t\t\t{1 << shift} elements")
        yield from (f"\t\t\tzt_blk: {block}", f"\t\t\tzt_numblks: {blocks}", f"\t\t\tzt_shift: {shift}")
        yield from (f"\t\t\tzt_blks_copied: {copied}", f"\t\t\tzt_nextblk: {following}")
        yield from (f"\t\tZAP entries: {entries}", f"\t\tLeaf blocks: {leaves}", f"\t\tTotal blocks: {free}")
        yield from (f"\t\tzap_block_type: 0x{kind:x}", f"\t\tzap_magic: 0x{magic:x}", f"\t\tzap_salt: 0x{salt:x}")
        for title, counts in zip(_CHARTS, self._counts(shift), strict=True):
            yield f"\t\t{title}"
            yield from histogram(counts)

    def _counts(self, table_shift: int) -> list[list[int]]:
        charts = [[0] * BUCKETS for _ in _CHARTS]

        def count(chart: int, value: int) -> None:
            charts[chart][min(value, BUCKETS - 1)] += 1

        last = 0
        for number in self.header.pointers(self._block):
            if number == last:
                continue
            last = number
            data, order = self._block(number)
            free, entries, prefix = struct.unpack_from(order + "HHH", data, 28)
            count(0, table_shift - prefix)
            count(1, entries // 5)
            count(2, (len(data) - free * (ARRAY_BYTES + 1)) * 10 // len(data))
            for chunks in _buckets(data, order):
                for each in chunks:
                    count(3, each)
                count(4, len(chunks))
        return charts


def _buckets(data: bytes, order: str) -> Iterator[list[int]]:
    """For each hash slot of a leaf, how many chunks each of its entries takes."""
    slots, base, chunks = leaf_shape(len(data))
    for chunk in struct.unpack_from(f"{order}{slots}H", data, 48):
        found = []
        while chunk != CHAIN_END:
            if chunk >= chunks or len(found) > chunks:
                raise CorruptPool("a leaf of a fat ZAP has a chain of entries that leads astray")
            _, size, following, _, name, _, value = struct.unpack_from(order + "BB5H", data, base + CHUNK * chunk)
            found.append(1 + -(-name // ARRAY_BYTES) + -(-value * size // ARRAY_BYTES))
            chunk = following
        yield found


_SECRET = frozenset(
    ("DSL_CRYPTO_MASTER_KEY_1", "DSL_CRYPTO_HMAC_KEY_1", "DSL_CRYPTO_IV", "DSL_CRYPTO_MAC", "org.illumos:checksum_salt")
)
_TYPES = (
    "not specified", "FIFO", "Character Device", "3 (invalid)", "Directory", "5 (invalid)", "Block Device",
    "7 (invalid)", "Regular File", "9 (invalid)", "Symbolic Link", "11 (invalid)", "Socket", "Door", "Event Port",
    "15 (invalid)",
)  # fmt: skip


def name_text(entry: Entry) -> str:
    """An entry's name; of one keyed by words, their bytes up to the first NUL."""
    if isinstance(entry.name, str):
        return entry.name
    return struct.pack(f"<{len(entry.name)}Q", *entry.name).split(b"\0")[0].decode("latin-1")


def text(data: bytes) -> str:
    """A C string."""
    return data.split(b"\0")[0].decode("utf-8", "surrogateescape")


def plain(table: Table) -> Iterator[str]:
    """Any table: the counts and each entry's value."""
    yield from table.stats()
    yield ""
    for entry in table.entries:
        if not len(entry.ints):
            value = ""
        elif entry.size == 1:
            value = bytes(entry.ints).hex() if entry.name in _SECRET else text(bytes(entry.ints))
        else:
            value = "".join(f"{_signed(each) if entry.size == 8 else each} " for each in entry.ints)
        yield f"\t\t{name_text(entry)} = {value}"


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def directory(table: Table) -> Iterator[str]:
    """A directory of files."""
    yield from table.stats()
    yield ""
    for entry in table.entries:
        word = entry.ints[0] if len(entry.ints) else 0
        yield f"\t\t{name_text(entry)} = {word & (1 << 48) - 1} (type: {_TYPES[word >> 60]})"


def sa_attributes(table: Table) -> Iterator[str]:
    """The registry of system attributes: length, way of swapping, number."""
    yield from table.stats()
    yield ""
    for entry in table.entries:
        word = entry.ints[0] if len(entry.ints) else None
        shown = "" if word is None else f" {word:x} : [{word >> 24 & 0xFFFF}:{word >> 16 & 0xFF}:{word & 0xFFFF}]"
        yield f"\t\t{name_text(entry)} = {shown}"


def sa_layouts(table: Table) -> Iterator[str]:
    """The layouts of system attributes."""
    yield from table.stats()
    yield ""
    for entry in table.entries:
        yield f"\t\t{name_text(entry)} = [" + ("".join(f" {each} " for each in entry.ints) + "]" if entry.ints else "")
