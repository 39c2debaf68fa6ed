"""Compile published D scripts (`dtrace -e`): the DTrace book's, the DTraceToolkit's, or any folder's.

    python tests/conformance/dtrace_scripts.py DIR… [--only NAME] [-v]

DIR is a folder, or a git directory of brendangregg/DTrace-book-scripts or opendtrace/toolkit; none of them comes into
this repository. Each `.d` file is compiled with the options of its own first line. One that names a probe which this
system has not is not applicable, and says which; it must parse all the same, and the rest of it is compiled too, with
`-Z`. Left out: scripts of a shell or Perl with D inside. The exit status is 1 when a script does not parse, or when
fewer than 95 % of those that apply compile.
"""

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dtrace_run import CRASHED, HANGS, Done, run

AIM = 0.95
SYNTAX = ("D_SYNTAX", "D_CHR_", "D_STR_", "D_INT_", "D_PRAGMA_", "D_PDESC_INVAL", "D_EMPTY", "D_UNKNOWN")
ABSENT = (
    "matches an unstable set of probes", "Unknown symbol name", "Unknown module name", "Unknown type name",
    ".h: No such file or directory", "does not correspond to a known provider",
)  # fmt: skip
BROKEN = {
    "Chap3/disk_io.d": "a macro of two lines without the backslash between them",
    "Chap7/scsicmds.d": "a piece of a clause in front of the first line",
}
"""Scripts that dtrace(1M) cannot take either."""


@dataclass(frozen=True)
class Script:
    """A published script: `label` is its name in its collection."""

    path: Path
    label: str

    def options(self) -> list[str]:
        """The options of its first line, with `-s` and its name at the end."""
        text = self.path.read_text("utf-8", errors="replace")
        words = shlex.split(text.split("\n", 1)[0])[1:] if re.match(r"#!.*dtrace\b", text) else ["-s"]
        given = [word for word in words if word.startswith("-")]
        return [re.sub(r"(?<=.)s$|^-s$", "", word) for word in given if word != "-s"]


@dataclass(frozen=True)
class Result:
    """`compiles`, `probe` (one of its probes, symbols, headers, or a type of its driver, is not here), `broken` or `FAIL`; `rest` says whether it compiles with `-Z` too."""

    script: Script
    result: str
    reason: str = ""
    rest: bool = True

    @property
    def parses(self) -> bool:
        return self.result != "FAIL" or not any(f"[{tag}" in self.reason for tag in SYNTAX)


def scripts(given: Path, scratch: Path) -> list[Script]:
    """The scripts of a folder or a git directory, each file once."""
    folder = given
    for git in (given, given / ".git", given / "repo", given / "repo/.git"):
        if (git / "HEAD").is_file() and (git / "objects").is_dir():
            folder = scratch / str(len(list(scratch.iterdir())))
            folder.mkdir()
            with subprocess.Popen(["git", f"--git-dir={git}", "archive", "HEAD"], stdout=subprocess.PIPE) as archive:
                subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
            break
    found = sorted(path for path in folder.glob("**/*.d") if path.is_file() and not path.is_symlink() and _is_d(path))
    return [Script(path, str(path.relative_to(folder))) for path in found]


def _is_d(path: Path) -> bool:
    """Not a command of the shell (`dtrace -n '…'`) in a file that is called `.d`."""
    return not re.match(r"(#!.*\n)?\s*dtrace\s+-", path.read_text("utf-8", errors="replace"))


def compiled(script: Script, *more: str) -> Done:
    """Compile a script with its own options and some more. It gets as many arguments as it asks for."""
    text = script.path.read_text("utf-8", errors="replace")
    wanted = range(1, 1 + max(map(int, re.findall(r"\$\$?([1-9]\d?)\b", text)), default=0))
    given = ["read" if re.search(rf":[^\s]*\${n}\b", text) else "1" for n in wanted]
    target = ["-c", "ls"] if "$target" in text else []
    words = [*script.options(), *target, "-xerrtags", "-xdefaultargs", "-e", *more, "-s", script.path.name, *given]
    return run(words, script.path.parent, seconds=60)


def _absent(script: Script, message: str) -> bool:
    """Whether an error comes of a probe, a symbol, a header, or a type of some driver, that this system has not."""
    if "[D_PDESC_ZERO]" in message or any(part in message for part in ABSENT):
        return True
    found = re.search(r"\[D_SYNTAX\] line (\d+): syntax error near \"[\])]\"", message)
    if not found:
        return False
    line = script.path.read_text("utf-8", errors="replace").split("\n")[int(found[1]) - 1]
    # A cast, or a key's type: only an unknown type is an error there.
    return re.search(r"[(\[]\s*(struct\s+)?\w+(`\w+)?\s*\*+\s*[)\]]", line) is not None


def check(script: Script) -> Result:
    """Compile a script."""
    if script.label in BROKEN:
        return Result(script, "broken", BROKEN[script.label])
    done = compiled(script)
    lines = done.err.decode("utf-8", "replace").strip().splitlines()
    if done.status in (CRASHED, HANGS):
        return Result(script, "FAIL", "does not end" if done.status == HANGS else f"crashes: {lines[-1:]}")
    if done.status == 0:
        return Result(script, "compiles")
    reason = lines[0] if lines else f"status {done.status}"
    reason = reason.removeprefix(f"dtrace: failed to compile script {script.path.name}: ")
    if not _absent(script, reason):
        return Result(script, "FAIL", reason)
    again = compiled(script, "-Z")
    message = again.err.decode("utf-8", "replace").strip().splitlines()[:1] or [""]
    if again.status == CRASHED or (not _absent(script, message[0]) and any(f"[{tag}" in message[0] for tag in SYNTAX)):
        return Result(script, "FAIL", message[0])
    return Result(script, "probe", reason if again.status == 0 else f"{reason}; with -Z {message[0]}", again.status == 0)


def report(results: list[Result]) -> str:
    """What was counted."""
    counts = Counter(one.result for one in results)
    providers = Counter(
        found[1] for one in results if one.result == "probe" and (found := re.search(r"probe description ([\w$*-]+)", one.reason))
    )
    return "\n".join([
        f"{len(results)} scripts: {sum(one.parses for one in results)} parse;"
        f" {counts['compiles']} compile, {counts['FAIL']} fail, {counts['broken']} are broken,"
        f" {counts['probe']} want a probe, symbol, header or type that is not here",
        f"of those {counts['probe']}, {sum(one.result == 'probe' and one.rest for one in results)} compile with -Z",
        "absent probes: " + ", ".join(f"{name} {count}" for name, count in providers.most_common()),
    ])  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="folders or git directories of scripts")
    parser.add_argument("--only", default="", help="only scripts whose name has this in it")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every script as it is compiled")
    chosen = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="dtrace-scripts-") as scratch:
        for folder in chosen.folders:
            for script in scripts(folder, Path(scratch)):
                if chosen.only in script.label:
                    results.append(check(script))
                    if chosen.verbose:
                        print(f"{results[-1].result:8}  {script.label}  {results[-1].reason}", flush=True)
    if not results:
        print("dtrace_scripts: no script there", file=sys.stderr)
        return 2
    print(report(results))
    print("\nfailed:", *(f"  {one.script.label}  {one.reason}" for one in results if one.result == "FAIL"), sep="\n")
    counts = Counter(one.result for one in results)
    share = counts["compiles"] / max(1, counts["compiles"] + counts["FAIL"])
    print(f"\n{share:.1%} of the scripts whose probes are here compile (aim: {AIM:.0%})")
    return int(share < AIM or not all(one.parses for one in results))


if __name__ == "__main__":
    sys.exit(main())
