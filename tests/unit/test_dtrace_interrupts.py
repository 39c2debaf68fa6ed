"""^C, SIGTERM, a closed pipe, a full disk: a run ends in order, and what it traced is printed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smartos.commands import run
from smartos.commands.dtrace import child as dtrace_child
from smartos.commands.system import System
from smartos.dtrace.options import Options
from smartos.dtrace.session import Session

SOURCE = Path(__file__).parents[2] / "src"
PROGRAM = 'tick-1s { @ = sum(5); system("x"); } END { printf("the end\\n"); }'
# The command, but what system() runs are signals to itself: the first at each second.
SIGNALLED = """\
import os, signal, sys
from smartos.commands.dtrace import child as dtrace_child
from smartos.__main__ import main
numbers = [int(number) for number in sys.argv.pop(1).split(",")]
def shell(*_):
    for number in numbers:
        os.kill(os.getpid(), number)
    return ""
dtrace_child.shell = shell
sys.exit(main())
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE)}


def signalled(*numbers, text=PROGRAM):
    """dtrace, which gets these signals after a second of its own time."""
    words = [",".join(str(int(number)) for number in numbers), "dtrace", "-x", "maxtime=0", "-qwn", text]
    return subprocess.run([sys.executable, "-c", SIGNALLED, *words], capture_output=True, text=True, env=ENVIRONMENT)


def smartos(*words, **streams):
    """`python -m smartos` in a process of its own."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | streams
    return subprocess.run([sys.executable, "-m", "smartos", *words], text=True, env=ENVIRONMENT, **streams)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(number):
    done = signalled(number)
    assert (done.stdout, done.stderr, done.returncode) == ("\nthe end\n\n                5\n", "", 0)


def test_end_s_exit_is_the_status():
    assert signalled(signal.SIGINT, text='tick-1s { system("x"); } END { exit(9); }').returncode == 9


def test_at_the_second_no_aggregations_are_printed():
    done = signalled(signal.SIGINT, signal.SIGINT)
    assert (done.stdout, done.stderr, done.returncode) == ("\nthe end\n\n", "", 0)


def test_the_third_ends_everything_without_a_traceback():
    done = signalled(*[signal.SIGINT] * 3)
    assert (done.stderr, done.returncode) == ("", 130)


def test_a_session_in_python_ends_likewise_and_the_signals_are_given_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    session = Session(options=Options.command(), workload="", system=lambda _: os.kill(os.getpid(), signal.SIGINT) or "")
    session.options.set("quiet"), session.options.set("destructive"), session.options.set("maxtime", "0")
    session.enable(session.compile(PROGRAM))
    session.go()
    session.run()
    assert session.out.getvalue() == "\nthe end\n\n                5\n"
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_signal_while_the_command_of_c_works_lets_it_end(tmp_path, monkeypatch):
    own = dtrace_child.small
    monkeypatch.setattr(dtrace_child, "small", lambda *a: own(*a) | {"true": lambda _: os.kill(os.getpid(), signal.SIGINT) or own(*a)["echo"](["done"])})
    system = System(tmp_path, cachefile="none")
    done = run(["dtrace", "-qc", "true", "-n", 'proc:::exit { printf("it ends\\n"); } END { printf("the end\\n"); }'], system)
    system.close()
    assert (done.out, done.status) == ("done\n\nit ends\nthe end\n\n", 0)


def test_a_closed_pipe_is_no_traceback():
    reading, writing = os.pipe()
    os.close(reading)
    done = smartos("dtrace", "-l", stdout=writing)
    os.close(writing)
    assert (done.stderr, done.returncode) == ("", 141)


def test_both_streams_in_a_closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    done = smartos("dtrace", "-n", "BEGIN { exit(3); }", stdout=writing, stderr=writing)
    os.close(writing)
    assert done.returncode == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("words", [("dtrace", "-qn", "BEGIN { trace(1); exit(0); }"), ("dtrace", "-V"), ("ls", "/"), ("--version",)])
def test_a_full_disk_as_output(words):
    with open("/dev/full", "w") as full:
        done = smartos(*words, stdout=full)
    name = words[0] if words[0] in ("dtrace", "ls") else "smartos"
    assert (done.stderr, done.returncode) == (f"{name}: failed to write to <stdout>: No space left on device\n", 1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize(("words", "message"), [
    (("-qo", "/dev/full", "-n", "BEGIN { trace(1); exit(0); }"), "failed to write to /dev/full"),
    (("-qwn", 'BEGIN { freopen("/dev/full"); trace(1); exit(0); }'), "processing aborted"),
])  # fmt: skip
def test_a_full_disk_as_a_file(words, message):
    done = smartos("dtrace", *words)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"dtrace: {message}: No space left on device\n", 1)


def test_closed_streams_are_no_traceback():
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m smartos dtrace -qn 'BEGIN {{ trace(1); exit(0); }}' >&- <&-"],
        capture_output=True, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("dtrace: failed to write to <stdout>: Bad file descriptor\n", 1)
