"""Nodes that make tensors: constants, ranges, diagonals, borders; and random omission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import from_front, given_axes, single, whole_numbers
from tinyconv.io.onnx.values import dtype_of
from tinyconv.ops.operands import astype
from tinyconv.ops.padding import Pad, Widths
from tinyconv.ops.resample import Resample
from tinyconv.ops.shape import Index
from tinyconv.tensor import Tensor


def constant(node: Node) -> Tensor:
    """What the node holds."""
    if node.has("value"):
        value = node.attributes["value"]
        if not isinstance(value, Tensor):
            raise ArgumentError(node.where, "attribute value", repr(value), "a tensor")
        return value
    for name, read, dtype in (
        ("value_float", node.number, np.float32),
        ("value_int", node.integer, np.int64),
        ("value_floats", node.numbers, np.float32),
        ("value_ints", node.integers, np.int64),
    ):
        if node.has(name):
            return Tensor(np.array(read(name), dtype))
    raise ArgumentError(node.where, "the attributes", sorted(node.attributes), "a value of numbers")


def constant_of_shape(node: Node, shape: Tensor) -> Tensor:
    """One number everywhere: 0 in float32 if none is given."""
    value = node.attributes.get("value", Tensor(np.zeros(1, np.float32)))
    number = single(node, "attribute value", value)
    return ops.full(whole_numbers(node, "input", shape), number, dtype=value.dtype, device=shape.device)


def eye_like(node: Node, x: Tensor) -> Tensor:
    """Ones on the k-th diagonal of a matrix of the shape of x."""
    dtype = dtype_of(node.where, "attribute dtype", node.integer("dtype")) if node.has("dtype") else x.dtype
    rows, columns = x.shape
    return Tensor(np.eye(rows, columns, node.integer("k", 0), dtype=dtype)).to(x.device)


def range_(node: Node, start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    """The numbers from `start` on, `delta` apart, that come before `limit`."""
    first, last, step = (single(node, "an input", x) for x in (start, limit, delta))
    if step == 0:
        raise ArgumentError("Range", "delta", step, "a number other than 0")
    count = max(int(np.ceil((last - first) / step)), 0)
    return Tensor((first + np.arange(count) * step).astype(start.dtype)).to(start.device)


def trilu(node: Node, x: Tensor, k: Tensor | None = None) -> Tensor:
    """The upper, or lower, triangle of matrices."""
    diagonal = 0 if k is None else int(single(node, "k", k))
    return (ops.triu if node.flag("upper", True) else ops.tril)(x, diagonal)


def pad(
    node: Node, x: Tensor, pads: Tensor | None = None, value: Tensor | None = None, axes: Tensor | None = None
) -> Tensor:
    """x with a border; negative widths take away. Attributes before operator set 11."""
    widths = node.integers("pads") if pads is None else whole_numbers(node, "pads", pads)
    dims = from_front(node, given_axes(node, axes) or tuple(range(x.ndim)), x.ndim)
    if len(widths) != 2 * len(dims):
        raise ArgumentError("Pad", "pads", widths, f"two for each of the axes {dims}")
    pairs = [(0, 0)] * x.ndim
    for place, axis in enumerate(dims):
        pairs[axis] = widths[place], widths[place + len(dims)]
    mode = node.text("mode", "constant", ("constant", "reflect", "edge", "wrap"))
    if mode != "constant":
        return copied_border(x, tuple(pairs), mode)
    if any(n + before + after < 0 for n, (before, after) in zip(x.shape, pairs, strict=True)):
        raise ArgumentError("Pad", "pads", widths, f"to take away at most what {x.shape} has")
    fill = node.number("value", 0.0) if value is None else single(node, "constant_value", value)
    if x.dtype.kind == "b":
        return astype(Pad.apply(astype(x, "uint8"), tuple(pairs), int(fill)), "bool")
    return Pad.apply(x, tuple(pairs), x.dtype.type(fill))


def copied_border(x: Tensor, pairs: Widths, mode: str) -> Tensor:
    """A border that repeats elements of x: mirrored, the last ones, or those of the other side."""
    for axis, (before, after) in enumerate(pairs):
        if before == after == 0:
            continue
        size, places = x.shape[axis], np.arange(-before, x.shape[axis] + after)
        if size == 0:
            raise ArgumentError("Pad", "data", f"of shape {x.shape}", "at least one element to copy")
        if mode == "reflect":
            period = max(2 * (size - 1), 1)
            places = size - 1 - abs(size - 1 - places % period)
        places = places % size if mode == "wrap" else np.clip(places, 0, size - 1)
        if x.dtype.kind == "f":
            x = Resample.apply(x, places[:, None], np.ones((len(places), 1)), axis)
        else:
            x = Index.apply(x, (slice(None),) * axis + (places,))
    return x


def dropout(
    node: Node, x: Tensor, ratio: Tensor | None = None, training: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """x, and where it was kept; elements are left out only if the file says that it trains."""
    share = node.number("ratio", 0.5) if ratio is None else single(node, "ratio", ratio)
    active = training is not None and bool(single(node, "training_mode", training)) and share > 0
    if not active:
        return x, Tensor(np.ones(x.shape, np.bool_)).to(x.device)
    if not share < 1:
        raise ArgumentError("Dropout", "ratio", share, "a number from 0 to below 1")
    kept = ops.ge(ops.rand(*x.shape, device=x.device), float(share))
    return ops.where(kept, x / (1 - share), ops.zeros_like(x)), kept


def window(*weights: float) -> Callable[..., Tensor]:
    """A sum of cosines over 0, 1, … periods, as signal processing cuts pieces out with."""

    def run(node: Node, size: Tensor) -> Tensor:
        count = int(single(node, "size", size))
        dtype = dtype_of(node.where, "attribute output_datatype", node.integer("output_datatype", 1))
        periods = count if node.flag("periodic", True) else count - 1
        angle = 2 * np.pi * np.arange(count) / max(periods, 1)
        waves = np.stack([w * np.cos(k * angle) for k, w in enumerate(weights)])
        return Tensor(waves.sum(0).astype(dtype))

    return run


TABLE: dict[str, Callable[..., Any]] = {
    "BlackmanWindow": window(0.42, -0.5, 0.08),
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "Dropout": dropout,
    "EyeLike": eye_like,
    "HammingWindow": window(25 / 46, -21 / 46),
    "HannWindow": window(0.5, -0.5),
    "Pad": pad,
    "Range": range_,
    "Trilu": trilu,
}
