"""Cases: how large one is, and others that differ from it in one thing only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.course.exercises.draw import Draw, DrawnCase, Stage
from tinyconv.course.exercises.process import Answer
from tinyconv.course.exercises.spec import Case, Check
from tinyconv.course.exercises.steps import Step
from tinyconv.course.exercises.wire import Rng


def ordinary(check: Check, case: Case, stage: Stage) -> dict[str, Any] | None:
    """The same case in C order, with a batch of 2 if its batch is 0 or 1; None if it cannot be drawn again.

    Parameters
    ----------
    check : Check
        Whose `draw` has made the case.
    case : mapping
    stage : Stage
        The round for which it was drawn.
    """
    if not isinstance(case, DrawnCase):
        return None
    if len(stage.layouts) > 1:
        return {name: _in_c_order(value) for name, value in case.items()}
    again, drawn = None if case.batch is None else 2, iter(case.drawn)
    try:
        return dict(check.draw(Draw(lambda strategy: next(drawn), stage, again)))
    except Exception:  # sizes that were drawn no longer fit the batch
        return None


def _in_c_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_c_order(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_in_c_order(part) for part in value)
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) and value.ndim else value


def has_generator(case: Case) -> bool:
    """Whether the student's code is handed a generator."""
    return any(isinstance(value, Rng) for value in case.values())


def with_other_seed(case: Case) -> dict[str, Any]:
    """The same case, but another generator."""
    return {k: Rng(v.seed + 10_000) if isinstance(v, Rng) else v for k, v in case.items()}


def is_float(value: Any) -> bool:
    """Whether it is an array of floats."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def as_float64(value: Any) -> Any:
    """The same in float64, if it is an array of floats."""
    return value.astype(np.float64) if is_float(value) else value


def size(case: Case) -> float:
    """How much there is to look at in a case."""
    return sum(_extent(value) for value in case.values())


def _extent(value: Any) -> float:
    if isinstance(value, np.ndarray):
        return 2.0 + value.size
    if isinstance(value, dict | list | tuple):
        return 1.0 + len(value)
    return abs(value) / 10 if isinstance(value, int | float) else 0.0


def changed(steps: Sequence[Step], answer: Answer, case: Case) -> str:
    """The name of an array that is not the same after the steps as before."""
    names = {id(value): name for name, value in case.items()}
    for step, after in zip(steps, answer.arguments, strict=False):
        for before, now in zip(step.values, after or (), strict=False):
            if isinstance(before, np.ndarray) and isinstance(now, np.ndarray):
                same = before.shape == now.shape and before.dtype == now.dtype
                if not same or not np.array_equal(before, now, equal_nan=before.dtype.kind in "fc"):
                    return names.get(id(before), "array")
    return ""
