"""Streams of snapshots: `zfs send` and `zfs receive`."""
