"""The crash campaign of the intent log: the power fails after every write, and what was promised must be there.

A seeded user changes two filesystems and a volume: one with `sync=always`, where every single change is a promise, one
where fsync and O_SYNC are, and the volume, where a flush is. A plain dictionary keeps what each of them was after each
change, when a change could first be on a disk, and when it was promised. After a power cut the pool is imported. Then
each filesystem must have the names that it had at some moment not before the last promise; the one with `sync=always`
must be, as a whole, what it was at such a moment; and each file of the other must hold, byte by byte, what it held at
one, and exactly what was promised when nothing came after it.

Cut are writes in the order in which they were made, at random points with the unflushed ones lost, torn and reordered,
and the writes of the import that replays.

Left out: disks that lie about a flush (such a log fails, as it must).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from smartos.zfs import checksum
from smartos.zfs.campaign_tally import SHAPES, SIZE, Tally, build
from smartos.zfs.disk import Entry, MemoryDisk, Recorder, Write, survivors, writes
from smartos.zfs.errors import ZfsError
from smartos.zfs.label import DATA_OFFSET, END_SIZE
from smartos.zfs.reader import ECK_OFFSET
from smartos.zfs.spa import Spa, verify
from smartos.zfs.zpl import Zpl

RECORD = 4096
VOLUME = 256 << 10
ALWAYS, ASKED, DISK = "tank/always", "tank/asked", "tank/disk"
Names = dict[str, int | None]  # by path: the object, None for a directory


@dataclass
class History:
    """What a dataset was: its `names` and its files' `contents` after each change, each with the number of writes
    before which it cannot have been on a disk; and `promises`: after how many writes which of them were safe."""

    names: list[tuple[int, Names]] = field(default_factory=lambda: [(-1, {"/": None})])
    contents: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    states: list[tuple[int, dict[str, bytes | None]]] = field(default_factory=lambda: [(-1, {"/": None})])
    promises: list[tuple[int, int, int, dict[int, int]]] = field(default_factory=list)

    @property
    def now(self) -> Names:
        return self.names[-1][1]

    def data(self, path: str) -> bytes:
        return self.contents[self.now[path]][-1][1]

    def note(self, at: int, names: Names | None = None, number: int = 0, data: bytes = b"") -> None:
        """A change: other names, or other contents of a file."""
        if names is not None:
            self.names.append((at, names))
        if number:
            self.contents.setdefault(number, []).append((at, data))
        now = {path: None if each is None else self.contents[each][-1][1] for path, each in self.now.items()}
        self.states.append((at, now))

    def promise(self, at: int, numbers: set[int] | None = None) -> None:
        """All names are safe, and these files; without `numbers`, everything."""
        before = dict(self.promises[-1][3]) if self.promises else {}
        fresh = {n: len(found) - 1 for n, found in self.contents.items() if numbers is None or n in numbers}
        self.promises.append((at, len(self.names) - 1, len(self.states) - 1, before | fresh))


@dataclass
class Promising:
    """The user: steps on a pool whose disks log what they are sent."""

    pool: Spa
    log: list[Entry]
    seed: int
    histories: dict[str, History] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance, self.counter = random.Random(self.seed), 0
        self.histories = {name: History() for name in (ALWAYS, ASKED, DISK)}
        self.histories[DISK].note(-1, number=1, data=bytes(VOLUME))
        self.all_safe()

    def all_safe(self) -> None:
        """A transaction group is on disk."""
        for history in self.histories.values():
            history.promise(writes(self.log))

    def run(self, steps: int) -> None:
        """So many steps, chosen by the seed."""
        kinds = (
            (self.write, 26), (self.overwrite, 26), (self.truncate, 8), (self.unlink, 6), (self.mkdir, 4), (self.link, 4),
            (self.rename, 10), (self.fsync, 14), (self.volume, 16), (self.sync, 5), (self.snapshot, 2),
        )  # fmt: skip
        for _ in range(steps):
            self.chance.choices([each for each, _ in kinds], [weight for _, weight in kinds])[0]()

    # ---- helpers

    def _any(self) -> tuple[str, Zpl, History]:
        name = self.chance.choice((ALWAYS, ASKED))
        return name, self.pool.open(name), self.histories[name]

    def _path(self, history: History, directories: bool = False) -> str | None:
        found = [path for path, n in sorted(history.now.items()) if (n is None) == directories and path != "/"]
        return self.chance.choice(found) if found else None

    def _fresh(self, history: History) -> str:
        self.counter += 1
        return f"{self._path(history, True) or ''}/n{self.counter}"

    def _data(self) -> bytes:
        return self.chance.randbytes(self.chance.choice((1, self.chance.randrange(1, 2000), self.chance.randrange(1, 30_000))))

    def _done(self, name: str) -> None:
        if name == ALWAYS:
            self.histories[name].promise(writes(self.log))

    def _chunks(self, history: History, number: int, offset: int, data: bytes, at: int) -> None:
        """A write is as many changes as there are records that it touches."""
        old, done = history.contents[number][-1][1], 0
        while done < len(data):
            here = offset + done
            length = min(RECORD - here % RECORD, len(data) - done)
            old = old[:here].ljust(here, b"\0") + data[done : done + length] + old[here + length :]
            history.note(at, number=number, data=old)
            done += length

    # ---- steps

    def write(self) -> None:
        """A new file."""
        name, fs, history = self._any()
        path, data, at = self._fresh(history), self._data(), writes(self.log)
        sync = self.chance.random() < 0.3
        fs.write(path, data, sync=sync)
        number = fs.lookup(path)
        history.contents[number] = [(at, b"")]
        history.note(at, {**history.now, path: number})
        self._chunks(history, number, 0, data, at)
        if sync:
            history.promise(writes(self.log), {number})
        self._done(name)

    def overwrite(self) -> None:
        """Some bytes anywhere in a file, or behind its end."""
        name, fs, history = self._any()
        path = self._path(history)
        if path is None:
            return
        size, data, at = len(history.data(path)), self._data(), writes(self.log)
        offset, sync = self.chance.randrange(size * 5 // 4 + 1), self.chance.random() < 0.3
        fs.write(path, data, offset, sync=sync)
        self._chunks(history, history.now[path], offset, data, at)
        if sync:
            history.promise(writes(self.log), {history.now[path]})
        self._done(name)

    def truncate(self) -> None:
        """A file, shorter or longer."""
        name, fs, history = self._any()
        path = self._path(history)
        if path is None:
            return
        old, at = history.data(path), writes(self.log)
        size = self.chance.randrange(len(old) * 3 // 2 + 1)
        fs.truncate(path, size)
        history.note(at, number=history.now[path], data=old[:size].ljust(size, b"\0"))
        self._done(name)

    def unlink(self) -> None:
        """A name of a file goes."""
        name, fs, history = self._any()
        path = self._path(history)
        if path is None:
            return
        at = writes(self.log)
        fs.unlink(path)
        history.note(at, {each: n for each, n in history.now.items() if each != path})
        self._done(name)

    def mkdir(self) -> None:
        """A new directory."""
        name, fs, history = self._any()
        path, at = self._fresh(history), writes(self.log)
        fs.mkdir(path)
        history.note(at, {**history.now, path: None})
        self._done(name)

    def link(self) -> None:
        """A second name."""
        name, fs, history = self._any()
        old = self._path(history)
        if old is None:
            return
        new, at = self._fresh(history), writes(self.log)
        fs.link(old, new)
        history.note(at, {**history.now, new: history.now[old]})
        self._done(name)

    def rename(self) -> None:
        """A file gets another name, often one that is taken: how programs replace a file."""
        name, fs, history = self._any()
        old, taken = self._path(history), self._path(history)
        if old is None:
            return
        new = taken if self.chance.random() < 0.6 else self._fresh(history)
        if history.now.get(new, 0) == history.now[old]:
            return
        at = writes(self.log)
        fs.rename(old, new)
        names = {each: n for each, n in history.now.items() if each != old}
        history.note(at, {**names, new: history.now[old]})
        self._done(name)

    def fsync(self) -> None:
        """A promise."""
        fs, history = self.pool.open(ASKED), self.histories[ASKED]
        path = self._path(history)
        if path is not None:
            fs.fsync(path)
            history.promise(writes(self.log), {history.now[path]})

    def volume(self) -> None:
        """A write to the volume, with a flush behind it or not."""
        volume, history = self.pool.open(DISK), self.histories[DISK]
        data, at, sync = self._data(), writes(self.log), self.chance.random() < 0.3
        offset = self.chance.randrange(VOLUME - len(data) + 1)
        volume.write(offset, data, sync=sync)
        old = history.contents[1][-1][1]
        history.note(at, number=1, data=old[:offset] + data + old[offset + len(data) :])
        if not sync and self.chance.random() < 0.6:
            volume.flush()
            sync = True
        if sync:
            history.promise(writes(self.log), {1})

    def sync(self) -> None:
        """A transaction group."""
        self.pool.sync()
        self.all_safe()

    def snapshot(self) -> None:
        """A snapshot, before which a log goes."""
        self.counter += 1
        self.pool.snapshot(f"{self.chance.choice((ALWAYS, ASKED, DISK))}@s{self.counter}")
        self.all_safe()


# ---- judging


def _between(found: list[tuple[int, object]], first: int, cut: int) -> list:
    """What may be there after `cut` writes: from the promised one on, up to the last that could be on a disk."""
    return [each for n, (at, each) in enumerate(found) if n >= first and (n == first or at < cut)]


def _mixed(data: bytes, versions: list[bytes]) -> bool:
    """Whether each byte is that of one of the versions, zero where a version has ended, and the size one's size."""
    if data in versions:
        return True
    if len(data) not in {len(each) for each in versions}:
        return False
    padded = [each[: len(data)].ljust(len(data), b"\0") for each in versions]
    return all(byte in column for byte, *column in zip(data, *padded, strict=True))


