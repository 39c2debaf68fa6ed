"""`zpool` and `zfs` against zfs-fuse's, Sun's own programs of 2010, line for line.

Ours makes a pool with commands; the real programs import it and say what they see; then ours takes it back and must say
the same. Then both are given the same wrong commands, and must refuse them in the same words with the same status. One
session of zfs-fuse does all of it. What changed between 2010 and August 2011 is named in CHANGED, and nothing else may
differ. At the end zdb must find the pools clean.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from smartos.commands import System, run
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.live.spa_history import COMMAND, read_history
from smartos.zfs.read.pool import Pool
from tests.conformance.test_zfs_fuse import MOUNT, session
from tests.conformance.zfs_command_lines import CASES, MAKE, SHOW
from tests.conformance.zfs_scenarios import tool

VERSION = 23  # the newest that zfs-fuse knows

CHANGED = (
    r"^ (scan|scrub): .*$",  # version 25 gave the scan another line
    r"^tank\s+mounted .*$",  # it mounts, which ours does not
    r"^tank\s+ashift .*$", r"^tank\s+readonly .*-$",  # a Linux addition, and a property of 2010
    r"^\S+\s+(aclmode|mlslabel|sync) .*$",  # other defaults, and a property of 2010
)  # fmt: skip
RESILVERED = r"  \S+ resilvered$"  # behind a device; version 25 says it in the scan's line


@dataclass
class Said:
    """What a command said, both streams in one, and its exit status."""

    lines: list[str]
    status: int


PATIENT = ("zpool export tank", "zpool export pool", "zpool destroy newpool")  # the real ones wait for FUSE to unmount


def script(commands: str) -> str:
    """A shell script that does commands and marks what each one says."""
    each = "echo '### {0}'; {{ {1}; }} 2>&1; echo \"[$?]\"\n"
    again = "for n in 1 2 3 4 5 6; do sync; {0} 2> /dev/null && break; sleep 0.5; done"
    lines = [(line, again.format(line) if line in PATIENT else line) for line in commands.splitlines()]
    return "set +e\n" + "".join(each.format(*pair) for pair in lines)


def answers(text: str) -> dict[int, Said]:
    """What a session's commands said, in order."""
    found = {}
    for number, part in enumerate(text.split("### ")[1:]):
        _, *lines = part.rstrip("\n").split("\n")
        status = next(n for n in range(len(lines) - 1, -1, -1) if re.fullmatch(r"\[\d+\]", lines[n]))
        found[number] = Said(lines[:status], int(lines[status][1:-1]))
    return found


def ours(commands: str, system: System) -> dict[int, Said]:
    """What ours says."""
    found = {}
    for number, line in enumerate(commands.splitlines()):
        done = run(line, system)
        found[number] = Said(f"{done.err}{done.out}".rstrip("\n").split("\n"), done.status)
    return found


def plain(said: Said, names: dict[str, str]) -> tuple[list[str], int]:
    """An answer without what may differ: folders, dates of the day, guids; of a usage, all but the complaint."""
    text = "\n".join(said.lines).rstrip("\n")
    for old, new in names.items():
        text = text.replace(old, new)
    text = re.sub(r"^( +id: )\d+", r"\1GUID", text, flags=re.M)
    if said.status == 2:
        text = text.partition("usage")[0]
    return text.split("\n"), said.status


def without_changes(lines: list[str]) -> list[str]:
    """Lines without those that changed after 2010."""
    kept = [line for line in lines if not any(re.match(pattern, line) for pattern in CHANGED)]
    return [re.sub(RESILVERED, "", line) for line in kept]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """One session of zfs-fuse for all tests, between what ours does before and after."""
    tool("zfs-fuse")
    root = tmp_path_factory.mktemp("commands")
    pool, real, mine, home = (root / name for name in ("pool", "real", "mine", "home"))
    for folder in (pool, real, mine, home):
        folder.mkdir()
    (root / "text").write_bytes(b"hello, world\n" * 900)
    system = System(home, "none", version=VERSION)
    run(["mkfile", "-n", "64m", *(f"{pool}/d{n}" for n in range(4))], system)
    for line in MAKE.format(d=pool, text=root / "text").splitlines():
        done = run(line, system)
        assert done.status == 0, (line, done)
    assert run("zpool export tank", system).status == 0
    for folder in (real, mine):
        run(["mkfile", "-n", "64m", *(f"{folder}/e{n}" for n in range(8))], system)
        run(f"mkfile -n 32m {folder}/small", system)
        (folder / "empty").touch()
    commands = f"zpool import -d {pool} tank\n{SHOW}zpool export tank\n" + CASES.format(d=real, m=f"{MOUNT}/a")
    said = answers(session(pool, script(commands)))
    shown = len(SHOW.splitlines())
    real_shown = {n: said[n + 1] for n in range(shown)}
    real_cases = {n: said[n + shown + 2] for n in range(len(CASES.splitlines()))}
    assert said[0].status == said[shown + 1].status == 0, (said[0], said[shown + 1])
    assert run(f"zpool import -d {pool} tank", system).status == 0
    my_shown = ours(SHOW, system)
    assert run("zpool export tank", system).status == 0
    my_cases = ours(CASES.format(d=mine, m=f"{MOUNT}/a"), system)
    return {
        "shown": (real_shown, my_shown), "cases": (real_cases, my_cases), "pool": pool,
        "names": {str(real): "DIR", str(mine): "DIR"},
    }  # fmt: skip


