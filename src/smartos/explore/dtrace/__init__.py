"""Figures about D: from a text to what its probes leave behind."""
