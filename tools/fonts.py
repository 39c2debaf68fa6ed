"""Cut the book's typefaces down to the characters that its text needs, and match their fallbacks to them.

The fallbacks are the metric-compatible families that every system has under one name or another; each is scaled to the
average width of the face it stands in for, so that a page does not move when the face arrives.
"""

from dataclasses import dataclass
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

UNICODES = [*range(0x20, 0x7F), 0xA0, *range(0xA7, 0xAF), *range(0xB0, 0xB8), *range(0xBB, 0xC0), *range(0xC0, 0x100)]
UNICODES += [0x2010, 0x2011, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2020, 0x2022, 0x2026, 0x2032, 0x2033]
UNICODES += [0x2039, 0x203A, 0x20AC, 0x2122, *range(0x2190, 0x2194), 0x2212, 0x2248, 0x2264, 0x2265]
FEATURES = ["kern", "liga", "ccmp", "locl", "mark", "mkmk", "tnum", "pnum"]
SAMPLE = (
    "A block is written before anything points at it, and every pointer carries the checksum of what it leads to. "
    "A probe that nobody enabled costs nothing; zones share one kernel, so a process in one is a process of it."
)


@dataclass(frozen=True)
class Face:
    """One cut of a family: where npm keeps it, and the system families that stand in until it is there.

    `stand_in_width` is the stand-in's average advance over SAMPLE in ems, measured on the Liberation fonts, whose
    widths are those of Times, Arial and Courier by design.
    """

    family: str
    package: str
    weight: int
    style: str
    stand_in: tuple[str, ...]
    stand_in_width: float

    @property
    def source(self) -> str:
        return f"@fontsource/{self.package}/files/{self.package}-latin-{self.weight}-{self.style}.woff2"

    @property
    def file(self) -> str:
        return f"{self.package}-{self.weight}{'i' if self.style == 'italic' else ''}.woff2"


SERIF = ("Times New Roman", "Times", "Liberation Serif", "Tinos", "Nimbus Roman")
SANS = ("Arial", "Helvetica", "Liberation Sans", "Arimo", "Nimbus Sans")
MONO = ("Courier New", "Courier", "Liberation Mono", "Cousine", "Nimbus Mono PS")

FACES = [
    Face("Source Serif 4", "source-serif-4", 400, "normal", SERIF, 0.3911),
    Face("Source Serif 4", "source-serif-4", 400, "italic", SERIF, 0.3925),
    Face("Source Serif 4", "source-serif-4", 600, "normal", SERIF, 0.4147),
    Face("Source Sans 3", "source-sans-3", 400, "normal", SANS, 0.4331),
    Face("Source Sans 3", "source-sans-3", 600, "normal", SANS, 0.4686),
    Face("IBM Plex Mono", "ibm-plex-mono", 400, "normal", MONO, 0.6001),
]


def average_width(font: TTFont) -> float:
    """The mean advance of SAMPLE's characters, in ems."""
    names, advances = font.getBestCmap(), font["hmtx"]
    return sum(advances[names[ord(c)]][0] for c in SAMPLE) / len(SAMPLE) / font["head"].unitsPerEm


def cut(source: Path, target: Path) -> int:
    """Write the subset of one face as WOFF2; returns its size in bytes."""
    options = subset.Options()
    options.flavor, options.hinting, options.layout_features = "woff2", False, FEATURES
    options.notdef_outline, options.name_IDs = True, [0, 1, 2, 13, 14]
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=UNICODES)
    cutter.subset(font)
    target.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(target), options)
    return target.stat().st_size


def rules(face: Face, font: TTFont) -> str:
    """The CSS that loads a face, and the one that scales its stand-in to it."""
    scale = average_width(font) / face.stand_in_width
    em, lines = font["head"].unitsPerEm, font["hhea"]
    bold = " Bold" if face.weight > 400 else ""
    italic = " Italic" if face.style == "italic" else ""
    local = ", ".join(f'local("{name}{bold}{italic}")' for name in face.stand_in)
    shape = f"font-weight: {face.weight}; font-style: {face.style};"
    return (
        f'@font-face {{ font-family: "{face.family}"; {shape} font-display: swap; '
        f'src: url("fonts/{face.file}") format("woff2"); }}\n'
        f'@font-face {{ font-family: "{face.family} stand-in"; {shape} src: {local}; '
        f"size-adjust: {scale:.1%}; ascent-override: {lines.ascent / em / scale:.1%}; "
        f"descent-override: {-lines.descent / em / scale:.1%}; line-gap-override: 0%; }}\n"
    )


def write_fonts(modules: Path, target: Path) -> str:
    """Write every face under `target`/fonts and return the CSS that goes with them."""
    css, total = [], 0
    for face in FACES:
        source = modules / face.source
        total += cut(source, target / "fonts" / face.file)
        css.append(rules(face, TTFont(source)))
    print(f"assets: {len(FACES)} typefaces, {total / 1000:.0f} kB", flush=True)
    return "".join(css)
