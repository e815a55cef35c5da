"""Batch normalisation made part of the layer before it: one layer less in evaluation."""

from __future__ import annotations

import copy
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.grad_mode import no_grad
from tinyconv.nn.conv import _Conv, _ConvBase
from tinyconv.nn.linear import Linear
from tinyconv.nn.module import Parameter
from tinyconv.nn.normalization import _BatchNorm
from tinyconv.ops import reshape, rsqrt, zeros_like


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what `conv` and then `bn` do in evaluation.

    The statistics are constants there, so that normalising is one more scale and shift per channel.

    Parameters
    ----------
    conv : Module
        A convolution or transposed convolution, in evaluation mode; it stays as it is.
    bn : Module
        The batch normalisation behind it, in evaluation mode, with running statistics.
    transpose : bool
        Whether `conv` is a transposed convolution.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).eval()
    >>> fused, x = nn.utils.fuse_conv_bn_eval(net[0], net[1]), tc.randn(1, 3, 9, 9)
    >>> bool(abs(fused(x) - net(x)).max() < 1e-5)
    True
    """
    where = "fuse_conv_bn_eval"
    if not isinstance(conv, _ConvBase) or isinstance(conv, _Conv) == bool(transpose):
        expected = "a transposed convolution" if transpose else "a convolution"
        raise DtypeError(
            where, "conv", f"a {type(conv).__name__}", f"{expected}, as transpose={transpose} says"
        )
    if transpose and conv.groups > 1:
        raise ArgumentError(where, "conv", f"one of {conv.groups} groups", "one group")
    return _fused(where, "conv", conv, bn, conv.out_channels, 1 if transpose else 0)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that does what `linear` and then `bn` do in evaluation; see `fuse_conv_bn_eval`."""
    where = "fuse_linear_bn_eval"
    if not isinstance(linear, Linear):
        raise DtypeError(where, "linear", f"a {type(linear).__name__}", "a Linear")
    return _fused(where, "linear", linear, bn, linear.out_features, 0)


def _fused(where: str, argument: str, layer: Any, bn: Any, channels: int, dim: int) -> Any:
    if not isinstance(bn, _BatchNorm):
        raise DtypeError(where, "bn", f"a {type(bn).__name__}", "a batch normalisation")
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError(where, "bn", "without running statistics", "track_running_stats=True")
    if bn.num_features != channels:
        raise ShapeError(where, "bn", f"of {bn.num_features} features", f"the {channels} that come out")
    for name, module in ((argument, layer), ("bn", bn)):
        if module.training:
            raise ArgumentError(where, name, "in training mode", "evaluation mode: call eval()")
    fused = copy.deepcopy(layer)
    with no_grad():
        scale = rsqrt(bn.running_var + bn.eps)
        scale = scale if bn.weight is None else scale * bn.weight
        shape = [1] * layer.weight.ndim
        shape[dim] = channels
        bias = zeros_like(bn.running_mean) if layer.bias is None else layer.bias
        shift = (bias - bn.running_mean) * scale
        shift = shift if bn.bias is None else shift + bn.bias
        fused.weight = Parameter(layer.weight * reshape(scale, tuple(shape)), layer.weight.requires_grad)
        fused.bias = Parameter(shift)
    return fused
