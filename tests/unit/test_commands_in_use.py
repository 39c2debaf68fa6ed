"""A disk that is in use is nobody's to write into, whatever name it is given."""

import os

import pytest

from smartos.commands import System, run
from tests.unit.command_lines import bad, good, system

__all__ = ["system"]


@pytest.fixture
def held(system: System) -> System:
    """A pool on d0, with a hard link, a symbolic link and a folder's link to it; all disks' bytes stay what they are."""
    good(system, "zpool create tank d0")
    good(system, "zfs snapshot tank@monday")
    folder = system.folder
    (folder / "text").write_text("words")
    os.link(folder / "d0", folder / "hard")
    (folder / "soft").symlink_to("d0")
    (folder / "here").symlink_to(folder)
    return system


@pytest.mark.parametrize("name", ["d0", "hard", "soft", "here/d0"])
@pytest.mark.parametrize("line", ["cp text {}", "mkfile 64m {}", "zfs send tank@monday > {}"])
def test_no_command_writes_into_a_disk_in_use(held: System, name: str, line: str) -> None:
    before = (held.folder / "d0").read_bytes()
    assert "it is part of pool 'tank'" in bad(held, line.format(name))
    assert (held.folder / "d0").read_bytes() == before


@pytest.mark.parametrize("name", ["d0", "hard", "soft", "here/d0"])
def test_no_d_program_writes_into_a_disk_in_use(held: System, name: str) -> None:
    fresh = System(held.folder, clock=held.clock, seed=2, load=False)  # as a process of its own finds it
    before = (held.folder / "d0").read_bytes()
    done = run(["dtrace", "-q", "-o", name, "-n", 'BEGIN { printf("x"); exit(0); }'], fresh)
    assert (done.status, done.err) == (1, f"dtrace: failed to open output file '{name}': it is part of pool 'tank'\n")
    program = f'BEGIN {{ freopen("{name}"); printf("x"); exit(0); }}'
    assert "it is part of pool 'tank'" in run(["dtrace", "-qw", "-n", program], fresh).err
    assert (held.folder / "d0").read_bytes() == before


def test_a_link_to_a_disk_may_go(held: System) -> None:
    for name in ("hard", "soft"):
        good(held, f"rm {name}")
    assert "it is part of pool 'tank'" in bad(held, "rm here/d0")
    assert "ONLINE" in good(held, "zpool status tank")
