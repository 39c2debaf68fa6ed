"""A pool that changes: transaction groups, allocation, datasets and snapshots, files and volumes, the intent log."""
