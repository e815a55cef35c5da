"""Exercises that check themselves: `docs/exercises.md` tells how to write one.

A specification, ``spec.py`` in an exercise's folder, imports what it needs from here.
"""

from __future__ import annotations

from tinyconv.course.exercises.catalogue import Entry, exercises, find_exercise
from tinyconv.course.exercises.differences import gradients_of, numeric_gradients
from tinyconv.course.exercises.draw import Draw
from tinyconv.course.exercises.judge import judge
from tinyconv.course.exercises.process import Limits
from tinyconv.course.exercises.spec import Check, Exercise, Mistake, Seen
from tinyconv.course.exercises.steps import Step, call, get, kept, together
from tinyconv.course.exercises.verdict import Verdict
from tinyconv.course.exercises.wire import TensorInput

__all__ = [
    "Check",
    "Draw",
    "Entry",
    "Exercise",
    "Limits",
    "Mistake",
    "Seen",
    "Step",
    "TensorInput",
    "Verdict",
    "call",
    "exercises",
    "find_exercise",
    "get",
    "gradients_of",
    "judge",
    "kept",
    "numeric_gradients",
    "together",
]
