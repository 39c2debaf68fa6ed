"""The data computed from the public repositories, and the numbers that slides and papers print, as typed rows.

Counts over the port come from TritonDataCenter/illumos-kvm; licence tags from the first 8 KiB of each source file at
the launch commits (facts S2, L1 to L8). A tag names the licences whose notice is there; several are joined with `+`.
What a zone of the kvm brand may hold and see is that of the brand's two files at launch (facts N4 and N6).
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from smartos.post.files import rows

REPOSITORIES = ("illumos-joyent", "illumos-kvm", "illumos-kvm-cmd", "smartos-live")


@dataclass(frozen=True)
class Commit:
    """One commit of the port: counts of `#ifdef XXX`, `#ifndef XXX`, commented XXX, probe sites, lines of C.

    `driver` says whether it changes a `.c` or `.h` file; what does not changes the build, the tools or the text about
    them, or is a merge.
    """

    n: int
    commit: str
    date: datetime
    author: str
    ifdef_xxx: int
    ifndef_xxx: int
    commented_xxx: int
    probe_sites: int
    loc: int
    subject: str
    driver: bool


@dataclass(frozen=True)
class BrandEntry:
    """A line of the kvm brand: a privilege (default, prohibited or required) or a device that is let in.

    `ip_type` is exclusive or shared for an entry that holds only in a zone with, or without, an IP stack of its own.
    """

    kind: str
    name: str
    ip_type: str


@dataclass(frozen=True)
class LicenceCount:
    """How many files of a repository's scope carry a licence notice; `era` is launch or head."""

    repo: str
    commit: str
    date: str
    era: str
    scope: str
    licence: str
    files: int
    share: float


@dataclass(frozen=True)
class LicenceFile:
    """One source file at launch: its path, its licence tag, its size in bytes."""

    path: str
    licence: str
    size: int


def _typed(name: str, *texts: str) -> list[dict[str, object]]:
    """Rows whose columns are whole numbers, or floats, except the named ones."""

    def value(key: str, word: str) -> object:
        return word if key in texts else float(word) if "." in word else int(word)

    return [{key: value(key, word) for key, word in row.items()} for row in rows(name)]


@cache
def commits() -> tuple[Commit, ...]:
    """The port's commits in order; dates carry the author's own offset."""
    counts = ("ifdef_xxx", "ifndef_xxx", "commented_xxx", "probe_sites")
    touches = {r["commit"]: r["touches"] for r in rows("port_touches.csv")}
    return tuple(
        Commit(
            int(r["n"]), r["commit"], datetime.fromisoformat(r["author_date"]), r["author"],
            *(int(r[c]) for c in counts), int(r["loc_c_h"]), r["subject"], touches[r["commit"]] == "driver",
        )
        for r in rows("xxx_over_time.csv")
    )  # fmt: skip


def kvmstat() -> list[dict[str, object]]:
    """Slide 24: exits and their causes per second, per virtual CPU of two guests; columns as kvmstat names them."""
    return _typed("kvmstat_slide24.csv")


def exit_reasons() -> list[dict[str, object]]:
    """Slide 26: exits by reason in one second of one virtual CPU."""
    return _typed("exit_reasons_slide26.csv", "reason")


def quantize_readme() -> list[dict[str, object]]:
    """The README's quantize(): lower bound of each bucket in ns, its count, the @ signs of its bar."""
    return _typed("quantize_readme.csv")


def slides() -> list[dict[str, object]]:
    """The deck's pages: number, title, a summary in our words, what data the page has."""
    return _typed("slides.csv", "title", "summary_in_own_words", "has_data")


def sdt_probes(era: str = "announce-2011-08-13") -> list[dict[str, object]]:
    """The port's DTrace probe sites: name, macro, arguments, file, line. Raises ValueError for another era."""
    found = [r for r in _typed("kvm_sdt_probes.csv", "era", "commit", "probe_name_as_seen_in_dtrace", "macro", "file",
                               "arg_types") if r["era"] == era]  # fmt: skip
    if not found:
        eras = sorted({r["era"] for r in rows("kvm_sdt_probes.csv")})
        raise ValueError(f"no probes for the era {era!r}; the eras are {', '.join(eras)}")
    return found


def zones_perf() -> list[dict[str, object]]:
    """Figure 7 of the zones paper: each workload in the base system and in a zone, in the paper's units."""
    return _typed("zones_perf_lisa2004.csv", "workload")


@cache
def kvm_brand() -> tuple[BrandEntry, ...]:
    """What the kvm brand of launch lets a zone hold and see, in the order of its config.xml and platform.xml."""
    return tuple(BrandEntry(r["kind"], r["name"], r["ip_type"]) for r in rows("kvm_brand_launch.csv"))


@cache
def licence_counts() -> tuple[LicenceCount, ...]:
    """Files by licence for each repository, era and scope."""
    return tuple(
        LicenceCount(r["repo"].partition("/")[2], r["commit"], r["commit_date"], r["era"], r["scope"],
                     r["licence_guess"], int(r["files"]), float(r["share_of_scope"]))
        for r in rows("licenses.csv")
    )  # fmt: skip


@cache
def licence_files(repo: str) -> tuple[LicenceFile, ...]:
    """Every source file of a repository at launch. Raises ValueError for a repository that is not one of the four."""
    if repo not in REPOSITORIES:
        raise ValueError(f"no licences are held for {repo!r}; the repositories are {', '.join(REPOSITORIES)}")
    found = rows(f"license_files_{repo}_launch.csv.gz")
    return tuple(LicenceFile(r["path"], r["licence_guess"], int(r["bytes"])) for r in found)
