"""Squares of numbers, transposed in registers, against NumPy's transposition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from tinyconv.kernels.cpu._moves import (  # noqa: E402
    add_vectors,
    copy_part_transposed,
    copy_square_transposed,
)
from tinyconv.kernels.cpu._vector_code import lanes  # noqa: E402


@numba.njit
def whole(source, first, row_step, target, target_first, target_step):
    copy_square_transposed(source, first, row_step, target, target_first, target_step)


@numba.njit
def part(source, first, row_step, valid, target, target_first, target_step):
    copy_part_transposed(source, first, row_step, valid, target, target_first, target_step)


@numba.njit
def add(source, first, step, count, target, target_first):
    add_vectors(source, first, step, count, target, target_first)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_square_becomes_its_transpose(dtype: Any) -> None:
    width = lanes(np.dtype(dtype).itemsize)
    source = np.arange(width * (width + 3), dtype=dtype).reshape(width, width + 3)
    target = np.full((width, width + 2), -7, dtype)
    whole(source.reshape(-1), 2, width + 3, target.reshape(-1), 1, width + 2)
    np.testing.assert_array_equal(target[:, 1:-1], source[:, 2 : 2 + width].T)
    assert (target[:, [0, -1]] == -7).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_valid_is_not_read(dtype: Any) -> None:
    width = lanes(np.dtype(dtype).itemsize)
    for valid in range(width + 1):
        source = np.full((width, width), np.nan, dtype)
        source[:, :valid] = np.arange(width * valid).reshape(width, valid)
        target = np.full((width, width), -7, dtype)
        part(source.reshape(-1), 0, width, valid, target.reshape(-1), 0, width)
        np.testing.assert_array_equal(target[:valid], source[:, :valid].T)
        assert (target[valid:] == 0).all()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_vectors_are_added(count: int) -> None:
    width = lanes(4)
    source, target = np.arange(30 * width, dtype=np.float32), np.zeros(width + 2, np.float32)
    add(source, 3, 2 * width + 1, count, target, 1)
    parts = [source[3 + i * (2 * width + 1) :][:width] for i in range(count)]
    np.testing.assert_array_equal(target, [0, *sum(parts), 0])
