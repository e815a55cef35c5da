"""Layers with their activation function in one pass: the twins of `kernels/reference/fused.py`.

A convolution applies the function to its sums while they are in registers (epilogue.cuh); after a matrix
product of cuBLAS, bias and function are one pass together. Dropout behind either is a pass of its own. The
gradient before the function is written in the pass that sums up the bias's gradient.
"""

from __future__ import annotations

from typing import Any

from tinyconv.device import FLOAT_DTYPES
from tinyconv.kernels import dropout as masks
from tinyconv.kernels.cuda import activation as functions
from tinyconv.kernels.cuda import conv as convolution
from tinyconv.kernels.cuda import matmul
from tinyconv.kernels.cuda._convolution import Epilogue, convolve, is_fast, unfolds
from tinyconv.kernels.cuda._drop import activate_and_drop, drop_and_differentiate, suits
from tinyconv.kernels.cuda._gradients import sum_of_columns
from tinyconv.kernels.cuda._launch import in_order_of
from tinyconv.kernels.cuda._products import is_layer, product_of_layer
from tinyconv.kernels.cuda._windows import in_channels_last_memory

Array = Any
Sizes = tuple[int, ...]
Numbers = tuple[float, ...]
Wanted = tuple[bool, bool, bool]


def conv_activation(
    x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    activation: str, numbers: Numbers,
) -> Array:  # fmt: skip
    """An activation function of `conv`."""
    geometry = stride, padding, dilation, groups
    if is_fast(x, weight, bias) and not unfolds():
        return convolve(x, weight, bias, *geometry, Epilogue(activation, numbers))
    return _apply(activation, convolution.conv(x, weight, bias, *geometry), *numbers)


def linear_activation(
    x: Array, weight: Array, bias: Array | None, activation: str, numbers: Numbers
) -> Array:
    """An activation function of `linear`."""
    if is_layer(x, weight, bias):
        return product_of_layer(x, weight, bias, Epilogue(activation, numbers))
    return _apply(activation, matmul.linear(x, weight, bias), *numbers)


def activation_dropout(
    x: Array, activation: str, numbers: Numbers, p: float, key: tuple[int, int]
) -> tuple[Array, Array]:
    """An activation function of x, and dropout of the result."""
    if suits(activation, x):
        return activate_and_drop(x, activation, numbers, p, key)
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
    """The gradient of x, from that of the second result of `activation_dropout`."""
    if suits(activation, grad, at):
        return drop_and_differentiate(grad, p, key, at, activation, numbers)
    return _apply(f"{activation}_backward", masks.dropout(grad, p, key), at, *numbers)


def linear_activation_gradients(
    grad: Array, at: Array, activation: str, numbers: Numbers, x: Array, weight: Array, wanted: Wanted
) -> tuple[Array | None, Array | None, Array | None]:
    """The `linear_gradients` of x, weight and bias, from the gradient after the activation function."""
    import cupy

    if not wanted[2] or grad.dtype not in FLOAT_DTYPES:
        before = _apply(f"{activation}_backward", grad, at, *numbers)
        return matmul.linear_gradients(before, x, weight, wanted)
    grad = cupy.ascontiguousarray(grad)
    bias, before = sum_of_columns(grad, grad.shape[1], in_order_of(grad, at), Epilogue(activation, numbers))
    found = matmul.linear_gradients(before, x, weight, (*wanted[:2], False))
    return found[0], found[1], bias


def conv_activation_parameter_grads(
    grad: Array, at: Array, activation: str, numbers: Numbers, x: Array, kernel_size: Sizes, stride: Sizes,
    padding: Sizes, dilation: Sizes, groups: int,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The gradient before the activation function, and the `conv_parameter_grads` of weight and bias."""
    geometry = kernel_size, stride, padding, dilation, groups
    if not is_fast(x, grad):
        before = _apply(f"{activation}_backward", grad, at, *numbers)
        return before, *convolution.conv_parameter_grads(x, before, *geometry)
    grad = in_channels_last_memory(grad)
    bias, before = sum_of_columns(grad, grad.shape[1], in_order_of(grad, at), Epilogue(activation, numbers))
    return before, convolution.conv_weight_grad(x, before, *geometry), bias


def _apply(name: str, *arguments: Any) -> Array:
    return getattr(functions, name)(*arguments)
