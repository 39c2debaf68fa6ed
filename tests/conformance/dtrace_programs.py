"""The programs of the illumos DTrace test suite: where they are, what each must do, and which of them apply here.

The suite is illumos' `usr/src/cmd/dtrace/test/tst/common`; it never comes into this repository. What a program must do
stands in its name, as the suite's own runner (`dtest.pl`) reads it: `tst.*` ends with status 0, `err.*` with status 1,
`err.D_TAG.*` with that tag too, `drp.KIND.*` with a drop of that kind; a `.out` or `.err` beside it is compared byte
for byte. Left out: programs under `i386` and `sparc`, and `man.*`, which people were to read.

Whether a program applies is decided by rules on its folder, its neighbours and what it asks for, never by whether it
passes. :data:`SINGLE` holds those that no rule catches, each with its reason.
"""

import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

COMMON = Path("usr/src/cmd/dtrace/test/tst/common")
NAME = re.compile(r"(tst|err|drp)\..+\.(d|ksh)")
HEADERS = tuple(map(Path, ("usr/src/uts/common", "usr/src/uts/intel", "usr/src/head")))  # of the same source tree; a few programs include them

_NEEDED = ("sys/types.h", "sys/machtypes.h", "sys/dtrace.h", "time.h")


class SuiteMissing(RuntimeError):
    """There is no suite in the folder; the message says what was looked for."""


def suite_folder(given: Path, scratch: Path) -> Path:
    """The `common` folder: `given` itself, one below it, or unpacked into `scratch` from a git directory of illumos."""
    if (given / "aggs").is_dir():
        return given
    for inside in (COMMON, Path("tst/common"), Path("common")):
        if (given / inside / "aggs").is_dir():
            return given / inside
    for git in (given, given / ".git", given / "repo", given / "repo/.git"):
        if (git / "HEAD").is_file() and (git / "objects").is_dir():
            if not _unpack(git, COMMON, scratch):
                raise SuiteMissing(f"{git} has no {COMMON}: give a git directory of illumos")
            for folder in ("uts/common/sys", "uts/common/vm", "uts/intel/sys", "uts/intel/ia32/sys", "head"):
                _unpack(git, Path("usr/src", folder), scratch)
            return scratch / COMMON
    raise SuiteMissing(f"{given}: no suite there; give illumos' {COMMON}, a folder above it, or illumos' git directory")


def _unpack(git: Path, folder: Path, scratch: Path) -> bool:
    """Put a folder of the newest commit below `scratch`; whether there was one. Files that the copy has not are left out."""
    command = ["git", f"--git-dir={git}"]
    listed = subprocess.run([*command, "ls-tree", "-r", "HEAD", f"{folder}/"], capture_output=True)
    files = [line.split(None, 3)[2:] for line in listed.stdout.decode().splitlines()]
    wanted = "".join(f"{blob}\n" for blob, _ in files).encode()
    found = subprocess.run([*command, "cat-file", "--batch"], input=wanted, capture_output=True).stdout
    at = 0
    for _, name in files:
        end = found.index(b"\n", at)
        words = found[at:end].split()
        at = end + 1
        if len(words) == 3:
            size = int(words[2])
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found[at : at + size])
            at += size + 1
    return bool(files)


@dataclass(frozen=True)
class Program:
    """One program of the suite."""

    path: Path

    @property
    def name(self) -> str:
        """Folder and file, as the ledger names it."""
        return f"{self.path.parent.name}/{self.path.name}"

    @property
    def folder(self) -> str:
        return self.path.parent.name

    @property
    def kind(self) -> str:
        """`tst`, `err` or `drp`."""
        return self.path.name.split(".")[0]

    @property
    def tag(self) -> str:
        """The error's tag or the drop's kind that must be printed, or nothing."""
        found = re.match(r"err\.(D_[A-Z0-9_]+)\.|drp\.([A-Z0-9_]+)\.", self.path.name)
        return (found[1] or found[2]) if found else ""

    @property
    def status(self) -> int:
        return 1 if self.kind == "err" else 0

    @property
    def shell(self) -> bool:
        return self.path.suffix == ".ksh"

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8", errors="replace")

    @cached_property
    def code(self) -> str:
        """The program without its comments."""
        if self.shell:
            return re.sub(r"^\s*#(?!\s*(include|define|pragma D|if|el|end)).*$", "", self.text, flags=re.M)
        return re.sub(r"/\*.*?\*/", " ", self.text, flags=re.S)

    def expected(self, stream: str) -> bytes | None:
        """What its file `.out` or `.err` wants printed, or None without such a file."""
        beside = self.path.with_name(f"{self.path.name}.{stream}")
        return beside.read_bytes() if beside.is_file() else None


