"""Public reports of users: each row of `reports.md` names a test that is there, or says why it is open.

Below stand the reports that no other test had.
"""

import ast
import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from smartos.commands import System, run
from tools.paths import ROOT

ROW = re.compile(r"\| \[([^]]+)\]\((https://[^)]+)\) \| (.+?) \| (.+?) \| (.+?) \|")


def rows() -> list[tuple[str, ...]]:
    """The table's rows: name, address, what was reported, what happens here, what holds it."""
    lines = (ROOT / "tests/reports.md").read_text("utf-8").splitlines()
    return [ROW.fullmatch(line).groups() for line in lines if line.startswith("| [")]


@cache
def functions(path: str) -> frozenset[str]:
    """The functions of a test file."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_each_report_has_an_address_of_its_own() -> None:
    addresses = [row[1] for row in rows()]
    assert len(addresses) >= 20 and len(set(addresses)) == len(addresses)
    for name, address, *_ in rows():
        assert address.replace("/pull/", "/issues/") == f"https://github.com/{name.replace('#', '/issues/')}"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_report_is_held_by_a_test_or_open_with_a_reason(row: tuple[str, ...]) -> None:
    held = row[4]
    if held.startswith("open: "):
        assert len(held.split()) > 3
        return
    path, _, name = held.partition("::")
    assert (ROOT / path).is_file(), path
    assert name in functions(path), held


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A machine with one pool."""
    (tmp_path / "d1").write_bytes(b"")
    (tmp_path / "d1").open("r+b").truncate(128 << 20)
    made = System(tmp_path, cachefile="none")
    assert run(["zpool", "create", "tank", "d1"], made).status == 0
    yield made
    made.close()


def test_what_is_no_stream_is_refused_and_the_pool_goes_on(system: System) -> None:
    """openzfs/zfs#14370 and #6524: garbage, and a stream that is cut off."""
    assert run(["zfs", "create", "tank/a"], system).status == 0
    assert run(["zfs", "snapshot", "tank/a@1"], system).status == 0
    assert run("zfs send tank/a@1 > whole", system).status == 0
    stream = (system.folder / "whole").read_bytes()
    assert len(stream) > 1000
    for bad in (b"foo\n", b"", stream[:400], stream[:-1]):
        done = run(["zfs", "receive", "tank/b"], system, stdin=io.BytesIO(bad).read)
        assert done.status == 1 and done.err.startswith("cannot receive"), bad[:10]
    assert run(["zfs", "list", "-H", "-o", "name"], system).stdout == b"tank\ntank/a\n"
    assert run(["zpool", "scrub", "tank"], system).status == 0
    assert b"No known data errors" in run(["zpool", "status", "tank"], system).stdout
    assert run(["zfs", "receive", "tank/b"], system, stdin=io.BytesIO(stream).read).status == 0


def test_the_longest_name_comes_back_with_the_pool(system: System) -> None:
    """openzfs/zfs#5432: 255 characters in all."""
    longest = "tank/" + "n" * 250
    assert run(["zfs", "create", longest], system).status == 0
    refused = run(["zfs", "create", f"{longest}n"], system)
    assert refused.status == 1 and "name is too long" in refused.err
    assert run(["zpool", "export", "tank"], system).status == 0
    assert run(["zpool", "import", "-d", ".", "tank"], system).status == 0
    assert longest.encode() in run(["zfs", "list", "-H", "-o", "name"], system).stdout


def test_an_llquantize_is_cleared_and_goes_on(system: System) -> None:
    """TritonDataCenter/illumos-joyent#118, whose script this is, cut short."""
    program = """
        tick-10ms { @data["latency"] = llquantize(1500, 10, 0, 6, 20); }
        tick-1s { printa(@data); clear(@data); n++; }
        tick-1s /n == 3/ { exit(0); }"""
    done = run(["dtrace", "-q", "-n", program], system)
    assert done.status == 0 and "abort" not in done.err
    assert done.stdout.count(b"latency") >= 3


def test_an_action_in_a_condition_works(system: System) -> None:
    """opendtrace/toolkit#8."""
    done = run(["dtrace", "-q", "-n", 'BEGIN { 1 ? printf("taken") : 1; 0 ? printf("not") : 1; exit(0); }'], system)
    assert done.status == 0 and done.stdout.strip() == b"taken"
