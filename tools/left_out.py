"""What the modules of `smartos` say that they leave out, beside the ledger: python -m tools.left_out.

Each module under `src/smartos` may say in its docstring what it leaves out. `left_out.tsv` in the package has each of
these sentences with the ledger's row that says the same to the reader, or with `detail:` and why no reader needs it. This
command writes the file anew: sentences that are new or have changed get a `?` before what stood there, for somebody to
judge, and those that are gone go. A test fails while there is a `?`.
"""

import sys
from pathlib import Path

from smartos.fidelity import TABLE, left_out, said_in
from tools.paths import ROOT

SOURCE = ROOT / "src/smartos"


def found() -> dict[str, str]:
    """Each module's sentence, by the module's path in the package."""
    modules = {path.relative_to(SOURCE).as_posix(): said_in(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
    return {module: sentence for module, sentence in modules.items() if sentence}


def renewed() -> list[tuple[str, str, str]]:
    """The table for the modules as they are now."""
    known = {module: (row, sentence) for module, row, sentence in left_out()}
    rows = []
    for module, sentence in found().items():
        row, before = known.get(module, ("", ""))
        rows.append((module, row if sentence == before else f"? {row.removeprefix('? ')}".rstrip(), sentence))
    return rows


def main() -> int:
    rows = renewed()
    (SOURCE / TABLE).write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    unjudged = [module for module, row, _ in rows if row.startswith("?")]
    print(f"{len(rows)} modules, {len(unjudged)} to judge in {Path('src/smartos') / TABLE}", *unjudged, sep="\n  ")
    return bool(unjudged)


if __name__ == "__main__":
    sys.exit(main())
