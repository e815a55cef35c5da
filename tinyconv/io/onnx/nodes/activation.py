"""Activations, element by element, and softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv import ops
from tinyconv.io.onnx.node import Node
from tinyconv.ops.operands import astype
from tinyconv.tensor import Tensor


def relu(node: Node, x: Tensor) -> Tensor:
    """max(x, 0)."""
    return ops.relu(x) if x.dtype.kind == "f" else ops.clamp(x, min=0)


def leaky_relu(node: Node, x: Tensor) -> Tensor:
    """x, times alpha where it is negative."""
    return ops.leaky_relu(x, node.number("alpha", 0.01))


def prelu(node: Node, x: Tensor, slope: Tensor) -> Tensor:
    """x, times a slope that broadcasts where it is negative."""
    return ops.where(x < 0, slope * x, x)


def elu(node: Node, x: Tensor) -> Tensor:
    """alpha (e^x - 1) where x is negative."""
    return ops.elu(x, node.number("alpha", 1.0))


def selu(node: Node, x: Tensor) -> Tensor:
    """gamma times `elu`; without attributes the self-normalising one."""
    gamma = node.number("gamma", 1.0507009873554804934193349852946)
    return ops.elu(x, node.number("alpha", 1.6732632423543772848170429916717)) * gamma


def celu(node: Node, x: Tensor) -> Tensor:
    """max(x, 0) + min(alpha (e^(x / alpha) - 1), 0)."""
    return ops.celu(x, node.number("alpha", 1.0))


def gelu(node: Node, x: Tensor) -> Tensor:
    """x times the normal distribution function of x."""
    return ops.gelu(x, approximate=node.text("approximate", "none", ("none", "tanh")))


def hard_sigmoid(node: Node, x: Tensor) -> Tensor:
    """alpha x + beta, between 0 and 1."""
    return ops.clamp(x * node.number("alpha", 0.2) + node.number("beta", 0.5), 0.0, 1.0)


def swish(node: Node, x: Tensor) -> Tensor:
    """x sigmoid(alpha x)."""
    return x * ops.sigmoid(x * node.number("alpha", 1.0))


def thresholded_relu(node: Node, x: Tensor) -> Tensor:
    """x where it is larger than alpha, and 0."""
    return ops.threshold(x, node.number("alpha", 1.0), 0.0)


def shrink(node: Node, x: Tensor) -> Tensor:
    """x, moved by `bias` towards 0 where it is outside [-lambd, lambd], and 0 inside."""
    bias, limit = node.number("bias", 0.0), node.number("lambd", 0.5)
    if x.dtype.kind != "f":
        return astype(shrink(node, astype(x, "float64")), x.dtype)
    zero = ops.zeros_like(x)
    return ops.where(x < -limit, x + bias, ops.where(x > limit, x - bias, zero))


def along_axis(function: Callable[[Tensor, int], Tensor]) -> Callable[..., Tensor]:
    """A function along one axis; before operator set 13 along all from that axis on, as one."""

    def run(node: Node, x: Tensor) -> Tensor:
        axis = node.integer("axis", -1 if node.opset >= 13 else 1)
        if node.opset >= 13:
            return function(x, axis)
        shape, axis = x.shape, axis % max(x.ndim, 1)
        rows = ops.reshape(x, (*shape[:axis], -1)) if x.numel() else x
        return ops.reshape(function(rows, -1), shape)

    return run


def hardmax(x: Tensor, dim: int) -> Tensor:
    """1 where the first largest element along `dim` is, and 0."""
    places = ops.argmax(x, dim, keepdim=True)
    ones = ops.ones(places.shape, dtype=x.dtype, device=x.device)
    return ops.scatter(ops.zeros_like(x), dim, places, ones)


TABLE: dict[str, Callable[..., Any]] = {
    "Celu": celu,
    "Elu": elu,
    "Gelu": gelu,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": lambda node, x: ops.hardswish(x),
    "Hardmax": along_axis(hardmax),
    "LeakyRelu": leaky_relu,
    "LogSoftmax": along_axis(ops.log_softmax),
    "Mish": lambda node, x: ops.mish(x),
    "PRelu": prelu,
    "Relu": relu,
    "Selu": selu,
    "Shrink": shrink,
    "Sigmoid": lambda node, x: ops.sigmoid(x),
    "Softmax": along_axis(ops.softmax),
    "Softplus": lambda node, x: ops.softplus(x),
    "Softsign": lambda node, x: ops.softsign(x),
    "Swish": swish,
    "Tanh": lambda node, x: ops.tanh(x),
    "ThresholdedRelu": thresholded_relu,
}
