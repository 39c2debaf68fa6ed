"""Several processes at once on the same pools: they take turns, nothing is lost, and nobody waits for ever."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from smartos.commands import Output, System, run
from smartos.zfs.disk import lock
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.disk.lock import Lock
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk
from smartos.zfs.spa.spa import verify
from tests.unit.command_lines import bad, good, system

__all__ = ["system"]
SOURCE = Path(__file__).parents[2] / "src"
needs_flock = pytest.mark.skipif(lock.fcntl is None, reason="this platform has no flock(2), and so no second process")
pytestmark = needs_flock
PATIENCE = 60  # seconds after which a process that should end is taken for stuck


def start(folder: Path, *words: str, cache: str = "zpool.cache", **streams: object) -> subprocess.Popen:
    """A command in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "ZPOOL_CACHE": cache, "PYTHONUNBUFFERED": "1"}
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.Popen([sys.executable, "-m", "smartos", *words], cwd=folder, env=env, **streams)


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    """Its status, what it wrote and what it said."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail(f"{process.args} is stuck")
    return process.returncode, (out or b"").decode("latin-1"), (err or b"").decode()


def together(folder: Path, *lines: str, cache: tuple[str, ...] = ()) -> list[tuple[int, str, str]]:
    """Commands at once; what became of each."""
    names = cache or ("zpool.cache",) * len(lines)
    running = [start(folder, *line.split(), cache=name) for line, name in zip(lines, names, strict=True)]
    return [ended(each) for each in running]


def sound(*files: Path) -> bool:
    """Whether a pool on files verifies to the last block."""
    return walk(Pool.open([FileDisk(each, writable=False) for each in files])).sound


class Holder:
    """A lock held by this process, as a command that takes its time would hold it."""

    def __init__(self, exclusive: bool, *paths: Path) -> None:
        self.lock = Lock()
        self.lock.take(paths, exclusive, lambda path: pytest.fail(f"{path} is held"))

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def waiting(process: subprocess.Popen) -> str:
    """The line in which a process says that it waits."""
    line: list[bytes] = []
    reader = threading.Thread(target=lambda: line.append(process.stderr.readline()), daemon=True)
    reader.start()
    reader.join(PATIENCE)
    assert line, "it says nothing"
    return line[0].decode()


def test_two_writers_lose_nothing(system: System) -> None:
    """Both files of each pair were acknowledged, so both are there."""
    good(system, "zpool create tank d0")
    (system.folder / "big").write_bytes(os.urandom(200_000))
    for number in range(3):
        done = together(system.folder, f"cp big tank:/p1_{number}", f"cp big tank:/p2_{number}")
        assert [status for status, _, _ in done] == [0, 0], done
    done = together(system.folder, "zfs snapshot tank@one", "zfs snapshot tank@two")
    assert [status for status, _, _ in done] == [0, 0], done
    assert good(system, "ls tank:/") == "".join(f"p{a}_{b}\n" for a in (1, 2) for b in range(3))
    assert set(good(system, "zfs list -H -t snapshot -o name").split()) == {"tank@one", "tank@two"}
    big = (system.folder / "big").read_bytes()
    assert all(run(f"cat tank:/p{a}_{b}", system).data == big for a in (1, 2) for b in range(3))
    assert verify(system.pools["tank"]).sound


def test_pools_made_at_once_are_all_in_the_cache_file(system: System) -> None:
    done = together(system.folder, *(f"zpool create t{n} d{n}" for n in range(4)))
    assert [status for status, _, _ in done] == [0] * 4, done
    assert good(system, "zpool list -H -o name") == "t0\nt1\nt2\nt3\n"


def test_one_disk_is_given_to_one_of_two_pools(system: System) -> None:
    done = together(system.folder, "zpool create a d0 d1", "zpool create b d1 d0")
    assert sorted(status for status, _, _ in done) == [0, 1], done
    assert sound(system.folder / "d0", system.folder / "d1")


def test_a_pool_that_two_cache_files_name_has_one_writer(system: System) -> None:
    """The lock is on the disks: a second name for them, or a second cache file, is no way around it."""
    good(system, "zpool create tank mirror d0 d1")
    (system.folder / "big").write_bytes(os.urandom(100_000))
    other = system.folder.parent / f"{system.folder.name}-link"
    other.symlink_to(system.folder)
    (system.folder / "second.cache").write_bytes(system.cachefile.read_bytes())
    for number in range(3):
        first = start(system.folder, "cp", "big", f"tank:/a{number}")
        second = start(other, "cp", "big", f"tank:/b{number}", cache="second.cache")
        assert ended(first)[0] == ended(second)[0] == 0
    assert good(system, "ls tank:/").split() == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert verify(system.pools["tank"]).sound


def test_a_writer_waits_says_so_and_goes_on(system: System) -> None:
    good(system, "zpool create tank d0")
    for exclusive in (True, False):
        with Holder(exclusive, system.folder / "d0"):
            process = start(system.folder, "zfs", "snapshot", f"tank@{exclusive}")
            assert waiting(process) == "zfs: waiting for another command to be done with d0; Ctrl-C gives up\n"
            assert process.poll() is None
        assert ended(process)[0] == 0
    assert good(system, "zfs list -H -t snapshot -o name") == "tank@True\ntank@False\n"


READERS = (
    "zpool status", "zpool import", "zfs list", "zfs send tank@s", "ls -l tank:/", "cat tank:/text", "cp tank:/text out",
    "zdb -d tank",
)  # fmt: skip


def test_readers_are_not_blocked_by_readers(system: System) -> None:
    good(system, "zpool create tank d0")
    (system.folder / "text").write_text("hello")
    good(system, "cp text tank:/text")
    good(system, "zfs snapshot tank@s")
    before = (system.folder / "d0").read_bytes()
    with Holder(False, system.folder, system.folder / "d0"):
        done = together(system.folder, *READERS)
    for line, (status, _, err) in zip(READERS, done, strict=True):
        assert (status, err) == (0, "no pools available to import\n" if line == "zpool import" else ""), line
    assert (system.folder / "d0").read_bytes() == before


def test_a_reader_waits_for_a_writer(system: System) -> None:
    good(system, "zpool create tank d0")
    with Holder(True, system.folder / "d0"):
        process = start(system.folder, "zpool", "status")
        assert waiting(process) == "zpool: waiting for another command to be done with d0; Ctrl-C gives up\n"
    assert ended(process)[0] == 0


def test_ctrl_c_ends_the_waiting_and_nothing_else(system: System) -> None:
    good(system, "zpool create tank d0")
    with Holder(True, system.folder / "d0"):
        process = start(system.folder, "zfs", "create", "tank/a")
        waiting(process)
        process.send_signal(signal.SIGINT)
        status, out, err = ended(process)
        assert status == 130 and not out and err == "zfs: gave up waiting for d0; nothing was changed\n"
    assert good(system, "zfs list -H -o name") == "tank\n"


def test_a_lock_ends_with_its_process(system: System) -> None:
    """A command that is killed while it has its turn, and while it waits for it, is not in the way of the next."""
    good(system, "zpool create tank d0")
    (system.folder / "big").write_bytes(os.urandom(2_000_000))
    before = run("zfs snapshot tank@s", system)
    assert before.status == 0
    for line in ("cp big tank:/big", "zpool scrub tank"):
        process = start(system.folder, *line.split())
        while process.poll() is None and not held(system.folder / "d0"):
            time.sleep(0.002)
        process.kill()
        ended(process)
        status, _, err = ended(start(system.folder, "zfs", "set", "a:b=c", "tank"))
        assert status == 0 and not err
    assert sound(system.folder / "d0")


def held(path: Path) -> bool:
    """Whether somebody has the file's lock to himself."""
    probe = Lock()
    try:
        probe.take([path], False, _refuse)
    except BlockingIOError:
        return True
    probe.release()
    return False


