"""One step of an optimiser on one parameter, in place.

The steps are the only kernels that change their arguments: `param` and the running averages.
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


@quiet
def adamw_step(
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
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    The parameter shrinks by ``lr * weight_decay`` of itself, then `adam_step` without decay: the
    decay is no longer divided by the root of the average square.
    """
    param *= 1 - lr * weight_decay
    adam_step(param, grad, exp_avg, exp_avg_sq, step, lr, beta1, beta2, eps, 0.0)


@quiet
def amsgrad_step(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
) -> None:
    """Adam that divides by the root of the largest average square so far (Reddi et al. 2018).

    ::

        max_exp_avg_sq = max(max_exp_avg_sq, exp_avg_sq)
        param -= lr * exp_avg / (1 - beta1**step) / (sqrt(max_exp_avg_sq / (1 - beta2**step)) + eps)

    Parameters
    ----------
    decoupled : bool
        Whether weights decay as in `adamw_step`.
    """
    xp = array_module(param)
    if decoupled:
        param *= 1 - lr * weight_decay
    d = grad + weight_decay * param if weight_decay and not decoupled else grad
    exp_avg[...] = beta1 * exp_avg + (1 - beta1) * d
    exp_avg_sq[...] = beta2 * exp_avg_sq + (1 - beta2) * d * d
    max_exp_avg_sq[...] = xp.maximum(max_exp_avg_sq, exp_avg_sq)
    scale = xp.sqrt(max_exp_avg_sq) / (1 - beta2**step) ** 0.5 + eps
    param[...] -= lr / (1 - beta1**step) * exp_avg / scale


@quiet
def rmsprop_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    grad_avg: Array | None,
    buffer: Array | None,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
) -> None:
    """RMSprop (Hinton 2012; centered: Graves 2013): the gradient by the root of its mean square.

    ::

        d = grad + weight_decay * param
        square_avg = alpha * square_avg + (1 - alpha) * d**2
        grad_avg = alpha * grad_avg + (1 - alpha) * d
        d = d / (sqrt(square_avg - grad_avg**2) + eps)
        buffer = momentum * buffer + d
        param -= lr * buffer

    Parameters
    ----------
    grad_avg : array or None
        Running average of the gradient; None if not centered: then 0 in the formula.
    buffer : array or None
        None when momentum is 0.
    """
    xp = array_module(param)
    d = grad + weight_decay * param if weight_decay else grad
    square_avg[...] = alpha * square_avg + (1 - alpha) * d * d
    variance = square_avg
    if grad_avg is not None:
        grad_avg[...] = alpha * grad_avg + (1 - alpha) * d
        # Rounding must not make the variance of a constant gradient negative.
        variance = xp.maximum(square_avg - grad_avg * grad_avg, 0)
    d = d / (xp.sqrt(variance) + eps)
    if buffer is not None:
        buffer[...] = momentum * buffer + d
        d = buffer
    param[...] -= lr * d


@quiet
def adagrad_step(
    param: Array,
    grad: Array,
    sum: Array,
    step: int,
    lr: float,
    lr_decay: float,
    weight_decay: float,
    eps: float,
) -> None:
    """Adagrad (Duchi et al. 2011): the gradient by the root of the sum of all its squares.

    ::

        d = grad + weight_decay * param
        sum = sum + d**2
        param -= lr / (1 + (step - 1) * lr_decay) * d / (sqrt(sum) + eps)

    Parameters
    ----------
    step : int
        Number of this step, counted from 1.
    """
    xp = array_module(param)
    d = grad + weight_decay * param if weight_decay else grad
    sum += d * d
    param[...] -= lr / (1 + (step - 1) * lr_decay) * d / (xp.sqrt(sum) + eps)


@quiet
def adadelta_step(
    param: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
) -> None:
    """Adadelta (Zeiler 2012): steps in the parameter's own unit, as large as the last ones were.

    ::

        d = grad + weight_decay * param
        square_avg = rho * square_avg + (1 - rho) * d**2
        delta = sqrt(acc_delta + eps) / sqrt(square_avg + eps) * d
        acc_delta = rho * acc_delta + (1 - rho) * delta**2
        param -= lr * delta
    """
    xp = array_module(param)
    d = grad + weight_decay * param if weight_decay else grad
    square_avg[...] = rho * square_avg + (1 - rho) * d * d
    delta = xp.sqrt(acc_delta + eps) / xp.sqrt(square_avg + eps) * d
    acc_delta[...] = rho * acc_delta + (1 - rho) * delta * delta
    param[...] -= lr * delta


def all_finite(arrays: list[Array]) -> bool:
    """Whether no number of the arrays is NaN or infinite; asked of gradients before each step."""
    return all(bool(array_module(array).isfinite(array).all()) for array in arrays)


def sgd_steps(
    params: list[Array], grads: list[Array], buffers: list[Array] | None, lr: float, momentum: float,
    dampening: float, weight_decay: float, nesterov: bool, first: bool,
) -> None:  # fmt: skip
    """`sgd_step` of all parameters of a group."""
    for index, (param, grad) in enumerate(zip(params, grads, strict=True)):
        buffer = None if buffers is None else buffers[index]
        sgd_step(param, grad, buffer, lr, momentum, dampening, weight_decay, nesterov, first)


def adam_steps(
    params: list[Array], grads: list[Array], exp_avgs: list[Array], exp_avg_sqs: list[Array], step: int,
    lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool,
) -> None:  # fmt: skip
    """`adam_step` of all parameters of a group, or `adamw_step` where the decay is decoupled."""
    one_step = adamw_step if decoupled else adam_step
    for arrays in zip(params, grads, exp_avgs, exp_avg_sqs, strict=True):
        one_step(*arrays, step, lr, beta1, beta2, eps, weight_decay)


def amsgrad_steps(
    params: list[Array], grads: list[Array], exp_avgs: list[Array], exp_avg_sqs: list[Array],
    max_exp_avg_sqs: list[Array], step: int, lr: float, beta1: float, beta2: float, eps: float,
    weight_decay: float, decoupled: bool,
) -> None:  # fmt: skip
    """`amsgrad_step` of all parameters of a group."""
    for arrays in zip(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, strict=True):
        amsgrad_step(*arrays, step, lr, beta1, beta2, eps, weight_decay, decoupled)


def rmsprop_steps(
    params: list[Array], grads: list[Array], square_avgs: list[Array], grad_avgs: list[Array] | None,
    buffers: list[Array] | None, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float,
) -> None:  # fmt: skip
    """`rmsprop_step` of all parameters of a group."""
    none = [None] * len(params)
    for arrays in zip(params, grads, square_avgs, grad_avgs or none, buffers or none, strict=True):
        rmsprop_step(*arrays, lr, alpha, eps, weight_decay, momentum)


def adagrad_steps(
    params: list[Array], grads: list[Array], sums: list[Array], step: int, lr: float, lr_decay: float,
    weight_decay: float, eps: float,
) -> None:  # fmt: skip
    """`adagrad_step` of all parameters of a group."""
    for arrays in zip(params, grads, sums, strict=True):
        adagrad_step(*arrays, step, lr, lr_decay, weight_decay, eps)


def adadelta_steps(
    params: list[Array], grads: list[Array], square_avgs: list[Array], acc_deltas: list[Array], lr: float,
    rho: float, eps: float, weight_decay: float,
) -> None:  # fmt: skip
    """`adadelta_step` of all parameters of a group."""
    for arrays in zip(params, grads, square_avgs, acc_deltas, strict=True):
        adadelta_step(*arrays, lr, rho, eps, weight_decay)