def judge(pool: Spa, histories: dict[str, History], cut: int) -> str:
    """What is wrong with a pool that was imported after `cut` writes; empty when nothing is."""
    for each in pool.replayed:
        if each.trouble:
            return f"{each.name}: {each.trouble}"
    for name, history in histories.items():
        _, first, state, files = max(each for each in history.promises if each[0] <= cut)[:4]
        if name == DISK:
            if not _mixed(pool.open(DISK).read(0, VOLUME), _between(history.contents[1], files[1], cut)):
                return f"{name}: not what it was at any moment since the promise"
            continue
        fs = pool.open(name)
        found: Names = {path: None if node.is_dir else fs.lookup(path) for path, node in fs.walk()}
        if found not in _between(history.names, first, cut):
            return f"{name}: {len(found)} names that it had at no moment since the promise"
        held = {path: None if number is None else fs.read(path) for path, number in found.items()}
        if name == ALWAYS and held not in _between(history.states, state, cut):
            return f"{name}: not what it was at any moment since the promise"
        for path, number in found.items():
            if number and not _mixed(held[path], _between(history.contents[number], files.get(number, 0), cut)):
                return f"{name}{path}: {len(held[path])} bytes that it held at no moment since the promise"
    return ""


@dataclass
class Promised:
    """A workload that was logged: its disks as they were when it began, and what was promised."""

    disks: list[MemoryDisk]
    log: list[Entry]
    histories: dict[str, History]


