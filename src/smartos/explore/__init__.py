"""Explorers: figures with controls whose every state is something a model really yielded.

An :class:`Explorer` asks a function for a :class:`Frame` at every point of a declared lattice of controls; a
:class:`Stepper` walks the frames of an event log. A frame is a figure, a sentence that says it, and a table of its
values, so a state can be seen, heard and checked. :class:`Predict` asks before it shows, and :class:`Practice` makes
problems from seeds; all of them are a :class:`~smartos.explore.kit.part.Part`.
"""

from smartos.explore.kit.controls import Choice, Flag, LatticeError, Range
from smartos.explore.kit.explorer import Explorer, Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.practice import Practice, Problem
from smartos.explore.kit.predict import Answer, Predict

__all__ = [
    "Answer", "Choice", "Explorer", "Flag", "Frame", "LatticeError", "Practice", "Predict", "Problem", "Range", "Stepper",
    "Table",
]  # fmt: skip
