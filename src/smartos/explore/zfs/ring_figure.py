"""The drawing of the uberblock ring: four labels as rings of slots, and the two trees that a root may point to.

Left out: everything that is not in the moment it is given; see :mod:`smartos.explore.zfs.ring`.
"""

from math import cos, radians, sin
from typing import TYPE_CHECKING

from smartos.explore.kit.svg import drawing, element, group, line, rect, text

if TYPE_CHECKING:
    from smartos.explore.zfs.ring import Moment

WIDTH, HEIGHT = 440, 304
X, Y, OUTER, THICK, NAMES = 148, 152, 126, 16, 137
BOX, WIDE = 312, 122
TREES = {"old": (40, 96), "new": (168, 96)}  # of each tree's box: top, height


def _at(radius: float, turn: float) -> str:
    angle = radians(turn - 90)
    return f"{X + radius * cos(angle):.1f} {Y + radius * sin(angle):.1f}"


def cell(label: int, slot: int, slots: int) -> str:
    """A slot of a label as a path; L0 is the outermost ring, slot 0 is at the top."""
    far, near = OUTER - label * THICK, OUTER - (label + 1) * THICK
    start, end = (slot - 0.5) * 360 / slots, (slot + 0.5) * 360 / slots
    return f"M{_at(far, start)}A{far} {far} 0 0 1 {_at(far, end)}L{_at(near, end)}A{near} {near} 0 0 0 {_at(near, start)}z"


def draw(moment: "Moment", slot: int, slots: int, last: int) -> str:
    """One moment. `slot` is the one that txg `last` is written to."""
    parts = [*_grid(slots), *_cells(moment, slots, last), *_numbers(moment, slots)]
    parts += [*_middle(moment, slot, slots, last), *_trees(moment, slot, slots, last)]
    return drawing(WIDTH, HEIGHT, moment.says, *parts)


def _grid(slots: int) -> list[str]:
    """The full rings in a tint, and the lines between labels and slots."""
    middle, wide = OUTER - 2 * THICK, 4 * THICK
    tint = element("circle", cx=X, cy=Y, r=middle, fill="none", stroke="zfs", stroke_width=wide, stroke_opacity="0.13")
    turns = [(n + 0.5) * 360 / slots for n in range(slots)]
    spokes = "".join(f"M{_at(OUTER, turn)}L{_at(OUTER - wide, turn)}" for turn in turns)
    circles = [element("circle", cx=X, cy=Y, r=OUTER - n * THICK) for n in range(5)]
    return [tint, group(element("path", d=spokes), *circles, fill="none", stroke="rule")]


def _cells(moment: "Moment", slots: int, last: int) -> list[str]:
    """What is not an old root that verifies: empty, the one before the last, the last, torn; and the winner's outline."""
    kinds: dict[str, str] = dict.fromkeys(("empty", "before", "last", "bad"), "")
    crosses = ""
    for label, row in enumerate(moment.labels):
        for n, (kind, txg) in enumerate(row):
            what = kind if kind != "valid" else {last - 1: "before", last: "last"}.get(txg, "")
            if what:
                kinds[what] += cell(label, n, slots)
            if kind == "bad":
                radius, turn = OUTER - (label + 0.5) * THICK, n * 360 / slots
                x, y = map(float, _at(radius, turn).split())
                crosses += f"M{x - 4:g} {y - 4:g}l8 8m0-8l-8 8"
    looks = {
        "empty": {"fill": "paper", "stroke": "rule"}, "before": {"fill": "zfs", "fill_opacity": "0.5", "stroke": "zfs"},
        "last": {"fill": "zfs", "stroke": "zfs"}, "bad": {"fill": "paper", "stroke": "accent", "stroke_width": "1.75"},
    }  # fmt: skip
    found = [element("path", d=kinds[kind], **look) for kind, look in looks.items() if kinds[kind]]
    if crosses:
        found.append(element("path", d=crosses, fill="none", stroke="accent", stroke_width=2))
    if moment.read and moment.read.txg:
        won = "".join(
            cell(label, n, slots)
            for label, row in enumerate(moment.labels) for n, state in enumerate(row) if state == ("valid", moment.read.txg)
        )  # fmt: skip
        found.append(element("path", d=won, fill="none", stroke="ink", stroke_width=2.5))
    return found


