"""The source files of the four repositories on launch day, drawn by area and sorted by the licence each one names.

A file belongs to one family, read off its tag: the licences whose notices stand in its first 8 KiB (facts L1 to L8).

Left out: files that are not source, notices further down than 8 KiB, and what a licence file beside a source file says
about it; such a file counts as naming no licence.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from smartos.explore.kit import svg
from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.squarify import Box, squarify
from smartos.post.datasets import LicenceFile, licence_files

WIDTH, HEIGHT, HEADER, FONT = 440, 340, 20, 14
REST = "other folders"


@dataclass(frozen=True)
class Family:
    """A kind of licence: the short name on its tiles, the full name, the fill under its hatch, the hatch's stroke."""

    short: str
    name: str
    fill: str
    hatch: str
    slant: int


FAMILIES = {
    "cddl": Family("CDDL", "CDDL", "paper", "rule", 45),
    "gpl": Family("GPL", "GPL alone", "accent", "", 0),
    "gpl-with": Family("GPL+", "GPL with another", "paper", "accent", 135),
    "lgpl": Family("LGPL", "LGPL", "paper", "accent", 0),
    "mit": Family("MIT", "MIT", "paper", "ink-2", 90),
    "kin": Family("BSD", "BSD, ISC and kin", "paper", "ink-2", 45),
    "none": Family("none", "no licence named", "paper", "", 0),
}


@dataclass(frozen=True)
class Scope:
    """A part of a repository: its name in a sentence, its repository, the path it starts at, what it leaves out."""

    name: str
    repo: str
    start: str = ""
    without: tuple[str, ...] = ()

    def files(self) -> list[LicenceFile]:
        return [
            LicenceFile(file.path.removeprefix(self.start), file.licence, file.size)
            for file in licence_files(self.repo)
            if file.path.startswith(self.start) and not file.path.startswith(self.without)
        ]


SCOPES = {
    "kernel": Scope("the illumos kernel", "illumos-joyent", "usr/src/uts/"),
    "illumos": Scope("the whole illumos tree", "illumos-joyent", "usr/src/"),
    "port": Scope("the KVM port itself", "illumos-kvm", without=("linux/", "tools/")),
    "kvm": Scope("all of illumos-kvm", "illumos-kvm"),
    "qemu": Scope("QEMU in illumos-kvm-cmd", "illumos-kvm-cmd"),
    "live": Scope("the build in smartos-live", "smartos-live"),
}

MEASURES = {"files": "number of files", "bytes": "bytes"}
Key = Callable[[LicenceFile], str]

GROUPINGS = {"licence": "licence, then folder", "folder": "folder, then licence"}

def family(tag: str) -> str:
    """The family of a licence tag such as `CDDL+BSD`; a file that names the GPL beside another licence is its own."""
    named = set(tag.split("+"))
    if named & {"no-notice", "copyright-only"}:
        return "none"
    if "GPL" in named:
        return "gpl" if len(named) == 1 else "gpl-with"
    for licence in ("LGPL", "CDDL"):
        if licence in named:
            return licence.lower()
    return "mit" if named == {"MIT"} else "kin"


def _kind(file: LicenceFile) -> str:
    return family(file.licence)


def folder(path: str, depth: int) -> str:
    """The first `depth` folders of a path; a file at the top stands for itself."""
    parts = path.split("/")
    return "/".join(parts[: min(depth, len(parts) - 1)]) or path


def _sums(files: Iterable[LicenceFile], key: Key, measure: str, most: int) -> list[tuple[str, int]]:
    """Sizes by key, largest first; what comes after the first `most` is one rest, in its place by size."""
    sums: Counter[str] = Counter()
    for file in files:
        sums[key(file)] += file.size if measure == "bytes" else 1
    ranked = _ranked((k, n) for k, n in sums.items() if n)
    head, rest = ranked[:most], ranked[most:]
    return _ranked([*head, (REST, sum(n for _, n in rest))]) if rest else head


