"""Name the likely mistake: one that the exercise's writer foresaw, or what the pattern of errors suggests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyconv.course.exercises.comparison import FLOAT32_TOLERANCE, compare
from tinyconv.course.exercises.draw import Stage
from tinyconv.course.exercises.patterns import shape_sentence, value_sentence
from tinyconv.course.exercises.spec import Check, Mistake, Seen

MOSTLY = 0.9
"""A predicate that holds for the case that is shown has to hold for so many of the failing ones."""

BATCH_OF_1 = "it is right for larger batches: is there a squeeze(), or a size that must not be 1?"
SPECIAL = {
    "a batch of 1": BATCH_OF_1,
    "an empty batch": "it is right for other batches; an empty one has an empty result",
    "inputs in other memory orders": "it is right for arrays in C order: do not rely on how an array "
    "lies in memory (reshape with an order, as_strided with fixed strides, views that share memory)",
}
"""What a failure in one of these rounds says, if the same cases are right without what is special."""

IMPORT = "leave this import out: the exercise can be solved without it"

ERRORS = {
    "NotImplementedError": "this part is not written yet: the TODO is still there",
    "Refused": "solve it without that: the exercise is to write it yourself",
    "SystemExit": "the code ends the program: leave out exit() and sys.exit()",
    "MemoryError": "an array far larger than the result: look at the sizes that you ask for",
    "RecursionError": "recursion without an end, or deeper than Python allows: a loop has no such limit",
    "SyntaxError": "this is no Python yet: look at the line, and at the one before it",
    "IndentationError": "the spaces at the left margin do not fit together",
    "NameError": "a name that is not defined: a typing mistake, or an import that is missing",
    "IndexError": "an index runs over the edge: check the last position of each loop",
    "AttributeError": "something does not have this attribute: is it what you think it is?",
    "TypeError": "a call or an operator got what it does not take: compare the parameters with the stub's",
    "ZeroDivisionError": "a division by zero: which size may be 0 here?",
}


def name_mistake(
    mistakes: Sequence[Mistake],
    all_seen: Sequence[Seen],
    failing: Sequence[Seen],
    smallest: Seen,
    check: Check | None,
    function: str,
    stage_matters: str = "",
) -> str:
    """The sentence for the likely mistake.

    Parameters
    ----------
    mistakes : sequence of Mistake
        Those that the writer of the exercise foresaw; the first that fits is it.
    all_seen, failing : sequence of Seen
        All cases, and those that were not right.
    smallest : Seen
        The case that is shown.
    check : Check, optional
    function : str
        The name of the student's function.
    stage_matters : str
        A sentence on what these cases have in common, if the same ones without that are right.
    """
    if smallest.raised("NotImplementedError"):
        return ERRORS["NotImplementedError"]
    if smallest.raised("Refused") and smallest.error and smallest.error["message"].startswith("import "):
        return IMPORT
    with np.errstate(all="ignore"):
        for mistake in mistakes:
            if _fits(mistake, [*all_seen, smallest], [*failing, smallest], check):
                return mistake.sentence
        shares = [_share(mistake, failing, smallest) for mistake in mistakes]
        if max(shares, default=0) >= MOSTLY:
            return mistakes[shares.index(max(shares))].sentence
        return _generic(smallest, failing, function, stage_matters)


def stage_sentence(stage: Stage, failing: Sequence[Seen]) -> str:
    """What the failing cases have in common by their batch or memory order; it still has to be tried."""
    batches = {getattr(seen.case, "batch", None) for seen in failing}
    return SPECIAL.get(stage.name) or (BATCH_OF_1 if batches == {1} else "")


def _fits(mistake: Mistake, all_seen: Sequence[Seen], failing: Sequence[Seen], check: Check | None) -> bool:
    if mistake.when is not None:
        return all(holds(mistake, seen) for seen in failing)
    if mistake.wrong is None or check is None:
        return False
    answered = [seen for seen in all_seen if seen.error is None]
    compared = all_seen if failing[0].error is not None else answered
    return bool(answered) and all(_same_as(mistake, seen, check) for seen in compared)


def _share(mistake: Mistake, failing: Sequence[Seen], shown: Seen) -> float:
    """How many of the failing cases the predicate holds for; none if the shown one contradicts it."""
    return sum(holds(mistake, seen) for seen in failing) / len(failing) if holds(mistake, shown) else 0.0


def holds(mistake: Mistake, seen: Seen) -> bool:
    """Whether the predicate is true; one that fails on an odd result does not fit."""
    try:
        return bool(mistake.when is not None and mistake.when(seen))
    except Exception:
        return False


def _same_as(mistake: Mistake, seen: Seen, check: Check) -> bool:
    """Whether the function with the mistake gives what the student's code gave, or the same exception."""
    case = {k: v.astype(float) if _is_float(v) else v for k, v in seen.case.items()}
    low = any(_is_float(v) and v.dtype == np.float32 for v in seen.case.values())
    try:
        wrong = mistake.wrong(**case) if mistake.wrong is not None else None
    except Exception as error:
        return seen.raised(type(error).__name__)
    if seen.error is not None:
        return False
    tolerance = max(check.tolerance, FLOAT32_TOLERANCE) if low else check.tolerance
    return compare(seen.got, wrong, tolerance) is None


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _generic(seen: Seen, failing: Sequence[Seen], function: str, stage_matters: str) -> str:
    """A sentence for a mistake that nobody foresaw."""
    if seen.kind == "error" and seen.error is not None:
        known = [ERRORS[name] for name in seen.error["bases"] if name in ERRORS]
        return stage_matters or (known[0] if known else "the code stops with an error: look at the line")
    if seen.kind == "changed":
        return "the code modifies its input in place: work on a copy, as the caller still needs it"
    if seen.kind == "type" and seen.got is None:
        return f"nothing is returned: does {function} end with a return?"
    if seen.kind == "dtype":
        return _dtype(seen)
    if stage_matters:
        return stage_matters
    difference = seen.difference
    if difference is None or difference.kind == "type":
        return "compare what is returned with the description in the stub"
    parts = [one.difference for one in failing if one.difference is not None]
    others = [one for one in parts if one.part == difference.part]
    sentence = shape_sentence if difference.kind == "shape" else value_sentence
    return sentence(difference, others)


def _dtype(seen: Seen) -> str:
    arrays = [name for name, value in seen.case.items() if _is_float(value)]
    name = "grad" if "grad" in arrays else arrays[0] if arrays else "x"
    if seen.stage != "float32 inputs":
        return f"the result has another dtype than the inputs: write no dtype down, take {name}.dtype"
    return (
        f"the dtype is lost on the way: make new arrays with dtype={name}.dtype, not with NumPy's default; "
        "NumPy's own numbers, as np.power and np.sqrt give them, are float64 too"
    )
