"""Formats of printf() and printa(): their syntax, and what their arguments may be."""
