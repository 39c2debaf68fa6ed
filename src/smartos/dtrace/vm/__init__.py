"""The machine that DIF runs on: memory, variables, the interpreter, its subroutines, and clauses compiled to Python."""
