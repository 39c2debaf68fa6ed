"""Object types: the number in each block pointer and dnode that says what the bytes are, and how to swap them.

Left out: nothing of the table; types from 128 on carry their properties in their bits. Follows `dmu.h` and `dmu.c` of
OpenZFS, whose names `zdb` prints.
"""

(
    NONE, OBJECT_DIRECTORY, OBJECT_ARRAY, PACKED_NVLIST, PACKED_NVLIST_SIZE, BPOBJ, BPOBJ_HDR, SPACE_MAP_HEADER,
    SPACE_MAP, INTENT_LOG, DNODE, OBJSET, DSL_DIR, DSL_DIR_CHILD_MAP, DSL_DS_SNAP_MAP, DSL_PROPS, DSL_DATASET, ZNODE,
    OLDACL, PLAIN_FILE_CONTENTS, DIRECTORY_CONTENTS, MASTER_NODE, UNLINKED_SET, ZVOL, ZVOL_PROP, PLAIN_OTHER,
    UINT64_OTHER, ZAP_OTHER, ERROR_LOG, SPA_HISTORY, SPA_HISTORY_OFFSETS, POOL_PROPS, DSL_PERMS, ACL, SYSACL, FUID,
    FUID_SIZE, NEXT_CLONES, SCAN_QUEUE, USERGROUP_USED, USERGROUP_QUOTA, USERREFS, DDT_ZAP, DDT_STATS, SA,
    SA_MASTER_NODE, SA_ATTR_REGISTRATION, SA_ATTR_LAYOUTS, SCAN_XLATE, DEDUP, DEADLIST, DEADLIST_HDR, DSL_CLONES,
    BPOBJ_SUBOBJ,
) = range(54)  # fmt: skip

NEWTYPE, METADATA, ENCRYPTED, BYTESWAP_MASK = 0x80, 0x40, 0x20, 0x1F
OTN_UINT8_METADATA, OTN_UINT64_METADATA, OTN_ZAP_METADATA = 0xC0, 0xC3, 0xC4

TYPES = (
    "unallocated", "object directory", "object array", "packed nvlist", "packed nvlist size", "bpobj", "bpobj header",
    "SPA space map header", "SPA space map", "ZIL intent log", "DMU dnode", "DMU objset", "DSL directory",
    "DSL directory child map", "DSL dataset snap map", "DSL props", "DSL dataset", "ZFS znode", "ZFS V0 ACL",
    "ZFS plain file", "ZFS directory", "ZFS master node", "ZFS delete queue", "zvol object", "zvol prop",
    "other uint8[]", "other uint64[]", "other ZAP", "persistent error log", "SPA history", "SPA history offsets",
    "Pool properties", "DSL permissions", "ZFS ACL", "ZFS SYSACL", "FUID table", "FUID table size",
    "DSL dataset next clones", "scan work queue", "ZFS user/group/project used", "ZFS user/group/project quota",
    "snapshot refcount tags", "DDT ZAP algorithm", "DDT statistics", "System attributes", "SA master node",
    "SA attr registration", "SA attr layouts", "scan translations", "deduplicated block", "DSL deadlist map",
    "DSL deadlist map hdr", "DSL dir clones", "bpobj subobj",
)  # fmt: skip
_NEW = ("uint8", "uint16", "uint32", "uint64", "zap", "dnode", "objset", "znode", "oldacl", "acl")

# Types whose contents are a ZAP object.
ZAPS = frozenset(
    (
        OBJECT_DIRECTORY, DSL_DIR_CHILD_MAP, DSL_DS_SNAP_MAP, DSL_PROPS, DIRECTORY_CONTENTS, MASTER_NODE, UNLINKED_SET,
        ZVOL_PROP, ZAP_OTHER, ERROR_LOG, POOL_PROPS, DSL_PERMS, NEXT_CLONES, SCAN_QUEUE, USERGROUP_USED,
        USERGROUP_QUOTA, USERREFS, DDT_ZAP, DDT_STATS, SA_MASTER_NODE, SA_ATTR_REGISTRATION, SA_ATTR_LAYOUTS,
        SCAN_XLATE, DEADLIST, DSL_CLONES,
    )
)  # fmt: skip
_DATA = frozenset((PLAIN_FILE_CONTENTS, ZVOL, PLAIN_OTHER, UINT64_OTHER, DEDUP))
_ENCRYPTED = frozenset(
    (
        INTENT_LOG, DNODE, OLDACL, PLAIN_FILE_CONTENTS, DIRECTORY_CONTENTS, UNLINKED_SET, ZVOL, PLAIN_OTHER,
        UINT64_OTHER, ACL, SYSACL, FUID, USERGROUP_USED, USERGROUP_QUOTA, SA, SA_MASTER_NODE,
        SA_ATTR_REGISTRATION, SA_ATTR_LAYOUTS, DEDUP,
    )
)  # fmt: skip


# Types whose contents are bytes, or say their byte order themselves: they are the same on every machine.
BYTES = frozenset((PACKED_NVLIST, PLAIN_FILE_CONTENTS, ZVOL, PLAIN_OTHER, SPA_HISTORY, FUID, SA))


def has_order(kind: int) -> bool:
    """Whether the contents of a type are to be swapped on a machine of the other byte order."""
    return bool(kind & BYTESWAP_MASK) if kind & NEWTYPE else kind not in BYTES


def type_name(kind: int) -> str:
    """A type's name as `zdb` prints it."""
    if kind & NEWTYPE:
        swap = kind & BYTESWAP_MASK
        if swap < len(_NEW):
            return f"bswap {'metadata' if kind & METADATA else 'data'} {_NEW[swap]}"
        return "UNKNOWN"
    return TYPES[kind] if kind < len(TYPES) else "UNKNOWN"


def is_zap(kind: int) -> bool:
    """Whether objects of this type are ZAPs."""
    return kind & BYTESWAP_MASK == 4 if kind & NEWTYPE else kind in ZAPS


def is_metadata(kind: int) -> bool:
    """Whether the type counts as metadata, of which ZFS keeps one more copy than of data."""
    return bool(kind & METADATA) if kind & NEWTYPE else kind not in _DATA


def is_encrypted(kind: int) -> bool:
    """Whether an encrypted dataset encrypts objects of this type (others it only authenticates)."""
    return bool(kind & ENCRYPTED) if kind & NEWTYPE else kind in _ENCRYPTED
