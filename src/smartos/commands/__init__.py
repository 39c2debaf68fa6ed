"""The system's commands: argv in, text out, in the formats of the real tools.

    system = System("disks")
    run("mkfile 64m c0t0d0 c0t1d0", system)
    run("zpool create tank mirror c0t0d0 c0t1d0", system)

On a command line it is `python -m smartos zpool create tank mirror c0t0d0 c0t1d0`.

Left out: a shell, but for `<`, `>` and one `|` (see :mod:`~smartos.commands.run`).
"""

from smartos.commands.run import COMMANDS, run
from smartos.commands.system import System
from smartos.output import CommandError, Output

__all__ = ["COMMANDS", "CommandError", "Output", "System", "run"]
