"""`zpool` over files: what it says, what it refuses and in which words, and that pools live on between commands."""

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from smartos.commands import COMMANDS, Output, System, run
from smartos.commands.names import dataset_name, pool_name
from smartos.commands.run import parse
from smartos.commands.text import nicenum, number
from smartos.zfs import nvlist
from smartos.zfs.disk import FileDisk
from smartos.zfs.label import DESTROYED, read_labels
from smartos.zfs.pool import Pool
from smartos.zfs.spa import Spa, verify
from smartos.zfs.spa_history import COMMAND, LARGEST, History, HistoryPhys, read_history, records

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


def bad(system: System, line: str, status: int = 1) -> str:
    """What a command says that must fail with that status; nothing has changed for it."""
    before = {name: pool.uberblock.txg for name, pool in system.pools.items()}
    done = run(line, system)
    assert done.status == status and done.err, (line, done)
    assert "Traceback" not in done.err
    assert {name: pool.uberblock.txg for name, pool in system.pools.items()} == before, line
    return done.err


def test_status_of_a_mirror(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1 spare d2")
    assert good(system, "zpool status") == (
        "  pool: tank\n state: ONLINE\n scan: none requested\nconfig:\n\n"
        "\tNAME        STATE     READ WRITE CKSUM\n"
        "\ttank        ONLINE       0     0     0\n"
        "\t  mirror-0  ONLINE       0     0     0\n"
        "\t    d0      ONLINE       0     0     0\n"
        "\t    d1      ONLINE       0     0     0\n"
        "\tspares\n"
        "\t  d2        AVAIL   \n"
        "\nerrors: No known data errors\n"
    )
    assert good(system, "zpool status -x") == "all pools are healthy\n"
    assert good(system, "zpool status -x tank") == "pool 'tank' is healthy\n"


def test_without_pools_there_is_little_to_say(system: System) -> None:
    for line in ("zpool list", "zpool status", "zpool history"):
        assert good(system, line) == "no pools available\n"
    assert run("zpool import", system).err == "no pools available to import\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("zpool create tank nothing", "no such device in"),
        ("zpool create tank small", "cannot create 'tank': one or more devices is less than the minimum size (64M)"),
        ("zpool create tank mirror d0", "invalid vdev specification: mirror requires at least 2 devices"),
        ("zpool create tank raidz3 d0 d1 d2", "invalid vdev specification: raidz3 requires at least 4 devices"),
        ("zpool create tank mirror d0 d0", "one or more vdevs refer to the same device"),
        ("zpool create mirror d0", "cannot create 'mirror': name is reserved\npool name may have been omitted"),
        ("zpool create log d0", "name is reserved"),
        ("zpool create c0t0 d0", "pool name is reserved"),
        ("zpool create tank log d0", "there are no log devices here"),
        ("zpool create tank mirror d0 d1 raidz d2 d3 d4", "both mirror and raidz vdevs are present"),
        ("zpool create -o version=7 tank d0", "pools are made at versions 15 to 28 here"),
        ("zpool create -o bootfs=tank tank d0", "cannot be set at creation or import time"),
        ("zpool create -m here tank d0", "invalid mountpoint 'here'"),
        ("zpool create -O foo=1 tank d0", "cannot create 'tank': invalid property 'foo'"),
        ("zpool iostat", "zpool iostat: not done here"),
        ("zpool split a b", "zpool split: not done here"),
    ],
)
def test_what_cannot_be_is_refused_in_words_that_name_it(line: str, says: str, system: System) -> None:
    assert says in bad(system, line)
    assert not system.pools and not system.cachefile.exists()


def test_disks_in_use_are_refused_until_their_pool_is_gone(system: System) -> None:
    good(system, "zpool create tank d0 spare d1")
    part = f"{system.folder}/d0 is part of active pool 'tank'"
    assert bad(system, "zpool create two d0").endswith(f"use '-f' to override the following errors:\n{part}\n")
    assert "the following errors must be manually repaired" in bad(system, "zpool create -f two d0")
    assert "d1 is reserved as a hot spare for pool tank" in bad(system, "zpool create two d1")
    good(system, "zpool export tank")
    assert "is part of exported pool 'tank'" in bad(system, "zpool create two d0")
    good(system, "zpool create -f two d0")
    good(system, "zpool destroy two")
    good(system, "zpool create three d0")


