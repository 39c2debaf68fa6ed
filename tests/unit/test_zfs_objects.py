"""Object sets, DSL structures, znodes and system attributes: they survive, and files can be found in them."""

import stat
import struct

import pytest

from smartos.zfs.dmu import sa, zap
from smartos.zfs.dmu.dnode import Dnode
from smartos.zfs.dmu.objset import ZFS, ZVOL, Objset, ObjsetPhys, ZilHeader
from smartos.zfs.errors import CorruptPool, NoSuchName, NoSuchObject, ZfsError
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.read.dsl import Bpobj, Deadlist, DslDataset, DslDir
from smartos.zfs.read.znode import Filesystem, Znode, dirent
from smartos.zfs.read.zvol import Zvol


class Store:
    """Blocks without disks: `put` gives a pointer, calling it gives the block."""

    def __init__(self) -> None:
        self.blocks: dict[DVA, bytes] = {}

    def put(self, data: bytes, kind: int = 0, level: int = 0) -> Blkptr:
        dva = DVA(0, (len(self.blocks) + 1) * 512, 512)
        self.blocks[dva] = data
        return Blkptr((dva,), len(data), 512, 3, 7, kind, level, 4, 1, little=True)

    def __call__(self, pointer: Blkptr) -> bytes:
        return self.blocks[pointer.dvas[0]]

    def object(self, kind: int, data: bytes, size: int = 0, bonustype: int = 0, bonus: bytes = b"") -> Dnode:
        """A dnode; with more than one data block, they hang below an indirect block."""
        size = size or max(len(data), 512)
        pieces = [data[at : at + size].ljust(size, b"\0") for at in range(0, len(data), size)] or [bytes(512)]
        pointers, levels = [self.put(piece, kind) for piece in pieces], 1
        if len(pieces) > 1:
            indirect = b"".join(pointer.pack() for pointer in pointers).ljust(16384, b"\0")
            pointers, levels = [self.put(indirect, kind, 1)], 2
        return Dnode(
            kind, 14, levels, 1, bonustype, datablkszsec=size // 512, maxblkid=len(pieces) - 1, blkptrs=pointers,
            bonus=bonus,
        )  # fmt: skip

    def objset(self, kind: int, dnodes: list[Dnode]) -> Objset:
        data = b"".join(dnode.pack() for dnode in [Dnode(type=0), *dnodes]).ljust(16384, b"\0")
        meta = Dnode(dmu.DNODE, 14, 1, 1, datablkszsec=32, blkptrs=[self.put(data, dmu.DNODE)])
        return Objset(self.put(ObjsetPhys(meta, type=kind).pack(), dmu.OBJSET), self, "tank")


def znode(mode: int, **more: object) -> bytes:
    return Znode((1, 2), (3, 4), (5, 6), (7, 8), 4, mode, links=1, **more).pack()


def filesystem() -> Filesystem:
    store = Store()
    root = zap.pack(
        {"hello": dirent(3, stat.S_IFREG), "sub": dirent(4, stat.S_IFDIR), "link": dirent(5, stat.S_IFLNK)}
    )[0]
    sub = zap.pack({"deep file": dirent(6, stat.S_IFREG)})[0]
    zpl = {"bonustype": dmu.ZNODE}
    return Filesystem(
        store.objset(
            ZFS,
            [
                store.object(dmu.MASTER_NODE, zap.pack({"ROOT": 2, "VERSION": 4})[0]),
                store.object(dmu.DIRECTORY_CONTENTS, root, bonus=znode(0o40755, size=5, parent=2), **zpl),
                store.object(
                    dmu.PLAIN_FILE_CONTENTS, b"hello, world\n", bonus=znode(0o100644, size=13, parent=2), **zpl
                ),
                store.object(dmu.DIRECTORY_CONTENTS, sub, bonus=znode(0o40700, size=3, parent=2), **zpl),
                store.object(dmu.PLAIN_FILE_CONTENTS, b"", bonus=znode(0o120777, size=5, symlink=b"hello"), **zpl),
                store.object(dmu.PLAIN_FILE_CONTENTS, b"x" * 1500, 512, bonus=znode(0o100600, size=1400), **zpl),
            ],
        )
    )


