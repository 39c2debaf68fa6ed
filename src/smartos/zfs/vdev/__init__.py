"""Virtual devices: the tree of mirrors and RAID-Z over disks, what is asked of it, and what it mends by itself."""
