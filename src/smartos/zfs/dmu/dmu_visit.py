"""Visiting an object set's blocks: those born after a transaction group, with where they belong, the root last.

Left out: prefetching. Follows `dmu_traverse.c` of illumos as of 12 August 2011.
"""

from collections.abc import Callable, Iterator

from smartos.zfs.dmu.dnode import DNODE_SHIFT, DNODE_SIZE, Dnode, pointers
from smartos.zfs.dmu.objset import GROUPUSED, USERUSED, ObjsetPhys
from smartos.zfs.errors import ZfsError
from smartos.zfs.events import Bookmark
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import Blkptr

META_NUMBER = 0
Failed = Callable[[Bookmark, Blkptr, ZfsError], None]


class Visits:
    """The part of :class:`LiveObjset` that walks over what was synced last."""

    root: Blkptr
    name: str
    read_block: Callable[[Blkptr], bytes]

    def blocks(self, since: int = 0) -> Iterator[Blkptr]:
        """Every block of the object set as of its last sync that was born after txg `since`, its root last."""
        for _, pointer in self.visits(since):
            yield pointer

    def visits(self, since: int = 0, failed: Failed | None = None) -> Iterator[tuple[Bookmark, Blkptr]]:
        """The same blocks, with where they belong. Where one cannot be read, `failed` is told, and the walk goes on
        beside it; without `failed`, the error is raised."""
        if self.root.hole or self.root.birth <= since:
            return
        root = Bookmark(self.name, 0, -1, 0)
        try:
            phys = ObjsetPhys.unpack(self.read_block(self.root), self.root.order)
        except ZfsError as error:
            if failed is None:
                raise
            failed(root, self.root, error)
            yield root, self.root
            return
        for number, dnode in ((META_NUMBER, phys.meta_dnode), (USERUSED, phys.userused), (GROUPUSED, phys.groupused)):
            if dnode is not None and dnode.type != dmu.NONE:
                for where, pointer in self._visit(number, dnode, since, failed):
                    if number == META_NUMBER and where.level == 0:
                        yield from self._visit_dnodes(where, pointer, since, failed)
                    yield where, pointer
        yield root, self.root

    def _visit(self, number: int, dnode: Dnode, since: int, failed: Failed | None) -> Iterator[tuple[Bookmark, Blkptr]]:
        def read(pointer: Blkptr) -> bytes:
            return bytes(pointer.lsize) if pointer.birth <= since else self.read_block(pointer)

        def lost(pointer: Blkptr, error: ZfsError) -> None:
            failed(Bookmark(self.name, number, pointer.level, 0), pointer, error)

        for level, blkid, pointer in pointers(dnode, read, lost if failed else None):
            if pointer.birth > since:
                yield Bookmark(self.name, number, level, blkid), pointer

    def _visit_dnodes(self, where: Bookmark, pointer: Blkptr, since: int, failed: Failed | None) -> Iterator:
        try:
            data = self.read_block(pointer)
        except ZfsError as error:
            if failed is None:
                raise
            failed(where, pointer, error)
            return
        first = where.blkid * (len(data) >> DNODE_SHIFT)
        for at in range(0, len(data), DNODE_SIZE):
            if data[at]:
                dnode = Dnode.unpack(data[at:], pointer.order)
                yield from self._visit(first + (at >> DNODE_SHIFT), dnode, since, failed)
