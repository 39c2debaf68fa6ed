"""Scrub and resilver: every block that is in use is read and verified, and what is bad or missing is written anew.

A scrub reads all copies of all blocks. A resilver reads what some device missed, which its dirty time log says by
transaction group: below a block that is older than that, nothing can be newer, so whole trees are passed by. Unlike a
RAID's rebuild, neither looks at space that nothing uses, and both go from the root down and so trust only what a
checksum vouches for.

Left out: scans that go on after an import (a resilver begins anew there, a scrub is forgotten), bookmarks within a
dataset (a scan pauses between datasets), throttling, deduplicated blocks. Follows `dsl_scan.c` of illumos as of
12 August 2011.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.dmu.zap import Entry
from smartos.zfs.errors import Busy, ZfsError
from smartos.zfs.events import Bookmark, Event
from smartos.zfs.format import checksum
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.read.dsl import POOL_DIRECTORY_OBJECT, SCAN
from smartos.zfs.read.reader import GANG_SIZE, verifier
from smartos.zfs.vdev.tree import Flag, Replacing, Vdev

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

SCRUB, RESILVER = 1, 2  # POOL_SCAN_…
NONE, SCANNING, FINISHED, CANCELED = range(4)  # DSS_…
WORDS = 24  # dsl_scan_phys_t

SETUP = declare("fbt:zfs:dsl_scan_setup_sync:entry", "dsl_scan_t *", "pool_scan_func_t *", "dmu_tx_t *")
SCAN_SYNC = declare("fbt:zfs:dsl_scan_sync:entry", "dsl_pool_t *", "dmu_tx_t *")
SCRUB_CB = declare("fbt:zfs:dsl_scan_scrub_cb:entry", "dsl_pool_t *", "blkptr_t *", "zbookmark_t *")
DONE = declare("fbt:zfs:dsl_scan_done:entry", "dsl_scan_t *", "boolean_t", "dmu_tx_t *")
RESILVER_DONE = declare("fbt:zfs:spa_vdev_resilver_done:entry", "spa_t *")


class Scan:
    """The scan that is running, or the last one. `limit` is how many datasets it takes on in a transaction group.

    `examined` counts bytes of copies, `repaired` bytes that were rewritten, `errors` blocks of which no copy was good;
    `lost` says which these are, as the pool's error log does.
    """

    def __init__(self, spa: "SpaCore") -> None:
        self.spa = spa
        self.func = self.state = 0
        self.min_txg = self.max_txg = self.start_time = self.end_time = 0
        self.to_examine = self.examined = self.repaired = self.errors = 0
        self.lost: list[str] = []
        self.limit: int | None = None
        self._visited: set[int] = set()
        self._filling: set[Vdev] = set()
        self._wanted = 0

    @property
    def running(self) -> bool:
        """Whether there is a scan."""
        return self.state == SCANNING

    @property
    def wanted(self) -> bool:
        """Whether the next transaction group has something to scan."""
        return bool(self.running or self._wanted or self._needed())

    def _needed(self) -> tuple[int, int] | None:
        return self.spa.root.resilver_range()

    def start(self) -> None:
        """`zpool scrub`: begin with the next transaction group. Raises :class:`Busy` when a scan is running."""
        if self.running:
            raise Busy("cannot scrub: currently scrubbing or resilvering")
        self._wanted = SCRUB

    def stop(self) -> None:
        """`zpool scrub -s`. Raises :class:`Busy` when there is none, or a resilver."""
        if not self.running or self.func != SCRUB:
            raise Busy("cannot cancel scrubbing: there is no active scrub")
        self._done(False)

    def wait(self) -> None:
        """Let transaction groups pass until the scan is through."""
        self.spa.sync()
        while self.running:
            self.spa.sync()

    # ---- in syncing context

    def sync(self) -> None:
        """`dsl_scan_sync`: begin a scan that was asked for, or that a device needs, and do a part of it."""
        if SCAN_SYNC.listeners:
            SCAN_SYNC.fire(self.spa.dp, None)
        needed = self._needed()
        if not self.running and (self._wanted or needed):
            self._setup(RESILVER if needed else SCRUB)
        if not self.running:
            return
        if self._behind() - self._filling:
            self._setup(RESILVER)  # a device came, or came back: it needs what was visited already, too
        left = self.limit
        for number, visits in self._datasets():
            self._visited.add(number)
            for where, pointer in visits:
                self._examine(number, where, pointer)
            if left is not None:
                left -= 1
                if left <= 0:
                    break
        else:
            self._done(True)

    def _behind(self) -> set[Vdev]:
        """The devices that can be written to, and miss something that the scan would say is there when it is done."""
        leaves = [leaf for leaf in self.spa.root.leaves() if leaf.leaf and leaf.writeable]
        return {leaf for leaf in leaves if leaf.dtl and leaf.dtl.first < self.max_txg}

    def _setup(self, func: int) -> None:
        if SETUP.listeners:
            SETUP.fire(self, func, None)
        spa, self._wanted = self.spa, 0
        spa.root.dtl_reassess(0)
        self.func, self.state = func, SCANNING
        self.min_txg, self.max_txg = 0, spa.syncing_txg
        needed = self._needed()
        if needed:
            self.min_txg, self.max_txg = needed[0] - 1, max(needed[1] + 1, spa.syncing_txg)
        self._filling = self._behind()
        self.start_time, self.end_time = spa.now(), 0
        self.to_examine, self.examined, self.repaired, self.errors = spa.metaslabs.allocated, 0, 0, 0
        self.lost, self._visited = [], set()
        spa.config_dirty = True
        spa.history.internal("pool scrub", f"func={func} mintxg={self.min_txg} maxtxg={self.max_txg}")
        self._note(f"{'resilver' if func == RESILVER else 'scrub'} of txgs {self.min_txg + 1} to {self.max_txg}")

    def _note(self, what: str) -> None:
        if self.spa.events.wanted:
            self.spa.events.add(Event(self.spa.syncing_txg, self.spa.sync_pass, "scan", what))

    def _datasets(self) -> Iterator[tuple[int, Iterator[tuple[Bookmark, Blkptr]]]]:
        """What is still to be visited: the MOS, then datasets and snapshots, the oldest first."""
        dp = self.spa.dp
        if 0 not in self._visited:
            yield 0, dp.mos.visits(self.min_txg, self._failed)
        found = [each for each in self.spa.datasets() if each.number not in self._visited and not each.phys.bp.hole]
        for each in sorted(found, key=lambda each: (each.phys.creation_txg, each.number)):
            yield each.number, each.objset.visits(max(each.phys.prev_snap_txg, self.min_txg), self._failed)

    def _failed(self, where: Bookmark, pointer: Blkptr, error: ZfsError) -> None:
        """An indirect block could not be read: what is below it is not visited. It is counted when it is examined."""

    def destroyed(self, number: int, following: int) -> None:
        """`dsl_scan_ds_destroyed`: what a destroyed snapshot held and was not seen is now its successor's to show."""
        if number not in self._visited:
            self._visited.discard(following)

    def _examine(self, dataset: int, where: Bookmark, pointer: Blkptr) -> None:
        """`dsl_scan_scrub_cb`: read a block's copies, those that the scan is about."""
        birth = pointer.physical_birth or pointer.birth
        if not self.min_txg < birth < self.max_txg + (self.func == SCRUB):
            return
        if SCRUB_CB.listeners:
            SCRUB_CB.fire(self.spa.dp, pointer, where)
        root = self.spa.root
        self.examined += pointer.asize
        if self.func == RESILVER and not pointer.gang:
            if not any(root.child(dva.vdev).need_resilver(dva.offset, pointer.psize, birth) for dva in pointer.dvas):
                return
        before = self._healed()
        try:
            self._read(pointer, birth)
        except ZfsError as error:
            self.errors += 1
            self.lost.append(where.describe())
            self.spa.errlog.note(dataset, where.object, where.level, where.blkid)
            self._note(f"{where.describe()} is lost: {error}")
        repaired = self._healed() - before
        if repaired:
            self.repaired += repaired
            self._note(f"{where.describe()} repaired, {repaired:,} bytes")

    def _healed(self) -> int:
        return sum(leaf.stat.vs_scan_processed for leaf in self.spa.root.leaves())

    def _read(self, pointer: Blkptr, birth: int) -> None:
        root = self.spa.root
        flags = Flag.SCAN_THREAD | Flag.CANFAIL | (Flag.SCRUB if self.func == SCRUB else Flag.RESILVER)
        if pointer.gang:
            for dva in pointer.dvas:
                self._gang(pointer, dva, birth, flags)
            return
        root.read_dvas([(dva.vdev, dva.offset) for dva in pointer.dvas], pointer.psize, verifier(pointer), birth, flags)

    def _gang(self, pointer: Blkptr, dva: DVA, birth: int, flags: Flag) -> None:
        first = pointer.dvas[0]
        seal = (first.vdev, first.offset, birth, 0)

        def good(data: bytes) -> bool:
            return checksum.sealed(data, seal, checksum.GANG_HEADER) is not None

        data = self.spa.root.child(dva.vdev).read(dva.offset, GANG_SIZE, good, birth, flags)
        for at in range(0, 384, 128):
            member = Blkptr.unpack(data[at : at + 128])
            if not member.hole:
                self._read(member, birth)

    def _done(self, complete: bool) -> None:
        """`dsl_scan_done`: forget what the devices missed, if it is now there; end replacements that are through."""
        if DONE.listeners:
            DONE.fire(self, complete, None)
        spa = self.spa
        self.state, self.end_time = (FINISHED if complete else CANCELED), spa.now()
        spa.root.dtl_reassess(self.max_txg if complete and not self.errors else 0)
        if complete:
            self._resilver_done()
        spa.errlog.rotate()
        spa.history.internal("pool scrub done", f"complete={int(complete)}")
        self._note(self.describe())
        words = (
            self.func, self.state, 0, self.min_txg, self.max_txg, 0, 0, self.start_time, self.end_time,
            self.to_examine, self.examined, 0, self.repaired, self.errors,
        )  # fmt: skip
        words += (0,) * (WORDS - len(words))
        spa.dp.mos.zap_put(POOL_DIRECTORY_OBJECT, SCAN, Entry(SCAN, words))

    def _resilver_done(self) -> None:
        """`spa_vdev_resilver_done`: a disk that was replaced leaves when its successor has everything."""
        if RESILVER_DONE.listeners:
            RESILVER_DONE.fire(self.spa)
        for _, node in list(self.spa.root.walk()):
            if type(node) is Replacing and len(node.children) > 1:
                new = node.children[-1]
                if new.readable and not new.dtl:
                    for old in node.children[:-1]:
                        self.spa.let_go(old)

    def load(self) -> None:
        """Read what the pool remembers of its last scan."""
        words = self.spa.dp.mos.zap(POOL_DIRECTORY_OBJECT).get(SCAN)
        if isinstance(words, tuple) and len(words) >= 14:
            self.func, self.state, self.min_txg, self.max_txg = words[0], words[1], words[3], words[4]
            self.start_time, self.end_time, self.to_examine, self.examined = words[7:11]
            self.repaired, self.errors = words[12:14]
            if self.state == SCANNING:
                self.state = CANCELED

    def describe(self) -> str:
        """The scan line of `zpool status`."""
        if not self.func:
            return "none requested"
        what = "scrub" if self.func == SCRUB else "resilver"
        if self.running:
            done = f"{self.examined:,} bytes scanned out of {self.to_examine:,}"
            return f"{what} in progress, {done}, {self.repaired:,} repaired"
        if self.state == CANCELED:
            return f"{what} canceled"
        done = "repaired" if self.func == SCRUB else "resilvered"
        verb = "scrub repaired" if self.func == SCRUB else done
        return f"{verb} {self.repaired:,} bytes in {self.end_time - self.start_time} s with {self.errors} errors"
