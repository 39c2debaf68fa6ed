"""Linux' descendant of the DTrace suite, from Debian's `dtrace-tests`, through our dtrace; and its compiler as an oracle.

This runs wherever Debian's archive is reached. What Linux does otherwise than illumos is listed by name in
`dtrace_linux.DIFFERENT`, with the reason; a newer package may bring programs that nobody has looked at, so the share is
what must hold, and every program that crashes or hangs fails.
"""

import random
import re
from collections import Counter
from pathlib import Path

import pytest
from dtrace_linux import DIFFERENT, programs, run_suite
from dtrace_run import run
from dtrace_suite import AIM, passed, table

from tools.dtrace_mutate import PROGRAMS, mutate
from tools.peers import Peer

LOOKED_AT = "2.0.7"
ALONE = [text for text in PROGRAMS if "io:::" not in text and "syscall" not in text and "profile" not in text]
UNLIKE = {
    "D_UNKNOWN", "D_PROTO_LEN", "D_PROTO_ARG", "D_FUNC_UNDEF", "D_PRAGMA_OPTSET", "D_XLATE_NONE", "D_SYNTAX", "D_IDENT_UNDEF",
}  # fmt: skip
"""Errors that the two compilers give in different places: other functions, options, types and library."""


def test_the_programs_that_apply_pass(linux: Peer) -> None:
    """One program in three, for time's sake; `python tests/conformance/dtrace_linux.py` runs all."""
    verdicts = run_suite(linux.folder, every=3)
    counts = Counter(one.result for one in verdicts)
    failed = [f"{one.program.name}: {one.reason}" for one in verdicts if one.result == "FAIL"]
    print(table(verdicts), *failed, sep="\n")
    assert counts["pass"] + counts["FAIL"] > 260
    assert passed(verdicts) >= AIM, "\n".join(failed)
    assert not [line for line in failed if "crashes" in line or "does not end" in line]


def test_every_difference_names_a_program(linux: Peer) -> None:
    if LOOKED_AT not in linux.run("sbin/dtrace", "-V").stdout:
        pytest.skip(f"the list of differences is of dtrace {LOOKED_AT}; Debian has another one now")
    names = {program.name for program in programs(linux.folder)}
    assert not [name for name in DIFFERENT if name not in names]


def _tag(text: str) -> str:
    found = re.search(r"\[(D_\w+)\]", text)
    return found[1] if found else ""


def test_the_compilers_agree_about_mutated_programs(linux: Peer, tmp_path: Path) -> None:
    """Both compile programs with slips, and give the same error's tag, or both none."""
    chosen = random.Random(5)
    alike, unlike = 0, []
    for _ in range(12):
        (tmp_path / "x.d").write_text(mutate(chosen.choice(ALONE), chosen, 2), "utf-8")
        options = ("-xnolibs", "-xerrtags", "-e", "-s", "x.d")
        theirs = linux.run("sbin/dtrace", *options, cwd=tmp_path)
        if "Assertion" in theirs.stderr or theirs.returncode < 0:
            continue  # it crashed
        ours = run(options, tmp_path)
        mine, other = _tag(ours.err.decode()), _tag(theirs.stderr)
        alike += mine == other
        if mine != other and not {mine, other} & UNLIKE:
            unlike.append((mine, other, (tmp_path / "x.d").read_text("utf-8")))
    assert not unlike
    assert alike > 6
