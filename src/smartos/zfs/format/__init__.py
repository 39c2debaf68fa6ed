"""The on-disk format: labels, uberblocks, block pointers, nvlists, and the checksums and compression of blocks."""
