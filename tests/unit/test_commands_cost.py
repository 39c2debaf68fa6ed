"""What a command costs does not grow with what the pool has seen: nothing is done twice, nothing is looked through."""

from pathlib import Path

import pytest

from smartos.commands import run
from smartos.commands.system import System
from smartos.zfs.format import compress
from smartos.zfs.format import types as dmu
from smartos.zfs.live.dmu_objset import LiveObjset
from tests.unit.zfs_pools import pool, sound

LINES = (
    "zfs snapshot tank/a@2", "zfs snapshot tank/a@3", "zfs set compression=on tank/a", "zfs create tank/b",
    "zfs clone tank/a@2 tank/c", "zfs rename tank/a@3 four", "zfs destroy tank/a@four", "zfs rollback tank/a@2",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d0").touch()
    with (tmp_path / "d0").open("r+b") as file:
        file.truncate(64 << 20)
    for line in ("zpool create tank d0", "zfs create tank/a", "zfs snapshot tank/a@1"):
        with System(tmp_path, seed=1) as system:
            assert not run(line, system).status
    return tmp_path


def test_no_block_is_packed_twice_for_a_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed, real = [], compress.compress
    monkeypatch.setattr(compress, "compress", lambda kind, data: packed.append((kind, data)) or real(kind, data))
    for line in LINES:
        packed.clear()
        with System(folder, seed=1) as system:
            done = run(line, system)
        assert not done.status, done.err
        assert len(packed) == len(set(packed)) > 5, line


@pytest.mark.parametrize("line", [*LINES[:4], "zfs clone tank/a@1 tank/c", "zfs rollback tank/a@1"])
def test_a_command_takes_one_transaction_group(line: str, folder: Path) -> None:
    with System(folder, seed=1) as system:
        before = system.pools["tank"].uberblock.txg
        assert not run(line, system).status
        assert system.pools["tank"].uberblock.txg == before + 1
        history = run("zpool history tank", system).out
        assert history.count(line) == 1 and history.rstrip().endswith(line)


def test_a_command_that_fails_is_not_noted(folder: Path) -> None:
    with System(folder, seed=1) as system:
        assert run("zfs snapshot tank/a@1", system).status == 1
        assert not run("zfs list", system).status
        assert not run("zfs snapshot tank/a@2", system).status
        lines = [line.partition(" ")[2] for line in run("zpool history tank", system).out.splitlines()[1:] if line]
        assert lines == ["zpool create tank d0", "zfs create tank/a", "zfs snapshot tank/a@1", "zfs snapshot tank/a@2"]


def test_a_free_number_is_found_without_looking_at_those_that_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    spa = pool()
    objset = spa.create("tank/a").objset
    for _ in range(3000):
        objset.allocate(dmu.PLAIN_FILE_CONTENTS)
    spa.sync()
    objset.free(1500)
    spa.sync()
    dataset = spa.dp.find("tank/a")
    dataset.evict()
    looked, real = [], LiveObjset._node
    monkeypatch.setattr(LiveObjset, "_node", lambda self, number: looked.append(number) or real(self, number))
    numbers = [dataset.objset.allocate(dmu.PLAIN_FILE_CONTENTS).number for _ in range(3)]
    assert numbers[0] == 1500 and numbers[1] > 3000 and len(looked) < 150
    spa.sync()
    sound(spa)
