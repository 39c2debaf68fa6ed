"""The commands and the intent log: `sync` is set and shown, the next command replays what a power cut left, zdb -i."""

import shutil
from pathlib import Path

from smartos.commands import run
from smartos.commands.system import System
from smartos.zfs.live import zfs_log


def system(folder: Path) -> System:
    folder.mkdir(exist_ok=True)
    made = System(folder, dev="/dev/dsk", clock=lambda: 1_313_323_200, seed=3)
    for line in ("mkfile 64m d1", "zpool create tank d1", "zfs create tank/home"):
        assert run(line, made).status == 0
    return made


def after_power_cut(folder: Path, to: Path) -> System:
    """A machine that starts with the disks, and the cache file, as they are now."""
    shutil.copytree(folder, to)
    return System(to, dev="/dev/dsk", clock=lambda: 1_313_323_300, seed=4)


def test_sync_is_set_shown_and_inherited(tmp_path: Path) -> None:
    here = system(tmp_path)
    assert run("zfs set sync=always tank", here).status == 0
    assert run("zfs get -H sync tank/home", here).out == "tank/home\tsync\talways\tinherited from tank\n"
    wrong = run("zfs set sync=never tank", here)
    assert wrong.status and "'sync' must be one of 'standard | always | disabled'" in wrong.err
    assert here.pools["tank"].open("tank/home").objset.zil.sync == 1


def test_the_next_command_finds_what_was_promised_before_the_power_cut(tmp_path: Path) -> None:
    here = system(tmp_path / "before")
    home = here.pools["tank"].open("tank/home")
    home.write("/db", b"first", sync=True)
    home.write("/db", b"committed", sync=True)
    home.write("/scratch", b"not asked for")
    shutil.copytree(tmp_path / "before", tmp_path / "look")
    listed = run(["zdb", "-e", "-p", str(tmp_path / "look"), "-ivv", "tank/home"]).out
    assert "TX_WRITE            len    208" in listed and "will claim" not in listed
    for folder in ("look", "before"):
        again = after_power_cut(tmp_path / folder, tmp_path / f"{folder} cut")
        assert run("cat tank/home:/db", again).data == b"committed"
        assert run("ls tank/home:/", again).out == "db\n"
        assert "errors: No known data errors" in run("zpool status", again).out
        assert "d1        ONLINE       0     0     0" in run("zpool status", again).out


def test_what_cannot_be_done_again_is_said_by_the_command_that_opened_the_pool(tmp_path: Path) -> None:
    here = system(tmp_path / "before")
    pool = here.pools["tank"]
    home = pool.open("tank/home")
    home.write("/db", b"first", sync=True)
    zfs_log.log_remove(home.objset.zil, pool.txg.open, home.root, 99, "nowhere", False)
    home.objset.zil.commit()
    again = after_power_cut(tmp_path / "before", tmp_path / "after")
    said = run("zfs list -H -o name", again)
    assert said.out == "tank\ntank/home\n" and said.status == 0
    assert said.err == (
        "tank/home: its intent log was replayed up to record 1: nowhere: no such file or directory; the rest of it is lost\n"
    )
    assert run("zfs list", again).err == ""
