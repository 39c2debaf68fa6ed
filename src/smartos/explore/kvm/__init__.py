"""Figures about exits, kvmstat and the port."""
