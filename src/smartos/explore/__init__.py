"""Explorers: figures with controls whose every state is something a model really yielded.

An :class:`Explorer` asks a function for a :class:`Frame` at every point of a declared lattice of controls; a
:class:`Stepper` walks the frames of an event log. A frame is a figure, a sentence that says it, and a table of its
values, so a state can be seen, heard and checked.
"""

from smartos.explore.controls import Choice, Flag, Range
from smartos.explore.explorer import Explorer, Stepper
from smartos.explore.frame import Frame, Table

__all__ = ["Choice", "Explorer", "Flag", "Frame", "Range", "Stepper", "Table"]
