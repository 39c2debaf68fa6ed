"""What pools, datasets, snapshots, properties and files may be called, and how long their names and values may be.

The functions give what is wrong with a name in the words of the tools, nothing when it is good; :func:`check` raises it.
Lengths are counted in bytes, without the NUL at the end, which the real limits count.

Left out: names of permission sets. Follows `zfs_namecheck.c`, `zfs_prop.c` (`zfs_prop_user`), `zpool_name_valid` of
`libzfs_pool.c`, `zfs_validate_name` of `libzfs_dataset.c` and `dsl_props_set` of illumos as of 12 August 2011.
"""

import string

from smartos.zfs.errors import InvalidName, NameTooLong

MAX_NAME = 255  # MAXNAMELEN, ZAP_MAXNAMELEN; a file's name, too
MAX_TARGET = 1024  # MAXPATHLEN, for a symbolic link
MAX_STRING = 1023  # ZFS_MAXPROPLEN, for the tools' own properties
MAX_VALUE, MAX_OLD_VALUE, STMF_VERSION = 8191, 1023, 16  # ZAP_MAXVALUELEN, ZAP_OLDMAXVALUELEN, which before version 16
CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_.: ")
USER_CHARACTERS = frozenset(string.ascii_lowercase + string.digits + "-_.:")
TOO_LONG, DATASET_TOO_LONG = "name is too long", "dataset name is too long"


def size(text: str) -> int:
    """The bytes of a name."""
    return len(text.encode("utf-8", "surrogatepass"))


def check(wrong: str, trouble: str) -> None:
    """Raise what is wrong with a name: :class:`NameTooLong`, :class:`InvalidName`."""
    if trouble:
        kind = NameTooLong if trouble in (TOO_LONG, DATASET_TOO_LONG) else InvalidName
        raise kind(f"{wrong}: {trouble}")


def pool_name(name: str, new: bool = True) -> str:
    """`pool_namecheck`. A `new` pool may not be called like a kind of vdev."""
    if size(name) > MAX_NAME:
        return TOO_LONG
    bad = next((letter for letter in name if letter not in CHARACTERS), "")
    if bad:
        return f"invalid character '{bad}' in pool name"
    if not name[:1].isalpha():
        return "name must begin with a letter"
    if name in ("mirror", "raidz"):
        return "name is reserved"
    if name[0] == "c" and name[1:2].isdigit():
        return "pool name is reserved"
    if new and (name.startswith(("mirror", "raidz", "spare")) or name == "log"):
        return "name is reserved"
    return ""


def _components(path: str) -> str:
    """`dataset_namecheck`: one component after the other."""
    if size(path) > MAX_NAME:
        return TOO_LONG
    if path.startswith("/"):
        return "leading slash in name"
    at, snapshot = 0, False
    while True:
        end = next((place for place in range(at, len(path)) if path[place] in "/@"), len(path))
        after = path[end : end + 1]
        if not after and path[end - 1 : end] == "/":
            return "trailing slash in name"
        if at == end:
            return "multiple '@' delimiters in name" if after == "@" and snapshot else "empty component in name"
        bad = next((letter for letter in path[at:end] if letter not in CHARACTERS and letter != "%"), "")
        if bad:
            return f"invalid character '{bad}' in name"
        if not after:
            return ""
        if snapshot:
            return "multiple '@' delimiters in name" if after == "@" else "trailing slash in name"
        at, snapshot = end + 1, after == "@"


def dataset_name(name: str, snapshot: bool | None = False, new: bool = True) -> str:
    """`zfs_validate_name`. `snapshot`: whether it must be one (None: either); a `new` one may not have a percent sign,
    which the system's own have."""
    trouble = _components(name)
    if trouble:
        return trouble
    if snapshot is False and "@" in name:
        return "snapshot delimiter '@' in filesystem name"
    if snapshot and "@" not in name:
        return "missing '@' delimiter in snapshot name"
    if new and "%" in name:
        return "invalid character % in name"
    return ""


def user_property(name: str) -> bool:
    """`zfs_prop_user`: whether a name is that of a user's own property: it has a colon in it, and no capital."""
    return ":" in name and USER_CHARACTERS.issuperset(name)


def check_property(wrong: str, name: str, value: int | str, version: int) -> None:
    """`dsl_props_set`: raise :class:`NameTooLong` for a property that a pool of that version has no room for.

    Of a value that is too long the real tools say an internal error, and break off; the words are ours.
    """
    if size(name) > MAX_NAME:
        raise NameTooLong(f"{wrong}: property name '{name}' is too long")
    if isinstance(value, str) and size(value) > (MAX_VALUE if version >= STMF_VERSION else MAX_OLD_VALUE):
        raise NameTooLong(f"{wrong}: property value too long")


def mountpoint(path: str) -> str:
    """`mountpoint_namecheck`."""
    if not path.startswith("/"):
        return "'mountpoint' must be an absolute path, 'none', or 'legacy'"
    if any(size(part) > MAX_NAME for part in path.split("/")):
        return "component of 'mountpoint' is too long"
    return ""


def check_file(path: str) -> None:
    """Raise for a path with a name that no file can have: :class:`NameTooLong`, :class:`InvalidName`."""
    for name in path.split("/"):
        try:
            long = len(name.encode("utf-8", "surrogateescape")) > MAX_NAME
        except UnicodeEncodeError:
            raise InvalidName(f"{path!a}: there are no bytes for it") from None
        if long:
            raise NameTooLong(f"{path}: File name too long")
        if "\0" in name:
            raise InvalidName(f"{path!a}: a name has no NUL")
