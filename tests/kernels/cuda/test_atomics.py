"""Results are the same from run to run: no sum of floating-point numbers is in the order of the threads."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests.gpu import to_gpu
from tinyconv.kernels.cuda import _launch, norm, pooling, reduction, resample, shape, softmax

ON_WHOLE_NUMBERS = {
    ("pooling.cu", "Max", "reach + k, farthest[k]"),
    ("softmax.cu", "Add", "total, (unsigned long long)mine"),
}
"""Atomic operations whose result does not depend on their order."""


def test_atomic_operations_are_on_whole_numbers() -> None:
    found = {
        (path.name, operation, arguments)
        for path in _launch.FOLDER.glob("*.cu*")
        for operation, arguments in re.findall(r"\batomic(\w+)\((.*)\);", path.read_text(encoding="utf-8"))
    }
    assert found == ON_WHOLE_NUMBERS


def test_the_same_bits_from_run_to_run(cuda: Any) -> None:
    """In the emulator the threads run the other way round in every other launch; float64 hides nothing."""
    rng = np.random.default_rng(0)
    x = to_gpu(cuda, rng.normal(size=(4, 5, 9, 11)))
    rows, labels = (
        to_gpu(cuda, rng.normal(size=(700, 9)).astype(np.float32)),
        to_gpu(cuda, np.arange(700) % 9),
    )
    table = np.array([[0, 0], [0, 1], [0, 8]]), rng.normal(size=(3, 2))
    index = slice(None), slice(None), to_gpu(cuda, np.array([0, 3, 0, 0]))
    windows = (3, 3), (2, 2), (1, 1)
    _, indices = pooling.max_pool(x, *windows, (1, 1), False)
    grad, mean, var = x[:, :, :5, :6], x[0, :, 0, 0], abs(x[0, :, 1, 1])
    calls = (
        lambda: reduction.sum(x, (0, 2, 3), False),
        lambda: norm.batch_norm(x, None, None, 1e-5),
        lambda: norm.batch_norm_backward(x, x, None, mean, var, 1e-5),
        lambda: softmax.softmax_nll(rows, labels, 3, "mean"),
        lambda: pooling.pool_scatter(grad, indices, (9, 11)),
        lambda: pooling.avg_pool_backward(grad, (9, 11), *windows, False, True),
        lambda: resample.resample_adjoint(x[:, :, :3], *table, 2, 9),
        lambda: shape.index_scatter(x[:, :, :4], index, x.shape),
    )
    for call in calls:
        found = [call(), call()]
        reduction.max(mean, (0,), False)  # one launch more, if a call has an even number of them
        found.append(call())
        first, *others = [results if isinstance(results, tuple) else (results,) for results in found]
        for other in others:
            for one, another in zip(first, other, strict=True):
                np.testing.assert_array_equal(one.get(), another.get())
