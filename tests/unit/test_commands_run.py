"""What all commands share: lines and their files, numbers, names, the cache file, the history, and that no words do harm.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from smartos.commands import COMMANDS, Output, System, run
from smartos.commands.run import parse
from smartos.commands.text import nicenum
from smartos.zfs.disk.disk import FileDisk, MemoryDisk
from smartos.zfs.errors import CorruptPool
from smartos.zfs.format import label, nvlist
from smartos.zfs.live.dsl_prop import nicestrtonum
from smartos.zfs.live.spa_history import COMMAND, LARGEST, History, HistoryPhys, read_history, records
from smartos.zfs.namecheck import dataset_name, pool_name
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import Spa, verify
from tests.unit.command_lines import bad, good, system

__all__ = ["system"]


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
    for config in ({"tank": 1}, {"tank": {"name": "tank"}}, {"tank": {"vdev_tree": {"children": 7}}}):
        (tmp_path / "zpool.cache").write_bytes(nvlist.pack(config))
        assert "is no cache file" in run("zpool list").err
    monkeypatch.setenv("ZPOOL_CACHE", str(tmp_path / "other.cache"))
    assert run("zpool list").out == "no pools available\n"


def test_labels_that_make_no_sense_are_passed_over(system: System) -> None:
    good(system, "zpool create tank d0")
    good(system, "zpool export tank")
    for number_, config in enumerate((
        {"txg": 5, "pool_guid": 7}, {"txg": "x", "pool_guid": 7}, {"txg": 5, "pool_guid": "x"},
        {"txg": 5, "pool_guid": 8, "name": "x", "state": 0, "version": 28, "vdev_tree": {"type": "file", "id": 0}},
        {"txg": 5, "pool_guid": 9, "name": 4, "state": 1, "version": "y", "vdev_tree": {"children": 3}},
    ), 1):  # fmt: skip
        with FileDisk(system.folder / f"d{number_}") as disk:
            for which in range(4):
                offset = label.label_offset(disk.size, which)
                disk.write(offset, label.pack_label(config, offset))
    assert good(system, "zpool import").count("pool: tank") == 1
    for number_ in range(1, 6):
        run(f"zpool create -n two d{number_}", system)
    good(system, "zpool import tank")


def test_the_history_is_a_ring_that_keeps_the_first_record() -> None:
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
    with pytest.raises(CorruptPool, match="no ring"):
        HistoryPhys.unpack(bytes(40))
    with pytest.raises(CorruptPool, match="bonus has 8 bytes"):
        HistoryPhys.unpack(bytes(8))
    with pytest.raises(CorruptPool, match="a record of"):
        list(records(HistoryPhys(16, 1024, 16, 16), lambda offset, length: b"\xff" * length))


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
    assert [nicestrtonum(text) for text in ("10", "1k", "1.5K", "2Mb", "3GB", "1b")] == [10, 1024, 1536, 2 << 20, 3 << 30, 1]
    for text, what in (("x", "bad numeric value 'x'"), ("1x", "invalid numeric suffix 'x'"), ("99999E", "too large")):
        with pytest.raises(ValueError, match=what):
            nicestrtonum(text)


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
