"""Run the illumos DTrace test suite through our dtrace, and print what passed, per folder and in total.

    python tests/conformance/dtrace_suite.py --suite DIR [--folder aggs …] [--only NAME] [-v]

DIR is illumos' `usr/src/cmd/dtrace/test/tst/common`, a folder above it, or a git directory of illumos. Every program
runs as the suite's own runner would run it, and is judged as that one judges (see `dtrace_programs`). The exit status
is 1 when fewer than 95 % of the programs that apply pass, and 2 when there is no suite.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dtrace_programs import Program, SuiteMissing, excluded, headers, programs, suite_folder
from dtrace_run import CRASHED, HANGS, Done, run, run_shell

AIM = 0.95


@dataclass(frozen=True)
class Verdict:
    """What became of a program: `pass`, `FAIL` or `n/a`, with the reason of the last two."""

    program: Program
    result: str
    reason: str = ""


def judge(program: Program, done: Done) -> str:
    """Why a run is not what the program wants; nothing when it is."""
    lines = done.err.decode("utf-8", "replace").strip().splitlines()
    if done.status in (CRASHED, HANGS):
        return "does not end in time" if done.status == HANGS else f"crashes: {lines[-1] if lines else 'killed'}"
    first = lines[0] if lines else ""
    if done.status != program.status:
        return f"status {done.status} instead of {program.status}: {first[:150]}"
    for stream, printed in (("out", done.out), ("err", done.err)):
        wanted = program.expected(stream)
        if wanted is not None and wanted != printed:
            return f"std{stream} differs: {difference(wanted, printed)}"
    if program.kind == "err" and program.tag and not re.search(rf": \[{program.tag}\] line \d+:", first):
        return f"no [{program.tag}]: {first[:150]}"
    if program.kind == "drp" and not any(f"[{program.tag}] " in line for line in lines):
        return f"no [{program.tag}]: {first[:150]}"
    return ""


def difference(wanted: bytes, printed: bytes) -> str:
    """The first line that differs, in both texts."""
    ours, theirs = printed.split(b"\n"), wanted.split(b"\n")
    at = next((i for i, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b), min(len(ours), len(theirs)))
    there, here = (lines[at][:80] if at < len(lines) else b"(end)" for lines in (theirs, ours))
    return f"line {at + 1}: want {there!r}, got {here!r}"


def arguments(program: Program, common: Path) -> list[str]:
    """The options that the suite's runner gives to dtrace for a program that is D."""
    tags = {"err": ["-xerrtags"], "drp": ["-xdroptags"], "tst": []}[program.kind] if program.tag else []
    include = [word for folder in headers(common) for word in ("-I", str(folder))] if "#include" in program.code else []
    return [*tags, "-C", *include, "-s", program.path.name]


def shell() -> str:
    """The shell for the suite's scripts: ksh where there is one (or Debian's, as a peer), else bash."""
    found = shutil.which("ksh") or next(
        (str(path) for path in Path(__file__).resolve().parents[2].glob(".peers/ksh/**/bin/ksh93")), None
    )
    return found or shutil.which("bash") or ""


def verdict(program: Program, common: Path, sh: str) -> Verdict:
    """Run a program, when it applies, and judge it."""
    reason = excluded(program)
    if not reason and program.shell and not sh:
        reason = "no ksh or bash on this machine"
    if not reason and not program.shell and "#include" in program.code and not headers(common):
        reason = "illumos' headers, which are not beside the suite"
    if reason:
        return Verdict(program, "n/a", reason)
    if program.shell:
        with tempfile.TemporaryDirectory(prefix="dtrace-suite-") as tools:
            done = run_shell(sh, program.text, program.path.parent, Path(tools))
    else:
        done = run(arguments(program, common), program.path.parent)
    wrong = judge(program, done)
    return Verdict(program, "FAIL" if wrong else "pass", wrong)


def table(verdicts: list[Verdict]) -> str:
    """Counts per folder and in total."""
    counts: dict[str, Counter[str]] = {}
    for one in verdicts:
        counts.setdefault(one.program.folder, Counter())[one.result] += 1
    counts["total"] = sum(counts.values(), Counter())
    lines = [f"{'folder':16}{'pass':>6}{'fail':>6}{'n/a':>6}{'share':>8}"]
    for folder, count in counts.items():
        applying = count["pass"] + count["FAIL"]
        share = f"{count['pass'] / applying:8.1%}" if applying else f"{'-':>8}"
        lines.append(f"{folder:16}{count['pass']:6}{count['FAIL']:6}{count['n/a']:6}{share}")
    return "\n".join(lines)


def passed(verdicts: list[Verdict]) -> float:
    """The share of the programs that apply that passed."""
    counts = Counter(one.result for one in verdicts)
    applying = counts["pass"] + counts["FAIL"]
    return counts["pass"] / applying if applying else 0.0


def report(verdicts: list[Verdict]) -> int:
    """Print the table, what does not apply and why, and what failed; the exit status, 1 for too small a share."""
    reasons = Counter(one.reason for one in verdicts if one.result == "n/a")
    print(table(verdicts))
    print("\nnot applicable:", *(f"  {count:4}  {reason}" for reason, count in reasons.most_common()), sep="\n")
    print("\nfailed:", *(f"  {one.program.name}  {one.reason}" for one in verdicts if one.result == "FAIL"), sep="\n")
    print(f"\n{passed(verdicts):.1%} of the programs that apply pass (aim: {AIM:.0%})")
    return int(passed(verdicts) < AIM)


def run_suite(
    given: Path, folders: list[str] | None = None, only: str = "", verbose: bool = False, d_only: bool = False
) -> list[Verdict]:
    """Run the suite's programs, or those of some folders, or those whose name has `only` in it."""
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="dtrace-suite-") as scratch:
        common, sh = suite_folder(given, Path(scratch)).resolve(), shell()
        for program in programs(common):
            if (folders and program.folder not in folders) or only not in program.name or (d_only and program.shell):
                continue
            verdicts.append(verdict(program, common, sh))
            if verbose:
                print(f"{verdicts[-1].result:4}  {program.name}  {verdicts[-1].reason}", flush=True)
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", type=Path, required=True, help="the suite's folder, or a git directory of illumos")
    parser.add_argument("--folder", action="extend", nargs="+", help="only these folders")
    parser.add_argument("--only", default="", help="only programs whose folder/name has this in it")
    parser.add_argument("--no-shell", action="store_true", help="leave out the scripts of the shell")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every program as it ends")
    chosen = parser.parse_args()
    try:
        verdicts = run_suite(chosen.suite, chosen.folder, chosen.only, chosen.verbose, chosen.no_shell)
    except SuiteMissing as missing:
        print(f"dtrace_suite: {missing}", file=sys.stderr)
        return 2
    if not verdicts:
        print("dtrace_suite: no program has such a folder or name", file=sys.stderr)
        return 2
    return report(verdicts)


if __name__ == "__main__":
    sys.exit(main())