def _numbers(moment: "Moment", slots: int) -> list[str]:
    """The transaction group of each slot around the ring; where labels differ, the newest."""
    names, bold = [], ""
    for n in range(slots):
        held = sorted({row[n][1] for row in moment.labels if row[n][0] == "valid"})
        x, y = map(float, _at(NAMES, n * 360 / slots).split())
        words = str(held[-1]) if held else "–"
        made = element("text", words, x=f"{x:g}", y=f"{y + 4:g}")
        if moment.read and moment.read.txg in held:
            bold = group(made, fill="ink", text_anchor="middle", font_size=13, font_weight="bold")
        else:
            names.append(made)
    return [group(*names, fill="ink-2", text_anchor="middle", font_size=12), bold]


def _middle(moment: "Moment", slot: int, slots: int, last: int) -> list[str]:
    """The labels' names on the rings, and in the centre what is going on."""
    names = [element("text", f"L{n}", x=X, y=f"{Y - OUTER + (n + 0.5) * THICK + 4:g}") for n in range(4)]
    found = [group(*names, fill="ink", text_anchor="middle", font_size=12)]
    best = f"txg {moment.read.txg}" if moment.read and moment.read.txg else "nothing"
    words, colour = {
        "write": ((f"{last} mod {slots}", f"= slot {slot}"), "ink-2"), "cut": (("power", "cut"), "accent"),
        "read": (("reading", "the rings"), "ink"), "pick": ((best, "is best"), "ink"), "found": ((best, "wins"), "ink"),
    }[moment.phase]  # fmt: skip
    weight = None if moment.phase == "write" else "bold"
    for n, line_ in enumerate(words):
        found.append(text(X, Y - 4 + 18 * n, line_, colour, "middle", 14, font_weight=weight))
    return found


def _trees(moment: "Moment", slot: int, slots: int, last: int) -> list[str]:
    """The trees of the last two groups, and the line from the root that points to each."""
    found = []
    for name, txg, at in (("old", last - 1, (slot - 1) % slots), ("new", last, slot)):
        top, high = TREES[name]
        pointed = any(row[at] == ("valid", txg) for row in moment.labels)
        whole = name == "old" or moment.landed == moment.blocks
        chosen = moment.read is not None and moment.read.txg == txg
        begun = name == "old" or moment.landed
        if pointed:
            start = _at(NAMES + 12, at * 360 / slots).split()
            look = {"stroke": "ink", "stroke_width": 2.5} if chosen else {"stroke": "ink-2"}
            found.append(line(*map(float, start), BOX, top + high / 2, **look))
        dash = None if whole else "4 3"
        colour = "zfs" if begun else "rule"
        thick = 2.5 if chosen else 1.5
        found.append(rect(BOX, top, WIDE, high, "none", colour, stroke_width=thick, stroke_dasharray=dash, rx=4))
        found.append(text(BOX + 10, top + 22, f"tree of txg {txg}", "ink" if begun else "ink-2", size=14))
        found += _state(moment, name, top)
        if moment.phase == "found":
            found += _outcome(moment, txg, top, pointed)
    return found


def _outcome(moment: "Moment", txg: int, top: float, pointed: bool) -> list[str]:
    """What an import found of a tree."""
    if txg in moment.read.failed:
        words, good = "✗ has holes", False
    elif txg == moment.read.txg:
        good = not moment.read.errors
        words = f"{'✓' if good else '✗'} file: {moment.read.words}"
    else:
        words = "" if pointed or not moment.landed else "without a root"
        return [text(BOX + 10, top + 82, words, "ink-2")] if words else []
    return [text(BOX + 10, top + 82, words, "ink" if good else "accent", size=13, font_weight="bold")]


def _state(moment: "Moment", name: str, top: float) -> list[str]:
    """How much of a tree is on the disk."""
    if name == "old":
        return [text(BOX + 10, top + 46, "stays in place", "ink-2")]
    width, share = WIDE - 20, moment.landed / moment.blocks
    bar = rect(BOX + 10, top + 54, width, 7, stroke="rule") + rect(BOX + 10, top + 54, width * share, 7, "zfs", "none")
    return [text(BOX + 10, top + 46, f"{moment.landed} of {moment.blocks} blocks", "ink-2"), bar]
