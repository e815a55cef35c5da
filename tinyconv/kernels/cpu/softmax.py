"""Softmax and its logarithm with one thread per row of scores."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
from numba import njit, prange

from tinyconv.kernels.cpu import vector_math
from tinyconv.kernels.cpu.flat import suits
from tinyconv.kernels.cpu.options import inlined, lane_sum, parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import softmax as reference

Array = Any

i32 = np.int32
ONE = np.float32(1)
WORK_OF_A_POWER = 16
"""Multiply-adds that take as long as one exponential."""
BLOCK = 1024
"""Rows whose losses are one sum, whatever the number of threads."""
LOWEST, FLIP = i32(-(2**31)), i32(0x7FFFFFFF)


def softmax(x: Array, axis: int) -> Array:
    """Positive numbers that sum to 1 along `axis`."""
    return _by_rows(_softmax, x, axis) if suits(x) else reference.softmax(x, axis)


def log_softmax(x: Array, axis: int) -> Array:
    """``log(softmax(x))``."""
    return _by_rows(_log_softmax, x, axis) if suits(x) else reference.log_softmax(x, axis)


def softmax_backward(grad: Array, y: Array, axis: int) -> Array:
    """The gradient of x in `softmax`, ``y * (grad - sum(grad * y))``."""
    if not suits(y, grad):
        return reference.softmax_backward(grad, y, axis)
    return _by_two_rows(_softmax_backward, grad, y, axis)


def log_softmax_backward(grad: Array, y: Array, axis: int) -> Array:
    """The gradient of x in `log_softmax`, ``grad - exp(y) * sum(grad)``."""
    if not suits(y, grad):
        return reference.log_softmax_backward(grad, y, axis)
    return _by_two_rows(_log_softmax_backward, grad, y, axis)


def softmax_nll(x: Array, labels: Array, ignored: int, reduction: str) -> Array:
    """``-log(softmax(x_i)[labels_i])`` for each row, their sum or mean; see `kernels.reference.softmax`."""
    if not _are_rows(x, labels):
        return reference.softmax_nll(x, labels, ignored, reduction)
    use_threads(WORK_OF_A_POWER * x.size)
    x, labels = np.ascontiguousarray(x), _flat(labels)
    if reduction == "none":
        losses = np.empty(x.shape[0], np.float32)
        _softmax_nll(x, labels, ignored, losses)
        return losses
    blocks = -(-x.shape[0] // BLOCK)
    sums, counts = np.empty(blocks), np.empty(blocks, np.int64)
    _softmax_nll_total(x, labels, ignored, sums, counts)
    total, count = (sums[0], counts[0]) if blocks == 1 else (sums.sum(), counts.sum())
    if reduction == "mean":
        total = total / count if count else np.nan
    return np.array(total, np.float32)


def softmax_nll_backward(grad: Array, x: Array, labels: Array, ignored: int, reduction: str) -> Array:
    """The gradient of x in `softmax_nll`."""
    if not _are_rows(x, labels) or grad.dtype != np.float32:
        return reference.softmax_nll_backward(grad, x, labels, ignored, reduction)
    use_threads(WORK_OF_A_POWER * x.size)
    result = np.empty(x.shape, np.float32)
    grad, x = np.ascontiguousarray(grad).reshape(-1), np.ascontiguousarray(x)
    _softmax_nll_backward(grad, x, _flat(labels), ignored, reduction == "none", reduction == "mean", result)
    return result


def _flat(labels: Array) -> Array:
    return np.ascontiguousarray(labels, np.int64).reshape(-1)


def _are_rows(x: Array, labels: Array) -> bool:
    return x.size > 0 and x.dtype == np.float32 and labels.dtype.kind in "iu"


def _by_rows(kernel: Callable[[Array, Array], None], x: Array, axis: int) -> Array:
    """Call the kernel with `axis` last; free for the channels of a channels-last array."""
    use_threads()
    ordered = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    y = np.empty_like(ordered)
    rows = (-1, ordered.shape[-1])
    kernel(ordered.reshape(rows), y.reshape(rows))
    return np.moveaxis(y, -1, axis)


def _by_two_rows(kernel: Callable[..., None], grad: Array, y: Array, axis: int) -> Array:
    """The same for a kernel of two arrays."""
    use_threads()
    ordered, grads = (np.ascontiguousarray(np.moveaxis(part, axis, -1)) for part in (y, grad))
    result = np.empty_like(ordered)
    rows = (-1, ordered.shape[-1])
    kernel(grads.reshape(rows), ordered.reshape(rows), result.reshape(rows))
    return np.moveaxis(result, -1, axis)


@inlined
def _largest(scores: Array) -> float:
    """The largest score, compared as whole numbers, because that vectorises.

    (A NaN may be missed. It makes its row NaN all the same.) The bits of a positive float,
    read as an integer, are in the order of the floats; those of a negative one are in the
    opposite order, which flipping all bits but the sign mends.
    """
    largest = LOWEST
    for c in range(scores.size):
        bits = np.float32(scores[c]).view(np.int32)
        key = bits ^ ((bits >> i32(31)) & FLIP)
        largest = key if key > largest else largest
    return i32(largest ^ ((largest >> i32(31)) & FLIP)).view(np.float32)


@parallel
def _softmax(x: Array, y: Array) -> None:
    for i in prange(x.shape[0]):
        scores, powers = x[i], y[i]
        largest = _largest(scores)
        for c in range(scores.size):
            powers[c] = vector_math.exp(scores[c] - largest)
        scale = ONE / lane_sum(powers)
        for c in range(scores.size):
            powers[c] *= scale


@parallel
def _log_softmax(x: Array, y: Array) -> None:
    for i in prange(x.shape[0]):
        scores, logs = x[i], y[i]
        largest = _largest(scores)
        for c in range(scores.size):
            logs[c] = vector_math.exp(scores[c] - largest)
        shift = np.float32(log(lane_sum(logs)))
        for c in range(scores.size):
            logs[c] = scores[c] - largest - shift


@parallel
def _softmax_backward(grad: Array, y: Array, result: Array) -> None:
    for i in prange(y.shape[0]):
        g, shares, target = grad[i], y[i], result[i]
        for c in range(g.size):
            target[c] = g[c] * shares[c]
        total = lane_sum(target)
        for c in range(g.size):
            target[c] = shares[c] * (g[c] - total)


@parallel
def _log_softmax_backward(grad: Array, y: Array, result: Array) -> None:
    for i in prange(y.shape[0]):
        g, logs, target = grad[i], y[i], result[i]
        total = lane_sum(g)
        for c in range(g.size):
            target[c] = g[c] - vector_math.exp(logs[c]) * total


@inlined
def _loss_of_row(scores: Array, label: int) -> float:
    largest = _largest(scores)
    return np.float32(log(_sum_of_powers(scores, largest))) - (scores[label] - largest)


@parallel
def _softmax_nll(x: Array, labels: Array, ignored: int, losses: Array) -> None:
    for i in prange(x.shape[0]):
        losses[i] = np.float32(0)
        if labels[i] != ignored:
            losses[i] = _loss_of_row(x[i], labels[i])


@parallel
def _softmax_nll_total(x: Array, labels: Array, ignored: int, sums: Array, counts: Array) -> None:
    """The sum of the losses, and how many they are, of each block of rows."""
    for block in prange(sums.size):
        total, count = 0.0, 0
        for i in range(block * BLOCK, min((block + 1) * BLOCK, x.shape[0])):
            if labels[i] != ignored:
                total += _loss_of_row(x[i], labels[i])
                count += 1
        sums[block], counts[block] = total, count


@njit(forceinline=True, fastmath={"reassoc"})
def _sum_of_powers(scores: Array, largest: float) -> float:
    """The sum of the powers, in as many lanes as a vector register has."""
    total = np.float32(0)
    for c in range(scores.size):
        total += vector_math.exp(scores[c] - largest)
    return total


@parallel
def _softmax_nll_backward(
    grad: Array, x: Array, labels: Array, ignored: int, is_each: bool, is_mean: bool, result: Array
) -> None:
    """`grad` has a number for each row, or one number, for the sum or the mean."""
    count = 1
    if is_mean:
        count = 0
        for i in range(labels.size):
            count += labels[i] != ignored
    step, share = int(is_each), np.float32(max(count, 1))
    for i in prange(x.shape[0]):
        scores, powers = x[i], result[i]
        if labels[i] == ignored:
            powers[:] = 0
            continue
        largest = _largest(scores)
        for c in range(scores.size):
            powers[c] = vector_math.exp(scores[c] - largest)
        g = grad[i * step] / share
        scale = g / lane_sum(powers)
        for c in range(scores.size):
            powers[c] *= scale
        powers[labels[i]] -= g
