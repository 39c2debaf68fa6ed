"""Measure the book against a plain Jupyter Book of the same chapters, in one run on one machine.

Build: seconds cold, with the cells' outputs already in the cache, and seconds after one more line of prose. Pages:
bytes transferred with gzip, and requests, in Chromium with an empty cache; what explorers add, and what html-manager
would; milliseconds of a step; seconds to the first result of Python in the page. Lighthouse: the heaviest page, mobile
and desktop. The ZFS model: see :mod:`tools.bench_zfs`; D programs beside plain callbacks: :mod:`tools.bench_dtrace`.
The plain book has the same sources and cells, and Jupyter Book's default look; only what its markup needs is added.
Absolute numbers belong to the machine; the ratios of one run are what to compare.

Left out: what the plain book fetches from other hosts is counted as requests, and its bytes are not.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from tools import bench_dtrace
from tools.bench_pages import explorer_bytes, lighthouse, manager_bytes, measure_pages, measure_run, measure_steps
from tools.bench_zfs import in_page
from tools.bench_zfs import lines as zfs_lines
from tools.bench_zfs import measure as measure_zfs
from tools.build import JUPYTER_BOOK
from tools.paths import ROOT, stop

BENCH = ROOT / ".bench"
PARTS = """
book notebooks src tests tools _config.yml _toc.yml pyproject.toml package.json package-lock.json requirements.txt
requirements.lock README.md CHANGELOG.md CITATION.cff LICENSE LICENSE-text Makefile
""".split()
PROSE = "book/slides/wtf-is-smartos"
RUN = "book/slides/dtrace"
LINE = "\nOne more line of prose, for the measurement.\n"


def stage(name: str) -> Path:
    """A copy of the sources under .bench."""
    folder = BENCH / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / part).exists():
            shutil.copy(ROOT / part, folder / part)
    return folder


def plain_settings(ours: dict[str, Any]) -> dict[str, Any]:
    """Jupyter Book's defaults, and what the chapters' markup needs."""
    return {
        "title": ours["title"],
        "author": ours["author"],
        "only_build_toc_files": True,
        "exclude_patterns": ours["exclude_patterns"],
        "execute": ours["execute"],
        "parse": ours["parse"],
        "bibtex_bibfiles": ours["bibtex_bibfiles"],
        "sphinx": {
            "local_extensions": {"bench_words": "."},
            "config": {"bibtex_reference_style": "author_year", "suppress_warnings": ["mystnb.unknown_mime_type"]},
        },
    }


def build(folder: Path, what: str) -> float:
    """Build the book in `folder`, ours as `make book` does it; the seconds it took."""
    print(f"bench: {what}", flush=True)
    program = (
        [sys.executable, "-c", JUPYTER_BOOK]
        if folder.name == "ours"
        else [str(Path(sys.executable).with_name("jupyter-book"))]
    )
    command = [*program, "build", ".", "--path-output", "."]
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    (folder / "build.txt").write_text(done.stdout, "utf-8")
    if done.returncode:
        stop("bench", f"{what} failed; {folder / 'build.txt'} says why")
    return time.monotonic() - started


def forget_pages(folder: Path) -> None:
    """Leave a build with nothing but its executed cells."""
    for part in ("html", ".doctrees"):
        shutil.rmtree(folder / "_build" / part, ignore_errors=True)


def measure_build(folder: Path, name: str) -> dict[str, float]:
    """Seconds to execute, to build cold from executed cells, and to build again after one more line."""
    with_cells = build(folder, f"{name}: executing every cell and building")
    forget_pages(folder)
    cold = build(folder, f"{name}: building cold, cells from the cache")
    with (folder / f"{PROSE}.md").open("a", encoding="utf-8") as page:
        page.write(LINE)
    again = build(folder, f"{name}: building after one more line of prose")
    if LINE.strip() not in (folder / "_build" / "html" / f"{PROSE}.html").read_text("utf-8"):
        stop("bench", f"{name}: the new line of {PROSE}.md is not in its page")
    return {"execution": with_cells - cold, "cold": cold, "again": again}


def table(ours: dict[str, Any], plain: dict[str, Any]) -> list[str]:
    """The lines of the report: a measure, this book, the plain one, their ratio."""
    both = (ours, plain)
    seconds = [book["build"] for book in both]
    rows = [
        ("cold build, cells apart, s", *(s["cold"] for s in seconds)),
        ("executing the cells, s", *(s["execution"] for s in seconds)),
        ("build after one more line, s", *(s["again"] for s in seconds)),
        ("  part of the cold build", *(s["again"] / s["cold"] for s in seconds)),
        ("  part of it with the cells", *(s["again"] / (s["cold"] + s["execution"]) for s in seconds)),
    ]
    for words, how in (("median page", statistics.median), ("heaviest page", max)):
        rows.append((f"{words}, transferred, kB", *(how(of(book, "bytes")) / 1000 for book in both)))
        rows.append((f"{words}, requests", *(how(of(book, "requests")) for book in both)))
    rows.append(("requests to other hosts, all pages", *(sum(of(book, "elsewhere")) for book in both)))
    lines = [f"{'':36}{'this book':>12}{'plain':>12}{'ratio':>9}"]
    for words, here, there in rows:
        ratio = f"{here / there:9.2f}" if there else f"{'–':>9}"
        lines.append(f"{words:36}{here:12.2f}{there:12.2f}{ratio}")
    return lines


def of(book: dict[str, Any], what: str) -> list[float]:
    """One measure of every page."""
    return [page[what] for page in book["pages"].values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="_build", help="where the assets are (make assets)")
    parser.add_argument("--no-lighthouse", action="store_true")
    options = parser.parse_args()
    assets = (ROOT / options.build).resolve() / "assets"
    if not assets.exists():
        stop("bench", f"there is no {assets} yet; run: make assets")
    content = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    pages = [content["root"], *(page["file"] for part in content["parts"] for page in part["chapters"])]
    result: dict[str, Any] = {}
    for name in ("ours", "plain"):
        folder = stage(name)
        if name == "plain":
            make_plain(folder)
        else:
            shutil.copytree(assets, folder / "_build" / "assets")
        built = measure_build(folder, name)
        print(f"bench: {name}: opening {len(pages)} pages", flush=True)
        result[name] = {"build": built, "pages": measure_pages(folder / "_build" / "html", pages)}
    ours = BENCH / "ours" / "_build" / "html"
    worked = [page for page in pages if 'data-part="' in (ours / f"{page}.html").read_text("utf-8")]
    print("bench: explorers and Python in the page", flush=True)
    result["steps"], result["explorers"] = measure_steps(ours, worked), explorer_bytes(ours, worked)
    result["manager"], result["run"] = manager_bytes(BENCH / "npm-manager"), measure_run(ours, RUN)
    print("bench: the ZFS model", flush=True)
    result["zfs"] = measure_zfs(BENCH, ours)
    print("bench: DTrace", flush=True)
    result["dtrace"] = {"here": bench_dtrace.figures(), "page": in_page(ours, bench_dtrace, "figures()")}
    weights = result["ours"]["pages"]
    result["heaviest"] = max(weights, key=lambda page: weights[page]["bytes"])
    if not options.no_lighthouse:
        print(f"bench: Lighthouse on {result['heaviest']}", flush=True)
        result["mobile"] = lighthouse(ours, result["heaviest"], BENCH)
        result["desktop"] = lighthouse(ours, result["heaviest"], BENCH, desktop=True)
    report(result)


def make_plain(folder: Path) -> None:
    """Turn a copy of the sources into a plain Jupyter Book."""
    settings = yaml.safe_load((folder / "_config.yml").read_text("utf-8"))
    (folder / "_config.yml").write_text(yaml.safe_dump(plain_settings(settings), sort_keys=False), "utf-8")
    shutil.copy(ROOT / "book/ext/look_words.py", folder / "look_words.py")
    (folder / "bench_words.py").write_text("from look_words import add_words as setup\n", "utf-8")


def report(result: dict[str, Any]) -> None:
    """Print the table and what stands beside it; keep all of it as JSON."""
    print("\n".join(["", *table(result["ours"], result["plain"])]))
    steps, added, manager, run = (result[name] for name in ("steps", "explorers", "manager", "run"))
    print(f"a step in the page: median {steps['median']:.1f} ms, p95 {steps['p95']:.1f} ms, over {steps['count']} steps")
    whole = added["script"] + added["median"]
    ratio = f"{whole / manager:.3f} of html-manager's {manager / 1000:.0f} kB" if isinstance(manager, float) else manager
    print(
        f"an explorer, gzip: median {added['median'] / 1000:.1f} kB, greatest {added['greatest'] / 1000:.1f} kB, and the "
        f"script of all pages {added['script'] / 1000:.1f} kB; together {ratio}"
    )
    for cache in ("cold", "warm"):
        print(f"Run to the first result, {cache} cache: {run[f'{cache} s']:.1f} s, {run[f'{cache} MB']:.2f} MB sent")
    for device in ("mobile", "desktop"):
        scores = result.get(device, "not asked for")
        said = scores if isinstance(scores, str) else ", ".join(f"{name} {score:.0f}" for name, score in scores.items())
        print(f"Lighthouse, {device}, {result['heaviest']}: {said}")
    heavy = sorted(result["ours"]["pages"].items(), key=lambda item: -item[1]["bytes"])[:3]
    print("heaviest: " + ", ".join(f"{page} {weight['bytes'] / 1000:.0f} kB" for page, weight in heavy))
    print("\n".join(zfs_lines(result["zfs"])))
    print("\n".join(bench_dtrace.lines(result["dtrace"]["here"], result["dtrace"]["page"])))
    (BENCH / "bench.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(f"bench: everything is in {BENCH / 'bench.json'}", flush=True)


if __name__ == "__main__":
    main()
