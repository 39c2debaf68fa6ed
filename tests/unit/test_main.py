"""`python -m smartos`: what it says of itself, and of a command that there is not."""

import subprocess
import sys
from pathlib import Path

import smartos
from smartos.__main__ import SUMMARIES
from smartos.commands import COMMANDS

SOURCE = Path(__file__).parents[2] / "src"


def top(*words):
    """`python -m smartos`, without a terminal."""
    command = [sys.executable, "-m", "smartos", *words]
    return subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(SOURCE)}, stdin=subprocess.DEVNULL)


def test_the_version():
    done = top("--version")
    assert (done.stdout, done.stderr, done.returncode) == (f"smartos {smartos.__version__}\n", "", 0)


def test_help_names_every_command():
    done = top("--help")
    assert done.returncode == 0 and done.stderr == "" and done.stdout.startswith("usage: python -m smartos COMMAND")
    assert SUMMARIES.keys() == set(COMMANDS) and all(f"\n  {name} " in done.stdout for name in COMMANDS)


def test_without_a_command_it_says_how_it_is_called():
    done = top()
    assert (done.stdout, done.returncode) == ("", 2) and done.stderr == top("--help").stdout


def test_an_unknown_command_is_answered_with_the_commands():
    for word in ("zpoool", "--nosuch", "-x"):
        done = top(word, "list")
        assert (done.stdout, done.returncode) == ("", 127)
        assert done.stderr == f"{word}: not found; there are {', '.join(COMMANDS)}\n"
