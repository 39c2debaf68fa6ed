"""What the tests of the commands share: a system with disks, and a command that must succeed, or fail."""

from pathlib import Path

import pytest

from smartos.commands import System, run

NOON = 1313323200


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A system with eight empty disks and a small one."""
    made = System(tmp_path, clock=lambda: NOON, seed=1)
    good(made, "mkfile -n 64m d0 d1 d2 d3 d4 d5 d6 d7")
    good(made, "mkfile -n 32m small")
    return made


def good(system: System, line: str) -> str:
    """What a command says that must succeed."""
    done = run(line, system)
    assert done.status == 0 and not done.err, (line, done)
    return done.out


def bad(system: System, line: str, status: int = 1, still: bool = True) -> str:
    """What a command says that must fail with that status; where it is `still`, it has written nothing to a pool."""
    before = {name: pool.uberblock.txg for name, pool in system.pools.items()}
    done = run(line, system)
    assert done.status == status and done.err, (line, done)
    assert "Traceback" not in done.err
    assert {name: pool.uberblock.txg for name, pool in system.pools.items()} == before or not still, line
    return done.err
