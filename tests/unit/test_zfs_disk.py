"""Disks keep what they are given, and the log of writes rebuilds every state that a power cut can leave."""

import errno
import random
from pathlib import Path

import pytest

from smartos.zfs.disk.disk import (
    Disk,
    DiskError,
    FileDisk,
    Flush,
    MemoryDisk,
    OutOfRange,
    Recorder,
    ScratchDisk,
    Write,
    reordered,
    replay,
    survivors,
    writes,
)

SIZE = 1 << 20


def filled(disk: Disk, seed: int, count: int = 200) -> bytearray:
    """What the disk must hold after `count` writes of random place and length."""
    chance, model = random.Random(seed), bytearray(disk.size)
    for _ in range(count):
        offset = chance.randrange(disk.size)
        data = chance.randbytes(min(chance.choice((1, 512, 4096, 10_000)), disk.size - offset))
        disk.write(offset, data)
        model[offset : offset + len(data)] = data
    return model


@pytest.mark.parametrize("seed", range(5))
def test_a_disk_in_memory_and_one_in_a_file_hold_the_same_bytes(seed: int, tmp_path: Path) -> None:
    memory = MemoryDisk(SIZE)
    with FileDisk(tmp_path / "c0t0d0", SIZE) as file:
        assert isinstance(memory, Disk) and isinstance(file, Disk)
        assert filled(memory, seed) == filled(file, seed) == memory.read(0, SIZE) == file.read(0, SIZE)
        file.flush()
    with FileDisk(tmp_path / "c0t0d0", writable=False) as again:
        assert again.read(12_345, 54_321) == memory.read(12_345, 54_321)
        with pytest.raises(DiskError) as refused:
            again.write(0, b"x")
        assert refused.value.errno == errno.EROFS


def test_unwritten_pages_are_zeros_and_take_no_room() -> None:
    disk = MemoryDisk(1 << 40)
    disk.write(1 << 39, b"x")
    assert disk.held == 4096
    assert disk.read((1 << 39) - 3, 5) == b"\0\0\0x\0"
    assert disk.read(0, 0) == b""


def test_a_copy_does_not_follow_its_original() -> None:
    disk = MemoryDisk(SIZE)
    disk.write(100, b"before")
    twin = disk.copy("twin")
    disk.write(100, b"after!")
    assert (twin.read(100, 6), disk.read(100, 6), twin.name) == (b"before", b"after!", "twin")


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (SIZE, 1), (SIZE - 1, 2), (0, SIZE + 1)])
def test_a_transfer_outside_the_disk_is_refused(offset: int, length: int) -> None:
    with pytest.raises(OutOfRange, match="does not fit"):
        MemoryDisk(SIZE).read(offset, length)
    with pytest.raises(OutOfRange):
        MemoryDisk(SIZE).write(offset, bytes(length))


def test_a_replay_of_every_prefix_is_the_disk_at_that_moment() -> None:
    disk, chance = Recorder(MemoryDisk(SIZE)), random.Random(1)
    moments = [disk.read(0, SIZE)]
    for _ in range(20):
        disk.write(chance.randrange(SIZE - 5000), chance.randbytes(5000))
        moments.append(disk.read(0, SIZE))
    assert writes(disk.log) == 20
    assert [disk.replay(n).read(0, SIZE) for n in range(21)] == moments


def logged() -> list:
    """Two disks' shared log: four writes each, a flush of `a` after its second, of both after their third."""
    log: list = []
    a, b = Recorder(MemoryDisk(SIZE, "a"), log), Recorder(MemoryDisk(SIZE, "b"), log)
    for n in range(4):
        for disk in (a, b):
            disk.write(n * 512, bytes([n + 1]) * 512)
        if n == 1:
            a.flush()
        if n == 2:
            a.flush(), b.flush()
    return log


def test_what_was_flushed_survives_a_power_cut_and_the_rest_may_not() -> None:
    log = logged()
    lost, mixed = set(), False
    for cut in range(writes(log) + 1):
        for seed in range(40):
            kept = survivors(log, cut, seed)
            assert kept == survivors(log, cut, seed), "the same seed, the same cut"
            issued = [entry for entry in log if isinstance(entry, Write)][:cut]
            assert set(kept) <= set(issued)
            safe_a = [e for e in issued if e.disk == "a"][: 3 if cut >= 6 else 2 if cut >= 4 else 0]
            safe_b = [e for e in issued if e.disk == "b"][: 3 if cut >= 6 else 0]
            assert set(safe_a + safe_b) <= set(kept)
            lost.add(len(issued) - len(kept))
            mixed = mixed or sorted(kept, key=issued.index) != kept
    assert {0, 1, 2, 3} <= lost and mixed


def test_reordering_stays_between_flushes() -> None:
    log = logged()
    seen = set()
    for seed in range(20):
        other = reordered(log, seed)
        assert sorted(map(repr, other)) == sorted(map(repr, log))
        for disk in "ab":
            before, after = ([e for e in entries if e.disk == disk] for entries in (log, other))
            assert [isinstance(e, Flush) for e in before] == [isinstance(e, Flush) for e in after]
            barriers = [i for i, e in enumerate(before) if isinstance(e, Flush)]
            for low, high in zip([0, *barriers], [*barriers, len(before)], strict=True):
                assert set(before[low:high]) == set(after[low:high])
        seen.add(tuple(map(repr, other)))
    assert len(seen) > 5


def test_a_log_is_replayed_onto_named_disks() -> None:
    disks = {name: MemoryDisk(SIZE, name) for name in "ab"}
    replay(logged(), disks)
    assert disks["a"].read(0, SIZE) == disks["b"].read(0, SIZE)
    with pytest.raises(KeyError):
        replay([Write("c", 0, b"x")], disks)


def test_a_scratch_disk_shows_what_was_written_and_leaves_what_is_below_alone() -> None:
    below, shadow, chance = MemoryDisk(40_000, "d0"), MemoryDisk(40_000), random.Random(2)
    below.write(0, chance.randbytes(40_000))
    shadow.write(0, below.read(0, 40_000))
    before, scratch = below.read(0, 40_000), ScratchDisk(below)
    for _ in range(200):
        offset = chance.randrange(39_999)
        length = min(chance.choice((1, 512, 5000, 9000)), 40_000 - offset)
        data = chance.randbytes(length)
        scratch.write(offset, data)
        shadow.write(offset, data)
        at = chance.randrange(39_000)
        assert scratch.read(at, 1000) == shadow.read(at, 1000)
    scratch.flush()
    assert scratch.read(0, 40_000) == shadow.read(0, 40_000) and below.read(0, 40_000) == before
    assert (scratch.name, scratch.size, scratch.read(5, 0)) == ("d0", 40_000, b"")
