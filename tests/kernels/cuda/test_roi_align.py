"""RoIAlign on the GPU against the reference, and the same bits from run to run."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gpu import to_gpu
from tests.kernels.cuda.comparing import dtypes, orders
from tinyconv.kernels.cuda import roi_align as gpu
from tinyconv.kernels.reference import roi_align as reference

eighth = st.integers(-24, 96).map(lambda n: n / 8)
boxes_of_eighths = st.lists(st.tuples(*[eighth] * 4), max_size=3)


@settings(deadline=None, max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 2), st.sampled_from([1, 3, 17]), st.integers(1, 8), st.integers(1, 8)),
    corners=boxes_of_eighths, order=orders,
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)), scale=st.sampled_from([1.0, 0.5]),
    samples=st.integers(0, 3), aligned=st.booleans(), dtype=dtypes,
)  # fmt: skip
def test_both_ways_are_the_references(
    cuda, make_array, shape, corners, order, size, scale, samples, aligned, dtype
):
    rows = [(k % shape[0], *each) for k, each in enumerate(corners)]
    boxes, options = np.array(rows, dtype).reshape(-1, 5), (scale, samples, aligned)
    # No point is where an image ends, and no side is a whole number of bins: there float32 would decide.
    boxes[:, 1:] += np.array([0.0131, 0.0131, 0.0173, 0.0173], dtype)
    x = make_array(shape, order, dtype=dtype)
    close = {"rtol": 1e-5, "atol": 3e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-12}
    y = gpu.roi_align(to_gpu(cuda, x), to_gpu(cuda, boxes), size, *options)
    right = reference.roi_align(x.astype(np.float64), boxes, size, *options)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.get(), right, **close)
    grad = make_array(right.shape, order + 1, 1, dtype=dtype)
    back = gpu.roi_align_backward(to_gpu(cuda, grad), to_gpu(cuda, boxes), shape, *options)
    right = reference.roi_align_backward(grad.astype(np.float64), boxes, shape, *options)
    assert back.dtype == dtype
    np.testing.assert_allclose(back.get(), right, **close)
