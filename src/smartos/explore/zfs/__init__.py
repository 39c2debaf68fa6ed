"""Figures about ZFS: each state is one that a pool, a disk or a cache was really in."""
