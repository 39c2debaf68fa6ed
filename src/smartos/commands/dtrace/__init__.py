"""dtrace(1M)."""
