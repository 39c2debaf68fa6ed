"""Disks fail as declared, the same way for the same seed; and a power cut loses what no flush had made safe."""

import errno
import random

import pytest

from smartos.zfs.disk.disk import DiskError, DiskGone, MemoryDisk, Recorder
from smartos.zfs.disk.faults import (
    BitRot,
    FaultyDisk,
    Gone,
    LostWrite,
    MisdirectedWrite,
    PowerCut,
    PowerSupply,
    TornWrite,
    UnreadableSector,
    after_power_cut,
)
from smartos.zfs.errors import DeviceError

SIZE = 1 << 18
OLD, NEW = b"o" * 2048, b"n" * 2048


def written(*faults: object, seed: int = 0) -> tuple[MemoryDisk, FaultyDisk]:
    """A disk that had OLD at 4096 and was told to write NEW there, its write number 1."""
    medium = MemoryDisk(SIZE)
    disk = FaultyDisk(medium, faults, seed)
    disk.write(4096, OLD)
    disk.write(4096, NEW)
    return medium, disk


def test_without_faults_it_is_the_disk() -> None:
    medium, disk = written()
    assert medium.read(4096, 2048) == disk.read(4096, 2048) == NEW
    assert (disk.happened, disk.writes, disk.size) == ([], 2, SIZE)


def test_a_lost_write_is_reported_as_done_and_is_not() -> None:
    medium, disk = written(LostWrite(1))
    assert medium.read(4096, 2048) == OLD
    assert "lost" in disk.happened[0]


@pytest.mark.parametrize("kept", [0, 512, 1536])
def test_a_torn_write_is_new_up_to_somewhere(kept: int) -> None:
    medium, _ = written(TornWrite(1, kept))
    assert medium.read(4096, 2048) == NEW[:kept] + OLD[kept:]


def test_a_seed_tears_at_a_sector() -> None:
    seen = {written(TornWrite(1), seed=seed)[0].read(4096, 2048).count(b"n") for seed in range(30)}
    assert seen == {0, 512, 1024, 1536}


def test_a_misdirected_write_spoils_two_places() -> None:
    medium, _ = written(MisdirectedWrite(1, 8192))
    assert (medium.read(4096, 2048), medium.read(8192, 2048)) == (OLD, NEW)
    for seed in range(20):
        medium, disk = written(MisdirectedWrite(1), seed=seed)
        assert NEW in medium.read(0, SIZE)
        assert medium.read(4096, 2048) != NEW
        assert disk.happened == written(MisdirectedWrite(1), seed=seed)[1].happened


def test_bits_rot_on_the_medium_and_the_disk_does_not_know() -> None:
    medium, disk = written(BitRot(4096, 2048, flips=3, after=2))
    differing = sum((a ^ b).bit_count() for a, b in zip(disk.read(4096, 2048), NEW, strict=True))
    assert differing == 3
    assert medium.read(0, 4096) == bytes(4096)
    disk.add(BitRot(0, 512))
    assert disk.read(0, 512) != bytes(512)


def test_an_unreadable_sector_can_be_written_again() -> None:
    _, disk = written(UnreadableSector(4608))
    assert disk.read(4096, 512) == NEW[:512], "it was written after the fault"
    disk.add(UnreadableSector(4608))
    with pytest.raises(DiskError, match="0x1200") as failure:
        disk.read(4096, 2048)
    assert failure.value.errno == errno.EIO and isinstance(failure.value, DeviceError)
    assert disk.read(4096, 512) == NEW[:512]
    disk.write(4608, b"x" * 512)
    assert disk.read(4608, 512) == b"x" * 512


def test_a_disk_that_is_gone_does_nothing_until_it_is_back() -> None:
    medium, disk = written(Gone(2))
    for access in (lambda: disk.read(0, 1), lambda: disk.write(0, b"x"), disk.flush):
        with pytest.raises(DiskGone) as gone:
            access()
        assert gone.value.errno == errno.ENXIO
    disk.back()
    assert disk.read(4096, 2048) == NEW == medium.read(4096, 2048)


def until_the_cut(cut: int | None, seed: int, torn: bool = False) -> tuple[PowerSupply, list[MemoryDisk], int]:
    """Two disks; six writes of two sectors to each, a flush of both after the third; how many were sent."""
    power = PowerSupply(cut, seed, torn)
    media = [MemoryDisk(SIZE, name) for name in "ab"]
    disks, sent = [power.plug(disk) for disk in media], 0
    try:
        for n in range(6):
            for disk in disks:
                disk.write(n * 1024, bytes([n + 1]) * 1024)
                assert disk.read(n * 1024 + 512, 512) == bytes([n + 1]) * 512
                sent += 1
            if n == 2:
                for disk in disks:
                    disk.flush()
    except PowerCut:
        for disk in disks:
            with pytest.raises(PowerCut):
                disk.read(0, 1)
    return power, media, sent


@pytest.mark.parametrize("cut", range(13))
def test_what_was_flushed_is_there_after_the_cut(cut: int) -> None:
    outcomes = set()
    for seed in range(30):
        power, media, sent = until_the_cut(cut, seed)
        assert (sent, power.on) == (cut, cut == 12)
        if cut == 12:
            power.fail()
        power.restore()
        for disk in power.disks:
            held = [disk.read(n * 1024, 1024) for n in range(6)]
            assert all(data in (bytes(1024), bytes([n + 1]) * 1024) for n, data in enumerate(held))
            # The cut comes with the next write; that of the seventh comes after the flush.
            assert cut < 7 or all(data != bytes(1024) for data in held[:3])
        outcomes.add(tuple(disk.read(0, 6144) for disk in media))
    assert len(outcomes) > 1 or cut in (0, 6)


def test_a_torn_write_arrives_in_whole_sectors() -> None:
    sizes = set()
    for seed in range(40):
        _, media, _ = until_the_cut(5, seed, torn=True)
        for disk in media:
            for n in range(6):
                sectors = [disk.read(n * 1024 + at, 512) for at in (0, 512)]
                assert all(s in (bytes(512), bytes([n + 1]) * 512) for s in sectors)
                sizes.add(sum(s != bytes(512) for s in sectors))
    assert sizes == {0, 1, 2}


def test_a_recorded_log_is_cut_anywhere_without_running_again() -> None:
    empty, log = [MemoryDisk(SIZE, name) for name in "ab"], []
    disks = [Recorder(disk.copy(), log) for disk in empty]
    chance = random.Random(3)
    for n in range(10):
        chance.choice(disks).write(n * 512, bytes([n + 1]) * 512)
    for cut in range(11):
        after = after_power_cut(log, empty, cut, seed=cut)
        held = [any(d.read(n * 512, 1) != b"\0" for d in after) for n in range(10)]
        assert not any(held[cut:])
