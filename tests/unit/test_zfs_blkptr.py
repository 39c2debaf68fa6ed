"""Block pointers, dnodes and uberblocks: both byte orders read, every field where the real one is."""

import struct

import pytest

from smartos.zfs.dmu.dnode import USED_BYTES, Dnode, block_pointer, pointers
from smartos.zfs.errors import CorruptPool
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA, Blkptr, blkptrs
from smartos.zfs.format.uberblock import Uberblock, ring, slot_of, slots

POINTER = Blkptr(
    (DVA(0, 0x8400, 0x200), DVA(1, 0x1C08400, 0x200)), 0x4000, 0x200, compress.LZJB, checksum.FLETCHER_4, dmu.DNODE, 0,
    6, 10, (1, 2, 3, 0xABC), little=True,
)  # fmt: skip
EMBEDDED = Blkptr(
    (), 512, 21, compress.LZ4, checksum.OFF, dmu.PLAIN_FILE_CONTENTS, 0, 9, 1, little=True, payload=bytes(range(21))
)


def other_order(data: bytes) -> bytes:
    """64-bit words in the other byte order."""
    return struct.pack(f">{len(data) // 8}Q", *struct.unpack(f"<{len(data) // 8}Q", data))


@pytest.mark.parametrize("pointer", [POINTER, EMBEDDED, Blkptr(), Blkptr(lsize=131072, birth=7, type=19, little=True)])
def test_pointers_survive_in_both_orders(pointer: Blkptr) -> None:
    packed = pointer.pack()
    assert len(packed) == 128
    assert Blkptr.unpack(packed) == pointer
    assert Blkptr.unpack(other_order(packed), ">") == pointer
    assert blkptrs(packed * 3) == [pointer] * 3


def test_the_layout_of_a_pointer() -> None:
    words = struct.unpack("<16Q", POINTER.pack())
    assert words[:4] == (1, 0x42, 1 << 32 | 1, 0xE042)
    assert words[6] == 1 << 63 | 10 << 48 | 7 << 40 | 3 << 32 | 0 << 16 | 0x1F
    assert words[10:] == (6, 10, 1, 2, 3, 0xABC)


def test_zdb_s_notation() -> None:
    assert POINTER.describe() == (
        "DVA[0]=<0:8400:200> DVA[1]=<1:1c08400:200> [L0 DMU dnode] fletcher4 lzjb LE contiguous unique double "
        "size=4000L/200P birth=6L/6P fill=10 cksum=1:2:3:abc"
    )
    assert "lzjb unencrypted LE" in POINTER.describe(openzfs=True)
    assert EMBEDDED.describe() == "EMBEDDED [L0 ZFS plain file] et=0 lz4 size=200L/15P birth=9L"
    assert Blkptr(lsize=512).describe() == "HOLE [L0 unallocated] size=200L birth=0L"


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(CorruptPool, match="sectors"):
        DVA(0, 100, 512).words()
    with pytest.raises(CorruptPool, match="sectors"):
        Blkptr(lsize=513).pack()
    with pytest.raises(CorruptPool, match="field"):
        Blkptr(birth=1 << 64).pack()
    with pytest.raises(CorruptPool, match="128"):
        Blkptr.unpack(bytes(100) + b"x")


DNODE = Dnode(
    dmu.PLAIN_FILE_CONTENTS, 14, 2, 1, dmu.ZNODE, 0, 0, USED_BYTES, 256, 0, 3, 1 << 20, [POINTER], b"bonus" * 20
)


def test_dnodes_survive() -> None:
    packed = DNODE.pack()
    assert len(packed) == 512
    assert Dnode.unpack(packed) == DNODE
    assert (DNODE.block_size, DNODE.length, DNODE.used_bytes) == (131072, 4 * 131072, 1 << 20)
    assert Dnode.unpack(bytes(512)).type == dmu.NONE and Dnode(type=dmu.NONE).pack() == bytes(512)


def test_large_dnodes_and_spill_blocks() -> None:
    large = Dnode(
        dmu.SA, nblkptr=1, extra_slots=3, blkptrs=[Blkptr()], bonus=b"x" * 1500, bonustype=dmu.SA, spill=POINTER
    )
    packed = large.pack()
    found = Dnode.unpack(packed)
    assert len(packed) == 2048
    assert (found.bonus, found.spill) == (large.bonus, POINTER)
    with pytest.raises(CorruptPool, match="do not fit"):
        Dnode(dmu.SA, bonus=b"x" * 321).pack()


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        (3, 4, "pointers"),
        (2, 0, "levels"),
        (2, 13, "levels"),
        (1, 7, "indirect"),
        (11, 255, "bonus"),
        (12, 40, "bytes"),
    ],
)
def test_damaged_dnodes_are_named(at: int, value: int, says: str) -> None:
    data = bytearray(DNODE.pack())
    data[at] = value
    with pytest.raises(CorruptPool, match=says):
        Dnode.unpack(bytes(data))


def test_a_tree_of_two_levels() -> None:
    """Four data blocks, one of them a hole, below an indirect block; the walk meets the indirect block first."""
    leaves = [
        Blkptr((DVA(0, n * 512, 512),), type=19, birth=5, little=True, checksum=7, compress=2) if n != 2 else Blkptr()
        for n in range(4)
    ]
    indirect = b"".join(leaf.pack() for leaf in leaves).ljust(16384, b"\0")
    top = Blkptr((DVA(0, 0x10000, 512),), 16384, 512, 3, 7, 19, level=1, birth=5, little=True)
    dnode = Dnode(19, 14, 2, 1, maxblkid=3, blkptrs=[top])
    blocks = {top.dvas[0]: indirect}

    def read(pointer: Blkptr) -> bytes:
        return blocks[pointer.dvas[0]]

    assert [(level, number) for level, number, _ in pointers(dnode, read)] == [(1, 0), (0, 0), (0, 1), (0, 3)]
    assert block_pointer(dnode, 3, read) == leaves[3]
    assert block_pointer(dnode, 2, read).hole and block_pointer(dnode, 4, read).hole
    dnode.maxblkid = 1
    with pytest.raises(CorruptPool, match="ends at 1"):
        list(pointers(dnode, read))
    dnode.maxblkid, blocks[top.dvas[0]] = 3, top.pack().ljust(16384, b"\0")
    with pytest.raises(CorruptPool, match="level 1 where one of level 0"):
        list(pointers(dnode, read))


def test_uberblocks_and_their_ring() -> None:
    first = Uberblock(28, 260, 77, 1313452800, POINTER, 28)
    second = Uberblock(28, 261, 77, 1313452805, POINTER, 28)
    assert Uberblock.unpack(first.pack()) == first
    assert Uberblock.unpack(other_order(first.pack())) == first
    assert (slots(9), slots(12), slots(16)) == (128, 32, 16)
    data = bytearray(128 << 10)
    for uberblock in (first, second):
        at = slot_of(uberblock.txg, 9) << 10
        data[at : at + 1024] = uberblock.slot(0x20000 + at, 9)
    assert ring(bytes(data), 0x20000, 9) == [(4, first), (5, second)]
    assert ring(bytes(data), 0x60000, 9) == [], "a ring read at another place does not verify"
    data[(5 << 10) + 50] ^= 1
    assert ring(bytes(data), 0x20000, 9) == [(4, first)]
    with pytest.raises(CorruptPool, match="magic"):
        Uberblock.unpack(bytes(1024))
