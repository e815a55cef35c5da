"""Reductions over axes, running sums, and the places of extremes."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import from_front, given_axes, single, whole_numbers
from tinyconv.ops.operands import astype
from tinyconv.tensor import Tensor

Reduce = Callable[[Tensor, tuple[int, ...], bool], Tensor]


def over_axes(reduce: Reduce, before: Callable[[Tensor], Tensor] = lambda x: x) -> Callable[..., Tensor]:
    """A reduction, of something computed element by element."""

    def run(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
        dims = given_axes(node, axes)
        if not dims:
            if node.flag("noop_with_empty_axes"):
                return before(x)
            dims = tuple(range(x.ndim))
        return reduce(before(x), from_front(node, dims, x.ndim), node.flag("keepdims", True))

    return run


def total(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """The sum, in the dtype of x."""
    return astype(ops.sum(x, dims, keepdim), x.dtype)


def mean(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """The mean, in the dtype of x."""
    return astype(ops.mean(x if x.dtype.kind == "f" else astype(x, "float64"), dims, keepdim), x.dtype)


def product(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """The product over one axis after the other."""
    y = x
    for dim in sorted(dims, reverse=True):
        y = ops.prod(y, dim, keepdim)
    return astype(y, x.dtype)


def extreme(function: Callable[..., Tensor], nothing: float) -> Reduce:
    """The largest or smallest; of no elements at all the limit of the dtype."""

    def reduce(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
        if x.dtype.kind == "b":
            return astype(reduce(astype(x, "uint8"), dims, keepdim), "bool")
        if all(x.shape[d] for d in dims):
            return function(x, dims, keepdim)
        fill: Any = nothing
        if x.dtype.kind != "f":
            limits = np.iinfo(x.dtype)
            fill = limits.max if nothing > 0 else limits.min
        shape = [1 if d in dims else n for d, n in enumerate(x.shape) if keepdim or d not in dims]
        return ops.full(tuple(shape), fill, dtype=x.dtype, device=x.device)

    return reduce


def log_of_total(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """log of the sum."""
    with np.errstate(divide="ignore"):  # the logarithm of a sum of no elements
        return ops.log(ops.sum(x, dims, keepdim))


def log_sum_exp(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """log of the sum of exponentials, without overflow."""
    with np.errstate(divide="ignore"):
        return ops.logsumexp(x, dims, keepdim)


def place_of(largest: bool) -> Callable[..., Tensor]:
    """The place of the first (or last) largest, or smallest, along an axis."""
    find = ops.argmax if largest else ops.argmin

    def run(node: Node, x: Tensor) -> Tensor:
        axis, keepdim = node.integer("axis", 0), node.flag("keepdims", True)
        if not node.flag("select_last_index"):
            return find(x, axis, keepdim)
        return x.shape[axis] - 1 - find(ops.flip(x, axis), axis, keepdim)

    return run


def running(cumulate: Callable[[Tensor, int], Tensor], neutral: int) -> Callable[..., Tensor]:
    """A running sum along an axis: before each element if ``exclusive``, from the end if ``reverse``."""

    def run(node: Node, x: Tensor, axis: Tensor) -> Tensor:
        dim = from_front(node, (int(single(node, "axis", axis)),), x.ndim)[0]
        y = ops.flip(x, dim) if node.flag("reverse") else x
        if node.flag("exclusive") and y.shape[dim]:
            first = ops.full_like(ops.narrow(y, dim, 0, 1), neutral)
            y = ops.cat([first, ops.narrow(y, dim, 0, y.shape[dim] - 1)], dim)
        y = astype(cumulate(y, dim), x.dtype)
        return ops.flip(y, dim) if node.flag("reverse") else y

    return run


def top_k(node: Node, x: Tensor, k: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) along an axis, and where they are."""
    count = node.integer("k") if k is None else whole_numbers(node, "K", k)[0]
    largest, in_order = node.flag("largest", True), node.flag("sorted", True)
    return tuple(ops.topk(x, count, node.integer("axis", -1), largest, in_order))  # type: ignore[return-value]


TABLE: dict[str, Callable[..., Any]] = {
    "ArgMax": place_of(largest=True),
    "ArgMin": place_of(largest=False),
    "CumProd": running(ops.cumprod, 1),
    "CumSum": running(ops.cumsum, 0),
    "ReduceL1": over_axes(total, ops.abs),
    "ReduceL2": over_axes(lambda x, dims, keepdim: ops.norm(x, 2, dims, keepdim)),
    "ReduceLogSum": over_axes(log_of_total),
    "ReduceLogSumExp": over_axes(log_sum_exp),
    "ReduceMax": over_axes(extreme(ops.amax, -inf)),
    "ReduceMean": over_axes(mean),
    "ReduceMin": over_axes(extreme(ops.amin, inf)),
    "ReduceProd": over_axes(product),
    "ReduceSum": over_axes(total),
    "ReduceSumSquare": over_axes(total, lambda x: x * x),
    "TopK": top_k,
}
