"""A read heals itself: a mirror that knows what it should have read, beside a mirror that does not.

The steps are what the vdevs did: they are taken from the probes that fired, with the disks as they were at that
moment. The plain mirror is :class:`smartos.zfs.disk.raid5.PlainMirror`. Left out: everything above the vdev, where the
block pointer with the checksum comes from.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from smartos import probes
from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, line, rect, text
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.disk.faults import BitRot, FaultyDisk
from smartos.zfs.disk.raid5 import PlainMirror
from smartos.zfs.errors import ChecksumError
from smartos.zfs.format.checksum import fletcher_4
from smartos.zfs.vdev.tree import LABEL_START, Leaf, Mirror

WORDS = b"ZFS + KVM = SmartOS"
BLOCK = WORDS.ljust(512, b"\0")
MIRRORS = [("zfs", "a ZFS mirror"), ("plain", "a plain mirror")]
ROTS = [("first", "the first disk’s"), ("second", "the second disk’s"), ("both", "both disks’")]
SEEDS = (0, 3)  # of the bit that rots on each disk
WIDTH, HEIGHT, MONO = 440, 262, "var(--mono, monospace)"
DISKS = (("c0t0d0", 14), ("c0t1d0", 234))


@dataclass(frozen=True)
class Step:
    """A moment: what happens in words, each disk's bytes, its checksum errors, what was compared, what came back.

    `flow` is where data move: ("read" or "repair", disk), ("return", None) or None.
    """

    says: str
    held: tuple[bytes, bytes]
    errors: tuple[int, int] = (0, 0)
    flow: tuple[str, int | None] | None = None
    found: bytes | None = None
    returned: bytes | None = None
    refused: bool = False


def checksum(data: bytes) -> str:
    """The first of fletcher-4's four sums, in hexadecimal as zdb prints it."""
    return f"{fletcher_4(data)[0]:x}"


def shown(data: bytes) -> str:
    """The block's words; a byte that is no printable character is a dot."""
    return "".join(chr(b) if 32 <= b < 127 else "·" for b in data[: len(WORDS)])


class Story:
    """One run over two disks, with its steps. Both mirrors keep the block at the same place of each disk."""

    def __init__(self, rots: str) -> None:
        media = [MemoryDisk(16 << 20, name) for name, _ in DISKS]
        self.disks = [FaultyDisk(disk, seed=seed) for disk, seed in zip(media, SEEDS, strict=True)]
        self.rotten = {"first": (0,), "second": (1,), "both": (0, 1)}[rots]
        self.errors = [0, 0]
        self.steps: list[Step] = []

    def note(self, says: str, **more: object) -> None:
        held = tuple(disk.disk.read(LABEL_START, 512) for disk in self.disks)
        self.steps.append(Step(says, held, tuple(self.errors), **more))

    def rot(self) -> None:
        for n in self.rotten:
            self.disks[n].add(BitRot(LABEL_START, len(WORDS)))
        where = "each disk" if len(self.rotten) > 1 else DISKS[self.rotten[0]][0]
        self.note(f"Later one bit of the block changes on {where}. The disk reports nothing.")

    def name(self, path: str) -> int:
        return [name for name, _ in DISKS].index(path)


def plain(rots: str) -> list[Step]:
    """A mirror without checksums: the copy that is read is the copy that is returned."""
    story = Story(rots)
    mirror = PlainMirror(story.disks)
    mirror.write(LABEL_START, BLOCK)
    story.note("The mirror has written the block to both disks.")
    story.rot()
    data = mirror.read(LABEL_START, 512)
    story.note(f"The mirror reads one copy, from {DISKS[0][0]}.", flow=("read", 0), found=data)
    wrong = data != BLOCK
    end = (
        "It is wrong, and nobody knows: the other disk has the right bytes and was not asked."
        if wrong and len(story.rotten) == 1
        else "It is wrong, and nobody knows." if wrong
        else "It is right, by luck: the bad copy waits for the day on which it is read."
    )
    story.note(f"It returns that copy. {end}", flow=("return", None), returned=data)
    return story.steps


