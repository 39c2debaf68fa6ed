"""The post of 16 August 2011 and everything known about it, as data.

The text is one archived copy, byte for byte; every line of it has a record that says what it is, in which language,
what it means in English and where the book explains it. Beside it stand the facts with their confidence, the data
computed from the public repositories, and the bibliography.

Left out: whatever no source gave. A record says so where it matters.
"""

from smartos.post.damage import Damage, damage
from smartos.post.datasets import (
    BrandEntry,
    Commit,
    LicenceCount,
    LicenceFile,
    commits,
    exit_reasons,
    kvm_brand,
    kvmstat,
    licence_counts,
    licence_files,
    quantize_readme,
    sdt_probes,
    slides,
    zones_perf,
)
from smartos.post.guests import Guest, guests
from smartos.post.lines import SECTIONS, Line, lines, text
from smartos.post.links import Link, links
from smartos.post.press import TERMS, Article, Held, press, term_matrix, texts
from smartos.post.sources import CONFIDENCE, Event, Fact, bibliography, fact, facts, timeline

__all__ = [
    "CONFIDENCE", "SECTIONS", "TERMS", "Article", "BrandEntry", "Commit", "Damage", "Event", "Fact", "Guest", "Held", "LicenceCount",
    "LicenceFile", "Line", "Link", "bibliography", "commits", "damage", "exit_reasons", "fact", "facts", "guests",
    "kvm_brand", "kvmstat", "licence_counts", "licence_files", "lines", "links", "press", "quantize_readme", "sdt_probes", "slides",
    "term_matrix", "text", "texts", "timeline", "zones_perf",
]  # fmt: skip
