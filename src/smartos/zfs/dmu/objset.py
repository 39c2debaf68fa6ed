"""Object sets: numbered objects under one root, such as a filesystem, a volume, a snapshot of either, or the MOS.

The root block holds the meta-dnode, an object whose data are all the other objects' dnodes; in newer pools also the
objects in which space is counted by user, group and project. The intent log's header is there as well.

Left out: the checksums of encryption. Follows `dmu_objset.h`, `zil.h`, `dmu_objset.c` and `dmu_object.c`.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from smartos.zfs.dmu import zap
from smartos.zfs.dmu.dnode import DNODE_SHIFT, DNODE_SIZE, Dnode, block_pointer, pointers
from smartos.zfs.errors import CorruptPool, NoSuchObject
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr

NONE, META, ZFS, ZVOL, OTHER, ANY = range(6)
TYPES = ("NONE", "META", "ZPL", "ZVOL", "OTHER", "ANY")
SIZES = (1024, 2048, 4096)  # by age: without the objects for space counts, with users and groups, with projects
USERACCOUNTING_COMPLETE = 1
MAX_OBJECT = 1 << 48
MAX_READ = 1 << 30

USERUSED, GROUPUSED, PROJECTUSED = -1, -2, -3  # the numbers of the objects that stand in the root itself


@dataclass(slots=True)
class ZilHeader:
    """Where a dataset's intent log begins. `log` is a hole when there is none to replay."""

    claim_txg: int = 0
    replay_seq: int = 0
    log: Blkptr = field(default_factory=Blkptr)
    claim_blk_seq: int = 0
    flags: int = 0
    claim_lr_seq: int = 0

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "ZilHeader":
        """The header in 192 bytes."""
        if len(data) < 192:
            raise CorruptPool(f"an intent log's header in {len(data)} bytes; it has 192")
        claim_txg, replay_seq = struct.unpack_from(order + "2Q", data)
        tail = struct.unpack_from(order + "3Q", data, 16 + BLKPTR_SIZE)
        return cls(claim_txg, replay_seq, Blkptr.unpack(data[16 : 16 + BLKPTR_SIZE], order), *tail)

    def pack(self) -> bytes:
        """The header's 192 bytes."""
        head, tail = (self.claim_txg, self.replay_seq), (self.claim_blk_seq, self.flags, self.claim_lr_seq)
        return (struct.pack("<2Q", *head) + self.log.pack() + struct.pack("<3Q", *tail)).ljust(192, b"\0")


@dataclass
class ObjsetPhys:
    """The root block of an object set, as it is on disk; `size` is one of SIZES, the counting dnodes may be None.

    `macs` are the authentication codes that an encrypted dataset has there.
    """

    meta_dnode: Dnode = field(default_factory=Dnode)
    zil_header: ZilHeader = field(default_factory=ZilHeader)
    type: int = NONE
    flags: int = 0
    userused: Dnode | None = None
    groupused: Dnode | None = None
    projectused: Dnode | None = None
    size: int = 1024
    macs: bytes = bytes(64)

    @classmethod
    def unpack(cls, data: bytes, order: str = "<") -> "ObjsetPhys":
        """The root block in `data`. Raises :class:`CorruptPool`."""
        if len(data) not in SIZES:
            raise CorruptPool(f"an object set's root has {len(data)} bytes, not {', '.join(map(str, SIZES))}")
        kind, flags = struct.unpack_from(order + "2Q", data, DNODE_SIZE + 192)
        if kind >= ANY:
            raise CorruptPool(f"an object set of type {kind}")
        root = cls(
            Dnode.unpack(data[:DNODE_SIZE], order), ZilHeader.unpack(data[DNODE_SIZE : DNODE_SIZE + 192], order), kind,
            flags, size=len(data), macs=data[720:784],
        )  # fmt: skip
        if root.meta_dnode.type not in (dmu.DNODE, dmu.NONE):
            raise CorruptPool(f"the meta-dnode is of type {dmu.type_name(root.meta_dnode.type)}")
        if len(data) >= 2048:
            root.userused, root.groupused = (Dnode.unpack(data[at : at + 512], order) for at in (1024, 1536))
        if len(data) >= 4096:
            root.projectused = Dnode.unpack(data[2048:2560], order)
        return root

    def pack(self) -> bytes:
        """The root block's bytes, little-endian."""
        head = self.meta_dnode.pack() + self.zil_header.pack() + struct.pack("<2Q", self.type, self.flags) + self.macs
        counts = [dnode.pack() if dnode else bytes(DNODE_SIZE) for dnode in (self.userused, self.groupused)]
        body = head.ljust(1024, b"\0")
        if self.size >= 2048:
            body += b"".join(counts)
        if self.size >= 4096 and self.projectused:
            body += self.projectused.pack()
        return body.ljust(self.size, b"\0")


