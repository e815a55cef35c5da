"""Launches the kernels of `dropout.cu`: arrays in the order in which the mask counts their elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cuda._launch import (
    C_TYPES,
    channels_first,
    channels_last,
    kernel,
    launch_elements,
)
from tinyconv.kernels.cuda.activation import ACTIVATIONS
from tinyconv.kernels.reference.dropout import keep_scale, keep_threshold

Array = Any
Key = tuple[int, int] | Array
"""Seed and number of the call, or an array on the GPU with the two as uint64."""

MASK = np.dtype([(name, np.uint64) for name in ("seed", "call", "threshold", "key")])
ELEMENTS_OF_A_THREAD = 4


def suits(activation: str, *arrays: Array) -> bool:
    """Whether there is a kernel for these arrays, with this function on the way."""
    first = arrays[0]
    alike = all(array.dtype == first.dtype and array.shape == first.shape for array in arrays)
    return alike and str(first.dtype) in C_TYPES and activation in ACTIVATIONS


def drop(x: Array, p: float, key: Key) -> Array:
    """Dropout of x."""
    ordered = _ordered(x)
    (out,) = _launch("dropout", (ordered,), 1, p, key)
    return _shaped(out, x)


def activate_and_drop(
    x: Array, activation: str, numbers: tuple[float, ...], p: float, key: Key
) -> tuple[Array, Array]:
    """The function of x, and dropout of it."""
    y, out = _launch("activation_dropout", (_ordered(x),), 2, p, key, activation, numbers)
    return _shaped(y, x), _shaped(out, x)


def drop_and_differentiate(
    grad: Array, p: float, key: Key, at: Array, activation: str, numbers: tuple[float, ...]
) -> Array:
    """The gradient before the function from the one after dropout."""
    inputs = _ordered(grad), _ordered(at)
    (out,) = _launch("dropout_activation_backward", inputs, 1, p, key, activation, numbers)
    return _shaped(out, grad)


def _launch(
    name: str, inputs: tuple[Array, ...], results: int, p: float, key: Key, activation: str | None = None,
    numbers: tuple[float, ...] = (),
) -> tuple[Array, ...]:  # fmt: skip
    import cupy

    number = inputs[0].dtype.type
    outputs = tuple(cupy.empty_like(inputs[0]) for _ in range(results))
    count = inputs[0].size
    seed, call, place = (*key, 0) if isinstance(key, tuple) else (0, 0, key.data.ptr)
    mask = np.array((seed, call, keep_threshold(p), place), dtype=MASK)
    args = (*inputs, *outputs, count, mask, number(keep_scale(p)))
    if activation is not None:
        args += np.int32(ACTIVATIONS.index(activation)), number(numbers[0] if numbers else 0)
    function = kernel("dropout.cu", f"{name}<{C_TYPES[str(inputs[0].dtype)]}>")
    launch_elements(function, -(-count // ELEMENTS_OF_A_THREAD), args)
    return outputs


def _ordered(x: Array) -> Array:
    """x in C order of (N, *spatial, C), or of its axes where there are fewer than three."""
    import cupy

    return channels_last(x) if x.ndim >= 3 else cupy.ascontiguousarray(x)


def _shaped(ordered: Array, like: Array) -> Array:
    return channels_first(ordered) if like.ndim >= 3 else ordered.reshape(like.shape)
