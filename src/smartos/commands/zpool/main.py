"""zpool(1M): the command that looks after pools.

Left out: `iostat` (nothing here takes time, so there are no rates) and `split`, log and cache devices, repeating at an
interval; each says so. Follows `zpool_main.c` of illumos as of 12 August 2011.
"""

from collections.abc import Callable, Sequence

from smartos.commands.system import System
from smartos.commands.text import Usage
from smartos.commands.zpool import (
    change as zpool_change,
)
from smartos.commands.zpool import (
    importing as zpool_import,
)
from smartos.commands.zpool import (
    props as zpool_props,
)
from smartos.commands.zpool import (
    run as zpool_run,
)
from smartos.commands.zpool import (
    show as zpool_show,
)
from smartos.output import CommandError, Output

USAGE = Usage(
    "zpool",
    {
        "create": (
            "create [-fn] [-o property=value] ... ", "    [-O file-system-property=value] ... ",
            "    [-m mountpoint] [-R root] <pool> <vdev> ...",
        ),
        "destroy": ("destroy [-f] <pool>",), "add": ("add [-fn] <pool> <vdev> ...",),
        "remove": ("remove <pool> <device> ...",), "list": ("list [-Hp] [-o property[,...]] [pool] ...",),
        "status": ("status [-vx] [pool] ...",), "online": ("online <pool> <device> ...",),
        "offline": ("offline [-t] <pool> <device> ...",), "clear": ("clear <pool> [device]",),
        "attach": ("attach [-f] <pool> <device> <new-device>",), "detach": ("detach <pool> <device>",),
        "replace": ("replace [-f] <pool> <device> [new-device]",), "scrub": ("scrub [-s] <pool> ...",),
        "import": (
            "import [-d dir] [-D]", "import [-o property=value] ... [-d dir] [-D] [-f] [-F] [-N] [-R root] -a",
            "import [-o property=value] ... [-d dir] [-D] [-f] [-F] [-N] [-R root]", "    <pool | id> [newpool]",
        ),
        "export": ("export [-f] <pool> ...",), "upgrade": ("upgrade", "upgrade -v"),
        "history": ("history [-il] [<pool>] ...",), "get": ("get [-p] <\"all\" | property[,...]> <pool> ...",),
        "set": ("set <property=value> <pool> ",),
    },
)  # fmt: skip
REFUSED = {
    "iostat": "nothing takes time here, so there are no rates; the D programs of the book count I/O",
    "split": "mirrors are not split here; detach the disk, or send the datasets to another pool",
    "reguid": "it came later than August 2011", "labelclear": "it came later than August 2011",
}  # fmt: skip


def _status(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    return zpool_show.status(system, usage, words)


SUBCOMMANDS: dict[str, Callable[[System, Usage, Sequence[str], str], Output]] = {
    "create": zpool_change.create, "destroy": zpool_change.destroy, "add": zpool_change.add,
    "remove": zpool_change.remove, "attach": zpool_change.attach, "replace": zpool_change.replace,
    "detach": zpool_change.detach, "list": zpool_props.list_, "get": zpool_props.get, "set": zpool_props.set_,
    "status": _status, "online": zpool_run.online, "offline": zpool_run.offline, "clear": zpool_run.clear,
    "scrub": zpool_run.scrub, "history": zpool_run.history, "upgrade": zpool_run.upgrade, "export": zpool_run.export,
    "import": zpool_import.import_,
}  # fmt: skip


def main(words: Sequence[str], system: System) -> Output:
    """Run `zpool` with these words. Raises :class:`CommandError` for what fails."""
    if not words:
        raise CommandError("missing command\n" + USAGE.text().rstrip("\n"), 2)
    name = words[0]
    if name == "-?":
        return Output(USAGE.text())
    if name in REFUSED:
        raise CommandError(f"zpool {name}: not done here: {REFUSED[name]}")
    if name not in SUBCOMMANDS:
        raise CommandError(f"unrecognized command '{name}'\n" + USAGE.text().rstrip("\n"), 2)
    line = " ".join(("zpool", *words))
    system.stage(line)
    return SUBCOMMANDS[name](system, USAGE, words[1:], line)
