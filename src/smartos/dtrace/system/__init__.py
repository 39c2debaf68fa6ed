"""The system that is traced, as D sees it: its types, symbols and objects, and the D library that describes them."""
