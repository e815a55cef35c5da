"""Gradients by differences in float64, at every element: the judge's own, whatever a student's code says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
STEP = 1e-5


def numeric_gradients(
    forward: Callable[..., Any], case: dict[str, Any], wrt: Sequence[str], upstream: Array | float = 1.0
) -> tuple[Array, ...]:
    """The gradients of sum(upstream * forward(**case)) with respect to the arrays named in `wrt`.

    Central differences: (f(x + h) - f(x - h)) / 2h, one element at a time.

    Parameters
    ----------
    forward : callable
        The reference; it must not keep or change its arguments.
    case : dict
        Its keyword arguments.
    wrt : sequence of str
        Names of arrays in `case`.
    upstream : array or float
        The gradient that comes from above; has the shape of what `forward` returns.

    Examples
    --------
    >>> x = np.array([1.0, -3.0])
    >>> (gradient,) = numeric_gradients(lambda x: x**2, {"x": x}, ["x"], np.array([1.0, 10.0]))
    >>> gradient.round(6).tolist()
    [2.0, -60.0]
    """
    case = {k: v.astype(np.float64) if _is_float(v) else v for k, v in case.items()}
    gradients = []
    for name in wrt:
        x = np.array(case[name], np.float64)
        gradient = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            slopes = []
            for sign in (1, -1):
                moved = x.copy()
                moved[index] += sign * STEP
                slopes.append(np.sum(upstream * np.asarray(forward(**{**case, name: moved}))))
            gradient[index] = (slopes[0] - slopes[1]) / (2 * STEP)
        gradients.append(gradient)
    return tuple(gradients)


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def gradients_of(forward: Callable[..., Any], *wrt: str, upstream: str = "grad") -> Callable[..., Any]:
    """An `expect` for a check of gradients: differences of `forward`.

    Parameters
    ----------
    forward : callable
        The reference of the forward computation.
    *wrt : str
        Names of the case's arrays whose gradients are expected, in this order; one alone is expected
        as an array, several as a tuple.
    upstream : str
        The case's name for the gradient that comes from above; ``""`` if the result is a single number.

    Examples
    --------
    >>> expect = gradients_of(lambda a, b: a * b, "a", "b")
    >>> [g.round(6).item() for g in expect(a=np.array(2.0), b=np.array(3.0), grad=np.array(1.0))]
    [3.0, 2.0]
    """

    def expect(**case: Any) -> Any:
        above = case.pop(upstream) if upstream else 1.0
        found = numeric_gradients(forward, case, wrt, above)
        return found[0] if len(wrt) == 1 else found

    return expect
