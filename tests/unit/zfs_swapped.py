"""Pools with blocks of both byte orders, as a pool has that moved to a machine of the other one: what is written anew
is in the machine's order, what is not stays as it was, and system attributes stay as they were in any case."""

import struct
from collections.abc import Callable

from smartos.zfs.dmu import sa
from smartos.zfs.dmu.dnode import _HEAD, CORE_SIZE, DNODE_SIZE
from smartos.zfs.dmu.zap import MICRO
from smartos.zfs.format import checksum
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr
from smartos.zfs.live.zpl_create import Metadata
from smartos.zfs.spa.spa import Spa


def words(data: bytes) -> bytes:
    """64-bit words in the other order."""
    return struct.pack(f">{len(data) // 8}Q", *struct.unpack(f"<{len(data) // 8}Q", data))


def dnode(data: bytes) -> bytes:
    """A dnode of 512 bytes, as `dnode_byteswap` leaves it: the bonus by its type."""
    if not any(data):
        return data
    head = _HEAD["<"].unpack_from(data)
    end = CORE_SIZE + head[3] * BLKPTR_SIZE
    bonus = data[end:DNODE_SIZE]
    if head[4] == dmu.ZNODE:
        bonus = words(bonus[:144]) + bonus[144:]
    elif head[4] not in (dmu.SA, dmu.NONE):
        bonus = words(bonus)
    return _HEAD[">"].pack(*head) + words(data[CORE_SIZE:end]) + bonus


def micro(data: bytes) -> bytes:
    """A micro ZAP."""
    assert struct.unpack_from("<Q", data)[0] == MICRO
    entries = (data[at : at + 64] for at in range(64, len(data), 64))
    return words(data[:64]) + b"".join(struct.pack(">QIH", *struct.unpack_from("<QIH", e)) + e[14:] for e in entries)


def swapped(kind: int, level: int, data: bytes) -> bytes:
    """A block in the other order, by its level and type."""
    if level:
        return words(data)
    if kind == dmu.DNODE:
        return b"".join(dnode(data[at : at + DNODE_SIZE]) for at in range(0, len(data), DNODE_SIZE))
    return micro(data)


def write_swapped(spa: Spa, wanted: Callable[[int, int], bool]) -> None:
    """From now on the pool's blocks of a filesystem are written in the other order, where `wanted(type, level)`."""
    real = spa.zio.write

    def write(prop, data, old, where, fill=1) -> Blkptr:  # noqa: ANN001 - as BlockIo.write
        if where.dataset == "MOS" or where.level < 0 or not wanted(prop.type, prop.level):
            return real(prop, data, old, where, fill)
        pointer = real(prop, swapped(prop.type, prop.level, data), old, where, fill)
        if not pointer.hole:
            pointer.cksum = checksum.checksum(pointer.checksum, spa.read.raw(pointer), ">")
            pointer.little = False
        return pointer

    spa.zio.write = write


def swap_attributes(spa: Spa, name: str) -> int:
    """Give every other file of a filesystem system attributes in the other order; how many there are."""
    objset, count = spa.dp.find(name).objset, 0
    layouts = Metadata(objset).layouts
    for number in list(objset.objects()):
        node = objset.node(number)
        if node.phys.bonustype == dmu.SA and number % 2:
            node.set_bonus(attributes(node.phys.bonus, layouts))
            count += 1
    return count


def attributes(bonus: bytes, layouts: sa.Layouts) -> bytes:
    """A bonus of system attributes in the other order (`sa_byteswap`), with at most one of variable length."""
    magic, info, size = struct.unpack_from("<I2H", bonus)
    at, out = (info >> 10) * 8, bytearray(struct.pack(">I2H", magic, info, size) + bonus[8:])
    for number in layouts.layouts[info & 0x3FF]:
        each = layouts.attributes[number]
        length = each.length or size
        if each.swap == sa.UINT64_ARRAY:
            out[at : at + length] = words(bonus[at : at + length])
        at += length + -length % 8
    return bytes(out)
