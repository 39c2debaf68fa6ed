"""The cache: the paper's ARC, and ZFS's with the differences that its source names."""
