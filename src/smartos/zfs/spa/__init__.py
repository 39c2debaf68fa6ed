"""The pool that somebody has in hand: making, importing, changing and exporting it."""
