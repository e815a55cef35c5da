"""The diagonals of matrices, and matrices made of them."""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.ops._checks import check_int, check_ndim, check_tensor, normalize_dim
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import Index, IndexScatter, permute
from tinyconv.tensor import Tensor


@on_its_gpu
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonals of the matrices in `dim1` and `dim2`, as the last dimension.

    Parameters
    ----------
    input : Tensor
    offset : int
        0 goes through the corner (0, 0), 1 is the one above it, -1 the one below.
    dim1, dim2 : int

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.diagonal(tc.arange(6).reshape(2, 3), 1).tolist()
    [1, 5]
    """
    if check_tensor("diagonal", "input", input).ndim < 2:
        raise ShapeError("diagonal", "input", f"of shape {input.shape}", "at least two dimensions")
    first, second = (normalize_dim("diagonal", dim, input.ndim) for dim in (dim1, dim2))
    if first == second:
        raise ArgumentError("diagonal", "dim1 and dim2", (dim1, dim2), "two different dimensions")
    shift = check_int("diagonal", "offset", offset)
    others = tuple(d for d in range(input.ndim) if d not in (first, second))
    length = min(input.shape[first] + min(shift, 0), input.shape[second] - max(shift, 0))
    return Index.apply(permute(input, (*others, first, second)), _places(input, max(length, 0), shift))


@on_its_gpu
def diag_embed(input: Tensor, offset: int = 0) -> Tensor:
    """Square matrices (…, n, n) with the rows of `input` on a diagonal and zeros elsewhere."""
    if check_tensor("diag_embed", "input", input).ndim == 0:
        raise ShapeError("diag_embed", "input", "of shape ()", "at least one dimension")
    shift = check_int("diag_embed", "offset", offset)
    size = input.shape[-1] + abs(shift)
    shape = (*input.shape[:-1], size, size)
    return IndexScatter.apply(input, _places(input, input.shape[-1], shift), shape)


@on_its_gpu
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix; of a vector the matrix that has it as its diagonal."""
    if check_tensor("diag", "input", input).ndim not in (1, 2):
        raise ShapeError("diag", "input", f"of shape {input.shape}", "(n,) or (n, m)")
    check_int("diag", "diagonal", diagonal)
    return diag_embed(input, diagonal) if input.ndim == 1 else _diagonal(input, diagonal)


@on_its_gpu
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    check_ndim("trace", "input", check_tensor("trace", "input", input), 2, "(n, m)")
    return sum_(_diagonal(input))


_diagonal = diagonal  # `diag` has an argument of this name


def _places(input: Tensor, length: int, offset: int) -> tuple[Any, ...]:
    steps = array_module(input.array).arange(length)
    return ..., steps - min(offset, 0), steps + max(offset, 0)
