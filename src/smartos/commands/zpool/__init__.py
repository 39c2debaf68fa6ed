"""zpool(1M)."""
