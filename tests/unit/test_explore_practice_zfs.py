"""Practice with uberblocks and snapshots: the keys are what a pool did, and agree with a count made from the text alone."""

import re
from functools import cache
from typing import Any

import pytest
from bs4 import BeautifulSoup

from smartos.explore.exercises import snapshot as practice_snapshot
from smartos.explore.exercises import uberblock as practice_uberblock
from smartos.explore.kit.practice import Practice, Problem
from smartos.explore.zfs import power_cut
from smartos.zfs.disk.faults import after_power_cut
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import verify

MAKERS = [practice_snapshot, practice_uberblock]
SEEDS = range(45)


@cache
def problem_of(maker: Any, seed: int) -> Problem:
    """A problem, made once for all tests."""
    return maker.problem(seed)


def rows(html: str) -> list[list[str]]:
    """The cells of a problem's table."""
    found = BeautifulSoup(html, "html.parser").select("tbody tr")
    return [[cell.get_text() for cell in row.select("th, td")] for row in found]


@pytest.mark.parametrize("maker", MAKERS)
def test_every_seed_has_a_problem_whose_key_is_right_and_whose_slips_are_wrong(maker: Any) -> None:
    problems = [problem_of(maker, seed) for seed in [*SEEDS, 999_999_999]]
    for problem in problems:
        assert problem.check(problem.canonical) == (True, problem.right)
        assert problem.told, "somebody who goes wrong in the usual way is told why"
        for slip, words in problem.told.items():
            assert problem.check(slip) == (False, words)
    for seed in (0, 1, 2):
        assert maker.problem(seed) == problems[seed], "the same seed makes the same problem"
    assert len({p.text + p.figure for p in problems[:36]}) >= 30
    assert len({p.canonical for p in problems[:36]}) >= 8
    subject = maker.practice()
    stored = Practice(subject.name, subject.title, lambda seed: problem_of(maker, seed), subject.seeds)
    assert len(stored.html()) < 40_000


# Uberblocks


def records(html: str) -> list[dict[str, str]]:
    """A table's rows by the names of its columns."""
    names = [head.get_text() for head in BeautifulSoup(html, "html.parser").select("thead th")]
    return [dict(zip(names, row, strict=True)) for row in rows(html)]


def test_the_uberblock_of_the_key_is_the_one_that_the_table_gives() -> None:
    """The highest txg among those whose magic is right and whose checksums agree, as the reader sees them."""
    tempted = 0
    for seed in SEEDS:
        if seed % 3 == 2:
            continue
        problem = problem_of(practice_uberblock, seed)
        table = records(problem.figure)
        counting = [r for r in table if r.get("magic", "00bab10c") == "00bab10c" and r["stored"] == r["computed"]]
        best = max(counting, key=lambda r: int(r["txg"]))
        assert problem.key == int(best["Slot" if seed % 3 == 0 else "txg"]), seed
        tempted += max(int(r["txg"]) for r in table) > int(best["txg"])
        worked = problem.steps[1]
        assert [row[-1] == "yes" for row in worked.rows] == [r in counting for r in table]
    assert tempted >= 15, "in most rings the highest txg is not to be used"


def test_each_harm_is_what_it_says() -> None:
    seen = set()
    for harm in (*practice_uberblock.WHY, practice_uberblock.GOOD):
        disk = practice_uberblock.blank()
        slot = practice_uberblock.put(disk, 0, 17, 128 * 9 + 17, 1_313_323_200, harm, 5)
        assert slot.good == (harm == practice_uberblock.GOOD)
        seen.add((slot.magic == practice_uberblock.MAGIC, slot.stored == slot.computed, slot.txg % 128 == 17))
        practice_uberblock.put(disk, 1, 16, 128 * 9 + 16, 1_313_323_195, practice_uberblock.GOOD, 0)
        assert Pool.open([disk]).uberblock.txg == 128 * 9 + 16 + slot.good
    assert seen == {(True, True, True), (True, False, True), (True, False, False), (False, True, True)}


