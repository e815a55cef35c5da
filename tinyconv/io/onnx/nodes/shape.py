"""Nodes that give the same elements another shape or order, join them or take them apart."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import from_front, given_axes, whole_numbers
from tinyconv.ops._checks import broadcast_shape
from tinyconv.tensor import Tensor


def reshape(node: Node, x: Tensor, shape: Tensor) -> Tensor:
    """Another shape: 0 keeps a size (but with ``allowzero``), one -1 is computed."""
    sizes = whole_numbers(node, "shape", shape)
    if not node.flag("allowzero"):
        if any(n == 0 and i >= x.ndim for i, n in enumerate(sizes)):
            raise ShapeError("Reshape", "shape", sizes, f"0 only for the {x.ndim} sizes of {x.shape}")
        sizes = tuple(x.shape[i] if n == 0 else n for i, n in enumerate(sizes))
    return ops.reshape(x, sizes)


def flatten(node: Node, x: Tensor) -> Tensor:
    """A matrix: the dimensions before the axis joined, and those from it on."""
    axis = node.integer("axis", 1)
    if not -x.ndim <= axis <= x.ndim:
        raise ArgumentError("Flatten", "axis", axis, f"an int from {-x.ndim} to {x.ndim}")
    axis = axis + x.ndim if axis < 0 else axis
    return ops.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])))


def squeeze(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
    """Without the given dimensions, or all, of size 1."""
    dims = given_axes(node, axes)
    if dims is None:
        return ops.squeeze(x)
    dims = from_front(node, dims, x.ndim)
    if any(x.shape[d] != 1 for d in dims):
        raise ShapeError("Squeeze", "data", f"of shape {x.shape}", f"size 1 in the dimensions {dims}")
    return ops.reshape(x, tuple(n for d, n in enumerate(x.shape) if d not in dims))


def unsqueeze(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
    """With dimensions of size 1 at the given places of the result."""
    given = given_axes(node, axes) or ()
    dims = from_front(node, given, x.ndim + len(given)) if given else ()
    if len(set(dims)) != len(dims):
        raise ArgumentError("Unsqueeze", "axes", given, "each place at most once")
    sizes = iter(x.shape)
    shape = [1 if d in dims else next(sizes) for d in range(x.ndim + len(dims))]
    return ops.reshape(x, tuple(shape))


def transpose(node: Node, x: Tensor) -> Tensor:
    """The dimensions in another order; reversed if none is given."""
    return ops.permute(x, node.integers("perm", tuple(reversed(range(x.ndim)))))


def concat(node: Node, *tensors: Tensor) -> Tensor:
    """The tensors one after the other along an axis."""
    return ops.cat(list(tensors), node.integer("axis"))


def split(node: Node, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    """Parts along an axis: of given sizes, or as equal as possible."""
    axis = from_front(node, (node.integer("axis", 0),), x.ndim)[0]
    parts = node.integers("split", None) if sizes is None else whole_numbers(node, "split", sizes)
    if parts is None:
        count = node.integer("num_outputs", len(node.outputs))
        if count < 1:
            raise ArgumentError("Split", "num_outputs", count, "an int >= 1")
        length = -(-x.shape[axis] // count)
        parts = tuple(max(min(length, x.shape[axis] - i * length), 0) for i in range(count))
    return tuple(ops.split(x, list(parts), axis))


def expand(node: Node, x: Tensor, shape: Tensor) -> Tensor:
    """x broadcast against a shape."""
    sizes = whole_numbers(node, "shape", shape)
    return ops.expand(x, broadcast_shape("Expand", x.shape, sizes))


def tile(node: Node, x: Tensor, repeats: Tensor) -> Tensor:
    """x repeated along every axis."""
    counts = whole_numbers(node, "repeats", repeats)
    if len(counts) != x.ndim:
        raise ShapeError("Tile", "repeats", counts, f"a number for each dimension of {x.shape}")
    return ops.tile(x, counts)


def shape_of(node: Node, x: Tensor) -> Tensor:
    """The shape, or a part of it, as a tensor."""
    return Tensor(np.array(x.shape[node.integer("start", 0) : node.integer("end", None)], np.int64))


def size_of(node: Node, x: Tensor) -> Tensor:
    """The number of elements as a tensor."""
    return Tensor(np.array(x.numel(), np.int64))


def depth_to_space(node: Node, x: Tensor) -> Tensor:
    """Channels become the pixels of blocks."""
    size = node.integer("blocksize")
    if node.text("mode", "DCR", ("DCR", "CRD")) == "CRD":
        return ops.pixel_shuffle(x, size)
    count, channels, height, width = x.shape
    blocks = ops.reshape(x, (count, size, size, channels // size**2, height, width))
    blocks = ops.permute(blocks, (0, 3, 4, 1, 5, 2))
    return ops.reshape(blocks, (count, channels // size**2, height * size, width * size))


def space_to_depth(node: Node, x: Tensor) -> Tensor:
    """The pixels of blocks become channels, the channels of one pixel side by side."""
    size = node.integer("blocksize")
    count, channels, height, width = x.shape
    blocks = ops.reshape(x, (count, channels, height // size, size, width // size, size))
    blocks = ops.permute(blocks, (0, 3, 5, 1, 2, 4))
    return ops.reshape(blocks, (count, channels * size**2, height // size, width // size))


def reverse_sequence(node: Node, x: Tensor, lengths: Tensor) -> Tensor:
    """The first elements of each sequence of a batch in reverse; as many as `lengths` says."""
    batch, time = node.integer("batch_axis", 1), node.integer("time_axis", 0)
    batch, time = from_front(node, (batch, time), x.ndim)
    counts = np.array(whole_numbers(node, "sequence_lens", lengths))[None, :]
    if batch == time or counts.shape[1] != x.shape[batch] or (counts > x.shape[time]).any():
        expected = f"at most {x.shape[time]} for each of the {x.shape[batch]} sequences"
        raise ShapeError("ReverseSequence", "sequence_lens", tuple(counts[0]), expected)
    steps = np.arange(x.shape[time])[:, None]
    places = np.where(steps < counts, counts - 1 - steps, steps)
    front = ops.movedim(x, (time, batch), (0, 1))
    return ops.movedim(front[places, np.arange(x.shape[batch])[None, :]], (0, 1), (time, batch))


def center_crop_pad(node: Node, x: Tensor, shape: Tensor) -> Tensor:
    """Cropped, or padded with zeros, around the middle."""
    sizes = whole_numbers(node, "shape", shape)
    axes = from_front(node, node.integers("axes", tuple(range(x.ndim))), x.ndim)
    widths = [0] * (2 * x.ndim)
    for axis, size in zip(axes, sizes, strict=True):
        change = size - x.shape[axis]
        before = change // 2 if change >= 0 else -((-change) // 2)
        place = 2 * (x.ndim - 1 - axis)
        widths[place : place + 2] = [before, change - before]
    return ops.pad(x, tuple(widths))


TABLE: dict[str, Callable[..., Any]] = {
    "CenterCropPad": center_crop_pad,
    "Concat": concat,
    "DepthToSpace": depth_to_space,
    "Expand": expand,
    "Flatten": flatten,
    "Identity": lambda node, x: (x,),
    "Reshape": reshape,
    "ReverseSequence": reverse_sequence,
    "Shape": shape_of,
    "Size": size_of,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
