"""Activation functions."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.table import translates
from tinyconv.ops import activation, piecewise_activation, smooth_activation
from tinyconv.ops.fused_activation import Fused
from tinyconv.ops.softmax import LogSoftmax, Softmax

AGREED_THRESHOLD = 16.0
"""From here on log(1 + e^x) and x are the same to 1e-7."""


@translates(activation.ReLU)
def relu(builder: Builder, x: Value) -> str:
    return builder.node("Relu", [x])


@translates(activation.LeakyReLU)
def leaky_relu(builder: Builder, x: Value, negative_slope: float) -> str:
    return builder.node("LeakyRelu", [x], alpha=float(negative_slope))


@translates(activation.ELU)
def elu(builder: Builder, x: Value, alpha: float) -> str:
    return builder.node("Elu", [x], alpha=float(alpha))


@translates(activation.Sigmoid)
def sigmoid(builder: Builder, x: Value) -> str:
    return builder.node("Sigmoid", [x])


@translates(activation.Tanh)
def tanh(builder: Builder, x: Value) -> str:
    return builder.node("Tanh", [x])


@translates(Fused)
def fused(builder: Builder, x: Value, kernel: Any, backward: Any, derivative: Any, *numbers: float) -> str:
    return FUSED[kernel.__name__](builder, x, *numbers)


def one_node(op: str, **attributes: Any) -> Callable[..., str]:
    return lambda builder, x: builder.node(op, [x], **attributes)


def scaled_elu(builder: Builder, x: Value, alpha: float, scale: float, inner: float) -> str:
    if inner == 1:
        return builder.node("Selu", [x], alpha=alpha, gamma=scale)
    scaled = builder.node("Elu", [builder.node("Div", [x, builder.like(1 / inner, x)])], alpha=1.0)
    return builder.node("Mul", [scaled, builder.like(scale / inner, x)])


def softplus(builder: Builder, x: Value, beta: float, threshold: float) -> str:
    scaled: Any = x if beta == 1 else builder.node("Mul", [x, builder.like(beta, x)])
    y = builder.node("Softplus", [scaled])
    y = y if beta == 1 else builder.node("Div", [y, builder.like(beta, x)])
    if AGREED_THRESHOLD <= threshold <= inf:
        return y
    straight = builder.node("Greater", [scaled, builder.like(threshold, x)])
    return builder.node("Where", [straight, x, y])


def shrink(builder: Builder, x: Value, lambd: float, bias: float) -> str:
    if lambd < 0:  # nothing lies between; onnx would have both of its conditions hold
        return builder.node("Identity", [x])
    return builder.node("Shrink", [x], lambd=float(lambd), bias=float(bias))


FUSED: dict[str, Callable[..., str]] = {
    "gelu": one_node("Gelu", approximate="none"),
    "gelu_tanh": one_node("Gelu", approximate="tanh"),
    "hardshrink": lambda builder, x, lambd: shrink(builder, x, lambd, 0.0),
    "hardsigmoid": one_node("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hardswish": one_node("HardSwish"),
    "logsigmoid": lambda builder, x: builder.node(
        "Neg", [builder.node("Softplus", [builder.node("Neg", [x])])]
    ),
    "mish": one_node("Mish"),
    "scaled_elu": scaled_elu,
    "silu": lambda builder, x: builder.node("Mul", [x, builder.node("Sigmoid", [x])]),
    "softplus": softplus,
    "softshrink": lambda builder, x, lambd: shrink(builder, x, lambd, lambd),
    "softsign": one_node("Softsign"),
    "tanhshrink": lambda builder, x: builder.node("Sub", [x, builder.node("Tanh", [x])]),
}
"""By the names of their kernels."""


@translates(smooth_activation.NormalCdf)
def normal_cdf(builder: Builder, x: Value) -> str:
    scaled = builder.node("Mul", [x, builder.like(1 / sqrt(2), x)])
    shifted = builder.node("Add", [builder.node("Erf", [scaled]), builder.like(1, x)])
    return builder.node("Mul", [shifted, builder.like(0.5, x)])


@translates(piecewise_activation.Hardtanh)
def hardtanh(builder: Builder, x: Value, min_val: float, max_val: float) -> str:
    return builder.node("Clip", [x, builder.like(min_val, x), builder.like(max_val, x)])


@translates(ops.prelu)
def prelu(builder: Builder, input: Value, weight: Value) -> str:
    slope: Any = weight if input.ndim else builder.node("Squeeze", [weight])
    if weight.array.size > 1 and input.ndim > 2:
        axes = np.arange(1, input.ndim - 1)
        slope = builder.node("Unsqueeze", [weight, axes])
    return builder.node("PRelu", [input, slope])


@translates(ops.threshold)
def threshold(builder: Builder, input: Value, threshold: float, value: float, inplace: bool) -> str:
    below = builder.node("LessOrEqual", [input, builder.like(threshold, input)])
    return builder.node("Where", [below, builder.like(value, input), input])


@translates(Softmax)
def softmax(builder: Builder, x: Value, dim: int) -> str:
    return builder.node("Softmax", [x], axis=dim)


@translates(LogSoftmax)
def log_softmax(builder: Builder, x: Value, dim: int) -> str:
    return builder.node("LogSoftmax", [x], axis=dim)
