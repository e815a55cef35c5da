"""Taking elements by their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.sizes import Size, same
from tinyconv.io.onnx.table import translates
from tinyconv.ops import shape as shape_ops

LARGEST, SMALLEST = 2**63 - 1, -(2**63)


@translates(shape_ops.index)
def index(builder: Builder, input: Value, key: Any) -> str:
    keys = list(key) if isinstance(key, tuple) else [key]
    _check(builder, keys)
    used = sum(part is not None and part is not Ellipsis for part in keys)
    place = next((i for i, part in enumerate(keys) if part is Ellipsis), len(keys))
    rest: list[Any] = [slice(None)] * (input.ndim - used)
    keys = [*keys[:place], *rest, *keys[place + 1 :]]
    axes = [part for part in keys if part is not None]
    x = _sliced(builder, input, axes)
    tensors = [i for i, part in enumerate(axes) if isinstance(part, Value | np.ndarray | list | tuple)]
    whole = [i for i, part in enumerate(axes) if isinstance(part, int)]
    if tensors:
        return _gathered(builder, x, axes, tensors, whole, len(axes) < len(keys))
    for axis in reversed(whole):
        x = builder.node("Gather", [x, _number(builder, axes[axis])], axis=axis)
    kept = [part for part in keys if not isinstance(part, int)]
    new = [i for i, part in enumerate(kept) if part is None]
    if new:
        x = builder.node("Unsqueeze", [x, np.array(new)])
    return x if isinstance(x, str) else builder.node("Identity", [x])


def _number(builder: Builder, n: int) -> Any:
    """A number without dimensions."""
    if isinstance(n, Size):
        return builder.node("Squeeze", [builder.ints([n]), np.array([0])])
    return np.array(n, np.int64)


def _check(builder: Builder, keys: list[Any]) -> None:
    for part in keys:
        dtype = getattr(part, "dtype", None)
        if isinstance(part, bool) or (dtype is not None and np.dtype(dtype).kind == "b"):
            builder.refuse("a mask as index, whose result has no fixed size", "tc.where or masked_fill")


def _sliced(builder: Builder, x: Any, axes: list[Any]) -> Any:
    """The slices of an index, in one node."""
    cut = [i for i, part in enumerate(axes) if isinstance(part, slice) and part != slice(None)]
    if not cut:
        return x
    starts, ends, steps = [], [], []
    for part in (axes[i] for i in cut):
        step = 1 if part.step is None else part.step
        starts.append((0 if step > 0 else LARGEST) if part.start is None else part.start)
        ends.append((LARGEST if step > 0 else SMALLEST) if part.stop is None else part.stop)
        steps.append(step)
    limits = [builder.ints(numbers) for numbers in (starts, ends)]
    return builder.node("Slice", [x, *limits, np.array(cut), builder.ints(steps)])


def _gathered(
    builder: Builder, x: Any, axes: list[Any], tensors: list[int], whole: list[int], has_new: bool
) -> str:
    """The elements that one integer tensor names along one dimension."""
    if len(tensors) > 1 or whole or has_new:
        builder.refuse("an index of several tensors, or a tensor and numbers", "one tensor and slices")
    places = axes[tensors[0]]
    if not isinstance(places, Value):
        places = builder.constant(np.asarray(places, np.int64))
    return builder.node("Gather", [x, places], axis=tensors[0])


@translates(ops.gather, when=lambda input, **_: input.ndim > 0)
def gather(builder: Builder, input: Value, dim: int, index: Value) -> str:
    return builder.node("GatherElements", [input, index], axis=dim)


def _alike(input: Value, indices: Value, dim: Any) -> bool:
    if dim is None or input.ndim != indices.ndim:
        return False
    axis = dim % input.ndim
    pairs = enumerate(zip(input.shape, indices.shape, strict=True))
    return all(i == axis or same(n, m) for i, (n, m) in pairs)


@translates(ops.take_along_dim, when=_alike)
def take_along_dim(builder: Builder, input: Value, indices: Value, dim: int) -> str:
    return builder.node("GatherElements", [input, indices], axis=dim)


@translates(ops.index_select, when=lambda index, **_: index.ndim == 1)
def index_select(builder: Builder, input: Value, dim: int, index: Value) -> str:
    return builder.node("Gather", [input, index], axis=dim)


@translates(ops.masked_fill)
def masked_fill(builder: Builder, input: Value, mask: Value, value: Any) -> str:
    fill = builder.cast(value, input.dtype) if isinstance(value, Value) else builder.like(value, input)
    return builder.node("Where", [mask, fill, input])


@translates(ops.scatter, when=lambda input, **_: input.ndim > 0)
def scatter(builder: Builder, input: Value, dim: int, index: Value, src: Any) -> str:
    return _scattered(builder, input, dim, index, src, None)


@translates(ops.scatter_add, when=lambda input, **_: input.ndim > 0)
def scatter_add(builder: Builder, input: Value, dim: int, index: Value, src: Any) -> str:
    return _scattered(builder, input, dim, index, src, "add")


def _scattered(
    builder: Builder, input: Value, dim: int, index: Value, src: Any, reduction: str | None
) -> str:
    if not isinstance(src, Value):
        source = builder.node("Expand", [builder.like(src, input), builder.node("Shape", [index])])
    elif all(same(n, m) for n, m in zip(src.shape, index.shape, strict=True)):
        source = builder.name(src)
    else:
        ends = builder.node("Shape", [index])
        source = builder.node("Slice", [src, np.zeros(src.ndim, np.int64), ends])
    return builder.node("ScatterElements", [input, index, source], axis=dim, reduction=reduction)


@translates(ops.embedding)
def embedding(builder: Builder, input: Value, weight: Value, **options: Any) -> str:
    return builder.node("Gather", [weight, input], axis=0)


@translates(ops.one_hot, when=lambda num_classes, **_: num_classes > 0)
def one_hot(builder: Builder, tensor: Value, num_classes: int) -> str:
    values = np.array([0, 1], np.int64)
    places = builder.cast(tensor, np.int64)
    return builder.node("OneHot", [places, builder.ints([num_classes]), values], axis=-1)
