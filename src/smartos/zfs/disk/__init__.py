"""Disks, what goes wrong with them, and what a RAID without checksums makes of that."""
