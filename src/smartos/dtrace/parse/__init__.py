"""From the text of a D program to its tree: lexer, parser, declarations, pragmas, the preprocessor of `-C`."""
