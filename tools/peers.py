"""Fetch the real things that the tests hold the models against: Debian's packages, unpacked into `.peers/`.

Nothing is installed: apt downloads into a state of its own, with the system's package sources and one more component
where a peer needs it, and dpkg unpacks. So it needs neither root nor a change to the machine. Left out: distributions
without apt, and machines whose apt reaches no archive; there `peer` says what is missing, and the tests skip with it.
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.paths import ROOT, stop

PEERS = ROOT / ".peers"
APT = Path("/etc/apt")
COMPONENT = "contrib"
BOUND = 300  # seconds that one call of apt may take


class PeerMissing(RuntimeError):
    """A peer is not to be had here; the message says which, and why."""


@dataclass(frozen=True)
class Wanted:
    """A peer: the packages to unpack, and the files (patterns below the folder) that must then be there.

    A peer of another `release` than the machine's brings all its libraries with it, the C library too, and its programs
    are started by its own loader.
    """

    packages: tuple[str, ...]
    files: tuple[str, ...]
    release: str = ""


WANTED = {
    "zfs": Wanted(
        ("zfsutils-linux", "zfs-test"),
        ("**/sbin/zdb", "**/sbin/ztest", "**/libzpool.so.*", "**/zpool_upgrade/blockfiles/*.bz2"),
    ),
    "zfs-sid": Wanted(
        ("zfsutils-linux", "zfs-test", "libc6"),
        ("**/sbin/zdb", "**/sbin/ztest", "**/libzpool.so.*", "**/ld-linux-*.so.*"),
        release="sid",
    ),
    "grub": Wanted(("grub-common",), ("**/bin/grub-fstest",)),
    "zfs-fuse": Wanted(("zfs-fuse", "fuse"), ("**/sbin/zfs-fuse", "**/sbin/zpool", "**/bin/fusermount")),
    "ksh": Wanted(("ksh93u+m",), ("**/bin/ksh93",)),
    "dtrace": Wanted(
        ("dtrace", "dtrace-tests", "libc6"),
        ("**/sbin/dtrace", "**/testsuite/test/unittest/aggs", "**/ld-linux-*.so.*"),
        release="sid",
    ),
}


# zdb -cc prefetches what it reads, and at its end waits until the last of that may leave the cache: 6 s, for nothing.
ALWAYS = {("zfs", "zdb"): ("-o", "zfs_arc_min_prescient_prefetch_ms=1")}
UNVERSIONED = {"zfs": "libzpool.so"}  # by this name zdb opens the library whose variables -o sets


@dataclass(frozen=True)
class Peer:
    """An unpacked peer. `environment` is what its programs need in order to run from where they are.

    `loader` stands before a program's name when it must be started by a loader of its own.
    """

    name: str
    folder: Path
    environment: dict[str, str]
    loader: tuple[str, ...] = ()

    def find(self, pattern: str) -> Path:
        """The first file below the folder that the pattern names. Raises :class:`PeerMissing`."""
        for path in sorted(self.folder.glob(pattern)):
            return path
        raise PeerMissing(f"{self.name}: its packages here have no {pattern}")

    def run(
        self, program: str, *arguments: str | Path, timeout: float = 60, text: bool = True, cwd: Path | None = None
    ) -> subprocess.CompletedProcess:
        """Run one of its programs, in the folder `cwd`, and give what it printed, as text or as bytes."""
        always = ALWAYS.get((self.name, program), ())
        command = [*self.loader, str(self.find(f"**/{program}")), *always, *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment, cwd=cwd, capture_output=True, timeout=timeout,
            errors="replace" if text else None,
        )


def components(text: str, codename: str, component: str) -> str:
    """A list of package sources with `component` added to each entry of the release `codename`, and no other entry.

    Both of apt's formats are understood; what comes back is in the format that came in.
    """
    if re.search(r"^Types:", text, re.MULTILINE):
        suites = re.compile(rf"^Suites:.*\b{codename}\b", re.M)
        stanzas = filter(suites.search, re.split(r"\n\s*\n", text))
        return "\n\n".join(re.sub(r"^(Components:.*)$", rf"\1 {component}", stanza, flags=re.M) for stanza in stanzas)
    entry = re.compile(rf"^deb\s+(\[[^]]*\]\s+)?\S+\s+{codename}\S*\s")
    return "".join(f"{line} {component}\n" for line in text.splitlines() if entry.match(line))


def of_release(text: str, codename: str, release: str) -> str:
    """The package sources of the release `codename` itself (not of its updates), each turned into one of `release`."""
    if re.search(r"^Types:", text, re.MULTILINE):
        suites = re.compile(rf"^Suites:(.*\s)?{codename}(\s.*)?$", re.M)
        stanzas = filter(suites.search, re.split(r"\n\s*\n", text))
        return "\n\n".join(suites.sub(f"Suites: {release}", stanza) for stanza in stanzas)
    entry = re.compile(rf"^(deb\s+(?:\[[^]]*\]\s+)?\S+\s+){codename}(?=\s)")
    return "".join(entry.sub(rf"\g<1>{release}", line) + "\n" for line in text.splitlines() if entry.match(line))


def codename() -> str:
    """The release that this machine runs, as its package sources name it."""
    try:
        words = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    except OSError:
        words = {}
    return words.get("VERSION_CODENAME", "").strip('"')


def _sources(folder: Path, other: str = "") -> None:
    """Write the machine's own package sources, with the component added or for another release, into `folder`."""
    release = codename()
    for path in [APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))]:
        if release and path.is_file() and path.suffix in (".list", ".sources"):
            text = path.read_text()
            text = components(of_release(text, release, other) if other else text, other or release, COMPONENT)
            if text.strip():
                (folder / path.name).write_text(text + "\n")


