"""Normalisation over a batch, a layer, a group of channels, an image; and across near-by channels.

The first four are `Normalize` over other dimensions, followed by a learned scale and shift.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.autograd import Function
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.grad_mode import is_grad_enabled, no_grad
from tinyconv.kernels import norm as kernels
from tinyconv.ops._checks import (
    check_flags,
    check_float,
    check_number,
    check_positive,
    check_same_dtype,
    is_int,
)
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import reshape
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor


class Normalize(Function):
    """y = (x - m) / s with s = sqrt(v + eps), for the mean m and variance v over n elements.

    The outputs are y, m and v. With dm/dx = 1 / n and dv/dx = 2 (x - m) / n = 2 y s / n::

        dL/dx = (g_y - (sum g_y - s g_m) / n - y (sum(g_y y) - 2 s^2 g_v) / n) / s
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], eps: float) -> Any:
        ctx.dims, ctx.eps, ctx.count = dims, eps, prod(x.shape[d] for d in dims)
        y, mean, var = kernels.normalize(x.array, dims, eps)
        ctx.save_for_backward(y, var)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        grad, grad_mean, grad_var = grads
        y, var = ctx.saved_tensors
        if not is_grad_enabled():
            return NormalizeBackward.apply(grad, grad_mean, grad_var, y, var, ctx.dims, ctx.eps), None, None
        square = var + ctx.eps
        deviation = square**0.5
        count = max(ctx.count, 1)
        offset = (sum_(grad, ctx.dims, keepdim=True) - deviation * grad_mean) / count
        slope = (sum_(grad * y, ctx.dims, keepdim=True) - 2 * square * grad_var) / count
        return (grad - offset - y * slope) / deviation, None, None


class NormalizeBackward(Function):
    """The same formula in one kernel, where nothing is to be differentiated again."""

    @staticmethod
    def forward(
        ctx: Any, grad: Tensor, grad_mean: Tensor, grad_var: Tensor, y: Tensor, var: Tensor,
        dims: tuple[int, ...], eps: float,
    ) -> Any:  # fmt: skip
        arrays = (tensor.array for tensor in (grad, grad_mean, grad_var, y, var))
        return kernels.normalize_backward(*arrays, dims, eps)


