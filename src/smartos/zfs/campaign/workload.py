"""A seeded user of a pool, with a plain dictionary of what the pool must hold: the one is checked against the other.

Each step does something that people do to a pool (write, cut, rename, remove files; take, roll back to, clone and
destroy snapshots; promote clones) to both, and the model's state is kept for every transaction group that was synced.
So what is found on the disks afterwards can be compared with what must be there, byte by byte.

Left out: quotas and device failures, which have tests of their own. In the spirit of `ztest.c` of illumos.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from smartos.zfs.errors import NoSpace
from smartos.zfs.live.zpl import Zpl
from smartos.zfs.read.pool import Dataset, Pool
from smartos.zfs.spa.spa import Spa

Files = dict[str, bytes | None]  # by path; None is a directory
State = dict[str, Files]  # by dataset or snapshot


@dataclass
class Modelled:
    """A filesystem as it must be: its files, its snapshots oldest first, and the snapshot it is a clone of."""

    files: Files = field(default_factory=lambda: {"/": None})
    snaps: dict[str, Files] = field(default_factory=dict)
    origin: tuple[str, str] | None = None


@dataclass
class Workload:
    """Steps on a pool. `history` is the state at each synced txg, `done` the steps in words.

    `heavy` is a file's largest size in bytes; `datasets` how many there may be at once; `listeners` hear of each
    transaction group that is on disk.
    """

    pool: Spa
    seed: int
    heavy: int = 40_000
    datasets: int = 5
    model: dict[str, Modelled] = field(default_factory=dict)
    history: dict[int, State] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    listeners: list[Callable[[int], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.counter = 0
        self.model.setdefault(self.pool.name, Modelled())
        self._remember()

    # ---- the model

    def state(self) -> State:
        """What the pool must hold now, once it is synced."""
        found: State = {}
        for name, each in self.model.items():
            found[name] = dict(each.files)
            found |= {f"{name}@{snap}": dict(files) for snap, files in each.snaps.items()}
        return found

    def _remember(self) -> None:
        txg = self.pool.uberblock.txg  # an idle transaction group leaves the one before as the newest
        self.history[txg] = self.state()
        for listener in self.listeners:
            listener(txg)

    def _number(self) -> int:
        self.counter += 1
        return self.counter

    def _any(self) -> str:
        return self.chance.choice(sorted(self.model))

    def _path(self, name: str, directories: bool = False) -> str | None:
        found = [p for p, data in sorted(self.model[name].files.items()) if (data is None) == directories and p != "/"]
        return self.chance.choice(found) if found else None

    def _dir(self, name: str) -> str:
        return self._path(name, True) or ""

    # ---- steps

    def run(self, steps: int) -> None:
        """Do so many steps, chosen by the seed."""
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """One step, of those that are possible."""
        kinds = (
            (self.write, 30), (self.overwrite, 20), (self.truncate, 8), (self.unlink, 10), (self.mkdir, 6),
            (self.rename, 6), (self.rmdir, 3), (self.sync, 14), (self.snapshot, 8), (self.destroy_snapshot, 7),
            (self.clone, 4), (self.create, 3), (self.destroy, 3), (self.rollback, 3), (self.promote, 3),
        )  # fmt: skip
        kind = self.chance.choices([each for each, _ in kinds], [weight for _, weight in kinds])[0]
        try:
            what = kind()
        except NoSpace:
            what = "no space"
            self.sync()
        if what:
            self.done.append(f"{kind.__name__} {what}")

    def _fs(self, name: str) -> Zpl:
        return self.pool.open(name)

    def _data(self) -> bytes:
        length = self.chance.choice((0, 1, self.chance.randrange(2000), self.chance.randrange(self.heavy)))
        if self.chance.random() < 0.3:
            return (b"%d " % self._number() * (length // 3 + 1))[:length]
        return self.chance.randbytes(length)

    def write(self) -> str:
        """A new file."""
        name = self._any()
        path, data = f"{self._dir(name)}/f{self._number()}", self._data()
        self._fs(name).write(path, data)
        self.model[name].files[path] = data
        return f"{name} {path} {len(data)}"

    def overwrite(self) -> str | None:
        """Some bytes anywhere in a file, or behind its end."""
        name = self._any()
        path = self._path(name)
        if path is None:
            return None
        old = self.model[name].files[path]
        offset, data = self.chance.randrange(len(old) * 5 // 4 + 1), self._data()
        if not data:
            return None
        self._fs(name).write(path, data, offset)
        self.model[name].files[path] = old[:offset].ljust(offset, b"\0") + data + old[offset + len(data) :]
        return f"{name} {path} {offset} {len(data)}"

    def truncate(self) -> str | None:
        """A file, shorter or longer."""
        name = self._any()
        path = self._path(name)
        if path is None:
            return None
        old = self.model[name].files[path]
        size = self.chance.choice((0, self.chance.randrange(len(old) * 3 // 2 + 1)))
        self._fs(name).truncate(path, size)
        self.model[name].files[path] = old[:size].ljust(size, b"\0")
        return f"{name} {path} {size}"

    def unlink(self) -> str | None:
        """A file goes."""
        name = self._any()
        path = self._path(name)
        if path is None:
            return None
        self._fs(name).unlink(path)
        del self.model[name].files[path]
        return f"{name} {path}"

    def mkdir(self) -> str:
        """A new directory."""
        name = self._any()
        path = f"{self._dir(name)}/d{self._number()}"
        self._fs(name).mkdir(path)
        self.model[name].files[path] = None
        return f"{name} {path}"

    def rmdir(self) -> str | None:
        """An empty directory goes."""
        name = self._any()
        path, files = self._path(name, True), self.model[name].files
        if path is None or any(each.startswith(path + "/") for each in files):
            return None
        self._fs(name).rmdir(path)
        del files[path]
        return f"{name} {path}"

    def rename(self) -> str | None:
        """A file or directory gets another path, perhaps one that is taken."""
        name, files = self._any(), None
        files = self.model[name].files
        old = self._path(name, self.chance.random() < 0.3)
        if old is None:
            return None
        into = self._dir(name)
        new = f"{into}/r{self._number()}"
        if (into + "/").startswith(old + "/"):
            return None
        taken = self._path(name)
        if files[old] is not None and taken and taken != old and self.chance.random() < 0.3:
            new = taken
        self._fs(name).rename(old, new)
        moved = {path: data for path, data in files.items() if path == old or path.startswith(old + "/")}
        for path in moved:
            del files[path]
        files.update({new + path[len(old) :]: data for path, data in moved.items()})
        return f"{name} {old} {new}"

    def sync(self) -> str:
        """A transaction group."""
        self.pool.sync()
        self._remember()
        return str(self.pool.txg.synced)

    def snapshot(self) -> str:
        """A snapshot."""
        name, snap = self._any(), f"s{self._number()}"
        self.pool.snapshot(f"{name}@{snap}")
        self.model[name].snaps[snap] = dict(self.model[name].files)
        self._remember()
        return f"{name}@{snap}"

    def _snap(self, name: str) -> str | None:
        found = list(self.model[name].snaps)
        return self.chance.choice(found) if found else None

    def _used(self, name: str, snap: str) -> bool:
        return any(each.origin == (name, snap) for each in self.model.values())

    def destroy_snapshot(self) -> str | None:
        """A snapshot without clones goes."""
        name = self._any()
        snap = self._snap(name)
        if snap is None or self._used(name, snap):
            return None
        self.pool.destroy(f"{name}@{snap}")
        del self.model[name].snaps[snap]
        self._remember()
        return f"{name}@{snap}"

    def clone(self) -> str | None:
        """A clone of a snapshot."""
        name = self._any()
        snap, new = self._snap(name), f"{self.pool.name}/c{self._number()}"
        if snap is None or len(self.model) >= self.datasets:
            return None
        self.pool.clone(f"{name}@{snap}", new)
        self.model[new] = Modelled(dict(self.model[name].snaps[snap]), {}, (name, snap))
        self._remember()
        return f"{name}@{snap} {new}"

    def create(self) -> str | None:
        """A filesystem."""
        if len(self.model) >= self.datasets:
            return None
        name = f"{self.pool.name}/n{self._number()}"
        self.pool.create(name, compression=self.chance.choice(("off", "on", "gzip")))
        self.model[name] = Modelled()
        self._remember()
        return name

    def destroy(self) -> str | None:
        """A filesystem or clone without snapshots goes."""
        found = [name for name, each in sorted(self.model.items()) if not each.snaps and name != self.pool.name]
        if not found:
            return None
        name = self.chance.choice(found)
        self.pool.destroy(name)
        del self.model[name]
        self._remember()
        return name

    def rollback(self) -> str | None:
        """Back to the latest snapshot, or to an older one when no clone is in the way."""
        name = self._any()
        each, snap = self.model[name], self._snap(name)
        if snap is None:
            return None
        later = list(each.snaps)[list(each.snaps).index(snap) + 1 :]
        if any(self._used(name, other) for other in later):
            return None
        for other in reversed(later):
            self.pool.destroy(f"{name}@{other}")
            del each.snaps[other]
            self._remember()
        self.pool.rollback(f"{name}@{snap}")
        each.files = dict(each.snaps[snap])
        self._remember()
        return f"{name}@{snap}"

    def promote(self) -> str | None:
        """A clone becomes the elder."""
        clones = [name for name, each in sorted(self.model.items()) if each.origin]
        if not clones:
            return None
        name = self.chance.choice(clones)
        clone, (owner, snap) = self.model[name], self.model[name].origin
        elder = self.model[owner]
        moved = list(elder.snaps)[: list(elder.snaps).index(snap) + 1]
        self.pool.promote(name)
        clone.snaps = {each: elder.snaps.pop(each) for each in moved} | clone.snaps
        clone.origin, elder.origin = elder.origin, (name, snap)
        for other_name, other in self.model.items():
            if other.origin and other.origin[0] == owner and other.origin[1] in moved and other_name not in (owner,):
                other.origin = (name, other.origin[1])
        self._remember()
        return name


def contents(dataset: Dataset) -> Files:
    """A dataset's files as they are on disk."""
    found = dataset.filesystem()
    return {path: None if node.is_dir else found.read(number) for path, number, node in found.walk()}


def on_disk(disks: Iterable[object], txg: int | None = None) -> tuple[int, State]:
    """What a reader finds on the disks: the txg, and every dataset's and snapshot's files."""
    pool = Pool.open(disks, txg=txg)
    return pool.uberblock.txg, {each.name: contents(each) for each in pool.datasets()}


def differences(expected: State, found: State) -> list[str]:
    """Where two states differ, in words."""
    out = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in expected or name not in found:
            out.append(f"{name} is {'missing' if name in expected else 'there, and should not be'}")
            continue
        for path in sorted(expected[name].keys() | found[name].keys()):
            want, have = expected[name].get(path, "absent"), found[name].get(path, "absent")
            if want != have:
                sizes = [
                    each if isinstance(each, str) else "dir" if each is None else len(each) for each in (want, have)
                ]
                out.append(f"{name}{path}: expected {sizes[0]}, found {sizes[1]}")
    return out
