"""Providers: what probes there are, their numbers, and the types of their arguments."""
