"""A short form of the campaigns, and proof that they find what they look for; `make campaign` runs the long one."""

import subprocess
import sys
from collections import Counter

import pytest

from smartos.zfs.campaign import __main__ as campaign
from smartos.zfs.campaign.__main__ import Tally, crash_campaign, fault_campaign, process_campaign
from smartos.zfs.campaign.crash import held, prefixes, record, reorderings
from smartos.zfs.campaign.process import processes
from smartos.zfs.campaign.tally import SIZE
from smartos.zfs.disk import lock
from smartos.zfs.disk.disk import Flush, MemoryDisk, Write, replay
from smartos.zfs.format.label import DATA_OFFSET, END_SIZE


@pytest.mark.parametrize(("seed", "shape"), [(0, "stripe"), (1, "mirror"), (2, "raidz1")])
def test_a_power_cut_after_any_write_leaves_a_committed_state(seed: int, shape: str) -> None:
    tally = crash_campaign(seed, steps=7, cuts=16, shape=shape)
    assert not tally.failures, tally.describe()
    assert tally.counts["crashes"] > 400
    assert tally.counts["  of these, pools opened and compared"] > 100


@pytest.mark.parametrize("shape", ["mirror", "raidz1", "raidz2"])
def test_a_fault_of_one_disk_never_gives_a_wrong_byte(shape: str) -> None:
    tally = fault_campaign(1, faults=10, shape=shape, steps=12)
    assert not tally.failures, tally.describe()
    assert tally.counts["faults"] + tally.counts["faults of a write that was never made"] == 10
    assert tally.counts["faults that the pool counted as errors, and mended"] > 0


def test_the_crash_campaign_finds_disks_that_ignore_flushes() -> None:
    crashed = record("stripe", 3, 12)
    crashed.log = [entry for entry in crashed.log if not isinstance(entry, Flush)]
    assert reorderings(crashed, 40, 1).failures


def test_the_crash_campaign_finds_a_write_that_never_was() -> None:
    crashed = record("stripe", 3, 12)
    data = [
        entry for entry in crashed.log if isinstance(entry, Write) and DATA_OFFSET <= entry.offset < SIZE - END_SIZE
    ]
    crashed.log.remove(max(data, key=lambda entry: len(entry.data)))
    assert prefixes(crashed).failures


def test_the_crash_campaign_finds_a_block_that_is_overwritten_in_place() -> None:
    """The last write to data is moved onto a block that an early transaction group wrote and every later one needs."""
    crashed = record("stripe", 3, 12)
    disks = {name: MemoryDisk(SIZE, name) for name in crashed.disks}
    replay(crashed.log, disks)
    in_use = held(disks.values())
    data = [
        entry for entry in crashed.log if isinstance(entry, Write) and DATA_OFFSET <= entry.offset < SIZE - END_SIZE
    ]
    once = Counter((entry.disk, entry.offset) for entry in data)
    old = next(e for e in data if once[e.disk, e.offset] == 1 and in_use[e.disk].overlap(e.offset, e.offset + 512))
    at = crashed.log.index(data[-1])
    crashed.log[at] = Write(old.disk, old.offset, data[-1].data)
    assert any("overwritten" in failure for failure in prefixes(crashed, every=10**6).failures)


def test_the_fault_campaign_finds_that_a_stripe_loses_data() -> None:
    assert fault_campaign(1, faults=15, shape="stripe", steps=12).failures


@pytest.mark.skipif(lock.fcntl is None, reason="this platform has no flock(2), and so one process")
@pytest.mark.parametrize(("seed", "shape"), [(3, "stripe"), (4, "mirror")])
def test_commands_at_once_some_killed_lose_nothing_that_was_acknowledged(seed: int, shape: str) -> None:
    tally = process_campaign(seed, rounds=4, shape=shape)
    assert not tally.failures, tally.describe()
    assert tally.counts["commands at once with another"] == 8
    assert tally.counts["pools opened, walked and compared"] == 4


def test_the_process_campaign_finds_commands_that_take_no_turns() -> None:
    unlocked = "import runpy; from smartos.zfs.disk import lock; lock.fcntl = None; runpy.run_module('smartos', None, '__main__')"
    for seed in range(4):
        with processes(seed, 6, "stripe", [sys.executable, "-c", unlocked]) as made:
            if made.tally.failures:
                return
    pytest.fail("twenty-four pairs of commands without a lock did no harm")


def test_a_failure_is_the_exit_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["campaign", "--seeds", "1", "--only", "fault"])
    for failures, status in (([], 0), (["seed 0: something"], 1)):
        monkeypatch.setattr(
            campaign, "fault_campaign", lambda seed, faults, failures=failures: Tally(failures=failures)
        )
        with pytest.raises(SystemExit) as ended:
            campaign.main()
        assert ended.value.code == status
        assert f"{status} failures" in capsys.readouterr().out


def test_numbers_that_make_no_campaign_are_refused_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smartos.zfs.campaign", "--seeds", "0"], capture_output=True, text=True
    )
    assert done.returncode == 2 and "--seeds and --every are at least 1" in done.stderr and "Trace" not in done.stderr
