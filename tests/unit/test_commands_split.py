"""Two halves of a mirror that went different ways: the pool goes on by the name that it is in use by."""

import shutil
from pathlib import Path

from smartos.commands import System
from tests.unit.command_lines import good, system

__all__ = ["system"]


def test_a_pool_keeps_the_name_of_its_import_when_a_newer_half_comes_back(system: System, tmp_path: Path) -> None:
    good(system, "zpool create tank mirror d0 d1")
    early = tmp_path / "early"
    early.mkdir()
    shutil.copy(tmp_path / "d0", early / "d0")
    for number in range(4):
        good(system, f"zfs create tank/{number}")
    for change in ("offline", "online"):  # the labels are written anew, too
        good(system, f"zpool {change} tank d0")
    system.close()
    with System(early, clock=system.clock, seed=2) as other:
        good(other, "zpool import -f tank copy")
    with System(early, clock=system.clock, seed=3) as other:
        assert good(other, "zpool list -H -o name") == "copy\n"
        names = good(other, "zfs list -H -o name")
        assert names.split() == ["copy", "copy/0", "copy/1", "copy/2", "copy/3"]
        good(other, "zfs create copy/new")
        assert "copy/new" in good(other, "zfs list -H -o name")