def zfs(rots: str) -> list[Step]:
    """ZFS's mirror; each step after the rot is a probe that fired."""
    story = Story(rots)
    mirror = Mirror([Leaf(disk) for disk in story.disks])
    mirror.write(0, BLOCK, txg=1)
    story.note("The mirror has written the block to both disks; its checksum went into the block pointer.")
    story.rot()
    with probes.subscribe(_listener(story)):
        try:
            data = mirror.read(0, 512, lambda found: fletcher_4(found) == fletcher_4(BLOCK), txg=1)
        except ChecksumError:
            story.note(
                "No copy has the right checksum. The read fails with an error: wrong bytes are never returned.",
                flow=("return", None), refused=True,
            )  # fmt: skip
            return story.steps
    healed = "and mended it on the way" if 0 in story.rotten else "and never looked at the other copy; a scrub will"
    story.note(f"The mirror returns good data {healed}.", flow=("return", None), returned=data)
    return story.steps


def _listener(story: Story) -> Callable:
    """Turn probes into steps."""
    last: dict[str, object] = {"disk": 0, "found": None}

    def hear(probe: probes.Probe, args: tuple, context: object) -> None:
        if probe.provider == "io" and probe.name == "done":
            disk = last["disk"] = story.name(args[1].dev_statname)
            if args[0].b_flags & 0x40:
                last["found"] = story.disks[disk].disk.read(LABEL_START, 512)
                story.note(f"The mirror reads the copy on {DISKS[disk][0]}.", flow=("read", disk), found=last["found"])
            else:
                story.note(f"It rewrites the block on {DISKS[disk][0]} with the good data.", flow=("repair", disk))
        elif (probe.function, probe.name) == ("zio_checksum_error", "return"):
            disk, wrong = last["disk"], args[1]
            if wrong:
                story.errors[disk] += 1
            says = (
                f"Its checksum is not the one in the block pointer: a checksum error of {DISKS[disk][0]}."
                if wrong else "Its checksum is the one in the block pointer: this copy is good."
            )  # fmt: skip
            story.note(says, flow=("read", disk), found=last["found"])

    return hear


def steps(mirror: str, rots: str) -> list[Frame]:
    """The frames of one run."""
    run = zfs(rots) if mirror == "zfs" else plain(rots)
    frames = []
    for n, step in enumerate(run):
        verdict = mirror == "zfs" and step.found is not None and run[n - 1].found is step.found
        frames.append(Frame(_draw(step, mirror, verdict), step.says, _table(step, mirror)))
    return frames


def _table(step: Step, mirror: str) -> Table:
    rows = [
        (name, shown(held), checksum(held), "yes" if held == BLOCK else "no", errors)
        for (name, _), held, errors in zip(DISKS, step.held, step.errors, strict=True)
    ]
    columns = ["Disk", "Holds", "Checksum of that", "Right", "CKSUM errors"]
    if mirror == "plain":
        return Table([*columns[:2], columns[3]], [(r[0], r[1], r[3]) for r in rows], "What is on the disks")
    return Table(columns, rows, "What is on the disks", plain=["Checksum of that"])


