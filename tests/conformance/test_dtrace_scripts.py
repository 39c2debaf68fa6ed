"""Published D scripts, where they are at hand: they all parse, and those whose probes are here compile.

They never come into this repository. Fetch brendangregg/DTrace-book-scripts and opendtrace/toolkit, and name their
folders, with a colon between them, in SMARTOS_DTRACE_SCRIPTS, or link them below `.peers/dtrace-scripts`.
"""

import os
from collections import Counter
from pathlib import Path

import pytest
from dtrace_scripts import AIM, check, report, scripts

ROOT = Path(__file__).resolve().parents[2]


def test_published_scripts_parse_and_compile(tmp_path: Path) -> None:
    named = os.environ.get("SMARTOS_DTRACE_SCRIPTS", "")
    held = ROOT / ".peers" / "dtrace-scripts"
    folders = [Path(part) for part in named.split(":") if part] or (sorted(held.iterdir()) if held.is_dir() else [])
    if not folders:
        pytest.skip("published D scripts are not here: name their folders in SMARTOS_DTRACE_SCRIPTS")
    results = [check(script) for folder in folders for script in scripts(folder, tmp_path)]
    counts = Counter(one.result for one in results)
    failed = [f"{one.script.label}: {one.reason}" for one in results if one.result == "FAIL"]
    print(report(results), *failed, sep="\n")
    assert results and all(one.parses for one in results), failed
    assert counts["compiles"] >= AIM * (counts["compiles"] + counts["FAIL"]), failed
