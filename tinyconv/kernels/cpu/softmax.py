"""Softmax and its logarithm with one thread per row of scores."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
from numba import njit, prange

from tinyconv.kernels.cpu import vector_math
from tinyconv.kernels.cpu.flat import suits
from tinyconv.kernels.cpu.options import inlined, parallel
from tinyconv.kernels.cpu.threads import use_threads
from tinyconv.kernels.reference import softmax as reference

Array = Any

i32 = np.int32
ZERO, ONE = np.float32(0), np.float32(1)
LOWEST, FLIP = i32(-(2**31)), i32(0x7FFFFFFF)


def softmax(x: Array, axis: int) -> Array:
    """Positive numbers that sum to 1 along `axis`."""
    return _by_rows(_softmax, x, axis) if suits(x) else reference.softmax(x, axis)


def log_softmax(x: Array, axis: int) -> Array:
    """``log(softmax(x))``."""
    return _by_rows(_log_softmax, x, axis) if suits(x) else reference.log_softmax(x, axis)


def _by_rows(kernel: Callable[[Array, Array], None], x: Array, axis: int) -> Array:
    """Call the kernel with `axis` last; free for the channels of a channels-last array."""
    use_threads()
    ordered = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    y = np.empty_like(ordered)
    rows = (-1, ordered.shape[-1])
    kernel(ordered.reshape(rows), y.reshape(rows))
    return np.moveaxis(y, -1, axis)


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


@njit(forceinline=True, fastmath={"reassoc"})
def _total(powers: Array) -> float:
    """Sum in as many lanes as a vector register has; all terms are positive."""
    total = ZERO
    for c in range(powers.size):
        total += powers[c]
    return total


@parallel
def _softmax(x: Array, y: Array) -> None:
    for i in prange(x.shape[0]):
        scores, powers = x[i], y[i]
        largest = _largest(scores)
        for c in range(scores.size):
            powers[c] = vector_math.exp(scores[c] - largest)
        scale = ONE / _total(powers)
        for c in range(scores.size):
            powers[c] *= scale


@parallel
def _log_softmax(x: Array, y: Array) -> None:
    for i in prange(x.shape[0]):
        scores, logs = x[i], y[i]
        largest = _largest(scores)
        for c in range(scores.size):
            logs[c] = vector_math.exp(scores[c] - largest)
        shift = np.float32(log(_total(logs)))
        for c in range(scores.size):
            logs[c] = scores[c] - largest - shift
