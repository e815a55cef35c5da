"""One step of an optimiser on one parameter, in place.

These are the only kernels that change their arguments: `param` and the running averages.
Formulas and order of operations are PyTorch's.
"""

from __future__ import annotations

from typing import Any

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any


@quiet
def sgd_step(
    param: Array,
    grad: Array,
    buffer: Array | None,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    """Stochastic gradient descent with momentum (Sutskever et al. 2013).

    ::

        d = grad + weight_decay * param
        buffer = d at the first step, else momentum * buffer + (1 - dampening) * d
        param -= lr * (d + momentum * buffer if nesterov else buffer)

    Parameters
    ----------
    buffer : array or None
        Running average of param's shape; None when momentum is 0.
    first : bool
        Whether this is the parameter's first step: then `buffer` need not be initialised.
    """
    d = grad + weight_decay * param if weight_decay else grad
    if buffer is not None:
        buffer[...] = d if first else momentum * buffer + (1 - dampening) * d
        d = d + momentum * buffer if nesterov else buffer
    param[...] -= lr * d


@quiet
def adam_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
) -> None:
    """Adam (Kingma and Ba 2015): averages of the gradient and of its square, corrected for their start at 0.

    ::

        d = grad + weight_decay * param
        exp_avg = beta1 * exp_avg + (1 - beta1) * d
        exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * d**2
        param -= lr * exp_avg / (1 - beta1**step) / (sqrt(exp_avg_sq / (1 - beta2**step)) + eps)

    Parameters
    ----------
    step : int
        Number of this step, counted from 1.
    """
    xp = array_module(param)
    d = grad + weight_decay * param if weight_decay else grad
    exp_avg[...] = beta1 * exp_avg + (1 - beta1) * d
    exp_avg_sq[...] = beta2 * exp_avg_sq + (1 - beta2) * d * d
    scale = xp.sqrt(exp_avg_sq) / (1 - beta2**step) ** 0.5 + eps
    param[...] -= lr / (1 - beta1**step) * exp_avg / scale
