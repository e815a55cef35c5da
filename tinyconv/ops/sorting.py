"""Sorting. The gradient goes back to where each number came from."""

from __future__ import annotations

from tinyconv.errors import ArgumentError
from tinyconv.kernels import shape as kernels
from tinyconv.ops._checks import check_flags, check_tensor, normalize_dim
from tinyconv.ops.indexing import gathered
from tinyconv.ops.numpy_names import numpy_names
from tinyconv.ops.reduction import ValuesIndices
from tinyconv.ops.shape import reshape
from tinyconv.tensor import Tensor


@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesIndices:
    """The pair (values, indices) of the elements in order along `dim`; nan counts as the largest.

    Equal elements stay in their order, so `stable` is always what it promises.

    Examples
    --------
    >>> import tinyconv as tc
    >>> values, indices = tc.sort(tc.tensor([3.0, 1.0, 2.0]))
    >>> values.tolist(), indices.tolist()
    ([1.0, 2.0, 3.0], [1, 2, 0])
    """
    check_flags("sort", descending=descending, stable=stable)
    return _sorted("sort", input, dim, descending, None)


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that `sort` returns."""
    check_flags("argsort", descending=descending, stable=stable)
    return _sorted("argsort", input, dim, descending, None).indices


@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesIndices:
    """The pair (values, indices) of the `k` largest (or smallest) elements along `dim`, in order.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.topk(tc.tensor([3.0, 1.0, 2.0]), 2).values.tolist()
    [3.0, 2.0]
    """
    check_flags("topk", largest=largest, sorted=sorted)
    axis = normalize_dim("topk", dim, check_tensor("topk", "input", input).ndim)
    length = input.shape[axis] if input.ndim else 1
    if not isinstance(k, int) or isinstance(k, bool) or not 0 <= k <= length:
        raise ArgumentError("topk", "k", repr(k), f"an int from 0 to {length}")
    return _sorted("topk", input, axis, largest, k)


def _sorted(op: str, input: Tensor, dim: int, descending: bool, count: int | None) -> ValuesIndices:
    axis = normalize_dim(op, dim, check_tensor(op, "input", input).ndim)
    x = reshape(input, 1) if input.ndim == 0 else input
    order = kernels.argsort(x.array, axis, bool(descending))
    indices = Tensor(order[(slice(None),) * axis + (slice(count),)])
    values = gathered(x, axis, indices)
    if input.ndim == 0 and count != 0:
        return ValuesIndices(reshape(values, ()), reshape(indices, ()))
    return ValuesIndices(values, indices)
