"""illumos' own DTrace test suite through our dtrace, where it is at hand: at least 95 % of what applies must pass.

The suite never comes into this repository. Fetch joyent/illumos-joyent, and name its folder (see `dtrace_suite.py`) in
SMARTOS_DTRACE_SUITE, or link it to `.peers/dtrace-suite`.
"""

from collections import Counter
from pathlib import Path

from dtrace_programs import FOLDERS, SINGLE
from dtrace_suite import AIM, passed, run_suite, table


def test_the_programs_that_apply_pass(common: Path) -> None:
    verdicts = run_suite(common)
    counts = Counter(one.result for one in verdicts)
    failed = [f"{one.program.name}: {one.reason}" for one in verdicts if one.result == "FAIL"]
    print(table(verdicts), *failed, sep="\n")
    assert counts["pass"] + counts["FAIL"] > 800
    assert passed(verdicts) >= AIM, "\n".join(failed)
    assert not [line for line in failed if "crashes" in line or "does not end" in line]


def test_every_exception_names_something_of_the_suite(common: Path) -> None:
    assert not [name for name in SINGLE if not (common / name).is_file()]
    assert not [folder for folder in FOLDERS if not (common / folder).is_dir()]
