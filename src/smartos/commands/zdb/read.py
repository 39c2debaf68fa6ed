"""`zdb -R`: read a block by vdev, offset and size, and show its bytes, its pointers or its checksums.

Left out: checksums that the standard library lacks, and a pointer's offset beyond the block. Follows `zdb_read_block`
of `zdb.c`.
"""

import struct

from smartos.commands.zdb.text import Dump, blkptr_text
from smartos.output import CommandError
from smartos.zfs.errors import ChecksumError, Unsupported, ZfsError
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, DVA, MAX_BLOCK, Blkptr
from smartos.zfs.vdev.tree import Vdev

LETTERS = "bcdegirv"
DECODERS = (compress.LZ4, compress.LZJB, *range(compress.GZIP_1, compress.GZIP_9 + 1), compress.ZLE, compress.ZSTD)
MOST = 128 << 10  # how far a size that was not given is searched for
CHECKSUMS = (checksum.FLETCHER_2, checksum.FLETCHER_4, checksum.SHA256, checksum.SHA512)


def find_vdev(children: list[Vdev | None], word: str) -> Vdev | None:
    """A vdev by its place in the tree (0, or 0.1 for a child), or by the name or last part of the name of a device."""
    first, _, rest = word.partition(".")
    if first.isdigit():
        vdev = children[int(first)] if int(first) < len(children) else None
        return vdev if not rest or vdev is None else find_vdev(vdev.children, rest)
    for vdev in filter(None, children):
        for leaf in vdev.leaves():
            name = _name(leaf)
            if word in (name, name.rpartition("/")[2]):
                return leaf
    return None


def _name(leaf: Vdev) -> str:
    return getattr(leaf, "path", "") or leaf.name


