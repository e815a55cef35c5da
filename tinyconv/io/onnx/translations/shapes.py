"""Moving elements: shapes, joining, new tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.table import translates
from tinyconv.ops import shape as shape_ops
from tinyconv.ops._checks import normalize_dim

CREATION = (ops.zeros, ops.ones, ops.full, ops.empty)
LIKE = (ops.zeros_like, ops.ones_like, ops.full_like, ops.empty_like)


@translates(shape_ops.Reshape)
def reshape(builder: Builder, x: Value, shape: tuple[int, ...]) -> str:
    return builder.reshape(x, x.shape, shape)


@translates(ops.flatten, when=lambda input, start_dim, end_dim: _is_matrix(input, start_dim, end_dim))
def flatten(builder: Builder, input: Value, start_dim: int, end_dim: int) -> str:
    return builder.node("Flatten", [input], axis=1)


def _is_matrix(x: Value, start: Any, end: Any) -> bool:
    return start == 1 and x.ndim > 1 and end in (-1, x.ndim - 1)


@translates(ops.squeeze, when=lambda input, dim: _drops_each(input, dim))
def squeeze(builder: Builder, input: Value, dim: int | tuple[int, ...]) -> str:
    return builder.node("Squeeze", [input, np.array(dim).reshape(-1)])


def _drops_each(x: Value, dim: Any) -> bool:
    dims = dim if isinstance(dim, tuple) else () if dim is None else (dim,)
    return x.ndim > 0 and len(dims) > 0 and all(x.shape[i] == 1 for i in dims)


@translates(ops.unsqueeze)
def unsqueeze(builder: Builder, input: Value, dim: int) -> str:
    return builder.node("Unsqueeze", [input, np.array([dim])])


@translates(shape_ops.Permute)
def permute(builder: Builder, x: Value, dims: tuple[int, ...]) -> str:
    return builder.node("Transpose", [x], perm=dims) if dims else builder.name(x)


@translates(shape_ops.Copy)
def copy(builder: Builder, x: Value, order: str) -> str:
    return builder.name(x)


@translates(shape_ops.contiguous)
def contiguous(builder: Builder, input: Value, **options: Any) -> str:
    return builder.name(input)


@translates(shape_ops.Expand)
def expand(builder: Builder, x: Value, shape: tuple[int, ...]) -> str:
    return builder.node("Expand", [x, builder.ints(shape)])


@translates(shape_ops.Cat)
def cat(builder: Builder, dim: int, *inputs: Value) -> str:
    return builder.node("Concat", list(inputs), axis=dim)


@translates(ops.split)
def split(builder: Builder, input: Value, split_size_or_sections: Any, dim: int) -> Any:
    parts = [part.shape[dim] for part in builder.call.outputs]
    if len(parts) == 1:
        return builder.node("Identity", [input])
    axis = normalize_dim("split", dim, input.ndim)
    return builder.node("Split", [input, builder.ints(parts)], outputs=len(parts), axis=axis)


@translates(ops.tril)
def tril(builder: Builder, input: Value, diagonal: int) -> str:
    return builder.node("Trilu", [input, np.array(diagonal, np.int64)], upper=0)


@translates(ops.triu)
def triu(builder: Builder, input: Value, diagonal: int) -> str:
    return builder.node("Trilu", [input, np.array(diagonal, np.int64)], upper=1)


@translates(*CREATION, *LIKE)
def filled(builder: Builder, **arguments: Any) -> str:
    made = builder.call.outputs[0]
    if builder.call.name.startswith("empty"):
        builder.refuse("values that memory happens to hold", "zeros")
    value = arguments.get("fill_value", 1 if builder.call.name.startswith("ones") else 0)
    if isinstance(value, Value):
        builder.refuse("a fill_value that depends on the input", "a number")
    return builder.node("Expand", [builder.like(value, made), builder.ints(made.shape)])


@translates(ops.arange)
def arange(builder: Builder, start: Any, end: Any, step: Any, **options: Any) -> str:
    made = builder.call.outputs[0]
    if not all(isinstance(x, int) for x in (start, end, step) if x is not None):
        builder.refuse("limits that are not whole numbers, and depend on sizes", "whole numbers")
    first, last = (0, start) if end is None else (start, end)
    limits = [builder.node("Squeeze", [builder.ints([n]), np.array([0])]) for n in (first, last, step)]
    y = builder.node("Range", limits)
    return y if made.dtype == np.int64 else builder.node("Cast", [y], to=builder.dtype(made.dtype))
