"""Smooth activation functions: relatives of ELU, and of a ReLU with its corner rounded off."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import ArgumentError
from tinyconv.kernels import activation as kernels
from tinyconv.kernels import fused_activation as fused
from tinyconv.ops._checks import check_choice, check_flags, check_float, check_number
from tinyconv.ops.activation import Sigmoid, sigmoid, tanh
from tinyconv.ops.comparison import gt
from tinyconv.ops.elementwise import exp, where
from tinyconv.ops.fused_activation import Fused
from tinyconv.tensor import Tensor

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
"""The fixed point of Klambauer et al. 2017: with these, layers keep mean 0 and variance 1."""


def softplus_derivative(x: Tensor, beta: float, threshold: float) -> Tensor:
    """sigmoid(beta x), and 1 beyond the threshold."""
    scaled = x * beta
    return where(gt(scaled, threshold), 1.0, Sigmoid.apply(scaled))


class NormalCdf(Function):
    """y = the probability of a standard normal number below x, so dy/dx = e^(-x^2/2) / sqrt(2 pi)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return kernels.normal_cdf(x.array)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return grad * (exp(x * x * -0.5) / sqrt(2 * pi))


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """ELU with the slope and scale that keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    check_flags("selu", inplace=inplace)
    return _scaled_elu(check_float("selu", "input", input), SELU_ALPHA, SELU_SCALE, 1.0)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else ``alpha * (exp(x / alpha) - 1)``, smooth at 0 for any alpha > 0 (Barron 2017)."""
    check_flags("celu", inplace=inplace)
    check_float("celu", "input", input)
    if not check_number("celu", "alpha", alpha) > 0:
        raise ArgumentError("celu", "alpha", repr(alpha), "a number above 0")
    return _scaled_elu(input, float(alpha), 1.0, 1.0 / alpha)


def _scaled_elu(x: Tensor, alpha: float, scale: float, inner: float) -> Tensor:
    kernel, backward = kernels.scaled_elu, kernels.scaled_elu_backward
    return Fused.apply(x, kernel, backward, scaled_elu_derivative, alpha, scale, inner)


def scaled_elu_derivative(x: Tensor, alpha: float, scale: float, inner: float) -> Tensor:
    """The scale where x > 0, else scale alpha inner e^(inner x)."""
    positive = gt(x, 0)
    return where(positive, scale, scale * alpha * inner * exp(where(positive, 0.0, x) * inner))


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the probability of a standard normal number below x (Hendrycks and Gimpel 2016).

    Parameters
    ----------
    input : Tensor
    approximate : str
        ``"none"``, or ``"tanh"``: ``x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))``.
    """
    check_float("gelu", "input", input)
    if check_choice("gelu", "approximate", approximate, ("none", "tanh")) == "none":
        return Fused.apply(input, fused.gelu, fused.gelu_backward, gelu_derivative)
    return Fused.apply(input, fused.gelu_tanh, fused.gelu_tanh_backward, gelu_tanh_derivative)


def gelu_derivative(x: Tensor) -> Tensor:
    """The probability of a number below x, plus x times its density."""
    return NormalCdf.apply(x) + x * (exp(x * x * -0.5) / sqrt(2 * pi))


def gelu_tanh_derivative(x: Tensor) -> Tensor:
    """(1 + t + x (1 - t^2) du/dx) / 2 with t = tanh(u)."""
    slope = sqrt(2 / pi)
    t = tanh(slope * (x + 0.044715 * x * x * x))
    return 0.5 * (1 + t + x * (1 - t * t) * (slope * (1 + 3 * 0.044715 * x * x)))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)`` (Elfwing et al. 2017), also called swish."""
    check_flags("silu", inplace=inplace)
    check_float("silu", "input", input)
    return Fused.apply(input, fused.silu, fused.silu_backward, silu_derivative)


def silu_derivative(x: Tensor) -> Tensor:
    """s (1 + x (1 - s)) with s = sigmoid(x)."""
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``, a smooth ReLU (Dugas et al. 2001).

    Where ``beta * x > threshold`` it is x, from which it differs by less than the rounding there.
    """
    check_float("softplus", "input", input)
    if check_number("softplus", "beta", beta) == 0:
        raise ArgumentError("softplus", "beta", repr(beta), "a number that is not 0")
    limit = check_number("softplus", "threshold", threshold)
    kernel, backward = kernels.softplus, kernels.softplus_backward
    return Fused.apply(input, kernel, backward, softplus_derivative, float(beta), limit)


def logsigmoid(input: Tensor) -> Tensor:
    """Logarithm of the sigmoid, ``-log(1 + exp(-x))``, without under- or overflow."""
    check_float("logsigmoid", "input", input)
    return Fused.apply(input, fused.logsigmoid, fused.logsigmoid_backward, logsigmoid_derivative)


def logsigmoid_derivative(x: Tensor) -> Tensor:
    """sigmoid(-x)."""
    return sigmoid(-x)
