"""What a snapshot costs does not depend on the size of what it is of; what it holds later is what was overwritten."""

import re

import pytest

from smartos.explore.zfs import snapshots
from smartos.explore.zfs.snapshots import CLONE, HOME, RECORD, SHARES, SIZES, SNAPSHOT, measured
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import Walker
from smartos.zfs.spa.spa import Spa, verify

WHATS = ["snapshot", "clone", "copy"]


@pytest.mark.parametrize("what", ["snapshot", "clone"])
def test_the_cost_is_the_same_for_every_size_and_touches_no_dataset(what: str) -> None:
    costs = [measured(what, size)[0] for size in SIZES]
    assert len({cost.blocks for cost in costs}) == 1
    assert all(cost.own == 0 and cost.mos > 0 for cost in costs)
    taken = [cost.allocated for cost in costs]
    assert max(taken) < 1.05 * min(taken), "how well a block of random guids compresses is all that differs"


def test_a_copy_writes_every_block_again() -> None:
    costs = [measured("copy", size)[0] for size in SIZES]
    for size, cost in zip(SIZES, costs, strict=True):
        assert size < cost.own < 1.1 * size + 20 and cost.allocated > size * RECORD
    assert costs[-1].blocks > 70 * measured("snapshot", SIZES[-1])[0].blocks


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("size", SIZES)
def test_what_was_overwritten_is_what_is_not_shared_any_more(what: str, size: int) -> None:
    for share, held in measured(what, size)[1].items():
        changed = size if what == "copy" else size * share // 100
        assert (held.stayed, held.both, held.written) == (changed, size - changed, changed)


def trees(pool: Spa) -> dict[str, dict]:
    """Every dataset's blocks, from the disk alone: for each name, addresses with the bytes they take."""
    opened, found = Pool.open([leaf.disk for leaf in pool.root.leaves()]), {}
    for dataset in opened.datasets():
        visits = Walker(opened)._objset(dataset.name, dataset.phys.bp, 0)
        found[dataset.name] = {v.pointer.dvas: sum(dva.asize for dva in v.pointer.dvas) for v in visits}
    return found


@pytest.mark.parametrize("share", SHARES)
def test_used_and_refer_agree_with_a_walk_of_the_disk(share: int) -> None:
    """USED of a snapshot is what nobody else has; REFER is all that can be reached, whoever shares it."""
    for what in ("snapshot", "clone"):
        pool = Spa.import_([snapshots.base(100).copy()])
        pool.snapshot(SNAPSHOT)
        if what == "clone":
            snapshots.operate(pool, what)
        target = HOME if what == "snapshot" else CLONE
        if share:
            pool.open(target).write("/file", snapshots.data(share, 1), 0)
            pool.sync()
        found = trees(pool)
        listed = {row.name: row for row in measured(what, 100)[1][share].space}
        refer = {name: sum(blocks.values()) for name, blocks in found.items()}
        others = set().union(*(blocks for name, blocks in found.items() if name != SNAPSHOT))
        alone = sum(size for dvas, size in found[SNAPSHOT].items() if dvas not in others)
        for name in (SNAPSHOT, HOME, *([CLONE] if what == "clone" else [])):
            assert listed[name].referenced == refer[name], (what, name)
        assert listed[SNAPSHOT].used == alone
        assert listed[HOME].usedbysnapshots == (alone if what == "snapshot" else 0)


def test_the_pools_are_sound_afterwards() -> None:
    for what in WHATS:
        pool = Spa.import_([snapshots.base(10).copy()])
        if what == "clone":
            pool.snapshot(SNAPSHOT)
        snapshots.operate(pool, what)
        assert verify(pool).sound


def test_every_state_says_and_draws_its_counts() -> None:
    explorer = snapshots.explorer()
    for state in explorer.states():
        (frame,) = explorer.frames(**state)
        cost, held = measured(state["what"], state["blocks"])[0], measured(state["what"], state["blocks"])[1][state["share"]]
        assert f"writes {cost.blocks:,}" in frame.says and f">{cost.blocks:,}</text>" in frame.figure
        assert f"{held.stayed:,} only in" in frame.figure and f"{held.both:,} in both" in frame.figure
        assert len(frame.table.rows) == len(held.space)
        assert int(re.search(r'viewBox="0 0 (\d+)', frame.figure)[1]) <= 440
        for x, width in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', frame.figure):
            assert float(x) + float(width) <= 440
    assert "as it does for 10 and 100" in explorer.frames(**explorer.default)[0].says
    assert len(explorer.html()) < 60_000
