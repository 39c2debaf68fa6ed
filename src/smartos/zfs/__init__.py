"""ZFS in miniature: disks, vdevs, the on-disk format, and what stands on them."""
