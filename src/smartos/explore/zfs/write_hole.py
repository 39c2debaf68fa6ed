"""The write hole: the power fails between two writes, and later a disk; RAID-5 then invents a block, RAID-Z does not.

Three blocks of one sector lie on four disks, with parity. RAID-5 changes one of them in place; RAID-Z writes all three
as a new block beside the old one and then, after a flush, the uberblock that points to it. The log of the real run is
cut after every write in turn; from what was on the disks then, everything is read once more without each of the disks.

The uberblock here is a line that names an offset and a checksum, on every disk. Left out: the tree between it and the
block, and the writes that a power cut reorders (the tests do that, with seeds).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, line, rect, text
from smartos.zfs.disk.disk import Entry, MemoryDisk, Recorder, Write
from smartos.zfs.disk.faults import FaultyDisk, Gone, after_power_cut
from smartos.zfs.disk.raid5 import Raid5
from smartos.zfs.errors import ZfsError
from smartos.zfs.vdev.tree import LABEL, LABEL_START, Leaf, Raidz

LAYOUTS = [("raid5", "RAID-5"), ("raidz", "RAID-Z")]
DISKS, SECTOR, SIZE = 4, 512, 8 << 20
OLD = tuple(f"block {n}, old".encode().ljust(SECTOR, b"\0") for n in range(3))
NEW = (OLD[0], b"block 1, new".ljust(SECTOR, b"\0"), OLD[2])
UBERBLOCK = LABEL // 2  # the array begins in the middle of a label
BEFORE, AFTER = 0, 4 * SECTOR  # where RAID-Z has the old block and puts the new one
PRIMES = {0: "", 1: "′"}


@dataclass(frozen=True)
class Cut:
    """The disks after the power failed: `written` in words, the `cells` by (row, disk), and what each loss leads to.

    A cell is (what it holds, whether it is new). `outcomes` has for each disk that may be lost "old", "new", or what
    is wrong.
    """

    written: str
    cells: dict[tuple[int, int], tuple[str, bool]]
    outcomes: tuple[str, ...]
    fits: bool


def media() -> list[MemoryDisk]:
    return [MemoryDisk(SIZE, f"disk {n}") for n in range(DISKS)]


# RAID-5


def raid5_log() -> tuple[list[MemoryDisk], list[Entry]]:
    """The disks before, and the log of an overwrite of block 1."""
    disks, log = media(), []
    Raid5(disks).write_stripe(0, OLD)
    Raid5([Recorder(disk.copy(), log) for disk in disks]).write(1, NEW[1])
    return disks, log


def raid5_read(disks: Sequence[MemoryDisk], lost: int | None) -> tuple[bytes, ...]:
    """The three blocks as the array gives them without one disk."""
    array = Raid5([FaultyDisk(disk, [Gone()] if n == lost else []) for n, disk in enumerate(disks)])
    return tuple(array.read(block) for block in range(3))


# RAID-Z


def raidz(disks: Sequence[object]) -> Raidz:
    return Raidz([Leaf(disk) for disk in disks], 1)


def commit(disks: Sequence[object], txg: int, offset: int, blocks: Sequence[bytes]) -> None:
    """Write the blocks as one, flush, and only then the uberblock that points to it; flush again."""
    data = b"".join(blocks)
    vdev = raidz(disks)
    vdev.write(offset, data, txg)
    vdev.flush()
    body = f"{txg} {offset} {sha256(data).hexdigest()}"
    line_ = f"{body} {sha256(body.encode()).hexdigest()}".encode().ljust(SECTOR, b"\0")
    for disk in disks:
        disk.write(UBERBLOCK + txg * SECTOR, line_)
    vdev.flush()


def raidz_log() -> tuple[list[MemoryDisk], list[Entry]]:
    """The disks before, and the log of a transaction group that changes block 1."""
    disks, log = media(), []
    commit(disks, 1, BEFORE, OLD)
    commit([Recorder(disk.copy(), log) for disk in disks], 2, AFTER, NEW)
    return disks, log


def newest(disks: Sequence[MemoryDisk], lost: int | None) -> tuple[int, int, str]:
    """The uberblock to open at: the valid one with the highest txg; (txg, offset, checksum)."""
    found = []
    for disk in (disk for n, disk in enumerate(disks) if n != lost):
        for txg in (1, 2):
            words = disk.read(UBERBLOCK + txg * SECTOR, SECTOR).rstrip(b"\0").decode().split()
            if len(words) == 4 and sha256(" ".join(words[:3]).encode()).hexdigest() == words[3]:
                found.append((int(words[0]), int(words[1]), words[2]))
    return max(found)


def raidz_read(disks: Sequence[MemoryDisk], lost: int | None) -> tuple[bytes, ...]:
    """The three blocks as the newest uberblock has them, without one disk. Raises ZfsError rather than be wrong."""
    txg, offset, checksum = newest(disks, lost)
    vdev = raidz([FaultyDisk(disk.copy(), [Gone()] if n == lost else []) for n, disk in enumerate(disks)])
    data = vdev.read(offset, 3 * SECTOR, lambda found: sha256(found).hexdigest() == checksum, txg)
    return tuple(data[n * SECTOR : (n + 1) * SECTOR] for n in range(3))


# Every cut


def judge(read: object, disks: Sequence[MemoryDisk], lost: int | None) -> str:
    """What reading without a disk gives: the old blocks, the new ones, or what is wrong with them."""
    try:
        blocks = read(disks, lost)
    except ZfsError as failure:
        return type(failure).__name__
    wrong = [n for n, block in enumerate(blocks) if block not in (OLD[n], NEW[n])]
    if wrong:
        return f"D{wrong[0]} is wrong"
    return "new" if blocks == NEW else "old"


@cache
def cuts(layout: str) -> tuple[Cut, ...]:
    """The disks after a power cut behind each write of the log, the first before any."""
    before, log = raid5_log() if layout == "raid5" else raidz_log()
    read = raid5_read if layout == "raid5" else raidz_read
    issued = [entry for entry in log if isinstance(entry, Write)]
    found = []
    for count in range(len(issued) + 1):
        disks = [disk.copy() for disk in before]
        for entry in issued[:count]:
            disks[int(entry.disk[-1])].write(entry.offset, entry.data)
        cells = _raid5_cells(disks) if layout == "raid5" else _raidz_cells(disks)
        fits = Raid5(disks).consistent(0) if layout == "raid5" else True
        outcomes = tuple(judge(read, disks, lost) for lost in range(DISKS))
        found.append(Cut(_written(layout, issued[:count]), cells, outcomes, fits))
    return tuple(found)


def reordered_outcomes(layout: str, seeds: int) -> set[str]:
    """What can come of it when the power cut also loses and reorders what no flush had made safe, over many seeds."""
    before, log = raid5_log() if layout == "raid5" else raidz_log()
    read = raid5_read if layout == "raid5" else raidz_read
    count = sum(isinstance(entry, Write) for entry in log)
    return {
        judge(read, after_power_cut(log, before, cut, seed), lost)
        for cut in range(count + 1) for seed in range(seeds) for lost in (None, *range(DISKS))
    }  # fmt: skip


def _written(layout: str, issued: Sequence[Write]) -> str:
    """The writes so far, in words."""
    if not issued:
        return "before the first write"
    if layout == "raid5":
        return ("after the new data", "after the new data and the new parity")[len(issued) - 1]
    columns, labels = min(len(issued), DISKS), max(len(issued) - DISKS, 0)
    if not labels:
        return f"after {columns} of the new block’s {DISKS} columns"
    return f"after the new block and the uberblock on {labels} of {DISKS} disks"


def _raid5_cells(disks: Sequence[MemoryDisk]) -> dict[tuple[int, int], tuple[str, bool]]:
    array, cells = Raid5(disks), {}
    for block in range(3):
        disk, _ = array.place(block)
        changed = disks[disk].read(0, SECTOR) != OLD[block]
        cells[0, disk] = (f"D{block}{PRIMES[changed]}", changed)
    parity = array.parity(0)
    changed = disks[parity].read(0, SECTOR) != _parity(OLD)
    cells[0, parity] = (f"P{PRIMES[changed]}", changed)
    return cells


def _parity(blocks: Sequence[bytes]) -> bytes:
    return bytes(a ^ b ^ c for a, b, c in zip(*blocks, strict=True))


def _raidz_cells(disks: Sequence[MemoryDisk]) -> dict[tuple[int, int], tuple[str, bool]]:
    """Row 0 has the uberblocks, rows 1 and 2 the old and the new block."""
    vdev, cells = raidz(disks), {}
    for n, disk in enumerate(disks):
        changed = any(disk.read(UBERBLOCK + 2 * SECTOR, SECTOR))
        cells[0, n] = ("txg 2" if changed else "txg 1", changed)
    for row, offset, new in ((1, BEFORE, False), (2, AFTER, True)):
        for (child, place), what in vdev.map(offset, 3 * SECTOR).sectors().items():
            if any(disks[child].read(LABEL_START + place, SECTOR)):
                name = "P" if what == "P0" else what
                cells[row, child] = (f"{name}{PRIMES[new and name in ('P', 'D1')]}", new)
    return cells


# The figure

WIDTH, LEFT, TOP, HIGH, WIDE = 440, 84, 36, 32, 89


def steps(layout: str) -> list[Frame]:
    """A frame for each cut."""
    return [_frame(layout, cut) for cut in cuts(layout)]


def _frame(layout: str, cut: Cut) -> Frame:
    name = dict(LAYOUTS)[layout]
    wrong = sorted({outcome for outcome in cut.outcomes if outcome not in ("old", "new")})
    if wrong:
        lost = cut.outcomes.index(wrong[0])
        end = f"If disk {lost} fails now, {wrong[0]}, a block that nobody was writing; nothing says so."
    elif len(set(cut.outcomes)) > 1:
        end = (
            "Whichever disk fails now, all blocks are read as they were before the change or as they are after it, "
            "never between."
        )
    else:
        when = "were before" if cut.outcomes[0] == "old" else "are after"
        end = f"Whichever disk fails now, all blocks are read as they {when} the change."
    says = f"{name}, the power fails {cut.written}. {end}"
    rows = [(f"disk {n}", _holds(cut, n), outcome) for n, outcome in enumerate(cut.outcomes)]
    table = Table(["Disk", "Holds", "Without it, the blocks are"], rows, "After the power cut")
    return Frame(_draw(layout, cut, says), says, table)


def _holds(cut: Cut, disk: int) -> str:
    return ", ".join(what for (_, d), (what, _) in sorted(cut.cells.items()) if d == disk)


def _draw(layout: str, cut: Cut, says: str) -> str:
    rows = ["stripe"] if layout == "raid5" else ["uberblock", "old block", "new block"]
    first = 1 if layout == "raid5" else 0
    base = TOP + 3 * HIGH + 22
    parts = []
    for d in range(DISKS):
        parts.append(text(LEFT + (d + 0.5) * WIDE, 20, f"disk {d}", "ink-2", "middle"))
        parts.append(rect(LEFT + d * WIDE + 3, 28, WIDE - 6, base - 34, stroke="rule", rx=4))
    for n, name in enumerate(rows):
        parts.append(text(LEFT - 8, TOP + HIGH * (n + first) + 23, name, "ink-2", "end"))
    for (row, disk), (what, new) in cut.cells.items():
        parts.append(_cell(LEFT + disk * WIDE + 9, TOP + HIGH * (row + first) + 4, what, new))
    parts.append(text(LEFT - 8, base + 20, "without it:", "ink-2", "end"))
    for n, outcome in enumerate(cut.outcomes):
        left, right, middle = LEFT + n * WIDE + 12, LEFT + (n + 1) * WIDE - 12, LEFT + (n + 0.5) * WIDE
        if outcome in ("old", "new"):
            parts.append(line(left, base, right, base, "rule") + text(middle, base + 20, f"✓ {outcome}", anchor="middle"))
        else:
            words = f"✗ {outcome.replace(' is', '')}"
            parts.append(line(left, base, right, base, "accent", stroke_width=2))
            parts.append(text(middle, base + 20, words, "accent", "middle", font_weight="bold"))
    if layout == "raid5":
        note = "parity fits the data" if cut.fits else "✗ parity does not fit the data, and nothing says which is right"
    else:
        note = "the uberblock says which block counts"
    parts.append(text(LEFT + DISKS * WIDE - 4, base + 48, note, "ink-2" if cut.fits else "accent", "end"))
    return drawing(WIDTH, base + 58, says, *parts)


def _cell(x: float, y: float, what: str, new: bool) -> str:
    """A sector: what is new is filled."""
    fill, stroke, ink, weight = ("zfs", "zfs", "paper", "bold") if new else ("none", "ink-2", "ink", None)
    box = rect(x, y, WIDE - 18, HIGH - 6, fill=fill, stroke=stroke, stroke_width=1.5, rx=2)
    return box + text(x + (WIDE - 18) / 2, y + 18, what, ink, "middle", 14, font_weight=weight)


def stepper() -> Stepper:
    """A power cut behind every write, in two layouts."""
    return Stepper(
        "write-hole", "The power fails after each write, then a disk", steps, {"layout": Choice("Layout", LAYOUTS)},
        default={"layout": "raid5"}, keys=[{"layout": "raidz"}], at=1,
    )  # fmt: skip
