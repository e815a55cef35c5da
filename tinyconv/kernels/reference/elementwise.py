"""Arithmetic, element by element, with NumPy's broadcasting.

Division by zero and overflow give inf and NaN silently, as IEEE 754 says and PyTorch does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import array_module

Array = Any

quiet = np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore")


@quiet
def add(a: Array, b: Array) -> Array:
    """``a + b``."""
    xp = array_module(a)
    return xp.asarray(xp.add(a, b))


@quiet
def sub(a: Array, b: Array) -> Array:
    """``a - b``."""
    xp = array_module(a)
    return xp.asarray(xp.subtract(a, b))


@quiet
def mul(a: Array, b: Array) -> Array:
    """``a * b``."""
    xp = array_module(a)
    return xp.asarray(xp.multiply(a, b))


@quiet
def div(a: Array, b: Array) -> Array:
    """``a / b``."""
    xp = array_module(a)
    return xp.asarray(xp.true_divide(a, b))


@quiet
def pow(a: Array, b: Array) -> Array:
    """``a ** b``."""
    xp = array_module(a)
    return xp.asarray(xp.power(a, b))


def neg(x: Array) -> Array:
    """``-x``."""
    xp = array_module(x)
    return xp.asarray(xp.negative(x))


@quiet
def exp(x: Array) -> Array:
    """``e ** x``."""
    xp = array_module(x)
    return xp.asarray(xp.exp(x))


@quiet
def log(x: Array) -> Array:
    """Natural logarithm; of 0 minus infinity, of a negative number NaN."""
    xp = array_module(x)
    return xp.asarray(xp.log(x))
