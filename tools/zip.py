"""The whole book as one file that opens without a server: unzip it, and open index.html.

Nothing is left out of it but reports of the build; Python in the page needs a server even then, and says so.
The same pages make the same file: names are sorted, and every entry has the date of the zip format's first day.
"""

import argparse
import zipfile
from pathlib import Path

from tools.paths import ROOT, stop

NAME = "smartos-executable"
LEFT_OUT = ("reports/", "_sources/", "objects.inv", ".buildinfo")


def zip_book(pages: Path, target: Path) -> int:
    """Write `target`; the number of files in it."""
    files = sorted(path for path in pages.rglob("*") if path.is_file())
    count = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as book:
        for path in files:
            name = path.relative_to(pages).as_posix()
            if name.startswith(LEFT_OUT):
                continue
            entry = zipfile.ZipInfo(f"{NAME}/{name}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            book.writestr(entry, path.read_bytes())
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="_build", help="the build folder")
    build = (ROOT / parser.parse_args().build).resolve()
    if not (build / "html" / "index.html").exists():
        stop("zip", f"there is no book in {build}; run: make book")
    target = build / f"{NAME}.zip"
    count = zip_book(build / "html", target)
    print(f"zip: {target}, {count} files, {target.stat().st_size / 1e6:.1f} MB; open index.html in it", flush=True)


if __name__ == "__main__":
    main()
