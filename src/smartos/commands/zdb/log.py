"""`zdb -i`: a dataset's intent log: its header, and with -ii its blocks and records.

Left out: the contents of records that an encrypted dataset encrypts. Follows `zdb_il.c`.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from smartos.commands.text import ctime
from smartos.commands.zdb.text import Dump, blkptr_text
from smartos.zfs.dmu.objset import Objset, ZilHeader
from smartos.zfs.errors import ZfsError
from smartos.zfs.read import zil
from smartos.zfs.read.zil import TX_WRITE, TX_WRITE2, WRITE_SIZE, LogBlock, Record

NAMES = (
    "Total", "TX_CREATE", "TX_MKDIR", "TX_MKXATTR", "TX_SYMLINK", "TX_REMOVE", "TX_RMDIR", "TX_LINK", "TX_RENAME",
    "TX_WRITE", "TX_TRUNCATE", "TX_SETATTR", "TX_ACL_V0", "TX_ACL_ACL", "TX_CREATE_ACL", "TX_CREATE_ATTR",
    "TX_CREATE_ACL_ATTR", "TX_MKDIR_ACL", "TX_MKDIR_ATTR", "TX_MKDIR_ACL_ATTR", "TX_WRITE2",
)  # fmt: skip
TAB = "\t\t\t"
CREATES = (1, 2, 3, 4, 14, 15, 16, 17, 18, 19)
WITH_ATTRIBUTES = (15, 18)
SYMLINK, MKXATTR = 4, 3


def dump_intent_log(dump: Dump, objset: Objset | None) -> None:
    """An object set's log, when it has one."""
    depth = max(dump.opt["d"], dump.opt["i"])
    if objset is None or objset.phys.zil_header.log.hole or depth < 1:
        return
    header = objset.phys.zil_header
    dump.say()
    dump.say(
        f"    ZIL header: claim_txg {header.claim_txg}, claim_blk_seq {header.claim_blk_seq}, "
        f"claim_lr_seq {header.claim_lr_seq} replay_seq {header.replay_seq}, flags 0x{header.flags:x}"
    )
    if depth < 2 or (dump.pool.uberblock.checkpoint_txg and not header.claim_txg):
        return
    dump.say()
    counts: Counter = Counter()
    for block in zil.chain(header, dump.pool.read.raw):
        if depth > 3:
            dump.say(_block(dump, header, block, depth))
        for record in block.entries:
            for line in _record(dump, header, block, record, depth):
                dump.say(line)
            counts[record.type] += 1
    _totals(dump, counts, depth)


def _claimed(dump: Dump, birth: int) -> bool:
    uberblock = dump.pool.uberblock
    return birth > (uberblock.checkpoint_txg or uberblock.txg)


def _block(dump: Dump, header: ZilHeader, block: LogBlock, depth: int) -> str:
    claim = "will claim" if _claimed(dump, block.pointer.birth) else "won't claim"
    claim = "already claimed" if header.claim_txg else claim
    return f"\tBlock seqno {block.seq}, {claim}" + (f", {blkptr_text(block.pointer)}" if depth >= 5 else "")


def _name(kind: int) -> str:
    return NAMES[kind] if kind < len(NAMES) else f"TX_{kind}"


def _record(dump: Dump, header: ZilHeader, block: LogBlock, record: Record, depth: int) -> Iterator[str]:
    mark = "CI-" if record.words(1, 0)[0] & zil.TX_CI else ""
    yield f"\t\t{mark}{_name(record.type):<19} len {len(record.data):6}, txg {record.txg}, seq {record.seq}"
    if depth < 3:
        return
    if block.pointer.crypt:
        yield f"{TAB}(encrypted)"
    elif record.type in (TX_WRITE, TX_WRITE2):
        yield from _write(dump, header, record, depth)
    elif record.type in CREATES:
        yield from _create(record)
    elif record.type in _SHORT:
        yield from _SHORT[record.type](record)


def _strings(data: bytes) -> list[str]:
    return [part.decode("utf-8", "surrogateescape") for part in data.split(b"\0")] + ["", ""]


