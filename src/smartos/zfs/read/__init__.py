"""A pool as it is on disk, read and walked, and nothing written."""
