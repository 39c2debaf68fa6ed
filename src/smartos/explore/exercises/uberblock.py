"""Which uberblock wins? Rings to read and power cuts to place, from a seed; the key is what importing the pool finds.

The slots are real ones, in the labels of a small pool: the pool's own uberblock under other transaction groups and
times, some of them damaged afterwards. For a power cut, a real transaction group's writes are replayed up to the cut.
Left out: an uberblock whose checksum is right and whose MOS cannot be read, and big-endian ones.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Number
from smartos.explore.zfs.power_cut import cut_problem
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.format import checksum
from smartos.zfs.format.label import LABELS, RING_OFFSET, label_offset, read_labels
from smartos.zfs.format.uberblock import MAGIC, RING_SIZE, Uberblock, slot_of, slot_shift
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import EPOCH, Spa

ASHIFT, SLOT, TIMEOUT = 9, 1 << slot_shift(9), 5
AHEAD = 7  # by how many slots a misdirected write misses: more than a ring here has
RULE = (
    f"An uberblock counts if its magic is {MAGIC:08x} and its checksum, which is also taken over the slot’s place on the "
    "disk, is the one stored. Of those that count, the one with the highest txg is chosen; the time decides only between "
    "equal txgs."
)
GOOD, ROTTEN, TORN, MOVED, FOREIGN = "good", "changed", "half written", "other slot", "magic"
WHY = {
    ROTTEN: "bits of it changed", TORN: "only the first half of it was written", MOVED: "it was written for another slot",
    FOREIGN: "its magic is not an uberblock’s",
}  # fmt: skip


@dataclass(frozen=True)
class Slot:
    """A slot of a label's ring as it is on the disk, and what was done to it."""

    label: int
    slot: int
    magic: int
    txg: int
    time: int
    stored: str
    computed: str
    harm: str

    @property
    def good(self) -> bool:
        return self.magic == MAGIC and self.stored == self.computed


@cache
def base() -> MemoryDisk:
    """The disk of a pool."""
    disk = MemoryDisk(64 << 20)
    Spa.create("tank", [disk])
    return disk


@cache
def sample() -> Uberblock:
    """The pool's uberblock."""
    return Pool.open([base()]).uberblock


def blank() -> MemoryDisk:
    """A copy of the pool's disk without any uberblock."""
    disk = base().copy()
    for label in range(LABELS):
        disk.write(label_offset(disk.size, label) + RING_OFFSET, bytes(RING_SIZE))
    return disk


def place(disk: MemoryDisk, label: int, slot: int) -> int:
    """Where on the disk a slot is."""
    return label_offset(disk.size, label) + RING_OFFSET + slot * SLOT


def put(disk: MemoryDisk, label: int, slot: int, txg: int, time: int, harm: str, seed: int) -> Slot:
    """Write an uberblock into a slot, as it would be, or harmed in one way; gives what is there then."""
    at, own, meant = place(disk, label, slot), sample(), slot
    if harm == MOVED:
        txg, time, meant = txg + AHEAD, time + AHEAD * TIMEOUT, slot_of(txg + AHEAD, ASHIFT)
    whole = Uberblock(own.version, txg, own.guid_sum, time, own.rootbp)
    data = bytearray(whole.slot(place(disk, label, meant), ASHIFT))
    if harm == ROTTEN:
        data[40 + seed % 80] ^= 1 << seed % 8  # in the pointer to the MOS
    elif harm == TORN:
        before = Uberblock(own.version, txg - 128, own.guid_sum, time - 128 * TIMEOUT, own.rootbp)
        data[512:] = before.slot(at, ASHIFT)[512:]
    elif harm == FOREIGN:
        data[:8] = (MAGIC ^ 1 << seed % 24).to_bytes(8, "little")
        data = bytearray(checksum.seal(bytes(data), (at, 0, 0, 0)))
    disk.write(at, bytes(data))
    return look(disk, label, slot, harm)


def look(disk: MemoryDisk, label: int, slot: int, harm: str) -> Slot:
    """What is in a slot; of both checksums the last digits of their first words."""
    at = place(disk, label, slot)
    data = disk.read(at, SLOT)
    magic, _, txg, _, time = (int.from_bytes(data[n : n + 8], "little") for n in range(0, 40, 8))
    again = checksum.seal(data, (at, 0, 0, 0))
    stored, computed = (int.from_bytes(each[-32:-24], "little") & 0xFFFFFF for each in (data, again))
    return Slot(label, slot, magic, txg, time, f"{stored:06x}", f"{computed:06x}", harm)


def chosen(disk: MemoryDisk) -> tuple[int, int]:
    """The (txg, slot) of the uberblock at which the pool is imported."""
    found = Pool.open([disk]).uberblock
    slots = [slot for label in read_labels(disk) for slot, each in label.uberblocks if each == found]
    return found.txg, slots[0]


