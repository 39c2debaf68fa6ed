"""Dead lists in motion: the blocks that a dataset has given up since its previous snapshot, which may still hold them.

From pool version 26 on, a dead list is split: under the key t are the blocks born after txg t and not after the next
key, and the keys are the txgs of the snapshots before. So whoever destroys a snapshot moves whole lists and looks at no
block. Before, it was one list, and destroying a snapshot meant to look at every entry of the next one's.

Left out: the cache of keys, of which the table in memory does the duty. Follows `dsl_deadlist.c` of illumos as of
12 August 2011.
"""

from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.live import bpobj
from smartos.zfs.live.bpobj import LiveBpobj, Space, sizes
from smartos.zfs.read.dsl import Deadlist

if TYPE_CHECKING:
    from smartos.zfs.live.dmu_objset import LiveObjset

INSERT = declare("fbt:zfs:dsl_deadlist_insert:entry", "dsl_deadlist_t *", "blkptr_t *", "dmu_tx_t *")
ADD_KEY = declare("fbt:zfs:dsl_deadlist_add_key:entry", "dsl_deadlist_t *", "uint64_t", "dmu_tx_t *")
REMOVE_KEY = declare("fbt:zfs:dsl_deadlist_remove_key:entry", "dsl_deadlist_t *", "uint64_t", "dmu_tx_t *")
MERGE = declare("fbt:zfs:dsl_deadlist_merge:entry", "dsl_deadlist_t *", "uint64_t", "dmu_tx_t *")
MOVE = declare("fbt:zfs:dsl_deadlist_move_bpobj:entry", "dsl_deadlist_t *", "bpobj_t *", "uint64_t", "dmu_tx_t *")

EVER = (1 << 64) - 1


def allocate(mos: "LiveObjset") -> int:
    """`dsl_deadlist_alloc`: an empty dead list, in the form that the pool's version has."""
    if mos.spa.version < 26:
        return bpobj.allocate(mos)
    return mos.zap_create(dmu.DEADLIST, None, dmu.DEADLIST_HDR, Deadlist())


def free(mos: "LiveObjset", number: int) -> None:
    """`dsl_deadlist_free`: the list goes, the blocks it names are not freed."""
    if mos.node(number).phys.type == dmu.BPOBJ:
        bpobj.free(mos, number)
        return
    for entry in list(mos.zap(number).entries.values()):
        bpobj.free(mos, entry.value)
    mos.free(number)


class LiveDeadlist:
    """A dead list that can be changed; `old` says that it is of the form before version 26."""

    def __init__(self, mos: "LiveObjset", number: int) -> None:
        self.mos, self.number = mos, number
        self.node = mos.node(number)
        self.old = self.node.phys.type == dmu.BPOBJ
        self.phys = None if self.old else self.node.struct_of(Deadlist)

    def keys(self) -> dict[int, int]:
        """The lists by key, in order."""
        found = {int(name, 16): entry.value for name, entry in self.mos.zap(self.number).entries.items()}
        return dict(sorted(found.items()))

    def _list(self) -> LiveBpobj:
        return LiveBpobj(self.mos, self.number)

    def _add(self, space: Space, sign: int = 1) -> None:
        self.phys.used += sign * space[0]
        self.phys.comp += sign * space[1]
        self.phys.uncomp += sign * space[2]
        self.node.touch()

    def insert(self, pointer: Blkptr) -> None:
        """A block died that the previous snapshot, or an older one, may still hold."""
        if INSERT.listeners:
            INSERT.fire(self, pointer, None)
        if self.old:
            self._list().enqueue(pointer)
            return
        self._add(sizes(self.mos.spa, pointer))
        keys = self.keys()
        key = max(key for key in keys if key < pointer.birth)
        LiveBpobj(self.mos, keys[key]).enqueue(pointer)

    def add_key(self, mintxg: int) -> None:
        """There is a new snapshot: what is born after `mintxg` gets a list of its own."""
        if ADD_KEY.listeners:
            ADD_KEY.fire(self, mintxg, None)
        if not self.old:
            self.mos.zap_put(self.number, f"{mintxg:x}", bpobj.allocate(self.mos))

    def remove_key(self, mintxg: int) -> None:
        """A snapshot is gone: its list joins the one before."""
        if REMOVE_KEY.listeners:
            REMOVE_KEY.fire(self, mintxg, None)
        if self.old:
            return
        keys = self.keys()
        before = max(key for key in keys if key < mintxg)
        LiveBpobj(self.mos, keys[before]).enqueue_subobj(keys[mintxg])
        self.mos.zap_remove(self.number, f"{mintxg:x}")

    def clone(self, maxtxg: int) -> int:
        """`dsl_deadlist_clone`: a new, empty dead list with this one's keys below `maxtxg`; gives its object."""
        made = allocate(self.mos)
        if not self.old:
            for key in self.keys():
                if key < maxtxg:
                    self.mos.zap_put(made, f"{key:x}", bpobj.allocate(self.mos))
        return made

    @property
    def space(self) -> Space:
        """The sums over all its blocks."""
        return self._list().space if self.old else (self.phys.used, self.phys.comp, self.phys.uncomp)

    def space_range(self, mintxg: int, maxtxg: int = EVER) -> Space:
        """The sums over the blocks born after `mintxg` and not after `maxtxg`, both of them keys."""
        if self.old:
            return self._list().space_range(mintxg, maxtxg)
        total = [0, 0, 0]
        for key, number in self.keys().items():
            if mintxg <= key < maxtxg:
                total = [a + b for a, b in zip(total, LiveBpobj(self.mos, number).space, strict=True)]
        return tuple(total)

    def merge(self, other: int) -> None:
        """Take the entries of another dead list in, which stays behind empty."""
        if MERGE.listeners:
            MERGE.fire(self, other, None)
        if self.mos.node(other).phys.type == dmu.BPOBJ:
            LiveBpobj(self.mos, other).drain(self.insert)
            return
        theirs = LiveDeadlist(self.mos, other)
        for key, number in theirs.keys().items():
            keys = self.keys()
            self._add(LiveBpobj(self.mos, number).space)
            into = max(each for each in keys if each <= key)
            LiveBpobj(self.mos, keys[into]).enqueue_subobj(number)
            self.mos.zap_remove(other, f"{key:x}")
        theirs.phys.used = theirs.phys.comp = theirs.phys.uncomp = 0
        theirs.node.touch()

    def move(self, to: LiveBpobj, mintxg: int) -> None:
        """`dsl_deadlist_move_bpobj`: put the lists under `mintxg` and greater keys on the list of blocks to free."""
        if MOVE.listeners:
            MOVE.fire(self, to, mintxg, None)
        for key, number in self.keys().items():
            if key >= mintxg:
                self._add(LiveBpobj(self.mos, number).space, -1)
                to.enqueue_subobj(number)
                self.mos.zap_remove(self.number, f"{key:x}")

    def pointers(self) -> list[Blkptr]:
        """All blocks on it."""
        if self.old:
            return list(self._list().pointers())
        return [pointer for number in self.keys().values() for pointer in LiveBpobj(self.mos, number).pointers()]
