"""Practice with RAID-Z: the keys are checked once more with arithmetic of the test's own, from what the reader sees."""

import re

import pytest

from smartos.explore.exercises import column as practice_column
from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Problem
from smartos.zfs.vdev.raidz_map import raidz_map

SEEDS = [*range(200), 999_999_999]


def stripe(problem: Problem) -> dict[str, int | None]:
    """The columns as the figure says them; None is lost."""
    held = re.search(r'aria-label="The stripe: ([^"]+)\."', problem.figure)[1]
    return {name: None if value == "lost" else int(value, 16) for name, value in re.findall(r"(\w+) (\w+)", held)}


def times(a: int, b: int) -> int:
    """The product in GF(2^8), bit by bit."""
    total = 0
    while b:
        total ^= a * (b & 1)
        a <<= 1
        a ^= 0x11D if a & 0x100 else 0
        b >>= 1
    return total


def of_kind(kind: int) -> list[Problem]:
    return [practice_column.problem(seed) for seed in SEEDS if seed % 5 == kind]


def test_every_seed_has_a_problem_whose_key_is_right_and_whose_slips_are_wrong() -> None:
    for seed in SEEDS:
        problem = practice_column.problem(seed)
        assert problem == practice_column.problem(seed)
        assert problem.check(problem.canonical) == (True, problem.right)
        for slip, words in problem.told.items():
            assert problem.check(slip) == (False, words)
        assert problem.text.endswith(("?", ".")) and problem.solve()
        assert not re.search(r"\b1 (rows|sectors)\b", str(problem))


def test_seeds_make_different_problems() -> None:
    problems = [practice_column.problem(seed) for seed in range(40)]
    assert len({p.text + p.figure for p in problems}) >= 36
    assert len({p.canonical for p in problems}) >= 20
    assert len(practice_column.practice().html()) < 40_000


@pytest.mark.parametrize("kind", [0, 4])
def test_a_column_lost_from_raidz1_makes_the_xor_of_all_zero(kind: int) -> None:
    for problem in of_kind(kind):
        columns, total = stripe(problem), problem.key
        assert list(columns.values()).count(None) == 1 and columns["P"] is not None
        for value in columns.values():
            total ^= value or 0
        assert total == 0
        assert problem.key < (0x100 if kind == 0 else 0x10000)


def test_a_column_rebuilt_from_q_gives_that_q_again() -> None:
    lost_factors = set()
    for problem in of_kind(2):
        columns = stripe(problem)
        data = [value for name, value in columns.items() if name.startswith("D")]
        lost = data.index(None)
        lost_factors.add((len(data), 1 << len(data) - 1 - lost))
        assert columns["P"] is None and f"`D{lost}`" in problem.text
        data[lost] = problem.key
        total = 0
        for n, value in enumerate(data):
            total ^= times(value, 1 << len(data) - 1 - n)
        assert total == columns["Q"]
        formula = re.search(r"`Q` = (.+?), in GF", problem.text)[1]
        assert [int(f or 1) for f in re.findall(r"(?:(\d)·)?D\d", formula)] == [1 << n for n in range(len(data))][::-1]
        assert ("halve" in problem.text) == (lost < len(data) - 1)
        for row in re.findall(r"<tr><th[^>]*>(\w\w)</th><td[^>]*>(\w\w)</td><td[^>]*>(\w\w)</td></tr>", problem.figure):
            x, twice, four = (int(value, 16) for value in row)
            assert x in data and (twice, four) == (times(x, 2), times(x, 4)), "the table helps, and is right"
    assert lost_factors == {(2, 2), (2, 1), (3, 4), (3, 2), (3, 1)}


def test_the_xor_of_the_terms_in_the_solution_is_what_it_says() -> None:
    for problem in (*of_kind(0), *of_kind(2), *of_kind(4)):
        (table,) = [step for step in problem.solve() if isinstance(step, Table)]
        values = [int(row[1], 16) for row in table.rows]
        total = 0
        for value in values[:-1]:
            total ^= value
        assert total == values[-1]
        assert all(int(row[2].replace(" ", ""), 2) == value for row, value in zip(table.rows, values, strict=True))


def test_sectors_are_those_that_the_map_fills() -> None:
    rounded = 0
    for problem in of_kind(1):
        found = re.search(r"block of (\d+) sectors? take on a raidz(\d) of (\d+)", problem.text)
        sectors, nparity, disks = map(int, found.groups())
        where = raidz_map(0, sectors << 9, 9, disks, nparity)
        assert problem.key == len(where.sectors()) == where.asize >> 9
        rounded += bool(where.skips)
        assert f"{len(where.skips)} skipped" in problem.right
    assert rounded > 5, "some have skipped sectors"


def test_disks_are_those_of_the_map() -> None:
    asked = set()
    for problem in of_kind(3):
        place = r"of (\d+) sectors begins at sector (\d+) of a raidz(\d) of (\d+) disks.* its (.+) column"
        found = re.search(place, problem.text)
        sectors, first, nparity, disks = map(int, found.groups()[:4])
        where = raidz_map(first << 9, sectors << 9, 9, disks, nparity)
        column = {"P": where.columns[0], "Q": where.columns[1], "first data": where.data[0]}[found[5]]
        asked.add((nparity, found[5]))
        assert problem.key == column.devidx == (first + where.columns.index(column)) % disks
        assert first % (nparity + 1) == 0 and first << 9 < 1 << 20
    assert asked == {(1, "P"), (1, "first data"), (2, "P"), (2, "Q"), (2, "first data")}


def test_a_slip_is_told_what_it_was() -> None:
    for problem in of_kind(0):
        columns = stripe(problem)
        carried = sum(value or 0 for value in columns.values()) % 256
        if carried != problem.key:
            assert "carries" in problem.check(f"{carried:x}")[1] or "borrows" in problem.check(f"{carried:x}")[1]
        data = 0
        for name, value in columns.items():
            data ^= 0 if name == "P" else value or 0
        if data != problem.key:
            assert problem.check(f"{data:02x}")[1].startswith("P is missing")
