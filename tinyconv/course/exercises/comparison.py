"""Is a result right, and if not: which part of it, where, and in what way?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

from tinyconv.course.exercises.wire import Unknown

Array = np.ndarray[Any, Any]
FLOAT32_TOLERANCE = 2e-4


@dataclass(frozen=True)
class Difference:
    """The first part of a result that is wrong.

    Attributes
    ----------
    kind : str
        ``"type"``, ``"shape"``, ``"dtype"`` or ``"values"``.
    part : str
        Which part of the result, e.g. "the gradient of b".
    sentence : str
    got, expected
        This part.
    wrong : array of bool, optional
        Where values are wrong.
    """

    kind: str
    part: str
    sentence: str
    got: Any = None
    expected: Any = None
    wrong: Array | None = None


def compare(
    got: Any,
    expected: Any,
    tolerance: float,
    dtype: str | None = None,
    part: str = "the result",
    names: Sequence[str] = (),
) -> Difference | None:
    """The first difference, or None.

    Parameters
    ----------
    got, expected
        An array, number, string, None, or a tuple, list or dict of such.
    tolerance : float
        Largest error, as a share of the largest expected value (or of 1, if that is more).
    dtype : str, optional
        The dtype that arrays of floats must have.
    part : str
        What it is, for messages.
    names : sequence of str
        Of the parts of a tuple.

    Examples
    --------
    >>> difference = compare(np.array([1.0, 2.5]), np.array([1.0, 2.0]), 1e-7)
    >>> difference.sentence, difference.wrong.tolist()
    ('the result is wrong at 1 of 2 elements', [False, True])
    """
    if isinstance(expected, tuple | list):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return _type(part, got, expected, f"{len(expected)} values" + _listed(names))
        for index, (one, right) in enumerate(zip(got, expected, strict=True)):
            name = names[index] if index < len(names) else f"element {index} of {part}"
            if found := compare(one, right, tolerance, dtype, name):
                return found
        return None
    if isinstance(expected, dict):
        if not isinstance(got, dict) or set(got) != set(expected):
            return _type(part, got, expected, f"a dict with the keys {sorted(map(str, expected))}")
        for key, right in expected.items():
            if found := compare(got[key], right, tolerance, dtype, f"{part}[{key!r}]"):
                return found
        return None
    if expected is None or isinstance(expected, str | bool | np.bool_):
        if type(got) is bool or isinstance(got, np.bool_):
            got = bool(got)
        same = type(got) is type(expected) and got == expected if expected is not None else got is None
        return None if same else _type(part, got, expected, repr(expected))
    return _compare_numbers(got, expected, tolerance, dtype, part)


def _compare_numbers(
    got: Any, expected: Any, tolerance: float, dtype: str | None, part: str
) -> Difference | None:
    right = np.asarray(expected)
    if right.ndim == 0 and isinstance(got, Number) and not isinstance(got, bool):
        got = np.asarray(got)
    if not isinstance(got, np.ndarray):
        what = "a number" if right.ndim == 0 else f"an array of shape {right.shape}"
        return _type(part, got, expected, what)
    if got.shape != right.shape:
        sentence = f"{part} has shape {got.shape}, expected {right.shape}"
        return Difference("shape", part, sentence, got, right)
    if got.dtype.kind not in "iufb" or (got.dtype.kind == "b" and right.dtype.kind != "b"):
        return Difference("dtype", part, f"{part} has dtype {got.dtype}, expected numbers", got, right)
    lost = dtype and right.dtype.kind == "f" and right.ndim and got.dtype != np.dtype(dtype)
    if lost and not wrong_elements(got, right, max(tolerance, FLOAT32_TOLERANCE)).any():
        sentence = f"{part} has dtype {got.dtype}, expected {dtype} as its inputs have"
        return Difference("dtype", part, sentence, got, right)
    wrong = wrong_elements(got, right, tolerance)
    if wrong.any():
        sentence = f"{part} is wrong at {int(wrong.sum())} of {wrong.size} elements"
        if right.ndim == 0:
            sentence = f"{part} is wrong"
        return Difference("values", part, sentence, got, right, wrong)
    return None


def wrong_elements(got: Array, right: Array, tolerance: float) -> Array:
    """Where two arrays of the same shape differ by more than the tolerance allows."""
    if right.dtype.kind in "iub" and got.dtype.kind in "iub":
        return np.asarray(got != right)
    got, right = got.astype(np.float64), right.astype(np.float64)
    finite = np.isfinite(right)
    scale = max(1.0, float(np.max(np.abs(right[finite]), initial=0)))
    with np.errstate(invalid="ignore"):
        close = np.abs(got - right) <= tolerance * scale
    return np.where(finite, ~close, ~((got == right) | (np.isnan(got) & np.isnan(right))))


def _type(part: str, got: Any, expected: Any, what: str) -> Difference:
    return Difference("type", part, f"{part} is {_called(got)}, expected {what}", got, expected)


def _called(value: Any) -> str:
    if isinstance(value, Unknown):
        return f"of type {value.type}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = repr(value)
    return f"{text if len(text) < 60 else text[:60] + ' …'} ({type(value).__name__})"


def _listed(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if names else ""
