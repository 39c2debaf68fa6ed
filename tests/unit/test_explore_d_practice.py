"""Practice with D: the keys are what D printed, and agree with what plain arithmetic makes of the text."""

import re
from functools import cache
from typing import Any

import pytest
from bs4 import BeautifulSoup

from smartos.explore.exercises import d as practice_d
from smartos.explore.exercises import d_buckets as practice_d_buckets
from smartos.explore.kit.practice import Practice, Problem

MAKERS = [practice_d, practice_d_buckets]
SEEDS = range(60)


@cache
def problem_of(maker: Any, seed: int) -> Problem:
    """A problem, made once for all tests."""
    return maker.problem(seed)


@pytest.mark.parametrize("maker", MAKERS)
def test_every_seed_has_a_problem_whose_key_is_right_and_whose_slips_are_wrong(maker: Any) -> None:
    problems = [problem_of(maker, seed) for seed in [*SEEDS, 999_999_999]]
    for problem in problems:
        assert problem.check(problem.canonical) == (True, problem.right)
        assert problem.told, problem.text
        for slip, words in problem.told.items():
            assert problem.check(slip) == (False, words)
    assert maker.problem(1) == problems[1], "the same seed makes the same problem"
    assert len({p.text + p.figure for p in problems[:36]}) >= 30
    assert len({p.canonical for p in problems[:36]}) >= 15
    subject = maker.practice()
    stored = Practice(subject.name, subject.title, lambda seed: problem_of(maker, seed), subject.seeds)
    assert len(stored.html()) < 40_000


def test_an_aggregation_s_key_follows_from_its_table() -> None:
    for seed in SEEDS:
        if seed % 3 == 2:
            continue
        problem = problem_of(practice_d, seed)
        lines = BeautifulSoup(problem.figure, "html.parser").select("tbody tr")
        rows = [[cell.get_text() for cell in row.select("th, td")] for row in lines]
        found = re.search(r"`(?:/(\w+) (\S+) (\d+)/ )?\{ @\[(\w+)\] = (\w+)\(.*key `(\w+)`", problem.text)
        field, sign, limit, by, function, key = found.groups()
        events = [{"execname": name, "pid": int(pid), "arg2": int(size)} for name, pid, size in rows]
        if field:
            compare = {">": int.__gt__, ">=": int.__ge__, "!=": int.__ne__}[sign]
            events = [event for event in events if compare(event[field], int(limit))]
        sizes = [event["arg2"] for event in events if str(event[by]) == key]
        value = {"count": len, "sum": sum, "max": max, "min": min, "avg": lambda n: sum(n) // len(n)}[function](sizes)
        assert problem.key == value, seed
        assert len(problem.steps[1].rows) == len(sizes)


def test_an_expression_s_key_is_what_its_kind_says() -> None:
    kinds = set()
    for seed in range(2, 400, 3):
        problem = practice_d.problem(seed)
        args = [int(n) for n in re.findall(r"arg\d is (\d+)", problem.text)]
        text = re.search(r'"%d", (.*)\)`', problem.text)[1]
        kinds.add(re.sub(r"\d+", "n", text))
        if text == "(char)arg0":
            assert problem.key == (args[0] + 128) % 256 - 128
        elif text == "(short)arg0":
            assert problem.key == (args[0] + 32768) % 65536 - 32768
        elif "+" in text:
            assert problem.key == sum(args) % 256
        elif "(char)arg0 <" in text or "sizeof" in text or text.count(">") == 2:
            assert problem.key == 0
        elif "&" in text:
            assert problem.key == int(text.split()[0]) & 1
        else:
            a, sign, b = re.match(r"(-?\d+) (.) (\d+)", text).groups()
            cut = int(int(a) / int(b))
            assert problem.key == {"/": cut * (int(b) if "*" in text else 1), "%": int(a) - cut * int(b)}[sign]
    assert len(kinds) == len(practice_d.KINDS)


def test_a_row_begins_where_the_rule_says() -> None:
    for seed in SEEDS:
        problem = problem_of(practice_d_buckets, seed)
        value = int(re.search(r"(?:arg0 is|that counts) ([\d,]+)", problem.text)[1].replace(",", ""))
        numbers = [int(n) for n in re.search(r"quantize\(arg0, ([\d, ]+)\)", problem.text)[1].split(", ")]
        if "llquantize" not in problem.text:
            base, _, step = numbers
            assert problem.key == value - (value - base) % step
            continue
        factor, _, _, steps = numbers
        order = 1
        while order * factor <= value:
            order *= factor
        width = max(order * factor // steps, 1)
        assert problem.key == (width if "How many" in problem.text else value - value % width)