SHOWN = dict(enumerate(SHOW.splitlines()))
ROOM = {"zpool list": 512 << 10, "zpool get all": 512 << 10, "zfs list": 32 << 10, "zfs get": 32 << 10}


def near(left: str, right: str, room: int) -> bool:
    """Whether two words say sizes that differ by less than `room` bytes and what their last digit stands for."""
    bounds = []
    for word in (left, right):
        found = re.fullmatch(r"(\d+)(?:\.(\d+))?([KM]?)", word)
        if not found:
            return False
        unit = {"": 1, "K": 1 << 10, "M": 1 << 20}[found[3]]
        bounds.append((float(word.rstrip("KM")) * unit, unit / 10 ** len(found[2] or "")))
    (a, step), (b, other) = bounds
    return abs(a - b) < room + 1.01 * max(step, other)


def same_but_for_room(line: str, mine: list[str], real: list[str], room: int) -> None:
    """What the pool itself takes changes with each transaction group, and with it what is used in all and available."""
    assert len(mine) == len(real)
    for left, right in zip(mine, real, strict=True):
        assert len(left) == len(right) or "-H" in line or "-p" in line, (left, right)
        a, b = left.split(), right.split()
        assert len(a) == len(b), (left, right)
        for x, y in zip(a, b, strict=True):
            assert x == y or near(x, y, room), (line, left, right)


@pytest.mark.parametrize("number", SHOWN, ids=SHOWN.values())
def test_the_same_pool_is_described_in_the_same_lines(number: int, worlds: dict) -> None:
    real, mine = (world[number] for world in worlds["shown"])
    line = SHOWN[number]
    assert mine.status == real.status == 0
    left, right = without_changes(mine.lines), without_changes(real.lines)
    if line.startswith("zpool history"):
        assert len(left) > 20
        while right and not right[-1]:
            right.pop()
        hidden = [each for each in right if "[internal pool import" not in each]
        assert left[: len(right)] == right and hidden
    else:
        room = next((size for start, size in ROOM.items() if line.startswith(start)), 0)
        same_but_for_room(line, left, right, room)
        assert room or left == right


CASE = dict(enumerate(CASES.splitlines()))
assert len(CASE) > 150


@pytest.mark.parametrize("number", CASE, ids=[f"{number}: {line}" for number, line in CASE.items()])
def test_the_same_words_for_the_same_command(number: int, worlds: dict) -> None:
    real, mine = (plain(world[number], worlds["names"]) for world in worlds["cases"])
    assert without_changes(mine[0]) == without_changes(real[0]) and mine[1] == real[1]


def test_the_history_is_read_by_a_reader(worlds: dict) -> None:
    pool = Pool.open([FileDisk(path, writable=False) for path in sorted(worlds["pool"].iterdir())[:2]])
    commands = [record[COMMAND] for record in read_history(pool) if COMMAND in record]
    assert commands[0].startswith("zpool create -o version=23")
    wanted = [line for line in MAKE.splitlines() if shlex.split(line)[0] in ("zpool", "zfs") and "|" not in line]
    assert len(commands) >= len(wanted) + 4


@pytest.mark.parametrize("version", [23, 28])
def test_zdb_finds_a_pool_clean_that_commands_made(version: int, tmp_path: Path) -> None:
    folder, text = tmp_path / "pool", tmp_path / "text"
    folder.mkdir()
    text.write_bytes(b"hello, world\n" * 900)
    system = System(tmp_path, version=version)
    run(["mkfile", "-n", "64m", *(f"{folder}/d{n}" for n in range(4))], system)
    for line in MAKE.format(d=folder, text=text).replace("-o version=23 ", "").splitlines():
        done = run(line, system)
        assert done.status == 0, (line, done)
    for line in ("zfs create -V 4m tank/vol", "zfs destroy -r tank/copy", f"zpool online tank {folder}/d1",
                 f"zpool replace tank {folder}/d1 {folder}/d3", "zpool scrub tank", "zpool export tank"):  # fmt: skip
        done = run(line, system)
        assert done.status == 0, (line, done)
    zdb = tool("zfs")
    done = zdb.run("zdb", "-e", "-p", folder, "-bcc", "tank", timeout=120)
    assert done.returncode == 0 and "No leaks (block sum matches space maps exactly)" in done.stdout
    done = zdb.run("zdb", "-e", "-p", folder, "-d", "tank", timeout=120)
    assert done.returncode == 0 and "leak" not in done.stdout.lower()
    done = zdb.run("zdb", "-e", "-p", folder, "-h", "tank", timeout=120)
    assert done.returncode == 0 and "zpool create" in done.stdout and "zfs snapshot -r tank@monday" in done.stdout
