"""What the wrong results of an answer have in common: a pattern is named if all failing cases show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np

from tinyconv.course.exercises.comparison import Difference

Array = np.ndarray[Any, Any]
Pair = tuple[Array, Array]
CLOSE = 1e-3
ENOUGH = 4
"""So many numbers, or arrays, have to agree: a single number is some multiple of any other."""


def shape_sentence(shown: Difference, failing: Sequence[Difference]) -> str:
    """A sentence for a result of the wrong shape.

    Parameters
    ----------
    shown : Difference
        That of the case that is shown.
    failing : sequence of Difference
        Those of all failing cases.
    """
    got, expected = shown.got, shown.expected
    if got.size == expected.size and got.size > 1:
        pairs = [(one.got, one.expected) for one in (shown, *failing) if one.kind == "shape"]
        for order in list(permutations(range(got.ndim)))[1:]:
            if _equal_after(partial(np.transpose, axes=order), pairs):
                return f"the numbers are right with the axes in the order {order}: a transposition is missing"
        if _all(pairs, lambda a, b: _same(a.reshape(b.shape), b)):
            return "the numbers are right, only the shape is not: a reshape is missing"
    if got.ndim != expected.ndim:
        return "the number of axes is wrong: an axis summed away, or one not summed?"
    if got.size == expected.size:
        return "as many elements as expected, in another shape: which axis is which?"
    return "a size is wrong: write down the formula for it, and try it by hand for this case"


def value_sentence(shown: Difference, failing: Sequence[Difference]) -> str:
    """The same for wrong values."""
    pairs = [_pair(one) for one in (shown, *failing) if one.kind == "values"]
    got, expected = pairs[0]
    if not np.isfinite(got).all() and np.isfinite(expected).all():
        return "there are nan or inf in the result: a division by zero, or an exp that overflows?"
    if any(one.size > 1 for one, _ in pairs) and _all(pairs, lambda a, b: not a.any()):
        return "the result is zero everywhere: is it ever written to?"
    if any(_equal(*pair) for pair in pairs):  # so near that it would fit any pattern
        return _where_wrong(got, shown.wrong, any(_in_part(one) for one in failing))
    if _all(pairs, lambda a, b: _same(a, -b)):
        return "the sign is the wrong way round"
    if sum(one.size for one, _ in pairs[1:]) >= ENOUGH and (told := _factor(pairs) or _offset(pairs)):
        return told
    if told := _reversed(pairs) or _multiple(pairs):
        return told
    if got.ndim == 2 and got.shape[0] == got.shape[1] and _all(pairs, lambda a, b: _equal(a.T, b)):
        return "the numbers are right but transposed"
    return _where_wrong(got, shown.wrong, any(_in_part(one) for one in failing))


def _where_wrong(got: Array, wrong: Array | None, others_in_part: bool) -> str:
    if wrong is not None and wrong.any() and not wrong.all():
        if not got[wrong].any():
            return "zero where it is wrong, right elsewhere: a border, or the last step of a loop forgotten?"
        return "right at some elements, wrong at others: what do the marked ones have in common?"
    if others_in_part:
        return "right at some elements of other cases, but not here: go through this one by hand"
    if got.size == 1:
        return "this number is not right: go through the formula by hand for this case"
    return "no element is right: check the formula by hand for this case"


def _in_part(difference: Difference) -> bool:
    wrong = difference.wrong
    return wrong is not None and bool(wrong.any() and not wrong.all())


def _pair(difference: Difference) -> Pair:
    return np.asarray(difference.got, float), np.asarray(difference.expected, float)


def _all(pairs: Sequence[Pair], pattern: Callable[[Array, Array], bool]) -> bool:
    """Whether all of them show the pattern; one that cannot be tried does not."""
    try:
        return all(pattern(*pair) for pair in pairs)
    except (ValueError, IndexError):
        return False


def _equal_after(change: Callable[[Array], Array], pairs: Sequence[Pair]) -> bool:
    """Whether the change makes all results right."""
    return _all(pairs, lambda a, b: _equal(change(a), b))


def _ratio(got: Array, expected: Array) -> float:
    """The factor that comes nearest."""
    return float((got * expected).sum() / max(float((expected * expected).sum()), 1e-300))


def _factor(pairs: Sequence[Pair]) -> str:
    """One factor for all elements of all cases."""
    factor = _ratio(*pairs[0])
    if abs(factor) > CLOSE and _all(pairs, lambda a, b: _same(a, factor * b)):
        return f"a factor: all elements are {factor:.6g} times what is right, in every case"
    return ""


def _multiple(pairs: Sequence[Pair]) -> str:
    """A factor for each case, as a mean in the place of a sum gives; of single numbers it says nothing."""
    several = [pair for pair in pairs if pair[0].size > 1]
    if len(several) >= ENOUGH and all(_same(a, _ratio(a, b) * b) for a, b in several):
        here = f"{_ratio(*pairs[0]):.6g}"
        return f"in each case all elements have one factor, here {here}: a mean in the place of a sum?"
    return ""


def _offset(pairs: Sequence[Pair]) -> str:
    """One number too much in all elements of all cases."""
    got, expected = pairs[0]
    offset = float((got - expected).mean())
    if _all(pairs, lambda a, b: _same(a - offset, b)):
        way = "large: a term too many" if offset > 0 else "small: is a term missing"
        return f"all elements are {abs(offset):.6g} too {way}?"
    return ""


def _reversed(pairs: Sequence[Pair]) -> str:
    ndim = pairs[0][0].ndim
    for axes in [(n,) for n in range(ndim)] + [(ndim - 2, ndim - 1)] * (ndim > 1):
        if _equal_after(partial(np.flip, axis=axes), pairs):
            return f"the numbers are right but reversed along {axes}: something runs backwards"
    return ""


def _equal(a: Array, b: Array) -> bool:
    return a.shape == b.shape and _same(a, b)


def _same(a: Array, b: Array) -> bool:
    """Equal for a diagnosis; zeros alone say nothing."""
    norm = float(np.linalg.norm(b))
    return norm > 0 and bool(np.linalg.norm(a - b) <= CLOSE * norm)