def headers(common: Path) -> list[Path]:
    """The folders of illumos' headers in the source tree that the suite is in; none where it stands alone."""
    tree = common.parents[len(COMMON.parts) - 1] if common.parts[-len(COMMON.parts) :] == COMMON.parts else None
    found = [tree / folder for folder in HEADERS if (tree / folder).is_dir()] if tree else []
    return found if all(any((folder / name).is_file() for folder in found) for name in _NEEDED) else []


def programs(common: Path) -> list[Program]:
    """All programs of the suite, in the order of the real runner."""
    found = [path for path in common.glob("*/*") if NAME.fullmatch(path.name) and path.is_file()]
    return [Program(path) for path in sorted(found, key=lambda path: (path.parent.name, path.name))]


NO_SHELL = "its first line opens a comment of C, at which a shell of today gives up"
FOLDERS = {
    "cpc": "hardware performance counters (cpc provider)",
    "ip": "a live network and its daemons",
    "java_api": "the Java API",
    "mdb": "mdb and a crash dump",
    "mib": "the mib provider on a live network",
    "nfs": "a process built from C, and an NFS mount",
    "pid": "the pid provider: a real user process",
    "plockstat": "the plockstat provider: a real user process",
    "privs": "privileges of a real process (ppriv)",
    "sysevent": "a process built from C",
    "uctf": "type information of a real user process",
    "usdt": "user-land static probes: a process built from C",
}
WORDS = (
    (r"\bpid\$(target|[0-9])|\bpid\\\$target", "the pid provider: a real user process"),
    (r"\bbunyan\*", "user-land static probes: a process built from C"),
    (r"\blockstat:|\badaptive-(acquire|release)", "lockstat provider: locks of a live kernel"),
    (r"\bfbt::(ioctl|timeout|schedpaging):", "functions of a live kernel (fbt)"),
    (r"\bjava -version", "Java"),
    (r"\bppriv\b", "privileges of a real process (ppriv)"),
)
SHELL_WORDS = (
    (r"\b(cc|gcc|CC)\b.*\.c\b|CC=", "a process built from C"),
    (r"\bbanner\b", "banner(1), which Debian's ksh has not"),
    (r"\bperl /dev/stdin \$file", "a real user process"),
    (r"/dev/(k?mem|ksyms)|\bmdb\b", "mdb on a live kernel"),
    (r"\bppriv\b", "privileges of a real process (ppriv)"),
    (r"\bps -o pid,|\\\$ppid", "the numbers of a real process; here dtrace belongs to the modelled system"),
    (r"#include <stdio.h>", "the headers of a real Solaris"),
    (r"\bspinny\b", "profiling a real process that spins"),
    (r"\b(sleeper|killer)\b", "processes of a live system"),
    (r"\bkill -9 \$child", "killing a real dtrace in mid-work"),
)
SINGLE = {
    "funcs/err.chillbadarg.ksh": NO_SHELL,
    "funcs/err.copyoutbadaddr.ksh": NO_SHELL,
    "funcs/err.copyoutstrbadaddr.ksh": NO_SHELL,
    "pragma/tst.libdepfullyconnected.ksh": "what libdtrace prints of itself under DTRACE_DEBUG",
}


def excluded(program: Program) -> str:
    """Why a program does not apply here; nothing when it does."""
    if program.name in SINGLE:
        return SINGLE[program.name]
    if program.folder in FOLDERS:
        return FOLDERS[program.folder]
    base = program.path.name.rsplit(".", 1)[0]
    if any((program.path.parent / f"{base}.{end}").exists() for end in ("c", "exe")):
        return "a user process built from C"
    for pattern, reason in (*WORDS, *(SHELL_WORDS if program.shell else ())):
        if re.search(pattern, program.code):
            return reason
    return ""
