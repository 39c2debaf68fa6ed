"""What a power cut left in the intent logs: claimed when the pool is imported, and then done again.

A log's newest blocks are in no space map, since their transaction group never came to be. So the first thing that an
import does is to claim them, all in one group, and to note in each header how far the log goes. Then the records are
done again, one by one, by the functions that did them the first time; the header notes the last one, in the same
transaction group, so that a power cut in the middle does nothing twice. When all is on disk the log's blocks are freed.
A log without records is kept as it is: its one block is the next to be written.

Left out: waiting with the replay until a filesystem is mounted; the records that :mod:`~smartos.zfs.live.zfs_replay` leaves
out, which are refused, by name, before anything is changed. Follows `zil_claim`, `zil_parse` and `zil_replay` of
`zil.c` of illumos as of 12 August 2011.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs.dmu import objset
from smartos.zfs.errors import Unsupported, ZfsError
from smartos.zfs.events import Event
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.live.zfs_replay import ZFS_VECTOR, ZVOL_VECTOR, known
from smartos.zfs.live.zpl import Zpl
from smartos.zfs.live.zvol_live import LiveZvol
from smartos.zfs.read import zil
from smartos.zfs.read.reader import Reader
from smartos.zfs.read.zil import LogBlock, Record

if TYPE_CHECKING:
    from smartos.zfs.live.core import SpaCore

NAMES = {zil.TX_MKXATTR: "TX_MKXATTR", zil.TX_ACL_V0: "TX_ACL_V0", zil.TX_ACL: "TX_ACL"}

CLAIM = declare("fbt:zfs:zil_claim:entry", "char *", "void *")
REPLAY = declare("fbt:zfs:zil_replay:entry", "objset_t *", "void *", "zil_replay_func_t **")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What an import did with a dataset's log: how many records were done again, and why it stopped, if it did."""

    name: str
    records: int
    trouble: str = ""


def check_logs(spa: "SpaCore", read: Reader) -> list[Replayed]:
    """Claim and replay the logs of all datasets. `read` is not the pool's own reader: looking for the end of a log
    (ZIO_FLAG_SPECULATIVE) is no error of a device. Raises :class:`Unsupported` for records that are not replayed here,
    before anything is changed."""
    waiting = []
    for each in spa.datasets(snapshots=False):
        if each.phys.bp.hole or each.objset.phys.zil_header.log.hole:
            continue
        log = _Log(spa, each, read)
        if log.claimed or log.records or len(log.blocks) > 1:
            log.check()
            waiting.append(log)
    latest = max([0, *(log.claim() for log in waiting)])
    while waiting and (spa.txg.synced < latest or any(not log.claimed for log in waiting)):
        for log in waiting:
            log.note_claim()
        spa.sync()
    return [log.replay() for log in waiting]


class _Log:
    """A log that is to be replayed, as it was read: its blocks, and which of their pointers are taken for good."""

    def __init__(self, spa: "SpaCore", dataset: LiveDataset, read: Reader) -> None:
        self.spa, self.dataset, self.objset, self.read = spa, dataset, dataset.objset, read
        self.header = self.objset.phys.zil_header
        self.claimed = bool(self.header.claim_txg)
        self.blocks: list[LogBlock] = zil.chain(self.header, read.raw)
        self.done: list[Record] = []  # the records up to where the log was claimed
        self.seq = self.lr_seq = 0
        self._met: set[DVA] = set()

    @property
    def records(self) -> int:
        return sum(block.records for block in self.blocks)

    def check(self) -> None:
        """Raise :class:`Unsupported` for records that cannot be replayed here."""
        vector = ZVOL_VECTOR if self.objset.phys.type == objset.ZVOL else ZFS_VECTOR
        wrong = next((each for block in self.blocks for each in block.entries if not known(each, vector)), None)
        if wrong is not None:
            what = NAMES.get(wrong.type, f"TX_{wrong.type}")
            what = "an owner of another domain" if wrong.type in vector else what
            raise Unsupported(
                f"{self.dataset.name} has an intent log of {self.records} records, one of which ({what}) is not "
                "replayed here; import the pool where it was last used, and export it there"
            )

    def claim(self) -> int:
        """`zil_claim`: take the blocks that no space map has, up to the first that cannot be taken; gives the newest
        birth."""
        first_txg, latest = self.spa.uberblock.txg + 1, 0
        if CLAIM.listeners:
            CLAIM.fire(self.dataset.name, None)
        for block in self.blocks:
            if not self.claimed and not self._claim(block.pointer, first_txg):
                break
            self.seq, latest = block.seq, max(latest, block.pointer.birth)
            for record in block.entries:
                pointer = record.pointer
                if not self.claimed and pointer is not None and not self._claim(pointer, first_txg, True):
                    return latest
                self.done.append(record)
                self.lr_seq = record.seq
        return latest

    def _claim(self, pointer: Blkptr, first_txg: int, read: bool = False) -> bool:
        if pointer.birth < first_txg or pointer.dvas[0] in self._met:
            return True
        try:
            if read:  # a record that points to a block which is not there was promised to nobody
                self.read(pointer)
            self.spa.metaslabs.claim(pointer.dvas)
        except ZfsError:
            return False
        self._met.add(pointer.dvas[0])
        return True

    def note_claim(self) -> None:
        """Let the header say what was claimed; the transaction group that is open has it."""
        if not self.claimed:
            header, self.claimed = self.header, True
            header.claim_txg, header.claim_blk_seq, header.claim_lr_seq = self.spa.txg.open, self.seq, self.lr_seq
            header.flags |= zil.REPLAY_NEEDED | zil.CLAIM_LR_SEQ_VALID
        self.objset.mark(self.objset.meta)

    def replay(self) -> Replayed:
        """`zil_replay`: do again what the log says and the pool does not have yet; then the log goes."""
        if REPLAY.listeners:
            REPLAY.fire(self.objset, None, None)
        spa, header, count, trouble = self.spa, self.header, 0, ""
        volume = self.objset.phys.type == objset.ZVOL
        target, vector = (LiveZvol if volume else Zpl)(spa, self.dataset), ZVOL_VECTOR if volume else ZFS_VECTOR
        self.objset.zil.replaying = True
        for record in self.done:
            if record.seq <= header.replay_seq or record.txg < header.claim_txg:
                continue
            try:
                vector[record.type](target, record)
            except ZfsError as error:
                trouble = f"record {record.seq}: {error}"
                break
            header.replay_seq = record.seq
            self.objset.mark(self.objset.meta)
            count += 1
        self._give_up()
        self.objset.zil.replaying = False
        if spa.events.enabled:
            spa.events.add(Event(spa.txg.synced, 0, "replay", f"{count} records of {self.dataset.name}'s intent log"))
        return Replayed(self.dataset.name, count, trouble)

    def _give_up(self) -> None:
        """Free what the log takes, with the transaction group that has all that was replayed."""
        doomed: dict[DVA, Blkptr] = {}
        for block in self.blocks:
            if block.seq > self.seq:
                break
            doomed[block.pointer.dvas[0]] = block.pointer
        for record in self.done:
            pointer = record.pointer
            if pointer is not None and not pointer.embedded and pointer.birth >= self.header.claim_txg:
                doomed[pointer.dvas[0]] = pointer
        self.objset.zil.destroy(list(doomed.values()))
        self.spa.sync()


__all__ = ["Replayed", "check_logs"]
