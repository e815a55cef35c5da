"""Sums, padding, joining, resampling and the loss of logits on the GPU against NumPy and the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.gpu import to_gpu
from tests.kernels.cuda.comparing import DTYPES, dtypes, orders
from tinyconv.kernels.cuda import binary_loss, padding, reduction, resample, shape
from tinyconv.kernels.reference import binary_loss as loss_reference
from tinyconv.kernels.reference import reduction as reduction_reference
from tinyconv.kernels.reference import resample as resample_reference
from tinyconv.kernels.reference import shape as shape_reference

sizes = st.lists(st.sampled_from([1, 2, 3, 5, 40]), min_size=1, max_size=4).map(tuple)


@settings(deadline=None, max_examples=40)
@given(shape=sizes, data=st.data(), order=orders, dtype=dtypes)
def test_sums_and_extremes_are_numpys(cuda, make_array, shape, data, order, dtype):
    ndim = len(shape)
    axis = tuple(data.draw(st.sets(st.integers(-ndim, -1), min_size=1)))
    x, keepdims = make_array(shape, order, dtype=dtype), data.draw(st.booleans())
    total = reduction.sum(to_gpu(cuda, x), axis, keepdims)
    right = x.astype(np.float64).sum(axis=axis, keepdims=keepdims)
    assert total.shape == right.shape and total.dtype == dtype
    np.testing.assert_allclose(total.get(), right, rtol=np.finfo(dtype).eps, atol=1e-12)
    for name in ("max", "min"):
        got = getattr(reduction, name)(to_gpu(cuda, x), axis, keepdims)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got.get(), getattr(x, name)(axis=axis, keepdims=keepdims))


@pytest.mark.parametrize("axis", [(0,), (1,), (0, 1)])
def test_many_rows_in_pieces(cuda, make_array, axis):
    """Sums of 9000 rows are made of the sums of pieces."""
    for columns in (1, 3, 40):
        x = make_array((9000, columns), seed=columns) + np.float32(1000)
        total = reduction.sum(to_gpu(cuda, x), axis, False).get()
        np.testing.assert_allclose(total, x.astype(np.float64).sum(axis), rtol=1.2e-7)
        assert (reduction.max(to_gpu(cuda, x), axis, False).get() == x.max(axis)).all()
        assert (reduction.min(to_gpu(cuda, x), axis, False).get() == x.min(axis)).all()


def test_nan_and_inf_are_seen(cuda):
    x = np.zeros((1000, 4), np.float32)
    x[500, 1], x[3, 2], x[4, 3], x[5, 3] = np.nan, np.inf, np.inf, -np.inf
    for name in ("sum", "max", "min"):
        got = getattr(reduction, name)(to_gpu(cuda, x), (0,), False).get()
        np.testing.assert_array_equal(got, getattr(reduction_reference, name)(x, (0,), False))


def test_whole_numbers_and_empty_arrays_are_the_references(cuda):
    assert reduction.sum(to_gpu(cuda, np.arange(10)), (0,), False) == 45
    assert reduction.sum(to_gpu(cuda, np.zeros((0, 3), np.float32)), (0,), False).get().tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="zero-size"):
        reduction.max(to_gpu(cuda, np.zeros((0, 3), np.float32)), (0,), False)


@settings(deadline=None, max_examples=40)
@given(
    shape=st.lists(st.integers(0, 5), min_size=0, max_size=5), data=st.data(), order=orders,
    dtype=st.sampled_from([*DTYPES, np.int64]),
)  # fmt: skip
def test_padding_is_numpys_and_cropping_its_inverse(cuda, make_array, shape, data, order, dtype):
    pairs = st.tuples(st.integers(0, 3), st.integers(0, 3))
    widths = tuple(data.draw(st.lists(pairs, min_size=len(shape), max_size=len(shape))))
    x = make_array(shape, order, dtype=dtype)
    y = padding.pad(to_gpu(cuda, x), widths, 7.0)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.get(), np.pad(x, widths, constant_values=7) if x.ndim else x)
    back = padding.pad(y, tuple((-before, -after) for before, after in widths), 0.0)
    np.testing.assert_array_equal(back.get(), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [8, 6, 1])
def test_channels_that_are_moved_several_at_a_time(cuda, channels, dtype):
    """8 float32 are two pieces of 16 bytes, 6 are none."""
    x = np.random.default_rng(0).normal(size=(2, 5, 3, channels)).astype(dtype).transpose(0, 3, 1, 2)
    widths = ((0, 0), (0, 0), (1, 2), (-1, 3))
    expected = np.pad(x[..., 1:], [(0, 0), (0, 0), (1, 2), (0, 3)], constant_values=4)
    np.testing.assert_array_equal(padding.pad(to_gpu(cuda, x), widths, 4.0).get(), expected)
    joined = shape.cat([to_gpu(cuda, x), to_gpu(cuda, x[:, :3]), to_gpu(cuda, x)], 1)
    np.testing.assert_array_equal(joined.get(), np.concatenate([x, x[:, :3], x], 1))
    table = np.array([[0, 4], [1, 1], [3, 2]]), np.array([[0.5, 0.25], [1, 0], [2, -1]])
    y = resample.resample(to_gpu(cuda, x), *table, 2)
    right = resample_reference.resample(x.astype(np.float64), *table, 2)
    np.testing.assert_allclose(y.get(), right, rtol=1e-6, atol=1e-6)


def test_one_side_is_cropped_and_the_other_padded_in_channels_last_memory(cuda):
    x = np.arange(24, dtype=np.float32).reshape(1, 3, 4, 2).transpose(0, 3, 1, 2)
    y = padding.pad(to_gpu(cuda, x), ((0, 0), (0, 0), (1, -1), (-2, 0)), 9.0)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    assert y.get()[0, :, 0].tolist() == [[9, 9], [9, 9]]
    np.testing.assert_array_equal(y.get()[:, :, 1:], x[:, :, :2, 2:])


@settings(deadline=None, max_examples=30)
@given(
    size=st.lists(st.integers(0, 5), min_size=1, max_size=5).map(tuple), data=st.data(),
    each_order=st.lists(orders, min_size=1, max_size=3), dtype=dtypes,
)  # fmt: skip
def test_cat_is_numpys(cuda, make_array, size, data, each_order, dtype):
    axis, arrays = data.draw(st.integers(-len(size), len(size) - 1)), []
    for number, order in enumerate(each_order):
        each = list(size)
        each[axis] = data.draw(st.integers(0, 5))
        arrays.append(make_array(tuple(each), order, number, dtype=dtype))
    y = shape.cat([to_gpu(cuda, array) for array in arrays], axis)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.get(), np.concatenate(arrays, axis=axis))


def test_cat_keeps_channels_last_memory_and_takes_mixed_dtypes(cuda):
    arrays = [np.full((2, 4, 5, c), c, np.float32).transpose(0, 3, 1, 2) for c in (3, 1, 6)]
    assert shape.cat([to_gpu(cuda, array) for array in arrays], 1).transpose(0, 2, 3, 1).flags.c_contiguous
    mixed = shape.cat([to_gpu(cuda, np.ones((1, 2), np.float32)), to_gpu(cuda, np.ones((1, 3)))], 1)
    assert mixed.dtype == np.float64 and mixed.shape == (1, 5)


INDICES = [
    1, slice(None, None, -2), (slice(1, 3), 2), (None, 1, slice(None)), np.array([0, 2, 0, 0]),
    np.array([[0, -1], [3, 3]]), (np.array([0, 1, 0]), np.array([2, 2, 2])), (slice(None), [1, 1, 0]), [3, 3],
    np.array([True, False, True, False]), np.array([], np.int64), (),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [*DTYPES, np.int64])
@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_index_scatter_is_the_references(cuda, index, dtype):
    x = np.zeros((4, 3, 2))
    grad = (8 * np.random.default_rng(0).normal(size=x[index].shape)).astype(dtype)
    scattered = shape.index_scatter(to_gpu(cuda, grad), index, x.shape)
    assert scattered.dtype == dtype
    right = shape_reference.index_scatter(grad, index, x.shape)
    np.testing.assert_allclose(scattered.get(), right, rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(
    size=st.lists(st.integers(1, 5), min_size=1, max_size=5), data=st.data(), order=orders,
    dtype=dtypes, on_the_gpu=st.booleans(),
)  # fmt: skip
def test_resampling_and_its_adjoint(cuda, make_array, size, data, order, dtype, on_the_gpu):
    axis = data.draw(st.integers(0, len(size) - 1))
    n_out, taps = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(order)
    positions = rng.integers(0, size[axis], (n_out, taps))
    weights = rng.choice([1.0, 0.5, -0.25], (n_out, taps))
    table = (to_gpu(cuda, positions), to_gpu(cuda, weights)) if on_the_gpu else (positions, weights)
    x = make_array(size, order, dtype=dtype)
    y = resample.resample(to_gpu(cuda, x), *table, axis)
    assert y.dtype == dtype
    tolerance = {"rtol": 1e-6, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-13, "atol": 1e-13}
    exact = resample_reference.resample(x.astype(np.float64), positions, weights, axis)
    np.testing.assert_allclose(y.get(), exact, **tolerance)
    grad = make_array(exact.shape, order + 1, seed=1, dtype=dtype)
    back = resample.resample_adjoint(to_gpu(cuda, grad), *table, axis, size[axis])
    exact = resample_reference.resample_adjoint(grad.astype(np.float64), positions, weights, axis, size[axis])
    assert back.dtype == dtype
    np.testing.assert_allclose(back.get(), exact, **tolerance)


@settings(deadline=None, max_examples=20)
@given(size=sizes, order=orders, other=orders, dtype=dtypes)
@example((0, 3), 0, 0, np.float32)
def test_the_loss_of_logits(cuda, make_array, size, order, other, dtype):
    x, grad = make_array(size, order, special=True, dtype=dtype), make_array(size, other, 1, dtype=dtype)
    target = (make_array(size, other, 2) > 0).astype(dtype)
    close = {"rtol": 2e-6, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-14, "atol": 1e-14}
    y = binary_loss.logits_cross_entropy(to_gpu(cuda, x), to_gpu(cuda, target))
    assert y.dtype == dtype
    np.testing.assert_allclose(y.get(), loss_reference.logits_cross_entropy(x, target), **close)
    back = binary_loss.logits_cross_entropy_backward(*(to_gpu(cuda, part) for part in (grad, x, target)))
    right = loss_reference.logits_cross_entropy_backward(grad, x, target)
    np.testing.assert_allclose(back.get(), right, **close)


def test_a_target_that_is_broadcast_goes_to_the_reference(cuda):
    x, target = np.ones((2, 3), np.float32), np.ones(3, np.float32)
    got = binary_loss.logits_cross_entropy(to_gpu(cuda, x), to_gpu(cuda, target)).get()
    np.testing.assert_allclose(got, loss_reference.logits_cross_entropy(x, target))
