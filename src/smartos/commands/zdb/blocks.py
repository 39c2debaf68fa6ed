"""`zdb -b` and `-c`: every block counted by type and level, verified, and its space set against the space maps.

What deduplication saves is counted from the pointers that were met, not from its tables. Left out: blocks of removed
vdevs and of checkpoints, for which a pool is refused, and holes among the blocks that -bbbbb lists. Follows
`dump_block_stats` of `zdb.c`.
"""

from dataclasses import dataclass, field

from smartos.commands.zdb.space import Metaslabs, classes, tops
from smartos.commands.zdb.text import Dump, blkptr_text, histogram
from smartos.output import CommandError
from smartos.zfs.errors import ChecksumError, PoolFaulted, ZfsError
from smartos.zfs.format import checksum
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.read import dsl
from smartos.zfs.read.walk import DESTROYED, Visit, Walker

DEFERRED, DITTO, OTHER, TOTAL = range(len(dmu.TYPES), len(dmu.TYPES) + 4)
TITLES = (*dmu.TYPES, "deferred free", "dedup ditto", "other", "Total")
ALL_LEVELS = 30  # DN_MAX_LEVELS
SIZES = 258  # sectors up to 128 KiB, and one for what is larger
SHIFTS = 25  # powers of two up to 16 MiB
EIO, ECKSUM = 5, 52


@dataclass
class Stats:
    """The blocks of one type at one level."""

    asize: int = 0
    lsize: int = 0
    psize: int = 0
    count: int = 0
    gangs: int = 0
    sizes: list[int] = field(default_factory=lambda: [0] * SIZES)

    def add(self, pointer: Blkptr, psize: int) -> None:
        """Count a block."""
        self.asize += pointer.asize
        self.lsize += pointer.lsize if pointer.etype == 0 or not pointer.embedded else 0
        self.psize += psize
        self.count += 1
        self.gangs += sum(dva.gang for dva in pointer.copies)
        self.sizes[min(psize >> 9, SIZES - 1)] += 1


