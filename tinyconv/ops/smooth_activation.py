"""Smooth activation functions: relatives of ELU, and of a ReLU with its corner rounded off."""

from __future__ import annotations

from math import inf, pi, sqrt
from typing import Any

from tinyconv.autograd import Function
from tinyconv.errors import ArgumentError
from tinyconv.kernels import activation as kernels
from tinyconv.ops._checks import check_choice, check_flags, check_float, check_number
from tinyconv.ops.activation import ELU, Sigmoid, tanh
from tinyconv.ops.comparison import gt
from tinyconv.ops.elementwise import exp, where
from tinyconv.tensor import Tensor

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
"""The fixed point of Klambauer et al. 2017: with these, layers keep mean 0 and variance 1."""


class Softplus(Function):
    """y = log(1 + e^(beta x)) / beta, so dy/dx = sigmoid(beta x); y = x beyond the threshold."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float, threshold: float) -> Any:
        ctx.save_for_backward(x)
        ctx.beta, ctx.threshold = beta, threshold
        return kernels.softplus(x.array, beta, threshold)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        scaled = x * ctx.beta
        return where(gt(scaled, ctx.threshold), grad, grad * Sigmoid.apply(scaled)), None, None


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
    return ELU.apply(check_float("selu", "input", input), SELU_ALPHA) * SELU_SCALE


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else ``alpha * (exp(x / alpha) - 1)``, smooth at 0 for any alpha > 0 (Barron 2017)."""
    check_flags("celu", inplace=inplace)
    check_float("celu", "input", input)
    if not check_number("celu", "alpha", alpha) > 0:
        raise ArgumentError("celu", "alpha", repr(alpha), "a number above 0")
    return ELU.apply(input / alpha, 1.0) * alpha


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
        return input * NormalCdf.apply(input)
    return input * 0.5 * (1 + tanh(sqrt(2 / pi) * (input + 0.044715 * input * input * input)))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)`` (Elfwing et al. 2017), also called swish."""
    check_flags("silu", inplace=inplace)
    return input * Sigmoid.apply(check_float("silu", "input", input))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``, a smooth ReLU (Dugas et al. 2001).

    Where ``beta * x > threshold`` it is x, from which it differs by less than the rounding there.
    """
    check_float("softplus", "input", input)
    if check_number("softplus", "beta", beta) == 0:
        raise ArgumentError("softplus", "beta", repr(beta), "a number that is not 0")
    return Softplus.apply(input, float(beta), check_number("softplus", "threshold", threshold))


def logsigmoid(input: Tensor) -> Tensor:
    """Logarithm of the sigmoid, ``-log(1 + exp(-x))``, without under- or overflow."""
    return -Softplus.apply(-check_float("logsigmoid", "input", input), 1.0, inf)
