"""placeholder"""
from smartos.zfs.vdev import Leaf, FileLeaf, Mirror, Raidz
from smartos.zfs.errors import Unsupported

def leaf(disk):
    name = disk.name
    return (FileLeaf if "/" in name and not name.startswith("/dev/") else Leaf)(disk, name)

def parse(each, version):
    if isinstance(each, (tuple, list)):
        kind, *disks = each
        leaves = [leaf(d) for d in disks]
        if kind == "mirror": return Mirror(leaves)
        if kind.startswith("raidz"): return Raidz(leaves, int(kind[5:] or 1))
        raise Unsupported(kind)
    return leaf(each)

class Devices:
    def _open_init(self):
        self.spare_guids = set()
        self.scan_wanted = False
    def scan_sync(self): pass
    def dtl_sync(self): pass
    def _load_devices(self, found): pass
