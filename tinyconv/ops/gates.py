"""Activation functions that multiply their input by a gate between 0 and 1, and the gates."""

from __future__ import annotations

from math import inf

from tinyconv.errors import ShapeError
from tinyconv.ops._checks import check_flags, check_float, normalize_dim
from tinyconv.ops.activation import sigmoid, tanh
from tinyconv.ops.arrangement import narrow
from tinyconv.ops.piecewise_activation import Hardtanh
from tinyconv.ops.smooth_activation import Softplus
from tinyconv.tensor import Tensor


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """A sigmoid of straight pieces, ``relu6(x + 3) / 6`` (Courbariaux et al. 2015).

    The gradient at -3 and 3 is 0.
    """
    check_flags("hardsigmoid", inplace=inplace)
    return Hardtanh.apply(check_float("hardsigmoid", "input", input) + 3.0, 0.0, 6.0) / 6.0


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
    return input * Hardtanh.apply(input + 3.0, 0.0, 6.0) / 6.0


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))`` (Misra 2019)."""
    check_flags("mish", inplace=inplace)
    check_float("mish", "input", input)
    return input * tanh(Softplus.apply(input, 1.0, inf))


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
