"""Numbers of float32 rounded to bfloat16 and TF32, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyconv.device import matmul_precision
from tinyconv.errors import ArgumentError
from tinyconv.kernels.reference.elementwise import rounded


def float32(bits: Any) -> np.ndarray[Any, Any]:
    return np.asarray(bits, np.uint32).view(np.float32)


SPECIAL = [
    *(0x00000000, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFFFFFFF),
    *(0x00000001, 0x00007FFF, 0x00008000, 0x00008001, 0x007FFFFF, 0x7F7FFFFF, 0x7F7F8000, 0x7F7F7FFF),
    *(0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F801000, 0x3F803000, 0xBF801000, 0x3F800FFF),
]
"""Zeros, infinities, NaN, subnormal numbers, the largest, and ties."""


def many_numbers() -> np.ndarray[Any, Any]:
    drawn = np.random.default_rng(0).integers(0, 2**32, 300_000, np.uint32)
    return np.concatenate([float32(SPECIAL), float32(drawn)])


def assert_same_bits(ours: Any, expected: Any) -> None:
    """Bit for bit the same; of NaN only that it is one."""
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(ours), nan)
    np.testing.assert_array_equal(ours[~nan].view(np.uint32), expected[~nan].view(np.uint32))


def test_bfloat16_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    x = many_numbers()
    assert_same_bits(rounded(x, "bfloat16"), torch.from_numpy(x).bfloat16().float().numpy())


def test_bfloat16_by_hand() -> None:
    ties = float32([0x3F808000, 0x3F818000, 0x3F808001, 0xBF808000])
    to = float32([0x3F800000, 0x3F820000, 0x3F810000, 0xBF800000])
    assert_same_bits(rounded(ties, "bfloat16"), to)


def test_tf32_is_the_nearest_of_11_bits_and_the_larger_of_two() -> None:
    x = many_numbers()
    with np.errstate(invalid="ignore", over="ignore"):
        wide = x.astype(np.float64)
        fraction, exponent = np.frexp(np.abs(wide))
        exponent = np.maximum(exponent, -125)  # where float32 begins to be subnormal
        step = np.ldexp(1.0, exponent - 11)
        nearest = np.floor(np.abs(wide) / step + 0.5) * step
        expected = np.copysign(np.where(np.isfinite(wide), nearest, wide), wide).astype(np.float32)
    assert_same_bits(rounded(x, "tf32"), expected)


@pytest.mark.parametrize("precision", ["bfloat16", "tf32"])
def test_memory_orders(precision: str) -> None:
    x = np.random.default_rng(1).standard_normal((2, 3, 4, 5)).astype(np.float32)
    expected = rounded(x, precision)
    assert not np.array_equal(expected, x)
    for view in (np.asfortranarray(x), np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)):
        np.testing.assert_array_equal(rounded(view, precision), expected)
    np.testing.assert_array_equal(rounded(x[:, ::2, ::-1], precision), expected[:, ::2, ::-1])
    repeated = rounded(np.broadcast_to(x[:1], (4, 3, 4, 5)), precision)
    np.testing.assert_array_equal(repeated, np.broadcast_to(expected[:1], (4, 3, 4, 5)))


def test_other_numbers_stay_as_they_are() -> None:
    x = np.full(3, 1 + 2**-20)
    assert rounded(x, "bfloat16") is x and rounded(x.astype(np.float32), "float32")[0] == np.float32(x[0])


def test_a_precision_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"matmul_precision.*'float16'.*'tf32'"):
        matmul_precision.set("float16")
