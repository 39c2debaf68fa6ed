"""Object sets in motion: objects are created, changed and freed in memory; a sync writes them and a new root block.

A dataset's object set tells its dataset of each block that is born and of each that dies, so that space is counted and
a block that a snapshot still holds is not freed. The MOS has no dataset; its space goes to the `$MOS` directory. Where
files have owners, the bytes of each owner and group are counted as the objects sync.

Left out: the meta-dnode of a real filesystem has all its seven levels from the beginning, here it gains them as it
grows. Follows `dmu_objset.c` (`dmu_objset_sync`, `dmu_objset_do_userquota_updates`) and `dmu_object.c` of illumos as of
12 August 2011.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from smartos.probes import declare
from smartos.zfs.dmu.dmu_visit import META_NUMBER, Visits
from smartos.zfs.dmu.dnode import DNODE_SHIFT, DNODE_SIZE, MAX_BONUS, Dnode
from smartos.zfs.dmu.objset import GROUPUSED, MAX_OBJECT, META, USERACCOUNTING_COMPLETE, USERUSED, ObjsetPhys
from smartos.zfs.errors import Exists, NoSuchObject, Unsupported
from smartos.zfs.events import Bookmark
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, Blkptr
from smartos.zfs.live.dnode_sync import SPILL, Node
from smartos.zfs.live.zap_live import ZapTable
from smartos.zfs.live.zil_commit import Zilog
from smartos.zfs.live.zio_write import policy

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

DNODE_BLOCK = 1 << 14
INDIRECT_SHIFT = 14

OBJSET_SYNC = declare("fbt:zfs:dmu_objset_sync:entry", "objset_t *", "zio_t *", "dmu_tx_t *")
OBJECT_ALLOC = declare(
    "fbt:zfs:dmu_object_alloc:entry", "objset_t *", "dmu_object_type_t", "int", "dmu_object_type_t", "int", "dmu_tx_t *"
)
OBJECT_FREE = declare("fbt:zfs:dmu_object_free:entry", "objset_t *", "uint64_t", "dmu_tx_t *")


class Owner(Protocol):
    """What an object set tells about its blocks, and asks for its properties: a dataset, or the pool for the MOS."""

    def block_born(self, pointer: Blkptr) -> None: ...
    def block_kill(self, pointer: Blkptr) -> None: ...
    def dirty(self) -> None: ...


class LiveObjset(Visits):
    """An object set that can be changed. `root` is its root block as of the last sync, `name` for messages and events,
    `dataset` the object number of its dataset (0 for the MOS), `zil` its intent log."""

    def __init__(self, spa: "SpaCore", root: Blkptr, owner: Owner, name: str, dataset: int = 0) -> None:
        self.spa, self.root, self.owner, self.name, self.dataset = spa, root, owner, name, dataset
        self.checksum, self.compress, self.copies = checksum.ON, compress.OFF, 1
        self.account: Callable[[Node], tuple[int, int] | None] | None = None
        self.read_block = spa.read
        if root.hole:
            self.phys = ObjsetPhys()
        else:
            if root.order == ">":
                raise Unsupported(f"{name} was written on a big-endian machine; such pools are only read here")
            self.phys = ObjsetPhys.unpack(spa.read(root), root.order)
        self.meta = Node(self, META_NUMBER, self.phys.meta_dnode)
        self.nodes: dict[int, Node] = {}
        self.dirty_nodes: dict[int, Node] = {}
        self.special: dict[int, Node] = {}
        for number, phys in ((USERUSED, self.phys.userused), (GROUPUSED, self.phys.groupused)):
            if phys is not None and phys.type != dmu.NONE:
                self.special[number] = Node(self, number, phys)
        self._next = 0
        self.zil = Zilog(self)

    @classmethod
    def create(cls, spa: "SpaCore", owner: Owner, name: str, kind: int, dataset: int = 0) -> "LiveObjset":
        """`dmu_objset_create_impl`: an empty object set of a type."""
        made = cls(spa, Blkptr(), owner, name, dataset)
        made.phys.type = kind
        made.phys.meta_dnode = made.meta.phys = Dnode(
            dmu.DNODE, INDIRECT_SHIFT, 1, 3, datablkszsec=DNODE_BLOCK >> 9, blkptrs=[Blkptr() for _ in range(3)]
        )
        if kind != META and spa.version >= 15:
            made.phys.size, made.phys.flags = 2048, USERACCOUNTING_COMPLETE
        made.changed = True
        owner.dirty()
        return made

    changed = False

    # ---- objects

    def node(self, number: int) -> Node:
        """An object. Raises :class:`NoSuchObject` when the number is free."""
        found = self.special.get(number) or self._node(number)
        if found.free:
            raise NoSuchObject(f"{self.name} has no object {number}")
        return found

    def _node(self, number: int) -> Node:
        found = self.nodes.get(number)
        if found is None:
            per = self.meta.block_size >> DNODE_SHIFT
            block, index = divmod(number, per)
            data = bytes(self.meta.block(block)[index << DNODE_SHIFT : index + 1 << DNODE_SHIFT])
            found = self.nodes[number] = Node(self, number, Dnode.unpack(data))
        return found

    def exists(self, number: int) -> bool:
        """Whether the number stands for an object."""
        return number > 0 and not self._node(number).free

    def objects(self, first: int = 1, end: int = MAX_OBJECT) -> Iterator[int]:
        """The numbers of all objects from `first` up to, not with, `end`, in order; holes cost nothing."""
        per = self.meta.block_size >> DNODE_SHIFT
        blocks = {number // per for number in self.nodes} | set(self.meta.dirty)
        blocks.update(self.meta._written(first // per, -(-end // per)))
        for block in sorted(blocks):
            for number in range(max(block * per, first, 1), min((block + 1) * per, end)):
                if not self._node(number).free:
                    yield number

    def mark(self, node: Node) -> None:
        """Note that an object is to be synced."""
        if node.number > 0:
            self.dirty_nodes[node.number] = node
        if not self.changed:
            self.changed = True
            self.owner.dirty()

    def allocate(
        self, kind: int, block_size: int = 512, bonustype: int = dmu.NONE, bonus: object = b"", number: int = 0
    ) -> Node:
        """`dmu_object_alloc`, or with a `number` `dmu_object_claim`: a new object.

        `bonus` is bytes, or a structure with `pack()`. Raises :class:`Exists` when the number is taken.
        """
        if OBJECT_ALLOC.listeners:
            OBJECT_ALLOC.fire(self, kind, block_size, bonustype, 0, None)
        number = number or self._free_number()
        node = self._node(number)
        if not node.free:
            raise Exists(f"{self.name} has an object {number}")
        raw = bonus if isinstance(bonus, (bytes, bytearray)) else bonus.pack()
        if bonustype == dmu.SA:
            nblkptr = 1
            raw = bytes(raw).ljust(MAX_BONUS, b"\0")
        else:
            nblkptr = 1 + (MAX_BONUS - len(raw)) // 128
        node.phys = Dnode(
            kind, INDIRECT_SHIFT, 1, nblkptr, bonustype, datablkszsec=max(-(-block_size // 512), 1), bonus=bytes(raw),
            blkptrs=[Blkptr() for _ in range(nblkptr)],
        )  # fmt: skip
        node.struct = None if isinstance(bonus, (bytes, bytearray)) else bonus
        node.dirty, node.table, node.accounted = {}, None, node.accounted
        self.mark(node)
        return node

    def _free_number(self) -> int:
        """The next number that stands for no object. Blocks of dnodes that were full when they were written are passed
        by, as their pointers say that they are (`dmu_object_next`)."""
        per = self.meta.block_size >> DNODE_SHIFT
        while True:
            self._next += 1
            if self._next == 1 or self._next % per == 0:
                self._next = max(self._next, self._sparse(self._next // per) * per)
            if self._next and self._vacant(self._next):
                return self._next

    def _vacant(self, number: int) -> bool:
        """Whether a number stands for no object; in a block that nobody changed, by the first byte of its dnode."""
        per = self.meta.block_size >> DNODE_SHIFT
        block, index = divmod(number, per)
        if block in self.meta.dirty or number in self.nodes:
            return self._node(number).free
        return not self.meta.block(block)[index << DNODE_SHIFT]

    def _sparse(self, first: int) -> int:
        """The first block of dnodes from `first` on that is not full on disk."""
        phys, per = self.meta.phys, self.meta.block_size >> DNODE_SHIFT
        fan = phys.fan_shift if phys.nlevels > 1 else 0

        def below(level: int, number: int, pointer: Blkptr) -> int | None:
            if number + 1 << level * fan <= first or pointer.fill >= per << level * fan:
                return None
            if not level or pointer.hole:
                return max(number << level * fan, first)
            data = self.read_block(pointer)
            for index, at in enumerate(range(0, len(data), BLKPTR_SIZE)):
                child = number << fan | index
                if child + 1 << (level - 1) * fan > first:
                    found = below(level - 1, child, Blkptr.unpack(data[at : at + BLKPTR_SIZE], pointer.order))
                    if found is not None:
                        return found
            return None

        for number, pointer in enumerate(phys.blkptrs):
            found = below(phys.nlevels - 1, number, pointer)
            if found is not None:
                return found
        return max(first, len(phys.blkptrs) << (phys.nlevels - 1) * fan)

    def free(self, number: int) -> None:
        """`dmu_object_free`: the object goes, with all its blocks. Raises :class:`NoSuchObject`."""
        if OBJECT_FREE.listeners:
            OBJECT_FREE.fire(self, number, None)
        self.node(number).destroy()

    # ---- ZAPs

    def zap_create(
        self, kind: int, entries: dict | None = None, bonustype: int = 0, bonus: object = b"", number: int = 0
    ) -> int:
        """`zap_create`, or `zap_create_claim` with a number: a new table; gives its object."""
        node = self.allocate(kind, 512, bonustype, bonus, number)
        node.table = ZapTable([])
        node.table.dirty = True
        for name, value in (entries or {}).items():
            node.table.put(name, value)
        return node.number

    def zap(self, number: int) -> ZapTable:
        """An object's table, to read; to change it call :meth:`zap_put` and :meth:`zap_remove`."""
        node = self.node(number)
        if node.table is None:
            node.table = ZapTable.load(node)
        return node.table

    def zap_put(self, number: int, name: str, value: object) -> None:
        """`zap_update`."""
        self.zap(number).put(name, value)
        self.node(number).touch()

    def zap_remove(self, number: int, name: str) -> None:
        """`zap_remove`. KeyError when the name is not there."""
        self.zap(number).remove(name)
        self.node(number).touch()

    # ---- sync

    def bookmark(self, node: Node, level: int, number: int) -> Bookmark:
        return Bookmark(self.name, node.number, level, number)

    def write_block(self, node: Node, level: int, number: int, data: bytes, old: Blkptr, fill: int) -> Blkptr:
        """Write a block of an object by the policy of the object set."""
        phys = node.phys
        kind = phys.bonustype if number == SPILL else phys.type
        prop = policy(kind, level, phys.checksum or self.checksum, phys.compress or self.compress, self.copies)
        return self.spa.zio.write(prop, data, old, self.bookmark(node, level, number), fill)

    def dmu_sync(self, node: Node, number: int) -> Blkptr | None:
        """Write a changed data block now, and let the sync take it as it is, if it does not change again until then."""
        data, before = bytes(node.block(number)), node.overridden.setdefault(number, [])
        if before and before[-1][1] == data:
            return before[-1][0]
        phys = node.phys
        prop = policy(phys.type, 0, phys.checksum or self.checksum, phys.compress or self.compress, self.copies)
        pointer = self.spa.zio.dmu_sync(prop, data, self.bookmark(node, 0, number))
        if pointer is not None:
            before.append((pointer, data))
        return pointer

    def fill_of(self, node: Node, data: bytes) -> int:
        """What a data block counts for: one, or the objects in a block of dnodes."""
        if node.phys.type != dmu.DNODE:
            return 1
        return sum(data[at] != 0 for at in range(0, len(data), DNODE_SIZE))

    def kill(self, pointer: Blkptr) -> int:
        """A block is not referred to any more; gives what it took, deflated."""
        self.owner.block_kill(pointer)
        return self.spa.dsize(pointer)

    def born(self, pointer: Blkptr) -> int:
        """A block was written; gives what it takes, deflated."""
        self.owner.block_born(pointer)
        return self.spa.dsize(pointer)

    def sync(self) -> None:
        """`dmu_objset_sync`: write all that is dirty and a new root block."""
        if OBJSET_SYNC.listeners:
            OBJSET_SYNC.fire(self, None, None)
        self.changed = True  # until all is written: what the sync itself changes is no news to the owner
        nodes = [self.dirty_nodes[number] for number in sorted(self.dirty_nodes)]
        self.dirty_nodes = {}
        for node in nodes:
            node.sync()
        self._count_owners(nodes)
        per = self.meta.block_size >> DNODE_SHIFT
        for node in nodes:
            at = (node.number % per << DNODE_SHIFT) + node.number // per * self.meta.block_size
            self.meta.write(at, node.pack())
        self.meta.sync()
        self.phys.meta_dnode = self.meta.phys
        self._sync_root()

    def _sync_root(self) -> None:
        if self.spa.sync_pass == 1:
            self.zil.sync_log(self.spa.syncing_txg)
        fill = sum(pointer.fill for pointer in self.meta.phys.blkptrs if not pointer.hole)
        old = self.root
        prop = policy(dmu.OBJSET, 0, self.checksum, self.compress, self.copies)
        new = self.spa.zio.write(prop, self.phys.pack(), old, Bookmark(self.name, 0, -1, 0), fill)
        if new.dvas != old.dvas or old.hole:
            if not old.hole:
                self.kill(old)
            self.born(new)
        self.root = new
        self.changed = False

    def _count_owners(self, nodes: list[Node]) -> None:
        """`dmu_objset_do_userquota_updates`: what each owner's files take, by how much it changed."""
        if self.account is None or self.phys.size < 2048:
            return
        deltas: dict[tuple[int, int], int] = {}
        for node in nodes:
            if node.accounted is not None:
                user, group, size = node.accounted
                deltas[user, group] = deltas.get((user, group), 0) - size
            owners = None if node.free else self.account(node)
            node.accounted = None
            if owners is not None:
                node.phys.flags |= 2  # USERUSED_ACCOUNTED
                size = DNODE_SIZE + node.phys.used_bytes
                node.accounted = (*owners, size)
                deltas[owners] = deltas.get(owners, 0) + size
            elif not node.free:
                node.phys.flags |= 2
        if not deltas:
            return
        for which, place in ((USERUSED, 0), (GROUPUSED, 1)):
            node = self.special.get(which)
            if node is None:
                node = self.special[which] = Node(
                    self, which,
                    Dnode(dmu.USERGROUP_USED, INDIRECT_SHIFT, 1, 3, blkptrs=[Blkptr() for _ in range(3)]),
                )  # fmt: skip
                node.table = ZapTable([])
            if node.table is None:
                node.table = ZapTable.load(node)
            for owners, delta in deltas.items():
                key = f"{owners[place]:x}"
                total = (node.table.get(key) or 0) + delta
                if total:
                    node.table.put(key, total)
                elif key in node.table.entries:
                    node.table.remove(key)
            node.table.dirty = True
            node.sync()
        self.phys.userused, self.phys.groupused = self.special[USERUSED].phys, self.special[GROUPUSED].phys
