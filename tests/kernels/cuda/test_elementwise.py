"""Numbers are rounded on the GPU as in the reference, bit by bit, and what is outside of a range is NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyconv.kernels.cuda import elementwise as fast
from tinyconv.kernels.reference import elementwise as reference


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_rounded(cuda: Any, precision: str) -> None:
    """Numbers of all sizes, subnormal ones too, those in the middle between two, and those at the end."""
    bits = np.random.default_rng(0).integers(0, 2**32, 6000, dtype=np.uint32)
    bits[:2000] = bits[:2000] & 0xFFFF0000 | 0x8000
    bits[2000:4000] = bits[2000:4000] & 0xFFFFE000 | 0x1000
    x = bits.view(np.float32)
    x[:6] = np.nan, np.inf, -np.inf, -0.0, np.finfo(np.float32).max, np.finfo(np.float32).tiny
    x = x.reshape(60, 100).T
    y = fast.rounded(cuda.asarray(x), precision)
    expected = reference.rounded(x, precision)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y.get(), expected)
    assert np.array_equal(np.signbit(y.get())[x == 0], np.signbit(expected)[x == 0])


def test_other_dtypes_stay_as_they_are(cuda: Any) -> None:
    for dtype in (np.float64, np.int32):
        x = cuda.asarray(np.arange(5).astype(dtype))
        assert fast.rounded(x, "bfloat16") is x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_outside(cuda: Any, dtype: str) -> None:
    """The ends belong to the range, the numbers next to them do not."""
    below, above = np.nextafter(np.dtype(dtype).type(0), -1), np.nextafter(np.dtype(dtype).type(1), 2)
    x = np.array([[0, 1, 0.5, -0.0], [below, above, np.inf, np.nan]], dtype)[:, ::-1]
    for fast_one in (True, False):
        y = fast.nan_outside(cuda.asarray(x), 0, 1).get() if fast_one else reference.nan_outside(x, 0, 1)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, [x[0], [np.nan] * 4])
