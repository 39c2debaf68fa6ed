"""From the tree with types to DIF: clauses, actions, the code generator, the listing of `-S`, the kernel's check."""
