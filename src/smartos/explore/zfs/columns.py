"""Where a block's columns land in RAID-Z: the stripe is as wide as the block, and the next block begins where it ends.

Every cell is a sector. The map is the one that the vdevs themselves use (:func:`smartos.zfs.vdev.raidz_map.raidz_map`), which
agrees with pools that ZFS wrote. Left out: offsets other than the vdev's first sector, and so the change of places
that P and the first data column make in every second mebibyte.
"""

from smartos.explore.kit.controls import Choice, Range
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group, text
from smartos.zfs.vdev.raidz_map import RaidzMap, raidz_map

SECTOR = 9  # ashift: 512 bytes
PARITY = [(1, "single: P"), (2, "double: P, Q"), (3, "triple: P, Q, R")]
SECTORS = (1, 2, 3, 4, 5, 8)
ROWS = 8
WIDTH, LEFT, TOP, HIGH = 440, 20, 34, 26


def blocks(disks: int, parity: int, sectors: int) -> list[RaidzMap]:
    """Blocks of this size one after the other, from the first sector on, until the rows of the figure are full."""
    found, at = [], 0
    while at >> SECTOR < disks * ROWS:
        found.append(raidz_map(at, sectors << SECTOR, SECTOR, disks, parity))
        at += found[-1].asize
    return found


def frame(disks: int, parity: int, sectors: int) -> Frame:
    """The first block in full colour, those that follow in outline."""
    if disks <= parity:
        return _refused(disks, parity)
    laid = blocks(disks, parity, sectors)
    first = laid[0]
    taken, skipped = first.asize >> SECTOR, len(first.skips)
    protects = taken - sectors - skipped
    rest = f" and {_count(skipped)} skipped" if skipped else ""
    says = (
        f"On {disks} disks, a raidz{parity} block of {_count(sectors)} takes {taken}: {sectors} of data, "
        f"{protects} of parity{rest}. Data are {100 * sectors / taken:.3g} % of it."
    )
    names = [*"PQR"[:parity], *(f"data {n + 1}" for n in range(len(first.data)))]
    rows = [
        (name, f"disk {column.devidx}", column.offset >> SECTOR, column.size >> SECTOR)
        for name, column in zip(names, first.columns, strict=True)
    ]
    rows += [("skipped", f"disk {skip.devidx}", skip.offset >> SECTOR, 1) for skip in first.skips]
    table = Table(["Column", "Lies on", "From sector", "Sectors"], rows, "The block’s columns, in their order")
    return Frame(_draw(laid, disks, says), says, table)


def _count(sectors: int) -> str:
    return f"{sectors} sector{'s' if sectors > 1 else ''}"


def _refused(disks: int, parity: int) -> Frame:
    says = f"raidz{parity} needs at least {parity + 1} disks: {parity} for parity, one for data. There are {disks}."
    heads, _ = _disks(disks)
    short = f"raidz{parity} needs at least {parity + 1} disks"
    words = text(WIDTH / 2, TOP + HIGH * ROWS / 2, short, "accent", "middle", 14)
    return Frame(drawing(WIDTH, TOP + HIGH * ROWS + 8, says, *heads, words), says)


def _disks(disks: int) -> tuple[list[str], float]:
    """The disks' names and outlines, and the width of each."""
    wide = (WIDTH - LEFT) // disks
    names = [element("text", f"disk {d}", x=f"{LEFT + d * wide + wide / 2:g}", y=20) for d in range(disks)]
    outlines = "".join(_box(LEFT + d * wide + 3, TOP - 4, wide - 6, HIGH * ROWS + 8) for d in range(disks))
    heads = group(*names, fill="ink-2", text_anchor="middle", font_size=13)
    return [heads, element("path", d=outlines, fill="none", stroke="rule")], wide


def _draw(laid: list[RaidzMap], disks: int, says: str) -> str:
    """The first block: parity filled, data tinted, what is skipped dashed. Later ones: outlines, their parity named."""
    parts, wide = _disks(disks)
    shapes = dict.fromkeys(("later", "dashed", "parity", "data", "skip"), "")
    words: dict[str, list[str]] = {"parity": [], "data": [], "later": []}
    for number, where in enumerate(laid):
        for (disk, offset), what in sorted(where.sectors().items(), key=lambda cell: (cell[0][1], cell[0][0])):
            row = offset >> SECTOR
            if row >= ROWS:
                continue
            kind = "skip" if what == "skip" else "parity" if what[0] in "PQR" else "data"
            x, y = LEFT + disk * wide + 7, TOP + HIGH * row + 2
            box = _box(x, y, wide - 14, HIGH - 4)
            if number:
                shapes["later" if number % 2 else "dashed"] += box
                word = {"skip": "skip", "parity": what[0], "data": ""}[kind]
            else:
                shapes[kind] += box
                word = what
            if word:
                where_to = "later" if number or kind == "skip" else kind
                words[where_to].append(element("text", word, x=f"{x + wide / 2 - 7:g}", y=y + 16))
    looks = {
        "later": {"stroke": "rule"}, "dashed": {"stroke": "rule", "stroke_dasharray": "3 2"},
        "parity": {"fill": "zfs", "stroke": "zfs"}, "skip": {"stroke": "zfs", "stroke_dasharray": "3 2"},
        "data": {"fill": "zfs", "fill_opacity": "0.14", "stroke": "zfs", "stroke_width": 1.5},
    }  # fmt: skip
    parts += [element("path", d=shapes[kind], **{"fill": "none", **look}) for kind, look in looks.items() if shapes[kind]]
    for kind, fill in (("parity", "paper"), ("data", "ink"), ("later", "ink-2")):
        if words[kind]:
            weight = "bold" if kind == "parity" else None
            parts.append(group(*words[kind], fill=fill, text_anchor="middle", font_size=13, font_weight=weight))
    rows = [element("text", str(row), x=LEFT - 2, y=TOP + HIGH * row + 18) for row in range(ROWS)]
    parts.append(group(*rows, fill="ink-2", text_anchor="end", font_size=12))
    return drawing(WIDTH, TOP + HIGH * ROWS + 8, says, *parts)


def _box(x: float, y: float, wide: float, high: float) -> str:
    """A rectangle as a piece of a path."""
    return f"M{x:g} {y:g}h{wide:g}v{high:g}h{-wide:g}z"


def explorer() -> Explorer:
    """How many disks, how much parity, how large a block."""
    return Explorer(
        "raidz-columns", "Where a block’s columns land in RAID-Z", frame,
        {
            "disks": Range("Disks", [3, 4, 5, 6]),
            "parity": Choice("Parity", PARITY),
            "sectors": Range("Block", SECTORS, names=[_count(n) for n in SECTORS]),
        },
        default={"disks": 5, "parity": 1, "sectors": 5},
        keys=[{"disks": 6, "parity": 2, "sectors": 2}, {"disks": 4, "parity": 1, "sectors": 8}],
    )  # fmt: skip
