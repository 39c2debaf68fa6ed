"""A seeded user of filesystems and a volume whose changes are promised to be safe, and what was promised when.

One filesystem has `sync=always`, where every single change is a promise; in another fsync and O_SYNC are; and of the
volume a flush is. A plain dictionary keeps what each of them was after each change, when a change could first be on a
disk, and when it was promised: :mod:`~smartos.zfs.campaign.log` holds the disks to it.

Left out: whole datasets that come and go, which :mod:`~smartos.zfs.campaign.workload` has.
"""

import random
from dataclasses import dataclass, field

from smartos.zfs.disk.disk import Entry, writes
from smartos.zfs.live.zpl import Zpl
from smartos.zfs.spa.spa import Spa

VOLUME = 256 << 10
ALWAYS, ASKED, DISK = "tank/always", "tank/asked", "tank/disk"
RECORDS = {ALWAYS: 4096, ASKED: 128 << 10}  # recordsize: in the second, large writes have blocks of their own
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
            (self.write, 26), (self.overwrite, 26), (self.truncate, 8), (self.unlink, 6), (self.mkdir, 4),
            (self.link, 4), (self.rename, 10), (self.fsync, 14), (self.volume, 16), (self.sync, 5), (self.snapshot, 2),
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
        sizes = (1, self.chance.randrange(1, 2000), self.chance.randrange(1, 30_000), self.chance.randrange(33_000, 90_000))
        return self.chance.randbytes(self.chance.choice(sizes))

    def _done(self, name: str) -> None:
        if name == ALWAYS:
            self.histories[name].promise(writes(self.log))

    def _chunks(self, name: str, number: int, offset: int, data: bytes, at: int) -> None:
        """A write is as many changes as there are records that it touches."""
        history, record = self.histories[name], RECORDS[name]
        old, done = history.contents[number][-1][1], 0
        while done < len(data):
            here = offset + done
            length = min(record - here % record, len(data) - done)
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
        self._chunks(name, number, 0, data, at)
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
        self._chunks(name, history.now[path], offset, data, at)
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