class BlockStats:
    """The counts of a walk; :meth:`lines` puts them on paper."""

    def __init__(self, dump: Dump) -> None:
        self.dump, self.pool = dump, dump.pool
        self.table: dict[tuple[int, int], Stats] = {}
        self.same_vdev = self.same_metaslab = 0
        self.embedded: dict[int, list[int]] = {}
        self.shared: dict[DVA, list[int]] = {}  # deduplicated blocks: how often met, and bytes
        self.by_size = [[[0, 0] for _ in range(SHIFTS)] for _ in range(3)]  # psize, lsize, asize: count, bytes
        self.errors: dict[int, int] = {}
        self.unverified = 0
        self.shifts = {number: Metaslabs.of(self.pool, number).shift for number in tops(self.pool)}

    def total(self, kind: int = TOTAL, level: int = ALL_LEVELS) -> Stats:
        """The blocks of a type at a level, or of all types, or at all levels."""
        return self.table.get((level, kind), Stats())

    def add(self, pointer: Blkptr, kind: int) -> None:
        """Count a block under its type."""
        psize = 0 if pointer.embedded else pointer.psize
        for level in (pointer.level, ALL_LEVELS):
            for each in (kind, TOTAL):
                self.table.setdefault((level, each), Stats()).add(pointer, psize)
        self._dittos(pointer)
        if pointer.embedded:
            self.embedded.setdefault(pointer.etype, [0] * 113)[pointer.psize] += 1
            return
        if pointer.dedup:
            self.shared.setdefault(pointer.dvas[0], [0, pointer.asize])[0] += 1
        for chart, size in zip(self.by_size, (pointer.psize, pointer.lsize, pointer.asize), strict=True):
            row = chart[size.bit_length() - 1 if size else 0]
            row[0], row[1] = row[0] + 1, row[1] + size

    def _dittos(self, pointer: Blkptr) -> None:
        places = [(dva.vdev, dva.offset) for dva in pointer.copies]
        pairs = [(a, b) for n, a in enumerate(places) for b in places[n + 1 :] if a[0] == b[0]]
        if pairs:
            self.same_vdev += 1
            shift = [self.shifts.get(a[0], 0) for a, _ in pairs]
            self.same_metaslab += any(a[1] >> s == b[1] >> s for (a, b), s in zip(pairs, shift, strict=True))

    # ---- the walk

    def run(self) -> None:
        """Walk the pool, count, verify what is to be verified, and look for leaks."""
        dump, pool = self.dump, self.pool
        if pool.read.mappings or dsl.CHECKPOINT in pool.directory:
            raise CommandError("zdb: -b: a pool with a removed vdev or a checkpoint is not counted here")
        walker = Walker(pool, data=False)
        for visit in walker.visits():
            if dump.opt["b"] >= 5:
                dump.say(self._where(visit))
            self.add(visit.pointer, self._kind(visit))
            walker.count(visit)
            if dump.opt["c"] and self._kind(visit) != DEFERRED:
                self._verify(visit)
        walker.account()
        self.report = walker.report
        if dump.opt["c"] and self.unverified:
            dump.errors.append(f"zdb: {self.unverified} blocks have checksums that are not computed here")

    def _kind(self, visit: Visit) -> int:
        if visit.level == -3 or visit.objset == DESTROYED:
            return DEFERRED
        return OTHER if visit.pointer.type & dmu.NEWTYPE else visit.pointer.type

    def _bookmark(self, visit: Visit) -> tuple[int, int, int, int]:
        """Object set, object, level and block as the real one numbers them: a spill block is block -1 of level 0."""
        level, number = (0, -1) if visit.level == -2 and visit.object else (max(visit.level, -2), visit.number)
        return visit.objset, visit.object % (1 << 64), level, number % (1 << 64)

    def _where(self, visit: Visit) -> str:
        if self._kind(visit) == DEFERRED:
            return f"[deferred free] {blkptr_text(visit.pointer)}"
        objset, number, level, _ = self._bookmark(visit)
        offset = visit.offset if visit.level != -2 or not visit.object else -1
        return f"objset {objset} object {number} level {level} offset 0x{offset % (1 << 64):x} {blkptr_text(visit.pointer)}"

    def _verify(self, visit: Visit) -> None:
        pointer = visit.pointer
        wanted = self.dump.opt["c"] > 1 or pointer.level or dmu.is_metadata(pointer.type)
        if pointer.embedded or not wanted or (visit.level == -2 and not visit.object):
            return  # an intent log's last block is expected to fail
        self.unverified += pointer.checksum in checksum.SALTED
        try:
            self.pool.read.raw(pointer)
        except ZfsError as error:
            code = ECKSUM if isinstance(error, ChecksumError) else 6 if isinstance(error, PoolFaulted) else EIO
            self.errors[code] = self.errors.get(code, 0) + 1
            objset, number, level, block = self._bookmark(visit)
            text = blkptr_text(pointer) if self.dump.opt["b"] >= 2 else ""
            self.dump.say(
                f"zdb_blkptr_cb: Got error {code} reading <{objset}, {number}, {level}, {block:x}> {text} -- skipping"
            )

    # ---- on paper

    def lines(self) -> None:
        """Errors, leaks, sums and, with -bb, the table by type."""
        if self.errors:
            for line in ("", "Error counts:", "", "\terrno  count"):
                self.dump.say(line)
            for code, count in sorted(self.errors.items()):
                self.dump.say(f"\t{code:5}  {count}")
            self.dump.status = 3
        if not self.dump.opt["L"]:
            self._leaks()
        self._sums()
        for etype, counts in sorted(self.embedded.items()):
            self.dump.say()
            self.dump.say(f"\tadditional, non-pointer bps of type {etype}: {sum(counts):10}")
            if self.dump.opt["b"] >= 3:
                self.dump.say("\t number of (compressed) bytes:  number of bps")
                for line in histogram(counts):
                    self.dump.say(line)
        if self.same_vdev:
            self.dump.say(f"\tDittoed blocks on same vdev: {self.same_vdev}")
        if self.same_metaslab:
            self.dump.say(f"\tDittoed blocks in same metaslab: {self.same_metaslab}")
        if self.dump.opt["b"] >= 2:
            self._table()
            self._by_size()
        self.dump.say()

    def _leaks(self) -> None:
        spaces, dump, total = self.report.vdevs, self.dump, self.total()
        for number in sorted(spaces):
            shift = self.shifts.get(number, 0)
            for low, high in spaces[number].leaked:
                while low < high:  # told of metaslab by metaslab
                    end = min(high, (low >> shift) + 1 << shift) if shift else high
                    dump.say(f"leaked space: vdev {number}, offset 0x{low:x}, size {end - low}")
                    low = end
        taken = sum(space.allocated.space for space in spaces.values())
        found = total.asize - self._deduped()[0]
        if found == taken:
            dump.say()
            dump.say("\tNo leaks (block sum matches space maps exactly)")
        else:
            dump.say(f"block traversal size {found} != alloc {taken} (leaked {taken - found})")
            dump.status = 2
        for number, space in sorted(spaces.items()):
            for what, ranges in (("claimed twice", space.twice), ("not allocated", space.unallocated)):
                for low, high in ranges:  # where the real one stops with a failed assertion
                    dump.errors.append(f"zdb: vdev {number}, offset 0x{low:x}, size {high - low}: {what}")
                    dump.status = dump.status or 2

    def _deduped(self) -> tuple[int, int]:
        """The bytes that deduplication saves, and how many blocks have more than one reference."""
        found = [(count, size) for count, size in self.shared.values() if count > 1]
        return sum((count - 1) * size for count, size in found), len(found)

    def _sums(self) -> None:
        total, say = self.total(), self.dump.say
        say()
        say(f"\t{'bp count:':<16} {total.count:14}")
        say(f"\t{'ganged count:':<16} {total.gangs:14}")
        say(f"\t{'bp logical:':<16} {total.lsize:14}      avg: {total.lsize // total.count:6}")
        for name, size in (("bp physical:", total.psize), ("bp allocated:", total.asize)):
            ratio = total.lsize / size if size else 0
            say(f"\t{name:<16} {size:14}      avg: {size // total.count:6}     compression: {ratio:6.2f}")
        saved, blocks = self._deduped()
        ratio = saved / total.asize + 1
        say(f"\t{'bp deduped:':<16} {saved:14}    ref>1: {blocks:6}   deduplication: {ratio:6.2f}")
        spaces = classes(self.pool)
        for name, title in (
            ("", "Normal class:"), ("special", "Special class"), ("dedup", "Dedup class"), ("slog", "Embedded log class")
        ):  # fmt: skip
            if name in spaces:
                taken, space = spaces[name]
                used = f"{100 * taken / space:5.2f}" if space else " -nan"
                say(f"\t{title:<16} {taken:14}     used: {used}%")

    def _table(self) -> None:
        dump, whole = self.dump, self.total()
        dump.say()
        dump.say("Blocks\tLSIZE\tPSIZE\tASIZE\t  avg\t comp\t%Total\tType")
        for kind, title in enumerate(TITLES):
            if not self.total(kind).asize:
                dump.say(f"{'-':>6}\t{'-':>5}\t{'-':>5}\t{'-':>5}\t{'-':>5}\t{'-':>5}\t{'-':>6}\t{title}")
                continue
            for level in [*range(ALL_LEVELS - 1, -1, -1), ALL_LEVELS]:
                each = self.total(kind, level)
                below = level != ALL_LEVELS
                if not each.asize or (below and dump.opt["b"] < 3):
                    continue
                if level == 0 and each.asize == self.total(kind).asize:
                    continue
                self._row(each, whole, f"    L{level} {title}" if below else title)

    def _row(self, each: Stats, whole: Stats, title: str) -> None:
        nice, say, depth = self.dump.nice, self.dump.say, self.dump.opt["b"]
        ratio = each.lsize / each.psize if each.psize else 0
        say(
            f"{nice(each.count):>6}\t{nice(each.lsize):>5}\t{nice(each.psize):>5}\t{nice(each.asize):>5}"
            f"\t{nice(each.asize // each.count):>5}\t{ratio:5.2f}\t{100 * each.asize / whole.asize:6.2f}\t{title}"
        )
        if depth >= 3 and each.gangs:
            say(f"\t number of ganged blocks: {nice(each.gangs)}")
        if depth >= 4:
            say("psize (in 512-byte sectors): number of blocks")
            for line in histogram(each.sizes):
                say(line)

    def _by_size(self) -> None:
        say, nice, exact = self.dump.say, self.dump.nice, self.dump.opt["P"]
        for line in ("", "Block Size Histogram", ""):
            say(line)
        if exact:
            say("block\tpsize\t\t\tlsize\t\t\t  asize")
            say("size\t" + "Count\tSize\tCum.\t" * 3)
        else:
            say(f"{'block':>7}   {'psize':<7}              {'lsize':<7}              asize")
            say(f"{'size':>7} " + f"{'Count':>7}{'Size':>7}{'Cum.':>7}" * 3)
        sums = [0, 0, 0]
        for shift in range(9, SHIFTS):
            cells = []
            for place, chart in enumerate(self.by_size):
                count, size = chart[shift]
                sums[place] += size
                cells += [nice(count), nice(size), nice(sums[place])]
            if exact:
                say("\t".join([nice(1 << shift), *cells]))
            else:
                say(f"{nice(1 << shift):>7}:" + "".join(f"{cell:>7}" for cell in cells))


def dump_blocks(dump: Dump) -> None:
    """The whole of `zdb -b` and `-c`."""
    check, leaks = dump.opt["c"], not dump.opt["L"]
    dump.say()
    dump.say(
        "Traversing all blocks "
        + ("to verify " if check or leaks else "") + ("metadata " if check == 1 else "")
        + ("checksums " if check else "") + ("and verify " if check and leaks else "")
        + ("nothing leaked " if leaks else "") + "..."
    )  # fmt: skip
    dump.say()
    stats = BlockStats(dump)
    stats.run()
    stats.lines()

