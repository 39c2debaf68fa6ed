"""What the tests of pools in motion share: pools on disks in memory, and the reader's view of them."""

from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import Report
from smartos.zfs.spa.spa import Spa, verify

SIZE = 64 << 20
BOTH = (23, 28)  # with the old dead lists and znodes, and with the new ones and system attributes


def disks(count: int, size: int = SIZE) -> list[MemoryDisk]:
    return [MemoryDisk(size, f"c0t{n}d0") for n in range(count)]


def pool(kind: str = "", count: int = 1, **options: object) -> Spa:
    own = disks(count)
    return Spa.create("tank", [(kind, *own)] if kind else own, **options)


def devices(spa: Spa) -> list:
    return [leaf.disk for leaf in spa.root.leaves() if leaf.disk is not None and leaf.readable]


def reread(spa: Spa) -> Pool:
    """The pool as a reader finds it on the disks."""
    return Pool.open(devices(spa))


def files(spa: Spa, name: str) -> dict[str, bytes | None]:
    """A dataset's files as a reader finds them."""
    found = reread(spa).dataset(name).filesystem()
    return {path: None if node.is_dir else found.read(number) for path, number, node in found.walk()}


def sound(spa: Spa) -> Report:
    """The report of a walk over the disks, which must find everything verified and accounted for."""
    report = verify(spa)
    assert report.sound, report.describe()
    return report
