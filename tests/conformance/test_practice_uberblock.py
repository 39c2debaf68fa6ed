"""OpenZFS's zdb imports the rings of the practice problems at the same transaction group as the key says."""

import re
from pathlib import Path

import pytest

from smartos.explore.exercises import uberblock as practice_uberblock
from tests.conformance.zfs_scenarios import save, tool


@pytest.mark.parametrize("seed", [n for n in range(15) if n % 3 != 2])
def test_zdb_chooses_the_uberblock_of_the_key(seed: int, tmp_path: Path) -> None:
    disk, _ = practice_uberblock.rings(seed)
    disk.name = str(tmp_path / "pool" / "d0")
    save([disk])
    done = tool("zfs").run("zdb", "-e", "-p", tmp_path / "pool", "-u", "tank", timeout=120)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    assert int(re.search(r"\btxg = (\d+)", done.stdout)[1]) == practice_uberblock.chosen(disk)[0]