def test_the_txg_after_a_power_cut_follows_from_the_order_of_writes() -> None:
    """Counted from the table: the first uberblock's write, and where the flushes are."""
    keys = set()
    for seed in [n for n in range(180) if n % 3 == 2]:
        problem = problem_of(practice_uberblock, seed)
        txg, after = (int(re.search(f"{words} (\\d+)", problem.text)[1]) for words in ("writes of txg", "after write"))
        spans = [(row[0], row[1], [int(n) for n in re.findall(r"\d+", row[0])]) for row in rows(problem.figure)]
        first, last, safe = min(n[0] for _, what, n in spans if "uberblock" in what), 0, 0
        if (seed // 3) % 2 == 0:
            assert problem.key == txg - (after < first), seed
            continue
        for name, _, numbers in spans:
            if name == power_cut.FLUSH and (last < after or (last == after and "and the flush" in problem.text)):
                safe = last
            last = numbers[-1] if numbers else last
        sure = f"only txg {txg - 1}" if after < first else f"only txg {txg}"
        key = f"txg {txg - 1} or txg {txg}" if safe < first <= after else sure
        assert problem.key == key, seed
        keys.add(key[:4] + str(key.endswith(str(txg))))
    assert len(keys) == 3, "each of the three answers occurs"


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("labels", [False, True])
def test_whatever_caches_lose_lies_between_the_two_ends(mirror: bool, labels: bool) -> None:
    made = power_cut.group(mirror, labels, 0)
    for after in range(0, len(made.writes), 7):
        sent = made.log[: made.writes[after]]
        ends = {power_cut.imported(made.disks, power_cut.flushed(sent)), power_cut.imported(made.disks, sent)}
        for seed in range(4):
            left = after_power_cut(made.log, made.disks, after, seed)
            assert Pool.open(left).uberblock.txg in ends


# Snapshots


class ByHand:
    """The history of a problem, done with lists: a block is (file, number, step)."""

    def __init__(self, table: list[list[str]]) -> None:
        self.files: dict[str, list[tuple]] = {}
        self.held: dict[str, set[tuple]] = {}
        for step, line in table:
            self.do(int(step), line)
        self.held["home"] = self.now()

    def now(self) -> set[tuple]:
        return {block for blocks in self.files.values() for block in blocks}

    def do(self, step: int, line: str) -> None:
        file = (re.search(r"/[ab]\b", line) or [""])[0]
        if found := re.search(r"zfs snapshot tank/home(@\w+)", line):
            self.held[found[1]] = self.now()
        elif found := re.search(r"zfs clone tank/home(@\w+)", line):
            self.held["clone"] = self.held[found[1]]
        elif "deleted" in line:
            del self.files[file]
        elif found := re.search(r"(?:written:|grows by) (\d+) block", line):
            blocks = self.files.setdefault(file, [])
            blocks += [(file, n, step) for n in range(len(blocks), len(blocks) + int(found[1]))]
        else:
            first, last = re.match(r"blocks? (\d+)(?: to (\d+))? of /. (?:is|are) overwritten", line).groups()
            for n in range(int(first), int(last or first) + 1):
                self.files[file][n] = (file, n, step)

    def alone(self, names: list[str]) -> int:
        others = set().union(*(held for name, held in self.held.items() if name not in names))
        return len(set().union(*(self.held[name] for name in names)) - others)


def test_the_keys_of_snapshots_are_those_counted_by_hand() -> None:
    shared = 0
    for seed in SEEDS:
        problem = problem_of(practice_snapshot, seed)
        hand = ByHand(rows(problem.figure))
        names = re.findall(r"tank/home(@\w+)", problem.text)
        expected = len(hand.held[names[0]]) if seed % 3 == 1 else hand.alone(names)
        assert problem.key == expected, seed
        shared += len(names) == 2 and expected > sum(hand.alone([name]) for name in names)
    assert shared >= 5, "what two snapshots share alone is the point of the third question"


def test_the_worked_tables_count_every_block_once() -> None:
    for seed in range(0, 12, 3):
        made = practice_snapshot.History.of(seed)
        blocks, problem = made.holders(), problem_of(practice_snapshot, seed)
        hand = ByHand(rows(problem.figure))
        assert sum(row[1] for row in problem.steps[1].rows) == len(blocks)
        for name, held in hand.held.items():
            assert practice_snapshot.refer(blocks, name) == len(held), (seed, name)


def test_the_pool_counts_at_least_these_blocks_and_is_sound() -> None:
    """USED has the data blocks that a snapshot holds alone, and metadata besides; destroying frees as many as USED says."""
    for seed in (0, 3, 9):
        made = practice_snapshot.History.of(seed)
        blocks = made.holders()
        for name in made.snapshots:
            used = made.pool.dp.find(practice_snapshot.HOME + name).phys.unique_bytes
            assert used >= practice_snapshot.RECORD * practice_snapshot.alone(blocks, name)
        free = next(name for name in made.snapshots if name != made.origin)
        assert made.destroy([free]) == practice_snapshot.alone(blocks, free)
        assert verify(made.pool).sound