def test_every_shape_is_made_and_shown(system: System) -> None:
    good(system, "zpool create a raidz d0 d1 d2")
    good(system, "zpool create -f b mirror d3 d4 d5")
    out = good(system, "zpool status")
    assert "raidz1-0" in out and "mirror-0" in out and out.index("pool: a") < out.index("pool: b")
    assert "pool uses raidz and new vdev is file" in bad(system, "zpool add a d6")
    assert good(system, "zpool add -n -f a d6") == (
        "would update 'a' to the following configuration:\n\ta\n\t  raidz1\n\t    d0\n\t    d1\n\t    d2\n\td6\n".replace(
            "\td6", "\t  d6"
        )
    )
    good(system, "zpool add -f a d6")
    assert good(system, "zpool list -H -o name,size") == "a\t238M\nb\t59.5M\n"


def test_attach_replace_detach_and_a_spare_that_stands_in(system: System) -> None:
    good(system, "zpool create tank d0")
    good(system, "zfs create tank/a")
    good(system, "zpool attach tank d0 d1")
    assert "resilvered" in good(system, "zpool status") and "mirror-0" in good(system, "zpool status")
    good(system, "zpool replace tank d0 d2")
    assert "d0 " not in good(system, "zpool status")
    good(system, "zpool add tank spare d3")
    good(system, "rm -f d2")
    out = good(system, "zpool status")
    assert "spare-0" in out and "currently in use" in out and "REMOVED" in out
    good(system, "mkfile -n 64m d2")
    good(system, "zpool replace tank d2")
    out = good(system, "zpool status")
    assert "state: ONLINE" in out and "AVAIL" in out and "spare-0" not in out
    good(system, "zpool detach tank d1")
    assert bad(system, "zpool detach tank d2", 255) == (
        "cannot detach d2: only applicable to mirror and replacing vdevs\n"
    )
    good(system, "zpool remove tank d3")
    assert verify(system.pools["tank"]).sound


