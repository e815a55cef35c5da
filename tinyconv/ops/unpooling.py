"""Max unpooling: pooled values go back to where they came from (SegNet, Badrinarayanan et al. 2017)."""

from __future__ import annotations

from math import prod
from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.kernels import pooling as kernels
from tinyconv.ops._checks import check_float, check_same_device, check_tensor, int_tuple
from tinyconv.ops._images import IntOrTuple, Sizes, with_batch, without_batch
from tinyconv.ops._unseen import classes_or_nan, unseen
from tinyconv.ops.pooling import PoolGather, check_window
from tinyconv.tensor import Tensor


class Unpool(Function):
    """y = zeros of `size` with x assigned at `indices`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor, size: Sizes) -> Any:
        ctx.save_for_backward(indices)
        return kernels.unpool(x.array, indices.array, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (indices,) = ctx.saved_tensors
        return PoolGather.apply(grad, indices), None, None


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    output_size: tuple[int, ...] | None = None,
) -> Tensor:
    """Put what `max_pool1d` took, `input` (N, C, L) or (C, L), back to `indices`; zeros elsewhere.

    Arguments and errors are those of `max_unpool2d`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> y, indices = F.max_pool1d(tc.tensor([[1.0, 5, 2, 4]]), 2, return_indices=True)
    >>> F.max_unpool1d(y, indices, 2).tolist()
    [[0.0, 5.0, 0.0, 4.0]]
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    output_size: tuple[int, ...] | None = None,
) -> Tensor:
    """Put pooled values back where they came from, zeros elsewhere.

    Parameters
    ----------
    input, indices : Tensor
        What ``max_pool2d(..., return_indices=True)`` returned, shapes (N, C, H, W) or (C, H, W).
    kernel_size, stride, padding : int or pair
        Those of the pooling.
    output_size : tuple of int, optional
        Size of the pooled image, where the pooling dropped a border; its last two numbers count.
        It lies less than a stride away from the size that the window alone gives.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for an index outside the output.

    Notes
    -----
    Where windows overlapped, a position can occur more than once: the last value put there stays,
    and each of them receives the gradient of that position, as in PyTorch.
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple = 0,
    output_size: tuple[int, ...] | None = None,
) -> Tensor:
    """Put what `max_pool3d` took, `input` (N, C, D, H, W) or (C, D, H, W), back to `indices`.

    Arguments and errors are those of `max_unpool2d`, with one number or three.
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    op: str,
    dims: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None,
    padding: IntOrTuple,
    output_size: tuple[int, ...] | None,
) -> Tensor:
    x, single = with_batch(op, "input", check_float(op, "input", input), dims)
    check_same_device(op, input, indices)
    if check_tensor(op, "indices", indices).dtype.kind not in "iu":
        raise DtypeError(op, "indices", f"of dtype {indices.dtype}", f"integers, as max_pool{dims}d returns")
    if indices.shape != input.shape:
        raise ShapeError(op, "indices", f"of shape {indices.shape}", f"the input's shape, {input.shape}")
    window = check_window(op, dims, kernel_size, stride, padding)
    size = _unpooled_size(op, x.shape[2:], window, output_size)
    if unseen(indices):
        numbers, right = classes_or_nan(indices, prod(size), input)
        input, indices = input * right, Tensor(numbers)
    else:
        _check_places(op, indices.array, size)
    x, index = (with_batch(op, "input", tensor, dims)[0] for tensor in (input, indices))
    return without_batch(Unpool.apply(x, index, size), single)


def _check_places(op: str, places: Any, size: Sizes) -> None:
    if places.size and not 0 <= places.min() <= places.max() < prod(size):
        raise ArgumentError(
            op, "indices", f"from {places.min()} to {places.max()}", f"positions in a plane of {size}"
        )


def _unpooled_size(
    op: str, size: Sizes, window: tuple[Sizes, Sizes, Sizes], output_size: tuple[int, ...] | None
) -> Sizes:
    """The size that the window gives, or `output_size` if it is near enough to it."""
    kernel, step, pad = window
    default = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(size, step, pad, kernel, strict=True))
    if output_size is None:
        if any(n < 1 for n in default):
            raise ShapeError(op, "the output's size", default, "at least 1 each")
        return default
    last = output_size[-len(size) :] if isinstance(output_size, list | tuple) else output_size
    wanted = int_tuple(op, "output_size", last, len(size), 1)
    if any(abs(n - d) >= s for n, d, s in zip(wanted, default, step, strict=True)):
        raise ArgumentError(op, "output_size", wanted, f"less than a stride {step} away from {default}")
    return wanted
