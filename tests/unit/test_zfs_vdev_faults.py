"""A campaign of faults against mirrors and RAID-Z: whatever goes wrong, no wrong byte is ever returned."""

import random
from collections import Counter

import pytest

from smartos.zfs.disk.faults import BitRot, FaultyDisk, Gone, LostWrite, MisdirectedWrite, TornWrite, UnreadableSector
from smartos.zfs.errors import ChecksumError, DeviceError, PoolFaulted
from smartos.zfs.vdev.tree import LABEL_START, Flag, Vdev
from tests.unit.zfs_blocks import SHAPES, Block


def fault(kind: str, chance: random.Random, disk: FaultyDisk, used: int) -> None:
    """Let one thing go wrong with a disk: in its next write, or within the `used` bytes that it holds now."""
    offset = LABEL_START + chance.randrange(used // 512) * 512
    disk.add({
        "lost write": lambda: LostWrite(disk.writes), "torn write": lambda: TornWrite(disk.writes),
        "misdirected write": lambda: MisdirectedWrite(disk.writes, offset),
        "bit rot": lambda: BitRot(offset, 4096, chance.randint(1, 64), disk.writes),
        "unreadable sector": lambda: UnreadableSector(offset, 4096), "disk gone": lambda: Gone(disk.writes + chance.randrange(4)),
    }[kind]())  # fmt: skip


def on_each(vdev: Vdev, used: int) -> int:
    """The bytes that each child holds of the first `used` bytes of a vdev."""
    return used if vdev.type == "mirror" else used // len(vdev.children)


KINDS = ("lost write", "torn write", "misdirected write", "bit rot", "unreadable sector", "disk gone")
ROUNDS = 100


@pytest.mark.parametrize("shape", SHAPES)
def test_no_single_fault_ever_makes_a_wrong_byte(shape: str) -> None:
    """Each round: blocks are written, one thing goes wrong on one disk, blocks are written, all are read twice."""
    faults, read, counts = 0, 0, Counter()
    for kind in KINDS:
        for round_ in range(ROUNDS):
            chance = random.Random(f"{shape} {kind} {round_}")
            vdev, own = SHAPES[shape]()
            blocks, at = [], 0
            for n in range(12):
                if n == 6:
                    fault(kind, chance, chance.choice(own), on_each(vdev, at))
                    faults += 1
                blocks.append(Block(chance, chance.choice((512, 1024, 3584, 8192)), at, txg=n + 1).put(vdev))
                at += vdev.psize_to_asize(len(blocks[-1].data))
            for flags in (Flag.NONE, Flag.SCRUB):
                for block in blocks:
                    assert block.get(vdev, flags) == block.data
                    read += 1
            for row in vdev.status():
                counts.update(read=row[3], checksum=row[5])
    assert counts["checksum"] > ROUNDS and counts["read"] > ROUNDS // 4, "the faults did hit something"
    print(f"{shape}: {faults} faults, {read} reads, {dict(counts)} errors counted, 0 wrong bytes")


@pytest.mark.parametrize("shape", SHAPES)
def test_more_faults_than_redundancy_give_an_error_and_never_wrong_bytes(shape: str) -> None:
    outcome: Counter = Counter()
    for round_ in range(60):
        chance = random.Random(f"{shape} {round_}")
        vdev, own = SHAPES[shape]()
        blocks = [Block(chance, 2048, n * vdev.psize_to_asize(2048), n + 1).put(vdev) for n in range(12)]
        used = on_each(vdev, 12 * vdev.psize_to_asize(2048))
        for disk in own:
            for _ in range(3):
                fault(chance.choice(("bit rot", "unreadable sector")), chance, disk, used)
        for block in blocks:
            try:
                assert block.get(vdev) == block.data
                outcome["right"] += 1
            except (ChecksumError, PoolFaulted, DeviceError):
                outcome["refused"] += 1
    assert outcome["right"] and outcome["refused"]
