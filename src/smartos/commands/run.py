"""Find a command by its name and run it; what fails on purpose becomes its message and its status."""

import importlib
import shlex
from collections.abc import Sequence

from smartos.commands.output import CommandError, Output

COMMANDS = ("zpool", "zfs", "zdb")


def run(command: str | Sequence[str], *context: object) -> Output:
    """Run a command line, or its words. `context` is handed to the command (for the pools that are imported).

    A command that fails gives an :class:`Output` with its message and status; it raises nothing for bad input.
    """
    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as error:
        return Output(err=f"sh: {error}\n", status=2)
    if not words or words[0] not in COMMANDS:
        name = words[0] if words else ""
        return Output(err=f"{name}: not found; there are {', '.join(COMMANDS)}\n", status=127)
    module = importlib.import_module(f"smartos.commands.{words[0]}")
    try:
        return module.main(words[1:], *context)
    except CommandError as error:
        return Output(err=f"{error}\n", status=error.status)
