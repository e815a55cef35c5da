"""Launches the kernels of `softmax.cu`, twins of `kernels/reference/softmax.py`.

A label that is no class gives NaN, where the reference raises IndexError: to know of it, Python would have to
wait for the GPU. Its gradients are NaN, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cuda._launch import C_TYPES, kernel, launch_elements
from tinyconv.kernels.reference import softmax as reference

Array = Any

SOURCE = "softmax.cu"
ROWS = np.dtype([("count", "i8"), ("classes", "i8")])
"""The struct Rows. CuPy hands an array of one element to a kernel by value."""
BLOCK = (32, 8)
"""A warp for each of eight rows."""
MOST_BLOCKS = 1024
"""So many sums of losses are left for the last warp."""


def softmax(x: Array, axis: int) -> Array:
    """Positive numbers that sum to 1 along `axis`."""
    return _by_rows("softmax", axis, x) if _suits(x) else reference.softmax(x, axis)


def log_softmax(x: Array, axis: int) -> Array:
    """``log(softmax(x))``."""
    return _by_rows("log_softmax", axis, x) if _suits(x) else reference.log_softmax(x, axis)


def softmax_backward(grad: Array, y: Array, axis: int) -> Array:
    """The gradient of x in `softmax`, ``y * (grad - sum(grad * y))``."""
    if not _suits(y, grad):
        return reference.softmax_backward(grad, y, axis)
    return _by_rows("softmax_backward", axis, grad, y)


def log_softmax_backward(grad: Array, y: Array, axis: int) -> Array:
    """The gradient of x in `log_softmax`, ``grad - exp(y) * sum(grad)``."""
    if not _suits(y, grad):
        return reference.log_softmax_backward(grad, y, axis)
    return _by_rows("log_softmax_backward", axis, grad, y)


def softmax_nll(x: Array, labels: Array, ignored: int, reduction: str) -> Array:
    """``-log(softmax(x_i)[labels_i])`` for each row, their sum or mean; see `kernels.reference.softmax`."""
    import cupy

    if not _are_rows(x, labels):
        return reference.softmax_nll(x, labels, ignored, reduction)
    x, labels = cupy.ascontiguousarray(x), _flat(labels)
    rows, blocks = np.array(x.shape, ROWS), -(-x.shape[0] // BLOCK[1])
    if reduction == "none":
        losses = cupy.empty(x.shape[0], x.dtype)
        _kernel("softmax_nll", x)((blocks,), BLOCK, (x, labels, losses, ignored, rows))
        return losses
    blocks = min(blocks, MOST_BLOCKS)
    sums, counts, loss = cupy.empty(blocks), cupy.empty(blocks, np.int64), cupy.empty((), x.dtype)
    _kernel("softmax_nll_of_blocks", x)((blocks,), BLOCK, (x, labels, sums, counts, ignored, rows))
    args = (sums, counts, loss, blocks, int(reduction == "mean"))
    _kernel("softmax_nll_of_all", x)((1,), (32,), args)
    return loss


def softmax_nll_backward(grad: Array, x: Array, labels: Array, ignored: int, reduction: str) -> Array:
    """The gradient of x in `softmax_nll`."""
    import cupy

    if not _are_rows(x, labels) or grad.dtype != x.dtype:
        return reference.softmax_nll_backward(grad, x, labels, ignored, reduction)
    grad, x, labels = cupy.ascontiguousarray(grad), cupy.ascontiguousarray(x), _flat(labels)
    total: Any = 0  # a null pointer
    if reduction == "mean":
        total = cupy.zeros((), np.uint64)
        launch_elements(kernel(SOURCE, "count_labels"), labels.size, (labels, total, ignored, labels.size))
    out = cupy.empty_like(x)
    rows, step = np.array(x.shape, ROWS), int(reduction == "none")
    args = (grad, x, labels, total, out, step, ignored, rows)
    _kernel("softmax_nll_backward", x)((-(-x.shape[0] // BLOCK[1]),), BLOCK, args)
    return out


def _suits(x: Array, *others: Array) -> bool:
    """Whether x has a row, and all are float32 or all float64 and of one shape."""
    if x.ndim == 0 or x.size == 0 or str(x.dtype) not in C_TYPES:
        return False
    return all(other.dtype == x.dtype and other.shape == x.shape for other in others)


def _are_rows(x: Array, labels: Array) -> bool:
    return _suits(x) and labels.dtype.kind in "iu"


def _kernel(name: str, x: Array) -> Any:
    return kernel(SOURCE, f"{name}<{C_TYPES[str(x.dtype)]}>")


def _flat(labels: Array) -> Array:
    import cupy

    return cupy.ascontiguousarray(labels, np.int64).reshape(-1)


def _by_rows(name: str, axis: int, *arrays: Array) -> Array:
    """Call the kernel with `axis` last; free for the channels of a channels-last array."""
    import cupy

    ordered = [cupy.ascontiguousarray(cupy.moveaxis(array, axis, -1)) for array in arrays]
    out = cupy.empty_like(ordered[0])
    classes = out.shape[-1]
    rows = np.array((out.size // classes, classes), ROWS)
    blocks = -(-out.size // classes // BLOCK[1])
    _kernel(name, out)((blocks,), BLOCK, (*ordered, out, rows))
    return cupy.moveaxis(out, -1, axis)
