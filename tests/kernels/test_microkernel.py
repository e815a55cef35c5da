"""The micro-kernel against its own formula, written with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from tinyconv.kernels.cpu._vector_code import VECTOR_BYTES, lanes  # noqa: E402
from tinyconv.kernels.cpu.microkernel import make_tile  # noqa: E402

ROWS, VECTORS = 5, 2


def run(accumulate: bool, masked: bool, dtype: Any, valid: int) -> tuple[Any, Any]:
    """The tile's C in a buffer of sevens, and the formula's."""
    width = lanes(np.dtype(dtype).itemsize)
    columns, segments, length, a_step = VECTORS * width, 3, 4, 2
    rng = np.random.default_rng(0)
    a = rng.standard_normal(200).astype(dtype)
    b = rng.standard_normal((segments * length, columns)).astype(dtype)
    start = rng.standard_normal(columns).astype(dtype)
    row, segment = rng.integers(0, 50, ROWS), rng.integers(0, 50, segments)
    out = rng.permutation(ROWS) * (columns + 3)
    c = np.full(ROWS * (columns + 3), 7, dtype)
    tile = make_tile(ROWS, VECTORS, accumulate, masked)

    @numba.njit
    def call(a, row, segment, b, c, out, start, segments, length, a_step, columns, valid):
        tile(a, 1, row, 0, segment, 0, segments, length, a_step, b, 0, columns, c, 0, out, start, 0, valid)

    call(a, row, segment, b.reshape(-1), c, out, start, segments, length, a_step, columns, valid)
    steps = segment[:, None] + np.arange(length) * a_step
    sums = a[1 + row[:, None] + steps.reshape(-1)].astype(np.float64) @ b
    expected = np.full(c.size, 7.0)
    stored = columns - width + valid if masked else columns
    for i in range(ROWS):
        target = expected[out[i] : out[i] + stored]
        target[...] = sums[i, :stored] + (target if accumulate else start[:stored])
    return c, expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("accumulate", [False, True])
def test_full_tile(accumulate: bool, dtype: Any) -> None:
    got, expected = run(accumulate, False, dtype, 0)
    np.testing.assert_allclose(got, expected, rtol=0, atol=60 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("accumulate", [False, True])
def test_masked_store_leaves_the_rest_alone(accumulate: bool, dtype: Any) -> None:
    for valid in range(1, lanes(np.dtype(dtype).itemsize) + 1):
        got, expected = run(accumulate, True, dtype, valid)
        np.testing.assert_allclose(got, expected, rtol=0, atol=60 * np.finfo(dtype).eps)
        assert np.array_equal(got == 7, expected == 7)


def test_lanes() -> None:
    assert VECTOR_BYTES in (16, 32, 64)
    assert lanes(4) == 2 * lanes(8) == VECTOR_BYTES // 4
