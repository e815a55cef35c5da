"""Launches the kernels of `fused_activation.cu`, twins of `kernels/reference/fused_activation.py`."""

from __future__ import annotations

from typing import Any

from tinyconv.kernels.cuda._launch import C_TYPES, map_elements
from tinyconv.kernels.reference import fused_activation as reference

Array = Any


def silu(x: Array) -> Array:
    """``x * sigmoid(x)`` (Elfwing et al. 2017)."""
    return _launch("silu", (x,))


def silu_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``s * (1 + x * (1 - s))`` with s = sigmoid(x)."""
    return _launch("silu_backward", (grad, x))


def gelu(x: Array) -> Array:
    """x times the probability of a standard normal number below x (Hendrycks and Gimpel 2016)."""
    return _launch("gelu", (x,))


def gelu_backward(grad: Array, x: Array) -> Array:
    """`grad` times the probability plus x times its density."""
    return _launch("gelu_backward", (grad, x))


def gelu_tanh(x: Array) -> Array:
    """``x / 2 * (1 + tanh(u))``, near to gelu, with ``u = sqrt(2 / pi) * (x + 0.044715 * x**3)``."""
    return _launch("gelu_tanh", (x,))


def gelu_tanh_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``(1 + t + x * (1 - t**2) * du/dx) / 2`` with t = tanh(u)."""
    return _launch("gelu_tanh_backward", (grad, x))


def mish(x: Array) -> Array:
    """``x * tanh(log(1 + exp(x)))`` (Misra 2019)."""
    return _launch("mish", (x,))


def mish_backward(grad: Array, x: Array) -> Array:
    """`grad` times ``t + x * sigmoid(x) * (1 - t**2)`` with t = tanh(log(1 + exp(x)))."""
    return _launch("mish_backward", (grad, x))


def logsigmoid(x: Array) -> Array:
    """``-log(1 + exp(-x))``."""
    return _launch("logsigmoid", (x,))


def logsigmoid_backward(grad: Array, x: Array) -> Array:
    """``grad * sigmoid(-x)``."""
    return _launch("logsigmoid_backward", (grad, x))


def hardsigmoid(x: Array) -> Array:
    """``x / 6 + 1 / 2``, but at least 0 and at most 1 (Courbariaux et al. 2015)."""
    return _launch("hardsigmoid", (x,))


def hardsigmoid_backward(grad: Array, x: Array) -> Array:
    """``grad / 6`` where -3 < x < 3, else 0."""
    return _launch("hardsigmoid_backward", (grad, x))


def hardswish(x: Array) -> Array:
    """``x * hardsigmoid(x)`` (Howard et al. 2019)."""
    return _launch("hardswish", (x,))


def hardswish_backward(grad: Array, x: Array) -> Array:
    """`grad` times 0 up to x = -3, 1 from x = 3 on, and ``x / 3 + 1 / 2`` between them."""
    return _launch("hardswish_backward", (grad, x))


def hardshrink(x: Array, lambd: float) -> Array:
    """x, but 0 where ``-lambd <= x <= lambd``."""
    return _launch("hardshrink", (x,), lambd)


def softshrink(x: Array, lambd: float) -> Array:
    """x moved towards 0 by `lambd`, but not past it."""
    return _launch("softshrink", (x,), lambd)


def shrink_backward(grad: Array, x: Array, lambd: float) -> Array:
    """`grad`, but 0 where ``-lambd <= x <= lambd``: of hardshrink and of softshrink."""
    return _launch("shrink_backward", (grad, x), lambd)


def softsign(x: Array) -> Array:
    """``x / (1 + |x|)`` (Turian et al. 2009)."""
    return _launch("softsign", (x,))


def softsign_backward(grad: Array, x: Array) -> Array:
    """``grad / (1 + |x|)**2``."""
    return _launch("softsign_backward", (grad, x))


def tanhshrink(x: Array) -> Array:
    """``x - tanh(x)``."""
    return _launch("tanhshrink", (x,))


def tanhshrink_backward(grad: Array, x: Array) -> Array:
    """``grad * tanh(x)**2``."""
    return _launch("tanhshrink_backward", (grad, x))


def _launch(name: str, inputs: tuple[Array, ...], *parameters: float) -> Array:
    if str(inputs[0].dtype) not in C_TYPES:
        return getattr(reference, name)(*inputs, *parameters)
    return map_elements("fused_activation.cu", name, inputs, parameters)
