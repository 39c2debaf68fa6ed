"""What a power cut left in the intent logs: claimed when the pool is imported, and then done again.

A log's newest blocks are in no space map, since their transaction group never came to be. So the first thing that an
import does is to claim them, all in one group, and to note in each header how far the log goes. Then the records are
done again, one by one, by the functions that did them the first time; the header notes the last one, in the same
transaction group, so that a power cut in the middle does nothing twice. When all is on disk the log's blocks are freed.
A log without records is kept as it is: its one block is the next to be written.

Left out: waiting with the replay until a filesystem is mounted; ACLs, extended attributes and owners from other domains,
whose records are refused, by name, before anything is changed. Follows `zil_claim`, `zil_parse` and `zil_replay` of
`zil.c`, `zfs_replay.c`, and `zvol_replay_write` of `zvol.c`, of illumos as of 12 August 2011.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos.probes import declare
from smartos.zfs import objset, zfs_log, zil
from smartos.zfs.blkptr import DVA, Blkptr
from smartos.zfs.dsl_dataset import LiveDataset
from smartos.zfs.errors import Busy, NoSuchName, Unsupported, ZfsError
from smartos.zfs.events import Event
from smartos.zfs.reader import Reader
from smartos.zfs.zil import LogBlock, Record
from smartos.zfs.zpl import OBJECT, Zpl
from smartos.zfs.zvol_live import LiveZvol

if TYPE_CHECKING:
    from smartos.zfs.spa import Spa

EPHEMERAL = 1 << 32  # owners from here on are of another domain
NAMES = {zil.TX_MKXATTR: "TX_MKXATTR", zil.TX_ACL_V0: "TX_ACL_V0", zil.TX_ACL: "TX_ACL"}

CLAIM = declare("fbt:zfs:zil_claim:entry", "char *", "void *")
REPLAY = declare("fbt:zfs:zil_replay:entry", "objset_t *", "void *", "zil_replay_func_t **")
CREATE = declare("fbt:zfs:zfs_replay_create:entry", "zfsvfs_t *", "lr_create_t *", "boolean_t")
REMOVE = declare("fbt:zfs:zfs_replay_remove:entry", "zfsvfs_t *", "lr_remove_t *", "boolean_t")
LINK = declare("fbt:zfs:zfs_replay_link:entry", "zfsvfs_t *", "lr_link_t *", "boolean_t")
RENAME = declare("fbt:zfs:zfs_replay_rename:entry", "zfsvfs_t *", "lr_rename_t *", "boolean_t")
WRITE = declare("fbt:zfs:zfs_replay_write:entry", "zfsvfs_t *", "lr_write_t *", "boolean_t")
TRUNCATE = declare("fbt:zfs:zfs_replay_truncate:entry", "zfsvfs_t *", "lr_truncate_t *", "boolean_t")
SETATTR = declare("fbt:zfs:zfs_replay_setattr:entry", "zfsvfs_t *", "lr_setattr_t *", "boolean_t")
ZVOL_WRITE = declare("fbt:zfs:zvol_replay_write:entry", "zvol_state_t *", "lr_write_t *", "boolean_t")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What an import did with a dataset's log: how many records were done again, and why it stopped, if it did."""

    name: str
    records: int
    trouble: str = ""


def check_logs(spa: "Spa", read: Reader) -> list[Replayed]:
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

    def __init__(self, spa: "Spa", dataset: LiveDataset, read: Reader) -> None:
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
        wrong = next((each for block in self.blocks for each in block.entries if not _known(each, vector)), None)
        if wrong is not None:
            what = NAMES.get(wrong.type, f"TX_{wrong.type}") if wrong.type not in vector else "an owner of another domain"
            raise Unsupported(
                f"{self.dataset.name} has an intent log of {self.records} records, one of which ({what}) is not replayed "
                "here; import the pool where it was last used, and export it there"
            )

    def claim(self) -> int:
        """`zil_claim`: take the blocks that no space map has, up to the first that cannot be; gives the newest birth."""
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


# ---- the records

Replay = Callable[[Zpl, Record], None]


def _known(record: Record, vector: dict[int, Replay]) -> bool:
    if record.type in (zil.TX_CREATE, zil.TX_MKDIR, zil.TX_SYMLINK):
        return max(record.words(2, 56)) < EPHEMERAL
    return record.type in vector


def _names(record: Record, at: int) -> list[str]:
    return [part.decode("utf-8", "surrogateescape") for part in record.data[at:].split(b"\0")] + ["", ""]


def _directory(fs: Zpl, number: int):  # noqa: ANN202 - a Node
    if not fs.objset.exists(number):
        raise NoSuchName(f"there is no directory with object number {number}")
    return fs.objset.node(number)


def _inside(fs: Zpl, directory, name: str):  # noqa: ANN001, ANN202 - a Node
    number = fs.objset.zap(directory.number).get(name)
    if number is None:
        raise NoSuchName(f"{name}: no such file or directory")
    return fs.objset.node(number & OBJECT)


def _create(fs: Zpl, record: Record) -> None:
    if CREATE.listeners:
        CREATE.fire(fs, record, False)
    parent, number, mode, uid, gid, gen, seconds, nanos, _ = record.words(9)
    name, link, *_ = _names(record, 104)
    directory, number = _directory(fs, parent), number & OBJECT
    if fs.objset.exists(number) or fs.objset.zap(directory.number).get(name) is not None:
        raise Busy(f"{name}: file exists, or its object number {number} is taken")
    fs._begin()
    target = link.encode("utf-8", "surrogateescape") if record.type == zil.TX_SYMLINK else None
    fs.make(directory, name, mode, target, (uid, gid), number, (seconds, nanos), gen)


