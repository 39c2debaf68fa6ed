"""Run our dtrace for a test: in a child process made by fork, so that imports are paid once and nothing can leak.

    done = run(["-xerrtags", "-e", "-s", "x.d"], folder)
    done.status, done.out, done.err

A Python traceback, which no program may cause, is a status of its own: :data:`CRASHED`. So is a run that does not end
within its time: :data:`HANGS`.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

CRASHED, HANGS = 200, 201
MEMORY = 2 << 30  # bytes of address space above which a run counts as out of its bounds
SOURCE = Path(__file__).resolve().parents[2] / "src"
WRAPPER = """\
#!/bin/sh
PYTHONPATH={source} exec {python} -m smartos dtrace "$@"
"""


@dataclass(frozen=True)
class Done:
    """What a run left: its exit status and the bytes of both streams."""

    status: int
    out: bytes
    err: bytes


def _child(arguments: Sequence[str], stdin: bytes) -> int:
    from smartos.commands import run as command

    done = command(["dtrace", *arguments], stdin=BytesIO(stdin).read)
    os.write(1, b"") if not done.stdout else sys.stdout.buffer.write(done.stdout)
    sys.stdout.flush()
    sys.stderr.write(done.err)
    sys.stderr.flush()
    return done.status


def _wait(child: int, seconds: float) -> int:
    until = time.monotonic() + seconds
    pause = 0.001
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended and os.WIFSIGNALED(status):
            return HANGS if os.WTERMSIG(status) == signal.SIGXCPU else CRASHED
        if ended:
            return os.WEXITSTATUS(status)
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return HANGS
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def run(arguments: Sequence[str], folder: Path, stdin: bytes = b"", seconds: int = 60) -> Done:
    """Run `dtrace arguments` with `folder` as its current one. It may use so many seconds of a processor."""
    if str(SOURCE) not in sys.path:
        sys.path.insert(0, str(SOURCE))
    import smartos.commands.run  # noqa: F401  (before the fork, so that every child has it)

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            status = CRASHED
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
                sys.stderr = open(2, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
                os.chdir(folder)
                status = _child(arguments, stdin)
            except SystemExit as ended:
                status = ended.code if isinstance(ended.code, int) else CRASHED
            except BaseException:  # noqa: BLE001  (whatever it is, it is the test's finding)
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(status & 0xFF)
        status = _wait(child, seconds * 20)
        out.seek(0)
        err.seek(0)
        return Done(status, out.read(), err.read())


def wrapper(folder: Path) -> Path:
    """A program `dtrace` in `folder` that runs ours, for scripts of a shell."""
    path = folder / "dtrace"
    path.write_text(WRAPPER.format(source=SOURCE, python=sys.executable), "utf-8")
    path.chmod(0o755)
    return path


def run_shell(shell: str, script: str, folder: Path, tools: Path, seconds: float = 600) -> Done:
    """Run a script of the suite as its runner does: `ksh /dev/stdin DTRACE`, with our dtrace first on the PATH."""
    program = wrapper(tools)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ.get('PATH', '')}", "TMPDIR": str(tools)}
    environment.setdefault("TZ", "UTC")  # a system's shells have it, so that a script that sets it also exports it
    text = script.replace("/usr/sbin/dtrace", str(program)).replace("/var/tmp/", f"{tools}/").replace("/bin/nawk", "nawk")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as source:
        source.write(text.encode("utf-8", "surrogateescape"))
        source.seek(0)
        running = subprocess.Popen(
            [shell, "/dev/stdin", str(program)], stdin=source, stdout=out, stderr=err, cwd=folder, env=environment,
            start_new_session=True,
        )  # fmt: skip
        try:
            status = running.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            status = HANGS
        out.seek(0)
        err.seek(0)
        return Done(status, out.read(), err.read())