def _refuse(path: Path) -> None:
    raise BlockingIOError(path)


def test_what_is_left_behind_of_a_dead_process_is_no_lock(system: System) -> None:
    good(system, "zpool create tank d0")
    assert not [each.name for each in system.folder.iterdir() if "lock" in each.name]


@pytest.mark.parametrize("target", ["tank/copy", "back/copy"])
def test_send_and_receive_run_in_a_pipe(system: System, target: str) -> None:
    """The receiver takes its turn when it has the stream, or each of the two would wait for the other."""
    good(system, "zpool create tank d0")
    good(system, "zpool create back d1")
    (system.folder / "big").write_bytes(os.urandom(1_500_000))
    good(system, "cp big tank:/big")
    good(system, "zfs snapshot tank@s")
    sender = start(system.folder, "zfs", "send", "tank@s")
    receiver = start(system.folder, "zfs", "receive", target, stdin=sender.stdout)
    sender.stdout.close()
    assert ended(receiver)[:2] == (0, "")
    assert sender.wait(PATIENCE) == 0
    big = (system.folder / "big").read_bytes()
    assert run(f"cat {target}:/big", system).data == big
    good(system, f"zfs send tank@s | zfs receive {target}2")
    assert run(f"cat {target}2:/big", system).data == big


def test_a_stream_that_feeds_two_receivers_stops_neither(system: System) -> None:
    """A receiver that had its turn while it waits for its stream would stop the other, who stops the stream."""
    good(system, "zpool create tank d0")
    good(system, "zpool create back d1")
    (system.folder / "big").write_bytes(os.urandom(1_500_000))
    good(system, "cp big tank:/big")
    good(system, "zfs snapshot tank@s")
    good(system, "zfs send tank@s > stream")
    data = (system.folder / "stream").read_bytes()
    both = [start(system.folder, "zfs", "receive", f"back/c{n}", stdin=subprocess.PIPE) for n in range(2)]
    for at in range(0, len(data), 1 << 16):
        for process in both:
            process.stdin.write(data[at : at + (1 << 16)])
            process.stdin.flush()
    for process in both:
        process.stdin.close()
        process.stdin = None
        assert ended(process)[0] == 0
    assert good(system, "zfs list -H -o name -r back") == "back\nback/c0\nback/c1\n"


