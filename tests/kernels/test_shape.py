"""Joining arrays, and the adjoint of indexing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyconv.kernels import find_kernel
from tinyconv.kernels.reference import shape as reference

pytestmark = pytest.mark.usefixtures("any_size")


@settings(deadline=None, max_examples=80)
@given(
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=5).map(tuple), data=st.data(),
    orders=st.lists(st.integers(0, 47), min_size=1, max_size=3),
)  # fmt: skip
def test_cat_is_numpys(make_array, shape, data, orders):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    arrays = []
    for number, order in enumerate(orders):
        sizes = list(shape)
        sizes[axis] = data.draw(st.integers(0, 5))
        arrays.append(make_array(tuple(sizes), order, number))
    expected = np.concatenate(arrays, axis=axis)
    for backend in ("reference", "cpu"):
        y = find_kernel(backend, "shape", "cat")(arrays, axis)
        assert y.dtype == np.float32
        np.testing.assert_array_equal(y, expected)


def test_cat_keeps_channels_last_memory():
    arrays = [np.full((2, 4, 5, c), c, dtype=np.float32).transpose(0, 3, 1, 2) for c in (3, 1, 6)]
    y = find_kernel("cpu", "shape", "cat")(arrays, 1)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_array_equal(y[1, :, 2, 3], [3] * 3 + [1] + [6] * 6)


def test_cat_takes_mixed_dtypes():
    y = find_kernel("cpu", "shape", "cat")([np.ones((1, 1, 2), np.float32), np.ones((1, 2, 2))], 1)
    assert y.dtype == np.float64 and y.shape == (1, 3, 2)


INDICES = [
    1,
    slice(None, None, -2),
    (slice(1, 3), 2),
    (Ellipsis, slice(0, 2)),
    (None, 1, slice(None)),
    np.array([0, 2, 0, 0]),
    np.array([[0, -1], [3, 3]]),
    (np.array([0, 1, 0]), np.array([2, 2, 2])),
    (slice(None), [1, 1, 0]),
    [3, 3],
    np.array([True, False, True, False]),
    np.int64(2),
    (),
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_index_scatter_is_the_adjoint_of_indexing(index):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3, 2))
    grad = rng.normal(size=x[index].shape)
    scattered = reference.index_scatter(grad, index, x.shape)
    assert scattered.shape == x.shape
    np.testing.assert_allclose((x[index] * grad).sum(), (x * scattered).sum(), rtol=1e-12)


def test_repeated_positions_accumulate():
    computed = reference.index_scatter(np.array([1.0, 10.0, 100.0]), np.array([1, 1, 0]), (3,))
    assert computed.tolist() == [100, 11, 0]
