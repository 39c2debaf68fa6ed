"""The process campaign: commands at once on one pool in files, each a process, some killed in the middle.

Round after round two commands start together on the same pool: files copied and removed, snapshots, filesystems, disks
added, a stream sent into the same pool. Some are ended with SIGKILL after a moment, wherever they are then. After each
round what was acknowledged must be there with every byte, what was never asked for must not, and what a killed command
was about may be either; every block must verify; and the next command finds the pool by the cache file.

Left out: a host that crashes (the other campaigns cut the power), and more than one host.
"""

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smartos.zfs.campaign.tally import SHAPES, SIZE, Tally
from smartos.zfs.campaign.workload import contents
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.errors import ZfsError
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk

SPARE_DISKS = 2  # files that a round may add to the pool
PATIENCE = 120  # seconds after which a command is taken for stuck
PROGRAM = (sys.executable, "-m", "smartos")


@dataclass
class Asked:
    """A command, or two with a pipe between them; the names that are there once it has succeeded, and no more."""

    lines: list[list[str]]
    made: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    killed: bool = False


@dataclass
class Rounds:
    """The pool in `folder`, and what is in it by the commands' word: files as `dataset:/path`, datasets, snapshots."""

    folder: Path
    chance: random.Random
    tally: Tally
    known: set[str] = field(default_factory=lambda: {"tank"})
    numbers: int = 0
    disks: list[str] = field(default_factory=list)
    longest: float = 0.5  # seconds that a command has at most before it is killed, if it is
    program: Sequence[str] = PROGRAM

    # ---- processes

    def start(self, words: list[str], **streams: object) -> subprocess.Popen:
        """A command in a process of its own."""
        source = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH", ""))))
        env = {**os.environ, "PYTHONPATH": path, "ZPOOL_CACHE": "zpool.cache"}
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        return subprocess.Popen([*self.program, *words], cwd=self.folder, env=env, **given)

    def launch(self, asked: Asked) -> list[subprocess.Popen]:
        """A command's processes, each reading what the one before writes."""
        running: list[subprocess.Popen] = []
        for line in asked.lines:
            streams = {"stdin": running[-1].stdout} if running else {}
            running.append(self.start(line, **streams))
            if len(running) > 1:
                running[-2].stdout.close()
                running[-2].stdout = None
        return running

    def settle(self, asked: Asked, running: list[subprocess.Popen]) -> bool:
        """Wait for a command; whether it has succeeded. What fails without having been killed is a failure."""
        said = []
        for each in reversed(running):
            try:
                said.append((each.communicate(timeout=PATIENCE)[1] or b"").decode(errors="replace"))
            except subprocess.TimeoutExpired:
                each.kill()
                each.communicate()
                self.tally.failures.append(f"stuck: {asked.lines}")
        good = all(each.returncode == 0 for each in running)
        if not good and not asked.killed:
            self.tally.failures.append(f"{asked.lines}: {''.join(said).strip()[-300:]}")
        return good

    # ---- what is asked

    def data(self, name: str) -> bytes:
        """What a file is filled with: by its name."""
        chance = random.Random(name)
        return chance.randbytes(chance.choice((10, 5000, 200_000)))

    def draw(self, taken: set[str]) -> Asked:
        """A command that can succeed whatever the other one does; `taken` are the names that the other is about."""
        self.numbers += 1
        number, chance = self.numbers, self.chance
        files = sorted(each for each in self.known - taken if ":/" in each and "@" not in each)
        snaps = sorted(each for each in self.known - taken if each.startswith("tank@") and ":" not in each)
        kind = chance.choice((*["copy"] * 3, "snapshot", "create", "remove", "destroy", "stream", "add", "scrub"))
        if kind == "remove" and files:
            return Asked([["rm", files[0]]], gone={files[0]})
        if kind == "destroy" and len(snaps) > 1:
            return Asked([["zfs", "destroy", snaps[0]]], gone={snaps[0]})
        if kind == "stream" and snaps:
            taken.add(snaps[-1])
            lines = [["zfs", "send", snaps[-1]], ["zfs", "receive", f"tank/c{number}"]]
            return Asked(lines, made={f"tank/c{number}", f"tank/c{number}@{snaps[-1].partition('@')[2]}"})
        if kind == "snapshot":
            return Asked([["zfs", "snapshot", f"tank@s{number}"]], made={f"tank@s{number}"})
        if kind == "create":
            return Asked([["zfs", "create", f"tank/d{number}"]], made={f"tank/d{number}"})
        if kind == "add" and self.disks:
            return Asked([["zpool", "add", "-f", "tank", self.disks.pop()]])
        if kind == "scrub":
            return Asked([["zpool", "scrub", "tank"]])
        (self.folder / f"f{number}").write_bytes(self.data(f"/f{number}"))
        return Asked([["cp", f"f{number}", f"tank:/f{number}"]], made={f"tank:/f{number}"})

    # ---- a round

    def round(self) -> None:
        """Two commands and often a reader at once, some of them killed; then the pool is looked at."""
        chance, taken = self.chance, set()
        both = []
        for _ in range(2):
            both.append(self.draw(taken))
            taken |= both[-1].gone | both[-1].made
        running = [self.launch(asked) for asked in both]
        reader = self.start(["zfs", "list", "-t", "all"]) if chance.random() < 0.5 else None
        for asked, processes in sorted(zip(both, running, strict=True), key=lambda _: chance.random()):
            if chance.random() < 0.5:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    processes[-1].wait(chance.random() * self.longest)
                victim = chance.choice(processes)
                asked.killed = victim.poll() is None
                victim.kill()
        for asked, processes in zip(both, running, strict=True):
            self.tally.counts["commands at once with another"] += 1
            self.tally.counts["  of these, killed"] += asked.killed
            self.settled(asked, self.settle(asked, processes))
        if reader is not None and reader.communicate(timeout=PATIENCE) and reader.returncode:
            self.tally.failures.append("a reader failed")
        self.look(both)

    def settled(self, asked: Asked, good: bool) -> None:
        """Note what is there now by a command's word."""
        if good:
            self.known = (self.known | asked.made) - asked.gone
            self.tally.counts["  of these, acknowledged"] += 1

    def look(self, both: list[Asked]) -> None:
        """What is on the disks against what was acknowledged; the cache file by one more command."""
        open_ = {name for asked in both if asked.killed for name in asked.made | asked.gone}
        listed = self.start(["zpool", "list", "-H", "-o", "name,health"])
        out, err = listed.communicate(timeout=PATIENCE)
        if out != b"tank\tONLINE\n":
            self.tally.failures.append(f"zpool list: {(out + err).decode(errors='replace').strip()}")
        self.tally.counts["pools opened, walked and compared"] += 1
        try:
            found, wrong = self.found()
        except (ZfsError, OSError) as error:
            self.tally.failures.append(f"{type(error).__name__}: {error}")
            return
        wrong += [f"{name} was acknowledged, and is not there" for name in sorted(self.known - open_ - found)]
        wrong += [f"{name} is there, and should not be" for name in sorted(found - open_ - self.known)]
        self.tally.failures += wrong
        self.known = found

    def found(self) -> tuple[set[str], list[str]]:
        """Everything that is in the pool, and what is wrong with it."""
        with contextlib.ExitStack() as stack:
            paths = sorted(self.folder.glob("disk*"))
            pool = Pool.open([stack.enter_context(FileDisk(path, writable=False)) for path in paths])
            report, names, wrong = walk(pool), set(), []
            for each in pool.datasets():
                names.add(each.name)
                for path, data in contents(each).items():
                    if data is None:
                        continue
                    if each.name == "tank":
                        names.add(f"tank:{path}")
                    if data != self.data(path):
                        wrong.append(f"{each.name}:{path} has other bytes than were copied into it")
            return names, wrong + ([] if report.sound else [report.describe()])


