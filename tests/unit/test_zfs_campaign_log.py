"""A short form of the intent log's crash campaign, and proof that it finds what it looks for."""

import pytest

from smartos.zfs.campaign.log import Promised, cuts, log_campaign, record, reordered
from smartos.zfs.disk.disk import Flush, Write
from smartos.zfs.format import checksum
from smartos.zfs.spa import spa as spa_module

MAGIC = checksum.ECK_MAGIC.to_bytes(8, "little")


@pytest.mark.parametrize(("seed", "shape"), [(0, "stripe"), (7, "mirror"), (2, "raidz1")])
def test_what_fsync_promised_is_there_after_a_power_cut_at_any_write(seed: int, shape: str) -> None:
    tally = log_campaign(seed, steps=12, count=8, shape=shape, every=64)
    assert not tally.failures, tally.describe()
    assert tally.counts["crashes of a pool with an intent log, imported and compared with what was promised"] > 25
    assert tally.counts["  of these, with records to replay"] > 4


def log_blocks(found: Promised) -> list[Write]:
    return [each for each in found.log if isinstance(each, Write) and each.data[144:152] == MAGIC] or [found.log[0]]


@pytest.fixture(scope="module")
def promised() -> Promised:
    """One that ends with a commit to the log."""
    every = (record("stripe", seed, 12) for seed in range(30))
    return next(found for found in every if found.log.index(log_blocks(found)[-1]) > len(found.log) - 4)


def test_it_finds_a_replay_that_does_not_happen(promised: Promised, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spa_module, "check_logs", lambda spa, read: [])
    assert any("promise" in failure for failure in cuts(promised, every=10**6).failures)


def test_it_finds_a_log_block_that_never_was(promised: Promised) -> None:
    """The last one: no transaction group came after it."""
    last = log_blocks(promised)[-1]
    log = [Write(each.disk, each.offset, bytes(len(each.data))) if each is last else each for each in promised.log]
    assert "promise" in cuts(Promised(promised.disks, log, promised.histories), 10**6).failures[-1]


def test_it_finds_disks_that_ignore_flushes(promised: Promised) -> None:
    log = [entry for entry in promised.log if not isinstance(entry, Flush)]
    assert reordered(Promised(promised.disks, log, promised.histories), 24, 1).failures
