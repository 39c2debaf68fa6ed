"""Add the addresses of the last build to book/addresses.txt, the list of those that must last. It only ever adds."""

import argparse
from pathlib import Path

from tools.paths import ROOT, stop

LIST = ROOT / "book" / "addresses.txt"
HEAD = "# Every page and named anchor of the book. A test fails when one is gone and book/redirects.txt is silent.\n"


def read(path: Path) -> set[str]:
    """The addresses in a list; lines that begin with # are words to the reader."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "_build", help="the build folder")
    built = parser.parse_args().build / "addresses.txt"
    if not built.exists():
        stop("addresses", f"there is no {built} yet; run: make book")
    old, now = read(LIST), read(built)
    LIST.write_text(HEAD + "\n".join(sorted(old | now)) + "\n", "utf-8")
    print(f"addresses: {len(now - old)} added, {len(old | now)} in all")


if __name__ == "__main__":
    main()
