"""Pooling over windows and over whole images."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import inf, prod
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import on_cpu, whole_numbers
from tinyconv.io.onnx.nodes._windows import Sizes, Windows, per_axis, windows_of
from tinyconv.ops.avg_pooling import AvgPool
from tinyconv.ops.operands import astype
from tinyconv.ops.padding import Pad
from tinyconv.ops.pooling import MaxPool
from tinyconv.tensor import Tensor


def max_pool(node: Node, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
    """The largest value of each window and, if wanted, its place in the whole tensor."""
    if x.dtype.kind != "f":  # images of bytes, which float32 holds exactly
        result = max_pool(node, astype(x, "float32"))
        y, places = result if isinstance(result, tuple) else (result, None)
        return astype(y, x.dtype) if places is None else (astype(y, x.dtype), places)
    windows = windows_of(node, x, node.integers("kernel_shape"))
    padded, own = windows.padded(x, -inf), (0,) * (x.ndim - 2)
    if windows.even and not any(windows.overhang(x.shape[2:])):
        padded, own = x, windows.before
    y, places = MaxPool.apply(padded, windows.kernel, windows.stride, own, windows.dilation, False)
    if len(node.outputs) < 2:
        return y
    before = (0,) * len(own) if any(own) else windows.before
    return y, _places(places, padded.shape[2:], x.shape, before, node.flag("storage_order"))


def _places(indices: Tensor, plane: Sizes, shape: Sizes, before: Sizes, columns_first: bool) -> Tensor:
    """Places in a padded plane as places in the whole tensor; columns first if that is asked for."""
    size, array = shape[2:], on_cpu(indices)
    coordinates = [p - b for p, b in zip(np.unravel_index(array, plane), before, strict=True)]
    order = range(len(size)) if columns_first else reversed(range(len(size)))
    places, step = np.zeros_like(array), 1
    for axis in order:
        places, step = places + coordinates[axis] * step, step * size[axis]
    images = np.arange(prod(shape[:2])).reshape(*shape[:2], *[1] * len(size))
    return Tensor((places + images * prod(size)).astype(np.int64))


def average_pool(node: Node, x: Tensor) -> Tensor:
    """The mean of each window; padding counts if ``count_include_pad`` says so."""
    windows = windows_of(node, x, node.integers("kernel_shape"))
    include = node.flag("count_include_pad")
    plain = windows.even and set(windows.dilation) == {1} and not any(windows.overhang(x.shape[2:]))
    if plain and all(2 * p <= k for p, k in zip(windows.before, windows.kernel, strict=True)):
        return AvgPool.apply(x, windows.kernel, windows.stride, windows.before, False, include)
    counts = Tensor(_counts(windows, x.shape[2:], include).astype(x.dtype)).to(x.device)
    return _sum_of_windows(x, windows) / counts


def _counts(windows: Windows, size: Sizes, include: bool) -> np.ndarray:
    """How many pixels each window has."""
    counts = np.ones(())
    for n, kernel, step, dilation, before, after, count in zip(size, *windows, strict=True):
        position = np.arange(count)[:, None] * step + np.arange(kernel) * dilation
        first, last = (0, n + before + after) if include else (before, before + n)
        along = ((position >= first) & (position < last)).sum(1)
        counts = counts[..., None] * along
    return np.maximum(counts, 1)


def _sum_of_windows(x: Tensor, windows: Windows) -> Tensor:
    """The sum of each window: one slice of the padded image for each of its pixels."""
    padded, total = windows.padded(x, 0.0), None
    for offsets in product(*map(range, windows.kernel)):
        parts = [
            slice(o * d, o * d + (count - 1) * s + 1, s)
            for o, d, s, count in zip(offsets, windows.dilation, windows.stride, windows.output, strict=True)
        ]
        part = padded[(slice(None), slice(None), *parts)]
        total = part if total is None else total + part
    assert total is not None
    return total


def lp_pool(node: Node, x: Tensor) -> Tensor:
    """The p-norm of each window."""
    p = node.integer("p", 2)
    powers = x * x if p == 2 else ops.abs(x) ** p
    return _root(_sum_of_windows(powers, windows_of(node, x, node.integers("kernel_shape"))), p)


def _root(total: Tensor, p: float) -> Tensor:
    """The p-th root, with gradient 0 at 0."""
    if p < 1:
        raise ArgumentError("LpPool", "p", p, "an int >= 1")
    zero = ops.eq(total, 0)
    one = ops.ones_like(total)
    return ops.where(zero, ops.zeros_like(total), ops.where(zero, one, total) ** (1 / p))


def global_pool(reduce: Callable[[Tensor, Sizes], Tensor]) -> Callable[..., Tensor]:
    """A reduction over all pixels of each channel."""

    def run(node: Node, x: Tensor) -> Tensor:
        if x.ndim < 3:
            raise ShapeError(node.op, "X", f"of shape {x.shape}", "(N, C, *spatial)")
        return reduce(x, tuple(range(2, x.ndim)))

    return run


def global_lp_pool(node: Node, x: Tensor) -> Tensor:
    """The p-norm of all pixels of each channel."""
    return ops.norm(x, node.integer("p", 2), tuple(range(2, x.ndim)), keepdim=True)


def max_unpool(node: Node, x: Tensor, indices: Tensor, shape: Tensor | None = None) -> Tensor:
    """What a MaxPool took, put back to where it was; zeros elsewhere."""
    kernel = node.integers("kernel_shape")
    dims = x.ndim - 2
    if len(kernel) != dims or indices.shape != x.shape:
        found = f"of shapes {x.shape} and {indices.shape}"
        raise ShapeError("MaxUnpool", "X and I", found, f"the same, with {len(kernel)} spatial dimensions")
    stride, pads = per_axis(node, "strides", dims, 1), per_axis(node, "pads", 2 * dims, 0, 0)
    size = [
        (n - 1) * s + k - b - a
        for n, s, k, b, a in zip(x.shape[2:], stride, kernel, pads[:dims], pads[dims:], strict=True)
    ]
    whole = (*x.shape[:2], *size)
    if indices.numel() and not 0 <= int(indices.array.min()) <= int(indices.array.max()) < prod(whole):
        raise ArgumentError("MaxUnpool", "I", "beyond the output", f"places in a tensor of shape {whole}")
    flat = ops.zeros(prod(whole), dtype=x.dtype, device=x.device)
    y = ops.scatter(flat, 0, ops.reshape(indices, indices.numel()), ops.reshape(x, x.numel()))
    y = ops.reshape(y, whole)
    if shape is None:
        return y
    wanted = whole_numbers(node, "output_shape", shape)
    if len(wanted) != len(whole) or any(w < n for w, n in zip(wanted, whole, strict=True)):
        raise ShapeError("MaxUnpool", "output_shape", wanted, f"at least {whole}")
    return Pad.apply(y, tuple((0, w - n) for w, n in zip(wanted, whole, strict=True)), 0.0)


TABLE: dict[str, Callable[..., Any]] = {
    "AveragePool": average_pool,
    "GlobalAveragePool": global_pool(lambda x, dims: ops.mean(x, dims, keepdim=True)),
    "GlobalLpPool": global_lp_pool,
    "GlobalMaxPool": global_pool(lambda x, dims: ops.amax(x, dims, keepdim=True)),
    "LpPool": lp_pool,
    "MaxPool": max_pool,
    "MaxUnpool": max_unpool,
}
