"""Trivial access control lists: the one that says the same as a file's mode, which every new file gets.

Left out: every other ACL; those found on disk are kept as they are until the mode is changed. Follows
`acl_trivial_access_masks` of `acl_common.c` and `zfs_acl_chmod` of `zfs_acl.c` of illumos as of 12 August 2011.
"""

import struct

ALLOW, DENY = 0, 1
OWNER, GROUP, EVERYONE = 0x1000, 0x2040, 0x4000
READ, WRITE, EXECUTE = 0x1, 0x2 | 0x4, 0x20
_ALWAYS = 0x20000 | 0x80 | 0x8 | 0x100000  # read the ACL, attributes and named attributes; synchronize
_OWNERS = _ALWAYS | 0x100 | 0x80000 | 0x40000 | 0x10
ACE_SIZE = 8
VERSION_FUID = 1
_BITS = ((4, READ), (2, WRITE), (1, EXECUTE))

Ace = tuple[int, int, int]


def trivial(mode: int) -> list[Ace]:
    """The entries (type, flags, access mask) for a mode: three, or up to six where a later class may do more."""
    user, group, other = mode >> 6 & 7, mode >> 3 & 7, mode & 7
    allow0 = deny1 = deny2 = 0
    for bit, mask in _BITS:
        deny1 |= mask if not user & bit and (group | other) & bit else 0
        deny2 |= mask if not group & bit and other & bit else 0
        allow0 |= mask if user & bit and not group & bit and other & bit else 0
    entries: list[Ace] = []
    if allow0:
        entries.append((ALLOW, OWNER, allow0))
    if deny1:
        entries.append((DENY, OWNER, deny1))
    if deny2:
        entries.append((DENY, GROUP, deny2))
    for who, base, bits in ((OWNER, _OWNERS, user), (GROUP, _ALWAYS, group), (EVERYONE, _ALWAYS, other)):
        entries.append((ALLOW, who, base | sum(mask for bit, mask in _BITS if bits & bit)))
    return entries


def pack(entries: list[Ace]) -> bytes:
    """The entries as they lie on disk (`zfs_ace_hdr_t`), 8 bytes each."""
    return b"".join(struct.pack("<HHI", *entry) for entry in entries)


def znode_acl(entries: list[Ace]) -> bytes:
    """A `zfs_acl_phys_t` of 88 bytes with up to nine entries in it."""
    data = pack(entries)
    return struct.pack("<QIHH", 0, len(data), VERSION_FUID, len(entries)) + data.ljust(72, b"\0")