def test_offline_and_online(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    good(system, "zpool offline tank d0")
    assert bad(system, "zpool offline tank d1") == "cannot offline d1: no valid replicas\n"
    out = good(system, "zpool status -x")
    assert "state: DEGRADED" in out and "taken offline by the administrator" in out and "OFFLINE" in out
    good(system, "zfs create tank/a")
    good(system, "zpool online tank d0")
    assert good(system, "zpool status -x") == "all pools are healthy\n"
    good(system, "rm -f d1")
    good(system, "mkfile -n 64m d1")
    assert "onlined, but remains in faulted state" in good(system, "zpool online tank d1")
    assert "FAULTED      0     0     0  corrupted data" in good(system, "zpool status")


def test_a_scrub_names_the_file_that_is_lost(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    good(system, "zfs create tank/a")
    data = random.Random(3).randbytes(200_000)
    (system.folder / "data").write_bytes(data)
    good(system, "cp data tank/a:/data")
    for name in ("d0", "d1"):
        with (system.folder / name).open("r+b") as file:
            file.seek((system.folder / name).read_bytes().index(data[:512]))
            file.write(bytes(512))
    good(system, "zpool scrub tank")
    out = good(system, "zpool status -v")
    assert "One or more devices has experienced an error resulting in data\n\tcorruption." in out
    assert "ZFS-8000-8A" in out and "with 1 errors" in out
    assert out.endswith("errors: Permanent errors have been detected in the following files:\n\n        tank/a:/data\n")
    assert "errors: 1 data errors, use '-v' for a list\n" in good(system, "zpool status")
    assert run("cat tank/a:/data", system).status == 1
    good(system, "zpool clear tank")
    assert good(system, "zpool status -x") == "all pools are healthy\n"


def test_a_scrub_in_progress_can_be_seen_and_stopped(system: System) -> None:
    good(system, "zpool create tank d0")
    good(system, "zfs create tank/a")
    system.pools["tank"].scan.limit = 1
    good(system, "zpool scrub tank")
    assert "scrub in progress since" in good(system, "zpool status")
    assert "currently scrubbing; use 'zpool scrub -s'" in bad(system, "zpool scrub tank")
    good(system, "zpool scrub -s tank")
    assert "scan: scrub canceled on" in good(system, "zpool status")
    assert bad(system, "zpool scrub -s tank") == "cannot cancel scrubbing tank: there is no active scrub\n"


def test_properties_of_the_pool_are_kept_on_the_disks(system: System) -> None:
    good(system, "zpool create -o failmode=continue tank d0")
    good(system, "zpool set autoexpand=on tank")
    good(system, "zfs create tank/a")
    good(system, "zpool set bootfs=tank/a tank")
    good(system, "zpool export tank")
    good(system, "zpool import tank other")
    lines = good(system, "zpool get all other").splitlines()
    found = {row.split()[1]: row.split()[2:] for row in lines[1:]}
    assert found["failmode"] == ["continue", "local"] and found["autoexpand"] == ["on", "local"]
    assert found["bootfs"] == ["other/a", "local"] and found["delegation"] == ["on", "default"]
    assert found["size"] == ["59.5M", "-"] and found["version"] == ["28", "default"]
    assert "must be one of 'wait | continue | panic'" in bad(system, "zpool set failmode=x other")
    assert "'size' is readonly" in bad(system, "zpool set size=1 other")
    assert "cannot set property for 'other': property 'version' number 9" in bad(system, "zpool set version=9 other")


def test_export_import_and_what_import_lists(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    guid = system.pools["tank"].guid
    good(system, "zpool export tank")
    assert not system.cachefile.exists()
    assert good(system, "zpool import") == (
        f"  pool: tank\n    id: {guid}\n state: ONLINE\n"
        "action: The pool can be imported using its name or numeric identifier.\nconfig:\n\n"
        "\ttank        ONLINE\n\t  mirror-0  ONLINE\n\t    d0      ONLINE\n\t    d1      ONLINE\n"
    )
    assert bad(system, "zpool import nope") == "cannot import 'nope': no such pool available\n"
    (system.folder / "d1").rename(system.folder / "away")
    (system.folder / "away").rename(system.folder / "elsewhere")
    good(system, f"zpool import {guid} new")
    assert "elsewhere" in good(system, "zpool status new")
    assert "already created/imported" in bad(system, "zpool import new")
    good(system, "zpool destroy new")
    assert "(DESTROYED)" in good(system, "zpool import -D")
    with FileDisk(system.folder / "d0", writable=False) as disk:
        assert {each.config["state"] for each in read_labels(disk)} == {DESTROYED}
    assert "use '-f' to import anyway" in bad(system, "zpool import -D new")
    good(system, "zpool import -D -f new")


def test_a_device_that_is_missing_at_the_import_is_called_by_its_number(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    good(system, "zpool export tank")
    (system.folder / "d1").unlink()
    out = good(system, "zpool import")
    assert "state: DEGRADED" in out and "d1      UNAVAIL  cannot open" in out and "ZFS-8000-2Q" in out
    good(system, "zpool import tank")
    assert f"was {system.folder}/d1" in good(system, "zpool status")
    good(system, "zpool export tank")
    (system.folder / "d0").unlink()
    assert run("zpool import", system).err == "no pools available to import\n"


def test_pools_live_on_from_one_system_to_the_next(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1 spare d2")
    good(system, "zfs create tank/a")
    (system.folder / "text").write_text("hello")
    good(system, "cp text tank/a:/text")
    system.close()
    config = nvlist.unpack(system.cachefile.read_bytes())["tank"]
    assert config["name"] == "tank" and len(config["vdev_tree"]["children"][0]["children"]) == 2
    with System(system.folder) as again:
        assert "AVAIL" in good(again, "zpool status") and good(again, "ls tank/a:/") == "text\n"
        good(again, "zpool destroy tank")
    with System(system.folder) as last:
        assert good(last, "zpool list") == "no pools available\n"


def test_a_pool_whose_disks_are_gone_is_unavailable_and_comes_back_with_them(system: System) -> None:
    good(system, "zpool create tank d0")
    system.close()
    (system.folder / "d0").rename(system.folder / "away")
    with System(system.folder) as again:
        out = good(again, "zpool status")
        assert "state: UNAVAIL" in out and "d0        UNAVAIL      0     0     0  cannot open" in out
        assert good(again, "zpool list -H -o name,health") == "tank\tFAULTED\n"
        assert "pool is unavailable" in bad(again, "zpool set failmode=wait tank")
        (system.folder / "away").rename(system.folder / "d0")
        assert good(again, "zpool list -H -o name,health") == "tank\tONLINE\n"


def test_what_another_wrote_to_the_disks_is_noticed(system: System) -> None:
    good(system, "zpool create tank d0")
    other = System(system.folder)
    good(other, "zfs create tank/theirs")
    good(system, "zfs create tank/ours")
    assert good(system, "zfs list -H -o name") == "tank\ntank/ours\ntank/theirs\n"
    assert verify(system.pools["tank"]).sound


def test_the_cache_file_has_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zpool.cache").write_bytes(b"nothing")
    monkeypatch.chdir(tmp_path)
    done = run("zpool list")
    assert done.status == 1 and "is no cache file" in done.err and "move it away" in done.err
    monkeypatch.setenv("ZPOOL_CACHE", str(tmp_path / "other.cache"))
    assert run("zpool list").out == "no pools available\n"


def test_history_is_written_as_it_was_typed(system: System) -> None:
    good(system, "zpool create -O atime=off tank d0")
    good(system, "zfs create tank/a")
    bad(system, "zfs create tank/a")
    good(system, "zfs snapshot tank/a@x")
    good(system, "zfs list")
    lines = good(system, "zpool history").splitlines()
    assert [line.partition(" ")[2] for line in lines[1:-1]] == [
        "zpool create -O atime=off tank d0", "zfs create tank/a", "zfs snapshot tank/a@x",
    ]  # fmt: skip
    assert re.match(r"2011-08-1\d\.\d\d:00:00 zpool create", lines[1])
    out = good(system, "zpool history -il tank")
    assert "[internal snapshot txg:" in out and "[user root on smartos:global]" in out
    good(system, "zpool export tank")
    pool = Pool.open([FileDisk(system.folder / "d0", writable=False)])
    assert [each[COMMAND] for each in read_history(pool) if COMMAND in each][-1] == "zpool export tank"


def test_the_history_is_a_ring_that_keeps_the_first_record() -> None:
    from smartos.zfs.disk import MemoryDisk

    pool = Spa.create("tank", [MemoryDisk(64 << 20)])
    assert read_history(Pool.open([pool.root.children[0].disk])) == [] and not pool.history.object
    pool.history.command("zpool create tank", create=True)
    pool.sync()
    for number_ in range(30):
        pool.history.command(f"zfs set x:y={'z' * 30000} {number_}")
        pool.sync()
    found = [record[COMMAND] for record in pool.history.records()]
    assert found[0] == "zpool create tank" and found[-1].endswith(" 29") and len(found) < 25
    assert [each.rpartition(" ")[2] for each in found[1:]] == [str(n) for n in range(30 - len(found) + 1, 30)]
    phys = pool.dp.mos.node(pool.history.object).struct_of(HistoryPhys)
    assert phys.lost == 31 - len(found) and phys.max_off <= LARGEST
    assert [record[COMMAND] for record in read_history(Pool.open([pool.root.children[0].disk]))] == found
    again = Spa.import_([pool.root.children[0].disk])
    assert len(History.records(again.history)) == len(found)
    again.create("tank/a")
    assert len(again.history.records()) >= len(found) - 1 and verify(again).sound


def test_a_history_that_makes_no_sense_is_an_error() -> None:
    from smartos.zfs.errors import CorruptPool

    with pytest.raises(CorruptPool, match="no ring"):
        HistoryPhys.unpack(bytes(40))
    with pytest.raises(CorruptPool, match="bonus has 8 bytes"):
        HistoryPhys.unpack(bytes(8))
    with pytest.raises(CorruptPool, match="a record of"):
        list(records(HistoryPhys(16, 1024, 16, 16), lambda offset, length: b"\xff" * length))


def test_upgrade_tells_the_versions(tmp_path: Path) -> None:
    system = System(tmp_path, version=28)
    good(system, "mkfile -n 64m d0")
    good(system, "zpool create -o version=23 tank d0")
    out = good(system, "zpool upgrade -v")
    assert " 1   Initial ZFS version\n" in out and " 28  Multiple vdev replacements\n" in out
    assert "\n23   tank\n" in good(system, "zpool upgrade")
    assert "older on-disk format" in good(system, "zpool status")
    done = run("zpool upgrade tank", system)
    assert done.status == 1 and "cannot upgrade 'tank'" in done.err
    assert "\n 4   tank\n" in good(system, "zfs upgrade")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (1023, "1023"), (1024, "1K"), (1536, "1.50K"), (10239, "10.0K"), (65011712, "62M"),
        (63 * 1048576 + 524288, "63.5M"), (1 << 40, "1T"), ((1 << 64) - 1, "16.0E"),
    ],
)  # fmt: skip
def test_numbers_are_written_in_five_characters(value: int, text: str) -> None:
    assert nicenum(value) == text


def test_numbers_are_read_with_units() -> None:
    assert [number(text) for text in ("10", "1k", "1.5K", "2Mb", "3GiB", "1b")] == [10, 1024, 1536, 2 << 20, 3 << 30, 1]
    for text, what in (("x", "bad numeric value 'x'"), ("1x", "invalid numeric suffix 'x'"), ("99999E", "too large")):
        with pytest.raises(ValueError, match=what):
            number(text)


def test_names() -> None:
    assert [pool_name(name) for name in ("tank", "c1d0", "mirrorx", "1a", "a/b")] == [
        "", "pool name is reserved", "name is reserved", "name must begin with a letter",
        "invalid character '/' in pool name",
    ]  # fmt: skip
    assert dataset_name("a/b") == "" and dataset_name("a@b", True) == ""
    assert dataset_name("a@b@c", True) == "multiple '@' delimiters in name"


def test_a_line_is_split_as_a_shell_would() -> None:
    first, second = parse("zfs send 'a b@c' | zfs receive x < y > z".replace(" < y", ""))
    assert first.words == ["zfs", "send", "a b@c"] and second.words == ["zfs", "receive", "x"] and second.target == "z"
    assert parse("cat <f")[0].source == "f"
    for line in ("a > ", "a | b | c", "a >> b", "a | ", "cat 'x"):
        done = run(line, System(".", "none"))
        assert done.status == 2 and done.err.startswith("sh: "), line


def test_an_unknown_command_and_an_empty_line() -> None:
    system = System(".", "none")
    done = run("frobnicate", system)
    assert done.status == 127 and all(name in done.err for name in COMMANDS)
    assert run("", system) == Output()


def test_on_a_command_line_each_process_finds_the_pools(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source)}

    def call(*words: str, data: bytes = b"") -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "smartos", *words], cwd=tmp_path, env=environment, input=data, capture_output=True
        )

    assert call("mkfile", "-n", "64m", "d0").returncode == 0
    assert call("zpool", "create", "tank", "d0").returncode == 0
    assert call("zfs", "snapshot", "tank@x").returncode == 0
    stream = call("zfs", "send", "tank@x").stdout
    assert len(stream) > 312
    assert call("zfs", "receive", "tank/copy", data=stream).returncode == 0
    assert call("zfs", "list", "-H", "-o", "name").stdout == b"tank\ntank/copy\n"
    failed = call("zpool", "create", "tank", "d0")
    assert failed.returncode == 1 and b"part of active pool 'tank'" in failed.stderr and not failed.stdout


WORDS = (
    "zpool zfs create destroy list get set status import export scrub add attach detach replace offline online clear "
    "history upgrade snapshot rollback clone promote rename send receive inherit -f -r -R -H -o -n -v -p all tank "
    "tank/a tank/a@x tank@x d0 d1 d5 nope @ / mirror raidz spare compression=on quota=1m name,used -t snapshot x=y "
    "tank/b a:b=c '' - 64m tank/a:/f"
).split()


def test_no_words_make_a_traceback(system: System) -> None:
    """Random lines, most of them nonsense: each gives an Output, and the pool stays whole."""
    chance = random.Random(11)
    good(system, "zpool create tank mirror d0 d1")
    good(system, "zfs create tank/a")
    for _ in range(400):
        words = [chance.choice(("zpool", "zfs"))] + chance.choices(WORDS, k=chance.randrange(1, 6))
        words = [word for word in words if word != "''"]
        if words[:2] in (["zpool", "destroy"], ["zpool", "export"]):
            continue
        done = run(words, system)
        assert isinstance(done, Output) and (done.status == 0 or done.err), words
    assert verify(system.pools["tank"]).sound
