"""Features: what a pool from version 5000 on says that it uses, and whether it can be read here all the same.

A feature that only changes how a pool is written is no hindrance to a reader; the others are in the pool's list of
features for reading, some in the label too. Everything is read that a default `zpool create` of OpenZFS 2.4 makes; what
is not is refused by name.

Left out: draid, raidz that was expanded, gang headers of more than a sector. Follows `zfeature_common.c` of OpenZFS at
commit be7657e3f278 (version 2.4.99).
"""

from collections.abc import Mapping

from smartos.zfs.errors import Unsupported

# What changes how a pool is read, by what is done about it. Blocks of a checksum, a compression or a cipher that cannot
# be judged here are named one by one, when they are met.
READABLE = {
    "com.joyent:multi_vdev_crash_dump": "multi_vdev_crash_dump", "org.illumos:lz4_compress": "lz4_compress",
    "com.delphix:hole_birth": "hole_birth", "com.delphix:extensible_dataset": "extensible_dataset",
    "com.delphix:embedded_data": "embedded_data", "org.open-zfs:large_blocks": "large_blocks",
    "org.zfsonlinux:large_dnode": "large_dnode", "org.illumos:sha512": "sha512", "org.illumos:skein": "skein",
    "org.illumos:edonr": "edonr", "org.openzfs:blake3": "blake3", "org.freebsd:zstd_compress": "zstd_compress",
    "com.delphix:redaction_bookmarks": "redaction_bookmarks", "com.delphix:redacted_datasets": "redacted_datasets",
    "com.delphix:redaction_list_spill": "redaction_list_spill", "com.delphix:bookmark_written": "bookmark_written",
    "com.datto:bookmark_v2": "bookmark_v2", "com.datto:encryption": "encryption",
    "com.delphix:device_removal": "device_removal", "com.delphix:head_errlog": "head_errlog",
    "com.klarasystems:vdev_zaps_v2": "vdev_zaps_v2", "org.zfsonlinux:longname": "longname",
}  # fmt: skip
REFUSED = {
    "org.openzfs:draid": "draid", "com.seagate:draid_failure_domains": "draid_failure_domains",
    "org.openzfs:raidz_expansion": "raidz_expansion", "com.klarasystems:dynamic_gang_header": "dynamic_gang_header",
}  # fmt: skip
# What changes only how a pool is written.
WRITE_ONLY = {
    "com.delphix:async_destroy": "async_destroy", "com.delphix:empty_bpobj": "empty_bpobj",
    "com.delphix:spacemap_histogram": "spacemap_histogram", "com.delphix:enabled_txg": "enabled_txg",
    "com.delphix:zpool_checkpoint": "zpool_checkpoint", "com.delphix:spacemap_v2": "spacemap_v2",
    "com.delphix:bookmarks": "bookmarks", "com.joyent:filesystem_limits": "filesystem_limits",
    "com.delphix:livelist": "livelist", "com.delphix:log_spacemap": "log_spacemap",
    "com.delphix:obsolete_counts": "obsolete_counts", "org.zfsonlinux:userobj_accounting": "userobj_accounting",
    "org.zfsonlinux:project_quota": "project_quota", "org.zfsonlinux:allocation_classes": "allocation_classes",
    "com.datto:resilver_defer": "resilver_defer", "org.openzfs:device_rebuild": "device_rebuild",
    "org.openzfs:zilsaxattr": "zilsaxattr", "com.fudosecurity:block_cloning": "block_cloning",
    "com.truenas:block_cloning_endian": "block_cloning_endian", "com.klarasystems:fast_dedup": "fast_dedup",
    "com.klarasystems:large_microzap": "large_microzap", "com.truenas:physical_rewrite": "physical_rewrite",
}  # fmt: skip
ALL = {**READABLE, **REFUSED, **WRITE_ONLY}


def check(features: Mapping[str, object]) -> None:
    """Refuse a pool for a feature in use that changes how it is read, and that is not known how. Raises
    :class:`Unsupported`. `features` says how often each is in use; in a label, where they all are, anything."""
    for feature, uses in features.items():
        if uses != 0 and feature not in READABLE and feature not in WRITE_ONLY:
            name = f"{ALL[feature]} ({feature})" if feature in ALL else feature
            raise Unsupported(f"the pool uses the feature {name}, which cannot be read here")
