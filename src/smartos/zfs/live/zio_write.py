"""Writing and freeing blocks: policy, compression, checksum, allocation, and what each sync pass allows.

A block goes to new space, whatever was there before. The exception is a block that this very transaction group wrote:
no uberblock knows it yet, so from the second pass on it is rewritten in place, if it did not change its size. Were it
not so, writing the space maps would change the space maps for ever. For the same reason frees are put off to the next
group from the second pass on, and compression ends after the fourth.

A block for which no free range is long enough becomes a gang block: a header that points to up to three pieces.

Left out: the pipeline's stages, priorities, aggregation, deduplication, retries. Follows `zio.c` (`zio_write_bp_init`,
`zio_write_gang_block`, `zio_free`), `dmu_write_policy` of `dmu.c` and `spa_sync` of illumos as of 12 August 2011.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.errors import NoSpace
from smartos.zfs.events import Bookmark, Event
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import BLKPTR_SIZE, DVA, Blkptr
from smartos.zfs.read.reader import GANG_SIZE

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

PASS_DEFERRED_FREE, PASS_DONT_COMPRESS, PASS_REWRITE = 1, 4, 1  # SYNC_PASS_…
MAX_COPIES = 3
MOS = "MOS"
LATELY = 64  # blocks of metadata whose packed form is remembered

ZIO_WRITE = declare(
    "fbt:zfs:zio_write:entry", "spa_t *", "uint64_t", "blkptr_t *", "uint64_t", "zio_prop_t *", "zbookmark_t *"
)
ZIO_REWRITE = declare("fbt:zfs:zio_rewrite:entry", "spa_t *", "uint64_t", "blkptr_t *", "uint64_t", "zbookmark_t *")
ZIO_FREE = declare("fbt:zfs:zio_free:entry", "spa_t *", "uint64_t", "blkptr_t *")
ZIO_FREE_SYNC = declare("fbt:zfs:zio_free_sync:entry", "spa_t *", "uint64_t", "blkptr_t *")
DMU_SYNC = declare("fbt:zfs:dmu_sync:entry", "zio_t *", "uint64_t")
GANG = declare("fbt:zfs:zio_write_gang_block:entry", "spa_t *", "uint64_t", "uint64_t")


@dataclass(frozen=True, slots=True)
class Policy:
    """`zio_prop_t`: how a block is to be written."""

    checksum: int
    compress: int
    copies: int
    type: int
    level: int = 0


def policy(kind: int, level: int, checksum_: int, compress_: int, copies: int) -> Policy:
    """`dmu_write_policy`: metadata get fletcher-4 (unless the data's checksum is better), lzjb and one copy more."""
    metadata = level > 0 or dmu.is_metadata(kind)
    if checksum_ == checksum.ON:
        checksum_ = checksum.FLETCHER_4
    if metadata:
        if checksum_ not in (checksum.SHA256, checksum.SHA512):
            checksum_ = checksum.FLETCHER_4
        compress_ = compress.LZJB
    return Policy(checksum_, compress_, min(copies + metadata, MAX_COPIES), kind, level)


class BlockIo:
    """Writes and frees blocks for the transaction group that is syncing. `deferred` are frees for the next one."""

    def __init__(self, spa: "SpaCore") -> None:
        self.spa = spa
        self.frees: list[Blkptr] = []
        self._lately: dict[tuple[int, bytes], tuple[int, bytes]] = {}

    def write(self, prop: Policy, data: bytes, old: Blkptr, where: Bookmark, fill: int = 1) -> Blkptr:
        """Put a block on the vdevs and give its pointer: a hole when it is nothing but zeros, the same addresses as
        `old` when it could be rewritten. Raises :class:`NoSpace`, :class:`PoolFaulted`."""
        spa, txg = self.spa, self.spa.syncing_txg
        again = old.birth == txg and not old.hole
        kind = prop.compress
        if again and spa.sync_pass > PASS_DONT_COMPRESS:
            kind = compress.OFF
        metadata = prop.level > 0 or dmu.is_metadata(prop.type)
        kind, packed = self._packed(kind, data) if metadata else compress.compress(kind, data)
        if not packed:
            return Blkptr()
        lsize, psize = len(data), len(packed)
        rewrite = again and old.psize == psize and spa.sync_pass > PASS_REWRITE and not old.gang
        pointer = Blkptr(
            old.dvas if rewrite else (), lsize, psize, kind, prop.checksum, prop.type, prop.level, txg, fill,
            little=True,
        )  # fmt: skip
        pointer.cksum = checksum.checksum(prop.checksum, packed)
        if rewrite:
            if ZIO_REWRITE.listeners:
                ZIO_REWRITE.fire(spa, txg, pointer, psize, where)
        else:
            if ZIO_WRITE.listeners:
                ZIO_WRITE.fire(spa, txg, pointer, psize, prop, where)
            try:
                pointer.dvas = spa.metaslabs.alloc(psize, prop.copies, txg)
            except NoSpace:
                self._gang(pointer, packed, prop)
        if not pointer.gang:
            spa.root.write_dvas([(dva.vdev, dva.offset) for dva in pointer.dvas], packed, txg)
        if where.dataset == MOS:
            spa.read.remember(pointer, data)
        if spa.events.wanted:
            what = f"{where.describe()} {dmu.type_name(prop.type)}"
            spa.events.add(
                Event(
                    txg, spa.sync_pass, "rewrite" if rewrite else "write", what, where, old.dvas, pointer.dvas,
                    dmu.type_name(prop.type), lsize, psize,
                )
            )  # fmt: skip
        return pointer

    def dmu_sync(self, prop: Policy, data: bytes, where: Bookmark) -> Blkptr | None:
        """`dmu_sync`: put a block on the vdevs before its transaction group syncs, for the intent log to point to; None
        when it is all zeros or there is no range for it."""
        spa, txg = self.spa, self.spa.txg.open
        kind, packed = compress.compress(prop.compress, data)
        if not packed:
            return None
        pointer = Blkptr(
            (), len(data), len(packed), kind, prop.checksum, prop.type, prop.level, txg, 1,
            checksum.checksum(prop.checksum, packed), True,
        )  # fmt: skip
        try:
            pointer.dvas = spa.metaslabs.alloc(pointer.psize, prop.copies, txg)
        except NoSpace:
            return None
        if DMU_SYNC.listeners:
            DMU_SYNC.fire(None, txg)
        spa.root.write_dvas([(dva.vdev, dva.offset) for dva in pointer.dvas], packed, txg)
        if spa.events.wanted:
            what = f"{where.describe()} {dmu.type_name(prop.type)}, ahead of its group"
            spa.events.add(Event(txg, 0, "write", what, where, (), pointer.dvas, dmu.type_name(prop.type), len(data)))
        return pointer
    def _packed(self, kind: int, data: bytes) -> tuple[int, bytes]:
        """Compress a block of metadata, of which many are alike: one that was met lately is not compressed again."""
        key = (kind, data)
        found = self._lately.pop(key, None)
        if found is None:
            found = compress.compress(kind, data)
        self._lately[key] = found
        if len(self._lately) > LATELY:
            del self._lately[next(iter(self._lately))]
        return found

    def _gang(self, pointer: Blkptr, data: bytes, prop: Policy) -> None:
        """Write the block in pieces, and a header that points to them."""
        spa, txg = self.spa, self.spa.syncing_txg
        if GANG.listeners:
            GANG.fire(spa, txg, len(data))
        if len(data) <= GANG_SIZE:
            raise NoSpace("the pool has no room left for a block of a sector")
        headers = spa.metaslabs.alloc(GANG_SIZE, min(prop.copies + 1, MAX_COPIES), txg, gang=True)
        members, at = [], 0
        sizes = [dva.asize for dva in headers]
        while at < len(data):
            left = len(data) - at
            size = -(-left // (3 - len(members)) // 512) * 512
            piece = data[at : at + size]
            child = Blkptr((), size, size, compress.OFF, prop.checksum, dmu.NONE, 0, txg, 1, little=True)
            child.cksum = checksum.checksum(prop.checksum, piece)
            try:
                child.dvas = spa.metaslabs.alloc(size, prop.copies, txg)
                spa.root.write_dvas([(dva.vdev, dva.offset) for dva in child.dvas], piece, txg)
            except NoSpace:
                self._gang(child, piece, prop)
            for n, dva in enumerate(child.dvas):
                sizes[n] += dva.asize if n < len(sizes) else 0
            members.append(child)
            at += size
        pointer.dvas = tuple(DVA(dva.vdev, dva.offset, size, True) for dva, size in zip(headers, sizes, strict=True))
        body = b"".join(member.pack() for member in members).ljust(3 * BLKPTR_SIZE, b"\0")
        first = pointer.dvas[0]
        header = checksum.seal(body.ljust(GANG_SIZE, b"\0"), (first.vdev, first.offset, txg, 0), checksum.GANG_HEADER)
        spa.root.write_dvas([(dva.vdev, dva.offset) for dva in pointer.dvas], header, txg)

    def free(self, pointer: Blkptr) -> None:
        """`zio_free`: the block will be free when this pass ends, or with the next transaction group's first."""
        if ZIO_FREE.listeners:
            ZIO_FREE.fire(self.spa, self.spa.syncing_txg, pointer)
        self.frees.append(pointer)

    def free_sync(self, pointer: Blkptr) -> None:
        """`zio_free_sync`: give a block's space back to the metaslabs, for a gang block that of its pieces too."""
        spa = self.spa
        if ZIO_FREE_SYNC.listeners:
            ZIO_FREE_SYNC.fire(spa, spa.syncing_txg, pointer)
        if pointer.gang:
            for member in spa.read.gang_header(pointer, pointer.dvas[0]):
                if not member.hole:
                    self.free_sync(member)
        for dva in pointer.dvas:
            if dva.gang:
                dva = DVA(dva.vdev, dva.offset, spa.root.child(dva.vdev).psize_to_asize(GANG_SIZE))
            spa.metaslabs.free(dva, spa.syncing_txg)
        if spa.events.wanted:
            what = f"free {dmu.type_name(pointer.type)} born in txg {pointer.birth}"
            spa.events.add(
                Event(
                    spa.syncing_txg, spa.sync_pass, "free", what, None, pointer.dvas, (), dmu.type_name(pointer.type),
                    pointer.lsize, pointer.psize,
                )
            )  # fmt: skip

    def end_pass(self) -> None:
        """Free what this pass freed; from the second pass on, put it on the list for the next transaction group."""
        frees, self.frees = self.frees, []
        for pointer in frees:
            if self.spa.sync_pass <= PASS_DEFERRED_FREE:
                self.free_sync(pointer)
            else:
                if self.spa.events.wanted:
                    what = f"free {dmu.type_name(pointer.type)} in the next txg"
                    self.spa.events.add(
                        Event(self.spa.syncing_txg, self.spa.sync_pass, "defer", what, None, pointer.dvas)
                    )
                self.spa.deferred.enqueue(pointer)
