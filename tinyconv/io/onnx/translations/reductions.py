"""Sums, means, extremes, norms, sorting."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.sizes import product
from tinyconv.io.onnx.table import translates
from tinyconv.ops import reduction, statistics
from tinyconv.ops._checks import normalize_dim, normalize_dims


def reduce(builder: Builder, kind: str, x: Any, dims: tuple[int, ...], keepdim: bool) -> str:
    """A node that reduces over `dims`."""
    if not dims:
        return builder.node("Identity", [x])
    return builder.node(kind, [x, np.array(dims, np.int64)], keepdims=int(keepdim))


@translates(reduction.Sum)
def sum(builder: Builder, x: Value, dims: tuple[int, ...], keepdim: bool) -> str:
    return reduce(builder, "ReduceSum", builder.cast(x, builder.call.outputs[0].dtype), dims, keepdim)


@translates(reduction.Max)
def amax(builder: Builder, x: Value, dims: tuple[int, ...], keepdim: bool) -> str:
    return reduce(builder, "ReduceMax", x, dims, keepdim)


@translates(reduction.Min)
def amin(builder: Builder, x: Value, dims: tuple[int, ...], keepdim: bool) -> str:
    return reduce(builder, "ReduceMin", x, dims, keepdim)


@translates(ops.mean)
def mean(builder: Builder, input: Value, dim: Any, keepdim: bool) -> str:
    return reduce(builder, "ReduceMean", input, normalize_dims("mean", dim, input.ndim), keepdim)


@translates(ops.logsumexp, when=lambda input, **_: input.dtype.kind == "f")
def logsumexp(builder: Builder, input: Value, dim: Any, keepdim: bool) -> str:
    return reduce(builder, "ReduceLogSumExp", input, normalize_dims("logsumexp", dim, input.ndim), keepdim)


@translates(ops.prod, when=lambda input, **_: input.dtype.kind != "b")
def prod(builder: Builder, input: Value, dim: int | None, keepdim: bool) -> str:
    x = builder.cast(input, builder.call.outputs[0].dtype)
    return reduce(builder, "ReduceProd", x, normalize_dims("prod", dim, input.ndim), keepdim)


def _variance(
    builder: Builder, input: Value, dim: Any, unbiased: bool, keepdim: bool, correction: float | None
) -> str:
    dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    less = float(unbiased) if correction is None else float(correction)
    dims = normalize_dims("var", dim, input.ndim)
    centred = builder.node("Sub", [input, reduce(builder, "ReduceMean", input, dims, True)])
    total = reduce(builder, "ReduceSumSquare", centred, dims, keepdim)
    count = builder.node("Squeeze", [builder.ints([product(input.shape[d] for d in dims)]), np.array([0])])
    count = builder.node("Cast", [count], to=builder.dtype(input.dtype))
    divisor = builder.node("Sub", [count, builder.like(less, input)]) if less else count
    return builder.node("Div", [total, divisor])


@translates(ops.var)
def var(
    builder: Builder, input: Value, dim: Any, unbiased: bool, keepdim: bool, correction: float | None
) -> str:
    return _variance(builder, input, dim, unbiased, keepdim, correction)


@translates(ops.std)
def std(
    builder: Builder, input: Value, dim: Any, unbiased: bool, keepdim: bool, correction: float | None
) -> str:
    return builder.node("Sqrt", [_variance(builder, input, dim, unbiased, keepdim, correction)])


@translates(ops.norm, when=lambda p, **_: p in ("fro", 0, 1, 2, inf, -inf))
def norm(builder: Builder, input: Value, p: Any, dim: Any, keepdim: bool) -> str:
    return length(builder, input, input, p, normalize_dims("norm", dim, input.ndim), keepdim)


def length(builder: Builder, x: Any, like: Value, p: Any, dims: tuple[int, ...], keepdim: bool) -> str:
    """The p-norm of `x`, which has the dtype of `like`."""
    if p in ("fro", 1, 2):
        return reduce(builder, "ReduceL1" if p == 1 else "ReduceL2", x, dims, keepdim)
    absolute = builder.node("Abs", [x])
    if p in (inf, -inf):
        return reduce(builder, "ReduceMax" if p > 0 else "ReduceMin", absolute, dims, keepdim)
    if p == 0:
        return reduce(builder, "ReduceSum", builder.node("Sign", [absolute]), dims, keepdim)
    powers = builder.node("Pow", [absolute, builder.like(p, like)])
    total = reduce(builder, "ReduceSum", powers, dims, keepdim)
    return builder.node("Pow", [total, builder.like(1 / p, like)])


@translates(statistics.CumSum)
def cumsum(builder: Builder, x: Value, dim: int) -> str:
    return builder.node("CumSum", [builder.cast(x, builder.call.outputs[0].dtype), np.array(dim, np.int64)])


@translates(ops.any)
def any(builder: Builder, input: Value, dim: Any, keepdim: bool) -> str:
    return _truth(builder, "ReduceMax", input, dim, keepdim)


@translates(ops.all)
def all(builder: Builder, input: Value, dim: Any, keepdim: bool) -> str:
    return _truth(builder, "ReduceMin", input, dim, keepdim)


def _truth(builder: Builder, kind: str, x: Value, dim: Any, keepdim: bool) -> str:
    number = builder.node("Cast", [builder.cast(x, np.bool_)], to=builder.dtype(np.int32))
    y = reduce(builder, kind, number, normalize_dims("any", dim, x.ndim), keepdim)
    return builder.node("Cast", [y], to=builder.dtype(np.bool_))


@translates(ops.argmax)
def argmax(builder: Builder, input: Value, dim: int | None, keepdim: bool) -> str:
    return position(builder, "ArgMax", input, dim, keepdim)


@translates(ops.argmin)
def argmin(builder: Builder, input: Value, dim: int | None, keepdim: bool) -> str:
    return position(builder, "ArgMin", input, dim, keepdim)


def position(builder: Builder, kind: str, x: Value, dim: int | None, keepdim: bool) -> str:
    """The place of the first largest or smallest element."""
    if dim is not None and x.ndim:
        return builder.node(kind, [x], axis=normalize_dim("argmax", dim, x.ndim), keepdims=int(keepdim))
    place = builder.node(kind, [builder.node("Reshape", [x, np.array([-1])])], axis=0, keepdims=0)
    return builder.node("Reshape", [place, np.ones(x.ndim, np.int64)]) if keepdim else place


def _along_one_dimension(input: Value, dim: Any, keepdim: bool) -> bool:
    return isinstance(dim, int) and input.ndim > 0


@translates(ops.max, when=_along_one_dimension)
def max(builder: Builder, input: Value, dim: int, keepdim: bool) -> tuple[str, str]:
    dims = normalize_dims("max", dim, input.ndim)
    values = reduce(builder, "ReduceMax", input, dims, keepdim)
    return values, position(builder, "ArgMax", input, dim, keepdim)


@translates(ops.min, when=_along_one_dimension)
def min(builder: Builder, input: Value, dim: int, keepdim: bool) -> tuple[str, str]:
    dims = normalize_dims("min", dim, input.ndim)
    values = reduce(builder, "ReduceMin", input, dims, keepdim)
    return values, position(builder, "ArgMin", input, dim, keepdim)


@translates(ops.topk)
def topk(builder: Builder, input: Value, k: int, dim: int, largest: bool, sorted: bool) -> tuple[str, str]:
    return _ordered(builder, input, k, dim, largest)


@translates(ops.sort, when=lambda input, **_: input.ndim > 0)
def sort(builder: Builder, input: Value, dim: int, descending: bool, stable: bool) -> tuple[str, str]:
    return _ordered(builder, input, input.shape[dim], dim, descending)


@translates(ops.argsort, when=lambda input, **_: input.ndim > 0)
def argsort(builder: Builder, input: Value, dim: int, descending: bool, stable: bool) -> str:
    return _ordered(builder, input, input.shape[dim], dim, descending)[1]


def _ordered(builder: Builder, x: Value, count: int, dim: int, largest: bool) -> tuple[str, str]:
    inputs = [x, builder.ints([count])]
    return builder.node("TopK", inputs, outputs=2, axis=dim, largest=int(bool(largest)), sorted=1)
