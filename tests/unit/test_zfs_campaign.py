"""A short form of both campaigns; `python -m smartos.zfs.campaign` runs the long one."""

import pytest

from smartos.zfs.campaign import REDUNDANT, SHAPES, crash_campaign, fault_campaign


@pytest.mark.parametrize("seed", range(len(SHAPES)))
def test_a_power_cut_after_any_write_leaves_a_committed_state(seed: int) -> None:
    tally = crash_campaign(seed, steps=12, cuts=24)
    assert not tally.failures, tally.describe()
    assert tally.counts["crashes after a write"] > 150


@pytest.mark.parametrize("shape", REDUNDANT)
def test_a_fault_of_one_disk_never_gives_a_wrong_byte(shape: str) -> None:
    tally = fault_campaign(1, faults=10, shape=shape, steps=15)
    assert not tally.failures, tally.describe()
    assert tally.counts["faults"] == 10