def record(shape: str, seed: int, steps: int, version: int = 28) -> Promised:
    """Run a workload, and log every write and flush."""
    log: list[Entry] = []
    disks = [MemoryDisk(SIZE, f"c0t{n}d0") for n in range(SHAPES[shape][1])]
    pool = build(shape, [Recorder(disk, log) for disk in disks], seed, version)
    pool.create(ALWAYS, sync="always")
    pool.create(ASKED)
    pool.create_volume(DISK, VOLUME)
    base = [disk.copy() for disk in disks]
    log.clear()
    user = Promising(pool, log, seed)
    user.run(steps)
    return Promised(base, log, user.histories)


def _import(disks: list, judged: Callable[[Spa], str]) -> str:
    try:
        pool = Spa.import_(disks)
        pool.events.enabled = False
        return judged(pool)
    except (ZfsError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"


def _further(pool: Spa, seed: int) -> str:
    """Use a pool after a replay, have the power fail again, and walk it; what is wrong then."""
    pool.open(ASKED).write(f"/after{seed}", b"alive" * 100, sync=True)
    again = Spa.import_([leaf.disk.copy() for leaf in pool.root.leaves()])
    if again.open(ASKED).read(f"/after{seed}") != b"alive" * 100:
        return "what was promised after the replay is lost"
    again.sync()
    report = verify(again)
    return "" if report.sound else report.describe()


def telling(entry: Write) -> bool:
    """Whether a write can change what an import finds: to a label or uberblock, or of a block that seals itself, as
    those of a log do. All others go to space that nothing refers to, as the crash campaign sees to."""
    label = entry.offset < DATA_OFFSET or entry.offset >= SIZE - END_SIZE
    magic = checksum.ECK_MAGIC.to_bytes(8, "little")
    return label or magic in (entry.data[ECK_OFFSET : ECK_OFFSET + 8], entry.data[-checksum.ECK_SIZE :][:8])


def cuts(promised: Promised, every: int = 32) -> Tally:
    """Cut the power after every write that can tell, every `every`-th other one and the last, all earlier ones being on
    the medium, and import."""
    tally, now = Tally(), {disk.name: disk.copy() for disk in promised.disks}
    cut, total = 0, writes(promised.log)
    for entry in promised.log:
        if not isinstance(entry, Write):
            continue
        now[entry.disk].write(entry.offset, entry.data)
        cut += 1
        tally.counts["crashes"] += 1
        if cut % every and cut < total and not telling(entry):
            tally.counts["crashes after a write to space that nothing refers to"] += 1
            continue
        tally.counts["crashes of a pool with an intent log, imported and compared with what was promised"] += 1
        wrong = _try(tally, [disk.copy() for disk in now.values()], promised, cut, cut % 16 == 0)
        if wrong:
            tally.failures.append(f"cut {cut}: {wrong}")
    return tally


def _try(tally: Tally, disks: list[MemoryDisk], promised: Promised, cut: int, further: bool) -> str:
    def judged(pool: Spa) -> str:
        tally.counts["  of these, with records to replay"] += any(each.records for each in pool.replayed)
        wrong = judge(pool, promised.histories, cut)
        if not wrong and further:
            tally.counts["  of these, used again, cut again and walked"] += 1
            wrong = _further(pool, cut)
        return wrong

    return _import(disks, judged)


def reordered(promised: Promised, count: int, seed: int) -> Tally:
    """Cut the power at `count` random points, with the unflushed writes there or not, in any order, some torn; and every
    fourth time cut it again in the middle of the import."""
    tally, chance, total = Tally(), random.Random(seed), writes(promised.log)
    for number in range(count):
        cut, now = chance.randrange(total + 1), {disk.name: disk.copy() for disk in promised.disks}
        for entry in survivors(promised.log, cut, chance.getrandbits(32), 512 if number % 2 else 0):
            now[entry.disk].write(entry.offset, entry.data)
        tally.counts["crashes"] += 1
        tally.counts["crashes of a pool with an intent log, with writes lost and reordered"] += 1
        if number % 4 == 0:
            tally.counts["  of these, cut again in the import"] += 1
            now = _cut_import(now, chance)
        wrong = _try(tally, list(now.values()), promised, cut, number % 8 == 0)
        if wrong:
            tally.failures.append(f"cut {cut}, reordered: {wrong}")
    return tally


def _cut_import(now: dict[str, MemoryDisk], chance: random.Random) -> dict[str, MemoryDisk]:
    """The disks as a power cut at some write of the import leaves them."""
    log: list[Entry] = []
    Spa.import_([Recorder(disk.copy(), log) for disk in now.values()])
    for entry in survivors(log, chance.randrange(writes(log) + 1), chance.getrandbits(32), 512):
        now[entry.disk].write(entry.offset, entry.data)
    return now


def log_campaign(seed: int, steps: int = 30, count: int = 40, shape: str = "", every: int = 32) -> Tally:
    """One workload, its power cut everywhere. Twelve seeds in a row see every shape at pool versions 28 and 20."""
    shape = shape or list(SHAPES)[seed % len(SHAPES)]
    promised = record(shape, seed, steps, (28, 20)[(seed + seed // len(SHAPES)) % 2])
    tally = cuts(promised, every)
    tally.add(reordered(promised, count, seed))
    tally.failures = [f"intent log, seed {seed}, {shape}, {failure}" for failure in tally.failures]
    tally.counts["workloads"] += 1
    return tally