def test_files_are_found_and_read() -> None:
    fs = filesystem()
    assert [path for path, _, _ in fs.walk()] == ["/", "/hello", "/link", "/sub", "/sub/deep file"]
    assert fs.read(fs.lookup("/hello")) == b"hello, world\n"
    assert fs.read(fs.lookup("/sub/deep file")) == b"x" * 1400
    assert fs.read(fs.lookup("/sub/deep file"), 1390, 100) == b"x" * 10
    assert fs.readlink(fs.lookup("/link")) == "hello"
    assert fs.znode(fs.root).is_dir and fs.znode(3).mtime == (3, 4)
    for path in ("/nothing", "/hello/there"):
        with pytest.raises(NoSuchName):
            fs.lookup(path)
    with pytest.raises(NoSuchObject):
        fs.znode(20)
    with pytest.raises(NoSuchObject):
        fs.znode(1)


def test_a_volume_is_read() -> None:
    store = Store()
    objset = store.objset(
        ZVOL, [store.object(dmu.ZVOL, b"ab" * 512, 512), store.object(dmu.ZVOL_PROP, zap.pack({"size": 4096})[0])]
    )
    volume = Zvol(objset)
    assert (volume.size, volume.block_size) == (4096, 512)
    assert volume.read(510, 600) == (b"ab" * 512)[510:] + bytes(86)
    assert volume.read(4000, 1000) == bytes(96)
    with pytest.raises(CorruptPool):
        Filesystem(objset)
    with pytest.raises(CorruptPool):
        Zvol(filesystem().objset)


def test_roots_survive() -> None:
    pointer = Store().put(bytes(4096))
    for size in (1024, 2048, 4096):
        counts = Dnode(dmu.USERGROUP_USED, blkptrs=[Blkptr()]) if size > 1024 else None
        root = ObjsetPhys(
            Dnode(dmu.DNODE, blkptrs=[Blkptr()], datablkszsec=32), ZilHeader(3, 0, pointer, 1, 2, 9), ZFS, 1, counts,
            counts, counts if size > 2048 else None, size,
        )  # fmt: skip
        assert len(root.pack()) == size
        assert ObjsetPhys.unpack(root.pack()) == root
    with pytest.raises(CorruptPool, match="1000"):
        ObjsetPhys.unpack(bytes(1000))


@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (DslDir(5, 16, 2, 0, 3, 1 << 20, 2, 3, 4, 5, 6, 7, 1, [1, 2, 3, 4, 5], 9), 256),
        (DslDataset(*range(1, 17), Blkptr(birth=4, little=True), 31, 32, 33), 320),
        (Bpobj(3, 1024, 1, 2, 7, 1), 48),
        (Bpobj(3, 1024, size=16), 16),
        (Deadlist(1, 2, 3), 320),
        (
            Znode(
                (1, 2),
                (3, 4),
                (5, 6),
                (7, 8),
                9,
                0o40755,
                11,
                12,
                13,
                14,
                15,
                16,
                17,
                18,
                None,
                b"acl".ljust(88, b"\0"),
            ),
            264,
        ),
        (ZilHeader(1, 2, Blkptr(birth=3), 4, 5, 6), 192),
    ],
)
def test_structures_survive_in_both_orders(structure: object, size: int) -> None:
    packed = structure.pack()
    assert len(packed) == size
    assert type(structure).unpack(packed) == structure
    swapped = struct.pack(f">{size // 8}Q", *struct.unpack(f"<{size // 8}Q", packed))
    if isinstance(structure, Znode):
        swapped = swapped[:176] + packed[176:]
    assert type(structure).unpack(swapped, ">") == structure
    with pytest.raises(ZfsError):
        type(structure).unpack(packed[:8])


def test_system_attributes() -> None:
    layouts = sa.Layouts.zpl()
    link = Znode((1, 2), (3, 4), (5, 6), (7, 8), 9, stat.S_IFLNK | 0o777, 7, 2, 1, symlink=b"/target")
    packed = layouts.pack(link.attributes() | {"ZPL_DXATTR": b"xyz"})
    assert packed[:8] == struct.pack("<IHH", 0x2F505A, 2 << 10 | 2, 7)
    assert len(packed) % 8 == 0
    again = sa.Layouts.of(
        {entry.name: entry.value for entry in layouts.registry()},
        {entry.name: entry.value for entry in layouts.layout_entries()},
    )
    found = again.unpack(packed, "<")
    assert Znode.of_attributes(found) == link
    assert found["ZPL_DXATTR"] == b"xyz"
    assert layouts.number(tuple(link.attributes())) == 3
    for bad in (packed[:40], b"\0" * 40, packed[:4] + b"\x09" + packed[5:]):
        with pytest.raises(CorruptPool):
            again.unpack(bad, "<")
    with pytest.raises(CorruptPool, match="ZPL_MODE"):
        layouts.pack({"ZPL_MODE": (1, 2)})
