"""One glyph for each technology of the post, drawn as lines on a 24 by 24 grid, and the colour that goes with it.

The shapes differ as much as the colours do: a tree of blocks, a probe on a line, cells in a wall, a chip in a box,
lanes that cross. A reader who sees no colour can still tell them apart.

Left out: any likeness to a logo of the real projects. The definitions are this book's own words.
"""

from dataclasses import dataclass
from html import escape

from smartos.explore.kit.svg import element


@dataclass(frozen=True)
class Tech:
    """A technology: its name as the post writes it, its palette colour, and what it is in one line."""

    title: str
    colour: str
    is_: str


TECHS = {
    "zfs": Tech("ZFS", "zfs", "File system and volume manager in one: a pool of disks, a tree of checksummed blocks."),
    "dtrace": Tech("DTrace", "dtrace", "Questions to a running system, answered at named points; free while unasked."),
    "zones": Tech("Zones", "zones", "Isolated systems that share one kernel; a process in a zone is a process of it."),
    "kvm": Tech("KVM", "kvm", "A kernel module that lets a process run a guest on the real processor."),
    "crossbow": Tech("Crossbow", "crossbow", "Virtual network cards, each with its own lane through the kernel."),
}  # fmt: skip

GLYPHS = {
    "zfs": "M9.5 2.5h5v5h-5zM3.5 16.5h5v5h-5zM15.5 16.5h5v5h-5zM12 7.5v4.5M6 16.5v-4.5h12v4.5",
    "dtrace": "M2 16.5h20M6 14v5M18 14v5M12 16.5v-6M12 10.5a4 4 0 1 0 0-8a4 4 0 0 0 0 8zM12 6.5v.01",
    "zones": "M2.5 3.5h19v17h-19zM5.5 6.5h5v11h-5zM13.5 6.5h5v4h-5zM13.5 13.5h5v4h-5z",
    "kvm": "M2.5 2.5h19v19h-19zM8.5 8.5h7v7h-7z"
    "M10.5 8.5v-3M13.5 8.5v-3M10.5 18.5v-3M13.5 18.5v-3M8.5 10.5h-3M8.5 13.5h-3M18.5 10.5h-3M18.5 13.5h-3",
    "crossbow": "M2 5h5c5 0 5 14 10 14h5M2 19h5c5 0 5-14 10-14h5M2 12h6M16 12h6M19.5 9.5l2.5 2.5l-2.5 2.5",
}  # fmt: skip


def check(name: str) -> None:
    """Raises ValueError for a technology that has no glyph."""
    if name not in GLYPHS:
        raise ValueError(f"there is no glyph for {name!r}; the technologies are {', '.join(GLYPHS)}")


def outline(name: str, **more: object) -> str:
    """The glyph's path alone, stroked in its colour, for drawing inside another figure."""
    check(name)
    return element(
        "path", d=GLYPHS[name], fill="none", stroke=TECHS[name].colour, stroke_width=more.pop("stroke_width", 1.5),
        stroke_linecap="round", stroke_linejoin="round", **more,
    )  # fmt: skip


def glyph(name: str, size: float = 24, label: str | None = None) -> str:
    """The glyph as an SVG of `size` pixels; hidden from assistive technology unless `label` says what it stands for."""
    check(name)
    said = f'role="img" aria-label="{escape(label, quote=True)}"' if label else 'aria-hidden="true" focusable="false"'
    weight = 1.5 if size >= 20 else 1.9
    return (
        f'<svg class="glyph" {said} viewBox="0 0 24 24" width="{size:g}" height="{size:g}">'
        f"{outline(name, stroke_width=weight)}</svg>"
    )
