"""From the tree to a tree with types: what libdtrace calls cooking, and what it knows beforehand."""
