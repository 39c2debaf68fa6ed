"""What pools, datasets and snapshots may be called, and what the tools say of other names.

Left out: names of permission sets and user properties' lengths. Follows `zfs_namecheck.c`, `zpool_name_valid` of
`libzfs_pool.c` and `zfs_validate_name` of `libzfs_dataset.c` of illumos as of 12 August 2011.
"""

from smartos.zfs.spa_admin import MAX_NAME, NAME_CHARACTERS


def pool_name(name: str, new: bool = True) -> str:
    """What is wrong with a pool's name; nothing when it is good. A `new` pool may not be called like a vdev."""
    if len(name) > MAX_NAME:
        return "name is too long"
    bad = next((letter for letter in name if letter not in NAME_CHARACTERS), "")
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


def _components(name: str) -> str:
    """`dataset_namecheck`."""
    if len(name) > MAX_NAME:
        return "name is too long"
    if name.startswith("/"):
        return "leading slash in name"
    path, at, snap = name.partition("@")
    if "@" in snap:
        return "multiple '@' delimiters in name"
    if (snap if at else path).endswith("/"):
        return "trailing slash in name"
    if not all(path.split("/")) or (at and not snap):
        return "empty component in name"
    if "/" in snap:
        return "trailing slash in name"
    bad = next((letter for letter in name if letter not in NAME_CHARACTERS and letter not in "/@%"), "")
    return f"invalid character '{bad}' in name" if bad else ""


def dataset_name(name: str, snapshot: bool | None = False, new: bool = True) -> str:
    """What is wrong with a dataset's name; nothing when it is good. `snapshot`: whether it must be one (None: either);
    a `new` one may not have a percent sign, which the system's own have."""
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