class BatchNorm(Function):
    """y = (x - m) / s * w + b with the mean m and s = sqrt(v + eps) of each channel over the batch.

    The outputs are y, m and v; the last two are for the running statistics and have no gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Any:
        ctx.eps = eps
        arrays = (None if part is None else part.array for part in (weight, bias))
        y, mean, var = kernels.batch_norm(x.array, *arrays, eps)
        ctx.save_for_backward(x, weight, mean, var)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> Any:
        x, weight, mean, var = ctx.saved_tensors
        if is_grad_enabled():
            return *_batch_norm_gradients(grad, x, weight, ctx.eps), None
        scale = None if weight is None else weight.array
        arrays = kernels.batch_norm_backward(grad.array, x.array, scale, mean.array, var.array, ctx.eps)
        needed = zip(arrays, ctx.needs_input_grad, strict=False)
        return *(Tensor(array) if need else None for array, need in needed), None


def _batch_norm_gradients(grad: Tensor, x: Tensor, weight: Tensor | None, eps: float) -> tuple[Any, ...]:
    """What the kernel ``batch_norm_backward`` computes, in ops, so that it can be differentiated again."""
    dims = (0, *range(2, x.ndim))
    z, _, var = Normalize.apply(x, dims, eps)
    scaled = grad if weight is None else grad * _per_channel(weight, x.ndim)
    count = prod(x.shape[d] for d in dims)
    offset = sum_(scaled, dims, keepdim=True) / count
    slope = sum_(scaled * z, dims, keepdim=True) / count
    return (scaled - offset - z * slope) / (var + eps) ** 0.5, sum_(grad * z, dims), sum_(grad, dims)


class NormByRunningStatistics(Function):
    """y = (x - m) / s * w + b with constant m and s = sqrt(v + eps): one multiplication, one addition."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, mean: Tensor, var: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):  # of a negative variance: NaN
            per_deviation = (var.array + eps) ** -0.5
        scale = per_deviation if weight is None else per_deviation * weight.array
        shift = -mean.array * scale
        ctx.save_for_backward(x, weight, Tensor(mean.array.copy()), Tensor(per_deviation))
        return kernels.channel_affine(x.array, scale, shift if bias is None else shift + bias.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight, mean, per_deviation = ctx.saved_tensors
        dims = (0, *range(2, x.ndim))
        needs_x, _, _, needs_weight, needs_bias, _ = ctx.needs_input_grad
        scale = per_deviation if weight is None else per_deviation * weight
        of_weight = (
            sum_(grad * (x - _per_channel(mean, x.ndim)), dims) * per_deviation if needs_weight else None
        )
        return (
            grad * _per_channel(scale, x.ndim) if needs_x else None, None, None, of_weight,
            sum_(grad, dims) if needs_bias else None, None,
        )  # fmt: skip


class ChannelWindowSum(Function):
    """y[:, c] = the sum of x over channels c - before to c + after; its adjoint looks the other way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, before: int, after: int) -> Any:
        ctx.before, ctx.after = before, after
        return kernels.channel_window_sum(x.array, before, after)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return ChannelWindowSum.apply(grad, ctx.after, ctx.before), None, None


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel over the batch (Ioffe and Szegedy 2015), then scale and shift it.

    In training the mean and variance are the batch's, and the running ones move towards them in
    place: ``running = (1 - momentum) * running + momentum * batch``, the variance divided by
    n - 1. Otherwise the running ones are used.

    Parameters
    ----------
    input : Tensor, shape (N, C) or (N, C, *spatial)
    running_mean, running_var : Tensor of shape (C,), or None
        May be None in training only.
    weight, bias : Tensor of shape (C,), optional

    Raises
    ------
    ShapeError
        If in training a channel has a single value, which has no variance.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> y = F.batch_norm(tc.tensor([[1.0], [3.0]]), None, None, training=True, eps=1e-12)
    >>> y.tolist()
    [[-1.0], [1.0]]
    """
    check_flags("batch_norm", training=training)
    op, channels = "batch_norm", _channels("batch_norm", input)
    eps, momentum = _eps(op, eps), check_number(op, "momentum", momentum)
    _check_vectors(op, input, channels, running_mean=running_mean, running_var=running_var)
    _check_vectors(op, input, channels, weight=weight, bias=bias)
    if not training:
        return _by_running_statistics(op, input, running_mean, running_var, weight, bias, eps)
    dims = (0, *range(2, input.ndim))
    count = _count(op, input, dims)
    y, mean, var = BatchNorm.apply(input, weight, bias, eps)
    if count:
        _move(running_mean, mean, momentum)
        _move(running_var, var.detach() * (count / (count - 1)), momentum)
    return y


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of each image over its pixels (Ulyanov et al. 2016).

    Parameters
    ----------
    input : Tensor, shape (N, C, *spatial)
    running_mean, running_var : Tensor of shape (C,), optional
        Moved in place towards the mean over the batch of the images' statistics.
    weight, bias : Tensor of shape (C,), optional
    use_input_stats : bool
        With False the running statistics are used instead of the images' own.
    """
    check_flags("instance_norm", use_input_stats=use_input_stats)
    op, channels = "instance_norm", _channels("instance_norm", input, minimum=3)
    eps, momentum = _eps(op, eps), check_number(op, "momentum", momentum)
    _check_vectors(op, input, channels, running_mean=running_mean, running_var=running_var)
    _check_vectors(op, input, channels, weight=weight, bias=bias)
    if not use_input_stats:
        return _by_running_statistics(op, input, running_mean, running_var, weight, bias, eps)
    dims = tuple(range(2, input.ndim))
    count = _count(op, input, dims)
    y, mean, var = Normalize.apply(input, dims, eps)
    if input.numel():
        _move(running_mean, mean.detach().mean(0), momentum)
        _move(running_var, var.detach().mean(0) * (count / (count - 1)), momentum)
    return _scale_and_shift(y, weight, bias)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each of `num_groups` groups of channels of each image (Wu and He 2018).

    Parameters
    ----------
    input : Tensor, shape (N, C) or (N, C, *spatial)
    num_groups : int
        C must be a multiple of it.
    weight, bias : Tensor of shape (C,), optional
    """
    op, channels = "group_norm", _channels("group_norm", input)
    groups, eps = check_positive(op, "num_groups", num_groups), _eps(op, eps)
    if channels % groups:
        raise ArgumentError(op, "num_groups", groups, f"a divisor of the {channels} channels")
    _check_vectors(op, input, channels, weight=weight, bias=bias)
    shape = (input.shape[0], groups, channels // groups, *input.shape[2:])
    y, _, _ = Normalize.apply(reshape(input, shape), tuple(range(2, len(shape))), eps)
    return _scale_and_shift(reshape(y, input.shape), weight, bias)


def layer_norm(
    input: Tensor,
    normalized_shape: int | tuple[int, ...],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise over the last dimensions, those of `normalized_shape` (Ba et al. 2016).

    Parameters
    ----------
    input : Tensor, shape (*, *normalized_shape)
    normalized_shape : int or tuple of int
    weight, bias : Tensor of shape normalized_shape, optional
    """
    op, eps = "layer_norm", _eps("layer_norm", eps)
    check_float(op, "input", input)
    shape = normalized_sizes(op, normalized_shape)
    if input.shape[max(input.ndim - len(shape), 0) :] != shape:
        raise ShapeError(op, "input", f"of shape {input.shape}", f"last dimensions {shape}")
    _check_parameters(op, input, shape, weight=weight, bias=bias)
    y, _, _ = Normalize.apply(input, tuple(range(input.ndim - len(shape), input.ndim)), eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divide by the energy of `size` near-by channels, as AlexNet does (Krizhevsky et al. 2012).

    ``y[c] = x[c] / (k + alpha / size * sum of x[j]**2)**beta`` for j from c - size // 2 to
    c + (size - 1) // 2. The paper's alpha is PyTorch's alpha / size.

    Parameters
    ----------
    input : Tensor, shape (N, C, *spatial)
    """
    op = "local_response_norm"
    _channels(op, input, minimum=3)
    size = check_positive(op, "size", size)
    alpha, beta, k = (check_number(op, n, v) for n, v in (("alpha", alpha), ("beta", beta), ("k", k)))
    energy = ChannelWindowSum.apply(input * input, size // 2, (size - 1) // 2)
    return input / (k + alpha / size * energy) ** beta


def normalized_sizes(where: str, value: Any) -> tuple[int, ...]:
    """The sizes that `layer_norm` normalises over: ``5`` means ``(5,)``."""
    sizes = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not sizes or not all(is_int(n, 0) for n in sizes):
        raise ArgumentError(where, "normalized_shape", repr(value), "an int >= 0, or some of them")
    return tuple(int(n) for n in sizes)


def _channels(op: str, input: Tensor, minimum: int = 2) -> int:
    if check_float(op, "input", input).ndim < minimum:
        layout = "(N, C, *spatial)" if minimum == 3 else "(N, C) or (N, C, *spatial)"
        raise ShapeError(op, "input", f"of shape {input.shape}", f"shape {layout}")
    return input.shape[1]


def _eps(op: str, eps: Any) -> float:
    if not check_number(op, "eps", eps) > 0:
        raise ArgumentError(op, "eps", repr(eps), "a number above 0")
    return float(eps)


def _check_vectors(op: str, input: Tensor, channels: int, **vectors: Tensor | None) -> None:
    _check_parameters(op, input, (channels,), **vectors)


def _check_parameters(op: str, input: Tensor, shape: tuple[int, ...], **given: Tensor | None) -> None:
    for name, tensor in given.items():
        if tensor is not None and check_float(op, name, tensor).shape != shape:
            raise ShapeError(op, name, f"of shape {tensor.shape}", f"shape {shape}")
    check_same_dtype(op, input=input, **given)


def _count(op: str, input: Tensor, dims: tuple[int, ...]) -> int:
    count = prod(input.shape[d] for d in dims)
    if count == 1:
        raise ShapeError(op, "input", f"of shape {input.shape}", "more than one value per channel")
    return count


def _by_running_statistics(
    op: str,
    input: Tensor,
    mean: Tensor | None,
    var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    for name, tensor in (("running_mean", mean), ("running_var", var)):
        if tensor is None:
            raise DtypeError(op, name, None, "a Tensor where the input's own statistics are not used")
    assert mean is not None and var is not None
    return NormByRunningStatistics.apply(input, mean.detach(), var.detach(), weight, bias, eps)


@repeated
def _move(running: Tensor | None, target: Tensor, momentum: float) -> None:
    if running is not None:
        new = (1 - momentum) * running.array + momentum * target.array.reshape(running.shape)
        with no_grad():
            running.copy_(Tensor(new))


def _scale_and_shift(y: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    y = y if weight is None else y * _per_channel(weight, y.ndim)
    return y if bias is None else y + _per_channel(bias, y.ndim)


def _per_channel(vector: Tensor, ndim: int) -> Tensor:
    """A vector (C,) as (1, C, 1, …), to be broadcast over an input of `ndim` dimensions."""
    return reshape(vector, (1, -1, *(1,) * (ndim - 2))) if vector.numel() else vector
