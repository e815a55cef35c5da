"""Normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.table import translates
from tinyconv.ops.norm import (
    BatchNorm,
    ChannelWindowSum,
    Normalize,
    NormByRunningStatistics,
    normalized_sizes,
)


def _or_filled(builder: Builder, vector: Value | None, number: float, shape: Any, x: Value) -> Any:
    """A weight or bias, or what means that there is none."""
    return vector if vector is not None else builder.constant(np.full(shape, number, x.dtype))


@translates(ops.batch_norm, when=lambda training, **_: not training)
def batch_norm(
    builder: Builder,
    input: Value,
    running_mean: Value,
    running_var: Value,
    weight: Value | None,
    bias: Value | None,
    training: bool,
    momentum: float,
    eps: float,
) -> str:
    channels = input.shape[1]
    scale, shift = (_or_filled(builder, v, n, channels, input) for v, n in ((weight, 1), (bias, 0)))
    return builder.node(
        "BatchNormalization", [input, scale, shift, running_mean, running_var], epsilon=float(eps)
    )


@translates(NormByRunningStatistics)
def norm_by_running_statistics(
    builder: Builder,
    x: Value,
    mean: Value,
    var: Value,
    weight: Value | None,
    bias: Value | None,
    eps: float,
) -> str:
    return batch_norm(builder, x, mean, var, weight, bias, False, 0.0, eps)


@translates(ops.instance_norm, when=lambda use_input_stats, **_: use_input_stats)
def instance_norm(
    builder: Builder,
    input: Value,
    running_mean: Value | None,
    running_var: Value | None,
    weight: Value | None,
    bias: Value | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
) -> str:
    channels = input.shape[1]
    scale, shift = (_or_filled(builder, v, n, channels, input) for v, n in ((weight, 1), (bias, 0)))
    return builder.node("InstanceNormalization", [input, scale, shift], epsilon=float(eps))


@translates(ops.group_norm)
def group_norm(
    builder: Builder, input: Value, num_groups: int, weight: Value | None, bias: Value | None, eps: float
) -> str:
    channels = input.shape[1]
    scale, shift = (_or_filled(builder, v, n, channels, input) for v, n in ((weight, 1), (bias, 0)))
    return builder.node(
        "GroupNormalization", [input, scale, shift], num_groups=num_groups, epsilon=float(eps)
    )


@translates(ops.layer_norm)
def layer_norm(
    builder: Builder,
    input: Value,
    normalized_shape: Any,
    weight: Value | None,
    bias: Value | None,
    eps: float,
) -> str:
    shape = normalized_sizes("layer_norm", normalized_shape)
    scale = _or_filled(builder, weight, 1, [int(n) for n in shape], input)
    return builder.node("LayerNormalization", [input, scale, bias], axis=-len(shape), epsilon=float(eps))


@translates(Normalize)
def normalize(builder: Builder, x: Value, dims: tuple[int, ...], eps: float) -> tuple[str, str, str]:
    axes = builder.constant(np.array(dims, np.int64))
    mean = builder.node("ReduceMean", [x, axes])
    centred = builder.node("Sub", [x, mean])
    var = builder.node("ReduceMean", [builder.node("Mul", [centred, centred]), axes])
    deviation = builder.node("Sqrt", [builder.node("Add", [var, builder.like(eps, x)])])
    return builder.node("Div", [centred, deviation]), mean, var


@translates(BatchNorm)
def batch_norm_by_own_statistics(
    builder: Builder, x: Value, weight: Value | None, bias: Value | None, eps: float
) -> tuple[str, str, str]:
    y, mean, var = normalize(builder, x, (0, *range(2, x.ndim)), eps)
    y = _scaled_and_shifted(builder, y, weight, bias, x.ndim)
    flat = np.array([-1])
    return y, builder.node("Reshape", [mean, flat]), builder.node("Reshape", [var, flat])


def _scaled_and_shifted(builder: Builder, y: Any, scale: Any, shift: Any, ndim: int) -> Any:
    """y times and plus a vector (C,) each, where there is one."""
    per_channel = np.array([-1, *[1] * (ndim - 2)])
    for kind, vector in (("Mul", scale), ("Add", shift)):
        if vector is not None:
            y = builder.node(kind, [y, builder.node("Reshape", [vector, per_channel])])
    return y


@translates(ops.local_response_norm, when=lambda input, size, **_: size % 2 == 1 and input.ndim == 4)
def local_response_norm(
    builder: Builder, input: Value, size: int, alpha: float, beta: float, k: float
) -> str:
    return builder.node("LRN", [input], size=size, alpha=float(alpha), beta=float(beta), bias=float(k))


@translates(ChannelWindowSum)
def channel_window_sum(builder: Builder, x: Value, before: int, after: int) -> str:
    channels = x.shape[1]
    axes = np.array([1])
    wide = builder.node("Pad", [x, np.array([before, after]), builder.like(0, x), axes])
    parts = [
        builder.node("Slice", [wide, np.array([i]), np.array([i + channels]), axes])
        for i in range(before + after + 1)
    ]
    return builder.node("Sum", parts)
