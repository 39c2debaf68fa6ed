"""zfs(1M): the command that looks after datasets.

Left out: mounting and sharing (a filesystem can be used as soon as it is there: `cp`, `ls`, `cat` name its files as
`dataset:/path`), holds, delegation, `diff`, `userspace`; each says so. Follows `zfs_main.c` of illumos as of 12 August
2011.
"""

from collections.abc import Callable, Sequence

from smartos.commands.system import System
from smartos.commands.text import Usage
from smartos.commands.zfs import (
    change as zfs_change,
)
from smartos.commands.zfs import (
    list as zfs_list,
)
from smartos.commands.zfs import (
    make as zfs_make,
)
from smartos.commands.zfs import (
    props as zfs_props,
)
from smartos.commands.zfs import (
    stream as zfs_stream,
)
from smartos.output import CommandError, Output
from smartos.zfs.live.zpl_create import zpl_version

USAGE = Usage(
    "zfs",
    {
        "create": (
            "create [-p] [-o property=value] ... <filesystem>",
            "create [-ps] [-b blocksize] [-o property=value] ... -V <size> <volume>",
        ),
        "destroy": ("destroy [-rRf] <filesystem|volume>", "destroy [-rRd] <snapshot>"),
        "snapshot": ("snapshot [-r] <filesystem@snapname|volume@snapname>",),
        "rollback": ("rollback [-rRf] <snapshot>",),
        "clone": ("clone [-p] [-o property=value] ... <snapshot> <filesystem|volume>",),
        "promote": ("promote <clone-filesystem>",),
        "rename": (
            "rename <filesystem|volume|snapshot> <filesystem|volume|snapshot>",
            "rename -p <filesystem|volume> <filesystem|volume>", "rename -r <snapshot> <snapshot>",
        ),
        "list": (
            "list [-rHp][-d max] [-o property[,...]] [-t type[,...]] [-s property] ...",
            "    [-S property] ... [filesystem|volume|snapshot] ...",
        ),
        "set": ("set <property=value> <filesystem|volume|snapshot> ...",),
        "get": (
            'get [-rHp] [-d max] [-o "all" | field[,...]] [-s source[,...]]',
            '    <"all" | property[,...]> [filesystem|volume|snapshot] ...',
        ),
        "inherit": ("inherit [-r] <property> <filesystem|volume|snapshot> ...",),
        "upgrade": ("upgrade [-v]",), "send": ("send [-[iI] snapshot] <snapshot>",),
        "receive": (
            "receive [-vnFu] <filesystem|volume|snapshot>", "receive [-vnFu] [-d | -e] <filesystem>",
        ),
    },
)  # fmt: skip
ALIASES = {"recv": "receive", "snap": "snapshot"}
_MOUNT = "nothing is mounted here; cp, ls, cat, rm and mkdir name files as dataset:/path"
_HOLD = "there are no holds here; a snapshot stays until it is destroyed"
REFUSED = {
    **dict.fromkeys(("mount", "unmount", "umount", "share", "unshare"), _MOUNT),
    **dict.fromkeys(("hold", "holds", "release"), _HOLD),
    **dict.fromkeys(("allow", "unallow"), "there is one user here, who may do everything"),
    **dict.fromkeys(("userspace", "groupspace"), "owners' space is counted, and not listed; zdb shows the tables"),
    "diff": "compare what 'ls' and 'cat' say of the snapshots, or look at an incremental stream",
    "bookmark": "it came later than August 2011",
}  # fmt: skip
FILESYSTEM_VERSIONS = (
    "Initial ZFS filesystem version", "Enhanced directory entries",
    "Case insensitive and File system unique identifier (FUID)", "userquota, groupquota properties", "System attributes",
)  # fmt: skip


def upgrade(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs upgrade [-v]`: which versions there are, and which filesystems have older ones. Nothing is upgraded here."""
    options, names = usage.options("upgrade", words, "vrV:a")
    newest = zpl_version(system.version)
    if any(letter == "v" for letter, _ in options):
        lines = "".join(f" {number}   {what}\n" for number, what in enumerate(FILESYSTEM_VERSIONS[:newest], 1))
        return Output(
            "The following filesystem versions are supported:\n\nVER  DESCRIPTION\n"
            f"---  {'-' * 56}\n{lines}\nFor more information on a particular version, including supported releases,\n"
            "see the ZFS Administration Guide.\n\n"
        )
    if names or options:
        raise CommandError("zfs upgrade: a filesystem keeps its version here; send it into a pool of a newer one")
    older = [
        (zfs_props.zpl_version(each), each.name) for pool in system.pools.values() for each in pool.datasets(False)
        if 0 < zfs_props.zpl_version(each) < newest
    ]  # fmt: skip
    head = f"This system is currently running ZFS filesystem version {newest}.\n\n"
    if not older:
        return Output(f"{head}All filesystems are formatted with the current version.\n")
    lines = "".join(f"{version:2}   {name}\n" for version, name in sorted(older, key=lambda pair: pair[1]))
    return Output(
        f"{head}The following filesystems are out of date, and can be upgraded.  After being\nupgraded, these filesystems "
        "(and any 'zfs send' streams generated from\nsubsequent snapshots) will no longer be accessible by older software "
        f"versions.\n\n\nVER  FILESYSTEM\n---  ------------\n{lines}\n"
    )


def _list(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    return zfs_list.list_(system, usage, words)


def _get(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    return zfs_list.get(system, usage, words)


def _send(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    return zfs_stream.send(system, usage, words)


SUBCOMMANDS: dict[str, Callable[[System, Usage, Sequence[str], str], Output]] = {
    "create": zfs_make.create, "destroy": zfs_change.destroy, "snapshot": zfs_make.snapshot,
    "rollback": zfs_change.rollback, "clone": zfs_make.clone, "promote": zfs_change.promote,
    "rename": zfs_change.rename, "list": _list, "get": _get, "set": zfs_make.set_, "inherit": zfs_make.inherit,
    "upgrade": upgrade, "send": _send, "receive": zfs_stream.receive,
}  # fmt: skip


def main(words: Sequence[str], system: System) -> Output:
    """Run `zfs` with these words. Raises :class:`CommandError` for what fails."""
    tail = "\nEach dataset is of the form: pool/[dataset/]*dataset[@name]\n"
    if not words:
        raise CommandError("missing command\n" + USAGE.text() + tail.rstrip("\n"), 2)
    name = ALIASES.get(words[0], words[0])
    if name == "-?":
        return Output(USAGE.text() + tail)
    if name in REFUSED:
        raise CommandError(f"zfs {name}: not done here: {REFUSED[name]}")
    if name not in SUBCOMMANDS:
        raise CommandError(f"unrecognized command '{name}'\n" + USAGE.text() + tail.rstrip("\n"), 2)
    line = " ".join(("zfs", *words))
    system.stage(line)
    return SUBCOMMANDS[name](system, USAGE, words[1:], line)
