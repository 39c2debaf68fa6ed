"""Walking a pool: every block that anything refers to, its checksum verified, and the space that it all takes.

What is found is set against what the space maps say. A range that is allocated and that nothing refers to is leaked;
one that is referred to and not allocated, or by two pointers at once, will be overwritten some day. A block that
several snapshots share is visited once, below the oldest that has it: the walk of each dataset passes by what was born
before its previous snapshot.

Left out: the deduplication table's reference counts, and space that only a checkpoint still holds (such pools are
walked, and their leaks are not judged). Follows `dmu_traverse.c` and zdb's `dump_block_stats`.
"""

from collections.abc import Iterator

from smartos.zfs.dmu import objset
from smartos.zfs.dmu.dnode import Dnode, pointers
from smartos.zfs.dmu.objset import Objset, dnodes
from smartos.zfs.errors import CorruptPool, NoSuchName, Unsupported, ZfsError
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.read import dsl, zil
from smartos.zfs.read.pool import Dataset, Pool
from smartos.zfs.read.space_log import allocated
from smartos.zfs.read.walk_report import DESTROYED, Report, Space, Visit

__all__ = ["DESTROYED", "Report", "Space", "Visit", "Walker", "walk"]


class Walker:
    """One walk over a pool. Every copy of every block is read and verified, unless `data` is False: then only those
    blocks are that lead to others."""

    def __init__(self, pool: Pool, data: bool = True) -> None:
        self.pool, self.data, self.report = pool, data, Report()
        self.read = pool.read.trusting()  # so as to go on below blocks that cannot be verified here

    def run(self) -> Report:
        """Walk everything and account for the space. What goes wrong with a block is noted, and the walk goes on."""
        for visit in self.visits():
            self.count(visit)
        self.account()
        return self.report

    def visits(self) -> Iterator[Visit]:
        """Every block once, in zdb's order: lists of blocks that wait to be freed, the MOS, each dataset by number."""
        pool = self.pool
        for name in (dsl.SYNC_BPOBJ, dsl.FREE_BPOBJ):
            number = pool.directory.get(name)
            if isinstance(number, int):
                for place, pointer in enumerate(self._guarded(name, lambda number=number: pool.bpobj(number))):
                    yield Visit(name, number, -3, place, pointer)
        yield from self._destroyed()
        yield from self._objset("MOS", pool.uberblock.rootbp, 0)
        for dataset in self._datasets():
            phys = self._try(dataset.name, lambda dataset=dataset: dataset.phys)
            if phys is not None:
                if not phys.num_children:  # a snapshot has the next one, or its dataset, as a child
                    yield from self._log(dataset)
                yield from self._objset(dataset.name, phys.bp, phys.prev_snap_txg, dataset.object)

    def _datasets(self) -> Iterator[Dataset]:
        """Every dataset by its number in the MOS, whether or not a name leads to it."""
        pool = self.pool
        found = self._guarded("datasets", lambda: pool.datasets(internal=True))
        names = {each.object: each.name for each in found}
        for number, dnode in self._guarded("MOS", pool.mos.objects):
            if dnode.bonustype == dmu.DSL_DATASET:
                name = names.get(number, f"dataset {number}")
                phys = self._try(name, lambda number=number: pool.dsl_dataset(number))
                if phys is not None:
                    yield Dataset(pool, name, number, phys.dir_obj)

    def _destroyed(self) -> Iterator[Visit]:
        """What is left of destroyed datasets: whole trees of blocks, and the live lists of clones."""
        pool, name = self.pool, dsl.BPTREE_OBJ
        number = pool.directory.get(name)
        if isinstance(number, int):
            for root, since, begun in self._guarded(name, lambda: pool.bptree(number)):
                if begun:
                    self.report.notes.append("a dataset is half destroyed: what is freed of it is told of as unallocated")
                yield from self._objset(name, root, since, DESTROYED)
        name = dsl.DELETED_CLONES
        clones = self._try(name, lambda: pool.mos.zap(pool.directory[name])) if name in pool.directory else {}
        for number in (clones or {}).values():
            for place, pointer in enumerate(self._guarded(name, lambda number=number: pool.livelist(number))):
                yield Visit(name, number, -3, place, pointer)

    # ---- trees

    def _objset(self, name: str, root: Blkptr, since: int, where: int = 0) -> Iterator[Visit]:
        """An object set's blocks that were born after txg `since`."""
        if root.hole or root.birth <= since:
            return
        yield Visit(name, 0, -1, 0, root, where)
        opened = self._try(name, lambda: Objset(root, self.read, name))
        if opened is None:
            return
        meta = opened.phys.meta_dnode
        for visit in self._tree(name, 0, meta, since, where):
            yield visit
            if visit.level == 0:
                yield from self._dnode_block(name, visit, meta, since)
        phys = opened.phys
        counts = {
            objset.PROJECTUSED: phys.projectused,
            objset.GROUPUSED: phys.groupused,
            objset.USERUSED: phys.userused,
        }
        for number, dnode in counts.items():
            if dnode is not None and dnode.type != dmu.NONE:
                yield from self._tree(name, number, dnode, since, where)

    def _dnode_block(self, name: str, visit: Visit, meta: Dnode, since: int) -> Iterator[Visit]:
        data = self._try(f"{name} dnodes {visit.number}", lambda: self.read(visit.pointer))
        if data is None:
            return
        first = visit.number * (meta.block_size >> 9)
        where = f"{name} dnodes {visit.number}"
        for number, dnode in self._guarded(where, lambda: dnodes(data, visit.pointer.order, first)):
            yield from self._tree(name, number, dnode, since, visit.objset)

    def _tree(self, name: str, number: int, dnode: Dnode, since: int, where: int) -> Iterator[Visit]:
        """An object's blocks born after `since`; below an older pointer nothing is newer."""

        def failed(pointer: Blkptr, error: ZfsError) -> None:
            self.report.errors.append((f"{name} object {number}", error))

        def read(pointer: Blkptr) -> bytes:
            return bytes(pointer.lsize) if pointer.birth <= since else self.read(pointer)

        for level, block, pointer in pointers(dnode, read, failed):
            if pointer.birth > since:
                offset = (block << level * dnode.fan_shift if level > 0 else block) * dnode.block_size
                yield Visit(name, number, level, block, pointer, where, offset)

    def _log(self, dataset: Dataset) -> Iterator[Visit]:
        """The blocks of an intent log that are allocated for good: it was claimed, or they are older than the pool."""
        if dataset.phys.bp.hole:
            return
        opened = self._try(dataset.name, lambda: Objset(dataset.phys.bp, self.read, dataset.name))
        if opened is None or opened.phys.zil_header.log.hole:
            return
        header, uberblock = opened.phys.zil_header, self.pool.uberblock
        blocks = self._try(dataset.name, lambda: zil.chain(header, self.read.raw)) or []
        waiting = sum(block.records for block in blocks)
        if waiting:
            self.report.notes.append(f"{dataset.name}: an intent log with {waiting} records was not replayed")
        met: set[DVA] = set()
        for block in blocks:
            if not header.claim_txg and block.pointer.birth > (uberblock.checkpoint_txg or uberblock.txg):
                return
            found = [Visit(dataset.name, 0, -2, block.seq, block.pointer, dataset.object, block.seq)]
            for record in block.written:
                number, offset, _ = record.words(3)
                pointer = record.pointer
                if header.claim_txg and pointer.birth >= header.claim_txg:
                    place = offset // pointer.lsize
                    found.append(
                        Visit(dataset.name, number, -4, place, pointer, dataset.object, place * pointer.lsize)
                    )
            for visit in found:
                dvas = visit.pointer.dvas[:1]  # several records may write one block
                if visit.pointer.embedded or dvas[0] not in met:
                    met.update(dvas)
                    yield visit

    def _try(self, where: str, action):  # noqa: ANN001, ANN202 - whatever the action gives, or None
        try:
            return action()
        except ZfsError as error:
            self.report.errors.append((where, error))
            return None

    def _guarded(self, where: str, make) -> Iterator:  # noqa: ANN001 - a function that gives an iterator
        try:
            yield from make()
        except ZfsError as error:
            self.report.errors.append((where, error))

    # ---- counting

    def count(self, visit: Visit) -> None:
        """Take a block into the report, and verify its copies if that is wanted."""
        pointer, report = visit.pointer, self.report
        kind = dmu.INTENT_LOG if visit.level == -2 and visit.object == 0 else pointer.type
        report.blocks[dmu.type_name(kind)] += 1
        report.lsize += pointer.lsize
        if pointer.embedded:
            if self.data and visit.level != -3:  # in a list it is kept without its payload
                self._check(visit, lambda: self.pool.read(pointer))
            return
        report.psize += pointer.psize
        report.asize += pointer.asize
        for place, dva in enumerate(pointer.copies):
            self._claim(visit, dva, members=not place)
        waits = visit.level == -3  # on its way to being free: the lists keep no checksums
        if not waits and (self.data or pointer.level or pointer.type in (dmu.DNODE, dmu.OBJSET)):
            self._verify(visit)

    def _say(self, visit: Visit) -> str:
        return f"{visit.where} object {visit.object} L{visit.level} block {visit.number}"

    def _verify(self, visit: Visit) -> None:
        pointer, read = visit.pointer, self.pool.read
        if visit.level == -2 and visit.object == 0 and pointer.checksum in (checksum.ZILOG, checksum.ZILOG2):
            return  # an intent log's blocks verify themselves, the last one not at all
        for dva in pointer.copies:
            if dva.gang:
                good = self._check(visit, lambda dva=dva: self._gang(visit, pointer, dva))
            else:
                good = self._check(visit, lambda dva=dva: read.copy(pointer, dva))
            if good:
                self.report.copies += 1
                self.report.verified += pointer.checksum not in (checksum.OFF, checksum.NOPARITY)

    def _check(self, visit: Visit, action) -> bool:  # noqa: ANN001 - a function without arguments
        """Whether the action went through; if not, note why."""
        pointer = visit.pointer
        try:
            action()
            return True
        except Unsupported:
            what = checksum.name_of(pointer.checksum) if not pointer.embedded else compress.name_of(pointer.compress)
            self.report.unjudged[what] += 1  # the walk reads on below it
        except ZfsError as error:
            self.report.errors.append((self._say(visit), error))
        return False

    def _gang(self, visit: Visit, pointer: Blkptr, dva: DVA, depth: int = 0) -> None:
        if depth > 8:
            raise CorruptPool("gang blocks nest without end")
        for member in self.pool.read.gang_header(pointer, dva):
            for each in member.copies:
                if each.gang:
                    self._gang(visit, member, each, depth + 1)
                else:
                    self.pool.read.copy(member, each)

    def _claim(self, visit: Visit, dva: DVA, depth: int = 0, members: bool = True) -> None:
        """Mark the range of one copy as referred to; of a gang block, its header's and its pieces'.

        A gang block's copies are copies of the header, and lead to the same pieces: without `members`, these were met.
        """
        pointer = visit.pointer
        if dva.vdev in self.pool.read.mappings:
            self._claim_moved(dva)
            return
        size = dva.asize
        if dva.gang:
            top = self.pool.tops[dva.vdev] if dva.vdev < len(self.pool.tops) else None
            size = top.psize_to_asize(512) if top is not None else dva.asize
            if members and depth < 8:
                self._claim_members(visit, dva, depth)
        space = self.report.vdevs.setdefault(dva.vdev, Space())
        start, end = dva.offset, dva.offset + size
        met = space.referenced.overlap(start, end)
        if met == [(start, end)] and (pointer.dedup or self._cloned(pointer)):
            return
        if met:
            space.twice += met
            for part in met:
                space.referenced.remove(*part)
        space.referenced.add(start, end)

    def _claim_members(self, visit: Visit, dva: DVA, depth: int) -> None:
        header = self._try(self._say(visit), lambda: self.pool.read.gang_header(visit.pointer, dva)) or []
        for member in header:
            for place, each in enumerate(member.copies):
                inner = Visit(visit.where, visit.object, visit.level, visit.number, member)
                self._claim(inner, each, depth + 1, not place)

    def _cloned(self, pointer: Blkptr) -> bool:
        return pointer.level == 0 and any("block_cloning" in feature for feature in self.pool.write_features)

    def _claim_moved(self, dva: DVA) -> None:
        """A block on a removed vdev: what it was moved to is what is allocated."""
        mapping = self.pool.read.mappings[dva.vdev]
        for piece, length in self._try("removed vdev", lambda: mapping.pieces(dva.offset, dva.asize)) or ():
            space = self.report.vdevs.setdefault(piece.vdev, Space())
            for start, end in space.referenced.gaps(piece.offset, piece.offset + length):
                space.referenced.add(start, end)

    # ---- space

    def account(self) -> None:
        """Set what was referred to against the space maps."""
        pool, report = self.pool, self.report
        if dsl.CHECKPOINT in pool.directory:
            report.notes.append("the pool has a checkpoint: what only that holds cannot be told from a leak")
            return
        for number, top in enumerate(pool.tops):
            if top is None or top.type in ("missing", "hole"):
                continue
            space = report.vdevs.setdefault(number, Space())
            try:
                space.allocated = allocated(pool, number)
            except NoSuchName as error:
                report.notes.append(str(error))
                continue
            except ZfsError as error:
                report.errors.append((f"space maps of vdev {number}", error))
                continue
            space.leaked = space.allocated.difference(space.referenced)
            space.unallocated = space.referenced.difference(space.allocated)
        if pool.read.mappings:
            report.notes.append("the pool has a removed vdev: what its mapping still holds cannot be told from a leak")
            for space in report.vdevs.values():
                space.leaked = []


def walk(pool: Pool, data: bool = True) -> Report:
    """Walk a pool and report. With `data` False, blocks that lead to no others are counted, not read."""
    return Walker(pool, data).run()
