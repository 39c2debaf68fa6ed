"""A `struct buf` made of what a model tells of an I/O in three parts: the transfer, the device, the file.

Start and end of a transfer are the same buf: it is known again by its device, place, size and direction.
"""

from typing import Any

B_READ = 0x40


class Buf:
    """A buf, with the members that translators read."""

    def __init__(self) -> None:
        self.b_flags = self.b_bcount = self.b_resid = self.b_bufsize = self.b_error = self.b_edev = self.b_offset = 0
        self.b_un: dict[str, int] = {"b_addr": 0}
        self._b_blkno: dict[str, int] = {}
        self.b_dip: dict[str, Any] = {}
        self.b_file: Any = None
        self._device: Any = None
        self._file: Any = None

    @staticmethod
    def key(transfer: Any, device: Any, file: Any) -> tuple:
        """What a transfer is known by."""
        return device.dev_pathname, transfer.b_blkno, transfer.b_bcount, transfer.b_flags & B_READ

    def take(self, transfer: Any, device: Any, file: Any) -> None:
        """Become what the three say now."""
        self.b_flags, self.b_bcount, self.b_bufsize = transfer.b_flags, transfer.b_bcount, transfer.b_bufsize
        self.b_resid, self.b_error = transfer.b_resid, transfer.b_error
        self._b_blkno = {"_f": transfer.b_blkno}
        if device != self._device:
            self._device = device
            self.b_edev = device.dev_major << 32 | device.dev_minor
            self.b_dip = {
                "devi_instance": device.dev_instance, "devi_major": device.dev_major, "devi_node_name": device.dev_name,
                "devi_binding_name": device.dev_name, "devi_statname": device.dev_statname, "devi_path": device.dev_pathname,
            }  # fmt: skip
        if file != self._file:
            self._file = file
            self.b_offset = getattr(file, "fi_offset", 0)
            self.b_file = None if getattr(file, "fi_pathname", "<none>") == "<none>" else self._vnode(file)

    @staticmethod
    def _vnode(file: Any) -> dict[str, Any]:
        covered = None if file.fi_mount == "/" else {"v_path": file.fi_mount}
        return {"v_path": file.fi_pathname, "v_op": {"vnop_name": file.fi_fs}, "v_vfsp": {"vfs_vnodecovered": covered}}
