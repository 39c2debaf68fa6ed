"""A system: which pools are imported, as the kernel and /etc/zfs/zpool.cache tell the real tools.

Pools stay open in a :class:`System` from one command to the next, and everything is written when a command ends. A
cache file, in the real format (an nvlist with the configuration of each pool), says which pools to open when a system
begins: so each command of a command line finds the pools of the ones before, and what other systems did meanwhile is
noticed before the next. Disks are files. The system's folder stands for /dev/dsk: a disk in it can be named, and is
shown, without it; with `dev` labels have that name for it, too. A new system is a machine that starts: it does not know
a pool that was kept out of the cache file (`-R`, `cachefile=none`).

Left out: mounting, sharing, a scan that was in progress when the last system ended. Error counters are kept, where a
reboot forgets them: here a system is often one command. Follows `spa_config.c` (`spa_config_sync`, `spa_config_load`) of illumos as of 12 August 2011.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from smartos.commands import error_counts
from smartos.commands.cache_file import CacheFile
from smartos.commands.device_files import beside, given_up, large_enough, leaf_configs, names, outdated, same
from smartos.commands.turn import Turn
from smartos.output import CommandError, Output
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.errors import CorruptPool, Unsupported, ZfsError
from smartos.zfs.format import label, nvlist
from smartos.zfs.format.nvlist import NVList
from smartos.zfs.live import spa_config
from smartos.zfs.live.txg import PoolSuspended
from smartos.zfs.spa.spa import Spa
from smartos.zfs.vdev import tree as vdev

CACHE = "zpool.cache"


class Faulted:
    """A pool that the cache file names and that cannot be opened: its configuration, and why."""

    def __init__(self, config: NVList, root: vdev.Root, trouble: str) -> None:
        self.config, self.root, self.trouble = config, root, trouble
        self.name, self.guid, self.version = str(config["name"]), config["pool_guid"], config["version"]


class System:
    """The pools of one machine. `pools` are those that are open, by name; `faulted` those that cannot be.

    `folder` is where disks without a path are; `cachefile` the cache file, by default what the environment's
    ZPOOL_CACHE says, or `zpool.cache` in the folder; "none" for no file. `dev` is the folder's name in labels and in what
    is said, by default its own path. `clock` gives seconds since 1970, `version` is the newest pool version that the
    system knows, `seed` makes the pools' numbers the same each time. Without `load` the cache file is read by the first
    command, in its turn. `turn` is the lock that commands of several systems, in any processes, have one after the
    other; `stale` says that the pools in memory are to be opened anew.

    Raises :class:`CommandError` when the cache file is none.
    """

    def __init__(
        self, folder: str | os.PathLike = ".", cachefile: str | os.PathLike | None = None, *,
        dev: str = "", clock: Callable[[], int] | None = None, version: int = 28, seed: int | None = None,
        load: bool = True,
    ) -> None:  # fmt: skip
        self.folder = Path(folder).resolve()
        self.dev = dev.rstrip("/") or str(self.folder)
        named = str(cachefile or os.environ.get("ZPOOL_CACHE") or CACHE)
        self.cachefile = None if named == "none" else self.folder / named
        self.cache = CacheFile(self.cachefile)
        self.clock, self.version = clock or (lambda: int(time.time())), version
        self._chance = random.SystemRandom() if seed is None else random.Random(seed)
        self.pools: dict[str, Spa] = {}
        self.faulted: dict[str, Faulted] = {}
        self.altroots: dict[str, str] = {}
        self.uncached: dict[str, str] = {}  # pools with another cache file than ours: its name, or "none"
        self.absent: set[int] = set()  # devices that were not there when their pool was imported, by guid
        self.stdin: Callable[[int], bytes] | None = None
        self.terminal, self.notes = True, ""
        self._disks: dict[Path, FileDisk] = {}
        self._cached = b""
        self._counted: dict[str, error_counts.Counts] = {}
        self.turn, self.stale = Turn(self), False
        if load:
            self.turn.have((), Output)

    # ---- disks

    def path(self, operand: str) -> Path:
        """The file that an operand, or a path in a label, names."""
        place = os.path.normpath(os.path.join(self.dev, operand))
        below = os.path.relpath(place, self.dev)
        return Path(place) if below.startswith("..") else self.folder / below

    def device_name(self, path: Path) -> str:
        """What labels call a file."""
        return f"{self.dev}/{path.relative_to(self.folder)}" if path.is_relative_to(self.folder) else str(path)

    def shown(self, path: str) -> str:
        """A disk's path as the tools show it: without the system's folder, as the real ones leave out /dev/dsk."""
        prefix = f"{self.dev}/"
        return path[len(prefix) :] if path.startswith(prefix) else path

    def disk(self, path: Path, fresh: bool = False) -> FileDisk:
        """The disk in a file; the same one each time, until the file is another one (or `fresh`)."""
        known = self._disks.get(path)
        if known is not None and not fresh:
            now, then = path.stat(), os.fstat(known._file.fileno())
            if (now.st_ino, now.st_dev, now.st_size) == (then.st_ino, then.st_dev, known.size):
                return known
        self._disks[path] = FileDisk(path, name=self.device_name(path), turn=self.turn.write)
        return self._disks[path]

    def device(self, path: Path, linked: bool = True) -> str:
        """The pool that a file is a device of; empty when it is none. `linked` as in :func:`names`."""
        for pool in self.pools.values():
            for leaf in (*pool.root.leaves(), *pool.spares):
                if leaf.leaf and names(path, self.path(leaf.path), linked):
                    return pool.name
        return ""

    def seed(self) -> int:
        """A number to draw guids from."""
        return self._chance.getrandbits(64)

    # ---- pools

    def names(self) -> list[str]:
        """The pools' names, sorted, those that cannot be opened with them."""
        return sorted({*self.pools, *self.faulted})

    def named(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """The pools that are meant, sorted (all without a name), and what is said of names that no pool has."""
        if not names:
            return self.names(), []
        wrong = [f"cannot open '{name}': no such pool" for name in names if name not in self.names()]
        return sorted(set(names) & set(self.names())), wrong

    def pool(self, name: str) -> Spa:
        """An open pool. Raises :class:`CommandError` when there is none of that name."""
        if name in self.faulted:
            raise CommandError(f"cannot open '{name}': pool is unavailable: {self.faulted[name].trouble}")
        if name not in self.pools:
            raise CommandError(f"cannot open '{name}': no such pool")
        return self.pools[name]

    def open(self, config: Mapping, new_name: str = "") -> Spa:
        """Open the pool of a configuration on those of its disks that are there. Raises :class:`ZfsError`.

        When disks are missing, those beside the known ones are looked at, too: a command that was killed may have
        given the pool a disk, and not have said so in the cache file.
        """
        named = [self.path(leaf["path"]) for leaf in leaf_configs(config["vdev_tree"])]
        paths = [path for path in named if large_enough(path)]
        try:
            pool = self._import(paths, config, new_name)
            if all(leaf.disk is not None for leaf in pool.root.leaves() if leaf.leaf):
                return self._opened(pool)
        except ZfsError:
            pool = None
        more = [path for path in beside(paths, config["pool_guid"]) if path not in paths]
        if pool is None or more:
            pool = self._import([*paths, *more], config, new_name)
        return self._opened(pool)

    def _import(self, paths: Sequence[Path], config: Mapping, new_name: str) -> Spa:
        disks = [self.disk(path) for path in paths]
        return Spa.import_(disks, config["pool_guid"], clock=self.clock, seed=self.seed(), new_name=new_name)

    def _opened(self, pool: Spa) -> Spa:
        pool.events.enabled = False
        self.note_replay(pool)
        for leaf in pool.root.leaves():
            if leaf.leaf and leaf.disk is not None and leaf.path != leaf.disk.name:
                leaf.path, pool.config_dirty = leaf.disk.name, True  # the file was moved
        return pool

    def note_replay(self, pool: Spa) -> None:
        """Have the next command say what of an intent log could not be done again when the pool was imported."""
        for each in pool.replayed:
            if each.trouble:
                self.notes += f"{each.name}: its intent log was replayed up to {each.trouble}; the rest of it is lost\n"

    def device_files(self) -> Iterator[Path]:
        """The files of all devices: of the pools that are open, and of those that the cache file names."""
        known = [self.config(each) for each in (*self.pools.values(), *self.faulted.values())]
        try:
            for config in [*known, *self.cache.configs(self.cache.read()).values()]:
                yield from (self.path(leaf["path"]) for leaf in leaf_configs(config["vdev_tree"]))
        except (CommandError, KeyError, TypeError, ValueError, AttributeError):
            return  # it is no cache file, which is said when it is read

    def _load(self) -> None:
        """`spa_config_load`: open what the cache file names and is not open as it says; let go of what another system
        exported or destroyed. Raises :class:`CommandError` when it is no such file."""
        data = self.cache.read()
        if data == self._cached and not self.stale:
            return
        configs = self.cache.configs(data)
        for name in [name for name in self.names() if name not in configs and name not in self.uncached]:
            if data or (name in self.pools and given_up(self.pools[name])):
                self._drop(name)
        try:
            for name, config in configs.items():
                if self.stale or name not in self.pools or self._config(self.pools[name]) != config:
                    self._open_cached(name, config)
        except (KeyError, TypeError, ValueError, AttributeError, CorruptPool, Unsupported) as error:
            raise self.cache.wrong(error) from None
        self._cached = data

    def _open_cached(self, name: str, config: NVList) -> None:
        self.absent |= {leaf["guid"] for leaf in leaf_configs(config["vdev_tree"]) if leaf.get("not_present")}
        try:
            self.pools[name] = self.open(config, name)  # whatever a newer label calls it
            error_counts.restore(self.pools[name], config["vdev_tree"])
            self.faulted.pop(name, None)
        except ZfsError as error:
            known = {leaf["guid"] for leaf in leaf_configs(config["vdev_tree"]) if self.path(leaf["path"]).is_file()}
            blank = type("Blank", (), {"name": "", "size": label.MIN_DEVICE})()
            root = vdev.build(config["vdev_tree"], lambda leaf: blank if leaf.get("guid") in known else None)
            root._assess()
            self.faulted[name] = Faulted(config, root, str(error))
            self.pools.pop(name, None)

    def refresh(self) -> None:
        """Before a command: take note of what others did to the list of pools and to disks, and of files that are gone."""
        self._load()
        for name, config in [(name, each.config) for name, each in self.faulted.items()]:
            self._open_cached(name, config)
        for name, pool in list(self.pools.items()):
            if outdated(pool) or (self.stale and name in self.uncached):
                self.reopen(pool)
        self.stale = False
        self._counted = {name: error_counts.counts(pool) for name, pool in self.pools.items()}
        for pool in list(self.pools.values()):
            self._pulled(pool)

    def changed(self) -> bool:
        """Whether others changed the list of pools, or a pool, since they were read."""
        return self.cache.read() != self._cached or any(map(outdated, self.pools.values()))

    def _pulled(self, pool: Spa) -> None:
        """Take note of disks that are gone, and let hot spares stand in, as fault management does."""
        gone = [leaf for leaf in pool.root.leaves() if leaf.leaf and leaf.readable and not same(leaf, self.path(leaf.path))]
        for leaf in gone:
            leaf.set_state(vdev.State.REMOVED)
        if not pool.root.readable or pool.suspended:
            return
        if gone:
            pool.config_dirty = True
        if pool.kick_spares() or gone:
            self.sync(pool)

    def reopen(self, pool: Spa) -> None:
        """Open a pool anew that is open, as it is on its disks."""
        self._open_cached(pool.name, self._config(pool))

    def config(self, pool: Spa | Faulted) -> NVList:
        """A pool's configuration, hot spares with it."""
        return pool.config if isinstance(pool, Faulted) else self._config(pool)

    def _config(self, pool: Spa) -> NVList:
        config = spa_config.generate(pool, None, 0)
        for leaf in leaf_configs(config["vdev_tree"]):
            if leaf["guid"] not in self.absent:
                leaf.pop("not_present", None)
        if pool.spares:
            spares = [NVList({"type": each.type, "guid": each.guid, "path": each.path}) for each in pool.spares]
            config["vdev_tree"]["spares"] = spares
        error_counts.put(config["vdev_tree"], error_counts.counts(pool))
        return config

    # ---- the end of a command

    def settle(self) -> None:
        """Write what a command found out while it read: errors, into the pools' logs, and their counts."""
        found = {name: error_counts.counts(pool) for name, pool in self.pools.items()}
        logged = [pool for pool in self.pools.values() if pool.errlog.pending and not pool.suspended]
        for pool in logged:
            self.sync(pool)
        if found != self._counted and not logged:
            self.save()
        self._counted = {name: error_counts.counts(pool) for name, pool in self.pools.items()}

    def stage(self, command: str) -> None:
        """A command begins that may change pools."""
        for pool in self.pools.values():
            pool.history.stage(command)

    def log(self, pool: Spa, command: str, create: bool = False) -> None:
        """Note a command in a pool's history, unless its first change took it along, and write all that waits."""
        pool.history.command(command, create)
        if pool.waiting or pool.suspended:
            self.sync(pool)
        else:
            self.save()

    def sync(self, pool: Spa) -> None:
        """Write a pool, and the cache file. Raises :class:`CommandError` when its devices do not take it."""
        self.turn.write()
        try:
            pool.sync()
        except PoolSuspended as error:
            raise CommandError(f"{error}; see 'zpool status'") from None
        self.save()

    def save(self) -> None:
        """`spa_config_sync`: write the cache file, if it would be another one."""
        if self.cachefile is None:
            return
        both = {**self.pools, **self.faulted}
        kept = {name: self.config(both[name]) for name in sorted(both) if name not in self.uncached}
        data = nvlist.pack(NVList(kept))
        if data != self._cached or not self.cachefile.exists():
            self.turn.write()
            self.cache.write(kept, data)
            self._cached = data

    def forget(self, name: str) -> None:
        """A pool was exported or destroyed: it is not ours any more, and its files are closed."""
        self._drop(name)
        self.save()

    def _drop(self, name: str) -> None:
        pool = self.pools.pop(name, None)
        self.faulted.pop(name, None)
        self.altroots.pop(name, None)
        self.uncached.pop(name, None)
        for leaf in (*pool.root.leaves(), *pool.spares) if pool else ():
            known = self._disks.pop(self.path(leaf.path), None) if leaf.leaf else None
            if known is not None:
                known.close()

    def close(self) -> None:
        """Close the files; the pools stay imported, as when a machine is switched off."""
        for disk in self._disks.values():
            disk.close()
        self.pools, self._disks = {}, {}

    def __enter__(self) -> "System":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
