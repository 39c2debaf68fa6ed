"""What does this snapshot hold? Short histories of a filesystem from a seed, worked by a real pool.

Every block says in its first bytes in which step it was written. In the end all trees are walked, and so it is known
which datasets hold a block. Keys are counted from that; what destroying frees is counted in the pool's events, after
the snapshots were destroyed. Left out: metadata, which `zfs list` counts too, and holes.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations

from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Number
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import DVA
from smartos.zfs.spa.spa import Spa

HOME, CLONE, RECORD = "tank/home", "tank/clone", 512
NAMES = ("mon", "tue", "wed")
PLAIN = dmu.type_name(dmu.PLAIN_FILE_CONTENTS)
RULE = (
    "A snapshot refers to every block that the filesystem had then. Of these, it alone holds those that neither the "
    "filesystem now, nor another snapshot, nor a clone refers to; only they are counted as its USED."
)


@dataclass(frozen=True)
class Block:
    """A data block: its file, the step in which it was written, and the datasets that refer to it, by short names."""

    file: str
    step: int
    holders: frozenset[str]


@dataclass
class History:
    """A filesystem that things happen to: `lines` say what, step by step; `sizes` are its files' blocks."""

    draw: random.Random
    pool: Spa
    lines: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)
    snapshots: list[str] = field(default_factory=list)
    origin: str = ""

    def say(self, words: str) -> None:
        self.lines.append(words)

    def _put(self, file: str, first: int, count: int) -> None:
        block = f"step {len(self.lines)}".encode().ljust(RECORD, b".")
        self.pool.open(HOME).write(file, block * count, first * RECORD)

    def write(self, file: str, count: int) -> None:
        """A new file."""
        self.say(f"`{file}` is written: {_blocks(count)}")
        self._put(file, 0, count)
        self.sizes[file] = count
        self.files[self.pool.open(HOME).lookup(file)] = file

    def overwrite(self, file: str) -> None:
        """A run of a file's blocks gets other contents."""
        size = self.sizes[file]
        count = self.draw.randrange(1, size)
        first = self.draw.randrange(size - count + 1)
        run = f"block {first} of `{file}` is" if count == 1 else f"blocks {first} to {first + count - 1} of `{file}` are"
        self.say(f"{run} overwritten")
        self._put(file, first, count)

    def grow(self, file: str) -> None:
        """A file gets more blocks at its end."""
        count = self.draw.randrange(1, 4)
        self.say(f"`{file}` grows by {_blocks(count)}")
        self._put(file, self.sizes[file], count)
        self.sizes[file] += count

    def remove(self, file: str) -> None:
        """A file is deleted."""
        self.say(f"`{file}` is deleted")
        self.pool.open(HOME).unlink(file)
        del self.sizes[file]

    def snapshot(self) -> None:
        name = f"@{NAMES[len(self.snapshots)]}"
        self.say(f"`zfs snapshot {HOME}{name}`")
        self.pool.snapshot(HOME + name)
        self.snapshots.append(name)

    def clone(self) -> None:
        self.origin = self.draw.choice(self.snapshots)
        self.say(f"`zfs clone {HOME}{self.origin} {CLONE}`")
        self.pool.clone(HOME + self.origin, CLONE)

    def change(self) -> None:
        """One of the things that happen to files; the last file is not deleted."""
        file = self.draw.choice(sorted(self.sizes))
        ways = [self.overwrite, self.overwrite, self.grow] + [self.remove] * (len(self.sizes) > 1)
        self.draw.choice(ways)(file)

    @classmethod
    def of(cls, seed: int) -> "History":
        """The history of a seed, up to the last transaction group."""
        draw = random.Random(seed)
        begun, disk = beginning(draw.choice((4, 6, 7)), draw.choice((3, 5)))
        made = replace(
            begun, draw=draw, pool=Spa.import_([disk.copy()]), lines=[*begun.lines], sizes=dict(begun.sizes),
            snapshots=[*begun.snapshots],
        )  # fmt: skip
        for _ in range(draw.choice((1, 2, 2))):
            made.change()
        made.snapshot()
        for _ in range(draw.choice((1, 2))):
            made.change()
        if draw.random() < 0.35:
            made.clone()
        elif draw.random() < 0.4:
            made.snapshot()
            made.change()
        made.pool.sync()
        return made

    def holders(self) -> dict[DVA, Block]:
        """Every data block that anybody refers to."""
        names = {"home": HOME, **{name: HOME + name for name in self.snapshots}, **({"clone": CLONE} if self.origin else {})}
        found: dict[DVA, tuple[str, int, set[str]]] = {}
        for short, name in names.items():
            for where, pointer in self.pool.dp.find(name).objset.visits():
                if pointer.type == dmu.PLAIN_FILE_CONTENTS and where.level == 0:
                    if pointer.dvas[0] not in found:
                        step = int(self.pool.read(pointer).rstrip(b".").removeprefix(b"step "))
                        found[pointer.dvas[0]] = (self.files[where.object], step, set())
                    found[pointer.dvas[0]][2].add(short)
        return {dva: Block(file, step, frozenset(who)) for dva, (file, step, who) in found.items()}

    def destroy(self, names: Iterable[str]) -> int:
        """Destroy snapshots; gives how many data blocks that freed."""
        start = len(self.pool.events)
        for name in names:
            self.pool.destroy(HOME + name)
        events = list(self.pool.events)[start:]
        return sum(event.kind == "free" and event.type == PLAIN and event.lsize == RECORD for event in events)