def _run(command: list[str], where: Path) -> str:
    try:
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=BOUND)
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"{command[0]} did not answer within {BOUND} s") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg"))] or [done.stderr.strip()]
        raise PeerMissing(f"{command[0]}: {errors[0]}")
    return done.stdout


def _installed(package: str) -> bool:
    state = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True)
    return state.stdout.endswith(" installed")


def fetch(name: str) -> None:
    """Download and unpack a peer's packages and the libraries that they need. Raises :class:`PeerMissing`."""
    for tool in ("apt-get", "dpkg-deb", "dpkg-query"):
        if not shutil.which(tool):
            raise PeerMissing(f"{name}: its packages come from Debian, and this machine has no {tool}")
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        state = Path(scratch)
        for part in ("sources", "lists/partial", "cache/archives/partial", "debs", "root"):
            (state / part).mkdir(parents=True)
        _sources(state / "sources", WANTED[name].release)
        options = {
            "Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": state / "sources",
            "Dir::State::Lists": state / "lists", "Dir::Cache": state / "cache", "APT::Sandbox::User": "",
            "Acquire::Retries": "2", "Acquire::Languages": "none", "Debug::NoLocking": "1",
        }  # fmt: skip
        apt = ["apt-get", "-q", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
        _run([*apt, "update"], state)
        waiting, seen = list(WANTED[name].packages), set()
        while waiting:
            fresh = [package for package in dict.fromkeys(waiting) if package not in seen]
            seen.update(fresh)
            if not fresh:
                break
            before = set((state / "debs").iterdir())
            _run([*apt, "download", *fresh], state / "debs")
            waiting = []
            for deb in sorted(set((state / "debs").iterdir()) - before):
                _run(["dpkg-deb", "-x", str(deb), str(state / "root")], state)
                needs = _run(["dpkg-deb", "-f", str(deb), "Depends"], state)
                libraries = [need for need in re.findall(r"(?:^|, )\s*(lib[^\s,(|:]+)", needs) if need not in seen]
                own = bool(WANTED[name].release)
                waiting += [library for library in libraries if own or not _installed(library)]
        shutil.rmtree(PEERS / name, ignore_errors=True)
        PEERS.mkdir(exist_ok=True)
        shutil.move(state / "root", PEERS / name)


def there(name: str) -> Path | None:
    """The peer's folder when everything that is wanted of it is in it."""
    folder = PEERS / name
    complete = folder.is_dir() and all(any(folder.glob(pattern)) for pattern in WANTED[name].files)
    return folder if complete else None


def _name_library(folder: Path, name: str) -> None:
    """Give a library its name without a version as well, as a package for developers would."""
    library = next(folder.glob(f"**/{name}.*"))
    link = library.with_name(name)
    if not link.exists():
        link.symlink_to(library.name)


@cache
def peer(name: str) -> Peer:
    """A peer, fetched when it is not there yet. Raises :class:`PeerMissing`, at every call anew, with the reason."""
    if there(name) is None:
        fetch(name)
    folder = there(name)
    if folder is None:
        raise PeerMissing(f"{name}: the packages {', '.join(WANTED[name].packages)} here lack a wanted file")
    if name in UNVERSIONED:
        _name_library(folder, UNVERSIONED[name])
    libraries = sorted({str(path.parent) for path in folder.glob("**/lib*.so.*")})
    programs = sorted({str(path) for path in folder.glob("**/*bin") if path.is_dir()})
    loader: tuple[str, ...] = ()
    if WANTED[name].release:
        own = next(folder.glob("**/ld-linux-*.so.*"))
        loader, libraries = (str(own), "--library-path", os.pathsep.join(libraries)), []
    found = {"LD_LIBRARY_PATH": libraries, "PATH": programs}
    joined = {key: os.pathsep.join([*ours, os.environ.get(key, "")]).rstrip(os.pathsep) for key, ours in found.items()}
    return Peer(name, folder, {**os.environ, **{key: text for key, text in joined.items() if text}}, loader)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(WANTED), help=f"which of {', '.join(WANTED)}")
    for name in parser.parse_args().names:
        if name not in WANTED:
            stop("peers", f"there is no peer {name}; there are {', '.join(WANTED)}")
        try:
            print(f"peers: {name} is in {peer(name).folder.relative_to(ROOT)}", flush=True)
        except PeerMissing as missing:
            stop("peers", str(missing))


if __name__ == "__main__":
    main()
