"""Normalisation over batches, layers, groups, images and channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv import ops
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import from_front
from tinyconv.ops.norm import ChannelWindowSum
from tinyconv.tensor import Tensor


def batch_norm(
    node: Node, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor
) -> tuple[Tensor, ...]:
    """With given statistics; in training mode with the batch's, which move the given ones."""
    eps, momentum = node.number("epsilon", 1e-5), node.number("momentum", 0.9)
    if not node.flag("training_mode"):
        return (ops.batch_norm(x, mean, var, scale, bias, eps=eps),)
    dims = (0, *range(2, x.ndim))
    y = ops.batch_norm(x, None, None, scale, bias, training=True, eps=eps)
    batch = ops.mean(x, dims), ops.var(x, dims, correction=0)
    moved = [old * momentum + new * (1 - momentum) for old, new in zip((mean, var), batch, strict=True)]
    return (y, *moved)


def instance_norm(node: Node, x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Each channel of each image over its pixels."""
    return ops.instance_norm(x, weight=scale, bias=bias, eps=node.number("epsilon", 1e-5))


def group_norm(node: Node, x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Groups of channels; before operator set 21 scale and bias have one number per group."""
    groups, eps = node.integer("num_groups"), node.number("epsilon", 1e-5)
    if node.opset < 21 and x.ndim > 1 and scale.shape == bias.shape == (groups,) and groups > 0:
        scale, bias = (ops.repeat_interleave(v, x.shape[1] // groups) for v in (scale, bias))
    return ops.group_norm(x, groups, scale, bias, eps)


def layer_norm(node: Node, x: Tensor, scale: Tensor, bias: Tensor | None = None) -> tuple[Tensor, ...]:
    """Over the dimensions from an axis on; also the mean, and 1 over the deviation."""
    axis = from_front(node, (node.integer("axis", -1),), x.ndim)[0]
    eps, dims = node.number("epsilon", 1e-5), tuple(range(axis, x.ndim))
    y = ops.layer_norm(x, x.shape[axis:], eps=eps) * scale
    y = y if bias is None else y + bias
    if len(node.outputs) < 2:
        return (y,)
    mean = ops.mean(x, dims, keepdim=True)
    return y, mean, ops.rsqrt(ops.var(x, dims, correction=0, keepdim=True) + eps)


def rms_norm(node: Node, x: Tensor, scale: Tensor) -> Tensor:
    """x over its root mean square along the dimensions from an axis on."""
    axis = from_front(node, (node.integer("axis", -1),), x.ndim)[0]
    square = ops.mean(x * x, tuple(range(axis, x.ndim)), keepdim=True)
    return x * ops.rsqrt(square + node.number("epsilon", 1e-5)) * scale


def local_response_norm(node: Node, x: Tensor) -> Tensor:
    """x over the energy of near-by channels; of an even number of them one more comes after x."""
    size = node.integer("size")
    if size < 1 or x.ndim < 3:
        found = f"{size} for shape {x.shape}"
        raise ArgumentError("LRN", "size", found, "an int >= 1, for (N, C, *spatial)")
    alpha, beta = node.number("alpha", 1e-4), node.number("beta", 0.75)
    energy = ChannelWindowSum.apply(x * x, (size - 1) // 2, size // 2)
    return x / (node.number("bias", 1.0) + alpha / size * energy) ** beta


def lp_norm(node: Node, x: Tensor) -> Tensor:
    """x over its p-norm along an axis; 0 where that is 0."""
    p = node.integer("p", 2)
    if p not in (1, 2):
        raise ArgumentError("LpNormalization", "p", p, "1 or 2")
    length = ops.norm(x, p, node.integer("axis", -1), keepdim=True)
    return x / ops.where(ops.eq(length, 0), ops.ones_like(length), length)


def mean_variance_norm(node: Node, x: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the axes."""
    axes = node.integers("axes", (0, 2, 3))
    if x.ndim <= max(axes, default=0):
        raise ShapeError(node.op, "X", f"of shape {x.shape}", f"dimensions {axes}")
    deviation = x - ops.mean(x, axes, keepdim=True)
    variance = ops.mean(deviation * deviation, axes, keepdim=True)
    return deviation / (ops.sqrt(variance) + 1e-9)


TABLE: dict[str, Callable[..., Any]] = {
    "BatchNormalization": batch_norm,
    "GroupNormalization": group_norm,
    "InstanceNormalization": instance_norm,
    "LRN": local_response_norm,
    "LayerNormalization": layer_norm,
    "LpNormalization": lp_norm,
    "MeanVarianceNormalization": mean_variance_norm,
    "RMSNormalization": rms_norm,
}
