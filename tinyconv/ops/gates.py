"""Activation functions that multiply their input by a gate between 0 and 1, and the gates."""

from __future__ import annotations

from math import inf

from tinyconv.errors import ShapeError
from tinyconv.kernels import fused_activation as fused
from tinyconv.ops._checks import check_flags, check_float, normalize_dim
from tinyconv.ops.activation import sigmoid, tanh
from tinyconv.ops.arrangement import narrow
from tinyconv.ops.comparison import ge, le, logical_or
from tinyconv.ops.elementwise import where
from tinyconv.ops.fused_activation import Fused
from tinyconv.ops.smooth_activation import softplus
from tinyconv.tensor import Tensor


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """A sigmoid of straight pieces, ``relu6(x + 3) / 6`` (Courbariaux et al. 2015).

    The gradient at -3 and 3 is 0.
    """
    check_flags("hardsigmoid", inplace=inplace)
    check_float("hardsigmoid", "input", input)
    return Fused.apply(input, fused.hardsigmoid, fused.hardsigmoid_backward, hardsigmoid_derivative)


def hardsigmoid_derivative(x: Tensor) -> Tensor:
    """1 / 6 between -3 and 3, else 0."""
    return (1 - logical_or(le(x, -3), ge(x, 3)).to(x.dtype)) / 6


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * hardsigmoid(x)``, the activation of MobileNetV3 (Howard et al. 2019).

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.hardswish(tc.tensor([-4.0, 0.0, 3.0, 5.0])).abs().tolist()
    [0.0, 0.0, 3.0, 5.0]
    """
    check_flags("hardswish", inplace=inplace)
    check_float("hardswish", "input", input)
    return Fused.apply(input, fused.hardswish, fused.hardswish_backward, hardswish_derivative)


def hardswish_derivative(x: Tensor) -> Tensor:
    """0 up to -3, 1 from 3 on, x / 3 + 1 / 2 between them."""
    return where(le(x, -3), 0.0, where(ge(x, 3), 1.0, x / 3 + 0.5))


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))`` (Misra 2019)."""
    check_flags("mish", inplace=inplace)
    check_float("mish", "input", input)
    return Fused.apply(input, fused.mish, fused.mish_backward, mish_derivative)


def mish_derivative(x: Tensor) -> Tensor:
    """t + x sigmoid(x) (1 - t^2) with t = tanh(log(1 + e^x))."""
    t = tanh(softplus(x, threshold=inf))
    return t + x * sigmoid(x) * (1 - t * t)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along `dim` times the sigmoid of the second half (Dauphin et al. 2017).

    Parameters
    ----------
    input : Tensor
        An even number of elements along `dim`.
    dim : int
    """
    axis = normalize_dim("glu", dim, check_float("glu", "input", input).ndim)
    if input.ndim == 0 or input.shape[axis] % 2:
        expected = f"an even number of elements in dimension {dim}"
        raise ShapeError("glu", "input", f"of shape {input.shape}", expected)
    half = input.shape[axis] // 2
    return narrow(input, axis, 0, half) * sigmoid(narrow(input, axis, half, half))
