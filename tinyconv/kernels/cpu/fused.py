"""The kernels of `kernels.reference.fused` in as few passes over the memory as they need.

An activation function is applied to the results of a convolution or a product while they lie in the
first-level cache. Wherever the single kernels would compute otherwise than one pass does (few numbers,
float64), they are called one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tinyconv.kernels.cpu import activation as functions
from tinyconv.kernels.cpu import conv as convolution
from tinyconv.kernels.cpu import dropout as masks
from tinyconv.kernels.cpu import matmul
from tinyconv.kernels.cpu._activations import epilogue_of
from tinyconv.kernels.cpu._convolution import convolve, is_fast
from tinyconv.kernels.cpu._layers import Layer, layers_in_one_pass, passes_of
from tinyconv.kernels.cpu._passes import (
    activate_and_drop,
    differentiate_and_sum,
    differentiate_rows,
    drop_and_differentiate,
    lies_in_order,
)
from tinyconv.kernels.cpu._planes import sums_by_tiles
from tinyconv.kernels.cpu._product import product_of_layer
from tinyconv.kernels.cpu.flat import is_enough, suits
from tinyconv.kernels.reference.conv import output_size

Array = Any
Sizes = tuple[int, ...]
Numbers = tuple[float, ...]
Wanted = tuple[bool, bool, bool]
Layers = tuple[Layer, ...]


def _apply(name: str, *arguments: Any) -> Array:
    return getattr(functions, name)(*arguments)


def conv_activation(
    x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    activation: str, numbers: Numbers,
) -> Array:  # fmt: skip
    """An activation function of `conv`."""
    if x.dtype == np.float32 and is_fast(x, weight, bias):
        size = output_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
        if is_enough(len(x) * len(weight) * prod(size)):
            epilogue = epilogue_of(activation, numbers)
            return convolve(x, weight, bias, stride, padding, dilation, groups, epilogue)
    y = convolution.conv(x, weight, bias, stride, padding, dilation, groups)
    return _apply(activation, y, *numbers)


def linear_activation(
    x: Array, weight: Array, bias: Array | None, activation: str, numbers: Numbers
) -> Array:
    """An activation function of `linear`."""
    if is_enough(len(x) * len(weight)):
        y = product_of_layer(x, weight, bias, epilogue_of(activation, numbers))
        if y is not None:
            return y
    return _apply(activation, matmul.linear(x, weight, bias), *numbers)


def linear_layers(x: Array, layers: Layers) -> Array:
    """What the last of some dense layers gives."""
    for part in passes_of(layers):
        y = layers_in_one_pass(x, part)
        x = _one_by_one(x, part) if y is None else y
    return x


def _one_by_one(x: Array, layers: Sequence[Layer]) -> Array:
    for weight, bias, activation, numbers in layers:
        if activation is None:
            x = matmul.linear(x, weight, bias)
        else:
            x = linear_activation(x, weight, bias, activation, numbers)
    return x


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


def activation_dropout(
    x: Array, activation: str, numbers: Numbers, p: float, key: tuple[int, int]
) -> tuple[Array, Array]:
    """An activation function of x, and dropout of the result."""
    if suits(x) and lies_in_order(x):
        return activate_and_drop(x, epilogue_of(activation, numbers), p, key)
    y = _apply(activation, x, *numbers)
    return y, masks.dropout(y, p, key)


def dropout_activation_backward(
    grad: Array, p: float, key: tuple[int, int], at: Array, activation: str, numbers: Numbers
) -> Array:
    """The gradient of x, from that of the second result of `activation_dropout`."""
    if suits(grad, at) and lies_in_order(grad) and lies_in_order(at):
        return drop_and_differentiate(grad, p, key, at, epilogue_of(activation, numbers))
    return _apply(f"{activation}_backward", masks.dropout(grad, p, key), at, *numbers)


def linear_activation_gradients(
    grad: Array, at: Array, activation: str, numbers: Numbers, x: Array, weight: Array, wanted: Wanted
) -> tuple[Array | None, Array | None, Array | None]:
    """The `linear_gradients` of x, weight and bias, from the gradient after the activation function."""
    both = differentiate_rows(grad, at, epilogue_of(activation, numbers)) if wanted[2] else None
    if both is None:
        before = _apply(f"{activation}_backward", grad, at, *numbers)
        return matmul.linear_gradients(before, x, weight, wanted)
    found = matmul.linear_gradients(both[0], x, weight, (*wanted[:2], False))
    return found[0], found[1], both[1]


def conv_activation_parameter_grads(
    grad: Array, at: Array, activation: str, numbers: Numbers, x: Array, kernel_size: Sizes, stride: Sizes,
    padding: Sizes, dilation: Sizes, groups: int,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The gradient before the activation function, and the `conv_parameter_grads` of weight and bias."""
    geometry = kernel_size, stride, padding, dilation, groups
    both = None
    if is_fast(x, grad) and not sums_by_tiles(x, grad, *geometry):
        both = differentiate_and_sum(grad, at, epilogue_of(activation, numbers))
    if both is None:
        before = _apply(f"{activation}_backward", grad, at, *numbers)
        grads = convolution.conv_parameter_grads(x, before, *geometry)
        return before, *grads
    weight = convolution.conv_weight_grad(x, both[0], *geometry)
    return both[0], weight, both[1]
