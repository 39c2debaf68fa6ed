"""A program of its own that makes a pool with the real libzpool: `python zfs_maker.py FOLDER LIBRARIES`, order on stdin.

The order is JSON: `pool`, `vdev` (a vdev tree for `spa_create`), `props` (of the pool), `features` (names of those to be
enabled, as far as the library has them), `tunables` (by name), `sets`:
object sets with `name`, `props` (numbers), `objects` (a list of block size and hexadecimal pieces by offset), `zaps`
(name to number), and `snapshots`: (set, name, objects written afterwards). libzpool is a test library and may abort;
hence the process.
"""

import ctypes
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from smartos.zfs.format import nvlist

NEW_OBJECT = ctypes.c_uint64(-1 & (1 << 64) - 1)
OTHER, UINT8_OTHER, ZAP_OTHER, WAIT, LOCAL, READ_WRITE = 4, 25, 27, 1, 8, 3


class Libzpool:
    """The few calls of libzpool that make a pool; each raises RuntimeError with the call's errno."""

    def __init__(self, folder: Path, libraries: Path) -> None:
        ctypes.CDLL(str(next(libraries.glob("libnvpair.so.*"))), mode=ctypes.RTLD_GLOBAL)
        self.path = sorted(libraries.glob("libzpool.so.*"))[0]
        self.lib = ctypes.CDLL(str(self.path), mode=ctypes.RTLD_GLOBAL)
        self.nv = ctypes.CDLL(str(next(libraries.glob("libnvpair.so.*"))))
        ctypes.c_char_p.in_dll(self.lib, "spa_config_path").value = str(folder / "zpool.cache").encode()
        for name in ("dmu_tx_create",):
            getattr(self.lib, name).restype = ctypes.c_void_p
        for name in ("dmu_object_alloc", "zap_create"):
            getattr(self.lib, name).restype = ctypes.c_uint64
        self.lib.kernel_init(READ_WRITE)

    def call(self, name: str, *arguments: object) -> None:
        code = getattr(self.lib, name)(*arguments)
        if code:
            raise RuntimeError(f"{name}: errno {code}")

    def known(self, names: Iterable[str]) -> list[str]:
        """Those features that the library has."""
        text = self.path.read_bytes()
        return [name for name in names if name.encode() + b"\0" in text]

    def nvlist(self, values: dict) -> ctypes.c_void_p:
        """A native list out of our packing of it."""
        packed, made = nvlist.pack(values), ctypes.c_void_p()
        code = self.nv.nvlist_unpack(packed, ctypes.c_size_t(len(packed)), ctypes.byref(made), 0)
        if code:
            raise RuntimeError(f"nvlist_unpack: errno {code}")
        return made

    def write(self, objset: ctypes.c_void_p, objects: list, zaps: dict) -> None:
        """Create objects and fill them, each in one transaction, then one ZAP, an entry at a time."""
        for size, pieces in objects:
            tx = ctypes.c_void_p(self.lib.dmu_tx_create(objset))
            self.lib.dmu_tx_hold_bonus(tx, NEW_OBJECT)
            for offset, data in pieces:
                self.lib.dmu_tx_hold_write(tx, NEW_OBJECT, ctypes.c_uint64(offset), len(data) // 2)
            self.call("dmu_tx_assign", tx, ctypes.c_uint64(WAIT))
            number = ctypes.c_uint64(self.lib.dmu_object_alloc(objset, UINT8_OTHER, size, 0, 0, tx))
            for offset, data in pieces:
                raw = bytes.fromhex(data)
                self.lib.dmu_write(objset, number, ctypes.c_uint64(offset), ctypes.c_uint64(len(raw)), raw, tx, 0)
            self.lib.dmu_tx_commit(tx)
        number = NEW_OBJECT
        for name, value in zaps.items():
            tx = ctypes.c_void_p(self.lib.dmu_tx_create(objset))
            self.lib.dmu_tx_hold_zap(tx, number, 1, None if number is NEW_OBJECT else name.encode())
            self.call("dmu_tx_assign", tx, ctypes.c_uint64(WAIT))
            if number is NEW_OBJECT:
                number = ctypes.c_uint64(self.lib.zap_create(objset, ZAP_OTHER, 0, 0, tx))
            word = ctypes.c_uint64(value)
            self.call("zap_add", objset, number, name.encode(), 8, ctypes.c_uint64(1), ctypes.byref(word), tx)
            self.lib.dmu_tx_commit(tx)

    def own(self, name: str) -> ctypes.c_void_p:
        objset = ctypes.c_void_p()
        self.call("dmu_objset_own", name.encode(), OTHER, 0, 0, b"tag", ctypes.byref(objset))
        return objset


def make(folder: Path, libraries: Path, order: dict) -> None:
    """Carry out an order."""
    zpool = Libzpool(folder, libraries)
    for name, value in order.get("tunables", {}).items():
        ctypes.c_uint64.in_dll(zpool.lib, name).value = value
    pool = order["pool"].encode()
    values = order.get("props", {}) | {f"feature@{name}": 0 for name in zpool.known(order.get("features", ()))}
    props = zpool.nvlist(values) if values else None
    zpool.call("spa_create", pool, zpool.nvlist(order["vdev"]), props, None, None, None)
    for each in order["sets"]:
        zpool.call("dmu_objset_create", each["name"].encode(), OTHER, ctypes.c_uint64(0), None, None, None)
        for name, value in each.get("props", {}).items():
            arguments = (each["name"].encode(), name.encode(), LOCAL, ctypes.c_uint64(value))
            zpool.call("dsl_prop_set_int", *arguments)
        objset = zpool.own(each["name"])
        zpool.write(objset, each.get("objects", []), each.get("zaps", {}))
        zpool.lib.dmu_objset_disown(objset, 0, b"tag")
    for name, snapshot, objects in order.get("snapshots", []):
        zpool.call("dmu_objset_snapshot_one", name.encode(), snapshot.encode())
        objset = zpool.own(name)
        zpool.write(objset, objects, {})
        zpool.lib.dmu_objset_disown(objset, 0, b"tag")
    zpool.call("spa_export", pool, None, 0, 0)
    zpool.lib.kernel_fini()


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]), json.load(sys.stdin))
