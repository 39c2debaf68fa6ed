"""A short form of both campaigns; `python -m smartos.zfs.campaign` runs the long one."""

import pytest

from smartos.zfs.campaign import crash_campaign, fault_campaign


@pytest.mark.parametrize(("seed", "shape"), [(0, "stripe"), (1, "mirror"), (2, "raidz1")])
def test_a_power_cut_after_any_write_leaves_a_committed_state(seed: int, shape: str) -> None:
    tally = crash_campaign(seed, steps=7, cuts=16, shape=shape)
    assert not tally.failures, tally.describe()
    assert tally.counts["crashes after a write"] > 100


@pytest.mark.parametrize("shape", ["mirror", "raidz1", "raidz2"])
def test_a_fault_of_one_disk_never_gives_a_wrong_byte(shape: str) -> None:
    tally = fault_campaign(1, faults=10, shape=shape, steps=12)
    assert not tally.failures, tally.describe()
    assert tally.counts["faults"] == 10
