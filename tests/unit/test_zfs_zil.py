"""Intent logs made by hand: which of their blocks and records count, and which blocks their records lead to."""

import struct

from smartos.zfs.dmu.objset import ZilHeader
from smartos.zfs.errors import ChecksumError
from smartos.zfs.format import checksum, compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.read import zil

SIZE = 4096
EMBEDDED = Blkptr(
    lsize=1 << 20, psize=30, compress=compress.LZ4, type=dmu.PLAIN_OTHER, birth=9, payload=b"x" * 30, little=True
)  # fmt: skip
PLAIN = Blkptr((DVA(0, 0x9000, 0x20000),), 0x20000, 0x20000, compress.OFF, checksum.OFF, birth=9, little=True)


def write(seq: int, pointer: Blkptr | None = None, data: bytes = b"", kind: int = zil.TX_WRITE) -> bytes:
    """A write's record: of what a pointer leads to, or with the data behind it."""
    body = struct.pack("<4Q", 7, 0, 1 << 20, 0) + (pointer.pack() if pointer else bytes(128)) + data
    return struct.pack("<4Q", kind, 32 + len(body), 8, seq) + body


def log(*blocks: list[bytes], crypt: bool = False, more: int = 1) -> tuple[ZilHeader, dict[int, bytes]]:
    """A chain of blocks with these records, its header, and the bytes by offset; the chain's last block is unwritten."""
    pointers = [
        Blkptr(
            (DVA(0, 0x10000 * (n + 1), SIZE),), SIZE, SIZE, compress.OFF, checksum.ZILOG2, dmu.INTENT_LOG, birth=8,
            cksum=(3, 4, 5, 1 + n * more), little=True, crypt=crypt,
        ) for n in range(len(blocks) + 1)
    ]  # fmt: skip
    disk = {}
    for pointer, following, records in zip(pointers, pointers[1:], blocks, strict=False):
        body = b"".join(records)
        head = struct.pack("<Q", 0) + following.pack() + struct.pack("<2Q", zil.CHAIN_SIZE + len(body), checksum.ECK_MAGIC)
        data = (head + struct.pack("<4Q", *pointer.cksum) + body).ljust(SIZE, b"\0")
        words = checksum.fletcher_4(data)
        if crypt:
            words = (*checksum.folded(words)[:2], 77, 88)  # half of it is a message authentication code
        disk[pointer.dvas[0].offset] = head + struct.pack("<4Q", *words) + data[184:]
    return ZilHeader(log=pointers[0]), disk


def chain(header: ZilHeader, disk: dict[int, bytes]) -> list[zil.LogBlock]:
    def raw(pointer: Blkptr) -> bytes:
        if pointer.dvas[0].offset not in disk:
            raise ChecksumError("nothing there")
        return disk[pointer.dvas[0].offset]

    return zil.chain(header, raw)


def test_a_chain_ends_with_the_block_that_was_not_written() -> None:
    found = chain(*log([write(1), write(2, data=b"abc")], [write(3, PLAIN)]))
    assert [(each.seq, each.readable, each.records) for each in found] == [(1, True, 2), (2, True, 1), (3, False, 0)]
    assert found[0].written == () and [each.pointer for each in found[1].written] == [PLAIN]
    assert found[0].entries[1].data.endswith(b"abc") and found[1].entries[0].words(3) == (7, 0, 1 << 20)


def test_a_record_leads_to_a_block_within_its_own_pointer() -> None:
    """A write that compresses to next to nothing: 1 MiB, of which no byte is anywhere else on the disk."""
    first, _ = chain(*log([write(1, EMBEDDED), write(2, PLAIN)]))
    assert [each.pointer.embedded for each in first.written] == [True, False]
    assert first.written[0].pointer.lsize == 1 << 20 and first.written[0].pointer.payload == EMBEDDED.payload


def test_a_write_that_is_not_to_be_replayed_leads_nowhere() -> None:
    first, _ = chain(*log([write(1, PLAIN, kind=zil.TX_WRITE2), write(2, PLAIN, kind=zil.TX_WRITE | zil.TX_CI)]))
    assert [each.type for each in first.entries] == [zil.TX_WRITE2, zil.TX_WRITE]
    assert [each.seq for each in first.written] == [2]


def test_a_claimed_log_ends_where_it_was_claimed() -> None:
    header, disk = log([write(1), write(2)], [write(3, PLAIN), write(4, EMBEDDED)], [write(5, PLAIN)])
    header.claim_txg, header.claim_blk_seq, header.claim_lr_seq, header.flags = 9, 2, 3, zil.CLAIM_LR_SEQ_VALID
    assert [(each.seq, each.records) for each in chain(header, disk)] == [(1, 2), (2, 1)]
    header.claim_lr_seq = 2  # the second block was claimed, of its records none: it is not even read
    assert [(each.seq, each.records) for each in chain(header, disk)] == [(1, 2), (2, 0)]
    header.flags = 0  # an old log, which did not note the record
    assert [(each.seq, each.records) for each in chain(header, disk)] == [(1, 2), (2, 2)]


def test_a_block_that_leads_to_another_number_is_not_part_of_the_log() -> None:
    assert [(each.seq, each.readable) for each in chain(*log([write(1)], [write(2)], more=2))] == [(1, False)]


def test_an_encrypted_dataset_s_log_is_read_as_far_as_it_is_in_the_clear() -> None:
    """Its checksum is half a message authentication code, and a record with data hides where it would point to."""
    first, _ = chain(*log([write(1, PLAIN), write(2, EMBEDDED, data=b"secret")], crypt=True))
    assert first.readable and first.records == 2
    assert [each.seq for each in first.written] == [1]


def test_a_rotten_block_ends_the_log() -> None:
    header, disk = log([write(1)], [write(2)])
    disk[0x10000] = disk[0x10000][:200] + b"\xff" + disk[0x10000][201:]
    assert [(each.seq, each.readable) for each in chain(header, disk)] == [(1, False)]