class Block:
    """A block's place and how it is to be shown. Raises :class:`CommandError` for a word that names none."""

    def __init__(self, dump: Dump, word: str) -> None:
        self.dump, self.word = dump, word
        vdev, offset, sizes, flags, *_ = [*word.split(":"), "", "", "", ""]
        what = ""
        try:
            self.offset = int(offset or "0", 16)
            self.lsize, self.psize = (int(size, 16) for size in (sizes.split("/") * 2)[:2])
        except ValueError:
            self.offset, self.lsize, self.psize = 0, 0, 0
        if not self.lsize >= self.psize > 0:
            what = "invalid size(s)"
        if self.psize % 512 or self.lsize % 512:
            what = "size must be a multiple of sector size"
        if self.offset % 512:
            what = "offset must be a multiple of sector size"
        if what:
            raise CommandError(f"Invalid block specifier: {word}  - {what}", 0)
        self.flags, self.at = self._flags(flags)
        found = find_vdev(dump.pool.tops, vdev)
        if found is None:
            raise CommandError(f"***Invalid vdev: {vdev}", 0)
        self.vdev = found

    def _flags(self, text: str) -> tuple[set[str], int]:
        """The letters, and the offset in hexadecimal that follows a b."""
        found, at, place = set(), "", 0
        while place < len(text):
            letter = text[place]
            place += 1
            if letter not in LETTERS:
                self.dump.say(f"***Ignoring flag: {letter}")
                continue
            found.add(letter)
            while letter == "b" and place < len(text) and text[place] not in LETTERS.replace("b", ""):
                at, place = at + text[place], place + 1
        if text and not found:
            raise CommandError(f"Invalid flag arg: '{text}'", 0)
        place = int(at, 16) if at and all(digit in "0123456789abcdef" for digit in at) else 0
        if place % BLKPTR_SIZE:
            raise CommandError(f"Block pointer offset 0x{place:x} must be divisible by 0x{BLKPTR_SIZE:x}", 0)
        return found, place

    def read(self) -> bytes:
        """The bytes on the vdev: of a top-level one as the pool reads them, of one below just those of the device."""
        if self.vdev.top is not self.vdev:
            return self.vdev.read(self.offset, self.psize)
        number = self.dump.pool.tops.index(self.vdev)
        dva = DVA(number, self.offset, self.vdev.psize_to_asize(self.psize))
        return self.dump.pool.read.raw(Blkptr((dva,), self.lsize, self.psize, compress.OFF, checksum.OFF, little=True))

    def show(self) -> None:
        """Read the block and print it."""
        dump, flags = self.dump, self.flags
        dump.errors.append(
            f"Found vdev: {_name(self.vdev)}" if not self.vdev.children else f"Found vdev type: {self.vdev.type}"
        )
        try:
            stored = self.read()
        except ZfsError as error:
            dump.say(f"Read of {self.word} failed, error: {52 if isinstance(error, ChecksumError) else 5}")
            dump.errors.append(f"zdb: {error}")
            return
        data = self._decoded(stored) if "d" in flags else stored
        if data is None:
            dump.say(f"Decompress of {self.word} failed")
            return
        if flags & {"b", "i"} and not self._sensible(data):
            data = self._decoded(stored) if "d" not in flags else None
            if data is None or not self._sensible(data):
                dump.say("invalid block pointer at this DVA")
                return
        data = data[: self.lsize].ljust(self.lsize, b"\0")
        if "b" in flags:
            self._pointers(data[self.at : self.at + BLKPTR_SIZE])
        elif "r" in flags:
            words = _swapped(data) if "e" in flags else data
            dump.lines.append(words.decode("utf-8", "surrogateescape"))
            dump.opt["raw"] = 1
        elif "i" in flags:
            self._pointers(data)
        elif "g" in flags:
            self._pointers(data[: 3 * BLKPTR_SIZE])
        else:
            self._hex(data)
        if "c" in flags and not flags & {"r", "g"}:
            self._sums(stored)

    def _decoded(self, stored: bytes) -> bytes | None:
        known = self.lsize != self.psize
        for size in [self.lsize] if known else range(self.lsize + 512, MOST + 1, 512):
            for kind in DECODERS:
                if "v" in self.flags:
                    self.dump.errors.append(f"Trying {self.psize:05x} -> {size:05x} ({compress.name_of(kind)})")
                try:
                    data = compress.decompress(kind, stored, size)
                except (ZfsError, ValueError, IndexError):
                    continue
                if kind == compress.ZLE:
                    for line in (
                        "", "ZLE decompression was selected. If you suspect the results are wrong,",
                        'try avoiding ZLE by setting and exporting ZDB_NO_ZLE="true"',
                    ):  # fmt: skip
                        self.dump.say(line)
                return data
        return None

    def _sensible(self, data: bytes) -> bool:
        """Whether the pointer that is to be shown (or the first) could be one; if not, the block may be compressed."""
        pointer = self._pointer(data[self.at : self.at + BLKPTR_SIZE].ljust(BLKPTR_SIZE, b"\0"))
        known = pointer.type < len(dmu.TYPES) or pointer.type & dmu.NEWTYPE
        if not known or pointer.compress >= len(compress.NAMES) or pointer.lsize > MAX_BLOCK:
            return False
        if pointer.embedded or pointer.hole:
            return pointer.etype < 3
        tops = self.dump.pool.tops
        return pointer.checksum < len(checksum.NAMES) and all(
            dva.vdev < len(tops) and tops[dva.vdev] is not None and dva.offset < tops[dva.vdev].asize
            for dva in pointer.dvas
        )

    def _pointer(self, data: bytes) -> Blkptr:
        return Blkptr.unpack(data, ">" if "e" in self.flags else "<")

    def _pointers(self, data: bytes) -> None:
        for at in range(0, len(data) - BLKPTR_SIZE + 1, BLKPTR_SIZE):
            self.dump.say(blkptr_text(self._pointer(data[at : at + BLKPTR_SIZE])))

    def _hex(self, data: bytes) -> None:
        swap, say = "e" in self.flags, self.dump.say
        say()
        say(self.word)
        columns = " 7 6 5 4 3 2 1 0   f e d c b a 9 8" if swap else " 0 1 2 3 4 5 6 7   8 9 a b c d e f"
        say(f"{'':6}   {columns}  0123456789abcdef")
        for at in range(0, len(data), 16):
            row = data[at : at + 16]
            first, second = struct.unpack(">2Q" if swap else "<2Q", row)  # as a little-endian machine has them
            shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            say(f"{at:06x}:  {first:016x}  {second:016x}  {shown}")

    def _sums(self, stored: bytes) -> None:
        self.dump.say()
        for kind in CHECKSUMS:
            try:
                words = checksum.checksum(kind, stored.ljust(self.lsize, b"\0"))
            except Unsupported as error:
                self.dump.errors.append(f"zdb: {error}")
                continue
            self.dump.say(f"{checksum.name_of(kind):>12}\tcksum={':'.join(f'{word:016x}' for word in words)}")
        self.dump.errors.append("zdb: skein and edonr are not computed here")


def _swapped(data: bytes) -> bytes:
    return struct.pack(f"<{len(data) // 8}Q", *struct.unpack(f">{len(data) // 8}Q", data))


def read_blocks(dump: Dump, words: list[str]) -> None:
    """Show each block; a word that names none is told of, and the next one is read."""
    for word in words:
        try:
            Block(dump, word).show()
        except CommandError as error:
            dump.say(str(error))

