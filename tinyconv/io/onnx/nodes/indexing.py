"""Taking elements by their numbers, and putting them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import from_front, on_cpu, single, whole_numbers
from tinyconv.ops.operands import astype
from tinyconv.ops.shape import Index
from tinyconv.tensor import Tensor

REDUCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": ops.add,
    "mul": ops.mul,
    "max": ops.maximum,
    "min": ops.minimum,
}


def places_in(node: Node, indices: Tensor, length: int) -> Any:
    """An integer array of places from 0 to length - 1; negative ones count from the end."""
    if indices.dtype.kind not in "iu":
        raise DtypeError(node.op, "indices", f"of dtype {indices.dtype}", "integers")
    places = indices.array.astype(np.int64)
    if places.size and not (-length <= places.min() and places.max() < length):
        raise ArgumentError(
            node.op,
            "indices",
            f"from {places.min()} to {places.max()}",
            f"numbers from {-length} to {length - 1}",
        )
    return places % max(length, 1)


def gather(node: Node, x: Tensor, indices: Tensor) -> Tensor:
    """The slices along an axis that the indices name."""
    axis = from_front(node, (node.integer("axis", 0),), x.ndim)[0]
    return Index.apply(x, (slice(None),) * axis + (places_in(node, indices, x.shape[axis]),))


def gather_elements(node: Node, x: Tensor, indices: Tensor) -> Tensor:
    """An element of its own for each place of the result."""
    axis = from_front(node, (node.integer("axis", 0),), x.ndim)[0]
    return ops.gather(x, axis, Tensor(places_in(node, indices, x.shape[axis])))


def coordinates(node: Node, indices: Tensor, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The last dimension of the indices, which are coordinates, as one array for each."""
    if indices.ndim == 0 or indices.shape[-1] > len(shape):
        expected = f"(…, k) with k at most {len(shape)}"
        raise ShapeError(node.op, "indices", f"of shape {indices.shape}", expected)
    return tuple(places_in(node, indices[..., d], shape[d]) for d in range(indices.shape[-1]))


def gather_nd(node: Node, x: Tensor, indices: Tensor) -> Tensor:
    """The elements or slices at coordinates; the first ``batch_dims`` dimensions are common."""
    batch = node.integer("batch_dims", 0)
    if not 0 <= batch < min(x.ndim, indices.ndim) or x.shape[:batch] != indices.shape[:batch]:
        found = f"{batch} for shapes {x.shape} and {indices.shape}"
        raise ShapeError("GatherND", "batch_dims", found, "the number of leading sizes that agree")
    xp = array_module(x.array)
    common = xp.ogrid[tuple(slice(n) for n in x.shape[:batch])] if batch else ()
    lead = [grid.reshape(grid.shape + (1,) * (indices.ndim - 1 - batch)) for grid in common]
    return Index.apply(x, (*lead, *coordinates(node, indices, x.shape[batch:])))


def numbers_of_elements(x: Tensor) -> Any:
    """An array of the shape of x that counts its elements."""
    return array_module(x.array).arange(x.numel()).reshape(x.shape)


def put(node: Node, x: Tensor, places: Any, updates: Tensor) -> Tensor:
    """x with updates at places of the flattened tensor; ``reduction`` says what happens to what is there."""
    kind = node.text("reduction", "none", ("none", *REDUCTIONS))
    flat, source = ops.reshape(x, x.numel()), ops.reshape(updates, updates.numel())
    places = places.reshape(-1)
    if kind == "none":
        return ops.reshape(ops.scatter(flat, 0, Tensor(places), source), x.shape)
    if kind == "add" and x.dtype.kind == "f":
        return ops.reshape(ops.scatter_add(flat, 0, Tensor(places), source), x.shape)
    # Where places repeat, the updates come one after the other: in each round every place at most once.
    order = np.argsort(places, kind="stable")
    _, starts, counts = np.unique(places[order], return_index=True, return_counts=True)
    for step in range(int(counts.max(initial=0))):
        chosen = order[starts[counts > step] + step]
        there = places[chosen]
        combined = REDUCTIONS[kind](flat[there], source[chosen])
        flat = ops.scatter(flat, 0, Tensor(there), combined)
    return ops.reshape(flat, x.shape)


