"""exp and its relatives for float32, in a form that vectorises.

A call of the C library's ``exp`` in a loop keeps the loop from using vector instructions, and
takes about ten times as long as the dozen multiply-adds written here. The method is the
textbook's (Cody and Waite 1980): with n the whole number nearest to x / log 2,

    exp(x) = 2**n * exp(r),    r = x - n log 2,    |r| <= log(2) / 2

exp(r) is a short polynomial, and 2**n is made by writing n into the exponent bits of a float.
Errors are at most about 2 units in the last place; overflow gives inf, NaN stays NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyconv.kernels.cpu.options import inlined

Float = Any
f32 = np.float32
i32 = np.int32

ZERO, ONE, TWO = f32(0), f32(1), f32(2)
LOG2_E = f32(1 / math.log(2))
LOG_2_HIGH = f32(0.693359375)  # few bits, so that n * LOG_2_HIGH is exact
LOG_2_LOW = f32(math.log(2) - 0.693359375)
ROUND = f32(1.5 * 2**23)  # adding it pushes the fraction out: what is left in the low bits is n
ROUND_BITS = i32(0x4B400000)
C2, C3, C4, C5, C6, C7 = (f32(1 / math.factorial(i)) for i in range(2, 8))


@inlined
def _reduce(x: Float) -> tuple[Any, Float]:
    """The pair n, exp(r) - 1 for x between -110 and 90."""
    rounded = x * LOG2_E + ROUND
    n = rounded - ROUND
    r = x - n * LOG_2_HIGH - n * LOG_2_LOW
    tail = ((((C7 * r + C6) * r + C5) * r + C4) * r + C3) * r + C2
    return f32(rounded).view(np.int32) - ROUND_BITS, tail * r * r + r


@inlined
def _power_of_two(n: Any) -> Float:
    """2**n for n from -127 (which gives 0) to 128 (inf)."""
    return i32((n + i32(127)) << i32(23)).view(np.float32)


@inlined
def exp(x: Float) -> Float:
    """``e ** x``."""
    x = f32(-110) if x < f32(-110) else x
    x = f32(90) if x > f32(90) else x
    n, power = _reduce(x)
    half = n >> i32(1)  # in two steps, because 2**n alone may be too large or too small for a float
    return (power + ONE) * _power_of_two(half) * _power_of_two(n - half)


@inlined
def expm1(x: Float) -> Float:
    """``e ** x - 1`` without cancellation near 0; for x up to 80."""
    x = f32(-50) if x < f32(-50) else x
    n, power = _reduce(x)
    scale = _power_of_two(n)
    return power * scale + (scale - ONE)


@inlined
def tanh(x: Float) -> Float:
    """Hyperbolic tangent: with e = exp(2|x|) - 1 it is e / (e + 2), times the sign of x."""
    size = -x if x < ZERO else x
    e = expm1(TWO * (f32(20) if size > f32(20) else size))
    y = e / (e + TWO)
    return -y if x < ZERO else y


@inlined
def sigmoid(x: Float) -> Float:
    """``1 / (1 + exp(-x))``, from exp(-|x|), which cannot overflow."""
    z = exp(x if x < ZERO else -x)
    return (ONE if x >= ZERO else z) / (ONE + z)


ATANH = tuple(f32(2 / k) for k in (3, 5, 7, 9, 11, 13))


@inlined
def softplus(x: Float) -> Float:
    """``log(1 + e**x)`` as max(x, 0) + log(1 + z) with z = exp(-|x|), which is at most 1.

    With s = z / (2 + z) <= 1 / 3 it is log(1 + z) = 2 atanh(s) = 2 (s + s**3 / 3 + s**5 / 5 + ...).
    """
    z = exp(-x if x > ZERO else x)
    s = z / (TWO + z)
    q = s * s
    tail = ((((ATANH[5] * q + ATANH[4]) * q + ATANH[3]) * q + ATANH[2]) * q + ATANH[1]) * q + ATANH[0]
    return (ZERO if x <= ZERO else x) + (TWO * s + tail * q * s)


@inlined
def tanh_softplus(x: Float) -> Float:
    """``tanh(log(1 + e**x))``, which is n / (n + 2) with n = e**x (e**x + 2)."""
    power = exp(f32(20) if x > f32(20) else x)
    n = power * (power + TWO)
    return n / (n + TWO)


HALF = f32(0.5)
ROOT_HALF = f32(math.sqrt(0.5))
ERFCX = tuple(
    f32(c)
    for c in (
        0.22570227, 0.2250406, 0.21419869, 0.1329587, 0.26284087,
        -0.26768829, 0.52800775, -0.48471403, 0.1922159, -0.028562495,
    )
)  # fmt: skip


@inlined
def normal_cdf(x: Float) -> Float:
    """The probability that a standard normal number is below x, from that of numbers below -\\|x\\|.

    That is exp(-z**2) / 2 times a smooth function of z = \\|x\\| / sqrt(2), here t times a polynomial of
    t = 1 / (1 + 0.4 z), fitted so that the relative error is below 2e-8 for z up to 11.
    """
    z = (-x if x < ZERO else x) * ROOT_HALF
    t = ONE / (ONE + f32(0.4) * z)
    p = (((ERFCX[9] * t + ERFCX[8]) * t + ERFCX[7]) * t + ERFCX[6]) * t + ERFCX[5]
    p = ((((p * t + ERFCX[4]) * t + ERFCX[3]) * t + ERFCX[2]) * t + ERFCX[1]) * t + ERFCX[0]
    below = HALF * t * p * exp(-HALF * x * x)
    return ONE - below if x > ZERO else below
