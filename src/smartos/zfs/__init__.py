"""ZFS in miniature: disks, vdevs, the on-disk format, and what stands on them.

    from smartos.zfs import MemoryDisk, Spa
    pool = Spa.create("tank", [MemoryDisk(64 << 20)])

The names that a reader needs first can be had from here, and each is imported when it is asked for: all of them together
take half a second in a page, and who only wants :mod:`smartos.zfs.arc.paper` should not wait for that.

The rooms, from the bottom: `disk` (and what goes wrong with one), `vdev`, `format` (labels, block pointers, checksums),
`dmu` (objects), `read` (a pool as it is on disk), `live` (a pool that changes), `stream` (send and receive), `spa` (the pool
that a reader has in hand), `arc`, and `campaign`, which tries to break it all.
"""

from importlib import import_module

_HOMES = {
    "disk.disk": ("Disk", "FileDisk", "MemoryDisk", "Recorder"),
    "disk.faults": ("BitRot", "FaultyDisk", "Gone", "LostWrite", "MisdirectedWrite", "PowerSupply", "TornWrite",
               "UnreadableSector"),
    "read.pool": ("Dataset", "Pool"),
    "spa.spa": ("Spa", "verify"),
    "campaign.workload": ("Workload",),
    "arc.paper": ("ARC", "LRU"),
    "errors": ("Busy", "ChecksumError", "CorruptPool", "DeviceError", "Exists", "NoSpace", "NoSuchName", "NoSuchObject",
               "NotAPool", "PoolFaulted", "ReadOnly", "Unsupported", "ZfsError"),
    "live.txg": ("PoolSuspended",),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    """A name of `__all__`, from the module that it lives in. Raises AttributeError for any other."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
