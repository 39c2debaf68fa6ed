"""The subroutines that DIF calls."""

SUBROUTINES: dict = {}
