"""ZFS in miniature: disks, vdevs, the on-disk format, and what stands on them.

    from smartos.zfs import MemoryDisk, Spa
    pool = Spa.create("tank", [MemoryDisk(64 << 20)])

The names that a reader needs first can be had from here, and each is imported when it is asked for: all of them together
take half a second in a page, and who only wants :mod:`smartos.zfs.arc` should not wait for that.

Left out: `walk`, because a module of the same name would take its place; say `from smartos.zfs.walk import walk`.
"""

from importlib import import_module

_HOMES = {
    "disk": ("Disk", "FileDisk", "MemoryDisk", "Recorder"),
    "faults": ("BitRot", "FaultyDisk", "Gone", "LostWrite", "MisdirectedWrite", "PowerSupply", "TornWrite",
               "UnreadableSector"),
    "pool": ("Dataset", "Pool"),
    "spa": ("Spa", "verify"),
    "workload": ("Workload",),
    "arc": ("ARC", "LRU"),
    "errors": ("Busy", "ChecksumError", "CorruptPool", "DeviceError", "Exists", "NoSpace", "NoSuchName", "NoSuchObject",
               "NotAPool", "PoolFaulted", "ReadOnly", "Unsupported", "ZfsError"),
    "txg": ("PoolSuspended",),
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
