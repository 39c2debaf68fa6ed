"""The figure of :mod:`smartos.explore.zfs.cow`: the old tree on the left, the new one on the right, the file's blocks below.

A box is a block: its address, and below that the pointer it holds to the next block, as address and checksum. New
blocks are filled, freed ones dashed. Left out: pointers that lead elsewhere.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smartos.explore.kit.svg import drawing, element, group, rect, text
from smartos.zfs.format.uberblock import slot_of

if TYPE_CHECKING:
    from smartos.explore.zfs.cow import Moment, Run, Tree
    from smartos.zfs.format.blkptr import Blkptr

WIDTH, LEFT, WIDE, HIGH, GAP, TOP = 440, 76, 178, 38, 13, 26
RIGHT = WIDTH - 1 - WIDE
ROWS = ("uberblock", "mos", "mos dnodes", "objset", "dnodes", "indirect")
LABELS = {
    "uberblock": ("uberblock", ""), "mos": ("MOS", "object set"), "mos dnodes": ("", "dnodes"),
    "objset": ("tank/home", "object set"), "dnodes": ("", "dnodes"), "indirect": ("/file", "indirect, L1"),
}  # fmt: skip
DATA = 37  # how much lower than the row grid the file's blocks are, for the lines that spread above them
STYLES = {
    "old": {"stroke": "ink-2"}, "new": {"fill": "zfs", "fill_opacity": "0.14", "stroke": "zfs", "stroke_width": 1.75},
    "free": {"stroke": "ink-2", "stroke_dasharray": "3 3"}, "kept": {"stroke": "ink", "stroke_width": 1.75},
}  # fmt: skip

LINES = {
    "old": {"stroke": "ink-2"}, "new": {"stroke": "zfs", "stroke_width": 1.75},
    "snapshot": {"stroke": "ink", "stroke_dasharray": "5 3"},
}  # fmt: skip


def top(row: str) -> float:
    """Where a row of boxes begins; there is a line of words below the MOS's dnodes."""
    n = ROWS.index(row) if row in ROWS else len(ROWS)
    return TOP + n * (HIGH + GAP) + (n > 2) * 10


def draw(told: "Run", moment: "Moment") -> str:
    """The trees at one moment."""
    return Picture(told, moment).drawn()