def test_locks_taken_in_any_order_do_not_lock_out_each_other(tmp_path: Path) -> None:
    """Many threads, each with its own lock on several files named in another order."""
    files = [tmp_path / f"f{n}" for n in range(4)]
    for each in files:
        each.touch()
    done: list[int] = []

    def work(number: int) -> None:
        for turn in range(30):
            mine = Lock()
            order = [files[(number + step * (1 + turn % 3)) % 4] for step in range(3)]
            mine.take(order, turn % 4 > 0, lambda path: None)
            mine.release()
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(PATIENCE)
    assert sorted(done) == list(range(6))


def test_a_file_that_takes_anothers_place_while_one_waits_is_the_one_that_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "d0"
    path.touch()
    first, second = Lock(), Lock()
    first.take([path], True, _refuse)

    def replaced(_: Path) -> None:
        path.rename(tmp_path / "old")
        path.touch()
        first.release()

    second.take([path], True, replaced)
    assert held(path) and not held(tmp_path / "old")
    second.release()


def test_nothing_is_written_in_a_readers_turn(system: System) -> None:
    """A reader's first write makes it a writer, or begins it anew when another has written first."""
    good(system, "zpool create tank d0")
    disk = system.disk(system.path("d0"))
    turns: list[tuple[bool, list[str]]] = []

    def reader() -> Output:
        turns.append((system.turn.exclusive, [each.name for each in system.pools["tank"].datasets()]))
        if len(turns) == 1:
            disk.write(8 << 20, bytes(512))
            turns.append((system.turn.exclusive, []))
        if len(turns) == 2:
            system.turn._release()
            ended(start(system.folder, "zfs", "create", "tank/theirs"))
            system.turn._take(["zpool", "status"], False)
            disk.write(8 << 20, bytes(512))
            pytest.fail("it wrote to a pool that was another by then")
        return Output("done")

    assert system.turn.have(["zpool", "status"], reader).out == "done"
    assert turns == [(False, ["tank"]), (True, []), (True, ["tank", "tank/theirs"])]
    assert not system.turn.held


