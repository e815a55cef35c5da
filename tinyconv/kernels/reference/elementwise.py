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


def abs(x: Array) -> Array:
    """``|x|``."""
    xp = array_module(x)
    return xp.asarray(xp.absolute(x))


@quiet
def sqrt(x: Array) -> Array:
    """Square root; of a negative number NaN."""
    xp = array_module(x)
    return xp.asarray(xp.sqrt(x))


@quiet
def sin(x: Array) -> Array:
    """Sine of an angle in radians."""
    xp = array_module(x)
    return xp.asarray(xp.sin(x))


@quiet
def cos(x: Array) -> Array:
    """Cosine of an angle in radians."""
    xp = array_module(x)
    return xp.asarray(xp.cos(x))


@quiet
def log1p(x: Array) -> Array:
    """``log(1 + x)``, exact for small x too."""
    xp = array_module(x)
    return xp.asarray(xp.log1p(x))


@quiet
def expm1(x: Array) -> Array:
    """``exp(x) - 1``, exact for small x too."""
    xp = array_module(x)
    return xp.asarray(xp.expm1(x))


@quiet
def sign(x: Array) -> Array:
    """1, 0 or -1: on which side of zero; 0 for NaN, which is on neither."""
    return ((x > 0).astype(x.dtype) - (x < 0)).astype(x.dtype)


@quiet
def floor(x: Array) -> Array:
    """The largest whole number <= x."""
    xp = array_module(x)
    return xp.asarray(xp.floor(x))


@quiet
def ceil(x: Array) -> Array:
    """The smallest whole number >= x."""
    xp = array_module(x)
    return xp.asarray(xp.ceil(x))


@quiet
def trunc(x: Array) -> Array:
    """x without what is behind the point."""
    xp = array_module(x)
    return xp.asarray(xp.trunc(x))


@quiet
def round(x: Array, decimals: int) -> Array:
    """x with `decimals` digits behind the point; halves go to the even neighbour."""
    xp = array_module(x)
    return xp.asarray(xp.round(x, decimals))


@quiet
def maximum(a: Array, b: Array) -> Array:
    """The larger of two; NaN if either is."""
    xp = array_module(a)
    return xp.asarray(xp.maximum(a, b))


@quiet
def minimum(a: Array, b: Array) -> Array:
    """The smaller of two; NaN if either is."""
    xp = array_module(a)
    return xp.asarray(xp.minimum(a, b))


@quiet
def floor_divide(a: Array, b: Array) -> Array:
    """The largest whole number <= a / b."""
    xp = array_module(a)
    return xp.asarray(xp.floor_divide(a, b))


@quiet
def remainder(a: Array, b: Array) -> Array:
    """``a - b * floor(a / b)``: it has the sign of b."""
    xp = array_module(a)
    return xp.asarray(xp.remainder(a, b))


@quiet
def fmod(a: Array, b: Array) -> Array:
    """``a - b * trunc(a / b)``: it has the sign of a."""
    xp = array_module(a)
    return xp.asarray(xp.fmod(a, b))


@quiet
def tan(x: Array) -> Array:
    """Tangent of an angle in radians."""
    xp = array_module(x)
    return xp.asarray(xp.tan(x))


@quiet
def asin(x: Array) -> Array:
    """The angle whose sine is x; NaN outside [-1, 1]."""
    xp = array_module(x)
    return xp.asarray(xp.arcsin(x))


@quiet
def acos(x: Array) -> Array:
    """The angle whose cosine is x; NaN outside [-1, 1]."""
    xp = array_module(x)
    return xp.asarray(xp.arccos(x))


@quiet
def atan(x: Array) -> Array:
    """The angle whose tangent is x."""
    xp = array_module(x)
    return xp.asarray(xp.arctan(x))


@quiet
def atan2(a: Array, b: Array) -> Array:
    """The angle of the point with height a and breadth b."""
    xp = array_module(a)
    return xp.asarray(xp.arctan2(a, b))


@quiet
def sinh(x: Array) -> Array:
    """Hyperbolic sine."""
    xp = array_module(x)
    return xp.asarray(xp.sinh(x))


@quiet
def cosh(x: Array) -> Array:
    """Hyperbolic cosine."""
    xp = array_module(x)
    return xp.asarray(xp.cosh(x))


@quiet
def log2(x: Array) -> Array:
    """Logarithm to the base 2; of 0 minus infinity, of a negative number NaN."""
    xp = array_module(x)
    return xp.asarray(xp.log2(x))


@quiet
def log10(x: Array) -> Array:
    """Logarithm to the base 10; of 0 minus infinity, of a negative number NaN."""
    xp = array_module(x)
    return xp.asarray(xp.log10(x))


@quiet
def exp2(x: Array) -> Array:
    """``2 ** x``."""
    xp = array_module(x)
    return xp.asarray(xp.exp2(x))


def nan_outside(x: Array, low: float, high: float) -> Array:
    """x where low <= x <= high, else NaN."""
    xp = array_module(x)
    return xp.where((low <= x) & (x <= high), x, x.dtype.type(np.nan))


def rounded(x: Array, precision: str) -> Array:
    """float32 numbers rounded to a format with fewer significant bits, as float32.

    ``"bfloat16"`` has 8 bits; of two that are as near, the one with an even last bit. ``"tf32"`` has 11; of
    two that are as near, the larger one. ``"float32"``, and x of another dtype, stay as they are::

        sign  exponent  fraction
        1     8         23          float32
        1     8         10          tf32
        1     8         7           bfloat16
    """
    if precision == "float32" or x.dtype != np.float32:
        return x
    xp = array_module(x)
    bits = x.view(np.uint32)
    if precision == "bfloat16":
        bits = (bits + (np.uint32(0x7FFF) + (bits >> 16 & 1))) & np.uint32(0xFFFF0000)
    else:
        bits = (bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)
    return xp.where(xp.isnan(x), x.dtype.type(np.nan), bits.view(np.float32))