class Picture:
    """The parts of one figure: boxes by what they are, lines by tree, words in two faces."""

    def __init__(self, told: "Run", moment: "Moment") -> None:
        self.told, self.moment = told, moment
        self.mono: list[str] = []
        self.words: list[str] = []
        self.boxes: list[str] = []
        self.lines = {"old": "", "new": "", "snapshot": ""}
        self.leaves = [name for name in told.new if name.startswith("L0")]
        self.copied = [name for name in self.leaves if name in told.changed]
        self.step = WIDTH / (len(self.leaves) + len(self.copied))

    def drawn(self) -> str:
        told, moment = self.told, self.moment
        self._heads()
        self._tree("old", told.old, LEFT, ROWS[1:])
        self._tree("new", told.new, RIGHT, [row for row in ROWS[1:] if row in moment.written])
        self._uberblocks()
        self._mos()
        self._data()
        if told.snapshot:
            self._snapshot()
        height = top("data") + DATA + HIGH + 30
        verdict = f"power fails now: import finds txg {moment.opens_at}"
        colour = "zfs" if moment.opens_at == told.txg else "ink"
        return drawing(
            WIDTH, height, moment.says,
            *(element("path", d=self.lines[kind], fill="none", **look) for kind, look in LINES.items() if self.lines[kind]),
            *self.boxes,
            group(*self.mono, font_size=12, fill="ink", font_family="var(--mono, monospace)"),
            group(*self.words, font_size=12, fill="ink-2"),
            text(WIDTH - 1, height - 6, verdict, colour, "end", 14, font_weight="bold"),
        )  # fmt: skip

    def _word(self, x: float, y: float, words: str, anchor: str | None = None, **more: object) -> None:
        self.words.append(element("text", words, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor, **more))

    def _heads(self) -> None:
        self._word(LEFT + WIDE / 2, 14, f"the tree of txg {self.told.old_txg}", "middle", font_size=13)
        if self.moment.written:
            self._word(RIGHT + WIDE / 2, 14, f"the tree of txg {self.told.txg}", "middle", font_size=13)
        for row, (name, kind) in LABELS.items():
            if name:
                self._word(0, top(row) + (16 if kind else 24), name, fill="ink", font_size=13)
            self._word(0, top(row) + (32 if name else 24), kind)

    def _box(self, x: float, y: float, wide: float, kind: str, high: float = HIGH) -> None:
        self.boxes.append(rect(x, y, wide, high, **{"fill": "none", "rx": 3, **STYLES[kind]}))

    def _mono(self, x: float, y: float, words: str, anchor: str | None = None, fill: str | None = None) -> None:
        self.mono.append(element("text", words, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor, fill=fill))

    def _tree(self, kind: str, tree: "Tree", x: float, rows: Sequence[str]) -> None:
        """A column of boxes, each with the pointer to the one below; a line to it, wherever it is."""
        for row in rows:
            y, pointer = top(row), tree[row]
            state = "new" if kind == "new" else self.moment.fate.get(row, "old")
            self._box(x, y, WIDE, state)
            self._mono(x + 6, y + 15, f"{where(pointer)} ×{len(pointer.dvas)}")
            if state != "old":
                self._word(x + WIDE - 6, y + 15, state, "end", fill="zfs" if state == "new" else "ink", font_weight="bold")
            elif row == "objset" and self.told.snapshot:
                self._word(x + WIDE - 6, y + 15, "@old’s", "end")
            self._mono(x + 6, y + 31, self._holds(row, tree))
            if row != "indirect":
                self._down(kind, x, row, ROWS[ROWS.index(row) + 1])

    def _holds(self, row: str, tree: "Tree") -> str:
        if row == "indirect":
            name = (self.copied or self.leaves[2:3])[-1]
            return f"[{name[3:]}]→{where(tree[name])} {digits(tree[name])}"
        below = ROWS[ROWS.index(row) + 1]
        return f"→ {where(tree[below])} {digits(tree[below])}"

    def _down(self, kind: str, x: float, row: str, below: str) -> None:
        """The line from a box to the next block: straight down, or over to the old tree for a block that did not change."""
        old = kind == "old" or below not in self.told.changed
        start, end = x + WIDE / 2, (LEFT if old else RIGHT) + WIDE / 2
        y = top(row) + HIGH
        self.lines[kind] += f"M{start:g} {y:g}L{end:g} {top(below):g}"

    def _uberblocks(self) -> None:
        told, y = self.told, top("uberblock")
        for kind, txg, x, shown in (
            ("old", told.old_txg, LEFT, True), ("new", told.txg, RIGHT, self.moment.rooted)
        ):  # fmt: skip
            if not shown:
                if self.moment.written:
                    self._box(x, y, WIDE, "free")
                    self._word(x + WIDE / 2, y + 24, f"slot {slot_of(txg, 9)}: not written yet", "middle")
                continue
            self._box(x, y, WIDE, kind)
            self._mono(x + 6, y + 15, f"slot {slot_of(txg, 9)}, txg {txg}")
            pointer = (told.old if kind == "old" else told.new)["mos"]
            self._mono(x + 6, y + 31, f"→ {where(pointer)} {digits(pointer)}")
            if kind == "new":
                self._word(x + WIDE - 6, y + 15, "new", "end", fill="zfs", font_weight="bold")
            self.lines[kind] += f"M{x + WIDE / 2:g} {y + HIGH:g}V{top('mos'):g}"

    def _mos(self) -> None:
        y = top("mos dnodes") + HIGH + 15
        self._word(LEFT + WIDE / 2 - 8, y, f"MOS: {self.told.mos_blocks} blocks", "end")
        if "mos" in self.moment.written:
            self._word(RIGHT + WIDE / 2 + 8, y, f"{self.told.mos_new} are new")

    def _data(self) -> None:
        """The file's blocks in a row: the old ones, and the new ones behind them."""
        y = top("data") + DATA
        self._word(0, y - 8, "data, L0")
        for n, name in enumerate(self.leaves):
            self._leaf(n * self.step, y, name, self.moment.fate.get(name, "old"), self.told.old)
            self._fan("old", LEFT, n)
        for n, name in enumerate(self.copied, len(self.leaves)):
            if name in self.moment.written:
                self._leaf(n * self.step, y, name, "new", self.told.new)
        if "indirect" in self.moment.written:
            for n, name in enumerate(self.leaves):
                self._fan("new", RIGHT, len(self.leaves) + self.copied.index(name) if name in self.copied else n)

    def _leaf(self, x: float, y: float, name: str, kind: str, tree: "Tree") -> None:
        wide = self.step - 4
        self._box(x + 2, y, wide, kind)
        label = f"{name[3:]} {kind}" if kind != "old" else name[3:]
        colour, weight = {"new": ("zfs", "bold"), "old": (None, None)}.get(kind, ("ink", "bold"))
        self._word(x + 2 + wide / 2, y + 15, label, "middle", fill=colour, font_weight=weight)
        address = where(tree[name])
        if 7.25 * len(address) > wide - 2:
            address = address.rpartition(":")[0]
        self._mono(x + 2 + wide / 2, y + 31, address, "middle")

    def _fan(self, kind: str, x: float, place: int) -> None:
        """From an indirect block to the data block at a place of the row."""
        start = f"M{x + WIDE / 2:g} {top('indirect') + HIGH:g}"
        self.lines[kind] += f"{start}L{(place + 0.5) * self.step:g} {top('data') + DATA:g}"

    def _snapshot(self) -> None:
        """The snapshot's pointer to the old object set, from the MOS that will count."""
        if "mos" in self.moment.written:
            start, end = RIGHT + 24, LEFT + WIDE - 24
            self.lines["snapshot"] += f"M{start:g} {top('mos dnodes') + HIGH:g}L{end:g} {top('objset'):g}"
            self._word((start + end) / 2 + 14, top("objset") - 4, "@old", fill="ink")


def where(pointer: "Blkptr") -> str:
    """The first address in zdb's notation."""
    return pointer.dvas[0].describe().strip("<>")


def digits(pointer: "Blkptr") -> str:
    """The end of the checksum's first word, where a small change shows."""
    return f"{pointer.cksum[0]:x}"[-6:]