def _draw(step: Step, mirror: str, verdict: bool) -> str:
    """The application above, the mirror between, the two disks below; data move along the thick line."""
    got = "an I/O error" if step.refused else shown(step.returned) if step.returned else ""
    wrong = step.returned is not None and step.returned != BLOCK
    own = "zfs" if mirror == "zfs" else "ink-2"
    parts = [
        text(14, 25, "application", "ink-2"), rect(110, 6, 220, 30, stroke="ink-2", rx=4),
        text(220, 26, got, "accent" if wrong else "ink", "middle", 14, font_family=MONO),
        rect(14, 76, 412, 64, stroke=own, stroke_width=1.75, rx=4),
        text(26, 97, "mirror-0" if mirror == "zfs" else "plain mirror", own, size=14),
    ]  # fmt: skip
    if wrong:
        parts.append(text(340, 26, "✗ wrong", "accent", size=14))
    elif step.returned is not None:
        parts.append(text(340, 26, "✓ right", size=14))
    parts += _middle(step, mirror, verdict)
    for n, (name, x) in enumerate(DISKS):
        parts += _disk(x, name, step.held[n], step.errors[n], mirror)
    if step.flow:
        what, disk = step.flow
        if what == "return":
            parts.append(_arrow(220, 76, 40, "accent" if wrong or step.refused else "zfs"))
        else:
            x = DISKS[disk][1] + 96
            parts.append(_arrow(x, 178, 144, "ink") if what == "read" else _arrow(x, 140, 174, "zfs"))
            parts.append(text(x + 10, 164, what, "zfs" if what == "repair" else "ink-2"))
    return drawing(WIDTH, HEIGHT, step.says, *parts)


def _middle(step: Step, mirror: str, verdict: bool) -> list[str]:
    """What the mirror compares, if it can."""
    if mirror == "plain":
        return [text(26, 124, "keeps no checksum", "ink-2")]
    parts = [text(26, 124, f"block pointer: {checksum(BLOCK)}", font_family=MONO)]
    if verdict:
        same = step.found == BLOCK
        colour, weight = ("ink", None) if same else ("accent", "bold")
        compared = f"{'=' if same else '≠'} {checksum(step.found)}"
        parts.append(text(240, 124, compared, colour, font_family=MONO, font_weight=weight))
        parts.append(text(240, 97, "✓ matches" if same else "✗ does not match", colour, size=14))
    return parts


def _disk(x: float, name: str, held: bytes, errors: int, mirror: str) -> list[str]:
    """A disk with the block's words, the bytes that changed set apart."""
    words, width = shown(held), 8.2
    parts = [
        rect(x, 178, 192, 78, stroke="ink-2", rx=10), line(x, 200, x + 192, 200, "rule"),
        text(x + 12, 194, name, "ink-2"),
    ]  # fmt: skip
    if mirror == "zfs":
        colour, weight = ("accent", "bold") if errors else ("ink-2", None)
        parts.append(text(x + 180, 194, f"CKSUM {errors}", colour, "end", font_weight=weight))
    spans = ""
    for i, letter in enumerate(words):
        if held[i] == BLOCK[i]:
            spans += escape(letter)
        else:
            spans += element("tspan", escape(letter), fill="accent", font_weight="bold")
            parts.append(rect(x + 13 + i * width, 212, width + 2, 22, stroke="accent", stroke_width=1.75, rx=2))
    length = f"{width * len(words):g}"  # whatever the font, so that the frames around letters fit
    parts.append(
        element("text", spans, x=x + 14, y=228, textLength=length, fill="ink", font_size=14, font_family=MONO)
    )
    good = held == BLOCK
    parts.append(text(x + 12, 250, "as it was written" if good else "one bit changed", "ink-2" if good else "accent", size=12))
    return parts


def _arrow(x: float, start: float, end: float, colour: str) -> str:
    way = 1 if end > start else -1
    head = f"M{x - 5:g} {end - 7 * way:g}L{x:g} {end:g}L{x + 5:g} {end - 7 * way:g}"
    return line(x, start, x, end, colour, stroke_width=2) + element("path", d=head, fill="none", stroke=colour, stroke_width=2)


def stepper() -> Stepper:
    """The same rot under two mirrors."""
    return Stepper(
        "self-healing", "A read of a block that has rotted on one disk", steps,
        {"mirror": Choice("The disks are", MIRRORS), "rots": Choice("What rots is", ROTS)},
        default={"mirror": "zfs", "rots": "first"},
        keys=[{"mirror": "plain", "rots": "first"}, {"mirror": "zfs", "rots": "both"}],
        at=3,
    )  # fmt: skip