def _ranked(sums: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(sums, key=lambda pair: (-pair[1], pair[0]))


def _fits(words: str, width: float, height: float) -> bool:
    letters = sum(0.68 if letter.isupper() else 0.53 for letter in words)
    return letters * FONT + 5 <= width and height >= FONT + 4


class Drawing:
    """A treemap being drawn, in layers, so that a tile costs only its place and its fill.

    The names of the port's files drop their common `kvm_`.
    """

    def __init__(self, ident: str) -> None:
        self.ident, self.kinds = ident, set[str]()
        self.tiles: list[str] = []
        self.heads: list[str] = []
        self.frames: list[str] = []
        self.words: list[str] = []
        self.light: list[str] = []

    def tile(self, box: Box, kind: str, words: str = "") -> None:
        """One box in its family's hatch, labelled where there is room."""
        x, y, width, height = _whole(box)
        if width < 1 or height < 1:
            return
        self.kinds.add(kind)
        fill = f"url(#{self.ident}-{kind})" if FAMILIES[kind].hatch else FAMILIES[kind].fill
        self.tiles.append(_rect(x, y, width, height, fill=fill, stroke="paper" if kind == "gpl" else None))
        words = words.removeprefix("kvm_")
        if words and _fits(words, width, height):
            (self.light if kind == "gpl" else self.words).append(_words(x + 4, y + FONT + 1, words))

    def head(self, box: Box, words: str) -> None:
        """The strip over a group, with its name."""
        x, y, width, height = _whole(box)
        self.heads.append(_rect(x, y, width, height))
        self.words.append(_words(x + 4, y + 15, words, font_weight="bold"))

    def frame(self, box: Box) -> None:
        """The outline of a group."""
        self.frames.append(_rect(*_whole(box)))

    def svg(self, height: float, label: str) -> str:
        hatches = "".join(self._hatch(kind) for kind in sorted(self.kinds) if FAMILIES[kind].hatch)
        return svg.drawing(
            WIDTH, height, label, svg.element("defs", hatches) if hatches else "",
            svg.group(*self.tiles, stroke="ink-2", stroke_width=0.5),
            svg.group(*self.heads, fill="paper", stroke="ink-2", stroke_width=0.5),
            svg.group(*self.frames, fill="none", stroke="ink", stroke_width=1.5),
            svg.group(*self.words, fill="ink", stroke="paper", stroke_width=4, paint_order="stroke", font_size=FONT),
            svg.group(*self.light, fill="paper", font_size=FONT),
        )  # fmt: skip

    def _hatch(self, kind: str) -> str:
        look = FAMILIES[kind]
        marks = svg.rect(0, 0, 7, 7, fill=look.fill, stroke="none") + svg.line(0, 0, 0, 7, look.hatch, stroke_width=2.5)
        return svg.element(
            "pattern", marks, id=f"{self.ident}-{kind}", width=7, height=7,
            patternUnits="userSpaceOnUse", patternTransform=f"rotate({look.slant})",
        )  # fmt: skip


def _whole(box: Box) -> tuple[int, int, int, int]:
    """A box on whole units, so that neighbours share an edge."""
    x, y, right, bottom = round(box[0]), round(box[1]), round(box[0] + box[2]), round(box[1] + box[3])
    return x, y, right - x, bottom - y


def _rect(x: int, y: int, width: int, height: int, **more: object) -> str:
    return svg.element("rect", x=x, y=y, width=width, height=height, **more)


def _words(x: float, y: float, words: str, **more: object) -> str:
    return svg.element("text", escape(words), x=f"{x:g}", y=f"{y:g}", **more)


def treemap(scope: str, measure: str, grouping: str) -> str:
    """The files of a scope as an SVG treemap in two levels, over a key with the share of each family."""
    files, by_licence = SCOPES[scope].files(), grouping == "licence"
    kinds = _sums(files, _kind, measure, len(FAMILIES))
    outer = kinds if by_licence else _sums(files, lambda f: folder(f.path, 1), measure, 45 if scope == "port" else 9)
    known = {name for name, _ in outer}
    groups: dict[str, list[LicenceFile]] = {name: [] for name in known}
    for file in files:
        name = _kind(file) if by_licence else folder(file.path, 1)
        groups[name if name in known else REST].append(file)
    drawing = Drawing(f"licences-{scope}-{measure}-{grouping}")
    for (name, _), box in zip(outer, squarify([n for _, n in outer], (0, 0, WIDTH, HEIGHT)), strict=True):
        if groups[name]:
            _nest(drawing, name, groups[name], box, measure, by_licence)
    _key(drawing, kinds)
    return drawing.svg(HEIGHT + 12 + (len(kinds) + 1) // 2 * 24, sentence(scope, measure))


def _nest(drawing: Drawing, name: str, files: list[LicenceFile], box: Box, measure: str, by_licence: bool) -> None:
    """One group of the outer level, cut again by the other criterion."""
    inner = _sums(files, (lambda f: folder(f.path, 2)) if by_licence else _kind, measure, 45 if len(files) < 46 else 12)
    words = FAMILIES[name].short if by_licence else name
    x, y, width, height = box
    head = HEADER if len(inner) > 1 and _fits(words, width, height - HEADER) else 0
    places = squarify([n for _, n in inner], (x, y + head, width, height - head))
    for (part, _), place in zip(inner, places, strict=True):
        label = words if len(inner) == 1 else part if by_licence else FAMILIES[part].short
        drawing.tile(place, name if by_licence else part, label)
    if head:
        drawing.head((x, y, width, head), words)
    drawing.frame(box)


def _key(drawing: Drawing, sums: Sequence[tuple[str, int]]) -> None:
    """The families by size, each with its hatch and its share."""
    total = sum(n for _, n in sums)
    for i, (kind, count) in enumerate(sums):
        x, y = (i % 2) * WIDTH / 2 + 1, HEIGHT + 12 + (i // 2) * 24
        drawing.tile((x, y, 20, 16), kind)
        drawing.words.append(_words(x + 26, y + 13, f"{FAMILIES[kind].name}: {100 * count / total:.1f} %"))


def counted(scope: str) -> dict[str, tuple[int, int]]:
    """Files and bytes of each family of a scope, all seven families, in the order of :data:`FAMILIES`."""
    sums = {kind: [0, 0] for kind in FAMILIES}
    for file in SCOPES[scope].files():
        sums[family(file.licence)][0] += 1
        sums[family(file.licence)][1] += file.size
    return {kind: (files, size) for kind, (files, size) in sums.items()}


def sentence(scope: str, measure: str) -> str:
    """What the treemap shows, in words."""
    sums = counted(scope)
    at = 1 if measure == "bytes" else 0
    total = sum(pair[at] for pair in sums.values())
    most = max(sums, key=lambda kind: sums[kind][at])
    alone = sums["gpl"][0]
    gpl = "none is" if not alone else f"{alone:,} is" if alone == 1 else f"{alone:,} are"
    what = "bytes" if at else "files"
    return (
        f"In {SCOPES[scope].name} at launch, {100 * sums[most][at] / total:.1f} % of the {what} are "
        f"{'in files that name' if at else 'marked'} {FAMILIES[most].name if most != 'none' else 'no licence'}; "
        f"of its {sum(pair[0] for pair in sums.values()):,} source files {gpl} under the GPL alone."
    )


def table(scope: str) -> Table:
    """The families of a scope with their files, size and largest folders."""
    files = SCOPES[scope].files()
    rows = []
    for kind, (count, size) in counted(scope).items():
        mine = [file for file in files if family(file.licence) == kind]
        places = ", ".join(f"{name} {n:,}" for name, n in _sums(mine, lambda f: folder(f.path, 2), "files", 3))
        rows.append([FAMILIES[kind].name, count, f"{100 * count / len(files):.1f} %", size // 1024, places or "–"])
    columns = ["what the file names", "files", "share of files", "KiB", "where"]
    return Table(columns, rows, f"Source files of {SCOPES[scope].name} at launch, by licence")


def _options(names: dict[str, str]) -> list[tuple[str, str]]:
    return list(names.items())


def frame(scope: str, measure: str, grouping: str) -> Frame:
    """One state: the treemap, its sentence, its values."""
    return Frame(treemap(scope, measure, grouping), sentence(scope, measure), table(scope))


def explorer() -> Explorer:
    """The treemap: which part, measured how, sorted by what first."""
    return Explorer(
        "licences", "What the files say about themselves, August 2011",
        frame,
        {
            "scope": Choice("Which files", [(key, scope.name) for key, scope in SCOPES.items()]),
            "measure": Choice("Area is", _options(MEASURES)),
            "grouping": Choice("Sorted by", _options(GROUPINGS)),
        },
        keys=[{"scope": "port", "grouping": "folder"}, {"scope": "illumos"}],
    )  # fmt: skip