@cache
def beginning(first: int, second: int) -> tuple[History, MemoryDisk]:
    """Two files of so many blocks, none of them compressed, and a snapshot; with the disk of it."""
    disk = MemoryDisk(64 << 20)
    made = History(random.Random(0), Spa.create("tank", [disk]))
    made.pool.create(HOME, recordsize=RECORD, compression="off")
    made.write("/a", first)
    made.write("/b", second)
    made.snapshot()
    return made, disk


def _blocks(count: int) -> str:
    return f"{count} block{'s' * (count != 1)}"


def refer(blocks: Mapping[DVA, Block], name: str) -> int:
    """How many data blocks a dataset refers to."""
    return sum(name in block.holders for block in blocks.values())


def alone(blocks: Mapping[DVA, Block], *names: str) -> int:
    """How many data blocks are held by some of these and by nobody else."""
    return sum(block.holders <= set(names) for block in blocks.values())


def problem(seed: int) -> Problem:
    """A history, and one of three questions about its snapshots."""
    made = History.of(seed)
    blocks = made.holders()
    steps = Table(["Step", "What happens"], [(n, _plain(line)) for n, line in enumerate(made.lines, 1)], "What happened")
    return (_alone, _refers, _frees)[seed % 3](made, blocks, steps)


def _plain(words: str) -> str:
    return words.replace("`", "")


def worked(blocks: Mapping[DVA, Block], names: Iterable[str]) -> Table:
    """Which blocks are held by whom, those that the question is about first."""
    rows: dict[tuple[str, int, str, bool], int] = {}
    for block in blocks.values():
        who = ", ".join(sorted(block.holders, key=lambda name: (name[0] != "@", name)))
        row = (block.file, block.step, who, block.holders <= set(names))
        rows[row] = rows.get(row, 0) + 1
    ordered = sorted(rows.items(), key=lambda row: (not row[0][3], row[0]))
    cells = [(f"{file}, written in step {step}", count, who) for (file, step, who, _), count in ordered]
    return Table(["Data blocks", "How many", "Held by"], cells, "Who holds which blocks in the end")


def _alone(made: History, blocks: Mapping[DVA, Block], steps: Table) -> Problem:
    name = max(made.snapshots, key=lambda each: (alone(blocks, each), each))
    key, whole = alone(blocks, name), refer(blocks, name)
    gone = sum(name in block.holders and "home" not in block.holders for block in blocks.values())
    slips = {
        gone: "Some of the blocks that the filesystem does not have any more, another snapshot or the clone also holds.",
        whole: "That is all that it refers to; much of it others hold as well.",
    }  # fmt: skip
    said = f"{_blocks(key).capitalize()}: held by {name} and nobody else." if key else f"{name} holds nothing alone."
    return Problem(
        f"How many data blocks does `{HOME}{name}` hold in the end that nobody else does?", Number("blocks"), key,
        [RULE, worked(blocks, [name]), said], said, RULE, steps.html(),
        unlike(key, slips),
    )  # fmt: skip


def _refers(made: History, blocks: Mapping[DVA, Block], steps: Table) -> Problem:
    name = made.draw.choice(made.snapshots[1:])
    key, now, own = refer(blocks, name), refer(blocks, "home"), alone(blocks, name)
    slips = {
        own: "That is what it holds alone. REFER counts all that can be reached through it, whoever shares it.",
        now: "That is what the filesystem refers to now; the snapshot is of then.",
        len(blocks): "That is all the data blocks in the pool.",
    }  # fmt: skip
    rule = "A snapshot refers to every block that the filesystem had when it was made. Later steps change nothing in it."
    said = f"{name} refers to {_blocks(key)}: all that the filesystem had then."
    return Problem(
        f"How many data blocks does `{HOME}{name}` refer to in the end?", Number("blocks"), key,
        [rule, worked(blocks, [name]), said], said, rule, steps.html(),
        unlike(key, slips),
    )  # fmt: skip


def _frees(made: History, blocks: Mapping[DVA, Block], steps: Table) -> Problem:
    """Destroy one or two snapshots, none of them the clone's origin."""
    free = [name for name in made.snapshots if name != made.origin]
    pairs = list(combinations(free, 2)) or [tuple(free)]
    names = max(pairs, key=lambda pair: alone(blocks, *pair))
    single, held = sum(alone(blocks, name) for name in names), len({d for d, b in blocks.items() if b.holders & set(names)})
    key = made.destroy(names)
    slips = {
        held: "Most of what they refer to, others hold as well.",
        single: "That counts what each holds alone. What only these two share is in neither’s USED, and goes with both.",
    }  # fmt: skip
    which = " and ".join(f"`{HOME}{name}`" for name in names)
    rule = "Destroying frees the blocks that are held by what is destroyed and by nobody else."
    said = f"{_blocks(key).capitalize()}: held by {' or '.join(names)} and nobody else."
    return Problem(
        f"How many data blocks become free when {which} {'are both' if len(names) > 1 else 'is'} destroyed then?",
        Number("blocks"), key, [rule, worked(blocks, names), said], said, rule, steps.html(),
        unlike(key, slips),
    )  # fmt: skip


def practice() -> Practice:
    """Histories to work by hand, as many as there are seeds."""
    return Practice("snapshot-practice", "Practice: what does this snapshot hold?", problem)