class Objset:
    """An object set that can be read: `read` gives the (decompressed, verified) bytes of the block under a pointer.

    `name` is only for messages.
    """

    def __init__(self, root: Blkptr, read: Callable[[Blkptr], bytes], name: str = "MOS") -> None:
        self.root, self.read_block, self.name = root, read, name
        if root.hole:
            raise CorruptPool(f"{name} has no root block")
        self.phys = ObjsetPhys.unpack(read(root), root.order)
        self._block: tuple[int, str, bytes] = (-1, "<", b"")

    def dnode(self, number: int) -> Dnode:
        """The dnode of an object. Raises :class:`NoSuchObject` when that number is free."""
        special = {USERUSED: self.phys.userused, GROUPUSED: self.phys.groupused, PROJECTUSED: self.phys.projectused}
        if number in special:
            found = special[number]
        elif number == 0:
            found = self.phys.meta_dnode
        else:
            found = self._stored(number)
        if found is None or found.type == dmu.NONE:
            raise NoSuchObject(f"{self.name} has no object {number}")
        return found

    def _stored(self, number: int) -> Dnode | None:
        meta = self.phys.meta_dnode
        per = meta.block_size >> DNODE_SHIFT
        if not 0 < number < MAX_OBJECT or not per:
            return None
        block, index = divmod(number, per)
        order, data = self._dnode_block(block)
        return Dnode.unpack(data[index << DNODE_SHIFT :], order) if data else None

    def _dnode_block(self, block: int) -> tuple[str, bytes]:
        """A block of dnodes and its byte order; no bytes where there is a hole. The last one is kept."""
        if self._block[0] != block:
            pointer = block_pointer(self.phys.meta_dnode, block, self.read_block)
            data = b"" if pointer.hole else self.read_block(pointer)
            self._block = (block, pointer.order, data)
        return self._block[1:]

    def objects(self) -> Iterator[tuple[int, Dnode]]:
        """Every object with its number, in order."""
        per = self.phys.meta_dnode.block_size >> DNODE_SHIFT
        for level, block, pointer in pointers(self.phys.meta_dnode, self.read_block):
            if level == 0:
                yield from dnodes(self.read_block(pointer), pointer.order, block * per)

    def blocks(self, dnode: Dnode) -> Iterator[tuple[int, bytes]]:
        """The data blocks of an object that are no holes, as (number, bytes)."""
        for level, block, pointer in pointers(dnode, self.read_block):
            if level == 0:
                yield block, self.read_block(pointer)

    def read(self, dnode: Dnode, offset: int = 0, length: int | None = None) -> bytes:
        """`length` bytes of an object from `offset` on, holes as zeros; what lies beyond its end is left out."""
        size = dnode.block_size
        end = dnode.length if length is None else min(offset + length, dnode.length)
        if end - offset > MAX_READ:
            raise CorruptPool(f"an object of {dnode.length:,} bytes is to be read at once")
        out = []
        for number in range(offset // size, -(-end // size)) if end > offset else ():
            pointer = block_pointer(dnode, number, self.read_block)
            data = bytes(size) if pointer.hole else self.read_block(pointer)
            if len(data) != size:
                raise CorruptPool(f"block {number} has {len(data)} bytes where the dnode says {size}")
            out.append(data[max(offset - number * size, 0) : end - number * size])
        return b"".join(out)

    def order(self, dnode: Dnode, number: int = 0) -> str:
        """The byte order of an object's block."""
        return block_pointer(dnode, number, self.read_block).order

    def words(self, dnode: Dnode, count: int | None = None) -> list[int]:
        """An object as 64-bit words, each block in its own byte order."""
        size, words = dnode.block_size, []
        need = min(dnode.length // 8, dnode.length // 8 if count is None else count)
        if need * 8 > MAX_READ:
            raise CorruptPool(f"an object of {dnode.length:,} bytes is to be read at once")
        for number in range(dnode.maxblkid + 1):
            if len(words) >= need:
                break
            pointer = block_pointer(dnode, number, self.read_block)
            data = bytes(size) if pointer.hole else self.read_block(pointer)
            words += struct.unpack(f"{pointer.order}{len(data) // 8}Q", data[: len(data) & ~7])
        return words[:need]

    def zap(self, number: int) -> dict[str, object]:
        """A ZAP object as a dict; see :func:`smartos.zfs.dmu.zap.read`."""
        return {entry.name: entry.value for entry in self.zap_entries(number)}

    def zap_entries(self, number: int) -> list["zap.Entry"]:
        """A ZAP object's entries. Raises :class:`CorruptPool` when it is none, :class:`NoSuchObject`."""
        dnode = self.dnode(number)
        return zap.read(lambda block: self._ordered(dnode, block))

    def _ordered(self, dnode: Dnode, block: int) -> tuple[bytes, str]:
        pointer = block_pointer(dnode, block, self.read_block)
        return (b"" if pointer.hole else self.read_block(pointer)), pointer.order


def dnodes(data: bytes, order: str, first: int) -> Iterator[tuple[int, Dnode]]:
    """The objects in a block of dnodes, the first slot of which has the number `first`. A large one takes several."""
    at = 0
    while at < len(data):
        if data[at]:
            dnode = Dnode.unpack(data[at:], order)
            yield first + (at >> DNODE_SHIFT), dnode
            at += dnode.size
        else:
            at += DNODE_SIZE
