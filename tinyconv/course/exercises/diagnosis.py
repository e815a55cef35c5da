"""Name the likely mistake: one that the exercise's writer foresaw, or what the pattern of errors suggests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np

from tinyconv.course.exercises.comparison import FLOAT32_TOLERANCE, compare
from tinyconv.course.exercises.spec import Check, Mistake, Seen

Array = np.ndarray[Any, Any]
CLOSE = 1e-3
MOSTLY = 0.5
BATCH_OF_1 = "it is right for larger batches: is there a squeeze(), or a size that must not be 1?"

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
) -> str:
    """The sentence for the likely mistake.

    Parameters
    ----------
    mistakes : sequence of Mistake
        Those that the writer of the exercise foresaw; the first that fits is it.
    all_seen, failing : sequence of Seen
        All cases, and those that were not right.
    smallest : Seen
    check : Check, optional
    function : str
        The name of the student's function.
    """
    if smallest.raised("NotImplementedError"):
        return ERRORS["NotImplementedError"]
    if smallest.raised("Refused") and smallest.error and smallest.error["message"].startswith("import "):
        return IMPORT
    with np.errstate(all="ignore"):
        for mistake in mistakes:
            if _fits(mistake, all_seen, failing, check):
                return mistake.sentence
        shares = [sum(holds(mistake, seen) for seen in failing) / len(failing) for mistake in mistakes]
        if max(shares, default=0) >= MOSTLY:
            return mistakes[shares.index(max(shares))].sentence
        guesses = [_generic(seen, function) for seen in (smallest, *failing)]
        return _one_of_the_batches(all_seen, failing) or Counter(guesses).most_common(1)[0][0]


def _fits(mistake: Mistake, all_seen: Sequence[Seen], failing: Sequence[Seen], check: Check | None) -> bool:
    if mistake.when is not None:
        return all(holds(mistake, seen) for seen in failing)
    answered = [seen for seen in all_seen if seen.error is None]
    if mistake.wrong is None or check is None or failing[0].error is not None:
        return False
    return bool(answered) and all(_same_as(mistake, seen, check) for seen in answered)


def holds(mistake: Mistake, seen: Seen) -> bool:
    """Whether the predicate is true; one that fails on an odd result does not fit."""
    try:
        return bool(mistake.when is not None and mistake.when(seen))
    except Exception:
        return False


def _same_as(mistake: Mistake, seen: Seen, check: Check) -> bool:
    """Whether the function with the mistake gives what the student's code gave."""
    case = {k: v.astype(float) if _is_float(v) else v for k, v in seen.case.items()}
    low = any(_is_float(v) and v.dtype == np.float32 for v in seen.case.values())
    try:
        wrong = mistake.wrong(**case) if mistake.wrong is not None else None
    except Exception:
        return False
    tolerance = max(check.tolerance, FLOAT32_TOLERANCE) if low else check.tolerance
    return compare(seen.got, wrong, tolerance) is None


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _one_of_the_batches(all_seen: Sequence[Seen], failing: Sequence[Seen]) -> str:
    """Whether all failing cases are batches of 1, and larger ones are right."""
    wrong = {getattr(seen.case, "batch", None) for seen in failing}
    right = {getattr(seen.case, "batch", None) for seen in all_seen if not seen.kind} - {None, 0, 1}
    return BATCH_OF_1 if wrong == {1} and right else ""


def _generic(seen: Seen, function: str) -> str:
    """A sentence for a mistake that nobody foresaw."""
    where = {
        "a batch of 1": BATCH_OF_1,
        "an empty batch": "it is right for other batches; an empty one has an empty result",
        "inputs in other memory orders": "it is right for arrays in C order: do not rely on how an array "
        "lies in memory (reshape with an order, as_strided with fixed strides, views that share memory)",
    }.get(seen.stage, "")
    if seen.kind == "error" and seen.error is not None:
        known = [ERRORS[name] for name in seen.error["bases"] if name in ERRORS]
        return where or (known[0] if known else "the code stops with an error: look at the line")
    if seen.kind == "changed":
        return "the code modifies its input in place: work on a copy, as the caller still needs it"
    if seen.kind == "type" and seen.got is None:
        return f"nothing is returned: does {function} end with a return?"
    if seen.kind == "dtype":
        if seen.stage != "float32 inputs":
            return "the result has another dtype than the inputs: write no dtype down, take that of x"
        return "the dtype is lost on the way: make new arrays with dtype=x.dtype, not with NumPy's default"
    if where:
        return where
    difference = seen.difference
    if difference is None or difference.kind == "type":
        return "compare what is returned with the description in the stub"
    if difference.kind == "shape":
        return _shape(difference.got, difference.expected)
    return _values(
        np.asarray(difference.got, float), np.asarray(difference.expected, float), difference.wrong
    )


def _shape(got: Array, expected: Array) -> str:
    if got.size == expected.size and got.size > 1:
        for order in list(permutations(range(got.ndim)))[1:]:
            moved = got.transpose(order)
            if moved.shape == expected.shape and _same(moved, expected):
                return f"the numbers are right with the axes in the order {order}: a transposition is missing"
        if _same(got.reshape(expected.shape), expected):
            return "the numbers are right, only the shape is not: a reshape is missing"
        return "as many elements as expected, in another shape: which axis is which?"
    if got.ndim != expected.ndim:
        return "the number of axes is wrong: an axis summed away, or one not summed?"
    return "a size is wrong: write down the formula for it, and try it by hand for this case"


def _values(got: Array, expected: Array, wrong: Array | None) -> str:
    if not np.isfinite(got).all() and np.isfinite(expected).all():
        return "there are nan or inf in the result: a division by zero, or an exp that overflows?"
    if not got.any():
        return "the result is zero everywhere: is it ever written to?"
    if _same(got, -expected):
        return "the sign is the wrong way round"
    factor = float((got * expected).sum() / max(float((expected * expected).sum()), 1e-300))
    if abs(factor) > CLOSE and _same(got, factor * expected):
        return f"a factor: all elements are {factor:.6g} times what is right (a mean in the place of a sum?)"
    offset = float((got - expected).mean())
    if got.size > 1 and _same(got - offset, expected):
        way = "large: a term too many" if offset > 0 else "small: is a term missing"
        return f"all elements are {abs(offset):.6g} too {way}?"
    for axes in [(n,) for n in range(got.ndim)] + [(got.ndim - 2, got.ndim - 1)] * (got.ndim > 1):
        if got.size > 1 and _same(np.flip(got, axes), expected):
            return f"the numbers are right but reversed along {axes}: something runs backwards"
    if got.ndim == 2 and got.shape[0] == got.shape[1] and _same(got.T, expected):
        return "the numbers are right but transposed"
    if wrong is not None and wrong.any() and not wrong.all():
        if not got[wrong].any():
            return "zero where it is wrong, right elsewhere: a border, or the last step of a loop forgotten?"
        return "right at some elements, wrong at others: what do the marked ones have in common?"
    return "no element is right: check the formula by hand for this case"


def _same(a: Array, b: Array) -> bool:
    """Equal for a diagnosis; zeros alone say nothing."""
    norm = float(np.linalg.norm(b))
    return norm > 0 and bool(np.linalg.norm(a - b) <= CLOSE * norm)