def test_a_reader_that_has_something_to_mend_becomes_a_writer(system: System) -> None:
    """A disk that is gone, or a bad copy, is found by a command that reads: the pool is written all the same."""
    good(system, "zpool create tank mirror d0 d1 spare d2")
    good(system, "rm -f d1")
    assert "INUSE" in good(system, "zpool status") and sound(system.folder / "d0", system.folder / "d2")
    with Holder(True, system.folder / "d0"):
        process = start(system.folder, "zpool", "status")
        waiting(process)
    assert ended(process)[0] == 0


def test_a_system_takes_note_of_pools_that_another_made_took_and_gave_back(system: System) -> None:
    with System(system.folder, seed=5) as other:
        good(other, "zpool create tank d0")
        assert good(system, "zpool list -H -o name") == "tank\n"
        good(system, "zpool create second d1")
        assert good(other, "zpool list -H -o name") == "second\ntank\n"
        good(other, "zpool export tank")
        good(other, "zpool create -f third d0")
        assert good(system, "zpool list -H -o name") == "second\nthird\n"
        good(system, "zpool destroy second")
        good(system, "zpool destroy third")
        assert good(other, "zpool list") == "no pools available\n" == good(system, "zpool list")


def test_a_disk_that_another_gave_to_a_new_pool_is_not_written_by_the_old(system: System) -> None:
    good(system, "zpool create tank d0")
    with System(system.folder, "second.cache", seed=5) as other:
        good(other, "zpool import -f tank")
        good(other, "zpool export tank")
        good(other, "zpool create -f new d0")
        assert "cannot open 'tank': pool is unavailable" in bad(system, "zpool set failmode=wait tank", still=False)
        assert verify(other.pools["new"]).sound


def test_the_cache_file_is_replaced_whole(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk under the cache file does not take the list of the pools with it."""
    good(system, "zpool create tank d0")
    before = system.cachefile.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = run("zpool create second d1", system)
    monkeypatch.undo()
    assert done.status == 1 and "No space left on device" in done.err and str(system.cachefile) in done.err
    assert system.cachefile.read_bytes() == before
    assert [each.name for each in system.folder.iterdir() if each.name.startswith("zpool.cache")] == ["zpool.cache"]


def test_without_flock_there_is_one_process_and_no_lock(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "fcntl", None)
    good(system, "zpool create tank mirror d0 d1 spare d2")
    good(system, "zfs create tank/a")
    good(system, "rm -f d1")
    assert "INUSE" in good(system, "zpool status")


def test_a_file_system_without_locks_is_no_error(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(lock.fcntl, "flock", refuses)
    good(system, "zpool create tank d0")
    assert good(system, "zpool list -H -o name") == "tank\n"



@pytest.mark.parametrize(
    "line", ["zpool add -f tank d2", "zpool attach tank d0 d2", "zpool replace tank d0 d2", "zpool detach tank d1"]
)
def test_a_command_killed_before_it_wrote_the_cache_file_is_no_loss(system: System, line: str) -> None:
    """The pool is changed, and the list of pools does not say so yet: the devices are found all the same."""
    good(system, "zpool create tank mirror d0 d1")
    before = system.cachefile.read_bytes()
    good(system, line)
    expected = good(system, "zpool status")
    system.close()
    system.cachefile.write_bytes(before)
    with System(system.folder, clock=system.clock) as again:
        assert good(again, "zpool status") == expected
        good(again, "zfs create tank/a")
    with System(system.folder, clock=system.clock) as last:
        assert good(last, "zpool status") == expected and verify(last.pools["tank"]).sound


def test_two_readers_at_once_replay_an_intent_log_once(system: System) -> None:
    """To open a pool after a crash is to write to it: one of the readers becomes the writer, the other begins anew."""
    good(system, "zpool create tank d0")
    home = system.pools["tank"].open("tank")
    for name in ("/first", "/second"):
        home.write(name, name.encode() * 1000)
        home.fsync(name)
    system.close()
    done = together(system.folder, "ls tank:/", "cat tank:/second", "zpool status")
    assert [status for status, _, _ in done] == [0, 0, 0], done
    assert done[0][1] == "first\nsecond\n" and done[1][1] == "/second" * 1000
    assert sound(system.folder / "d0")