@contextlib.contextmanager
def processes(seed: int, rounds: int, shape: str = "", program: Sequence[str] = PROGRAM) -> Iterator[Rounds]:
    """A pool in files, so many rounds of commands at it; its folder goes when the caller is done with it."""
    shape = shape or list(SHAPES)[seed % len(SHAPES)]
    kind, count = SHAPES[shape]
    with tempfile.TemporaryDirectory() as folder:
        made = Rounds(Path(folder), random.Random(seed), Tally(), program=program)
        names = [f"disk{number}" for number in range(count + SPARE_DISKS)]
        for name in names:
            with open(made.folder / name, "wb") as file:
                file.truncate(SIZE)
        made.disks = names[count:]
        vdevs = [kind.replace("raidz1", "raidz"), *names[:count]] if kind else names[:count]
        begun = time.monotonic()
        made.settle(Asked([]), [made.start(["zpool", "create", "-O", "recordsize=4k", "tank", *vdevs])])
        made.longest = 2 * (time.monotonic() - begun)  # two commands take so long here, one after the other
        for _ in range(rounds):
            if not made.tally.failures:
                made.round()
        made.tally.failures = [f"seed {seed}, {shape}, {failure}" for failure in made.tally.failures]
        made.tally.counts["pools"] += 1
        yield made


def process_campaign(seed: int, rounds: int = 20, shape: str = "") -> Tally:
    """One pool and so many rounds of commands at once."""
    with processes(seed, rounds, shape) as made:
        return made.tally
