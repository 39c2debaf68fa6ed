"""SmartOS in miniature: the system that a mailing-list post of August 2011 announces.

    import smartos
    pool = smartos.zfs.Spa.create("tank", [smartos.zfs.MemoryDisk(64 << 20)])

Its systems are `zfs`, `dtrace` and `kvm`; `commands` has zpool, zfs, zdb and dtrace over them, `explore` the book's figures,
`post` the post itself and its sources. Each is imported when it is first asked for.
"""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"
__all__ = ["commands", "dtrace", "explore", "kvm", "post", "zfs"]


def __getattr__(name: str) -> ModuleType:
    """One of the systems. Raises AttributeError for any other name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
