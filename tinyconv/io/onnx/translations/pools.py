"""Pooling and unpooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.sizes import Size, product, same
from tinyconv.io.onnx.table import translates
from tinyconv.ops import adaptive_pooling, avg_pooling, pooling, unpooling

Sizes = tuple[int, ...]


@translates(pooling.MaxPool)
def max_pool(
    builder: Builder,
    x: Value,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> tuple[str, str]:
    wants_places = builder.call.outputs[1].needed
    ends = padding
    if ceil_mode and not any(isinstance(n, Size) for n in x.shape[2:]):
        # Padding never wins, so that windows that hang over the end are windows in more padding.
        made = builder.call.outputs[0].shape[2:]
        geometry = zip(made, x.shape[2:], kernel_size, stride, padding, dilation, strict=True)
        beyond = tuple(max((m - 1) * s + d * (k - 1) + 1 - n - p, 0) for m, n, k, s, p, d in geometry)
        if all(n < k for n, k in zip(beyond, kernel_size, strict=True)):  # more is not allowed
            ends, ceil_mode = beyond, False
    names = builder.node(
        "MaxPool",
        [x],
        outputs=2 if wants_places else 1,
        kernel_shape=kernel_size,
        strides=stride,
        pads=(*padding, *ends),
        dilations=dilation,
        ceil_mode=int(ceil_mode),
    )
    if not wants_places:
        return names, ""
    # ONNX counts through the whole tensor, tinyconv through each plane.
    plane = builder.node("Mod", [names[1], builder.ints([product(x.shape[2:])])])
    dtype = builder.dtype(builder.call.outputs[1].dtype)
    return names[0], builder.node("Cast", [plane], to=dtype)


@translates(avg_pooling.AvgPool)
def avg_pool(
    builder: Builder,
    x: Any,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
) -> str:
    return builder.node(
        "AveragePool",
        [x],
        kernel_shape=kernel_size,
        strides=stride,
        pads=(*padding, *padding),
        ceil_mode=int(ceil_mode),
        count_include_pad=int(count_include_pad),
    )


@translates(
    *(ops.avg_pool2d, ops.avg_pool3d),
    when=lambda divisor_override, ceil_mode, **_: divisor_override is not None and not ceil_mode,
)
def sum_pool(
    builder: Builder,
    input: Value,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    divisor_override: int,
    **options: Any,
) -> str:
    dims = int(builder.call.name[-2])
    x, single = _with_batch(builder, input, dims)
    kernel = _per_dimension(kernel_size, dims)
    steps, pads = kernel if stride is None else _per_dimension(stride, dims), _per_dimension(padding, dims)
    mean = avg_pool(builder, x, kernel, steps, pads, False, True)
    factor = builder.like(product(kernel) / divisor_override, input)
    return _without_batch(builder, builder.node("Mul", [mean, factor]), single)


def _per_dimension(numbers: Any, dims: int) -> Sizes:
    return numbers if isinstance(numbers, tuple) else (numbers,) * dims


def _with_batch(builder: Builder, x: Value, dims: int) -> tuple[Any, bool]:
    single = x.ndim == dims + 1
    return (builder.node("Unsqueeze", [x, np.array([0])]) if single else x), single


def _without_batch(builder: Builder, y: str, single: bool) -> str:
    return builder.node("Squeeze", [y, np.array([0])]) if single else y


@translates(adaptive_pooling.AdaptiveAvgPool)
def adaptive_avg_pool(builder: Builder, x: Value, size: Sizes) -> str:
    return average_to_size(builder, x, size)


def average_to_size(builder: Builder, x: Value, size: Sizes) -> str:
    """The means of as many windows as `size` says."""
    if all(not isinstance(m, Size) and m == 1 for m in size):
        return builder.node("GlobalAveragePool", [x])
    if all(same(m, n) for m, n in zip(size, x.shape[2:], strict=True)):
        return builder.node("Identity", [x])
    _check_fixed(builder, x, size)
    if all(n % m == 0 for m, n in zip(size, x.shape[2:], strict=True)):
        window = [n // m for m, n in zip(size, x.shape[2:], strict=True)]
        return builder.node("AveragePool", [x], kernel_shape=window, strides=window)
    y: Any = x
    for axis, (m, n) in enumerate(zip(size, x.shape[2:], strict=True), start=2):
        y = _along(builder, y, x.ndim, axis, _averages(m, n).astype(x.dtype))
    return y


def _averages(m: int, n: int) -> np.ndarray[Any, Any]:
    """The matrix (n, m) that makes m means of n numbers."""
    matrix = np.zeros((n, m))
    for i, (first, last) in enumerate(_windows(m, n)):
        matrix[first:last, i] = 1 / (last - first)
    return matrix


def _windows(m: int, n: int) -> list[tuple[int, int]]:
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


def _along(builder: Builder, x: Any, ndim: int, axis: int, matrix: np.ndarray[Any, Any]) -> str:
    """The product of each line along `axis` with a matrix."""
    if axis == ndim - 1:
        return builder.node("MatMul", [x, matrix])
    order = list(range(ndim))
    order[axis], order[-1] = order[-1], order[axis]
    last = builder.node("MatMul", [builder.node("Transpose", [x], perm=order), matrix])
    return builder.node("Transpose", [last], perm=order)


def _check_fixed(builder: Builder, x: Value, size: Sizes) -> None:
    if any(isinstance(n, Size) for n in (*x.shape[2:], *size)):
        builder.refuse("an image of a size that varies", "a fixed height and width, or output size 1")


@translates(adaptive_pooling.AdaptiveMaxPool)
def adaptive_max_pool(builder: Builder, x: Value, size: Sizes) -> tuple[str, str]:
    if builder.call.outputs[1].needed:
        builder.refuse("return_indices=True", "return_indices=False")
    if all(not isinstance(m, Size) and m == 1 for m in size):
        return builder.node("GlobalMaxPool", [x]), ""
    _check_fixed(builder, x, size)
    if all(n % m == 0 for m, n in zip(size, x.shape[2:], strict=True)):
        window = [n // m for m, n in zip(size, x.shape[2:], strict=True)]
        return builder.node("MaxPool", [x], kernel_shape=window, strides=window), ""
    y: Any = x
    for axis, (m, n) in enumerate(zip(size, x.shape[2:], strict=True), start=2):
        axes = np.array([axis])
        parts = [
            builder.node("ReduceMax", [builder.node("Slice", [y, np.array([a]), np.array([b]), axes]), axes])
            for a, b in _windows(m, n)
        ]
        y = builder.node("Concat", parts, axis=axis)
    return y, ""


@translates(
    *(ops.lp_pool1d, ops.lp_pool2d, ops.lp_pool3d),
    when=lambda input, norm_type, ceil_mode, **_: (
        norm_type % 2 == 0 and not ceil_mode and input.dtype == np.float32
    ),
)
def lp_pool(
    builder: Builder, input: Value, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> str:
    dims = int(builder.call.name[-2])
    x, single = _with_batch(builder, input, dims)
    kernel = _per_dimension(kernel_size, dims)
    steps = kernel if stride is None else _per_dimension(stride, dims)
    y = builder.node("LpPool", [x], p=int(norm_type), kernel_shape=kernel, strides=steps)
    return _without_batch(builder, y, single)


@translates(unpooling.Unpool)
def unpool(builder: Builder, x: Value, indices: Value, size: Sizes) -> str:
    flat = (*x.shape[:2], product(size))
    zeros = builder.node("Expand", [builder.like(0, x), builder.ints(flat)])
    lines = (*x.shape[:2], product(x.shape[2:]))
    places = builder.reshape(builder.cast(indices, np.int64), x.shape, lines)
    y = builder.node("ScatterElements", [zeros, places, builder.reshape(x, x.shape, lines)], axis=2)
    return builder.reshape(y, flat, (*x.shape[:2], *size))
