"""A workload (being written)."""