def _remove(fs: Zpl, record: Record) -> None:
    if REMOVE.listeners:
        REMOVE.fire(fs, record, False)
    directory, name = _directory(fs, record.words(1)[0]), _names(record, 40)[0]
    node = _inside(fs, directory, name)
    if record.type == zil.TX_RMDIR and fs.objset.zap(node.number).entries:
        raise Busy(f"{name}: directory not empty")
    fs._begin(netfree=True)
    fs.remove_name(directory, name, node)


def _link(fs: Zpl, record: Record) -> None:
    if LINK.listeners:
        LINK.fire(fs, record, False)
    parent, number = record.words(2)
    directory, name = _directory(fs, parent), _names(record, 48)[0]
    if fs.objset.zap(directory.number).get(name) is not None:
        raise Busy(f"{name}: file exists")
    fs._begin()
    fs.link_node(directory, name, fs.objset.node(number))


def _rename(fs: Zpl, record: Record) -> None:
    if RENAME.listeners:
        RENAME.fire(fs, record, False)
    source, target = (_directory(fs, number) for number in record.words(2))
    old, new, *_ = _names(record, 48)
    node = _inside(fs, source, old)
    fs._begin()
    fs.rename_node(source, old, target, new, node)


def _data(record: Record, read: Callable[[Blkptr], bytes]) -> tuple[int, bytes, int]:
    """Where a write begins, what it writes, and where it ends for the file's size. A record without data points to a
    whole block, of which all is written."""
    _, offset, length = record.words(3)
    if len(record.data) > zil.WRITE_SIZE:
        return offset, record.data[zil.WRITE_SIZE : zil.WRITE_SIZE + length], offset + length
    raw = record.data[64 : zil.WRITE_SIZE]
    pointer = Blkptr.unpack(raw, record.order)
    block = bytes(pointer.lsize) if pointer.hole else read(pointer)
    if length < len(block):
        return offset - offset % len(block), block, offset + length
    return offset, block[:length], offset + length


def _write(fs: Zpl, record: Record) -> None:
    if WRITE.listeners:
        WRITE.fire(fs, record, False)
    number = record.words(1)[0]
    if not fs.objset.exists(number):
        return  # writes are logged out of order, so the file may be gone
    before = fs._znode(number).size
    offset, data, end = _data(record, fs.spa.read)
    fs.write_node(number, data, offset)
    if before < fs._znode(number).size:
        fs.set_size(number, max(before, end))


def _write2(fs: Zpl, record: Record) -> None:
    number, offset, length = record.words(3)
    if fs.objset.exists(number) and fs._znode(number).size < offset + length:
        fs._begin()
        fs.set_size(number, offset + length)


def _truncate(fs: Zpl, record: Record) -> None:
    if TRUNCATE.listeners:
        TRUNCATE.fire(fs, record, False)
    number, offset, length = record.words(3)
    if not fs.objset.exists(number):
        return
    size = fs._znode(number).size
    if not length or offset >= size:
        fs.truncate_node(number, offset + length)
    elif offset + length >= size:
        fs.truncate_node(number, offset)
        fs.truncate_node(number, size)
    else:
        fs.write_node(number, bytes(length), offset)


def _setattr(fs: Zpl, record: Record) -> None:
    if SETATTR.listeners:
        SETATTR.fire(fs, record, False)
    number, mask, mode, uid, gid, size, *times = record.words(10)
    if not fs.objset.exists(number):
        return
    fs._begin()
    if mask & zfs_log.AT_SIZE:
        fs.truncate_node(number, size)
    if mask & zfs_log.AT_MODE:
        fs.chmod_node(number, mode)
    if mask & (zfs_log.AT_UID | zfs_log.AT_GID):
        was = fs._znode(number)
        fs.chown_node(
            number, uid if mask & zfs_log.AT_UID else was.uid, gid if mask & zfs_log.AT_GID else was.gid
        )  # fmt: skip
    accessed, modified = tuple(times[:2]), tuple(times[2:])
    fs.set_times(
        number, accessed if mask & zfs_log.AT_ATIME else None, modified if mask & zfs_log.AT_MTIME else None
    )  # fmt: skip


def _zvol_write(volume: LiveZvol, record: Record) -> None:
    if ZVOL_WRITE.listeners:
        ZVOL_WRITE.fire(volume, record, False)
    offset, data, _ = _data(record, volume.spa.read)
    volume.write(offset, data)


ZFS_VECTOR: dict[int, Replay] = {
    zil.TX_CREATE: _create, zil.TX_MKDIR: _create, zil.TX_SYMLINK: _create, zil.TX_REMOVE: _remove,
    zil.TX_RMDIR: _remove, zil.TX_LINK: _link, zil.TX_RENAME: _rename, zil.TX_WRITE: _write,
    zil.TX_TRUNCATE: _truncate, zil.TX_SETATTR: _setattr, zil.TX_WRITE2: _write2,
}  # fmt: skip
ZVOL_VECTOR: dict[int, Replay] = {zil.TX_WRITE: _zvol_write}

__all__ = ["Replayed", "check_logs"]