def clock(time: int) -> str:
    """The time of day, UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M:%S")


def table(slots: Sequence[Slot], labels: bool, worked: bool = False) -> Table:
    """The ring as a table, of several labels without magic and time; worked out, it says what counts."""
    columns = ["Slot", "txg", "stored", "computed"]
    rows = [(s.slot, s.txg, s.stored, s.computed) for s in slots]
    if labels:
        columns, rows = ["Label", *columns], [(s.label, *row) for s, row in zip(slots, rows, strict=True)]
    if worked:
        columns = [*columns, "Counts"]
        rows = [(*row, "yes" if s.good else f"no: {s.harm}") for s, row in zip(slots, rows, strict=True)]
    elif not labels:
        columns = [*columns, "magic", "Time"]
        rows = [(*row, f"{s.magic:08x}", clock(s.time)) for s, row in zip(slots, rows, strict=True)]
    caption = "Uberblocks, with the checksums stored and computed" if not worked else "The uberblocks, worked out"
    return Table(columns, rows, caption, plain=columns)


def problem(seed: int) -> Problem:
    """One of three: a ring to choose from, two labels that differ, a power cut."""
    draw = random.Random(seed)
    if seed % 3 == 2:
        return cut_problem(draw, seed // 3)
    disk, slots = rings(seed)
    return (_slot, _txg)[seed % 3](slots, *chosen(disk))


def rings(seed: int) -> tuple[MemoryDisk, list[Slot]]:
    """The disk of a seed's problem, if it is one of rings, and the slots that are shown."""
    disk = blank()
    return disk, (_ring, _labels)[seed % 3](disk, random.Random(seed))


def _ring(disk: MemoryDisk, draw: random.Random) -> list[Slot]:
    """All four labels agree; some of the newest uberblocks are not to be used."""
    first, count = draw.randrange(300, 40_000), draw.randrange(5, 8)
    harms = [GOOD] * count
    bad = draw.sample([ROTTEN, TORN, MOVED, FOREIGN], draw.choice((1, 1, 2)))
    for n, harm in enumerate(bad):
        harms[draw.choice((count - 1 - n, count - 1 - n, draw.randrange(count)))] = harm
    times = [EPOCH + TIMEOUT * n for n in range(count)]
    if draw.random() < 0.6:  # somebody set the clock back
        early = draw.randrange(count - 2)
        times = [time + 3600 * (n <= early) for n, time in enumerate(times)]
    slots = []
    for n, (harm, time) in enumerate(zip(harms, times, strict=True)):
        args = (slot_of(first + n, ASHIFT), first + n, time, harm, first + n)
        slots.append([put(disk, label, *args) for label in range(LABELS)][0])
    return sorted(slots, key=lambda s: s.slot)


def _labels(disk: MemoryDisk, draw: random.Random) -> list[Slot]:
    """Two labels are left, and the power failed while the last uberblock was written to them."""
    first, count = draw.randrange(300, 40_000), draw.randrange(3, 5)
    last, torn = first + count - 1, draw.random() < 0.4
    ahead, behind = (0, 1) if draw.random() < 0.8 else (1, 0)
    spoilt = draw.choice((None, None, last - 1))
    slots = []
    for label in (ahead, behind):
        for txg in range(first, last + 1):
            harm, held = GOOD, txg
            if txg == last and label == behind:
                held = last - 128  # the write did not get here
            elif txg == last and torn:
                harm = TORN
            elif txg == spoilt and label == ahead:
                harm = draw.choice((ROTTEN, MOVED))
            time = EPOCH + TIMEOUT * (held - first)
            slots.append(put(disk, label, slot_of(held, ASHIFT), held, time, harm, txg))
    return sorted(slots, key=lambda s: (s.label, s.slot))


def _slot(slots: Sequence[Slot], txg: int, key: int) -> Problem:
    """The question for the slot, where all labels agree."""
    slips = _told(slots, key)
    slips.setdefault(txg, "That is its txg. The question is for the slot.")
    return Problem(
        "A disk with these uberblocks, alike in all four labels, is imported. Which slot’s uberblock is chosen?",
        Number(), key, [RULE, table(slots, False, True), f"Slot {key}, txg {txg}, has the highest txg of those that count."],
        f"Slot {key} has the highest txg, {txg}, of those that count.", RULE, table(slots, False).html(),
        unlike(key, slips),
    )  # fmt: skip


def _told(slots: Sequence[Slot], key: int) -> dict[int, str]:
    """What is told to those who choose another slot: a better reason for one that does not count, or was tempting."""
    latest = max((s for s in slots if s.good), key=lambda s: s.time)
    told = {s.slot: "That one counts, and another that counts has a higher txg." for s in slots if s.good}
    told[latest.slot] = "That has the latest time of those that count, but the txg decides, and clocks may be set back."
    told |= {s.slot: f"That one does not count: {WHY[s.harm]}." for s in slots if not s.good}
    told.pop(key, None)
    return told


def _txg(slots: Sequence[Slot], key: int, slot: int) -> Problem:
    """The question for the txg, where two labels differ."""
    slips = {s.txg: f"That uberblock does not count: {WHY[s.harm]}." for s in slots if not s.good}
    slips |= {s.txg: "A newer one is whole in one of the labels." for s in slots if s.good and s.txg < key}
    slips[min(s.txg for s in slots)] = "That is what was in the slot before: it is 128 txgs old."
    if sum(s.txg == key for s in slots) == 1:
        slips[key - 1] = "A good uberblock in one label is enough: labels are not put to a vote."
    slips.setdefault(slot, "That is its slot. The question is for the txg.")
    return Problem(
        "The power failed while uberblocks were written, and two of the disk’s four labels are lost. These are the rings "
        "of the other two; all magics are right. At which txg is the pool imported?",
        Number(), key,
        [RULE, table(slots, True, True), f"The highest txg that counts in any label is {key}."],
        f"{key} is the highest txg that counts in any label; one good copy is enough.",
        f"{RULE} One good copy, in any label, is enough.", table(slots, True).html(),
        unlike(key, slips),
    )  # fmt: skip


def practice() -> Practice:
    """Rings and power cuts, as many as there are seeds."""
    return Practice("uberblock-practice", "Practice: which uberblock wins?", problem)