def scatter_elements(node: Node, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """x with an update for each index, along an axis."""
    axis = from_front(node, (node.integer("axis", 0),), x.ndim)[0]
    if indices.shape != updates.shape or indices.ndim != x.ndim:
        found = f"of shapes {indices.shape} and {updates.shape}"
        raise ShapeError(node.op, "indices and updates", found, f"the same, with {x.ndim} dimensions")
    grid = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    grid[axis] = places_in(node, indices, x.shape[axis])
    return put(node, x, numbers_of_elements(x)[tuple(grid)], updates)


def scatter_nd(node: Node, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """x with updates, elements or slices, at coordinates."""
    places = numbers_of_elements(x)[coordinates(node, indices, x.shape)]
    if places.shape != updates.shape:
        raise ShapeError("ScatterND", "updates", f"of shape {updates.shape}", str(places.shape))
    return put(node, x, places, updates)


def tensor_scatter(node: Node, x: Tensor, update: Tensor, starts: Tensor | None = None) -> Tensor:
    """x, a cache, with the update of each of a batch written from its place on."""
    axis = from_front(node, (node.integer("axis", -2),), x.ndim)[0]
    circular = node.text("mode", "linear", ("linear", "circular")) == "circular"
    first = np.zeros(x.shape[0], np.int64) if starts is None else on_cpu(starts)
    steps = first.reshape(-1, *[1] * (x.ndim - 1)) + np.arange(update.shape[axis]).reshape(
        [-1 if d == axis else 1 for d in range(x.ndim)]
    )
    grid = list(np.ogrid[tuple(slice(n) for n in update.shape)])
    grid[axis] = steps % x.shape[axis] if circular else places_in(node, Tensor(steps), x.shape[axis])
    return put(node, x, numbers_of_elements(x)[tuple(grid)], update)


def slice_(
    node: Node,
    x: Tensor,
    starts: Tensor | None = None,
    ends: Tensor | None = None,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    """Every step-th element from start to end, along some axes; attributes before operator set 10."""
    if starts is None or ends is None:
        first, last = node.integers("starts"), node.integers("ends")
    else:
        first, last = whole_numbers(node, "starts", starts), whole_numbers(node, "ends", ends)
    default = tuple(range(len(first)))
    dims = node.integers("axes", default) if axes is None else whole_numbers(node, "axes", axes)
    strides = (1,) * len(first) if steps is None else whole_numbers(node, "steps", steps)
    if not len(first) == len(last) == len(dims) == len(strides) or 0 in strides:
        found = f"{first}, {last}, {dims}, {strides}"
        raise ArgumentError(
            "Slice", "starts, ends, axes, steps", found, "one of each, with steps other than 0"
        )
    index = [slice(None)] * x.ndim
    for axis, start, end, step in zip(from_front(node, dims, x.ndim), first, last, strides, strict=True):
        lowest = -x.shape[axis] - 1
        index[axis] = slice(start, None if step < 0 and end <= lowest else end, step)
    return Index.apply(x, tuple(index))


def compress(node: Node, x: Tensor, condition: Tensor) -> Tensor:
    """The slices, or elements, for which the condition holds."""
    (chosen,) = np.nonzero(on_cpu(condition).reshape(-1))
    if not node.has("axis"):
        return ops.reshape(x, x.numel())[chosen]
    axis = from_front(node, (node.integer("axis"),), x.ndim)[0]
    return Index.apply(x, (slice(None),) * axis + (chosen,))


def non_zero(node: Node, x: Tensor) -> Tensor:
    """The coordinates of the elements that are not 0, one row per dimension."""
    return ops.permute(ops.nonzero(x), (1, 0)).contiguous()


def one_hot(node: Node, indices: Tensor, depth: Tensor, values: Tensor) -> Tensor:
    """Along a new axis the second value at the index, the first elsewhere; nothing for indices beyond."""
    count, axis = int(single(node, "depth", depth)), node.integer("axis", -1)
    axis = from_front(node, (axis,), indices.ndim + 1)[0]
    places = astype(indices, np.int64)
    places = ops.where(places < 0, places + count, places)
    steps = np.arange(count).reshape([-1 if d == axis else 1 for d in range(indices.ndim + 1)])
    chosen = ops.eq(ops.unsqueeze(places, axis), Tensor(steps).to(indices.device))
    return ops.where(chosen, values[1], values[0])


def unique(node: Node, x: Tensor) -> tuple[Tensor, ...]:
    """The elements, or slices along an axis, that differ; where they are first, which each is, how often."""
    if node.has("axis"):
        axis = from_front(node, (node.integer("axis"),), x.ndim)[0]
    else:
        x, axis = ops.reshape(x, x.numel()), 0
    _, first, which, counts = np.unique(
        on_cpu(x), return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    which = which.reshape(-1)
    if not node.flag("sorted", True):
        order = np.argsort(first)
        first, counts, which = first[order], counts[order], np.argsort(order)[which]
    y = Index.apply(x, (slice(None),) * axis + (first,))
    return y, *(Tensor(part.astype(np.int64)) for part in (first, which, counts))


TABLE: dict[str, Callable[..., Any]] = {
    "Compress": compress,
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "NonZero": non_zero,
    "OneHot": one_hot,
    "Scatter": scatter_elements,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "Slice": slice_,
    "TensorScatter": tensor_scatter,
    "Unique": unique,
}
