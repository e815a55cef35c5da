"""Activation functions."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.table import translates
from tinyconv.ops import activation, piecewise_activation, smooth_activation
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


@translates(ops.selu)
def selu(builder: Builder, input: Value) -> str:
    alpha, gamma = smooth_activation.SELU_ALPHA, smooth_activation.SELU_SCALE
    return builder.node("Selu", [input], alpha=alpha, gamma=gamma)


@translates(ops.gelu)
def gelu(builder: Builder, input: Value, approximate: str) -> str:
    return builder.node("Gelu", [input], approximate=approximate)


@translates(smooth_activation.NormalCdf)
def normal_cdf(builder: Builder, x: Value) -> str:
    scaled = builder.node("Mul", [x, builder.like(1 / sqrt(2), x)])
    shifted = builder.node("Add", [builder.node("Erf", [scaled]), builder.like(1, x)])
    return builder.node("Mul", [shifted, builder.like(0.5, x)])


@translates(smooth_activation.Softplus)
def softplus(builder: Builder, x: Value, beta: float, threshold: float) -> str:
    scaled = x if beta == 1 else builder.node("Mul", [x, builder.like(beta, x)])
    y = builder.node("Softplus", [scaled])
    y = y if beta == 1 else builder.node("Div", [y, builder.like(beta, x)])
    if AGREED_THRESHOLD <= threshold <= inf:
        return y
    straight = builder.node("Greater", [scaled, builder.like(threshold, x)])
    return builder.node("Where", [straight, x, y])


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


@translates(ops.hardsigmoid)
def hardsigmoid(builder: Builder, input: Value) -> str:
    return builder.node("HardSigmoid", [input], alpha=1 / 6, beta=0.5)


@translates(ops.hardswish)
def hardswish(builder: Builder, input: Value) -> str:
    return builder.node("HardSwish", [input])


@translates(ops.mish)
def mish(builder: Builder, input: Value) -> str:
    return builder.node("Mish", [input])


@translates(ops.softsign)
def softsign(builder: Builder, input: Value) -> str:
    return builder.node("Softsign", [input])


@translates(ops.hardshrink, when=lambda lambd, **_: lambd >= 0)
def hardshrink(builder: Builder, input: Value, lambd: float) -> str:
    return builder.node("Shrink", [input], lambd=float(lambd), bias=0.0)


@translates(ops.softshrink)
def softshrink(builder: Builder, input: Value, lambd: float) -> str:
    return builder.node("Shrink", [input], lambd=float(lambd), bias=float(lambd))


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
