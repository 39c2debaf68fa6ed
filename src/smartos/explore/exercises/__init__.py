"""Practice without end: problems made from seeds, their keys computed by the models."""
