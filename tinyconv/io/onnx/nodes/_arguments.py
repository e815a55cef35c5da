"""What nodes ask of tensors that say what to do: sizes, axes, single numbers."""

from __future__ import annotations

from typing import Any

from tinyconv.device import to_device
from tinyconv.errors import DtypeError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.ops._checks import normalize_dim
from tinyconv.tensor import Tensor


def whole_numbers(node: Node, argument: str, x: Tensor) -> tuple[int, ...]:
    """The elements of an integer tensor of one dimension (or none) as Python ints."""
    if x.dtype.kind not in "iu":
        raise DtypeError(node.op, argument, f"of dtype {x.dtype}", "integers")
    if x.ndim > 1:
        raise ShapeError(node.op, argument, f"of shape {x.shape}", "(n,)")
    return tuple(x.array.reshape(-1).tolist())


def single(node: Node, argument: str, x: Tensor) -> Any:
    """The only element of a tensor, as a Python number."""
    if x.numel() != 1:
        raise ShapeError(node.op, argument, f"of shape {x.shape}", "a single element")
    return x.item()


def given_axes(node: Node, axes: Tensor | None) -> tuple[int, ...] | None:
    """The axes: an input, or in older operator sets an attribute; None where nothing is said."""
    if axes is not None:
        return whole_numbers(node, "axes", axes)
    return node.integers("axes", None)


def from_front(node: Node, axes: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """The axes, counted from the front."""
    return tuple(normalize_dim(node.op, axis, ndim) for axis in axes)


def on_cpu(x: Tensor) -> Any:
    """The values as a NumPy array."""
    return to_device(x.array, "cpu")
