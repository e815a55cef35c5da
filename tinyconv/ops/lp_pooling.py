"""Power-average pooling: each window's p-norm, from the sum (p = 1) to the maximum (p towards infinity)."""

from __future__ import annotations

from math import isfinite, prod

from tinyconv.errors import ArgumentError
from tinyconv.ops._checks import check_flags, check_float, check_number, int_tuple
from tinyconv.ops._images import IntOrTuple
from tinyconv.ops.avg_pooling import avg_pool_nd
from tinyconv.ops.creation_like import ones_like, zeros_like
from tinyconv.ops.elementwise import where
from tinyconv.tensor import Tensor


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum of x^p)^(1/p) over each window of `input` (N, C, L) or (C, L); see `lp_pool2d`."""
    check_flags("lp_pool1d", ceil_mode=ceil_mode)
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum of x^p)^(1/p) over each window.

    Parameters
    ----------
    input : Tensor
        Shape (N, C, H, W), or (C, H, W) for one image.
    norm_type : float
        The power p: a finite number > 0. A negative sum, which odd powers can give, has no root: NaN.
    kernel_size, stride : int or pair
        The window; `stride` is `kernel_size` by default.
    ceil_mode : bool
        Also use windows that hang over the end; they count as the mean power of their pixels times
        the size of a whole window.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the argument; also for a window larger than the input.

    Notes
    -----
    Where the sum is 0 the root has no derivative; there the gradient is 0, as in PyTorch.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.lp_pool2d(tc.tensor([[[1.0, 2.0], [2.0, 4.0]]]), 2, 2).tolist()
    [[[5.0]]]
    """
    check_flags("lp_pool2d", ceil_mode=ceil_mode)
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum of x^p)^(1/p) over each window of `input` (N, C, D, H, W) or (C, D, H, W); see `lp_pool2d`."""
    check_flags("lp_pool3d", ceil_mode=ceil_mode)
    return _lp_pool("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(
    op: str,
    dims: int,
    input: Tensor,
    norm_type: float,
    kernel_size: IntOrTuple,
    stride: IntOrTuple | None,
    ceil_mode: bool,
) -> Tensor:
    p = check_number(op, "norm_type", norm_type)
    if not isfinite(p) or p <= 0:
        raise ArgumentError(op, "norm_type", norm_type, f"a finite number > 0 (max_pool{dims}d is the limit)")
    pixels = prod(int_tuple(op, "kernel_size", kernel_size, dims, 1))
    powers = check_float(op, "input", input) ** p
    total = avg_pool_nd(op, dims, powers, kernel_size, stride, 0, ceil_mode, True, None) * pixels
    has_root = total != 0
    return where(has_root, where(has_root, total, ones_like(total)) ** (1 / p), zeros_like(total))