def _create(record: Record) -> Iterator[str]:
    directory, number, mode, uid, gid, gen, created, _, rdev = record.words(9)
    at = 104
    if record.type in WITH_ATTRIBUTES:
        size = int.from_bytes(record.data[at : at + 4], "little" if record.order == "<" else "big")
        at += 8 + 4 * max(size - 1, 0) + 7 & ~7
        at += 56
    name, link, *_ = _strings(record.data[at:])
    if record.type == SYMLINK:
        yield f"{TAB}{name} -> {link}"
    elif record.type != MKXATTR:
        yield f"{TAB}{name}"
    yield f"{TAB}{ctime(created)}"
    slots = (number >> 56) + 1
    yield f"{TAB}doid {directory}, foid {number & (1 << 48) - 1}, slots {slots}, mode {mode:o}"
    yield f"{TAB}uid {uid}, gid {gid}, gen {gen}, rdev 0x{rdev:x}"


def _remove(record: Record) -> Iterator[str]:
    yield f"{TAB}doid {record.words(1)[0]}, name {_strings(record.data[40:])[0]}"


def _link(record: Record) -> Iterator[str]:
    directory, number = record.words(2)
    yield f"{TAB}doid {directory}, link_obj {number}, name {_strings(record.data[48:])[0]}"


def _rename(record: Record) -> Iterator[str]:
    source, target = record.words(2)
    old, new, *_ = _strings(record.data[48:])
    yield f"{TAB}sdoid {source}, tdoid {target}"
    yield f"{TAB}src {old} tgt {new}"


def _truncate(record: Record) -> Iterator[str]:
    number, offset, length = record.words(3)
    yield f"{TAB}foid {number}, offset 0x{offset:x}, length 0x{length:x}"


def _setattr(record: Record) -> Iterator[str]:
    number, mask, mode, uid, gid, size, accessed, nanos, modified, mnanos = record.words(10)
    yield f"{TAB}foid {number}, mask 0x{mask:x}"
    for bit, line in (
        (0x2, f"AT_MODE  {mode:o}"), (0x4, f"AT_UID   {uid}"), (0x8, f"AT_GID   {gid}"), (0x80, f"AT_SIZE  {size}"),
        (0x100, f"AT_ATIME {accessed}.{nanos:09} {ctime(accessed)}"),
        (0x200, f"AT_MTIME {modified}.{mnanos:09} {ctime(modified)}"),
    ):  # fmt: skip
        if mask & bit:
            yield f"{TAB}{line}"


def _acl(record: Record) -> Iterator[str]:
    number, entries = record.words(2)
    yield f"{TAB}foid {number}, aclcnt {entries}"


_SHORT: dict[int, Callable[[Record], Iterator[str]]] = {
    5: _remove, 6: _remove, 7: _link, 8: _rename, 10: _truncate, 11: _setattr, 12: _acl, 13: _acl,
}  # fmt: skip


def _write(dump: Dump, header: ZilHeader, record: Record, depth: int) -> Iterator[str]:
    number, offset, length = record.words(3)
    yield f"{TAB}foid {number}, offset {offset:x}, length {length:x}"
    if record.type == TX_WRITE2 or depth < 5:
        return
    if len(record.data) == WRITE_SIZE:
        pointer = record.pointer
        yield f"{TAB}has blkptr, " + ("will claim" if pointer and _claimed(dump, pointer.birth) else "won't claim")
        if pointer is None:
            yield f"{TAB}<hole>"
            return
        yield f"{TAB}{blkptr_text(pointer)}"
        if pointer.birth < header.claim_txg:
            yield f"{TAB}<block already committed>"
            return
        try:
            data = dump.pool.read(pointer)
        except ZfsError:
            return
    else:
        data = record.data[WRITE_SIZE : WRITE_SIZE + length]
    shown = data[: min(length, 20 if depth < 6 else len(data))]
    yield TAB + "".join(f"{chr(byte)} " if 32 <= byte < 127 else f"{byte:2X}" for byte in shown)


def _totals(dump: Dump, counts: Counter, depth: int) -> None:
    if depth > 3:
        dump.say()
    total = sum(counts.values())
    if not total:
        return
    counts[0] = total
    for kind, name in enumerate(NAMES):
        if counts[kind] or depth >= 3:
            dump.say(f"\t\t{name:<19} {counts[kind]:{len(str(total))}}")
    dump.say()
