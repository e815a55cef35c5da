"""Kernels that a captured step calls where it would call several one after the other.

Each is defined by those: the same numbers, bit for bit, with fewer passes over the memory. `activation` is
the name of a function of `activation.py`, and `numbers` its further arguments.
"""

from __future__ import annotations

from typing import Any

from tinyconv.kernels.reference import activation as functions
from tinyconv.kernels.reference import conv as convolution
from tinyconv.kernels.reference import dropout as masks
from tinyconv.kernels.reference import matmul

Array = Any
Sizes = tuple[int, ...]
Numbers = tuple[float, ...]
Wanted = tuple[bool, bool, bool]
Layers = tuple[tuple[Array, Array | None, str | None, Numbers], ...]


def _apply(name: str, *arguments: Any) -> Array:
    return getattr(functions, name)(*arguments)


def conv_activation(
    x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    activation: str, numbers: Numbers,
) -> Array:  # fmt: skip
    """An activation function of `conv`."""
    y = convolution.conv(x, weight, bias, stride, padding, dilation, groups)
    return _apply(activation, y, *numbers)


def linear_activation(
    x: Array, weight: Array, bias: Array | None, activation: str, numbers: Numbers
) -> Array:
    """An activation function of `linear`."""
    return _apply(activation, matmul.linear(x, weight, bias), *numbers)


def linear_layers(x: Array, layers: Layers) -> Array:
    """What the last of these layers gives: (weight, bias, name of an activation or None, its numbers)."""
    for weight, bias, activation, numbers in layers:
        x = matmul.linear(x, weight, bias)
        x = x if activation is None else _apply(activation, x, *numbers)
    return x


def activation_dropout(
    x: Array, activation: str, numbers: Numbers, p: float, key: tuple[int, int]
) -> tuple[Array, Array]:
    """An activation function of x, and dropout of the result."""
    y = _apply(activation, x, *numbers)
    return y, masks.dropout(y, p, key)


def conv_activation_dropout(
    x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    activation: str, numbers: Numbers, p: float, key: tuple[int, int],
) -> tuple[Array, Array]:  # fmt: skip
    """`conv_activation`, and dropout of the result."""
    y = conv_activation(x, weight, bias, stride, padding, dilation, groups, activation, numbers)
    return y, masks.dropout(y, p, key)


def linear_activation_dropout(
    x: Array, weight: Array, bias: Array | None, activation: str, numbers: Numbers, p: float,
    key: tuple[int, int],
) -> tuple[Array, Array]:  # fmt: skip
    """`linear_activation`, and dropout of the result."""
    y = linear_activation(x, weight, bias, activation, numbers)
    return y, masks.dropout(y, p, key)


def dropout_activation_backward(
    grad: Array, p: float, key: tuple[int, int], at: Array, activation: str, numbers: Numbers
) -> Array:
    """The gradient of x, from that of the second result of `activation_dropout`.

    `at` is what the derivative of the function is taken from: its output, or its input.
    """
    return _apply(f"{activation}_backward", masks.dropout(grad, p, key), at, *numbers)


def linear_activation_gradients(
    grad: Array, at: Array, activation: str, numbers: Numbers, x: Array, weight: Array, wanted: Wanted
) -> tuple[Array | None, Array | None, Array | None]:
    """The `linear_gradients` of x, weight and bias, from the gradient after the activation function."""
    before = _apply(f"{activation}_backward", grad, at, *numbers)
    return matmul.linear_gradients(before, x, weight, wanted)


def conv_activation_parameter_grads(
    grad: Array, at: Array, activation: str, numbers: Numbers, x: Array, kernel_size: Sizes, stride: Sizes,
    padding: Sizes, dilation: Sizes, groups: int,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The gradient before the activation function, and the `conv_parameter_grads` of weight and bias."""
    before = _apply(f"{activation}_backward", grad, at, *numbers)
    weight, bias = convolution.conv_parameter_grads(x, before, kernel_size, stride, padding, dilation, groups)
    return before, weight, bias
