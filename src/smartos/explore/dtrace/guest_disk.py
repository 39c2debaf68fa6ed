"""A guest that makes a large file and removes it, as the volume below sees it: the workload of the heat map.

The guest's file system is laid out as ext3 is, scaled down: four groups of blocks that begin with their bitmaps and
inodes, a superblock at the very start, a journal that is written round and round. Data go to free blocks from low to
high; removing writes no data, only the journal, bitmaps, inodes. Times and sizes are from a seed. The volume, the pool
below it and its transaction groups are the real models. Left out: reads, and blocks that the guest reads back.
"""

import random
from collections.abc import Iterator

from smartos.dtrace import trace
from smartos.probes import acting
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.spa.spa import Spa

KB, MB = 1 << 10, 1 << 20
VOLUME, DISK, GROUP = 12 * MB, 64 * MB, 3 * MB
JOURNAL, ROUND = 1 * MB, 768 * KB  # where the journal begins, and its size
DATA, CHUNK, PIECES = 2 * MB, 32 * KB, 20  # the file: where it begins, the bytes of a write, the writes a second
SECONDS, MADE, REMOVED, TXG = 24, range(3, 13), range(15, 18), 5
HEADER = 64 * KB  # bitmaps and inodes at the start of a group

Write = tuple[int, int, int]  # second, offset, bytes


class Guest:
    """The guest's writes."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.at, self.next = 0, DATA  # in the journal, and of the file

    def journal(self, second: int) -> Write:
        """A commit: some blocks at the journal's head."""
        size = 4 * KB * self.draw.randrange(1, 6)
        if self.at + size > ROUND:
            self.at = 0
        where, self.at = JOURNAL + self.at, self.at + size
        return second, where, size

    def data(self, second: int) -> Write:
        """The next piece of the file; the head of a group is passed over."""
        if self.next % GROUP < HEADER:
            self.next += HEADER - self.next % GROUP
        where, self.next = self.next, self.next + CHUNK
        return second, where, CHUNK

    def header(self, second: int, group: int) -> Write:
        """A block of a group's bitmaps or inodes."""
        return second, group * GROUP + 4 * KB * self.draw.randrange(1, 8), 4 * KB

    def writes(self) -> Iterator[Write]:
        """All of them, in order."""
        for second in range(SECONDS):
            if second in MADE:
                for piece in range(PIECES):
                    yield self.data(second)
                    if piece % 10 == 5:
                        yield self.journal(second)
                yield self.header(second, self.next // GROUP)
            elif second in REMOVED:
                for _ in range(4):
                    yield self.journal(second)
                for group in range(self.next // GROUP + 1):
                    yield self.header(second, group)
            elif second % 5 == 1:
                yield self.journal(second)
                yield second, 4 * KB * self.draw.randrange(2), 4 * KB


def traced(program: str, seed: int = 28) -> str:
    """What a D program says of it. A transaction group syncs every five seconds."""
    pool = Spa.create("tank", [MemoryDisk(DISK)], seed=seed)
    volume = pool.create_volume("tank/guest", VOLUME, block=CHUNK)
    todo = list(Guest(seed).writes())
    with trace(program, quiet=True) as tracing:
        for second in range(SECONDS):
            with acting(execname="qemu-system-x86_", pid=610, tid=1):
                for n, (_, offset, size) in enumerate(write for write in todo if write[0] == second):
                    volume.write(offset, bytes([second + 1, n % 251]) * (size // 2))
            if second % TXG == TXG - 1:
                pool.sync()
            tracing.wait(1)
    return tracing.output
