"""What a walk over a pool meets and finds: its visits to blocks, the space of each vdev, and the report of it all.

Left out: the walk itself. Follows `zbookmark_phys_t` of `zio.h` and zdb's `dump_block_stats`.
"""

from collections import Counter
from dataclasses import dataclass, field

from smartos.zfs.dmu.space import RangeTree
from smartos.zfs.errors import ZfsError
from smartos.zfs.format.blkptr import Blkptr

DESTROYED = (1 << 64) - 1  # the object set of blocks whose dataset is gone


@dataclass(frozen=True, slots=True)
class Visit:
    """A block met on the walk: where it belongs (as zdb says: object set, object, level, number) and its pointer.

    Beyond the levels of a tree there are -1 for an object set's root, -2 for an intent log's block (object 0) or a
    spill block, -3 for an entry of a list of blocks that wait to be freed, -4 for a block that an intent log's record
    points to. `objset` is the dataset's object in the MOS, `offset` is in bytes of the object.
    """

    where: str
    object: int
    level: int
    number: int
    pointer: Blkptr
    objset: int = 0
    offset: int = 0


@dataclass
class Space:
    """A top-level vdev's space in bytes: the ranges allocated by its maps, the ranges referred to, and where they
    differ. `twice` are ranges that two pointers claim."""

    allocated: RangeTree = field(default_factory=RangeTree)
    referenced: RangeTree = field(default_factory=RangeTree)
    leaked: list[tuple[int, int]] = field(default_factory=list)
    unallocated: list[tuple[int, int]] = field(default_factory=list)
    twice: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Report:
    """What a walk found. `blocks` counts pointers by object type, `copies` and `verified` what was read of them,
    `unjudged` the blocks that need something this package lacks, by what that is; `errors` are (where, error), `vdevs`
    the space by vdev, `notes` what else could not be judged."""

    blocks: Counter = field(default_factory=Counter)
    copies: int = 0
    verified: int = 0
    lsize: int = 0
    psize: int = 0
    asize: int = 0
    unjudged: Counter = field(default_factory=Counter)
    errors: list[tuple[str, ZfsError]] = field(default_factory=list)
    vdevs: dict[int, Space] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return sum(self.blocks.values())

    @property
    def sound(self) -> bool:
        """Whether every block verified and all space is accounted for."""
        spaces = self.vdevs.values()
        return not self.errors and not any(space.leaked or space.unallocated or space.twice for space in spaces)

    def describe(self) -> str:
        """The report in a few lines, in the manner of `zdb -b`."""
        lines = [f"{self.count:,} blocks, {self.verified:,} copies verified, {len(self.errors):,} errors"]
        lines.append(f"bp logical: {self.lsize:,} physical: {self.psize:,} allocated: {self.asize:,}")
        for number, space in sorted(self.vdevs.items()):
            lines.append(f"vdev {number}: allocated {space.allocated.space:,}, referenced {space.referenced.space:,}")
            for name in ("leaked", "unallocated", "twice"):
                for start, end in getattr(space, name)[:8]:
                    lines.append(f"  {name}: <{number}:{start:x}:{end - start:x}>")
        lines += [f"error: {where}: {type(error).__name__}: {error}" for where, error in self.errors[:8]]
        lines += [f"{number:,} blocks could not be judged: {reason}" for reason, number in self.unjudged.items()]
        return "\n".join(lines + self.notes)
