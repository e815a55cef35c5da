"""Any array seen as a flat run of memory."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

pytest.importorskip("numba")

from tinyconv.kernels.cpu.memory import CACHE_LINE, aligned_empty, as_memory, channels_last_empty


@st.composite
def views(draw: Any) -> Any:
    """Slices with any steps, of arrays with their axes in any order."""
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=4, max_side=5))
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    steps = [draw(st.sampled_from([-3, -2, -1, 1, 2, 3])) for _ in shape]
    return array[tuple(slice(None, None, step) for step in steps)]


@given(views())
def test_every_element_is_found_and_nothing_is_copied(array: Any) -> None:
    flat, start, steps = as_memory(array)
    assert np.shares_memory(flat, array)
    for index in product(*map(range, array.shape)):
        place = start + sum(i * step for i, step in zip(index, steps, strict=True))
        assert flat[place] == array[index]


@given(views())
def test_flat_ends_with_the_array(array: Any) -> None:
    flat, start, steps = as_memory(array)
    reach = [step * (size - 1) for step, size in zip(steps, array.shape, strict=True)]
    assert start + sum(r for r in reach if r < 0) == 0
    assert start + sum(r for r in reach if r > 0) == flat.size - 1


def test_broadcast_axis() -> None:
    flat, _, steps = as_memory(np.broadcast_to(np.arange(3.0), (4, 3)))
    assert flat.size == 3
    assert steps == (0, 1)


def test_strides_between_the_items_are_copied() -> None:
    record = np.zeros(4, dtype=[("flag", "u1"), ("value", "f4")])
    record["value"] = [1, 2, 3, 4]
    flat, start, steps = as_memory(record["value"])
    assert [flat[start + i * steps[0]] for i in range(4)] == [1, 2, 3, 4]


def test_the_original_stays_writable() -> None:
    array = np.zeros((2, 3))
    assert not as_memory(array).flat.flags.writeable
    assert array.flags.writeable


def test_channels_last_empty() -> None:
    y = channels_last_empty(2, 3, (4, 5), np.dtype("float64"))
    assert y.shape == (2, 3, 4, 5)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    assert y.dtype == np.float64


@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 7, 11), (0, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_aligned_arrays_begin_at_a_cache_line(shape: Any, dtype: Any) -> None:
    made = [aligned_empty(shape, np.dtype(dtype)) for _ in range(9)]
    for i, array in enumerate(made):
        assert (array.shape, array.dtype, array.flags.c_contiguous) == (shape, dtype, True)
        assert array.size == 0 or array.ctypes.data % CACHE_LINE == 0
        array[...] = i
    assert all((array == i).all() for i, array in enumerate(made))  # none lies in another
