"""The system's commands: argv in, text out, in the formats of the real tools.

    run("zpool create tank mirror c0t0d0 c0t1d0")

On a command line it is `python -m smartos zpool create tank mirror c0t0d0 c0t1d0`.

Left out: a shell. A line is split as a POSIX shell splits it, without pipes, variables and patterns.
"""

from smartos.commands.output import CommandError, Output
from smartos.commands.run import COMMANDS, run

__all__ = ["COMMANDS", "CommandError", "Output", "run"]
